/* SPDX-License-Identifier: Apache-2.0
 * One connection to Sluice's results port. Any thread may send; one daemon thread reads, sends heartbeats
 * and notices a peer that closed, said STOP or fell silent. The channel is non-blocking, so that a write to
 * a reader that stalls waits in a selector, where the interrupt of a task cancellation ends it at once: a
 * write stuck in the kernel would make Flink kill the whole TaskManager. */
package org.sluice.runner;

import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.ClosedSelectorException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.ReentrantLock;

final class Link implements Closeable {
    /** Called by the link's own thread, or by one that sends; must not block. */
    interface Handler {
        void frame(int type, ByteBuffer body) throws IOException;

        /** At most once, and not after close(). */
        void failed(ResultsException why);
    }

    static final int CONNECT_MS = 2000;
    static final int HELLO_MS = 5000;

    private final SocketChannel channel;
    private final Wire wire;
    private final Selector readable;
    private final Selector writable;
    private final ReentrantLock sending = new ReentrantLock();
    private final CompletableFuture<Limits> welcome = new CompletableFuture<>();
    private final CountDownLatch ended = new CountDownLatch(1);
    private final Handler handler;
    private final Thread thread;

    private ByteBuffer owed = ByteBuffer.allocate(0); /* rest of a heartbeat half sent; under `sending` */
    private ByteBuffer in = ByteBuffer.allocate(4096); /* only the link's thread */
    private volatile long heardAt = System.nanoTime();
    private volatile long sentAt = heardAt;
    private volatile ResultsException failure;
    private volatile boolean closed;
    private volatile Limits limits;

