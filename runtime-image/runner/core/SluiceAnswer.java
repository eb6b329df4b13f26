/* SPDX-License-Identifier: Apache-2.0
 * Carries an answer in its message where the results port cannot be reached: Flink's REST hands the message
 * of what main() throws to whoever asked for the run. An Error, so that no catch (Exception) of Flink
 * changes it. */
package org.sluice.runner;

public final class SluiceAnswer extends Error {
    private static final long serialVersionUID = 1L;

    static final String PREFIX = "SLUICE-ANSWER ";

    SluiceAnswer(String json) {
        super(PREFIX + json, null, false, false);
    }
}
