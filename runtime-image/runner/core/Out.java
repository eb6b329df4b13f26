/* SPDX-License-Identifier: Apache-2.0
 * A growing buffer of big-endian values with a movable limit: what would pass the limit is refused before it
 * is copied, so that one huge value cannot take the TaskManager's heap. One thread. */
package org.sluice.runner;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

final class Out {
    /** A write would have passed the limit. */
    static final class OverLimit extends RuntimeException {
        private static final long serialVersionUID = 1L;

        OverLimit() {
            super(null, null, false, false);
        }
    }

    private byte[] bytes;
    private int size;
    private long limit = Frames.MAX_FRAME;

    Out(int capacity) {
        bytes = new byte[capacity];
    }

    int size() {
        return size;
    }

    byte[] array() {
        return bytes;
    }

    byte[] copy() {
        return Arrays.copyOf(bytes, size);
    }

    /** Forgets everything from `to` on; a buffer that one large row blew up is given back. */
    void truncate(int to) {
        size = to;
        if (to == 0 && bytes.length > 16 * Frames.ROWS_TARGET) {
            bytes = new byte[Frames.ROWS_TARGET];
        }
    }

    /** Position that no write may pass from now on. */
    void limit(long position) {
        limit = position;
    }

    private void room(long n) {
        long need = size + n;
        if (need > limit) {
            throw new OverLimit();
        }
        if (need > bytes.length) {
            bytes = Arrays.copyOf(bytes, (int) Math.min(Math.max(need, 2L * bytes.length), Integer.MAX_VALUE - 16));
        }
    }

    Out u8(int v) {
        room(1);
        bytes[size++] = (byte) v;
        return this;
    }

    Out u16(int v) {
        room(2);
        bytes[size++] = (byte) (v >>> 8);
        bytes[size++] = (byte) v;
        return this;
    }

    Out i32(int v) {
        room(4);
        put32(size, v);
        size += 4;
        return this;
    }

    Out i64(long v) {
        room(8);
        put32(size, (int) (v >>> 32));
        put32(size + 4, (int) v);
        size += 8;
        return this;
    }

    /** u32 length and the bytes. */
    Out bytes(byte[] v) {
        return bytes(v, v.length);
    }

    /** u32 length and the first n bytes. */
    Out bytes(byte[] v, int n) {
        room(4L + n);
        put32(size, n);
        System.arraycopy(v, 0, bytes, size + 4, n);
        size += 4 + n;
        return this;
    }

    Out str(String v) {
        /* Never fewer bytes than half the chars, so that an absurd text is refused without encoding it. */
        if (size + (long) v.length() > limit) {
            throw new OverLimit();
        }
        return bytes(v.getBytes(StandardCharsets.UTF_8));
    }

    Out raw(byte[] v, int from, int n) {
        room(n);
        System.arraycopy(v, from, bytes, size, n);
        size += n;
        return this;
    }

    private void put32(int at, int v) {
        bytes[at] = (byte) (v >>> 24);
        bytes[at + 1] = (byte) (v >>> 16);
        bytes[at + 2] = (byte) (v >>> 8);
        bytes[at + 3] = (byte) v;
    }
}
