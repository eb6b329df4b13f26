/* SPDX-License-Identifier: Apache-2.0
 * How long the runner may still work; waiting for a job (application mode) does not count. When it has
 * passed, or somebody called abandon(), the working thread is interrupted, once, and check() throws: a
 * planner that ignored its interrupt starts no job afterwards. Planning cannot move to a thread that could
 * be left behind: Flink keeps both the cluster of a main() and the planner's metadata in thread locals. */
package org.sluice.runner;

final class Deadline {
    static final class Passed extends RuntimeException {
        private static final long serialVersionUID = 1L;

        Passed(String message) {
            super(message);
        }
    }

    private final long budgetMs;
    private final Thread worker = Thread.currentThread();
    private long workedMs;
    private long since = System.nanoTime();
    private boolean paused;
    private boolean over;
    private RuntimeException abandoned;

    /** The budget of the calling thread, from now. */
    Deadline(long budgetMs) {
        this.budgetMs = budgetMs;
    }

    /** Watches from a thread of its own; `late` is run there when the time is over. */
    void watch(Runnable late) {
        Thread t = new Thread(
                () -> {
                    if (expired()) {
                        late.run();
                        abandon(passed());
                    }
                },
                "sluice-deadline");
        t.setDaemon(true);
        t.start();
    }

    RuntimeException passed() {
        return new Passed("runner-deadline: planning took longer than " + budgetMs + " ms");
    }

    /** Waits until the time is over (true) or over() was called. */
    private synchronized boolean expired() {
        try {
            while (!over) {
                long left = leftMs();
                if (left <= 0) {
                    return true;
                }
                wait(Math.min(left, 60_000));
            }
        } catch (InterruptedException e) {
            /* Nobody interrupts this thread but a JVM that goes down. */
        }
        return false;
    }

    private long leftMs() {
        return paused ? Long.MAX_VALUE : budgetMs - workedMs - (System.nanoTime() - since) / 1_000_000;
    }

    synchronized void pause() {
        workedMs += (System.nanoTime() - since) / 1_000_000;
        paused = true;
    }

    synchronized void resume() {
        since = System.nanoTime();
        paused = false;
        notifyAll();
    }

    synchronized void abandon(RuntimeException why) {
        if (abandoned == null && !over) {
            abandoned = why;
            worker.interrupt();
        }
    }

    synchronized void check() {
        if (abandoned != null) {
            throw abandoned;
        }
    }

    /** The work is done. Why it was abandoned, or null; the thread's interrupt is taken back then. */
    synchronized RuntimeException over() {
        over = true;
        notifyAll();
        if (abandoned != null) {
            Thread.interrupted();
        }
        return abandoned;
    }
}
