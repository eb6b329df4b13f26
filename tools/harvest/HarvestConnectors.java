/* SPDX-License-Identifier: Apache-2.0
 * Lists the factories of jars as JSON lines: java HarvestConnectors.java FLINK_FOLDER JAR... ("-": those of Flink's lib/).
 * Loads every class that META-INF/services names for tables, formats, catalogs, modules and file systems, with lib/ and all
 * jars on its class path, and asks it for its identifier and its options: type, default, words of an enumeration, keys that
 * it answers to besides, first sentence of the description. Under which prefixes it takes any key is in no interface: what
 * its class and the classes beside it hold as text ending in '.' is printed, too. Whether a connector refuses keys it does
 * not know is tried: Flink is asked for a table of it with such a key. A class that does not load is printed with the class
 * it misses. */
import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.DataInputStream;
import java.io.File;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Enumeration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;

public class HarvestConnectors {
    private static final String[] SERVICES = {
        "org.apache.flink.table.factories.Factory", "org.apache.flink.table.factories.TableFactory", "org.apache.flink.core.fs.FileSystemFactory"
    };
    private static final String[][] ROLES = {
        {"source", "org.apache.flink.table.factories.DynamicTableSourceFactory"},
        {"sink", "org.apache.flink.table.factories.DynamicTableSinkFactory"},
        {"decode", "org.apache.flink.table.factories.DecodingFormatFactory"},
        {"encode", "org.apache.flink.table.factories.EncodingFormatFactory"},
        {"row", "org.apache.flink.table.factories.DeserializationFormatFactory"},
        {"row", "org.apache.flink.table.factories.SerializationFormatFactory"},
        {"bulk", "org.apache.flink.connector.file.table.factories.BulkReaderFormatFactory"},
        {"bulk", "org.apache.flink.connector.file.table.factories.BulkWriterFormatFactory"},
        {"catalog", "org.apache.flink.table.factories.CatalogFactory"},
        {"module", "org.apache.flink.table.factories.ModuleFactory"},
        {"model", "org.apache.flink.table.factories.ModelProviderFactory"},
        {"filesystem", "org.apache.flink.core.fs.FileSystemFactory"},
    };

    private static URLClassLoader loader;
    private static List<File> all = new ArrayList<>();

    public static void main(String[] args) throws Exception {
        File[] lib = new File(args[0], "lib").listFiles((dir, name) -> name.endsWith(".jar"));
        List<File> asked = new ArrayList<>();
        for (int i = 1; i < args.length; i++) {
            asked.addAll(args[i].equals("-") ? List.of(lib) : List.of(new File(args[i])));
        }
        all.addAll(List.of(lib));
        for (File jar : asked) {
            if (!all.contains(jar)) {
                all.add(jar);
            }
        }
        List<URL> urls = new ArrayList<>();
        for (File jar : all) {
            urls.add(jar.toURI().toURL());
        }
        loader = new URLClassLoader(urls.toArray(new URL[0]), ClassLoader.getPlatformClassLoader());
        Thread.currentThread().setContextClassLoader(loader);
        Set<String> seen = new HashSet<>();
        for (File file : asked) {
            try (JarFile jar = new JarFile(file)) {
                for (String service : SERVICES) {
                    for (String name : classes(jar, service)) {
                        if (seen.add(name)) {
                            harvest(file, service, name);
                        }
                    }
                }
            }
        }
    }

    private static List<String> classes(JarFile jar, String service) throws Exception {
        List<String> names = new ArrayList<>();
        JarEntry entry = jar.getJarEntry("META-INF/services/" + service);
        if (entry == null) {
            return names;
        }
        try (BufferedReader in = new BufferedReader(new InputStreamReader(jar.getInputStream(entry), StandardCharsets.UTF_8))) {
            for (String line; (line = in.readLine()) != null; ) {
                line = line.replaceAll("#.*", "").trim();
                if (!line.isEmpty()) {
                    names.add(line);
                }
            }
        }
        return names;
    }

