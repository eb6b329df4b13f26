# SPDX-License-Identifier: Apache-2.0
"""Rules that a runner under Flink breaks silently: settings a SELECT must not inherit, what ends a result, what a failed
replay hides, how much rides in an exception. tests/e2e/runner/README.md lists all rules and where each is proved."""
import base64
import gzip
import json
import time
import urllib.request

import pytest

from flink_cluster import chain_text
from test_select import numbers
from test_session import DDL, answered

SLOW = "CREATE TABLE slow (id BIGINT) WITH ('connector'='datagen','rows-per-second'='20','fields.id.kind'='sequence','fields.id.start'='1','fields.id.end'='5000')"
TIMED = ", ts AS TIMESTAMPADD(SECOND, CAST(id AS INT), TIMESTAMP '2024-01-01 00:00:00'), WATERMARK FOR ts AS ts"


@pytest.mark.parametrize("value", ["ENABLED", "DISABLED"])
def test_two_row_times_whatever_the_user_set(select, value):
    """Flink's own sinks want a single row time; a reader does not."""
    r = select("SELECT l.ts, r.ts FROM l JOIN r ON l.id = r.id AND l.ts BETWEEN r.ts - INTERVAL '1' SECOND AND r.ts",
               [numbers("l", 9, TIMED), numbers("r", 9, TIMED)], config={"table.exec.sink.rowtime-inserter": value}).finish()
    assert len(r.rows) == 9 and r.insert_only


@pytest.mark.parametrize("key", ["execution.state-recovery.path", "execution.savepoint.path"])
def test_a_select_starts_fresh(flink, select, key):
    """A snapshot that the INSERTs of a script start from is not one of its SELECTs'."""
    r = select("SELECT id FROM g", [numbers("g", 4)], config={key: "file:///nowhere/savepoint-1"}).finish()
    assert sorted(r.values()) == [(1,), (2,), (3,), (4,)]


def test_an_insert_starts_from_the_snapshot_it_was_given(flink, run):
    r = run(DDL + [{"action": "insert", "sql": "INSERT INTO hole SELECT id FROM src",
                    "config": {"execution.state-recovery.path": "file:///nowhere/savepoint-1"}}]).go(None)
    said = json.dumps(r.body) + (flink.cause(r.job_id) if r.status == 200 and flink.wait_state(r.job_id, {"FAILED"}) else "")
    assert "nowhere" in said, said[-2000:]


def stop(flink, job_id, folder, drain):
    body = json.dumps({"targetDirectory": f"file://{folder}", "drain": drain}).encode()
    with urllib.request.urlopen(urllib.request.Request(flink.url(f"/jobs/{job_id}/stop"), body, {"Content-Type": "application/json"}), timeout=30) as r:
        return json.load(r)["request-id"]


def test_a_drained_result_is_complete(flink, select, tmp_path):
    """stop --drain is the end of the input: every row is there, and the result says so."""
    r = select("SELECT id FROM slow", [SLOW])
    while r.result.count < 5:
        time.sleep(0.05)
    stop(flink, r.job_id, tmp_path, True)
    result = r.finish()
    assert result.complete and [row[0] for row in result.values()] == list(range(1, result.count + 1))


def test_a_stopped_result_is_not(flink, select, tmp_path):
    """stop without drain ends the job well, and the input not at all."""
    r = select("SELECT id FROM slow", [SLOW])
    while r.result.count < 5:
        time.sleep(0.05)
    stop(flink, r.job_id, tmp_path, False)
    assert flink.wait_state(r.job_id, {"FINISHED", "FAILED", "CANCELED"}) in ("FINISHED", "FAILED", "CANCELED")
    end = time.monotonic() + 30
    while not r.result.ended and time.monotonic() < end:
        time.sleep(0.05)
    assert r.result.ended and not r.result.complete


