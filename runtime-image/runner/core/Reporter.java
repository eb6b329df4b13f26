/* SPDX-License-Identifier: Apache-2.0
 * Where the runner says what became of each statement. Everything may be called from the thread that runs
 * the steps; failed() and end() also from main(). */
package org.sluice.runner;

import java.io.IOException;
import org.apache.flink.table.api.TableResult;

interface Reporter {
    void begin(int statement) throws IOException;

    /** jobId "": no job was started. */
    void done(int statement, String jobId) throws IOException;

    void answer(int statement, TableResult rows) throws IOException;

    /** Statement 0: before any. Never throws: the failure itself is on its way out. */
    void failed(int statement, Throwable why);

    /** Everything was said; waits, for a limited time, until it is kept. Never throws. */
    void end(boolean ok);
}
