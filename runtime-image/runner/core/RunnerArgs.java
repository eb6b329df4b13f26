/* SPDX-License-Identifier: Apache-2.0
 * The runner's arguments (docs/task.md). Secrets are never among them: the token is good for one task. */
package org.sluice.runner;

final class RunnerArgs {
    String results;
    String token = "";
    String digest = "";
    String inline;
    String file;

    static RunnerArgs parse(String[] args) {
        RunnerArgs a = new RunnerArgs();
        for (int i = 0; i < args.length; i += 2) {
            if (i + 1 == args.length) {
                throw new IllegalArgumentException(args[i] + " wants a value");
            }
            String value = args[i + 1];
            switch (args[i]) {
                case "--results":
                    a.results = value;
                    break;
                case "--token":
                    a.token = value;
                    break;
                case "--digest":
                    a.digest = value;
                    break;
                case "--inline":
                    a.inline = value;
                    break;
                case "--task":
                    a.file = value;
                    break;
                default:
                    throw new IllegalArgumentException("unknown argument " + args[i]);
            }
        }
        if (a.file == null && a.results == null && a.inline == null) {
            throw new IllegalArgumentException("one of --task, --results, --inline is needed");
        }
        return a;
    }
}
