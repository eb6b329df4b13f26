/* SPDX-License-Identifier: Apache-2.0
 * Remembers which replayed statements failed, and finds the one that a later failure goes back to: a strict
 * replay would make a whole session unusable because of one view over a table that somebody dropped. */
package org.sluice.runner;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

final class Replays {
    private static final Pattern MISSING = Pattern.compile(
            "not found|not exist|doesn't exist|No match found|cannot find|could not find|unknown|undefined",
            Pattern.CASE_INSENSITIVE);
    private static final Pattern QUOTED = Pattern.compile("['`\"]([^'`\"]+)['`\"]|function signature (\\w+)");

    /** What decides which object a name means; and what may be said all the same when that went wrong. */
    private static final Pattern NAMING =
            Pattern.compile("(USE|LOAD|UNLOAD)\\s.*", Pattern.DOTALL | Pattern.CASE_INSENSITIVE);
    private static final Pattern HARMLESS =
            Pattern.compile("(USE|LOAD|UNLOAD|SHOW)\\s.*", Pattern.DOTALL | Pattern.CASE_INSENSITIVE);

    /** What may fail because what it names is made behind it; a catalog is not asked twice. */
    private static final Pattern READS = Pattern.compile(
            "CREATE\\s+(OR\\s+REPLACE\\s+)?(TEMPORARY\\s+)?(VIEW|TABLE)\\s.*", Pattern.DOTALL | Pattern.CASE_INSENSITIVE);

    private final List<ReplayFailure> failed = new ArrayList<>();
    private final Map<ReplayFailure, Integer> tried = new HashMap<>(); /* `made` when it failed last */
    private int made;
    private ReplayFailure naming;

    void failed(ReplayFailure f) {
        failed.add(f);
        tried.put(f, made);
        if (naming == null && NAMING.matcher(f.sql().trim()).matches()) {
            naming = f;
        }
    }

    /** A later USE that worked stands in for one that did not. */
    void succeeded(String sql) {
        if (naming != null && NAMING.matcher(sql.trim()).matches()) {
            naming = null;
        }
        made++;
    }

    /** The first that something was made behind: a view whose table was dropped and made anew. Null: none. */
    ReplayFailure worthAnotherTry() {
        for (ReplayFailure f : failed) {
            if (naming == null && tried.get(f) < made && READS.matcher(f.sql().trim()).matches()) {
                return f;
            }
        }
        return null;
    }

    void triedAgain(ReplayFailure f, boolean succeeded) {
        if (succeeded) {
            failed.remove(f);
            made++;
        } else {
            tried.put(f, made);
        }
    }

    /** After a USE that failed, an INSERT INTO t could find a t that was not meant. */
    void checkNames(String sql) {
        if (naming != null && !HARMLESS.matcher(sql.trim()).matches()) {
            throw naming;
        }
    }

    /** What to report for a failure: itself, or itself caused by the remembered one that it goes back to. */
    Throwable explain(Throwable thrown) {
        for (Throwable t = thrown; t != null && !failed.isEmpty(); t = t.getCause()) {
            String message = String.valueOf(t.getMessage());
            if (MISSING.matcher(message).find()) {
                ReplayFailure f = blame(message);
                if (f != null) {
                    return new MissingObject(message, f);
                }
            }
        }
        return thrown;
    }

    /** The newest failed statement that names what the message says is missing. */
    private ReplayFailure blame(String message) {
        Matcher m = QUOTED.matcher(message);
        while (m.find()) {
            String quoted = m.group(1) != null ? m.group(1) : m.group(2);
            String[] path = quoted.split("\\.");
            String name = path[path.length - 1].toLowerCase(Locale.ROOT);
            Pattern whole = Pattern.compile("(?<![\\w])" + Pattern.quote(name) + "(?![\\w])");
            for (int i = failed.size() - 1; i >= 0; i--) {
                if (whole.matcher(failed.get(i).sql().toLowerCase(Locale.ROOT)).find()) {
                    return failed.get(i);
                }
            }
        }
        return null;
    }

    /** A later statement's failure, with the replay that explains it as its cause. */
    static final class MissingObject extends RuntimeException {
        private static final long serialVersionUID = 1L;

        MissingObject(String message, ReplayFailure cause) {
            super(message, cause);
        }
    }
}
