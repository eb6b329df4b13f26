# SPDX-License-Identifier: Apache-2.0
# The test groups, in the order they run: name, tier, minutes, what it proves, how. Read by tests/run.
# Tier 1: seconds, no JVM. Tier 2: in `make test`. Tier 3: only in `make test-all`.
def runner(run):
    """The Java half alone, against Flink as it is; the other versions in test-all."""
    versions = "1.20.5 2.2.1 2.3.0" if run.tier >= 3 else "2.2.1"
    for one in versions.split():
        run.command(["/usr/bin/python3", "tests/stock.py", one])
    if run.make("all"):
        run.pytest(["tests/e2e/runner"], {"FLINK_VERSIONS": versions, "RUNNER_JAR": f"{run.build}/sluice-runner.jar"})


def results(run):
    """The results port as a process, and peers in Python."""
    if run.make("results-port"):
        run.pytest(["tests/e2e/results/test_port.py", "tests/e2e/results/test_port_tls.py"], extra=["-s"])


def cells(run):
    """What C makes of cells beside what the stock gateway writes."""
    versions = "1.20.5 2.2.1 2.3.0" if run.tier >= 3 else "2.2.1"
    for one in versions.split():
        run.command(["/usr/bin/python3", "tests/stock.py", one])
    if run.make("all", "results-port"):
        run.pytest(["tests/e2e/results/test_same_bytes.py"], {"FLINK_VERSIONS": versions, "RUNNER_JAR": f"{run.build}/sluice-runner.jar"})


def clients(run):
    """Stock clients, before Sluice and before Flink's own gateway, on the default Flink; in test-all on all three, with more clients."""
    if run.tier >= 3:
        run.deadline += 45 * 60
    for one, patch in (("2.2", "2.2.1"), ("1.20", "1.20.5"), ("2.3", "2.3.0")) if run.tier >= 3 else (("2.2", "2.2.1"),):
        run.command(["/usr/bin/python3", "tests/stock.py", patch])
        once = [] if one == "2.2" else ["--ignore", "tests/clients/js", "--ignore", "tests/clients/test_restart.py"]
        run.pytest(["tests/clients"], {"E2E_FLINK": one}, extra=["-s", *once] if run.tier >= 3 else [])


def agreement(run):
    """Our parser beside Flink's own: the default version in full; the others with fewer mutants, in full in test-all."""
    if run.make(f"{run.build}/oracle/ours"):
        for version in ("2.2.1", "1.20.5", "2.3.0"):
            count = 20000 if version == "2.2.1" or run.tier >= 3 else 4000
            run.tap(["/usr/bin/python3", "tests/oracle/agreement", "--count", str(count), version], name=f"agreement {version}")


def fuzz_diff(run):
    """Statements made up for our parser and Flink's, ten minutes a version."""
    if run.make(f"{run.build}/oracle/ours"):
        for version in ("1.20.5", "2.2.1", "2.3.0"):
            run.tap(["/usr/bin/python3", "tests/oracle/fuzz-diff", "--secs", "600", version], name=f"fuzz-diff {version}")


def fault(run):
    """Calls that fail one after the other; in test-all every one of them."""
    if run.make("all", "fault", "results-port"):
        run.pytest(["tests/fault"])


def connectors(run):
    """One cell of version x mode; all six of them take their time."""
    if run.tier >= 3:
        run.deadline += 30 * 60
    run.pytest(["tests/e2e/connectors"])


def restore(run):
    """Session mode; of application mode, where each start takes its time, what differs. In test-all both in full, on all versions."""
    for one in ("2.2", "1.20", "2.3") if run.tier >= 3 else ("2.2",):
        for mode in ("session", "application"):
            some = ["-k", "doubled or own_snapshot"] if mode == "application" and run.tier < 3 else []
            run.pytest(["tests/e2e/test_restore.py"], {"E2E_FLINK": one, "E2E_MODE": mode}, extra=["-s", *some])


def truth(run):
    """Tier 2: session mode on the default Flink. In test-all both modes of all three, long sleeps, more faults."""
    if run.tier >= 3:
        run.deadline += 60 * 60
    for one in ("2.2", "1.20", "2.3") if run.tier >= 3 else ("2.2",):
        run.pytest(["tests/e2e/truth"], {"E2E_FLINK": one, "E2E_MODE": "session"})
        if run.tier >= 3:
            run.pytest([f"tests/e2e/truth/test_{name}.py" for name in ("kills", "health", "shown")], {"E2E_FLINK": one, "E2E_MODE": "application"})


def version(one):
    """What the default Flink shows in both modes, on another; an application that loses its JobManager while Sluice is away."""
    def go(run):
        if not run.make("all"):
            return
        for mode, more in (("session", "tests/e2e/test_jobs.py"),
                           ("application", "tests/e2e/flink/test_cluster.py::test_application_goes_on_from_its_checkpoint_without_sluice")):
            for paths in (["tests/e2e/test_scripts.py", "tests/e2e/test_ends.py"], ["tests/e2e/test_transcripts.py", more]):
                run.pytest(paths, {"E2E_FLINK": one, "E2E_MODE": mode})
    return go


