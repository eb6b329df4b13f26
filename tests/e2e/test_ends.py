# SPDX-License-Identifier: Apache-2.0
"""How runs end: Ctrl-C, time limits, failures, refusals; exit codes and words for people (look-and-feel 3, 8, 9, 12)."""
import http.client
import json
import os
import re
import signal
import subprocess
import time

import pytest

import harness

LIVE = """CREATE TABLE sales (
  k    INT,
  item AS ARRAY['apple', 'pear', 'plum'][k]
) WITH ('connector' = 'datagen', 'rows-per-second' = '20', 'fields.k.min' = '1', 'fields.k.max' = '3');


SELECT item, COUNT(*) AS n FROM sales GROUP BY item;
"""


REST = {}  # of a JVM: the port that answered as a REST; the others (RPC, blobs) keep a caller waiting


def rest_port(pid):
    if pid not in REST:
        for port in harness.listening_ports([pid]):
            try:
                harness.get(f"http://127.0.0.1:{port}/overview", 3)
                REST[pid] = port
            except (OSError, http.client.HTTPException, ValueError):
                continue
    return REST.get(pid)


def flink_jobs(sluice):
    """States of all jobs that the local Flinks know, straight from their REST."""
    states = {}
    for pid in sluice.jvms():
        port = None if "TaskManagerRunner" in harness.command_line(pid) else rest_port(pid)
        if not port:
            continue
        try:
            jobs = harness.get(f"http://127.0.0.1:{port}/jobs/overview", 30)["jobs"]
        except (OSError, ValueError, KeyError):
            REST.pop(pid, None)  # it ends, or the pid is another's now
            continue
        states.update((job["jid"], job["state"]) for job in jobs)
    return states


def test_ctrl_c_ends_a_select(sluice, flink, mode):
    path = sluice.script(LIVE, "live.sql")
    call = sluice.background("run", path, "--flink", flink, "--mode", mode, "-o", "table")
    call.wait_line(r"^ \+U \| (apple|pear|plum) +\| +\d+", 60)
    started = time.monotonic()
    call.signal(signal.SIGINT)
    done = call.finish(30)
    assert done.rc == 130, str(done)
    assert time.monotonic() - started < 10 or not harness.FULL
    assert re.search(r"^ op \| item +\| +n *$", done.out, re.M), done.out[:500]
    assert re.search(r"^ stopped +run [0-9a-f]{8}, \d+ rows shown, job ended \(it lived only for this terminal\)", done.err, re.M), done.err
    for step in (r"^ check +2 statements, no errors \(Flink [\d.]+\) +[\d.]+ ms", r"^ submit +SELECT, line 7 +run [0-9a-f]{8} +[\d.]+ s", r"^ running +all \d+ tasks"):
        assert re.search(step, done.err, re.M), f"{step}\n{done.err}"
    if mode == "session":
        harness.wait_for(lambda: "RUNNING" not in flink_jobs(sluice).values(), 10, "end of the job in Flink")


def test_json_events(run):
    done = run("""SET 'execution.runtime-mode' = 'batch';
SELECT CAST(7 AS BIGINT) AS big, CAST(1.5 AS DECIMAL(10, 2)) AS price, 'x' AS s, CAST(NULL AS INT) AS nothing, ARRAY[1, 2] AS pair;
""").ok()
    events = done.events
    assert all(set(e) >= {"event"} for e in events) and events[-1]["event"] == "result"
    check = [e for e in events if e["event"] == "step" and e["step"] == "check"][-1]
    assert check["state"] == "done" and check["statements"] == 2 and check["errors"] == 0 and "ms" in check
    submit = [e for e in events if e["event"] == "step" and e["step"] == "submit"][-1]
    assert re.fullmatch("[0-9a-f]{32}", submit["run"]) and submit["statement"] == 2
    columns = done.columns()
    assert [(c["name"], c["type"]) for c in columns] == [("big", "BIGINT"), ("price", "DECIMAL(10, 2)"), ("s", "CHAR(1)"), ("nothing", "INT"),
                                                         ("pair", "ARRAY<INT NOT NULL>")]
    assert done.rows() == [("+I", ["7", "1.50", "x", None, [1, 2]])]
    assert done.result["ok"] is True and done.result["results"] == [{"result": 1, "rows": 1}] or done.result["results"][0]["rows"] == 1
    assert not done.err.strip(), "with --json nothing but events: " + done.err


@pytest.mark.parametrize("form,expected", [
    ("csv", "item,n\npear,2\nplum,\"1,5\"\n"), ("tsv", "item\tn\npear\t2\nplum\t1,5\n"), ("jsonl", None), ("table", None)])
def test_forms(sluice, flink, form, expected):
    path = sluice.script("SET 'execution.runtime-mode' = 'batch';\nSELECT * FROM (VALUES ('pear', '2'), ('plum', '1,5')) AS t(item, n) ORDER BY item;\n")
    done = sluice("run", path, "--flink", flink, "-o", form).ok()
    if expected:
        assert done.out == expected
    elif form == "jsonl":
        assert [(j["item"], j["n"]) for j in map(json.loads, done.out.splitlines())] == [("pear", "2"), ("plum", "1,5")]
    else:
        assert done.out.endswith("(2 rows)\n") and re.search(r"^ item +\| n *$", done.out, re.M), done.out


def test_exit_3_and_nothing_sent(sluice):
    before = set(flink_jobs(sluice))
    done = sluice("run", sluice.script("SELECT 1;\nSELECT FROM WHERE;\n")).ok(3)
    assert re.search(r"^error\[", done.err, re.M) and "--> " in done.err and "nothing was sent" in done.err.lower(), done.err
    assert set(flink_jobs(sluice)) == before


