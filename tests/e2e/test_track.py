# SPDX-License-Identifier: Apache-2.0
"""What is said of a run against what really is so, on a real Flink: every checkpoint written down, a JobManager asleep, a TaskManager killed, a job that restarts, and
logs that outlive their cluster."""
import contextlib
import glob
import json
import os
import re
import shutil
import signal
import sqlite3
import time

import harness
import pytest

STEADY = """SET 'execution.checkpointing.interval' = '{every}';
CREATE TABLE src (id BIGINT, item STRING) WITH ('connector' = 'datagen', 'rows-per-second' = '50', 'fields.item.length' = '1');
CREATE TABLE hole (item STRING, n BIGINT) WITH ('connector' = 'blackhole');
INSERT INTO hole SELECT item, COUNT(*) FROM src GROUP BY item;
"""
# Fails at its first record that is no number, each time it was started.
BROKEN = """SET 'execution.checkpointing.interval' = '500 ms';
SET 'restart-strategy.type' = 'fixed-delay';
SET 'restart-strategy.fixed-delay.attempts' = '1000';
SET 'restart-strategy.fixed-delay.delay' = '1 s';
CREATE TABLE src (id BIGINT, item STRING) WITH ('connector' = 'datagen', 'rows-per-second' = '20', 'fields.item.length' = '3');
CREATE TABLE hole (n INT) WITH ('connector' = 'blackhole');
INSERT INTO hole SELECT CAST(item AS INT) FROM src WHERE item > '1';
"""


def show(sluice, name):
    return json.loads(sluice("job", "show", name, "--json").ok().out)


def is_so(sluice, name, **want):
    now = show(sluice, name)
    return now if all(now[k] == v for k, v in want.items()) else None


def cluster(sluice):
    folder, = [f for f in glob.glob(f"{sluice.data}/clusters/*") if os.path.exists(f"{f}/state.json")]
    with open(f"{folder}/state.json", encoding="utf-8") as f:
        return folder, json.load(f)


@contextlib.contextmanager
def writer_held(sluice):
    """Nobody else writes into the store meanwhile."""
    store = sqlite3.connect(f"{sluice.data}/sluice.db", isolation_level=None)
    try:
        store.execute("BEGIN IMMEDIATE")
        yield
    finally:
        store.rollback()
        store.close()


def rest(sluice, name, path):
    now = show(sluice, name)
    return harness.get(f"{now['rest']}/jobs/{now['flinkJob']}{path}")


@pytest.fixture(scope="module")
def world(request):
    """A data folder whose owner looks every 2 s, ten times as seldom as checkpoints complete."""
    it = harness.Sluice("track", env={"SLUICE_LIMIT_LOOK": "2s"})
    try:
        yield it
        it.stop()
    finally:
        if os.environ.get("E2E_KEEP") != "1":
            it.remove()


def test_every_checkpoint_is_in_the_history(world, flink):
    world("run", world.script(STEADY.format(every="200 ms")), "-d", "--name", "steady", "--flink", flink).ok()
    seconds = 60 if harness.FULL else 12
    time.sleep(seconds)
    world("job", "wait", "steady", "--for", "health=ok", "--timeout", "20s").ok()
    last = rest(world, "steady", "/checkpoints")["latest"]["completed"]["id"]
    now = harness.wait_for(lambda: (lambda j: j if j["lastCheckpoint"] >= last else None)(show(world, "steady")), 20, f"checkpoint {last}")
    assert last > seconds, "there were too few checkpoints to tell"
    assert now["checkpointsNotRecorded"] == 0
    history = json.loads(world("job", "history", "steady", "-n", "1000", "--json").ok().out)
    ids = {s["number"]: s["state"] for s in history["snapshots"] if s["kind"] == "checkpoint"}
    told = {c["id"]: c["status"] for c in rest(world, "steady", "/checkpoints")["history"]}
    done = [i for i in range(1, last + 1) if told.get(i) != "FAILED"]
    missing = [i for i in done if i not in ids]
    assert not missing, f"{len(missing)} of {len(done)} are not in the history: {missing[:20]}"
    assert all(ids[i] in ("completed", "gone") for i in done)
    shown = world("job", "show", "steady").ok().out
    assert re.search(r"^steady +RUNNING, ok for \d+ s +local / session$", shown, re.M), shown
    assert re.search(r"^ checkpoints +every 200 ms, last #[\d,]+ +\d+ s ago, .*; [\d,]+ done, [\d,]+ failed$", shown, re.M), shown
    assert re.search(r"^ restore to +checkpoint #[\d,]+$", shown, re.M), shown
    assert re.search(r"^ restarts +0 in 24 h$", shown, re.M), shown


