/* SPDX-License-Identifier: Apache-2.0
 * What travels in the job graph: where to send the rows and what they are. */
package org.sluice.runner;

import java.io.IOException;
import org.apache.flink.api.connector.sink2.Sink;
import org.apache.flink.api.connector.sink2.SinkWriter;
import org.apache.flink.api.connector.sink2.WriterInitContext;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.types.logical.RowType;

final class PushSink implements Sink<RowData> {
    private static final long serialVersionUID = 1L;

    private final String address;
    private final String token;
    private final int statement;
    private final RowType row;
    private final boolean insertOnly;

    PushSink(String address, String token, int statement, RowType row, boolean insertOnly) {
        this.address = address;
        this.token = token;
        this.statement = statement;
        this.row = row;
        this.insertOnly = insertOnly;
    }

    @Override
    public SinkWriter<RowData> createWriter(WriterInitContext context) throws IOException {
        PushWriter writer = new PushWriter(context, row);
        writer.open(address, token, statement, insertOnly);
        return writer;
    }
}