def once(run):
    """Kills in both modes; 200 of them in test-all."""
    if run.make("all", "fault"):
        run.pytest(["tests/e2e/test_once.py"], extra=["-s"])


def harm(run):
    """A second of each kind; in test-all 20 of them."""
    if run.tier >= 3:
        run.deadline += 15 * 60
    if run.make("all"):
        run.pytest(["tests/harm"], extra=["-s"])


def serve(run):
    """Its answers; in test-all under load, too, that takes its time."""
    if run.tier >= 3:
        run.deadline += 15 * 60
    run.pytest(["tests/e2e/serve"], extra=["-s"])


def many(run):
    """Those that hang may not make the others' looks longer by a fifth; 5,000 are to be looked at in time, too."""
    program = f"{run.build}/unit/gateway_jobs/tracker_rest"
    if run.make(program):
        run.tap([program], {"TRACK_RUNS": "1000", "TRACK_LOOK_MS": "5000", "TRACK_PAIRS": "9", "TRACK_PERMILLE": "1200"}, name="1,000 runs")
        run.tap([program], {"TRACK_RUNS": "5000", "TRACK_LOOK_MS": "5000", "TRACK_PAIRS": "2"}, name="5,000 runs")


def sessions(run):
    """Some statements on the default Flink; in test-all hundreds, on all three."""
    if run.tier >= 3:
        run.deadline += 15 * 60
    for one in ("2.2", "1.20", "2.3") if run.tier >= 3 else ("2.2",):
        run.pytest(["tests/e2e/sessions"], {"E2E_FLINK": one}, extra=["-s"])


