/* SPDX-License-Identifier: Apache-2.0
 * Lists the configuration options of a Flink distribution: java HarvestOptions.java FLINK_FOLDER > flink-<version>.txt
 * Loads every class of lib/ and opt/ that names ConfigOption, reads its static fields and prints one sorted line per key,
 * "key<TAB>type", for enums also "<TAB>A|B|C" as Flink compares them, plus the deprecated keys an option still answers to. Options of tables (connectors, formats) are left out: SET
 * does not take them. */
import java.io.File;
import java.io.InputStream;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Enumeration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;

public class HarvestOptions {
    private static final String OPTION = "org.apache.flink.configuration.ConfigOption";
    private static final String[] TABLE_OPTIONS = {
        "org.apache.flink.connector.", "org.apache.flink.formats.", "org.apache.flink.table.factories.", "org.apache.flink.model.",
        "org.apache.flink.table.filesystem.", "org.apache.flink.streaming.connectors."
    };

    public static void main(String[] args) throws Exception {
        List<File> jars = new ArrayList<>();
        for (String folder : new String[] {"lib", "opt"}) {
            File[] files = new File(args[0], folder).listFiles((dir, name) -> name.endsWith(".jar"));
            if (files != null) {
                jars.addAll(List.of(files));
            }
        }
        for (File jar : List.copyOf(jars)) {
            unpackPlanner(jar, jars);
        }
        List<URL> urls = new ArrayList<>();
        for (File jar : jars) {
            urls.add(jar.toURI().toURL());
        }
        Map<String, String> keys = new TreeMap<>();
        try (URLClassLoader loader = new URLClassLoader(urls.toArray(new URL[0]), ClassLoader.getPlatformClassLoader())) {
            Class<?> option = Class.forName(OPTION, false, loader);
            for (File file : jars) {
                try (JarFile jar = new JarFile(file)) {
                    for (Enumeration<JarEntry> e = jar.entries(); e.hasMoreElements(); ) {
                        harvest(jar, e.nextElement(), loader, option, keys);
                    }
                }
            }
        }
        keys.forEach((key, type) -> System.out.println(key + "\t" + type));
    }

    /* The planner is a jar inside the jar of its loader. */
    private static void unpackPlanner(File outer, List<File> jars) throws Exception {
        try (JarFile jar = new JarFile(outer)) {
            JarEntry inner = jar.getJarEntry("flink-table-planner.jar");
            if (inner == null) {
                return;
            }
            File copy = File.createTempFile("planner", ".jar");
            copy.deleteOnExit();
            try (InputStream in = jar.getInputStream(inner)) {
                Files.copy(in, copy.toPath(), StandardCopyOption.REPLACE_EXISTING);
            }
            jars.add(copy);
        }
    }

    private static void harvest(JarFile jar, JarEntry entry, ClassLoader loader, Class<?> option, Map<String, String> keys)
            throws Exception {
        String name = entry.getName();
        if (!name.startsWith("org/apache/flink/") || !name.endsWith(".class") || name.contains("/shaded/")) {
            return;
        }
        byte[] bytes;
        try (InputStream in = jar.getInputStream(entry)) {
            bytes = in.readAllBytes();
        }
        if (!new String(bytes, StandardCharsets.ISO_8859_1).contains("Lorg/apache/flink/configuration/ConfigOption;")) {
            return;
        }
        String className = name.substring(0, name.length() - 6).replace('/', '.');
        for (String prefix : TABLE_OPTIONS) {
            if (className.startsWith(prefix)) {
                return;
            }
        }
        Field[] fields;
        try {
            fields = Class.forName(className, false, loader).getDeclaredFields();
        } catch (LinkageError missing) {
            return; // needs a library that the distribution does not carry
        }
        for (Field field : fields) {
            boolean isStatic = Modifier.isStatic(field.getModifiers());
            if (field.getType() == option && (isStatic || className.endsWith("$"))) {
                add(field, isStatic ? null : "MODULE$", option, keys);
            }
        }
    }

    /* `holder` names the static field with the instance that has it, as Scala objects do; null: the field itself is static. */
    private static void add(Field field, String holder, Class<?> option, Map<String, String> keys) throws Exception {
        Object value;
        try {
            field.setAccessible(true);
            value = field.get(holder == null ? null : field.getDeclaringClass().getField(holder).get(null));
        } catch (LinkageError | NoSuchFieldException broken) {
            return;
        }
        if (value == null) {
            return;
        }
        Field clazz = option.getDeclaredField("clazz");
        Field list = option.getDeclaredField("isList");
        clazz.setAccessible(true);
        list.setAccessible(true);
        Class<?> of = (Class<?>) clazz.get(value);
        String type = list.getBoolean(value) ? "List" : of.getSimpleName() + constants(of);
        put(keys, (String) option.getMethod("key").invoke(value), type);
        for (Object fallback : (Iterable<?>) option.getMethod("fallbackKeys").invoke(value)) {
            put(keys, (String) fallback.getClass().getMethod("getKey").invoke(fallback), type);
        }
    }

    /* What may be given for an enum; its class may want libraries that are not there. */
    private static String constants(Class<?> of) {
        if (!of.isEnum()) {
            return "";
        }
        try {
            List<String> names = new ArrayList<>();
            for (Object constant : of.getEnumConstants()) {
                names.add(constant.toString());
            }
            return "\t" + String.join("|", names);
        } catch (LinkageError missing) {
            return "";
        }
    }

    private static void put(Map<String, String> keys, String key, String type) {
        if (key.matches("[a-z][\\w.-]*")) {
            keys.merge(key, type, (a, b) -> a.equals("Map") || b.equals("Map") ? "Map" : a);
        }
    }
}
