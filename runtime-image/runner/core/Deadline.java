/* SPDX-License-Identifier: Apache-2.0
 * How long the runner may still work; waiting for a job (application mode) does not count. After it has passed,
 * or somebody called abandon(), check() throws, so that a thread which ignored its interrupt starts no job. */
package org.sluice.runner;

final class Deadline {
    static final class Passed extends RuntimeException {
        private static final long serialVersionUID = 1L;

        Passed(String message) {
            super(message);
        }
    }

    private final long budgetMs;
    private long workedMs;
    private long since = System.nanoTime();
    private boolean paused;
    private RuntimeException abandoned;

    Deadline(long budgetMs) {
        this.budgetMs = budgetMs;
    }

    synchronized long leftMs() {
        long now = paused ? 0 : (System.nanoTime() - since) / 1_000_000;
        return paused ? Long.MAX_VALUE : budgetMs - workedMs - now;
    }

    synchronized void pause() {
        workedMs += (System.nanoTime() - since) / 1_000_000;
        paused = true;
    }

    synchronized void resume() {
        since = System.nanoTime();
        paused = false;
    }

    synchronized void abandon(RuntimeException why) {
        if (abandoned == null) {
            abandoned = why;
        }
    }

    RuntimeException passed() {
        return new Passed("runner-deadline: planning took longer than " + budgetMs + " ms");
    }

    synchronized void check() {
        if (abandoned != null) {
            throw abandoned;
        }
        if (leftMs() <= 0) {
            throw passed();
        }
    }
}
