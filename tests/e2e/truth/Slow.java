// SPDX-License-Identifier: Apache-2.0
package truth;

import org.apache.flink.table.functions.ScalarFunction;

/** Gives back what it got, after as many milliseconds as it is told: a sink that is too slow. */
public class Slow extends ScalarFunction {
    public Long eval(Long value, Integer millis) throws InterruptedException {
        Thread.sleep(millis);
        return value;
    }

    @Override
    public boolean isDeterministic() {
        return false;
    }
}
