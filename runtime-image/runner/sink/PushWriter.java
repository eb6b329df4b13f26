/* SPDX-License-Identifier: Apache-2.0
 * Sends the rows of one result to Sluice. Runs in the task's thread; the link's own thread hears Sluice and,
 * by a mail to the task's thread, fails the task when the reader has gone, so that a query without rows ends
 * too. Everything that waits ends at the interrupt of a cancellation, and close() never throws: Flink kills
 * the whole TaskManager for less. */
package org.sluice.runner;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.concurrent.RejectedExecutionException;
import org.apache.flink.api.common.operators.MailboxExecutor;
import org.apache.flink.api.common.operators.ProcessingTimeService;
import org.apache.flink.api.connector.sink2.SinkWriter;
import org.apache.flink.api.connector.sink2.WriterInitContext;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.types.logical.RowType;

final class PushWriter implements SinkWriter<RowData>, Link.Handler {
    private static final int FLUSH_MS = 5;
    private static final long WINDOW_BYTES = 8 << 20;
    private static final long GOODBYE_MS = 1000;

    private final MailboxExecutor mailbox;
    private final ProcessingTimeService clock;
    private final RowType row;
    private Link link;
    private RowBatch batch;
    private boolean flushPlanned;

    /* Frames sent and not yet stored: {rows up to their end, bytes}. All below under `acks`. */
    private final Object acks = new Object();
    private final ArrayDeque<long[]> unstored = new ArrayDeque<>();
    private long unstoredBytes;
    private long finished = -1;
    private boolean over;

    PushWriter(WriterInitContext context, RowType row) {
        this.mailbox = context.getMailboxExecutor();
        this.clock = context.getProcessingTimeService();
        this.row = row;
    }

    void open(String address, String token, int statement, boolean insertOnly) throws IOException {
        link = Link.open(address, Frames.ROLE_SINK, token, statement, this);
        try {
            batch = new RowBatch(row.getFieldNames(), row.getChildren(), link.limits());
            byte[] columns = TypeDescriptor.columns(row.getFieldNames(), row.getChildren(), insertOnly);
            link.send(Frames.COLUMNS, columns, columns.length);
        } catch (IOException | RuntimeException e) {
            link.close();
            throw e;
        }
    }

    @Override
    public void write(RowData element, Context context) throws IOException, InterruptedException {
        try {
            batch.add(element);
        } catch (RowBatch.TooLarge e) {
            refuse(e);
        }
        if (batch.isFull()) {
            send();
        } else if (!flushPlanned) {
            flushPlanned = true;
            clock.registerTimer(clock.getCurrentProcessingTime() + FLUSH_MS, t -> {
                flushPlanned = false;
                send();
            });
        }
    }

    @Override
    public void flush(boolean endOfInput) throws IOException, InterruptedException {
        send();
        if (!endOfInput) {
            return;
        }
        long rows = batch.total();
        link.send(Frames.FINISH, new Out(8).i64(rows));
        synchronized (acks) {
            while (finished < 0) {
                link.check();
                acks.wait(1000);
            }
            if (finished != rows) {
                throw new ResultsException(
                        ResultsException.PROTOCOL, "Sluice stored " + finished + " of " + rows + " rows");
            }
            over = true;
        }
    }

    /** Any number of times, at any moment, from cancellation too. Whatever was not sent is not said to be. */
    @Override
    public void close() {
        synchronized (acks) {
            over = true;
        }
        if (link != null) {
            link.close();
        }
    }

    private void send() throws IOException, InterruptedException {
        link.check();
        if (batch.isEmpty()) {
            return;
        }
        int bytes = batch.size();
        synchronized (acks) {
            while (unstoredBytes > 0 && unstoredBytes + bytes > WINDOW_BYTES) {
                link.check();
                acks.wait(1000);
            }
            unstored.add(new long[] {batch.total(), bytes});
            unstoredBytes += bytes;
        }
        link.send(Frames.ROWS, batch.body());
        batch.clear();
    }

    /** What is too large for Sluice is said before the task fails, with its column. */
    private void refuse(RowBatch.TooLarge why) throws IOException, InterruptedException {
        send();
        Out body = new Out(256);
        link.send(Frames.SINK_ERROR, body.str(ResultsException.TOO_LARGE).str(why.getMessage()).str(why.column));
        link.awaitEnd(GOODBYE_MS);
        throw new ResultsException(ResultsException.TOO_LARGE, why.getMessage());
    }

    @Override
    public void frame(int type, ByteBuffer body) throws IOException {
        synchronized (acks) {
            switch (type) {
                case Frames.ACK:
                    stored(body.getLong());
                    break;
                case Frames.FINISHED:
                    finished = body.getLong();
                    break;
                default:
                    throw new ResultsException(ResultsException.PROTOCOL, "frame type " + type);
            }
            acks.notifyAll();
        }
    }

    private void stored(long rows) {
        while (!unstored.isEmpty() && unstored.peek()[0] <= rows) {
            unstoredBytes -= unstored.poll()[1];
        }
    }

    @Override
    public void failed(ResultsException why) {
        synchronized (acks) {
            acks.notifyAll();
            if (over) {
                return;
            }
        }
        try {
            mailbox.execute(
                    () -> {
                        throw why.again();
                    },
                    "the connection to Sluice is gone");
        } catch (RejectedExecutionException e) {
            /* The task has ended already. */
        }
    }
}
