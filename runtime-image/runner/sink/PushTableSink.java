/* SPDX-License-Identifier: Apache-2.0
 * Takes whatever changes the query makes. Rows come from one task, in order, because the stream itself is
 * set to parallelism 1; a provider that reports a parallelism would make the planner refuse every updating
 * query without a primary key. */
package org.sluice.runner;

import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.datastream.DataStreamSink;
import org.apache.flink.table.connector.ChangelogMode;
import org.apache.flink.table.connector.ProviderContext;
import org.apache.flink.table.connector.sink.DataStreamSinkProvider;
import org.apache.flink.table.connector.sink.DynamicTableSink;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.types.logical.RowType;
import org.apache.flink.types.RowKind;

final class PushTableSink implements DynamicTableSink {
    private final String address;
    private final String token;
    private final int statement;
    private final RowType row;
    private boolean insertOnly;

    PushTableSink(String address, String token, int statement, RowType row) {
        this.address = address;
        this.token = token;
        this.statement = statement;
        this.row = row;
    }

    /** Asked many times while planning, also with every kind there is; with inserts alone only for a query that
     * makes nothing else. */
    @Override
    public ChangelogMode getChangelogMode(ChangelogMode requested) {
        insertOnly |= requested.containsOnly(RowKind.INSERT);
        return requested;
    }

    @Override
    public SinkRuntimeProvider getSinkRuntimeProvider(Context context) {
        /* A batch plan has no changelog, and nobody asks. */
        PushSink sink = new PushSink(address, token, statement, row, insertOnly || context.isBounded());
        return new DataStreamSinkProvider() {
            @Override
            public DataStreamSink<?> consumeDataStream(ProviderContext providerContext, DataStream<RowData> stream) {
                DataStreamSink<RowData> end = stream.sinkTo(sink).name("sluice results").setParallelism(1);
                providerContext.generateUid("sluice").ifPresent(end::uid);
                return end;
            }
        };
    }

    @Override
    public DynamicTableSink copy() {
        PushTableSink copy = new PushTableSink(address, token, statement, row);
        copy.insertOnly = insertOnly;
        return copy;
    }

    @Override
    public String asSummaryString() {
        return "Sluice results";
    }
}
