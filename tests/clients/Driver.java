// SPDX-License-Identifier: Apache-2.0
// What a program sees through Flink's JDBC driver: connection, metadata, rows of several types, an error, another database, rows without end. One line each.
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Arrays;

public class Driver {
    private static void show(String name, ResultSet rows) throws SQLException {
        ResultSetMetaData m = rows.getMetaData();
        StringBuilder head = new StringBuilder(name).append(':');
        for (int i = 1; i <= m.getColumnCount(); i++) {
            head.append(' ').append(m.getColumnName(i)).append(' ').append(m.getColumnTypeName(i)).append(' ').append(m.getColumnType(i));
        }
        System.out.println(head);
        while (rows.next()) {
            StringBuilder line = new StringBuilder(name).append('=');
            for (int i = 1; i <= m.getColumnCount(); i++) {
                Object cell = rows.getObject(i);
                line.append(' ').append(cell instanceof byte[] ? Arrays.toString((byte[]) cell) : cell);
            }
            System.out.println(line);
        }
        rows.close();
    }

    private static ResultSet listed(Statement s, String sql) throws SQLException {
        s.execute(sql);
        return s.getResultSet();
    }

    public static void main(String[] args) throws Exception {
        Class.forName("org.apache.flink.table.jdbc.FlinkDriver");
        try (Connection c = DriverManager.getConnection("jdbc:flink://" + args[0]); Statement s = c.createStatement()) {
            DatabaseMetaData m = c.getMetaData();
            System.out.println("product: " + m.getDatabaseProductName() + " by " + m.getDriverName());
            System.out.println("place: " + c.getCatalog() + "." + c.getSchema());
            s.execute("SET 'execution.runtime-mode' = 'batch'");
            s.execute("CREATE TABLE numbers (id INT NOT NULL, name STRING, PRIMARY KEY (id) NOT ENFORCED) WITH ('connector'='datagen', 'number-of-rows'='3',"
                + " 'fields.id.kind'='sequence', 'fields.id.start'='1', 'fields.id.end'='3')");
            s.execute("CREATE TABLE hole (id INT) WITH ('connector'='blackhole')");
            show("catalogs", m.getCatalogs());
            show("schemas", m.getSchemas());
            show("rows", s.executeQuery("SELECT id FROM numbers ORDER BY id"));
            show("types", s.executeQuery("SELECT 1 AS a, 'x' AS b, CAST(NULL AS INT) AS c, TRUE AS d, CAST(1.50 AS DECIMAL(5, 2)) AS e,"
                + " CAST(7 AS BIGINT) AS f, 1e0 AS g"));
            if (args.length == 1) { // the oldest driver has no objects for these
                show("moments", s.executeQuery("SELECT DATE '2024-01-02' AS a, TIMESTAMP '2024-01-02 03:04:05.6' AS b"));
            }
            System.out.println("insert: " + s.execute("INSERT INTO hole SELECT id FROM numbers"));
            try {
                s.executeQuery("SELECT * FROM nope");
            } catch (SQLException | RuntimeException e) { // the driver throws what its client threw
                Throwable t = e;
                while (t.getCause() != null) {
                    t = t.getCause();
                }
                System.out.println("error: " + (t.getMessage().contains("Object 'nope' not found") ? "Object 'nope' not found" : t.getMessage()));
            }
            show("after", s.executeQuery("VALUES (1, 'a'), (2, 'b')"));
            s.execute("CREATE DATABASE d1");
            c.setSchema("d1");
            System.out.println("moved: " + c.getCatalog() + "." + c.getSchema());
            s.execute("CREATE TABLE inside (x INT) WITH ('connector'='blackhole')");
            System.out.println("show: " + s.execute("SHOW TABLES"));
            show("tables", s.getResultSet());
            show("described", listed(s, "DESCRIBE inside"));
            show("bytes", s.executeQuery("SELECT X'00ff' AS a, CAST(2 AS SMALLINT) AS b, CAST(3 AS TINYINT) AS c, CAST(0.5 AS FLOAT) AS d"));
            s.execute("SET 'execution.runtime-mode' = 'streaming'");
            s.execute("CREATE TABLE forever (id INT) WITH ('connector'='datagen', 'rows-per-second'='50', 'fields.id.min'='5', 'fields.id.max'='5')");
            ResultSet endless = s.executeQuery("SELECT id FROM forever");
            for (int i = 0; i < 20; i++) {
                System.out.println("endless= " + endless.next() + " " + endless.getInt(1));
            }
            s.cancel();
            System.out.println("canceled");
            s.execute("USE d1");
            System.out.println("there: " + c.getCatalog() + "." + c.getSchema());
        }
        System.out.println("closed");
    }
}
