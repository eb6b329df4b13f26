/* SPDX-License-Identifier: Apache-2.0
 * The program that Flink runs for Sluice: fetches its task (session mode) or reads it from a file beside the
 * JobManager (application mode), runs it within a deadline, reports over the results port and always
 * rethrows, so that Flink too knows what became of it. Table API only: the planner may sit in its own
 * loader. */
package org.sluice.runner;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Paths;
import java.util.Base64;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.zip.GZIPInputStream;

public final class Runner {
    private Runner() {}

    public static void main(String[] args) throws Throwable {
        RunnerArgs a = RunnerArgs.parse(args);
        if (a.file != null) {
            application(a);
        } else if (a.results != null) {
            session(a);
        } else {
            inline(a);
        }
    }

    private static void session(RunnerArgs a) throws Throwable {
        LinkReporter reporter = new LinkReporter(false);
        byte[] document;
        long since = System.nanoTime();
        try {
            document = reporter.open(a.results, a.token);
        } catch (ResultsException e) {
            if (a.inline != null && ResultsException.UNREACHABLE.equals(e.slug())) {
                Task carried = unpack(a.inline);
                if (!carried.startsJob()) {
                    inline(a);
                }
                if (!carried.showsRows()) {
                    alone(carried, a.digest);
                    return;
                }
            }
            throw InlineReporter.unreachable(a.results, e, since);
        }
        Task task;
        try {
            task = Task.parse(document);
            verify(task, a.digest);
        } catch (Throwable t) {
            reporter.failed(0, t);
            reporter.end(false);
            throw t;
        }
        run(task, reporter, reporter);
    }

    /** Sluice may be away: a job that only has to recover must not wait for it. */
    private static void application(RunnerArgs a) throws Throwable {
        Task task = Task.parse(Files.readAllBytes(Paths.get(a.file)));
        verify(task, a.digest);
        String address = a.results != null ? a.results : task.address;
        String token = a.token.isEmpty() ? task.token : a.token;
        LinkReporter reporter = new LinkReporter(true);
        if (!address.isEmpty() && !token.isEmpty()) {
            long since = System.nanoTime();
            try {
                reporter.open(address, token);
            } catch (ResultsException e) {
                if (ResultsException.UNREACHABLE.equals(e.slug()) && !task.startsJob()) {
                    inline(task);
                }
                if (ResultsException.UNREACHABLE.equals(e.slug()) && task.showsRows()) {
                    throw InlineReporter.unreachable(address, e, since);
                }
                System.err.println("sluice: nobody to report to, going on: " + e.getMessage());
            } catch (IOException e) {
                System.err.println("sluice: nobody to report to, going on: " + e.getMessage());
            }
        }
        run(task, reporter, null);
    }

    private static void inline(RunnerArgs a) throws Throwable {
        Task task = unpack(a.inline);
        verify(task, a.digest);
        inline(task);
    }

    /** A job that needs nobody: only what went wrong is told, by an exception that carries it. */
    private static void alone(Task task, String digest) throws Throwable {
        InlineReporter reporter = new InlineReporter();
        try {
            verify(task, digest);
            run(task, reporter, null);
        } catch (Throwable t) {
            reporter.failed(0, t);
            throw reporter.toAnswer();
        }
    }

    /** Ends with an exception that carries the answer. */
    private static void inline(Task task) throws SluiceAnswer {
        InlineReporter reporter = new InlineReporter();
        try {
            run(task, reporter, null);
        } catch (Throwable t) {
            reporter.failed(0, t);
        }
        throw reporter.toAnswer();
    }

    private static Task unpack(String inline) throws IOException {
        byte[] zipped = Base64.getDecoder().decode(inline);
        try (GZIPInputStream in = new GZIPInputStream(new ByteArrayInputStream(zipped))) {
            return Task.parse(in.readAllBytes());
        }
    }

    private static void verify(Task task, String digest) throws IOException {
        if (!digest.isEmpty() && !digest.equals(task.digest)) {
            throw new IOException("the task has digest " + task.digest + ", this run is for " + digest);
        }
    }

    /** link: whose loss ends the run; null: none. */
    private static void run(Task task, Reporter reporter, LinkReporter link) throws Throwable {
        Deadline deadline = new Deadline(task.deadlineMs);
        AtomicInteger statement = new AtomicInteger();
        AtomicBoolean told = new AtomicBoolean();
        deadline.watch(() -> {
            /* Said by the watcher, since a planner may go on for long before it looks at its interrupt. */
            if (told.compareAndSet(false, true)) {
                reporter.failed(statement.get(), deadline.passed());
            }
        });
        if (link != null) {
            link.onLost(why -> deadline.abandon(new IllegalStateException(why.getMessage(), why)));
        }
        Throwable failure = null;
        try {
            new TaskRun(task, reporter, deadline, statement).run();
        } catch (Throwable t) {
            failure = t;
        }
        RuntimeException abandoned = deadline.over();
        failure = abandoned != null ? abandoned : failure;
        if (failure != null && told.compareAndSet(false, true)) {
            reporter.failed(statement.get(), failure);
        }
        reporter.end(failure == null);
        if (failure != null) {
            throw failure;
        }
    }
}