    /** Connects within CONNECT_MS, says HELLO and waits for WELCOME. where: host:port, and #sha256:... where TLS is spoken. */
    static Link open(String where, int role, String token, int statement, Handler handler) throws IOException {
        String address = plainAddress(where);
        Link link = new Link(connect(where), handler);
        boolean ok = false;
        try {
            Out hello = new Out(128);
            hello.raw(new byte[] {'S', 'L', 'R'}, 0, 3).u16(Frames.VERSION).u8(role).str(token).i32(statement);
            link.thread.start();
            link.send(Frames.HELLO, hello);
            link.limits = link.welcome.get(HELLO_MS, TimeUnit.MILLISECONDS);
            ok = true;
            return link;
        } catch (ExecutionException e) {
            throw unwelcome(address, (ResultsException) e.getCause());
        } catch (ResultsException e) {
            throw unwelcome(address, e);
        } catch (TimeoutException e) {
            throw new ResultsException(
                    ResultsException.UNREACHABLE, address + " accepted the connection and did not answer", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw interrupted();
        } finally {
            if (!ok) {
                link.close();
            }
        }
    }

    /** A port-forward accepts for a port where nobody is: unreachable too, since nothing was claimed yet. */
    private static ResultsException unwelcome(String address, ResultsException why) {
        return ResultsException.LOST.equals(why.slug())
                ? new ResultsException(ResultsException.UNREACHABLE, address + ": " + why.getMessage(), why)
                : why.again();
    }

    private static Wire connect(String where) throws IOException {
        String address = plainAddress(where);
        SocketChannel c = null;
        try {
            InetSocketAddress to = parse(address);
            if (to.isUnresolved()) {
                throw new ConnectException("unknown host");
            }
            c = SocketChannel.open();
            c.setOption(StandardSocketOptions.TCP_NODELAY, true);
            c.setOption(StandardSocketOptions.SO_KEEPALIVE, true);
            c.socket().connect(to, CONNECT_MS);
            c.configureBlocking(false);
            return where.equals(address) ? new Wire(c) : new TlsWire(c, pin(where), HELLO_MS);
        } catch (IOException | IllegalArgumentException e) {
            if (c != null) {
                c.close();
            }
            if (Thread.currentThread().isInterrupted()) {
                throw interrupted();
            }
            throw new ResultsException(ResultsException.UNREACHABLE, address + ": " + reason(e), e);
        }
    }

    /** A handshake's failure says why only in its causes. */
    private static String reason(Throwable e) {
        Throwable at = e;
        while (at.getCause() != null && at.getCause() != at) {
            at = at.getCause();
        }
        return String.valueOf(at.getMessage() != null ? at.getMessage() : e.getMessage());
    }

    /** What is in front of the '#': "host:port" of "host:port#sha256:...". */
    static String plainAddress(String where) {
        int hash = where.indexOf('#');
        return hash < 0 ? where : where.substring(0, hash);
    }

    /** The digest of the certificate that has to answer there. */
    private static byte[] pin(String where) {
        String text = where.substring(where.indexOf('#') + 1);
        if (!text.matches("sha256:[0-9a-f]{64}")) {
            throw new IllegalArgumentException("not a certificate's digest");
        }
        byte[] bytes = new byte[32];
        for (int i = 0; i < 32; i++) {
            bytes[i] = (byte) Integer.parseInt(text.substring(7 + 2 * i, 9 + 2 * i), 16);
        }
        return bytes;
    }

    /** host:port or [IPv6]:port. */
    static InetSocketAddress parse(String address) {
        int colon = address.lastIndexOf(':');
        String host = address.substring(0, Math.max(colon, 0));
        if (host.startsWith("[") && host.endsWith("]")) {
            host = host.substring(1, host.length() - 1);
        }
        if (host.isEmpty()) {
            throw new IllegalArgumentException("not an address");
        }
        return new InetSocketAddress(host, Integer.parseInt(address.substring(colon + 1)));
    }

    private Link(Wire wire, Handler handler) throws IOException {
        this.wire = wire;
        this.channel = wire.channel;
        this.handler = handler;
        this.readable = Selector.open();
        this.writable = Selector.open();
        channel.register(readable, SelectionKey.OP_READ);
        channel.register(writable, SelectionKey.OP_WRITE);
        this.thread = new Thread(this::run, "sluice-results");
        this.thread.setDaemon(true);
    }

    Limits limits() {
        return limits;
    }

    /** Throws what ended the connection, if anything did. */
    void check() throws ResultsException {
        ResultsException why = failure;
        if (why != null) {
            throw why.again();
        }
    }

    void send(int type, Out body) throws IOException {
        send(type, body.array(), body.size());
    }

    /** Returns when the whole frame is in the kernel. Interrupted in between, the connection is over. */
    void send(int type, byte[] body, int n) throws IOException {
        ByteBuffer head = ByteBuffer.allocate(5).putInt(n + 1).put((byte) type);
        head.flip();
        try {
            sending.lockInterruptibly();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw interrupted();
        }
        try {
            check();
            write(new ByteBuffer[] {owed, head, ByteBuffer.wrap(body, 0, n)});
            sentAt = System.nanoTime();
        } catch (IOException e) {
            boolean interrupted = e instanceof InterruptedIOException;
            fail(interrupted ? "interrupted" : "the connection to Sluice broke: " + e.getMessage(), e);
            if (!interrupted) {
                check();
            }
            throw e;
        } finally {
            sending.unlock();
        }
    }

    private void write(ByteBuffer[] parts) throws IOException {
        while (parts[parts.length - 1].hasRemaining() || parts[parts.length - 2].hasRemaining() || !wire.flushed()) {
            if (wire.write(parts) > 0) {
                continue;
            }
            if (Thread.currentThread().isInterrupted()) {
                throw interrupted();
            }
            try {
                writable.select(1000);
                writable.selectedKeys().clear();
            } catch (ClosedSelectorException e) {
                throw new AsynchronousCloseException();
            } finally {
                check();
            }
        }
    }

    private static InterruptedIOException interrupted() {
        return new InterruptedIOException("interrupted while talking to Sluice's results port");
    }

    /** Waits until the other side has closed, so that what was sent last is not lost to a reset. */
    void awaitEnd(long ms) throws InterruptedException {
        ended.await(ms, TimeUnit.MILLISECONDS);
    }

    /** Never throws, any thread, any number of times. */
    @Override
    public void close() {
        closed = true;
        shut();
    }

    private void shut() {
        try {
            channel.close();
        } catch (IOException e) {
            /* closed as far as it can be */
        }
        readable.wakeup();
        writable.wakeup();
        if (!thread.isAlive()) {
            closeSelectors();
        }
    }

    private void closeSelectors() {
        try {
            readable.close();
        } catch (IOException e) {
            /* nothing hangs on it */
        }
        try {
            writable.close();
        } catch (IOException e) {
            /* nothing hangs on it */
        }
    }

    private void fail(String message, Throwable cause) {
        fail(new ResultsException(ResultsException.LOST, message, cause));
    }

    private void fail(ResultsException why) {
        synchronized (this) {
            if (failure != null || closed) {
                return;
            }
            failure = why;
        }
        shut();
        welcome.completeExceptionally(why);
        handler.failed(why);
    }

    private void run() {
        try {
            while (!closed && failure == null) {
                readable.select(pause());
                readable.selectedKeys().clear();
                if (closed) {
                    break;
                }
                receive();
                keepAlive();
            }
        } catch (ResultsException e) {
            fail(e);
        } catch (EOFException e) {
            fail("Sluice closed the connection", e);
        } catch (IOException | RuntimeException e) {
            fail("the connection to Sluice broke: " + e.getMessage(), e);
        } finally {
            ended.countDown();
            shut();
            closeSelectors();
        }
    }

    private long pause() {
        Limits l = limits;
        return l == null ? 100 : Math.max(20, Math.min(l.heartbeatMs, l.lostAfterMs) / 3);
    }

    private void keepAlive() throws IOException {
        Limits l = limits;
        if (l == null) {
            return;
        }
        long now = System.nanoTime();
        long silentMs = (now - heardAt) / 1_000_000;
        if (silentMs > l.lostAfterMs) {
            throw new ResultsException(ResultsException.LOST, "no sign of life from Sluice for " + silentMs + " ms");
        }
        /* Whoever holds the lock is sending; and a full socket needs no heartbeat. */
        if ((now - sentAt) / 1_000_000 >= l.heartbeatMs && sending.tryLock()) {
            try {
                if (!owed.hasRemaining()) {
                    owed = ByteBuffer.allocate(5).putInt(1).put((byte) Frames.HEARTBEAT);
                    owed.flip();
                }
                wire.write(new ByteBuffer[] {owed});
                sentAt = now;
            } finally {
                sending.unlock();
            }
        }
    }

    private void receive() throws IOException {
        for (;;) {
            int n = wire.read(in);
            if (n < 0) {
                throw new EOFException();
            }
            if (n == 0) {
                return;
            }
            heardAt = System.nanoTime();
            int need = frames();
            if (need > in.capacity()) {
                ByteBuffer larger = ByteBuffer.allocate(need);
                in.flip();
                in = larger.put(in);
            } else if (need == 0 && in.capacity() > 1 << 20 && in.position() == 0) {
                in = ByteBuffer.allocate(4096);
            }
        }
    }

    /** Hands on every whole frame in `in`; returns how much room the one begun needs. */
    private int frames() throws IOException {
        in.flip();
        int need = 0;
        while (in.remaining() >= 4) {
            int length = in.getInt(in.position());
            if (length < 1 || length > Frames.MAX_FRAME) {
                throw new ResultsException(ResultsException.PROTOCOL, "a frame of " + length + " bytes");
            }
            if (in.remaining() < 4 + length) {
                need = 4 + length;
                break;
            }
            ByteBuffer body = in.slice();
            body.position(5).limit(4 + length);
            dispatch(in.get(in.position() + 4) & 0xff, body);
            in.position(in.position() + 4 + length);
        }
        in.compact();
        return need;
    }

    private void dispatch(int type, ByteBuffer body) throws IOException {
        switch (type) {
            case Frames.WELCOME:
                welcome.complete(new Limits(body));
                break;
            case Frames.REFUSED:
                String slug = string(body);
                throw new ResultsException(slug, string(body));
            case Frames.HEARTBEAT:
                break;
            case Frames.STOP:
                throw new ResultsException(ResultsException.STOPPED, "Sluice ended this statement");
            default:
                handler.frame(type, body);
                break;
        }
    }

    static String string(ByteBuffer body) {
        byte[] bytes = new byte[body.getInt()];
        body.get(bytes);
        return new String(bytes, StandardCharsets.UTF_8);
    }
}
