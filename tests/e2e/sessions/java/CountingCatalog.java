/* SPDX-License-Identifier: Apache-2.0
 * CREATE CATALOG c WITH ('type'='counting', 'file'='...'): a catalog that writes each open() and close() into a file. It always has the
 * tables `default`.t, three rows, and `default`.hole; what is made in it is gone when it is closed. */
package org.sluice.test;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.Set;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.configuration.ConfigOptions;
import org.apache.flink.table.api.DataTypes;
import org.apache.flink.table.api.Schema;
import org.apache.flink.table.catalog.Catalog;
import org.apache.flink.table.catalog.CatalogTable;
import org.apache.flink.table.catalog.Column;
import org.apache.flink.table.catalog.GenericInMemoryCatalog;
import org.apache.flink.table.catalog.ObjectPath;
import org.apache.flink.table.catalog.ResolvedCatalogTable;
import org.apache.flink.table.catalog.ResolvedSchema;
import org.apache.flink.table.catalog.exceptions.CatalogException;
import org.apache.flink.table.catalog.exceptions.DatabaseNotExistException;
import org.apache.flink.table.catalog.exceptions.TableAlreadyExistException;
import org.apache.flink.table.factories.CatalogFactory;

public final class CountingCatalog implements CatalogFactory {
    private static final ConfigOption<String> FILE = ConfigOptions.key("file").stringType().noDefaultValue();

    @Override
    public String factoryIdentifier() {
        return "counting";
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
                note(file, "open " + getName() + "\n");
                super.open();
                try {
                    createTable(new ObjectPath("default", "t"), table(Map.of("connector", "datagen", "number-of-rows", "3")), false);
                    createTable(new ObjectPath("default", "hole"), table(Map.of("connector", "blackhole")), false);
                } catch (TableAlreadyExistException | DatabaseNotExistException e) {
                    throw new CatalogException(e);
                }
            }

            @Override
            public void close() {
                super.close();
                note(file, "close " + getName() + "\n");
            }
        };
    }

    private static ResolvedCatalogTable table(Map<String, String> options) {
        Schema schema = Schema.newBuilder().column("x", DataTypes.INT()).build();
        CatalogTable table = CatalogTable.newBuilder().schema(schema).options(options).build();
        return new ResolvedCatalogTable(table, ResolvedSchema.of(Column.physical("x", DataTypes.INT())));
    }

    private static void note(Path file, String line) {
        try {
            Files.writeString(file, line, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
