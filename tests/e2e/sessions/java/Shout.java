/* SPDX-License-Identifier: Apache-2.0
 * A scalar function: upper case and a mark. */
package org.sluice.test;

import org.apache.flink.table.functions.ScalarFunction;

public final class Shout extends ScalarFunction {
    public String eval(String word) {
        return word == null ? null : word.toUpperCase(java.util.Locale.ROOT) + "!";
    }
}