def test_a_canceled_result_is_not_complete(select):
    r = select("SELECT id FROM slow", [SLOW])
    while r.result.count < 5:
        time.sleep(0.05)
    assert r.cancel() == "CANCELED"
    end = time.monotonic() + 30
    while not r.result.ended and time.monotonic() < end:
        time.sleep(0.05)
    assert r.result.ended and not r.result.complete


def test_what_failed_to_be_made_again_can_be_made_anew(run):
    """A view over a table that is gone fails in the replay; the same name can be given to another, and is that one then."""
    broken = {"action": "replay", "sql": "CREATE TEMPORARY VIEW v AS SELECT * FROM gone"}
    r = run([broken] + DDL + [{"action": "execute", "sql": "CREATE TEMPORARY VIEW v AS SELECT id FROM src"},
                              {"action": "answer", "sql": "DESCRIBE v"},
                              {"action": "insert", "sql": "INSERT INTO hole SELECT id FROM v"}]).go()
    assert r.task.ok and r.task.answers[5].values()[0][0] == "id" and r.task.done[6] == r.job_id
    r = run([broken] + DDL + [{"action": "execute", "sql": "DROP TEMPORARY VIEW IF EXISTS v"}, {"action": "answer", "sql": "SHOW VIEWS"}]).go(None)
    assert r.task.ended.wait(60) and r.task.ok and r.task.answers[5].values() == []


def test_a_failed_replay_is_no_cause_of_what_has_nothing_to_do_with_it(run):
    broken = {"action": "replay", "sql": "CREATE TEMPORARY VIEW lost AS SELECT * FROM gone"}
    r = run([broken] + DDL + [{"action": "insert", "sql": "INSERT INTO hole SELECT nope FROM src", "statement": 9}]).go(400)
    assert "replay" not in r.task.failed[9] and "nope" in chain_text(r.task.failed[9])


def test_a_large_answer_rides_in_the_exception(flink):
    """Where only the REST is open: 1 MB of names comes back whole."""
    steps = [{"statement": i + 1, "action": "replay", "sql": f"CREATE TABLE t{i:04d}_{'x' * 240} (a INT) WITH ('connector'='blackhole')"} for i in range(4000)]
    steps.append({"statement": 4001, "action": "answer", "sql": "SHOW TABLES"})
    doc = {"version": 1, "digest": "sha256:feed", "mode": "session", "config": {}, "steps": steps}
    inline = base64.b64encode(gzip.compress(json.dumps(doc).encode())).decode()
    status, body = flink.run(["--results", "127.0.0.1:1", "--token", "0" * 64, "--digest", "sha256:feed", "--inline", inline])
    rows = answered(body)["statements"][0]["rows"]
    assert status == 400 and len(rows) == 4000 and [r[0][:5] for r in rows] == [f"t{i:04d}" for i in range(4000)] and all(len(r[0]) == 246 for r in rows)


def test_settings_of_one_run_are_not_those_of_the_next(flink, run, select):
    """What one run sets in its environment is not there in the next one's, though both are mains of the same JVM."""
    r = run(DDL + [{"action": "answer", "sql": "EXPLAIN JSON_EXECUTION_PLAN INSERT INTO hole SELECT id FROM src", "config": {"parallelism.default": "3", "pipeline.name": "loud"}}],
            config={"execution.runtime-mode": "batch"}).go(None)
    assert r.task.ended.wait(60) and '"parallelism" : 3' in r.task.answers[3].values()[0][0]
    r = run(DDL + [{"action": "answer", "sql": "EXPLAIN JSON_EXECUTION_PLAN INSERT INTO hole SELECT id FROM src"}]).go(None)
    assert r.task.ended.wait(60) and '"parallelism" : 3' not in r.task.answers[3].values()[0][0]
    r = select("SELECT COUNT(*) AS n FROM g", [numbers("g", 3)]).finish()
    assert [k for k, *_ in r.changes()] == ["+I", "-U", "+U", "-U", "+U"], "streaming, as nobody said otherwise"