    private static void harvest(File jar, String service, String name) {
        TreeMap<String, String> row = new TreeMap<>();
        row.put("class", quote(name));
        row.put("jar", quote(jar.getName()));
        try {
            Class<?> type = Class.forName(name, true, loader);
            Object factory = type.getDeclaredConstructor().newInstance();
            List<String> roles = new ArrayList<>();
            for (String[] role : ROLES) {
                try {
                    if (Class.forName(role[1], false, loader).isInstance(factory) && !roles.contains(role[0])) {
                        roles.add(role[0]);
                    }
                } catch (ClassNotFoundException newer) {
                    continue; // this Flink does not know that kind yet
                }
            }
            row.put("roles", list(roles));
            String identifier = roles.contains("filesystem") ? "getScheme" : "factoryIdentifier";
            row.put("name", quote((String) call(factory, identifier)));
            if (!roles.contains("filesystem")) {
                row.put("required", options((Collection<?>) call(factory, "requiredOptions")));
                row.put("optional", options((Collection<?>) call(factory, "optionalOptions")));
                constants(name, row);
                if (roles.contains("source") || roles.contains("sink")) {
                    row.put("refuses", Boolean.toString(refuses(factory, roles.contains("source"), row)));
                }
            }
        } catch (Throwable broken) {
            Throwable last = broken;
            while (last.getCause() != null) {
                last = last.getCause();
            }
            row.put("broken", quote(last.getClass().getSimpleName() + ": " + last.getMessage()));
        }
        StringBuilder line = new StringBuilder("{");
        row.forEach((key, value) -> line.append(line.length() > 1 ? "," : "").append(quote(key)).append(":").append(value));
        System.out.println(line.append("}"));
    }

    /* Asks Flink for a table of this connector with a key that nobody knows. Anything but the complaint about that key
     * proves nothing. */
    private static boolean refuses(Object factory, boolean source, TreeMap<String, String> row) throws Exception {
        TreeMap<String, String> options = new TreeMap<>();
        for (Object option : (Collection<?>) call(factory, "requiredOptions")) {
            options.put((String) call(option, "key"), some(option));
        }
        for (Object option : (Collection<?>) call(factory, "optionalOptions")) {
            String key = (String) call(option, "key");
            if (key.equals("format") || key.equals("topic")) {
                options.put(key, some(option));
            }
        }
        options.put("connector", (String) call(factory, "factoryIdentifier"));
        options.put("no.such-key-anywhere", "x");
        Class<?> column = type("org.apache.flink.table.catalog.Column"), dataType = type("org.apache.flink.table.types.DataType");
        Class<?> dataTypes = type("org.apache.flink.table.api.DataTypes"), constraint = type("org.apache.flink.table.catalog.UniqueConstraint");
        Object notNull = call(dataTypes.getMethod("BIGINT").invoke(null), "notNull");
        Method physical = column.getMethod("physical", String.class, dataType);
        List<Object> columns = List.of(physical.invoke(null, "id", notNull), physical.invoke(null, "t", dataTypes.getMethod("STRING").invoke(null)));
        Class<?> resolved = type("org.apache.flink.table.catalog.ResolvedSchema"), schema = type("org.apache.flink.table.api.Schema");
        Object key = constraint.getMethod("primaryKey", String.class, List.class).invoke(null, "pk", List.of("id"));
        Object resolvedSchema = resolved.getConstructor(List.class, List.class, constraint).newInstance(columns, List.of(), key);
        Object plain = call(give(schema.getMethod("newBuilder").invoke(null), "fromResolvedSchema", resolved, resolvedSchema), "build");
        Class<?> catalogTable = type("org.apache.flink.table.catalog.CatalogTable"), resolvedTable = type("org.apache.flink.table.catalog.ResolvedCatalogTable");
        Object builder = catalogTable.getMethod("newBuilder").invoke(null);
        give(builder, "schema", schema, plain);
        give(builder, "options", java.util.Map.class, options);
        Object table = resolvedTable.getConstructor(catalogTable, resolved).newInstance(call(builder, "build"), resolvedSchema);
        Class<?> identifier = type("org.apache.flink.table.catalog.ObjectIdentifier");
        Object id = identifier.getMethod("of", String.class, String.class, String.class).invoke(null, "c", "d", "t");
        Object configuration = type("org.apache.flink.configuration.Configuration").getDeclaredConstructor().newInstance();
        Class<?> kind = type("org.apache.flink.table.factories.DynamicTable" + (source ? "Source" : "Sink") + "Factory");
        Method create = type("org.apache.flink.table.factories.FactoryUtil").getMethod(source ? "createDynamicTableSource" : "createDynamicTableSink", kind, identifier, resolvedTable,
                java.util.Map.class, type("org.apache.flink.configuration.ReadableConfig"), ClassLoader.class, boolean.class);
        Throwable last = new Exception("nothing");
        try {
            create.invoke(null, factory, id, table, java.util.Map.of(), configuration, loader, true);
        } catch (java.lang.reflect.InvocationTargetException refused) {
            for (last = refused; last.getCause() != null; last = last.getCause()) {
                if (String.valueOf(last.getCause().getMessage()).contains("no.such-key-anywhere") && String.valueOf(last.getCause().getMessage()).contains("Unsupported options")) {
                    return true;
                }
            }
        }
        row.put("said", quote(String.valueOf(last.getMessage()).split("\n")[0]));
        return false;
    }

