/* SPDX-License-Identifier: Apache-2.0
 * The program that Flink runs for Sluice: fetches its task (session mode) or reads it from a file beside the
 * JobManager (application mode), runs it in a thread with a deadline, reports over the results port and always
 * rethrows, so that Flink too knows what became of it. Table API only: the planner may sit in its own loader. */
package org.sluice.runner;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Paths;
import java.util.Base64;
import java.util.concurrent.atomic.AtomicReference;
import java.util.zip.GZIPInputStream;

public final class Runner {
    private static final long STOP_MS = 5000;

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
        try {
            document = reporter.open(a.results, a.token);
        } catch (ResultsException e) {
            if (a.inline != null && ResultsException.UNREACHABLE.equals(e.slug()) && !unpack(a.inline).startsJob()) {
                inline(a);
            }
            throw InlineReporter.unreachable(a.results, e);
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
            try {
                reporter.open(address, token);
            } catch (IOException e) {
                System.err.println("sluice: nobody to report to, going on: " + e.getMessage());
            }
        }
        run(task, reporter, reporter);
    }

    private static void inline(RunnerArgs a) throws Throwable {
        Task task = unpack(a.inline);
        verify(task, a.digest);
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
        AtomicReference<Throwable> thrown = new AtomicReference<>();
        TaskRun run;
        try {
            run = new TaskRun(task, reporter, deadline);
        } catch (Throwable t) {
            reporter.failed(0, t);
            reporter.end(false);
            throw t;
        }
        Thread worker = new Thread(
                () -> {
                    try {
                        run.run();
                    } catch (Throwable t) {
                        thrown.set(t);
                    }
                },
                "sluice-runner");
        worker.setDaemon(true);
        worker.start();
        if (link != null && !task.application) {
            link.onLost(() -> {
                deadline.abandon(new IllegalStateException("the connection to Sluice is gone"));
                worker.interrupt();
            });
        }
        Throwable failure = finish(worker, deadline, thrown);
        if (failure != null) {
            reporter.failed(run.statement(), failure);
        }
        reporter.end(failure == null);
        if (failure != null) {
            throw failure;
        }
    }

    /** Waits for the worker, at most until the deadline; a planner that ignores interrupts is left behind. */
    private static Throwable finish(Thread worker, Deadline deadline, AtomicReference<Throwable> thrown) {
        try {
            while (worker.isAlive()) {
                long left = deadline.leftMs();
                if (left <= 0) {
                    deadline.abandon(deadline.passed());
                    worker.interrupt();
                    worker.join(STOP_MS);
                    return deadline.passed();
                }
                worker.join(Math.min(left, 1000));
            }
            return thrown.get();
        } catch (InterruptedException e) {
            deadline.abandon(new IllegalStateException("main() was interrupted"));
            worker.interrupt();
            return e;
        }
    }
}
