# SPDX-License-Identifier: Apache-2.0
"""Session mode: answers, jobs, failures and how they are reported."""
import base64
import gzip
import json
import secrets
import socket
import threading
import time

import pytest

from flink_cluster import chain_text

SRC = "CREATE TABLE src (id BIGINT) WITH ('connector'='datagen','number-of-rows'='10')"
OUT = "CREATE TABLE hole (id BIGINT) WITH ('connector'='blackhole')"
DDL = [{"action": "replay", "sql": SRC}, {"action": "replay", "sql": OUT}]


def answered(body):
    """The JSON a SluiceAnswer carries in Flink's 400."""
    text = body["errors"][0]
    start = text.index("SLUICE-ANSWER ") + len("SLUICE-ANSWER ")
    return json.JSONDecoder().raw_decode(text[start:])[0]


def test_answers(run):
    r = run(DDL + [{"action": "answer", "sql": s} for s in (
        "SHOW TABLES", "DESCRIBE src", "EXPLAIN SELECT * FROM src", "SHOW TABLES LIKE 'nothing'",
        "CREATE TABLE more (a INT) WITH ('connector'='blackhole')", "SHOW CREATE TABLE src")]).go(None)
    assert r.task.ended.wait(60) and r.task.ok, r.task.failed
    a = r.task.answers
    assert a[3].names() == ["table name"] and [v[0] for v in a[3].values()] == ["hole", "src"]
    assert a[3].insert_only and all(x.complete for x in a.values())
    assert a[4].names()[:3] == ["name", "type", "null"] and a[4].values()[0][:3] == ("id", "BIGINT", True)
    assert "Optimized" in a[5].values()[0][0]
    assert a[6].values() == []
    assert a[7].names() == ["result"] and a[7].values() == [("OK",)]
    assert "'connector' = 'datagen'" in a[8].values()[0][0]
    assert r.task.begun == [3, 4, 5, 6, 7, 8]
    assert r.task.done == {n: "" for n in range(3, 9)}
    assert "No jobs included" in str(r.body)  # why the REST answer is never the truth


def test_many_answer_rows(run):
    steps = [{"action": "replay", "sql": f"CREATE TABLE t{i:03d}_{'x' * 200} (a INT) WITH ('connector'='blackhole')"}
             for i in range(400)] + [{"action": "answer", "sql": "SHOW TABLES"}]
    r = run(steps)
    r.task.pieces = 7
    r.go(None)
    assert r.task.ended.wait(60) and r.task.answers[401].count == 400


def test_insert_reports_its_job_and_never_waits(flink, run):
    endless = SRC.replace(",'number-of-rows'='10'", "")
    r = run([{"action": "replay", "sql": endless}, DDL[1],
             {"action": "insert", "sql": "INSERT INTO hole SELECT id FROM src", "await": True,
              "config": {"pipeline.name": "a name of ours"}}]).go()
    assert r.body["jobid"] == r.job_id and r.task.done == {3: r.job_id} and r.task.ok
    assert flink.get(f"/jobs/{r.job_id}")["name"] == "a name of ours"
    assert r.cancel() == "CANCELED"


def test_statement_set_is_one_job(flink, run):
    r = run(DDL + [{"action": "set", "inserts": ["INSERT INTO hole SELECT id FROM src",
                                                 "INSERT INTO hole SELECT id + 1 FROM src"]}]).go()
    assert flink.wait_state(r.job_id, {"FINISHED"}) == "FINISHED"
    assert r.task.done == {3: r.job_id}


def test_runs_at_the_same_time_keep_to_their_own_jobs(flink, run):
    """Flink keeps the environment of a main() in a static field too: a second thread would find its neighbour's."""
    runs = [run(DDL + [{"action": "insert", "sql": "INSERT INTO hole SELECT id FROM src"}]) for _ in range(8)]
    threads = [threading.Thread(target=r.go, args=(None,)) for r in runs]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    for r in runs:
        assert r.status == 200 and r.body["jobid"] == r.job_id and r.task.done == {3: r.job_id}


def test_second_job_of_one_main_fails_and_the_first_runs_on(flink, run):
    endless = SRC.replace(",'number-of-rows'='10'", "")
    r = run([{"action": "replay", "sql": endless}, DDL[1],
             {"action": "insert", "sql": "INSERT INTO hole SELECT id FROM src"},
             {"action": "insert", "sql": "INSERT INTO hole SELECT id FROM src"}]).go(400)
    assert r.task.done == {3: r.job_id} and list(r.task.failed) == [4] and r.task.ok is False
    assert flink.state(r.job_id) in ("CREATED", "RUNNING", "INITIALIZING")
    r.cancel()