    private static String some(Object option) throws Exception {
        Field clazz = option.getClass().getDeclaredField("clazz");
        clazz.setAccessible(true);
        Class<?> of = (Class<?>) clazz.get(option);
        String key = (String) call(option, "key");
        return of.isEnum() ? of.getEnumConstants()[0].toString() : of == Integer.class || of == Long.class ? "1" : of == Boolean.class ? "true"
                : of.getSimpleName().equals("Duration") ? "1 s" : of.getSimpleName().equals("MemorySize") ? "1 mb" : key.endsWith("format") ? "json"
                : key.endsWith("hosts") ? "http://h:9200" : key.equals("url") && key.length() == 3 ? "jdbc:derby:memory:x" : key.equals("path") ? "file:///tmp/x" : "x";
    }

    private static Class<?> type(String name) throws ClassNotFoundException {
        return Class.forName(name, true, loader);
    }

    private static Object give(Object on, String name, Class<?> type, Object value) throws Exception {
        Method method = on.getClass().getMethod(name, type);
        method.setAccessible(true);
        return method.invoke(on, value);
    }

    private static Object call(Object on, String name) throws Exception {
        Method method = on.getClass().getMethod(name);
        method.setAccessible(true);
        return method.invoke(on);
    }

    private static String options(Collection<?> options) throws Exception {
        TreeMap<String, String> sorted = new TreeMap<>();
        for (Object option : options) {
            sorted.put((String) call(option, "key"), option(option));
        }
        return "[" + String.join(",", sorted.values()) + "]";
    }

    private static String option(Object option) throws Exception {
        Field clazz = option.getClass().getDeclaredField("clazz"), isList = option.getClass().getDeclaredField("isList");
        clazz.setAccessible(true);
        isList.setAccessible(true);
        Class<?> of = (Class<?>) clazz.get(option);
        List<String> words = new ArrayList<>(), fallback = new ArrayList<>();
        if (of.isEnum()) {
            for (Object constant : of.getEnumConstants()) {
                words.add(constant.toString());
            }
        }
        for (Object key : (Iterable<?>) call(option, "fallbackKeys")) {
            fallback.add((String) call(key, "getKey"));
        }
        Object standard = call(option, "defaultValue");
        String text = "{\"key\":" + quote((String) call(option, "key")) + ",\"type\":" + quote(isList.getBoolean(option) ? "List" : of.getSimpleName());
        text += standard == null ? "" : ",\"default\":" + quote(value(standard));
        text += words.isEmpty() ? "" : ",\"words\":" + list(words);
        text += fallback.isEmpty() ? "" : ",\"fallback\":" + list(fallback);
        String help = help(option);
        return text + (help.isEmpty() ? "" : ",\"help\":" + quote(help)) + "}";
    }

    /* As a script writes it. */
    private static String value(Object standard) throws Exception {
        Class<?> utils = Class.forName("org.apache.flink.configuration.ConfigurationUtils", true, loader);
        for (Method method : utils.getDeclaredMethods()) {
            if (method.getName().equals("convertToString") && method.getParameterCount() <= 2) {
                method.setAccessible(true);
                try {
                    return (String) (method.getParameterCount() == 1 ? method.invoke(null, standard) : method.invoke(null, standard, true));
                } catch (ReflectiveOperationException other) {
                    return standard.toString();
                }
            }
        }
        return standard.toString();
    }

