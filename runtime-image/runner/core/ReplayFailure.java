/* SPDX-License-Identifier: Apache-2.0
 * A statement of the session's log that could not be run again. Harmless until a later statement misses what
 * it would have made; then it is the cause. */
package org.sluice.runner;

final class ReplayFailure extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final int statement;
    private final String sql;
    private final String catalog;
    private final String database;

    /** The place: catalog and database that were the current ones. */
    ReplayFailure(int statement, String sql, String catalog, String database, Throwable cause) {
        super("statement " + statement + " could not be run again: " + cause.getMessage(), cause);
        this.statement = statement;
        this.sql = sql;
        this.catalog = catalog;
        this.database = database;
    }

    int statement() {
        return statement;
    }

    String sql() {
        return sql;
    }

    String catalog() {
        return catalog;
    }

    String database() {
        return database;
    }
}
