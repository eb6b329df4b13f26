/* SPDX-License-Identifier: Apache-2.0
 * Reports over the results connection. In session mode a lost connection ends the run; in application mode
 * the job matters more than who hears of it, and the reporter falls silent. */
package org.sluice.runner;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.node.ObjectNode;
import org.apache.flink.table.api.TableResult;
import org.apache.flink.table.catalog.Column;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.types.Row;
import org.apache.flink.util.CloseableIterator;

final class LinkReporter implements Reporter, Link.Handler {
    private static final long STORED_MS = 15_000;
    private static final long TASK_MS = 30_000;

    private final boolean silent;
    private final CountDownLatch taskRead = new CountDownLatch(1);
    private final CountDownLatch endStored = new CountDownLatch(1);
    private final Out document = new Out(4096);
    private final Object answerLock = new Object();
    private long answerStored = -1;
    private volatile ResultsException lost;
    private volatile Consumer<ResultsException> onLost = why -> {};
    private Link link;

    /** silent: a connection that is lost is no failure of the run. */
    LinkReporter(boolean silent) {
        this.silent = silent;
    }

    /** Connects, claims the token and reads the task document. */
    byte[] open(String address, String token) throws IOException {
        try {
            link = Link.open(address, Frames.ROLE_RUNNER, token, 0, this);
            link.send(Frames.TASK_GET, new Out(0));
            await(taskRead, TASK_MS, "the task");
            return document.copy();
        } catch (ResultsException e) {
            lost = e;
            close();
            throw e;
        }
    }

    /** Called when the connection is lost; at once if it was lost already. */
    void onLost(Consumer<ResultsException> what) {
        onLost = what;
        if (lost != null) {
            what.accept(lost);
        }
    }

    private void await(CountDownLatch latch, long ms, String what) throws IOException {
        try {
            long end = System.nanoTime() + ms * 1_000_000;
            while (!latch.await(50, TimeUnit.MILLISECONDS)) {
                link.check();
                if (System.nanoTime() > end) {
                    throw new ResultsException(ResultsException.LOST, "Sluice did not send " + what);
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ResultsException(ResultsException.LOST, "interrupted while waiting for " + what, e);
        }
    }

    @Override
    public void frame(int type, ByteBuffer body) throws IOException {
        switch (type) {
            case Frames.TASK:
                int last = body.get();
                document.raw(body.array(), body.arrayOffset() + body.position(), body.remaining());
                if (last == 1) {
                    taskRead.countDown();
                }
                break;
            case Frames.ACK:
                break;
            case Frames.FINISHED:
                synchronized (answerLock) {
                    answerStored = body.getLong();
                    answerLock.notifyAll();
                }
                break;
            case Frames.END_STORED:
                endStored.countDown();
                break;
            default:
                throw new ResultsException(ResultsException.PROTOCOL, "frame type " + type);
        }
    }

    @Override
    public void failed(ResultsException why) {
        lost = why;
        onLost.accept(why);
    }

    /** Whether there is somebody to tell; throws when there must be. */
    private boolean open() throws IOException {
        if (silent && (link == null || lost != null)) {
            return false;
        }
        link.check();
        return true;
    }

    private void send(int type, Out body) throws IOException {
        try {
            if (open()) {
                link.send(type, body);
            }
        } catch (IOException e) {
            if (!silent) {
                throw e;
            }
        }
    }

    @Override
    public void begin(int statement) throws IOException {
        send(Frames.BEGIN, new Out(4).i32(statement));
    }

    @Override
    public void done(int statement, String jobId) throws IOException {
        send(Frames.DONE, new Out(64).i32(statement).str(jobId));
    }

    @Override
    public void answer(int statement, TableResult result) throws IOException {
        List<String> names = new ArrayList<>();
        List<LogicalType> types = new ArrayList<>();
        for (Column c : result.getResolvedSchema().getColumns()) {
            names.add(c.getName());
            types.add(c.getDataType().getLogicalType());
        }
        byte[] columns = TypeDescriptor.columns(names, types, true);
        Out head = new Out(columns.length);
        send(Frames.COLUMNS, head.raw(columns, 0, columns.length));
        RowBatch batch = new RowBatch(names, types, link == null ? Limits.none() : link.limits());
        try (CloseableIterator<Row> rows = result.collect()) {
            while (rows.hasNext()) {
                batch.add(rows.next());
                if (batch.isFull() || !rows.hasNext()) {
                    send(Frames.ROWS, batch.body());
                    batch.clear();
                }
            }
        } catch (RowBatch.TooLarge e) {
            throw new ResultsException(ResultsException.TOO_LARGE, e.getMessage());
        } catch (IOException | RuntimeException e) {
            throw e;
        } catch (Exception e) {
            throw new IOException(e);
        }
        synchronized (answerLock) {
            answerStored = -1;
        }
        send(Frames.FINISH, new Out(8).i64(batch.total()));
        stored(batch.total());
    }

    private void stored(long rows) throws IOException {
        synchronized (answerLock) {
            while (answerStored < 0) {
                if (!open()) {
                    return;
                }
                try {
                    answerLock.wait(50);
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                    throw new ResultsException(ResultsException.LOST, "interrupted while an answer was sent", e);
                }
            }
            if (answerStored != rows) {
                throw new ResultsException(
                        ResultsException.PROTOCOL, "Sluice stored " + answerStored + " of " + rows + " rows");
            }
        }
    }

    @Override
    public void failed(int statement, Throwable why) {
        ObjectNode chain = Json.object();
        Json.chain(chain, why);
        Out body = new Out(4096).i32(statement).str(Json.text(chain)).str(Json.stack(why));
        try {
            send(Frames.FAILED, body);
        } catch (IOException e) {
            why.addSuppressed(e);
        }
    }

    @Override
    public void end(boolean ok) {
        try {
            send(Frames.END, new Out(1).u8(ok ? 1 : 0));
            if (open()) {
                await(endStored, STORED_MS, "END_STORED");
            }
        } catch (IOException e) {
            /* Sluice sees a connection that ended without END, and asks the cluster. */
        } finally {
            close();
        }
    }

    void close() {
        if (link != null) {
            link.close();
        }
    }
}
