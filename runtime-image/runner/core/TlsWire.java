/* SPDX-License-Identifier: Apache-2.0
 * TLS 1.3 with a server that is known by the digest of its one certificate (docs/results-protocol.md): names, authorities
 * and dates decide nothing. Reading and writing go on side by side, as an SSLEngine allows. */
package org.sluice.runner;

import java.io.EOFException;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLEngineResult.HandshakeStatus;
import javax.net.ssl.SSLException;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509ExtendedTrustManager;

final class TlsWire extends Wire {
    private static final ByteBuffer[] NOTHING = {ByteBuffer.allocate(0)};

    private final SSLEngine engine;
    private final ByteBuffer in; /* records that came, to be filled; the reader's */
    private ByteBuffer plain; /* what is in them, to be drained; the reader's */
    private final ByteBuffer out; /* records to be sent, to be drained; the writer's */

    /** Shakes hands, on a channel that does not block. */
    TlsWire(SocketChannel channel, byte[] pin, long ms) throws IOException {
        super(channel);
        try {
            SSLContext context = SSLContext.getInstance("TLSv1.3");
            context.init(null, new TrustManager[] {new Pinned(pin)}, null);
            engine = context.createSSLEngine();
        } catch (GeneralSecurityException e) {
            throw new IOException("this Java has no TLS 1.3: " + e.getMessage(), e);
        }
        engine.setUseClientMode(true);
        engine.setEnabledProtocols(new String[] {"TLSv1.3"});
        in = ByteBuffer.allocate(engine.getSession().getPacketBufferSize());
        out = ByteBuffer.allocate(2 * engine.getSession().getPacketBufferSize());
        out.limit(0);
        plain = ByteBuffer.allocate(engine.getSession().getApplicationBufferSize());
        plain.limit(0);
        handshake(System.nanoTime() + ms * 1_000_000);
    }

    private void handshake(long until) throws IOException {
        try (Selector ready = Selector.open()) {
            SelectionKey key = channel.register(ready, 0);
            engine.beginHandshake();
            for (;;) {
                HandshakeStatus s = engine.getHandshakeStatus();
                int wait = 0;
                if (s == HandshakeStatus.NEED_TASK) {
                    tasks();
                } else if (s == HandshakeStatus.NEED_WRAP) {
                    wrap(NOTHING);
                    wait = drain() ? 0 : SelectionKey.OP_WRITE;
                } else if (!drain()) {
                    wait = SelectionKey.OP_WRITE;
                } else if (s == HandshakeStatus.NEED_UNWRAP) {
                    wait = unwrap() ? 0 : SelectionKey.OP_READ;
                } else {
                    return;
                }
                long ms = (until - System.nanoTime()) / 1_000_000;
                if (wait != 0 && ms > 0) {
                    key.interestOps(wait);
                    ready.select(ms);
                    ready.selectedKeys().clear();
                }
                if (Thread.currentThread().isInterrupted()) {
                    throw new InterruptedIOException("interrupted while talking to Sluice's results port");
                }
                if (ms <= 0) {
                    throw new IOException("no answer to TLS");
                }
            }
        }
    }

    private void tasks() {
        for (Runnable r = engine.getDelegatedTask(); r != null; r = engine.getDelegatedTask()) {
            r.run();
        }
    }

    /** Decrypts one record; false: it is not whole yet. */
    private boolean unwrap() throws IOException {
        for (;;) {
            in.flip();
            plain.compact();
            SSLEngineResult r;
            try {
                r = engine.unwrap(in, plain);
            } finally {
                plain.flip();
                in.compact();
            }
            switch (r.getStatus()) {
                case BUFFER_OVERFLOW:
                    if (plain.hasRemaining()) {
                        return true;
                    }
                    plain = ByteBuffer.allocate(engine.getSession().getApplicationBufferSize() + plain.capacity());
                    plain.limit(0);
                    break;
                case CLOSED:
                    throw new EOFException("it closed the connection");
                case BUFFER_UNDERFLOW:
                    int n = channel.read(in);
                    if (n < 0) {
                        throw new EOFException("it closed the connection");
                    }
                    if (n == 0) {
                        return false;
                    }
                    break;
                default:
                    if (engine.getHandshakeStatus() == HandshakeStatus.NEED_TASK) {
                        tasks();
                    }
                    return true;
            }
        }
    }

    private long wrap(ByteBuffer[] parts) throws IOException {
        out.compact();
        try {
            SSLEngineResult r = engine.wrap(parts, out);
            if (r.getStatus() == SSLEngineResult.Status.CLOSED) {
                throw new SSLException("the connection is closed");
            }
            return r.bytesConsumed();
        } finally {
            out.flip();
        }
    }

    private boolean drain() throws IOException {
        while (out.hasRemaining()) {
            if (channel.write(out) == 0) {
                return false;
            }
        }
        return true;
    }

    @Override
    int read(ByteBuffer to) throws IOException {
        if (!to.hasRemaining()) {
            return 0;
        }
        try {
            while (!plain.hasRemaining()) {
                if (!unwrap()) {
                    return 0;
                }
            }
        } catch (EOFException e) {
            return -1;
        }
        int n = Math.min(plain.remaining(), to.remaining());
        ByteBuffer some = plain.duplicate();
        some.limit(some.position() + n);
        to.put(some);
        plain.position(plain.position() + n);
        return n;
    }

    @Override
    long write(ByteBuffer[] parts) throws IOException {
        long taken = 0;
        while (drain() && has(parts)) {
            taken += wrap(parts);
        }
        return taken;
    }

    @Override
    boolean flushed() throws IOException {
        return drain();
    }

    private static boolean has(ByteBuffer[] parts) {
        for (ByteBuffer p : parts) {
            if (p.hasRemaining()) {
                return true;
            }
        }
        return false;
    }

    /** Trusts the one certificate with that SHA-256. */
    private static final class Pinned extends X509ExtendedTrustManager {
        private final byte[] pin;

        Pinned(byte[] pin) {
            this.pin = pin;
        }

        private void check(X509Certificate[] chain) throws CertificateException {
            try {
                byte[] digest = MessageDigest.getInstance("SHA-256").digest(chain[0].getEncoded());
                if (!MessageDigest.isEqual(digest, pin)) {
                    throw new CertificateException("another certificate than Sluice's answers");
                }
            } catch (java.security.NoSuchAlgorithmException e) {
                throw new CertificateException(e);
            }
        }

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type) throws CertificateException {
            check(chain);
        }

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type, Socket s) throws CertificateException {
            check(chain);
        }

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type, SSLEngine e) throws CertificateException {
            check(chain);
        }

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type) throws CertificateException {
            throw new CertificateException("no client is expected");
        }

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type, Socket s) throws CertificateException {
            throw new CertificateException("no client is expected");
        }

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type, SSLEngine e) throws CertificateException {
            throw new CertificateException("no client is expected");
        }

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    }
}
