# SPDX-License-Identifier: Apache-2.0
"""A Flink that Sluice did not start, behind a proxy that goes wrong. The job runs all the while: silence is never FAILED, what is
not Flink's word is never believed, another one's word neither, and sight returns by itself when the answers do."""
import glob
import json
import os
import signal
import time

import harness
import pytest
import real
from watch import Watch

JOB = """SET 'execution.checkpointing.interval' = '1 s';
CREATE TABLE g (id BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '50');
CREATE TABLE hole (id BIGINT) WITH ('connector' = 'blackhole');
INSERT INTO hole SELECT id FROM g;
"""
# What the proxy does, and whether a person can still be told RUNNING: the answers are right but for their type.
SILENT = ["hang", "refuse", "cut", "garbage", "html", "endless", "swap"]
MORE = ["reset", "stall", "drip", "empty", "nothing", "noise", "gateway", "denied", "deep"]
REPLAYED = ["replay"]


def owner(sluice):
    return next(p for p in sluice.pids() if " owner run" in harness.command_line(p))


def begin(sluice, flink, name, slots=1):
    text = f"SET 'pipeline.name' = '{name}';\nSET 'parallelism.default' = '{slots}';\n{JOB}"
    sluice("run", sluice.script(text, f"{name}.sql"), "-d", "--name", name, "--target", "far", "--flink", flink).ok()
    return name


@pytest.fixture(scope="session")
def far_job(sluice, proxy, flink):
    """One job for all the faults that it survives."""
    return begin(sluice, flink, "far-job")


def watched(sluice, name, foreign):
    return Watch(sluice, name, lambda: foreign.port, lambda: [p.pid for p in (foreign.jm, foreign.tm)])


@pytest.mark.parametrize("fault", SILENT + REPLAYED + [pytest.param(f, marks=pytest.mark.full) for f in MORE])
def test_answers_that_are_none(sluice, far_job, foreign, proxy, fault):
    with watched(sluice, far_job, foreign) as w:
        w.until(lambda t: t["state"] == "RUNNING" and t["sight"] == "live", 40, "RUNNING")
        before = real.rss(owner(sluice))
        w.mark(f"the proxy begins: {fault}")
        proxy.go(fault)
        try:
            t = w.until(lambda t: t["sight"] != "live", 30, "no sight")
            assert t["state"] == "unknown" and t["health"] == "unknown" and not t["ended"], str(t)
            assert t["why"], t.doc
            time.sleep(20 if harness.FULL else 2)
            assert all(x["state"] == "unknown" for x in w.told[-3:] if x.asked > t.at), w.timeline()
            if fault == "endless":
                assert proxy.sent < 10 << 30 and real.rss(owner(sluice)) < before + (200 << 20)
        finally:
            w.mark("the proxy is well")
            proxy.go("pass")
        t = w.until(lambda t: t["sight"] == "live", 30, "seen again, by itself")
        assert t["state"] == "RUNNING" and t["health"] == "ok", str(t)
        assert all(x.runs for x in w.truth if x.state), "the job itself was to run all the while"


def test_another_flink_answers(sluice, far_job, foreign, proxy, start):
    """The address leads to another Flink for a while, longer than a restarted JobManager may take to know its job."""
    other = start("neighbour", JOB)
    with watched(sluice, far_job, foreign) as w:
        w.until(lambda t: t.well, 40, "RUNNING and ok")
        w.mark("another Flink answers")
        proxy.go("pass", other.port())
        try:
            t = w.until(lambda t: t["sight"] != "live", 30, "no sight")
            assert t["state"] == "unknown" and not t["ended"], str(t)
            time.sleep(40 if harness.FULL else 12)
            t = w.told[-1]
            assert t["state"] == "unknown" and t["health"] == "unknown" and not t["ended"], str(t)
        finally:
            w.mark("its own again")
            proxy.go("pass", foreign.port)
        t = w.until(lambda t: t["sight"] == "live", 30, "seen again, by itself")
        assert t["state"] == "RUNNING" and t["ended"] is False, str(t)


BATCH = """SET 'execution.runtime-mode' = 'batch';
SET 'pipeline.name' = '%s';
CREATE TABLE kept (k INT) WITH ('connector' = 'filesystem', 'path' = '%s', 'format' = 'csv');
INSERT INTO kept SELECT x FROM (VALUES (1), (2), (3), (4), (5)) AS v(x);
"""
SPOILT = ["unsent", "cut", "html", "gateway"]


