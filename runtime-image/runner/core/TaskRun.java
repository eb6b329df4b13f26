/* SPDX-License-Identifier: Apache-2.0
 * Runs the steps of one task in one TableEnvironment, in order. In session mode Flink allows one job per
 * main() and lets nobody wait for it, so a job's TableResult is asked for its client and nothing else. */
package org.sluice.runner;

import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.ReadableConfig;
import org.apache.flink.core.execution.JobClient;
import org.apache.flink.table.api.EnvironmentSettings;
import org.apache.flink.table.api.StatementSet;
import org.apache.flink.table.api.TableDescriptor;
import org.apache.flink.table.api.TableEnvironment;
import org.apache.flink.table.api.TablePipeline;
import org.apache.flink.table.api.TableResult;

final class TaskRun {
    /* What a SELECT never inherits: it starts fresh and takes no checkpoints. */
    private static final List<String> NOT_FOR_SELECT = Collections.unmodifiableList(Arrays.asList(
            "execution.checkpointing.interval", "execution.state-recovery.path", "execution.savepoint.path"));

    /* Where a job starts from. */
    private static final List<String> RESTORED_FROM = Collections.unmodifiableList(Arrays.asList(
            "execution.state-recovery.path", "execution.savepoint.path"));

    private final Task task;
    private final Reporter reporter;
    private final Deadline deadline;
    private final TableEnvironment env;
    private final Set<String> catalogsAtStart;
    private final Configuration below; /* the environment's own configuration, under the table's; null: hidden */
    private final Map<String, String> atStart; /* what the cluster and the task's own configuration say */
    private final boolean goesOn; /* main() runs again and is told to go on from a checkpoint: it is newer than ours */
    private final Replays replays = new Replays();
    private Map<String, String> given; /* of the last step that had a configuration */
    private Map<String, String> inForce;
    private final AtomicInteger statement;

    /** To be made and run in the thread in which Flink called main(). `statement` tells which one is under way. */
    TaskRun(Task task, Reporter reporter, Deadline deadline, AtomicInteger statement) {
        this.statement = statement;
        this.task = task;
        this.reporter = reporter;
        this.deadline = deadline;
        given = task.config;
        inForce = task.config;
        Configuration c = Configuration.fromMap(task.config);
        env = TableEnvironment.create(EnvironmentSettings.newInstance().withConfiguration(c).build());
        ReadableConfig root = env.getConfig().getRootConfiguration();
        below = root instanceof Configuration ? (Configuration) root : null;
        atStart = below == null ? Collections.emptyMap() : below.toMap();
        goesOn = task.application && RESTORED_FROM.stream().anyMatch(k -> atStart.containsKey(k) && !task.config.containsKey(k));
        catalogsAtStart = new HashSet<>();
        for (String name : env.listCatalogs()) {
            catalogsAtStart.add(name);
        }
    }

    /** Runs every step; the failure thrown is what to report. */
    void run() throws Throwable {
        try {
            for (Task.Step s : task.steps) {
                statement.set(s.statement);
                deadline.check();
                step(s);
            }
        } catch (Throwable t) {
            throw replays.explain(t);
        } finally {
            closeCatalogs();
        }
    }

    private void step(Task.Step s) throws Exception {
        if (s.action != Task.Action.CONFIG && s.action != Task.Action.REPLAY) {
            replayAgain();
        }
        switch (s.action) {
            case CONFIG:
                configure(s);
                break;
            case REPLAY:
                configure(s);
                replay(s);
                break;
            case EXECUTE:
                reporter.begin(s.statement);
                configure(s);
                replays.checkNames(s.sql);
                env.executeSql(s.sql);
                reporter.done(s.statement, "");
                break;
            case ANSWER:
                reporter.begin(s.statement);
                configure(s);
                replays.checkNames(s.sql);
                answer(s);
                break;
            case INSERT:
                reporter.begin(s.statement);
                configure(s);
                replays.checkNames(s.sql);
                finish(s, env.executeSql(s.sql));
                break;
            case SET:
                reporter.begin(s.statement);
                configure(s);
                replays.checkNames(s.inserts.get(0));
                StatementSet set = env.createStatementSet();
                for (String insert : s.inserts) {
                    set.addInsertSql(insert);
                }
                deadline.check();
                finish(s, set.execute());
                break;
            default:
                reporter.begin(s.statement);
                replays.checkNames(s.sql);
                select(s);
                break;
        }
    }

