# SPDX-License-Identifier: Apache-2.0
"""Application mode: the task lies in a file beside a JobManager of its own, and Sluice may be away."""
import json
import time

import pytest

from flink_cluster import Cluster, homes
from results_server import ResultsServer
from runner_run import jar

SRC = "CREATE TABLE src (id BIGINT) WITH ('connector'='datagen','number-of-rows'='10','fields.id.kind'='sequence'," \
      "'fields.id.start'='1','fields.id.end'='10')"
ENDLESS = "CREATE TABLE endless (id BIGINT) WITH ('connector'='datagen','rows-per-second'='10')"
HOLE = "CREATE TABLE hole (id BIGINT) WITH ('connector'='blackhole')"


@pytest.fixture(params=sorted(homes()))
def start(request, tmp_path):
    """Starts an application cluster on a task; gives back the cluster, the results port and the task."""
    clusters = []
    port = ResultsServer()

    def go(steps, reachable=True, config=None):
        document = {"version": 1, "digest": "sha256:feed", "mode": "application", "config": config or {},
                    "steps": [{"statement": n, **s} for n, s in enumerate(steps, 1)]}
        task = port.task(document)
        document["results"] = {"address": port.address if reachable else "127.0.0.1:1", "token": task.token}
        file = tmp_path / "task.json"
        file.write_text(json.dumps(document))
        clusters.append(Cluster(homes()[request.param], jar(), ["--task", str(file), "--digest", "sha256:feed"]))
        return clusters[-1], task

    yield go, port
    for c in clusters:
        c.stop()
    port.close()
    assert not port.faults, port.faults


@pytest.mark.parametrize("mode", ["batch", "streaming"])
def test_several_jobs_one_after_the_other(start, mode):
    """An awaited INSERT, an answer and a SELECT whose rows come: all in one main()."""
    go, port = start
    result = port.result(6)
    cluster, task = go([
        {"action": "execute", "sql": SRC}, {"action": "execute", "sql": HOLE},
        {"action": "config", "config": {"pipeline.name": "first"}},
        {"action": "insert", "sql": "INSERT INTO hole SELECT id FROM src", "await": True},
        {"action": "answer", "sql": "SHOW TABLES"},
        {"action": "select", "sql": "SELECT id FROM src", "token": result.token, "await": True,
         "config": {"pipeline.name": "second"}}], config={"execution.runtime-mode": mode})
    cluster.ready()
    assert task.ended.wait(240) and task.ok, task.failed
    assert result.complete and sorted(result.values()) == [(i,) for i in range(1, 11)]
    assert [v[0] for v in task.answers[5].values()] == ["hole", "src"]
    jobs = {j["name"]: j for j in cluster.get("/jobs/overview")["jobs"]}
    assert set(jobs) == {"first", "second"} and all(j["state"] == "FINISHED" for j in jobs.values())
    assert task.done[4] == jobs["first"]["jid"] and task.done[6] == jobs["second"]["jid"]
    assert jobs["second"]["start-time"] >= jobs["first"]["end-time"]


def test_what_a_select_switches_off_is_on_again_for_the_next_job(start):
    """A SELECT runs without restarts and checkpoints; the INSERT after it, which says nothing new, has both."""
    go, port = start
    result = port.result(4)
    cluster, task = go([
        {"action": "execute", "sql": ENDLESS}, {"action": "execute", "sql": HOLE}, {"action": "execute", "sql": SRC},
        {"action": "select", "sql": "SELECT id FROM src", "token": result.token, "await": True},
        {"action": "insert", "sql": "INSERT INTO hole SELECT id FROM endless"}],
        config={"execution.checkpointing.interval": "1 s"})
    cluster.ready()
    assert task.ended.wait(240) and task.ok, task.failed
    assert cluster.get(f"/jobs/{task.done[4]}/checkpoints")["counts"]["total"] == 0
    end = time.monotonic() + 60
    while cluster.get(f"/jobs/{task.done[5]}/checkpoints")["counts"]["completed"] == 0:
        assert time.monotonic() < end, "no checkpoint"
        time.sleep(0.2)


def test_sluice_is_away(start):
    """A production job starts, and restarts, without anybody to report to."""
    go, _ = start
    cluster, task = go([{"action": "replay", "sql": ENDLESS}, {"action": "replay", "sql": HOLE},
                        {"action": "insert", "sql": "INSERT INTO hole SELECT id FROM endless"}], reachable=False)
    cluster.ready()
    [job] = wait_jobs(cluster)
    cluster.wait_state(job["jid"], {"RUNNING"})
    assert not task.claimed


def test_used_token_does_not_stop_the_job(start):
    """main() runs again after a failover: its token is used, and the job matters more."""
    go, port = start
    cluster, task = go([{"action": "replay", "sql": ENDLESS}, {"action": "replay", "sql": HOLE},
                        {"action": "insert", "sql": "INSERT INTO hole SELECT id FROM endless"}])
    task.claimed = True
    cluster.ready()
    [job] = wait_jobs(cluster)
    cluster.wait_state(job["jid"], {"RUNNING"})
    assert port.refused == 1 and task.done == {}


def test_failure_of_an_awaited_job(start):
    go, _ = start
    cluster, task = go([{"action": "replay", "sql": SRC}, {"action": "replay", "sql": HOLE},
                        {"action": "insert", "sql": "INSERT INTO hole SELECT CAST('x' || CAST(id AS STRING) AS BIGINT) "
                                                    "FROM src", "await": True},
                        {"action": "answer", "sql": "SHOW TABLES"}],
                       config={"restart-strategy.type": "none"})
    cluster.ready()
    assert task.ended.wait(240) and task.ok is False
    assert task.done[3] and list(task.failed) == [3] and task.begun == [3]
    assert "x1" in json.dumps(task.failed[3]["chain"])


def wait_jobs(cluster):
    end = time.monotonic() + 240
    while time.monotonic() < end:
        jobs = cluster.get("/jobs/overview")["jobs"]
        if jobs:
            return jobs
        time.sleep(0.1)
    raise AssertionError(cluster.log("jm")[-3000:])
