/* SPDX-License-Identifier: Apache-2.0
 * Lists the built-in functions of a Flink distribution: java HarvestFunctions.java FLINK_FOLDER > flink-<version>.txt
 * The names are those Flink lists itself and those of its table of SQL operators; what each takes and gives is asked of its validator, by
 * calling it with columns of every family of types. One sorted line a function, parted by tabs:
 *   name, kind (s scalar, a aggregate, w only with OVER, t table), least and most arguments (- where there is no most),
 *   families each argument may have when it is called with one or two of them ("BI;S" is: first B or I, second S), type of the result
 *   ("=n": that of argument n; "?": it depends).
 * Families: B boolean, I integer, D decimal, F floating point, S string, X bytes, d date, t time, T timestamp, L timestamp with local zone,
 * m and i intervals of months and seconds, A array, M map, R row. */
import java.io.File;
import java.io.InputStream;
import java.lang.reflect.Method;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.regex.Pattern;

public class HarvestFunctions {
    private static final String FAMILIES = "BIDFSXdtTLmiAMR";
    private static final String[] COLUMNS = {
        "c_b", "c_i", "c_dec", "c_f", "c_s", "c_x", "c_date", "c_time", "c_ts", "c_ltz", "INTERVAL '1' MONTH", "INTERVAL '1' SECOND", "c_a",
        "c_m", "c_r"
    };
    private static final String[] LITERALS = {
        "TRUE", "1", "1.5", "1E0", "'a'", "X'00'", "DATE '2020-01-01'", "TIME '00:00:00'", "TIMESTAMP '2020-01-01 00:00:00'", "c_ltz",
        "INTERVAL '1' MONTH", "INTERVAL '1' SECOND", "ARRAY['a']", "MAP['a', 1]", "ROW(1, 'a')"
    };
    private static final String VIEW = "CREATE TEMPORARY VIEW v AS SELECT CAST(NULL AS BOOLEAN) AS c_b, CAST(NULL AS INT) AS c_i, "
            + "CAST(NULL AS DECIMAL(10, 2)) AS c_dec, CAST(NULL AS DOUBLE) AS c_f, CAST(NULL AS STRING) AS c_s, CAST(NULL AS BYTES) AS c_x, "
            + "CAST(NULL AS DATE) AS c_date, CAST(NULL AS TIME) AS c_time, CAST(NULL AS TIMESTAMP(3)) AS c_ts, CAST(NULL AS TIMESTAMP_LTZ(3)) AS c_ltz, "
            + "ARRAY['a'] AS c_a, MAP['a', 1] AS c_m, ROW(1, 'a') AS c_r FROM (VALUES (1))";

    private static final Set<String> operators = new TreeSet<>();
    private static Object env;
    private static Method query;
    private static Method schema;
    private static Method types;