    private void configure(Task.Step s) {
        given = s.config == null ? given : s.config;
        NOT_FOR_SELECT.forEach(this::restore);
        apply(given);
    }

    private void replay(Task.Step s) {
        String catalog = env.getCurrentCatalog();
        String database = env.getCurrentDatabase();
        try {
            env.executeSql(s.sql);
            replays.succeeded(s.sql);
        } catch (Exception e) {
            deadline.check();
            replays.failed(new ReplayFailure(s.statement, s.sql, catalog, database, e));
        }
    }

    /** What failed before what it names was there; the place one is in stays. */
    private void replayAgain() {
        String catalog = env.getCurrentCatalog();
        String database = env.getCurrentDatabase();
        boolean moved = false;
        for (ReplayFailure f = replays.worthAnotherTry(); f != null; f = replays.worthAnotherTry()) {
            boolean made = false;
            moved = true;
            try {
                env.useCatalog(f.catalog());
                env.useDatabase(f.database());
                env.executeSql(f.sql());
                made = true;
            } catch (Exception e) {
                deadline.check();
            }
            replays.triedAgain(f, made);
        }
        if (moved) {
            env.useCatalog(catalog);
            env.useDatabase(database);
        }
    }

    private void answer(Task.Step s) throws Exception {
        TableResult result = env.executeSql(s.sql);
        if (result.getJobClient().isPresent()) {
            finish(s, result);
            return;
        }
        reporter.answer(s.statement, result);
        reporter.done(s.statement, "");
    }

    private void select(Task.Step s) throws Exception {
        given = s.config == null ? given : s.config;
        Map<String, String> config = new HashMap<>(given);
        /* A time attribute per joined table is fine for a reader; only Flink's own row time wants a single one. */
        config.put("table.exec.sink.rowtime-inserter", "DISABLED");
        config.put("restart-strategy.type", "none");
        NOT_FOR_SELECT.forEach(config::remove);
        apply(config);
        /* Taken away, not overridden: a task that has finished waits for its last checkpoint even where the interval
         * is one that nobody reaches. */
        if (below != null) {
            NOT_FOR_SELECT.forEach(below::removeKey);
        }
        TableDescriptor sink = TableDescriptor.forConnector("sluice")
                .option("address", task.address)
                .option("token", s.token)
                .option("statement", Integer.toString(s.statement))
                .build();
        TablePipeline pipeline = env.sqlQuery(s.sql).insertInto(sink);
        deadline.check();
        finish(s, pipeline.execute());
    }

    private void finish(Task.Step s, TableResult result) throws Exception {
        JobClient job = result.getJobClient().orElse(null);
        reporter.done(s.statement, job == null ? "" : job.getJobID().toHexString());
        if (job == null || !s.await || !task.application) {
            return;
        }
        deadline.pause();
        try {
            job.getJobExecutionResult().get();
        } catch (ExecutionException e) {
            throw e.getCause() instanceof Exception ? (Exception) e.getCause() : e;
        } finally {
            deadline.resume();
        }
    }

    /** Sets what differs and removes what is no longer there. */
    private void apply(Map<String, String> asked) {
        Map<String, String> wanted = goesOn ? new HashMap<>(asked) : asked;
        if (goesOn) {
            RESTORED_FROM.forEach(wanted::remove);
        }
        for (String key : inForce.keySet()) {
            if (!wanted.containsKey(key)) {
                unset(key);
            }
        }
        wanted.forEach((key, value) -> {
            if (!value.equals(inForce.get(key))) {
                env.getConfig().set(key, value);
            }
        });
        inForce = wanted;
    }

    private void unset(String key) {
        env.getConfig().getConfiguration().removeKey(key);
        restore(key);
    }

    /** A job's start copies the table configuration into the environment below it, where it must be undone too. */
    private void restore(String key) {
        if (below == null) {
            return;
        }
        below.removeKey(key);
        if (atStart.containsKey(key)) {
            below.setString(key, atStart.get(key));
        }
    }

    /** Flink never closes the catalogs of an environment; those of JDBC or Hive hold connections and threads. */
    private void closeCatalogs() {
        for (String name : env.listCatalogs()) {
            if (catalogsAtStart.contains(name)) {
                continue;
            }
            try {
                env.getCatalog(name).ifPresent(c -> c.close());
            } catch (RuntimeException | LinkageError e) {
                /* A catalog that cannot be closed must not hide what the statement said. */
            }
        }
    }
}