def test_failure_has_its_statement_its_chain_and_is_rethrown(run):
    r = run(DDL + [{"action": "execute", "sql": "CREATE TABLE third (a INT) WITH ('connector'='blackhole')"},
                   {"action": "insert", "sql": "INSERT INTO hole SELECT nope FROM src"}]).go(400)
    f = r.task.failed[4]
    assert f["chain"][0]["class"] == "org.apache.flink.table.api.ValidationException"
    assert f["chain"][-1]["message"] == "Column 'nope' not found in any table"
    assert "at org.apache.flink" in f["stack"] and len(f["stack"].encode()) <= 64 << 10
    assert "nope" in str(r.body) and r.task.ok is False and r.task.done == {3: ""}


def test_configuration_of_a_step_is_set_and_taken_back(run):
    """Parallelism shows in the plan; what the next step no longer names is gone."""
    ask = {"action": "answer", "sql": "EXPLAIN JSON_EXECUTION_PLAN INSERT INTO hole SELECT id FROM src"}
    r = run(DDL + [{**ask, "config": {"parallelism.default": "3"}}, {**ask, "config": {}}, {**ask}],
            ).go(None)
    assert r.task.ended.wait(60) and r.task.ok, r.task.failed
    plans = [r.task.answers[n].values()[0][0] for n in (3, 4, 5)]
    assert '"parallelism" : 3' in plans[0]
    assert all('"parallelism" : 3' not in p for p in plans[1:])


def test_runtime_mode_of_the_task(run, port):
    result = port.result(2)
    r = run([DDL[0], {"action": "select", "sql": "SELECT COUNT(*) FROM src", "token": result.token,
                      "config": {"execution.runtime-mode": "batch"}}], config={"execution.runtime-mode": "batch"})
    r.result = result
    r.go().finish()
    assert result.changes() == [("+I", 10)]


def test_failing_replay_is_harmless_until_it_is_needed(run):
    broken = {"action": "replay", "sql": "CREATE VIEW broken AS SELECT * FROM gone"}
    r = run([broken] + DDL + [{"action": "insert", "sql": "INSERT INTO hole SELECT id FROM src", "statement": 9}]).go()
    assert r.task.ok and r.task.done == {9: r.job_id}
    r = run([broken] + DDL + [{"action": "answer", "sql": "SELECT * FROM other_thing", "statement": 9}]).go(400)
    assert "replay" not in r.task.failed[9] and "other_thing" in chain_text(r.task.failed[9])
    r = run([broken] + DDL + [{"action": "insert", "sql": "INSERT INTO hole SELECT id FROM broken", "statement": 9}])
    r.go(400)
    f = r.task.failed[9]
    assert f["replay"] == 1, f
    assert "'broken' not found" in f["chain"][0]["message"] and f["chain"][-1]["message"] == "Object 'gone' not found"
    r = run([{**broken, "action": "execute"}] + DDL).go(400)
    assert list(r.task.failed) == [1] and r.task.begun == [1]


def test_what_was_made_before_what_it_reads(run):
    """A view, and a view over it, whose table was dropped and made anew behind them; the place one is in stays."""
    steps = [{"action": "replay", "sql": "CREATE DATABASE d"}, {"action": "replay", "sql": "USE d"}, {"action": "replay", "sql": "CREATE VIEW v AS SELECT id FROM t"},
             {"action": "replay", "sql": "USE `default_database`"}, {"action": "replay", "sql": "CREATE VIEW w AS SELECT id FROM d.v"}, {"action": "replay", "sql": "CREATE VIEW lost AS SELECT id FROM gone"},
             {"action": "replay", "sql": "CREATE TABLE d.t (id BIGINT) WITH ('connector'='datagen','number-of-rows'='5')"}, DDL[1],
             {"action": "answer", "sql": "SHOW VIEWS", "statement": 9}, {"action": "insert", "sql": "INSERT INTO hole SELECT id FROM w", "statement": 10}]
    r = run(steps).go()
    assert r.task.ok and r.task.answers[9].values() == [("w",)] and r.task.done[10] == r.job_id


def test_nothing_is_written_where_a_lost_catalog_was_meant(run):
    """USE of what is gone fails in the replay; a table of the same name lies in the catalog one is left in."""
    use = {"action": "replay", "sql": "USE CATALOG gone"}
    write = {"action": "insert", "sql": "INSERT INTO hole SELECT id FROM src", "statement": 9}
    r = run(DDL + [use, write]).go(400)
    assert list(r.task.failed) == [9] and r.task.failed[9]["replay"] == 3 and r.task.done == {}
    assert "gone" in chain_text(r.task.failed[9])
    r = run(DDL + [use, {"action": "answer", "sql": "SHOW CATALOGS", "statement": 8},
                   {"action": "replay", "sql": "USE CATALOG default_catalog"}, write]).go()
    assert r.task.ok and r.task.done == {8: "", 9: r.job_id}


