/* SPDX-License-Identifier: Apache-2.0
 * The JSON the runner writes, and the one mapper it reads with: the Jackson shaded into every Flink. */
package org.sluice.runner;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Set;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.node.ArrayNode;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.node.ObjectNode;
import org.apache.flink.util.ExceptionUtils;

final class Json {
    private static final int MESSAGE_CHARS = 64 << 10;
    private static final int STACK_BYTES = 64 << 10;
    private static final int CHAIN_LENGTH = 64;
    private static final ObjectMapper MAPPER = new ObjectMapper();

    private Json() {}

    static JsonNode read(byte[] utf8) throws IOException {
        return MAPPER.readTree(utf8);
    }

    static ObjectNode object() {
        return MAPPER.createObjectNode();
    }

    static String text(JsonNode node) {
        try {
            return MAPPER.writeValueAsString(node);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** What a TaskManager found out about one address (Probe). */
    static String finding(int n, boolean ok, long ms, String from, String ip, String cause) {
        return text(object()
                .put("n", n)
                .put("ok", ok)
                .put("ms", ms)
                .put("from", from)
                .put("ip", ip)
                .put("cause", cause));
    }

    /** Puts "chain", outermost first; and "replay", the statement whose replay failed before, if one is to blame. */
    static void chain(ObjectNode to, Throwable thrown) {
        ArrayNode chain = to.putArray("chain");
        Set<Throwable> seen = Collections.newSetFromMap(new IdentityHashMap<>());
        for (Throwable t = thrown; t != null && seen.add(t) && chain.size() < CHAIN_LENGTH; t = t.getCause()) {
            ObjectNode link = chain.addObject();
            link.put("class", t.getClass().getName());
            link.put("message", cut(message(t)));
            if (t instanceof ReplayFailure) {
                to.put("replay", ((ReplayFailure) t).statement());
            }
        }
    }

    private static String message(Throwable t) {
        String m = t.getMessage();
        return m == null ? "" : m;
    }

    private static String cut(String s) {
        return s.length() <= MESSAGE_CHARS ? s : s.substring(0, MESSAGE_CHARS) + "…";
    }

    static String stack(Throwable thrown) {
        String s = ExceptionUtils.stringifyException(thrown);
        /* A char takes at most three bytes here; a surrogate pair four. */
        int chars = Math.min(s.length(), STACK_BYTES);
        while (s.substring(0, chars).getBytes(StandardCharsets.UTF_8).length > STACK_BYTES) {
            chars -= Math.max(1, chars / 8);
        }
        return s.substring(0, chars);
    }
}
