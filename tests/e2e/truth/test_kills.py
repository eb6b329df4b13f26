# SPDX-License-Identifier: Apache-2.0
"""Flinks of this machine whose JVMs are killed or sleep: what `job show` says, and when, beside what really was so."""
import os
import time

import harness
import pytest
from watch import Watch

# Counts over an endless source; its rows end in files, so that what flows is seen without anybody's word.
COUNTS = """SET 'execution.checkpointing.interval' = '1 s';
CREATE TABLE g (id BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '200');
CREATE TABLE lines (id BIGINT) WITH ('connector' = 'filesystem', 'path' = '%s', 'format' = 'csv', 'sink.rolling-policy.rollover-interval' = '1 s',
  'sink.rolling-policy.check-interval' = '1 s');
INSERT INTO lines SELECT id FROM g;
"""


def rows_flow(folder, seconds=40):
    """Files of the sink grow."""
    def size():
        return sum(os.path.getsize(os.path.join(b, n)) for b, _, names in os.walk(folder) for n in names)
    before = size()
    harness.wait_for(lambda: size() > before, seconds, f"rows in {folder}")


@pytest.fixture
def job(start, sluice, request):
    name = request.node.name.split("[")[0].replace("test_", "").replace("_", "-")
    out = os.path.join(sluice.work, name)
    os.makedirs(out)
    it = start(name, COUNTS % out)
    it.out = out
    return it


def watched(job, **more):
    return Watch(job.sluice, job.name, job.port, job.pids, **more)


def test_taskmanager_killed(job):
    with watched(job) as w:
        w.until(lambda t: t.well, 40, "RUNNING and ok")
        rows_flow(job.out)
        w.mark("TaskManager killed")
        job.kill("taskmanager")
        w.really(lambda x: not x.runs, 60, "the job stands")
        w.until(lambda t: not t.well, 30, "not well")
        w.really(lambda x: x.runs, 90, "the job runs again")
        t = w.until(lambda t: t["state"] == "RUNNING", 60, "RUNNING again")
        assert t["restarts"] >= 1 and t["sight"] == "live"
        rows_flow(job.out)
        w.until(lambda t: t.well, 60, "well again, when the restart is some time ago")


def test_jvms_asleep(job):
    """A closed notebook: both JVMs stop for a while, and go on."""
    with watched(job) as w:
        w.until(lambda t: t.well, 40, "RUNNING and ok")
        w.mark("both JVMs sleep")
        slept = job.sleep()
        try:
            t = w.until(lambda t: not t.well, 30, "not well")
            assert t["state"] not in ("FAILED", "LOST"), str(t)
            t = w.until(lambda t: t["sight"] == "silent", 30, "silent")
            assert t["health"] == "unknown" and t["state"] != "RUNNING", str(t)
            time.sleep(max(0.0, (70 if harness.FULL else 12) - (time.monotonic() - slept)))
            assert w.told[-1]["ended"] is False
        finally:
            w.mark("both wake")
            job.wake()
        w.until(lambda t: t["sight"] == "live", 40, "seen again, by itself")
        w.really(lambda x: x.runs, 90, "the job runs")
        w.until(lambda t: t["state"] == "RUNNING", 60, "RUNNING")
        rows_flow(job.out)


def test_jobmanager_killed(job, mode):
    """Of a session: the cluster ends, and the job with it. Of an application: both JVMs start again from the newest checkpoint."""
    with watched(job) as w:
        w.until(lambda t: t.well and t["lastCheckpoint"] > 0, 40, "RUNNING and ok")
        w.mark("JobManager killed")
        job.kill("jobmanager")
        t = w.until(lambda t: not t.well, 30, "not well")
        if mode == "session":
            t = w.until(lambda t: t["ended"], 60, "the end")
            assert t["state"] == "LOST" and t["health"] == "down" and t["sight"] == "lost", str(t)
            assert "signal 9" in str(t.doc), t.doc
            assert not job.pids()
        else:
            w.really(lambda x: x.runs, 90, "the job runs again")
            t = w.until(lambda t: t["state"] == "RUNNING", 60, "RUNNING again")
            assert t["sight"] == "live" and not t["ended"], str(t)
            rows_flow(job.out)