def test_deadline(run):
    r = run(DDL + [{"action": "answer", "sql": "EXPLAIN SELECT COUNT(*) FROM src"}] * 20000, deadlineMs=2500)
    for n, s in enumerate(r.document["steps"], 1):
        r.document["steps"][n - 1] = {**s, "statement": n}
    r.go(400)
    assert r.task.ended.wait(60) and r.task.ok is False
    [(n, f)] = r.task.failed.items()
    assert n > 0 and "runner-deadline" in chain_text(f)


def test_sluice_goes_away_while_planning(flink, run):
    """No job is started for somebody who has gone."""
    r = run(DDL + [{"action": "answer", "sql": "EXPLAIN SELECT COUNT(*) FROM src"} for _ in range(20000)]
            + [{"action": "insert", "sql": "INSERT INTO hole SELECT id FROM src"}])
    take = r.port._runner

    def leave(sock, task):
        task.claimed = True
        r.port.send(sock, 0x11, b"\x01" + json.dumps(task.document).encode())
        while r.port.frame(sock)[0] != 0x12:  # until it is at work
            pass
        sock.shutdown(2)
    r.port._runner = leave
    r.go(400)
    r.port._runner = take
    assert "results-lost" in str(r.body)
    assert all(j["jid"] != r.job_id for j in flink.get("/jobs/overview")["jobs"])


def inline(steps):
    doc = {"version": 1, "digest": "sha256:feed", "mode": "session", "config": {}, "steps": steps}
    return base64.b64encode(gzip.compress(json.dumps(doc).encode())).decode()


def test_results_port_out_of_reach(flink):
    args = ["--results", "127.0.0.1:1", "--token", "0" * 64, "--digest", "sha256:feed"]
    status, body = flink.run(args)
    assert status == 400
    a = answered(body)
    assert a["error"] == "results-unreachable" and a["address"] == "127.0.0.1:1" and a["cause"]

    steps = [{"statement": n, **s} for n, s in enumerate(DDL + [{"action": "answer", "sql": "SHOW TABLES"}], 1)]
    a = answered(flink.run(args + ["--inline", inline(steps)])[1])
    assert a == {"statements": [{"statement": 3, "columns": [{"name": "table name", "type": a["statements"][0][
        "columns"][0]["type"]}], "rows": [["hole"], ["src"]]}]}

    steps[2]["sql"] = "DESCRIBE nothing_here"
    a = answered(flink.run(args + ["--inline", inline(steps)])[1])
    assert a["failed"]["statement"] == 3 and "nothing_here" in chain_text(a["failed"]) and a["failed"]["stack"]

    steps[2] = {"statement": 3, "action": "select", "sql": "SELECT id FROM src", "token": "0" * 64}  # its rows have no way
    job = secrets.token_hex(16)
    a = answered(flink.run(args + ["--inline", inline(steps)], job)[1])
    assert a["error"] == "results-unreachable"
    assert all(j["jid"] != job for j in flink.get("/jobs/overview")["jobs"])

    steps[2] = {"statement": 3, "action": "insert", "sql": "INSERT INTO hole SELECT id FROM src"}  # it needs nobody
    status, body = flink.run(args + ["--inline", inline(steps)], job)
    assert status == 200 and body["jobid"] == job
    assert any(j["jid"] == job for j in flink.get("/jobs/overview")["jobs"])


@pytest.mark.parametrize("address", ["localhost", ":1", "[::1]:1", "no_such_host.invalid:1", "127.0.0.1:port"])
def test_addresses_that_lead_nowhere(flink, address):
    a = answered(flink.run(["--results", address, "--token", "0" * 64])[1])
    assert a["error"] == "results-unreachable" and a["address"] == address, a


def test_port_that_accepts_and_hangs_up(flink):
    """As a port-forward does for a port where nobody listens: an answer still comes inline."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        def hang_up():
            while True:
                try:
                    listener.accept()[0].close()
                except OSError:
                    return
        threading.Thread(target=hang_up, daemon=True).start()
        steps = [{"statement": 1, "action": "answer", "sql": "SHOW CURRENT CATALOG"}]
        a = answered(flink.run(["--results", "127.0.0.1:%d" % listener.getsockname()[1], "--token", "0" * 64,
                                "--inline", inline(steps)])[1])
    assert a["statements"][0]["rows"] == [["default_catalog"]]


@pytest.mark.parametrize("change,word", [
    ({"version": 2}, "version 1"), ({"digest": "sha256:other"}, "digest"),
    ({"steps": [{"statement": 1, "action": "dance", "sql": "x"}]}, "dance"),
    ({"steps": [{"statement": 1, "action": "insert"}]}, "no SQL")])
def test_bad_task(run, change, word):
    r = run(DDL)
    r.document.update(change)
    r.go(400)
    assert word in chain_text(r.task.failed[0]) and r.task.ok is False
