/* SPDX-License-Identifier: Apache-2.0
 * What a link reads from and writes to: the channel as it is, or TLS over it. Like a non-blocking channel: a read that finds
 * nothing and a write that finds no room return 0. One thread reads; another, or the same, writes. */
package org.sluice.runner;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;

class Wire {
    protected final SocketChannel channel;

    Wire(SocketChannel channel) {
        this.channel = channel;
    }

    /** -1 at the end of the stream. */
    int read(ByteBuffer to) throws IOException {
        return channel.read(to);
    }

    /** Bytes taken from the parts; they may not all have left yet. */
    long write(ByteBuffer[] parts) throws IOException {
        return channel.write(parts);
    }

    /** Has all that was taken left? Tries again where not. */
    boolean flushed() throws IOException {
        return true;
    }
}