    public static void main(String[] args) throws Exception {
        List<URL> urls = new ArrayList<>();
        File planner = null;
        for (File jar : new File(args[0], "lib").listFiles((dir, name) -> name.endsWith(".jar"))) {
            if (jar.getName().contains("planner-loader")) {
                planner = unpack(jar);
                urls.add(planner.toURI().toURL());
            } else {
                urls.add(jar.toURI().toURL());
            }
        }
        URLClassLoader loader = new URLClassLoader(urls.toArray(new URL[0]), ClassLoader.getPlatformClassLoader());
        Thread.currentThread().setContextClassLoader(loader);
        Class<?> settings = loader.loadClass("org.apache.flink.table.api.EnvironmentSettings");
        Object built = settings.getMethod("inStreamingMode").invoke(null);
        Class<?> environment = loader.loadClass("org.apache.flink.table.api.TableEnvironment");
        env = environment.getMethod("create", settings).invoke(null, built);
        environment.getMethod("executeSql", String.class).invoke(env, VIEW);
        query = environment.getMethod("sqlQuery", String.class);
        schema = loader.loadClass("org.apache.flink.table.api.Table").getMethod("getResolvedSchema");
        types = loader.loadClass("org.apache.flink.table.catalog.ResolvedSchema").getMethod("getColumnDataTypes");

        Set<String> names = new TreeSet<>();
        for (String name : (String[]) environment.getMethod("listFunctions").invoke(env)) {
            names.add(name.toUpperCase());
        }
        addOperators(loader, operators);
        names.addAll(operators);
        Pattern plain = Pattern.compile("[A-Z_][A-Z0-9_]*");
        for (String name : names) {
            if (plain.matcher(name).matches() && !name.startsWith("__")) {
                look(name);
            }
        }
        planner.delete();
        System.exit(0);
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

    private static void addOperators(ClassLoader loader, Set<String> names) throws Exception {
        Class<?> table = loader.loadClass("org.apache.flink.table.planner.functions.sql.FlinkSqlOperatorTable");
        Object instance = table.getMethod("instance", boolean.class).invoke(null, false);
        Class<?> operator = loader.loadClass("org.apache.calcite.sql.SqlOperator");
        Class<?> function = loader.loadClass("org.apache.calcite.sql.SqlFunction");
        for (Object o : (List<?>) table.getMethod("getOperatorList").invoke(instance)) {
            if (function.isInstance(o)) {
                names.add(((String) operator.getMethod("getName").invoke(o)).toUpperCase());
            }
        }
    }

    /* What the validator says to a call: the result's type, or null with its words in `said`. */
    private static String said;

    private static String ask(String sql) {
        try {
            Object table = query.invoke(env, sql);
            List<?> columns = (List<?>) types.invoke(schema.invoke(table));
            return columns.get(0).toString().replaceAll(" NOT NULL$", "");
        } catch (Throwable t) {
            StringBuilder all = new StringBuilder();
            for (Throwable c = t; c != null && c.getCause() != c; c = c.getCause()) {
                all.append(c.getMessage()).append('\n');
            }
            said = all.toString();
            return null;
        }
    }

    private static boolean wrongCount() {
        return said.contains("Invalid number of arguments") || said.contains("No match found") || said.contains("arguments to function")
                || said.contains("Encountered \"") || said.contains("Incorrect syntax") || said.contains("At least") && said.contains("arguments expected");
    }

    private static String sql(String name, String over, String... args) {
        return "SELECT " + name + "(" + String.join(", ", args) + ")" + over + " FROM v";
    }

    private static void look(String name) {
        int least = -1;
        int most = -1;
        int n = FAMILIES.length();
        String over = "";
        ask(sql(name, ""));
        boolean windowed = said != null && said.contains("OVER clause is necessary");
        for (int k = 1; k <= 3 && !windowed; k++) {
            String[] args = new String[k];
            Arrays.fill(args, "c_i");
            said = "";
            windowed = ask(sql(name, "", args)) == null && said.contains("OVER clause is necessary");
            Arrays.fill(args, "1");
            windowed |= ask(sql(name, "", args)) == null && said.contains("OVER clause is necessary");
        }
        over = windowed ? " OVER (ORDER BY PROCTIME())" : "";
        for (int k = 0; k <= 12; k++) {
            String[] args = new String[k];
            Arrays.fill(args, "c_i");
            boolean taken = ask(sql(name, over, args)) != null || !wrongCount();
            Arrays.fill(args, "1");
            taken |= ask(sql(name, over, args)) != null;
            if (taken && least < 0) {
                least = k;
            }
            if (taken) {
                most = k;
            }
        }
        if (least < 0) {
            if (tableFunction(name)) {
                return;
            }
            if (operators.contains(name) && !said.contains("SQL parse failed")) {
                System.out.println(name + "\tt\t0\t-\t\t;\t?"); /* it takes what cannot be tried this way */
                return;
            }
            System.err.println(name + ": " + said.lines().skip(1).findFirst().orElse(said));
            return;
        }
        boolean aggregate = false;
        List<Set<Character>> first = List.of(new TreeSet<>(), new TreeSet<>(), new TreeSet<>());
        List<String[]> results = new ArrayList<>();
        if (least <= 0) {
            note(results, ask(sql(name, over)), new String[0]);
        }
        Set<Character> single = new TreeSet<>();
        if (least <= 1 && most >= 1) {
            for (int a = 0; a < n; a++) {
                String r = try1(name, over, a);
                if (r != null) {
                    single.add(FAMILIES.charAt(a));
                    note(results, r, new String[] {FAMILIES.charAt(a) + ""});
                    aggregate |= isAggregate(name, over, COLUMNS[a]);
                }
            }
        }
        if (least <= 2 && most >= 2) {
            for (int a = 0; a < n; a++) {
                for (int b = 0; b < n; b++) {
                    String r = ask(sql(name, over, COLUMNS[a], COLUMNS[b]));
                    if (r == null) {
                        r = ask(sql(name, over, COLUMNS[a], LITERALS[b]));
                    }
                    if (r == null) {
                        r = ask(sql(name, over, LITERALS[a], LITERALS[b]));
                    }
                    if (r == null) {
                        r = ask(sql(name, over, LITERALS[a], COLUMNS[b]));
                    }
                    if (r != null) {
                        first.get(0).add(FAMILIES.charAt(a));
                        first.get(1).add(FAMILIES.charAt(b));
                        note(results, r, new String[] {FAMILIES.charAt(a) + "", FAMILIES.charAt(b) + ""});
                        aggregate |= !aggregate && (isAggregate(name, over, COLUMNS[a], COLUMNS[b]) || isAggregate(name, over, COLUMNS[a], LITERALS[b]));
                    }
                }
            }
        }
        if (most >= 3) {
            int[] few = {0, 1, 4, 6, 8, 9, 11, 12, 13};
            for (int a : few) {
                for (int b : few) {
                    for (int c : few) {
                        String r = ask(sql(name, over, COLUMNS[a], LITERALS[b], LITERALS[c]));
                        if (r != null) {
                            note(results, r, new String[] {FAMILIES.charAt(a) + "", FAMILIES.charAt(b) + "", FAMILIES.charAt(c) + ""});
                        }
                    }
                }
            }
        }
        String kind = windowed ? "w" : aggregate ? "a" : "s";
        if (results.isEmpty() && tableFunction(name)) {
            return;
        }
        System.out.println(name + "\t" + kind + "\t" + least + "\t" + (most == 12 ? "-" : "" + most) + "\t" + text(single) + "\t" + text(first.get(0))
                + ";" + text(first.get(1)) + "\t" + result(results));
    }

    private static String try1(String name, String over, int a) {
        String r = ask(sql(name, over, COLUMNS[a]));
        return r != null ? r : ask(sql(name, over, LITERALS[a]));
    }

    private static boolean isAggregate(String name, String over, String... args) {
        return over.isEmpty() && ask("SELECT " + name + "(" + String.join(", ", args) + "), c_i FROM v") == null && said.contains("not being grouped");
    }

    private static boolean tableFunction(String name) {
        for (String arg : new String[] {"", "'a'", "1", "ARRAY['a']", "1, 2"}) {
            if (ask("SELECT * FROM TABLE(" + name + "(" + arg + "))") != null || !wrongCount()) {
                System.out.println(name + "\tt\t0\t-\t\t;\t?");
                return true;
            }
        }
        return false;
    }

    private static void note(List<String[]> results, String type, String[] args) {
        if (type != null) {
            String[] row = new String[args.length + 1];
            row[0] = type;
            System.arraycopy(args, 0, row, 1, args.length);
            results.add(row);
        }
    }

    private static String text(Set<Character> families) {
        StringBuilder s = new StringBuilder();
        for (char c : FAMILIES.toCharArray()) {
            if (families.contains(c)) {
                s.append(c);
            }
        }
        return s.toString();
    }

    private static String family(String type) {
        String t = type.replaceAll("[( <].*", "");
        switch (t) {
            case "BOOLEAN": return "B";
            case "TINYINT": case "SMALLINT": case "INT": case "BIGINT": return "I";
            case "DECIMAL": return "D";
            case "FLOAT": case "DOUBLE": return "F";
            case "CHAR": case "VARCHAR": case "STRING": return "S";
            case "BINARY": case "VARBINARY": case "BYTES": return "X";
            case "DATE": return "d";
            case "TIME": return "t";
            case "TIMESTAMP": return type.contains("LOCAL") ? "L" : "T";
            case "TIMESTAMP_LTZ": return "L";
            case "INTERVAL": return type.contains("SECOND") ? "i" : "m";
            case "ARRAY": return "A";
            case "MAP": return "M";
            case "ROW": return "R";
            default: return "?";
        }
    }

    /* One type, one family ("~S"), that of an argument, or nothing in common. */
    private static String result(List<String[]> results) {
        if (results.isEmpty()) {
            return "?";
        }
        Set<String> all = new TreeSet<>();
        Set<String> families = new TreeSet<>();
        boolean[] as = {true, true, true};
        for (String[] r : results) {
            all.add(r[0]);
            families.add(family(r[0]));
            for (int i = 0; i < 3; i++) {
                as[i] &= r.length > i + 1 && family(r[0]).equals(r[i + 1]);
            }
        }
        if (families.size() > 1) {
            for (int i = 0; i < 3; i++) {
                if (as[i]) {
                    return "=" + i;
                }
            }
            return "?";
        }
        return all.size() == 1 && all.iterator().next().matches("[A-Z_]+") ? all.iterator().next() : "~" + families.iterator().next();
    }
}
