/* SPDX-License-Identifier: Apache-2.0
 * Connector 'sluice': the anonymous table a SELECT is written into. Made by the runner, never by users. */
package org.sluice.runner;

import java.util.HashSet;
import java.util.Set;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.configuration.ConfigOptions;
import org.apache.flink.configuration.ReadableConfig;
import org.apache.flink.table.connector.sink.DynamicTableSink;
import org.apache.flink.table.factories.DynamicTableSinkFactory;
import org.apache.flink.table.factories.FactoryUtil;
import org.apache.flink.table.types.logical.RowType;

public final class PushSinkFactory implements DynamicTableSinkFactory {
    private static final ConfigOption<String> ADDRESS = ConfigOptions.key("address")
            .stringType()
            .noDefaultValue()
            .withDescription("host:port of the results port");
    private static final ConfigOption<String> TOKEN = ConfigOptions.key("token")
            .stringType()
            .noDefaultValue()
            .withDescription("Token of this one result");
    private static final ConfigOption<Integer> STATEMENT = ConfigOptions.key("statement")
            .intType()
            .noDefaultValue()
            .withDescription("Number of the statement in its script, from 1");

    @Override
    public String factoryIdentifier() {
        return "sluice";
    }

    @Override
    public Set<ConfigOption<?>> requiredOptions() {
        Set<ConfigOption<?>> options = new HashSet<>();
        options.add(ADDRESS);
        options.add(TOKEN);
        options.add(STATEMENT);
        return options;
    }

    @Override
    public Set<ConfigOption<?>> optionalOptions() {
        return new HashSet<>();
    }

    @Override
    public DynamicTableSink createDynamicTableSink(Context context) {
        FactoryUtil.TableFactoryHelper helper = FactoryUtil.createTableFactoryHelper(this, context);
        helper.validate();
        ReadableConfig o = helper.getOptions();
        RowType row = (RowType) context.getPhysicalRowDataType().getLogicalType();
        return new PushTableSink(o.get(ADDRESS), o.get(TOKEN), o.get(STATEMENT), row);
    }
}
