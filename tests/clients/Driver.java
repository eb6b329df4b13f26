// SPDX-License-Identifier: Apache-2.0
// What a program sees through Flink's JDBC driver: connection, metadata, rows of several types, an error. One line each.
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.Statement;

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
                line.append(' ').append(rows.getObject(i));
            }
            System.out.println(line);
        }
        rows.close();
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
        }
        System.out.println("closed");
    }
}
