/* SPDX-License-Identifier: Apache-2.0
 * Gathers rows of one result into the body of a ROWS frame, numbers them, and holds each cell and each row
 * to the limits of the results port. One thread. */
package org.sluice.runner;

import java.util.List;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.types.Row;

final class RowBatch {
    /** A cell or a row over its limit; names the column. */
    static final class TooLarge extends Exception {
        private static final long serialVersionUID = 1L;
        final String column;

        TooLarge(String message, String column) {
            super(message);
            this.column = column;
        }
    }

    private static final int HEAD = 12; /* u64 first, u32 count */

    private static final long MAX_ROW = Frames.MAX_FRAME - 2L * Frames.ROWS_TARGET;

    private final List<String> names;
    private final CellEncoder[] cells;
    private final RowData.FieldGetter[] getters;
    private final Limits limits;
    private final Out out = new Out(Frames.ROWS_TARGET + 8192);
    private long first;
    private int count;

    RowBatch(List<String> names, List<LogicalType> types, Limits limits) {
        this.names = names;
        this.limits = limits;
        cells = new CellEncoder[types.size()];
        getters = new RowData.FieldGetter[types.size()];
        for (int i = 0; i < cells.length; i++) {
            cells[i] = new CellEncoder(types.get(i));
            getters[i] = CellEncoder.field(types.get(i), i);
        }
        clear();
    }

    void add(RowData row) throws TooLarge {
        int start = begin(row.getRowKind().toByteValue());
        for (int i = 0; i < cells.length; i++) {
            cell(start, i, getters[i].getFieldOrNull(row));
        }
        count++;
    }

    void add(Row row) throws TooLarge {
        int start = begin(row.getKind().toByteValue());
        for (int i = 0; i < cells.length; i++) {
            cell(start, i, row.getField(i));
        }
        count++;
    }

    boolean isEmpty() {
        return count == 0;
    }

    boolean isFull() {
        return out.size() >= Frames.ROWS_TARGET;
    }

    /** Bytes gathered. */
    int size() {
        return out.size();
    }

    /** Rows gathered and forgotten so far. */
    long total() {
        return first + count;
    }

    /** The body of a ROWS frame; valid until clear(). */
    Out body() {
        byte[] b = out.array();
        for (int i = 0; i < 8; i++) {
            b[i] = (byte) (first >>> (56 - 8 * i));
        }
        for (int i = 0; i < 4; i++) {
            b[8 + i] = (byte) (count >>> (24 - 8 * i));
        }
        return out;
    }

    /** Starts the next frame. */
    void clear() {
        first += count;
        count = 0;
        out.truncate(0);
        out.limit(Frames.MAX_FRAME - 1);
        out.i64(0).i32(0);
    }

    private int begin(byte kind) {
        int start = out.size();
        out.limit(start + 1);
        out.u8(kind);
        return start;
    }

    private void cell(int row, int i, Object v) throws TooLarge {
        int start = out.size();
        long rowEnd = row + (limits.rowBytes > 0 ? Math.min(limits.rowBytes, MAX_ROW) : MAX_ROW);
        long cellEnd = start + (limits.cellBytes > 0 ? (long) limits.cellBytes : Frames.MAX_FRAME);
        out.limit(Math.min(rowEnd, cellEnd));
        try {
            cells[i].write(out, v);
        } catch (Out.OverLimit e) {
            out.truncate(row);
            String what = rowEnd < cellEnd
                    ? "the row is larger than " + (rowEnd - row) + " bytes with its column "
                    : "a value is larger than " + limits.cellBytes + " bytes in column ";
            throw new TooLarge(what + names.get(i), names.get(i));
        }
    }
}
