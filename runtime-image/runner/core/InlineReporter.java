/* SPDX-License-Identifier: Apache-2.0
 * Keeps answers as the JSON of a SluiceAnswer, for clusters from which the results port cannot be reached. */
package org.sluice.runner;

import java.io.IOException;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.node.ArrayNode;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.node.ObjectNode;
import org.apache.flink.table.api.TableResult;
import org.apache.flink.table.catalog.Column;
import org.apache.flink.types.Row;
import org.apache.flink.util.CloseableIterator;

final class InlineReporter implements Reporter {
    private final ObjectNode answer = Json.object();
    private final ArrayNode statements = answer.putArray("statements");
    private boolean failed;

    @Override
    public void begin(int statement) {}

    @Override
    public void done(int statement, String jobId) {}

    @Override
    public void answer(int statement, TableResult result) throws IOException {
        ObjectNode s = statements.addObject();
        s.put("statement", statement);
        ArrayNode columns = s.putArray("columns");
        for (Column c : result.getResolvedSchema().getColumns()) {
            ObjectNode column = columns.addObject();
            column.put("name", c.getName());
            column.put("type", TypeDescriptor.sql(c.getDataType().getLogicalType()));
        }
        ArrayNode rows = s.putArray("rows");
        try (CloseableIterator<Row> it = result.collect()) {
            while (it.hasNext()) {
                Row row = it.next();
                ArrayNode cells = rows.addArray();
                for (int i = 0; i < row.getArity(); i++) {
                    Object v = row.getField(i);
                    cells.add(v == null ? null : v.toString());
                }
            }
        } catch (IOException | RuntimeException e) {
            throw e;
        } catch (Exception e) {
            throw new IOException(e);
        }
    }

    @Override
    public synchronized void failed(int statement, Throwable why) {
        if (failed) {
            return;
        }
        failed = true;
        ObjectNode f = answer.putObject("failed");
        f.put("statement", statement);
        Json.chain(f, why);
        f.put("stack", Json.stack(why));
    }

    @Override
    public void end(boolean ok) {}

    synchronized SluiceAnswer toAnswer() {
        return new SluiceAnswer(Json.text(answer));
    }

    /** since: System.nanoTime() of when it was tried. */
    static SluiceAnswer unreachable(String address, ResultsException why, long since) {
        ObjectNode n = Json.object();
        n.put("error", why.slug());
        n.put("address", Link.plainAddress(address));
        n.put("cause", String.valueOf(why.getMessage()));
        n.put("ms", (System.nanoTime() - since) / 1_000_000);
        return new SluiceAnswer(Json.text(n));
    }
}
