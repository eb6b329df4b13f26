/* SPDX-License-Identifier: Apache-2.0
 * The task document (docs/task.md): what one run of main() does, as Sluice wrote it. Read once, checked,
 * never changed. */
package org.sluice.runner;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;

final class Task {
    enum Action {
        CONFIG,
        EXECUTE,
        REPLAY,
        ANSWER,
        INSERT,
        SET,
        SELECT;

        boolean startsJob() {
            return this == INSERT || this == SET || this == SELECT;
        }
    }

    static final class Step {
        final int statement;
        final Action action;
        final String sql;
        final List<String> inserts;
        final Map<String, String> config; /* null: as the step before */
        final String token;
        final boolean await;

        Step(JsonNode n) throws IOException {
            statement = n.path("statement").asInt(0);
            action = action(n.path("action").asText());
            sql = n.path("sql").asText("");
            token = n.path("token").asText("");
            await = n.path("await").asBoolean(false);
            config = n.has("config") ? map(n.get("config")) : null;
            inserts = new ArrayList<>();
            for (JsonNode i : n.path("inserts")) {
                inserts.add(i.asText());
            }
            if (action == Action.SET ? inserts.isEmpty() : sql.isEmpty() && action != Action.CONFIG) {
                throw new IOException("task document: statement " + statement + " has no SQL");
            }
        }

        private static Action action(String name) throws IOException {
            for (Action a : Action.values()) {
                if (a.name().toLowerCase(Locale.ROOT).equals(name)) {
                    return a;
                }
            }
            throw new IOException("task document: unknown action " + name);
        }
    }

    static final int VERSION = 1;
    private static final long DEADLINE_MS = 600_000;

    final String digest;
    final boolean application;
    final Map<String, String> config;
    final String address;
    final String token;
    final long deadlineMs;
    final List<Step> steps = new ArrayList<>();

    static Task parse(byte[] utf8) throws IOException {
        return new Task(Json.read(utf8));
    }

    private Task(JsonNode n) throws IOException {
        if (n == null || n.path("version").asInt() != VERSION) {
            throw new IOException("task document: version " + VERSION + " is wanted");
        }
        digest = n.path("digest").asText("");
        application = "application".equals(n.path("mode").asText());
        config = map(n.path("config"));
        address = n.path("results").path("address").asText("");
        token = n.path("results").path("token").asText("");
        deadlineMs = n.path("deadlineMs").asLong(DEADLINE_MS);
        for (JsonNode s : n.path("steps")) {
            steps.add(new Step(s));
        }
    }

    boolean startsJob() {
        return steps.stream().anyMatch(s -> s.action.startsJob());
    }

    /** Has rows that only Sluice can take. */
    boolean showsRows() {
        return steps.stream().anyMatch(s -> s.action == Action.SELECT);
    }

    private static Map<String, String> map(JsonNode n) {
        Map<String, String> m = new LinkedHashMap<>();
        for (Iterator<Map.Entry<String, JsonNode>> i = n.fields(); i.hasNext(); ) {
            Map.Entry<String, JsonNode> e = i.next();
            m.put(e.getKey(), e.getValue().asText());
        }
        return m;
    }
}