    private static String help(Object option) {
        try {
            Object description = call(option, "description");
            Object formatter = Class.forName("org.apache.flink.configuration.description.HtmlFormatter", true, loader).getDeclaredConstructor().newInstance();
            Method format = formatter.getClass().getMethod("format", Class.forName("org.apache.flink.configuration.description.Description", true, loader));
            String text = ((String) format.invoke(formatter, description)).replaceAll("<[^>]*>", " ").replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"")
                    .replace("&amp;", "&").replaceAll("\\s+", " ").trim();
            int end = text.indexOf(". ");
            text = end > 0 ? text.substring(0, end + 1) : text;
            return text.length() > 160 ? text.substring(0, text.lastIndexOf(' ', 157)) + " ..." : text;
        } catch (Exception | LinkageError none) {
            return "";
        }
    }

    /* Prefixes and the names of checks in the constant pools of a factory and of the classes of options in its package. */
    private static void constants(String name, TreeMap<String, String> row) throws Exception {
        String folder = name.substring(0, name.lastIndexOf('.') + 1).replace('.', '/'), own = name.replace('.', '/');
        Set<String> prefixes = new TreeSet<>(), checks = new TreeSet<>();
        for (File file : all) {
            try (JarFile jar = new JarFile(file)) {
                if (jar.getJarEntry(own + ".class") == null) {
                    continue;
                }
                for (Enumeration<JarEntry> e = jar.entries(); e.hasMoreElements(); ) {
                    JarEntry entry = e.nextElement();
                    String path = entry.getName(), rest = path.startsWith(folder) ? path.substring(folder.length()) : "/";
                    boolean mine = path.equals(own + ".class") || (path.startsWith(own + "$") && path.endsWith(".class"));
                    if (!mine && (rest.contains("/") || !rest.matches("\\w*Option\\w*(\\$\\w+)?\\.class"))) {
                        continue;
                    }
                    try (InputStream in = jar.getInputStream(entry)) {
                        for (String text : pool(in.readAllBytes())) {
                            if (text.matches("[a-z][a-z0-9-]*(\\.[a-z0-9-]+)*\\.")) {
                                prefixes.add(text);
                            } else if (mine && text.matches("validate|validateExcept|validateUnconsumedKeys|validateFactoryOptions")) {
                                checks.add(text);
                            }
                        }
                    }
                }
                break;
            }
        }
        row.put("prefixes", list(prefixes));
        row.put("checks", list(checks));
    }

    private static List<String> pool(byte[] bytes) throws Exception {
        List<String> texts = new ArrayList<>();
        DataInputStream in = new DataInputStream(new ByteArrayInputStream(bytes));
        in.skipBytes(8);
        int n = in.readUnsignedShort();
        for (int i = 1; i < n; i++) {
            int tag = in.readUnsignedByte();
            if (tag == 1) {
                texts.add(in.readUTF());
            } else if (tag == 5 || tag == 6) {
                in.skipBytes(8);
                i++;
            } else {
                in.skipBytes(tag == 15 ? 3 : tag == 7 || tag == 8 || tag == 16 || tag == 19 || tag == 20 ? 2 : 4);
            }
        }
        return texts;
    }

    private static String list(Collection<String> texts) {
        StringBuilder line = new StringBuilder("[");
        for (String text : texts) {
            line.append(line.length() > 1 ? "," : "").append(quote(text));
        }
        return line.append("]").toString();
    }

    private static String quote(String text) {
        if (text == null) {
            return "null";
        }
        StringBuilder out = new StringBuilder("\"");
        for (char c : text.toCharArray()) {
            if (c == '"' || c == '\\') {
                out.append('\\').append(c);
            } else if (c < 0x20 || c == 0x7f) {
                out.append(String.format("\\u%04x", (int) c));
            } else {
                out.append(c);
            }
        }
        return out.append('"').toString();
    }
}
