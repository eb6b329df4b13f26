/* SPDX-License-Identifier: Apache-2.0
 * A statement of the session's log that could not be run again. Harmless until a later statement misses what
 * it would have made; then it is the cause. */
package org.sluice.runner;

final class ReplayFailure extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final int statement;
    private final String sql;

    ReplayFailure(int statement, String sql, Throwable cause) {
        super("statement " + statement + " could not be run again: " + cause.getMessage(), cause);
        this.statement = statement;
        this.sql = sql;
    }

    int statement() {
        return statement;
    }

    String sql() {
        return sql;
    }
}
