/* SPDX-License-Identifier: Apache-2.0
 * Something about the connection to Sluice's results port: unreachable, refused, lost, stopped, too large.
 * The message starts with the slug, since only text survives Flink's REST. */
package org.sluice.runner;

import java.io.IOException;

public final class ResultsException extends IOException {
    private static final long serialVersionUID = 1L;

    static final String UNREACHABLE = "results-unreachable";
    static final String LOST = "results-lost";
    static final String STOPPED = "results-stopped";
    static final String PROTOCOL = "results-protocol";
    static final String TOO_LARGE = "cell-too-large";

    private final String slug;

    ResultsException(String slug, String message) {
        this(slug, message, null);
    }

    ResultsException(String slug, String message, Throwable cause) {
        super(slug + ": " + message, cause);
        this.slug = slug;
    }

    String slug() {
        return slug;
    }

    /** The same failure, thrown again in the thread that noticed it. */
    ResultsException again() {
        return new ResultsException(slug, getMessage().substring(slug.length() + 2), this);
    }
}