@pytest.mark.parametrize("fault", SPOILT + [pytest.param(f, marks=pytest.mark.full) for f in ("reset", "garbage", "nothing", "empty", "noise")])
def test_the_answer_to_a_submission_is_spoilt(sluice, flink, foreign, proxy, fault):
    """Whether Flink took the job is not known then: it is asked, and the job runs once, proved by its rows."""
    name, out = f"spoilt-{fault}", os.path.join(sluice.work, f"spoilt-{fault}")
    before = proxy.spoilt
    proxy.spoil("POST", "/run", fault)
    done = sluice("run", sluice.script(BATCH % (name, out), f"{name}.sql"), "--name", name, "--target", "far", "--flink", flink)
    assert proxy.spoilt == before + 1, str(done)
    assert done.rc == 0, str(done)
    rows = [x for path in glob.glob(f"{out}/*") if not os.path.basename(path).startswith((".", "_")) for x in open(path, encoding="ascii").read().split()]
    assert sorted(rows) == ["1", "2", "3", "4", "5"], rows
    theirs = [j for j in foreign.get("/jobs/overview")["jobs"] if j["name"] == name]
    assert [j["state"] for j in theirs] == ["FINISHED"], theirs
    told = sluice.job(name)
    assert told["state"] == "FINISHED" and told["run"] == theirs[0]["jid"], told


def test_stopped_while_the_answer_to_its_submission_is_lost(sluice, flink, foreign, proxy):
    """Ctrl-C comes while Flink's answer is under way, and that never arrives: what it took is canceled, and CANCELED is said of nothing that runs."""
    name, before = "unwanted", proxy.spoilt
    proxy.spoil("POST", "/run", "held")
    text = ("SET 'pipeline.name' = 'unwanted';\nCREATE TABLE g (k INT) WITH ('connector' = 'datagen', 'rows-per-second' = '1');\n"
            "CREATE TABLE hole (k INT) WITH ('connector' = 'blackhole');\nINSERT INTO hole SELECT k FROM g;\n")
    call = sluice.background("run", sluice.script(text, f"{name}.sql"), "--name", name, "--target", "far", "--flink", flink)
    harness.wait_for(lambda: proxy.spoilt > before, 60, "the request")
    harness.wait_for(lambda: [j for j in foreign.get("/jobs/overview")["jobs"] if j["name"] == name], 60, "the job")
    call.signal(signal.SIGINT)
    time.sleep(2)
    proxy.let_go.set()
    done = call.finish(60)
    assert done.rc == 130, str(done)
    theirs = [j["state"] for j in foreign.get("/jobs/overview")["jobs"] if j["name"] == name]
    assert theirs == [sluice.job(name)["state"]], (theirs, str(done))
    assert theirs == ["CANCELED"] or "left" in done.err, (theirs, str(done))  # Ctrl-C came when it had been submitted
    sluice("job", "cancel", name, "--yes")


ROWS = """CREATE TABLE g (id BIGINT) WITH ('connector' = 'datagen', 'fields.id.kind' = 'sequence', 'fields.id.start' = '1', 'fields.id.end' = '5');
SELECT id FROM g;
"""


@pytest.mark.parametrize("fault", ["cut", "unsent", pytest.param("html", marks=pytest.mark.full)])
def test_the_answer_to_a_select_is_spoilt(sluice, flink, proxy, fault):
    """Its rows come another way: they are all there. What Flink never heard of is said at once."""
    before = proxy.spoilt
    proxy.spoil("POST", "/run", fault)
    done = sluice.run(ROWS, "--target", "far", "--flink", flink)
    assert proxy.spoilt == before + 1, str(done)
    if done.rc == 4:  # a connection that was kept is tried again by itself, a fresh one is not
        assert fault == "unsent" and not done.rows(1) and "target-unreachable" in done.out, str(done)
        return
    assert done.rc == 0 and done.rows(1) == [("+I", [str(i)]) for i in range(1, 6)], str(done)
    last = json.loads(sluice("job", "ls", "--all", "--json").ok().out)
    state = next(r["state"] for r in last if r["run"] == next(e["run"] for e in done.events if e["event"] == "step" and e["step"] == "submit"))
    assert state == "FINISHED", last


@pytest.mark.parametrize("fault", ["html", "cut", pytest.param("gateway", marks=pytest.mark.full), pytest.param("reset", marks=pytest.mark.full)])
def test_the_answer_to_a_stop_is_spoilt(sluice, flink, foreign, proxy, fault):
    """Flink has taken it on: it is asked again under the same id, and the job ends with its savepoint."""
    name, where = begin(sluice, flink, f"stop-{fault}"), os.path.join(sluice.work, f"stop-{fault}")
    before = proxy.spoilt
    proxy.spoil("POST", "/stop", fault)
    done = sluice("job", "stop", name, "--savepoint-dir", where, "--json").ok()
    assert proxy.spoilt == before + 1, str(done)
    path = json.loads(done.out)["savepoints"][0]["path"].replace("file:", "")
    assert path.startswith(where) and os.path.exists(f"{path}/_metadata") and len(os.listdir(where)) == 1, path
    assert foreign.get(f"/jobs/{sluice.job(name)['run']}")["state"] == "FINISHED"


def test_taskmanager_gone_and_back(sluice, far_job, foreign, proxy):
    """Nobody starts it again: the job waits for slots, and says so."""
    with watched(sluice, far_job, foreign) as w:
        w.until(lambda t: t["state"] == "RUNNING" and t["sight"] == "live", 40, "RUNNING")
        w.mark("TaskManager killed")
        foreign.kill("tm")
        w.really(lambda x: not x.runs, 60, "the job stands")
        t = w.until(lambda t: not t.well, 30, "not well")
        assert not t["ended"] and t["sight"] == "live", str(t)
        t = w.until(lambda t: t["state"] in ("RESTARTING", "STARTING") and t["health"] == "degraded", 30, "it waits")
        w.mark("a TaskManager again")
        foreign.again("tm")
        w.really(lambda x: x.runs, 90, "the job runs again")
        t = w.until(lambda t: t["state"] == "RUNNING", 40, "RUNNING again")
        w.until(lambda t: t.well, 60, "well, when the restart is some time ago")


