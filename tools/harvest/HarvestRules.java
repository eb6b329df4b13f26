/* SPDX-License-Identifier: Apache-2.0
 * Asks a Flink distribution which types go together: java HarvestRules.java FLINK_FOLDER > rules.txt
 * One line "word<TAB>left<TAB>rights": the operator (or "sink"), one kind of type on the left and the kinds that its planner takes on the
 * right. "sink" is a query's column (left) put into a table's column (right). Kinds: one letter each, in the order of KINDS. */
import java.io.File;
import java.io.InputStream;
import java.lang.reflect.Array;
import java.lang.reflect.Method;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;

public class HarvestRules {
    /* letter, name of the column, type */
    private static final String[][] KINDS = {
        {"B", "c_bool", "BOOLEAN"}, {"1", "c_tiny", "TINYINT"}, {"2", "c_small", "SMALLINT"}, {"I", "c_int", "INT"}, {"8", "c_big", "BIGINT"},
        {"D", "c_dec", "DECIMAL(10, 2)"}, {"f", "c_float", "FLOAT"}, {"F", "c_double", "DOUBLE"}, {"C", "c_char", "CHAR(3)"},
        {"S", "c_string", "STRING"}, {"x", "c_binary", "BINARY(3)"}, {"X", "c_bytes", "BYTES"}, {"d", "c_date", "DATE"}, {"t", "c_time", "TIME"},
        {"T", "c_ts", "TIMESTAMP(3)"}, {"L", "c_ltz", "TIMESTAMP_LTZ(3)"}, {"m", "INTERVAL '1' MONTH", null}, {"i", "INTERVAL '1' SECOND", null},
        {"A", "c_array", "ARRAY<STRING>"}, {"M", "c_map", "MAP<STRING, INT>"}, {"R", "c_row", "ROW<a INT, b STRING>"}
    };
    private static final String[] OPERATORS = {"+", "-", "*", "/", "%", "||", "=", "<", "AND", "LIKE", "IN", "UNION", "JOIN"};

    public static void main(String[] args) throws Exception {
        List<URL> urls = new ArrayList<>();
        for (File jar : new File(args[0], "lib").listFiles((dir, name) -> name.endsWith(".jar"))) {
            urls.add((jar.getName().contains("planner-loader") ? unpack(jar) : jar).toURI().toURL());
        }
        URLClassLoader loader = new URLClassLoader(urls.toArray(new URL[0]), ClassLoader.getPlatformClassLoader());
        Thread.currentThread().setContextClassLoader(loader);
        Class<?> settings = loader.loadClass("org.apache.flink.table.api.EnvironmentSettings");
        Object built = settings.getMethod("inStreamingMode").invoke(null);
        Class<?> environment = loader.loadClass("org.apache.flink.table.api.TableEnvironment");
        Object env = environment.getMethod("create", settings).invoke(null, built);
        Method execute = environment.getMethod("executeSql", String.class);
        Class<?> detail = loader.loadClass("org.apache.flink.table.api.ExplainDetail");
        Class<?> details = Array.newInstance(detail, 0).getClass();
        Method explain = environment.getMethod("explainSql", String.class, details);
        Object none = Array.newInstance(detail, 0);

        StringBuilder columns = new StringBuilder();
        for (String[] k : KINDS) {
            if (k[2] != null) {
                columns.append(columns.length() == 0 ? "" : ", ").append(k[1]).append(' ').append(k[2]);
                execute.invoke(env, "CREATE TABLE s_" + k[1] + " (c " + k[2] + ") WITH ('connector' = 'blackhole')");
            }
        }
        execute.invoke(env, "CREATE TABLE v (" + columns + ") WITH ('connector' = 'filesystem', 'path' = 'file:///tmp/none', 'format' = 'json')");
        for (String op : OPERATORS) {
            for (String[] left : KINDS) {
                StringBuilder taken = new StringBuilder();
                for (String[] right : KINDS) {
                    String sql = op.equals("UNION")
                            ? "SELECT " + left[1] + " FROM v UNION ALL SELECT " + right[1] + " FROM v"
                            : op.equals("JOIN")
                            ? "SELECT 1 FROM v a JOIN v b ON " + side("a", left) + " = " + side("b", right)
                            : op.equals("IN") ? "SELECT " + left[1] + " IN (" + right[1] + ", " + right[1] + ") FROM v"
                            : "SELECT " + left[1] + " " + op + " " + right[1] + " FROM v";
                    taken.append(takes(explain, env, sql, none) ? right[0] : "");
                }
                System.out.println(op + "\t" + left[0] + "\t" + taken);
            }
        }
        for (String[] left : KINDS) {
            StringBuilder taken = new StringBuilder();
            for (String[] right : KINDS) {
                taken.append(right[2] != null && takes(explain, env, "INSERT INTO s_" + right[1] + " SELECT " + left[1] + " FROM v", none) ? right[0] : "");
            }
            System.out.println("sink\t" + left[0] + "\t" + taken);
        }
        System.exit(0);
    }

    private static String side(String alias, String[] kind) {
        return kind[2] == null ? kind[1] : alias + "." + kind[1];
    }

    private static boolean takes(Method explain, Object env, String sql, Object none) {
        try {
            explain.invoke(env, sql, none);
            return true;
        } catch (Throwable t) {
            return false;
        }
    }

    private static File unpack(File jar) throws Exception {
        try (JarFile in = new JarFile(jar)) {
            JarEntry entry = in.getJarEntry("flink-table-planner.jar");
            File out = File.createTempFile("planner", ".jar");
            out.deleteOnExit();
            try (InputStream bytes = in.getInputStream(entry)) {
                Files.copy(bytes, out.toPath(), StandardCopyOption.REPLACE_EXISTING);
            }
            return out;
        }
    }
}