THREADS = r"(sys|store|gateway_results|gateway_front|gateway_session|gateway_jobs|gateway_target)/"
GROUPS = [
    Group("lint", 1, 6, "order of the rooms, headers that compile alone, banned functions, layout, gcc -fanalyzer", script("tests/lint")),
    Group("unit", 1, 4, "every room's C programs, with the golden files of tests/golden", unit, in_san=True),
    Group("api", 1, 2, "check, split, render, help and exit codes of the real binary, no Flink", pytest("tests/api"), in_san=True),
    Group("install", 1, 1, "sluice flink install from an index that is slow, breaks off, lies and dies; no Flink", pytest("tests/e2e/flink/test_install.py")),
    Group("results", 1, 1, "the results port against 10,000 connections, strangers, streams gone wrong, with TLS and without; a million rows; the seed is printed", results),
    Group("harm", 2, 1, "the server before clients that mean harm: who only wants its answers gets them, limits cut off what they must, no connection, descriptor or memory is left (test-all: each kind for 20 s)",
          harm),
    Group("wasm", 1, 2, "the language room as WebAssembly: no imports, at most 150 kB gzipped, byte for byte the native answers", script("tests/wasm/run")),
    Group("asan", 2, 5, "unit programs under AddressSanitizer and UndefinedBehaviorSanitizer, with leaks", san("address,undefined")),
    Group("tsan", 2, 5, "lanes, store, results, target and jobs under ThreadSanitizer", san("thread", THREADS)),
    Group("fuzz", 2, 6, "every fuzz target: its committed inputs, then 80,000 runs of search from one seed, the same on any machine", script("tests/fuzz/group"), packages=["fuzz"]),
    Group("agreement", 2, 4, "accepts and refuses what Flink's own parser does, at the same place, on the statements of Flink's test jars and 20,000 mutants; the seed is printed", agreement),
    Group("fuzz-diff", 3, 40, "ten minutes of generated and mutated statements a version: no verdict other than Flink's outside the known classes, and never one that Flink takes", fuzz_diff),
    Group("fault", 2, 4, "the n-th allocation, write, fsync, create or rename fails: answers whole or a clean error, files and store old or new (test-all: every n)", fault),
    Group("runner", 2, 6, "the runner and the push sink alone, on the default Flink (test-all: on all three)", runner),
    Group("cells", 2, 4, "every type, alone and nested, as JSON and PLAIN_TEXT: byte for byte what Flink's own gateway writes (test-all: on all three)", cells),
    Group("session", 2, 8, "scripts, ends, jobs and errors on the default Flink in session mode", pytest(
        "tests/e2e/test_scripts.py", "tests/e2e/test_ends.py", "tests/e2e/test_jobs.py", "tests/e2e/test_lineage.py", env={"E2E_MODE": "session"})),
    Group("application", 2, 6, "the same scripts in application mode", pytest(
        "tests/e2e/test_scripts.py", "tests/e2e/test_ends.py", env={"E2E_MODE": "application"})),
    Group("stock", 2, 6, "rows and kinds equal those of Flink's own SQL gateway on the same cluster (test-all: every question in every form)", pytest("tests/e2e/test_same_as_stock.py")),
    Group("stock-1.20", 3, 15, "the same on Flink 1.20", pytest("tests/e2e/test_same_as_stock.py", env={"E2E_FLINK": "1.20"})),
    Group("stock-2.3", 3, 15, "the same on Flink 2.3", pytest("tests/e2e/test_same_as_stock.py", env={"E2E_FLINK": "2.3"})),
    Group("kills", 2, 6, "readers that stop, clients and JVMs that are killed, a million rows; the seed is printed", pytest("tests/e2e/test_harm.py", extra=["-s"])),
    Group("once", 2, 5, "exactly one run, proved by the rows in the sink: Sluice killed at each durable write and request and at random moments, with the JobManager; keys and names; the seed is printed",
          once),
    Group("targets", 2, 3, "a stock session cluster as a target: rows, jobs and logs; TaskManagers that cannot reach us, too few slots, another version, TLS and a password in front; jars of this machine, rows over TLS; jobs of others adopted", pytest("tests/e2e/test_targets.py")),
    Group("clusters", 2, 4, "local clusters under their supervisor: JVMs, supervisor and owner killed; what goes on and what is left", pytest("tests/e2e/flink/test_cluster.py", "tests/e2e/flink/test_starts.py")),
    Group("owner", 2, 4, "the owner of a data folder: many calls, kill -9 of owner and clients, stopped readers, full disks, its end", pytest("tests/e2e/owner", extra=["-s"])),
    Group("serve", 2, 3, "the server before a Flink: rows as events, over a WebSocket, to the command line; readers that stop or go; its end; a probing client beside rows of 10 MB, a reader that stops and many sessions (test-all: a minute in a million rows, 200 sessions)",
          serve),
    Group("clients", 2, 2, "a script of 169 statements before Sluice and before Flink's own gateway on the same cluster: status, JSON, columns, rows, errors; what had ended is there after kill -9 (test-all: Flink 1.20, 2.2 and 2.3; both row formats, the stock SQL client by script, with statements in front and at a terminal, three JDBC drivers, dbt's adapter, curl, the statement scripts and the REST descriptions of the gateway's own tests, kills at random moments)", clients),
    Group("sessions", 2, 2, "catalogs of sessions are closed as often as they are opened, broken views harm nobody, a lasting catalog is written once, classes of a session's jar go with its statements (test-all: 500 statements, all versions)",
          sessions),
    Group("restore", 2, 5, "running counts over a growing folder, stopped, replaced, rolled back, restored, the owner killed: each record once (test-all: 20 rounds, all versions)", restore),
    Group("track", 2, 3, "what is said of a run against what is so: every checkpoint written down, JobManager asleep and killed, TaskManager killed, a job that restarts", pytest("tests/e2e/test_track.py")),
    Group("smoke-1.20", 2, 4, "scripts and jobs on Flink 1.20", pytest("tests/e2e/test_scripts.py", "tests/e2e/test_jobs.py", env={"E2E_FLINK": "1.20"}, extra=["-m", "smoke"])),
    Group("smoke-2.3", 2, 4, "scripts and jobs on Flink 2.3", pytest("tests/e2e/test_scripts.py", "tests/e2e/test_jobs.py", env={"E2E_FLINK": "2.3"}, extra=["-m", "smoke"])),
    Group("truth", 2, 7, "what job show tells beside what is so: JVMs killed and asleep, a REST that hangs, breaks off, lies, repeats itself or is another's; slots, brokers, disks; jobs as they are shown", truth),
    Group("transcripts", 2, 4, "what a person sees, whole: live rows and Ctrl-C, events, no Java, rows that cannot come back, a wrong password; flink install to its end", pytest(
        "tests/e2e/test_transcripts.py", "tests/e2e/flink/test_install_look.py")),
    Group("version-1.20", 3, 13, "scripts, ends, jobs, transcripts and an application killed without Sluice, on Flink 1.20 in both modes", version("1.20")),
    Group("version-2.3", 3, 13, "the same on Flink 2.3", version("2.3")),
    Group("connectors", 2, 4, "files, Kafka and PostgreSQL: real broker and server, one version and mode (test-all: all six cells; scripts of ../shared where present)",
          connectors),
    Group("many", 3, 5, "1,000 runs looked at every 5 s while three JobManagers hang, the others' p99 held against that without; 5,000 runs", many),
    Group("openapi", 3, 5, "what schemathesis makes up from openapi.json gets no 5xx and no answer that the document does not tell of; the seed is printed", pytest("tests/schemathesis", extra=["-s"])),
    Group("dist", 3, 4, "the tarball is whole, runs, and is the same bytes twice", script("tests/dist"), packages=["dist"]),
    Group("plants", 3, 10, "every fuzz target finds its planted bug within 60 s", script("tests/fuzz/plants"), packages=["fuzz"]),
    Group("bare", 3, 25, "README's first command and .ci/run on a Debian 12 that has nothing but make and git", script("tests/bare", env={"BARE_STEPS": "run,ci,user"}), packages=["full"]),
    Group("trixie", 3, 15, "build, unit and api groups in Debian 13", script("tests/trixie"), packages=["full"]),
]
