/* SPDX-License-Identifier: Apache-2.0
 * CREATE CATALOG c WITH ('type'='watched', 'file'='...'): an in-memory catalog that writes down when it is opened
 * and closed, and whose close() then fails: the runner must close what it made and survive it. */
package org.sluice.test;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Set;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.configuration.ConfigOptions;
import org.apache.flink.table.catalog.Catalog;
import org.apache.flink.table.catalog.GenericInMemoryCatalog;
import org.apache.flink.table.factories.CatalogFactory;

public final class WatchedCatalog implements CatalogFactory {
    private static final ConfigOption<String> FILE = ConfigOptions.key("file").stringType().noDefaultValue();

    @Override
    public String factoryIdentifier() {
        return "watched";
    }

    @Override
    public Set<ConfigOption<?>> requiredOptions() {
        return Set.of(FILE);
    }

    @Override
    public Set<ConfigOption<?>> optionalOptions() {
        return Set.of();
    }

    @Override
    public Catalog createCatalog(Context context) {
        Path file = Path.of(context.getOptions().get("file"));
        return new GenericInMemoryCatalog(context.getName(), "default") {
            @Override
            public void open() {
                note(file, "open\n");
                super.open();
            }

            @Override
            public void close() {
                note(file, "close\n");
                throw new IllegalStateException("this catalog cannot be closed");
            }
        };
    }

    private static void note(Path file, String line) {
        try {
            Files.writeString(file, line, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
