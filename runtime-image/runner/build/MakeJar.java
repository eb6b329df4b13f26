/* SPDX-License-Identifier: Apache-2.0
 * java MakeJar.java OUT FOLDER...: packs class folders into a jar that is the same byte for byte on every
 * machine: sorted entries, one fixed time, no tool's name in the manifest. */
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.nio.file.StandardCopyOption;
import java.time.LocalDateTime;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

public final class MakeJar {
    private static final String MANIFEST = "META-INF/MANIFEST.MF";
    private static final LocalDateTime WHEN = LocalDateTime.of(1980, 2, 1, 0, 0);

    private MakeJar() {}

    public static void main(String[] args) throws IOException {
        Map<String, byte[]> entries = new TreeMap<>();
        for (int i = 1; i < args.length; i++) {
            Path folder = Paths.get(args[i]);
            try (Stream<Path> files = Files.walk(folder)) {
                files.filter(Files::isRegularFile).forEach(f -> entries.put(name(folder, f), read(f)));
            }
        }
        byte[] manifest = "Manifest-Version: 1.0\r\nMain-Class: org.sluice.runner.Runner\r\n\r\n"
                .getBytes(StandardCharsets.UTF_8);
        Path out = Paths.get(args[0]);
        Path half = Paths.get(args[0] + ".part");
        try (OutputStream file = Files.newOutputStream(half);
                ZipOutputStream zip = new ZipOutputStream(file)) {
            put(zip, MANIFEST, manifest);
            for (Map.Entry<String, byte[]> e : entries.entrySet()) {
                put(zip, e.getKey(), e.getValue());
            }
        }
        Files.move(half, out, StandardCopyOption.REPLACE_EXISTING);
    }

    private static String name(Path folder, Path file) {
        return folder.relativize(file).toString().replace('\\', '/');
    }

    private static byte[] read(Path file) {
        try {
            return Files.readAllBytes(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void put(ZipOutputStream zip, String name, byte[] bytes) throws IOException {
        ZipEntry entry = new ZipEntry(name);
        entry.setTimeLocal(WHEN);
        zip.putNextEntry(entry);
        zip.write(bytes);
        zip.closeEntry();
    }
}