def test_variable_undefined_is_said_before_a_jvm_starts(own_sluice):
    done = own_sluice("run", own_sluice.script("CREATE TABLE k (a INT) WITH ('connector' = 'blackhole', 'x' = '${kafka}');\n")).ok(3)
    assert "error[variable-undefined]" in done.err and "--var kafka=" in done.err
    assert not own_sluice.jvms()


def test_failing_job_is_exit_1_with_cause_and_place(run, sluice, flink, mode):
    text = """SET 'execution.runtime-mode' = 'batch';
CREATE TABLE hole (n INT) WITH ('connector' = 'blackhole');
INSERT INTO hole
SELECT CAST(s AS INT) FROM (VALUES ('1'), ('two')) AS t(s);
"""
    done = sluice("run", sluice.script(text), "--flink", flink, "--mode", mode).ok(1)
    error = done.err[done.err.index("error["):]
    first = error.splitlines()[:3]
    assert not re.search(r"\b(java|org)\.[a-z]+\.", "\n".join(first)), error
    assert "two" in error and re.search(r"--> \S+\.sql:(3:1|4:8)", error), error
    assert "= hint: " in error or "--stack" in error, error


def test_planner_error_is_at_its_statement(sluice, flink, mode):
    path = sluice.script("""CREATE TABLE orders (item STRING, price INT) WITH ('connector' = 'datagen');
CREATE TABLE revenue (item STRING, total INT) WITH ('connector' = 'filesystem', 'path' = '/tmp/sluice-never', 'format' = 'csv');
INSERT INTO revenue
SELECT item, SUM(price) FROM orders GROUP BY item;
""")
    done = sluice("run", path, "--flink", flink, "--mode", mode).ok(1)
    assert re.search(r"^error\[changelog-to-append-sink\]: ", done.err, re.M), done.err
    assert re.search(r"--> \S+\.sql:3:1", done.err), done.err
    assert not os.path.exists("/tmp/sluice-never")


def test_timeout_is_124(sluice, flink, mode):
    done = sluice("run", sluice.script(LIVE), "--flink", flink, "--mode", mode, "--timeout", "3s", timeout=60).ok(124)
    assert done.seconds < 40


@pytest.mark.skipif(os.geteuid() != 0, reason="hides /usr/lib/jvm in a mount namespace: needs root")
def test_no_java_is_exit_6(own_sluice, flink):
    """look-and-feel 8a, on a machine without any Java."""
    bare = os.path.join(own_sluice.folder, "bin")
    os.makedirs(bare)
    path = own_sluice.script("SELECT 1;\n")
    hidden = "mount -t tmpfs none /usr/lib/jvm && exec env -u JAVA_HOME PATH=\"$0\" \"$@\""
    done = subprocess.run(["unshare", "-m", "sh", "-c", hidden, bare, harness.BIN, "run", path, "--flink", flink], env=own_sluice.env, cwd=own_sluice.work,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
    assert done.returncode == 6, done
    assert re.search(r"^error\[java-missing\]: Flink needs Java 11, 17 or 21; none was found", done.stderr, re.M), done.stderr
    assert "looked at: JAVA_HOME (not set), PATH" in done.stderr and "= hint: sudo apt-get install -y openjdk-17" in done.stderr, done.stderr
    assert not own_sluice.jvms()
    own_sluice.stop()


def test_results_that_cannot_come_back(own_sluice, flink):
    """look-and-feel 8f: within seconds, both ends named, exit 4."""
    dead = "127.0.0.2:9"
    done = own_sluice("run", own_sluice.script("SELECT 1;\n"), "--flink", flink, "--mode", "session", "--results-address", dead, timeout=120).ok(4)
    assert re.search(r"^error\[results-unreachable\]: ", done.err, re.M) and dead in done.err, done.err
    assert "--results-address HOST:PORT" in done.err, done.err
    own_sluice.stop()


def test_answers_without_a_results_port(own_sluice, flink):
    """SHOW, DESCRIBE and EXPLAIN work where rows cannot come back."""
    done = own_sluice("run", own_sluice.script("CREATE TABLE t (a INT) WITH ('connector' = 'datagen');\nSHOW TABLES;\n"), "--flink", flink, "--mode", "session",
                      "--results-address", "127.0.0.2:9", "-o", "csv", timeout=120).ok()
    assert "t" in done.out.split()
    own_sluice.stop()


def test_same_name_is_refused(sluice, flink):
    """look-and-feel 9."""
    path = sluice.script("CREATE TABLE g (a INT) WITH ('connector' = 'datagen', 'rows-per-second' = '5');\nCREATE TABLE h (a INT) WITH ('connector' = 'blackhole');\nINSERT INTO h SELECT a FROM g;\n")
    sluice("run", path, "-d", "--name", "only-one", "--flink", flink).ok()
    try:
        done = sluice("run", path, "-d", "--name", "only-one", "--flink", flink).ok(5)
        assert re.search(r"^error\[job-exists\]: only-one is running", done.err, re.M), done.err
    finally:
        sluice("job", "cancel", "only-one").ok()


def test_dry_run_sends_nothing(own_sluice):
    done = own_sluice("run", own_sluice.script("SELECT 1;\n"), "--dry-run").ok()
    assert "SELECT 1" in done.out + done.err
    assert not own_sluice.jvms()


def test_usage_is_2(sluice):
    assert sluice("run").rc == 2
    assert sluice("run", "--no-such-option", "x.sql").rc == 2
    assert sluice("nonsense").rc == 2
    assert sluice("run", "/nonexistent/x.sql").rc == 2
