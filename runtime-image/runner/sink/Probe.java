/* SPDX-License-Identifier: Apache-2.0
 * What a TaskManager can reach: a job of one task that tries each address once, all at the same time, and leaves what
 * it found in an accumulator. It always finishes, so that it takes a slot for two seconds at most and no cluster shows
 * a failed job of ours. Arguments: --results HOST:PORT[#PIN] (our own answer is expected there) or --connect HOST:PORT. */
package org.sluice.runner;

import java.io.Serializable;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.api.common.accumulators.ListAccumulator;
import org.apache.flink.api.common.functions.RichMapFunction;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;

public final class Probe {
    private Probe() {}

    public static void main(String[] args) throws Exception {
        StreamExecutionEnvironment env = StreamExecutionEnvironment.getExecutionEnvironment();
        env.setParallelism(1);
        env.fromSequence(1, 1).map(new Try(args)).name("sluice probe");
        env.executeAsync("sluice probe");
    }

    /** One address and what became of it. */
    private static final class Finding extends Thread {
        private final int number;
        private final boolean results;
        private final String address;
        private final long since = System.nanoTime();
        private volatile String ip = "";
        private volatile String cause = "no answer";
        private volatile boolean ok;
        private volatile long ms = -1;

        Finding(int number, boolean results, String address) {
            super("sluice-probe-" + number);
            this.number = number;
            this.results = results;
            this.address = address;
            setDaemon(true);
        }

        @Override
        public void run() {
            try {
                InetSocketAddress to = Link.parse(Link.plainAddress(address));
                if (to.isUnresolved()) {
                    throw new java.net.UnknownHostException("unknown host");
                }
                InetAddress found = to.getAddress();
                ip = found.getHostAddress();
                if (results) {
                    Link.open(address, Frames.ROLE_PROBE, "", 0, new Silent()).close();
                } else {
                    try (Socket s = new Socket()) {
                        s.connect(to, Link.CONNECT_MS);
                    }
                }
                ok = true;
                cause = "";
            } catch (Exception e) {
                cause = String.valueOf(e.getMessage());
            } finally {
                ms = (System.nanoTime() - since) / 1_000_000;
            }
        }

        String text() {
            long took = ms < 0 ? (System.nanoTime() - since) / 1_000_000 : ms;
            return Json.finding(number, ok, took, self(), ip, cause);
        }
    }

    private static String self() {
        try {
            return InetAddress.getLocalHost().getHostName();
        } catch (java.net.UnknownHostException e) {
            return "";
        }
    }

    private static final class Silent implements Link.Handler {
        @Override
        public void frame(int type, ByteBuffer body) {}

        @Override
        public void failed(ResultsException why) {}
    }

    private static final class Try extends RichMapFunction<Long, Long> implements Serializable {
        private static final long serialVersionUID = 1L;
        private static final long WAIT_MS = 2300;
        private static final long TLS_MS = 3000; /* more, for a JVM that has never spoken it */
        private final String[] args;

        Try(String[] args) {
            this.args = args.clone();
        }

        @Override
        public Long map(Long value) throws Exception {
            List<Finding> all = new ArrayList<>();
            for (int i = 0; i + 1 < args.length; i += 2) {
                Finding f = new Finding(i / 2, args[i].equals("--results"), args[i + 1]);
                all.add(f);
                f.start();
            }
            ListAccumulator<String> found = new ListAccumulator<>();
            getRuntimeContext().addAccumulator("sluice-probe", found);
            long end = System.nanoTime() + (WAIT_MS + (String.join(" ", args).contains("#") ? TLS_MS : 0)) * 1_000_000;
            for (Finding f : all) {
                f.join(Math.max(1, (end - System.nanoTime()) / 1_000_000));
                found.add(f.text());
            }
            return value;
        }
    }
}