def test_a_jobmanager_that_sleeps_is_not_seen_and_seen_again(world):
    _, state = cluster(world)
    pid = state["jobmanager"]["pid"]
    os.kill(pid, signal.SIGSTOP)
    try:
        asleep = time.monotonic()
        now = harness.wait_for(lambda: is_so(world, "steady", state="unknown"), 40, "unknown")
        assert (now["health"], now["sight"], now["flinkState"], now["ended"]) == ("unknown", "silent", "RUNNING", False), now
        assert "does not answer" in now["why"]
        assert world("job", "show", "steady", "--check").rc == 4
        assert re.search(r"\d+ unknown \(target local not reachable for ", world("job", "ls").ok().out)
        assert world("job", "wait", "steady", "--for", "health=ok", "--timeout", "1s").rc == 124
        while time.monotonic() - asleep < (60 if harness.FULL else 12):
            assert is_so(world, "steady", state="unknown", ended=False), "silence was taken for more"
            time.sleep(1)
    finally:
        os.kill(pid, signal.SIGCONT)
    harness.wait_for(lambda: is_so(world, "steady", state="RUNNING", sight="live"), 60, "RUNNING again")


def test_a_job_that_restarts_says_why_where_and_what_can_be_done(world, flink):
    script = world.script(BROKEN)
    call = world.background("run", script, "-d", "--name", "broken", "--flink", flink)  # it may never see all tasks run at once
    harness.wait_for(lambda: world("job", "show", "broken").rc == 0, 120, "the job")
    harness.wait_for(lambda: (lambda j: j["restartsRecent"] >= 3 and "cause" in j)(show(world, "broken")), 60, "restarts")
    shown = world("job", "show", "broken").ok().out
    assert re.search(r"^broken +(RESTARTING|STARTING|RUNNING), degraded for \d+ \w+ ", shown, re.M), shown
    assert re.search(r"^ why +restarted \d+ times in \d+ s", shown, re.M), shown
    assert re.search(r"^ cause +.* \[cast-failed\]$", shown, re.M), shown
    assert re.search(r"^ where +\S+\.sql:7:\d+ +INSERT INTO hole$", shown, re.M), shown
    assert re.search(r"^ since +\d\d:\d\d:\d\d UTC", shown, re.M), shown
    assert re.search(r"^ you can +TRY_CAST", shown, re.M) and "sluice job logs broken --errors" in shown, shown
    assert re.search(r"^ Java +NumberFormatException: .* \(\d+ causes?: --stack\)$", shown, re.M), shown
    assert "\tat " not in shown and "\tat " in world("job", "show", "broken", "--stack").ok().out
    assert world("job", "show", "broken", "--check").rc == 1
    assert "NumberFormatException" in world("job", "logs", "broken", "--errors").ok().out
    assert re.search(r"\d+ degraded", world("ps").ok().out)
    world("job", "cancel", "broken", "--yes").ok()
    assert show(world, "broken")["wanted"] == "gone"
    call.finish(60)


def test_a_taskmanager_that_is_killed_is_a_restart_and_no_failure(world):
    _, state = cluster(world)
    os.kill(state["taskmanager"]["pid"], signal.SIGKILL)
    seen = set()

    def recovered():
        now = show(world, "steady")
        seen.add((now["state"], now["health"]))
        assert not now["ended"], now
        return now if now["restarts"] >= 1 and now["state"] == "RUNNING" else None
    now = harness.wait_for(recovered, 120, "RUNNING after a restart")
    assert now["health"] == "degraded" and "restarts" in now["reasons"], now
    assert ("RUNNING", "down") not in seen, seen


def test_a_jobmanager_that_is_killed_is_lost_with_its_evidence(world):
    folder, state = cluster(world)
    with writer_held(world):  # what is seen cannot be written yet: state, error and evidence are of one moment all the same
        os.kill(state["jobmanager"]["pid"], signal.SIGKILL)
        now = harness.wait_for(lambda: is_so(world, "steady", ended=True), 40, "its end")
    assert (now["state"], now["health"]) == ("LOST", "down")
    assert now["error"]["code"] == "run-lost" and "JobManager has ended" in now["error"]["message"], now
    assert now["evidence"]["source"] == "process" and "signal 9" in now["evidence"]["evidence"], now["evidence"]
    assert world("job", "wait", "steady", "--for", "health=ok", "--timeout", "5s").rc == 1
    assert world("job", "wait", "steady", "--for", "ended").rc == 0
    run = now["run"]
    harness.wait_for(lambda: os.path.exists(f"{world.data}/runs/{run}/taskmanager.log"), 20, "the kept logs")
    before = world("job", "logs", "steady", "--tail", "5").ok().out
    shutil.rmtree(folder)
    assert world("job", "logs", "steady", "--tail", "5").ok().out == before and before.count("\n") >= 4
    assert world("job", "logs", "steady", "--tm").ok().out.strip()
    assert not world("job", "logs", "steady", "--since", "1s").ok().out.strip()