def test_both_asleep(sluice, far_job, foreign, proxy):
    with watched(sluice, far_job, foreign) as w:
        w.until(lambda t: t["state"] == "RUNNING" and t["sight"] == "live", 60, "RUNNING")
        w.mark("JobManager and TaskManager sleep")
        foreign.sleep()
        try:
            t = w.until(lambda t: t["sight"] != "live", 30, "no sight")
            assert t["state"] == "unknown" and t["health"] == "unknown", str(t)
            time.sleep(70 if harness.FULL else 3)
            assert not w.told[-1]["ended"]
        finally:
            w.mark("both wake")
            foreign.wake()
        w.until(lambda t: t["sight"] == "live", 40, "seen again, by itself")
        w.really(lambda x: x.runs, 90, "the job runs")
        w.until(lambda t: t["state"] == "RUNNING", 60, "RUNNING")


def test_old_generation(sluice, far_job, foreign, proxy):
    """The JobManager is killed and another life of it knows no job. Before that is seen, what it said earlier is repeated by
    something in between: that is nobody's word. Then the new one is heard, and the job is lost."""
    with watched(sluice, far_job, foreign) as w:
        w.until(lambda t: t["state"] == "RUNNING" and t["sight"] == "live", 60, "RUNNING")
        w.mark("JobManager killed; its answers are repeated")
        proxy.go("replay")
        foreign.kill("jm")
        foreign.again("jm")
        t = w.until(lambda t: t["sight"] != "live", 30, "no sight")
        assert t["state"] == "unknown" and not t["ended"], str(t)
        harness.wait_for(lambda: reachable(foreign), 60, "the new JobManager")
        assert w.told[-1]["state"] == "unknown" and w.told[-1]["health"] == "unknown", str(w.told[-1])
        w.mark("the new one is heard")
        proxy.go("pass")
        t = w.until(lambda t: t["ended"], 90, "the end")
        assert t["state"] == "LOST" and t["health"] == "down", str(t)
        assert t["sight"] == "lost"


def reachable(foreign):
    try:
        return foreign.get("/overview")
    except OSError:
        return None


def free_slots(foreign):
    return (reachable(foreign) or {}).get("slots-available", 0)


@pytest.mark.full
def test_too_few_slots(sluice, flink, foreign, proxy):
    """The first job takes all that are free, and a second one finds none: Flink calls it RUNNING, we do not. When the first goes, it starts by itself."""
    free = harness.wait_for(lambda: free_slots(foreign), 90, "a free slot")
    begin(sluice, flink, "first-of-two", free)
    assert free_slots(foreign) == 0
    name = "second-of-two"
    call = sluice.background("run", sluice.script(f"SET 'pipeline.name' = '{name}';\n{JOB}", f"{name}.sql"), "-d", "--name", name, "--target", "far", "--flink", flink)
    call.wait_line("waiting for 1 slot: 0 of 4 free on far", stream="err")
    with watched(sluice, name, foreign) as w:
        t = w.until(lambda t: t["health"] == "degraded" and "slot" in t["why"], 40, "degraded: no slot")
        assert t["state"] in ("STARTING", "RESTARTING") and t["sight"] == "live", str(t)
        w.stay(5)
        assert all(x["state"] != "RUNNING" for x in w.told), w.timeline()
        w.mark("the first one ends")
        sluice("job", "cancel", "first-of-two", "--yes").ok()
        w.really(lambda x: x.runs, 60, "it runs")
        t = w.until(lambda t: t["state"] == "RUNNING" and t["sight"] == "live", 40, "RUNNING")
    call.finish(60).ok()
    sluice("job", "cancel", name, "--yes").ok()


def test_a_select_that_has_its_rows_is_canceled_however_late_the_request_comes(sluice, foreign, proxy, flink):
    """Its sink must not be told to stop before Flink knows that the job is to end: it would be FAILED."""
    text = "CREATE TABLE g (id BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '50');\nSELECT id FROM g;\n"
    before = {job["id"] for job in foreign.get("/jobs")["jobs"]}
    spoilt = proxy.spoilt
    proxy.spoil("PATCH", "/jobs/", "late")
    done = sluice("run", sluice.script(text, "enough.sql"), "--target", "far", "--flink", flink, "--rows", "5", "-o", "csv").ok()
    assert proxy.spoilt == spoilt + 1 and len(done.out.split()) == 6, str(done)
    ends = {job["status"] for job in foreign.get("/jobs")["jobs"] if job["id"] not in before}
    assert "CANCELED" in ends and ends <= {"CANCELED", "FINISHED"}, ends  # the look whether rows can come back is a job that finishes
