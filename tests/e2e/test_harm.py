# SPDX-License-Identifier: Apache-2.0
"""What is done to runs: readers that stop, clients and JVMs that are killed, a million rows. The seed is printed."""
import csv
import json
import os
import random
import re
import signal
import subprocess
import time

import pytest

import harness
from test_ends import flink_jobs
from test_jobs import BLACKHOLE

SEED = int(os.environ.get("SEED", time.time()))
TEN = """CREATE TABLE wide (a BIGINT, b BIGINT, c INT, d INT, e DOUBLE, f DOUBLE, g STRING, h STRING, i DECIMAL(12, 2), j BOOLEAN)
WITH ('connector' = 'datagen', 'rows-per-second' = '100000000', 'number-of-rows' = '%d', 'fields.a.kind' = 'sequence',
      'fields.a.start' = '1', 'fields.a.end' = '%d', 'fields.g.length' = '8', 'fields.h.length' = '12');
SELECT * FROM wide;
"""

# Without an end. (A sequence would be computed whole when the source opens, and 10^9 numbers are too many for it.)
ENDLESS = """CREATE TABLE wide (a BIGINT, b BIGINT, c INT, d INT, e DOUBLE, f DOUBLE, g STRING, h STRING, i DECIMAL(12, 2), j BOOLEAN)
WITH ('connector' = 'datagen', 'rows-per-second' = '100000000', 'fields.g.length' = '8', 'fields.h.length' = '12');
SELECT * FROM wide;
"""


@pytest.fixture(scope="module")
def rng():
    print(f"seed {SEED}   (SEED={SEED} repeats it)")
    return random.Random(SEED)


def task_managers(sluice):
    return [p for p in sluice.jvms() if "TaskManagerRunner" in harness.command_line(p)]


def open_pipe_run(sluice, path, *args):
    """`sluice run` whose stdout nobody reads."""
    read, write = os.pipe()
    err = open(os.path.join(sluice.work, "unread.err"), "wb")
    child = subprocess.Popen([harness.BIN, "run", path, *args], env=sluice.env, cwd=sluice.work, stdin=subprocess.DEVNULL, stdout=write, stderr=err)
    os.close(write)
    err.close()
    return child, read


def test_a_reader_that_stops_harms_nobody(own_sluice, flink):
    """Back-pressure down to the source; then the cancel is quick, the TaskManager and the neighbour live on."""
    sluice = own_sluice
    sluice("run", sluice.script(BLACKHOLE), "-d", "--name", "neighbour", "--flink", flink).ok()
    workers = task_managers(sluice)
    assert workers
    neighbour = set(flink_jobs(sluice))
    child, read = open_pipe_run(sluice, sluice.script(ENDLESS), "--flink", flink, "-o", "csv")
    try:
        mine = harness.wait_for(lambda: {j for j, s in flink_jobs(sluice).items() if s == "RUNNING"} - neighbour, 60, "the SELECT's job")
        time.sleep(300 if harness.FULL else 20)
        assert child.poll() is None
        spool = sum(os.path.getsize(os.path.join(b, n)) for b, _, names in os.walk(sluice.folder) for n in names if os.path.isfile(os.path.join(b, n)))
        assert spool < 2 << 30, f"{spool} bytes on disk for a reader that stands still"
        start = time.monotonic()
        child.send_signal(signal.SIGINT)
        harness.wait_for(lambda: all(flink_jobs(sluice)[j] == "CANCELED" for j in mine), 10, "CANCELED")
        assert time.monotonic() - start < 3, "CANCELED took too long"
    finally:
        os.close(read)
        try:
            child.wait(20)
        except subprocess.TimeoutExpired:
            child.kill()
            raise
    assert task_managers(sluice) == workers, "another TaskManager"
    assert all(flink_jobs(sluice)[j] == "RUNNING" for j in neighbour)
    sluice("job", "cancel", "neighbour").ok()
    sluice.stop()


def test_a_select_without_rows_ends_with_its_client(own_sluice, flink):
    sluice = own_sluice
    call = sluice.background("run", sluice.script("CREATE TABLE g (k INT) WITH ('connector' = 'datagen', 'rows-per-second' = '5', 'fields.k.min' = '1');\nSELECT k FROM g WHERE k = -7;\n"), "--flink", flink)
    job = harness.wait_for(lambda: {j for j, s in flink_jobs(sluice).items() if s == "RUNNING"}, 90, "RUNNING")
    call.signal(signal.SIGKILL)
    start = time.monotonic()
    harness.wait_for(lambda: all(flink_jobs(sluice)[j] in ("CANCELED", "FAILED") for j in job), 20, "end of a job nobody looks at")
    print(f"ended after {time.monotonic() - start:.1f} s")
    sluice.stop()


def test_the_owner_killed_ends_its_selects(own_sluice, flink):
    """No heartbeat, no connection: the push sink fails its task by itself."""
    sluice = own_sluice
    call = sluice.background("run", sluice.script("CREATE TABLE g (k INT) WITH ('connector' = 'datagen', 'rows-per-second' = '5', 'fields.k.min' = '1');\nSELECT k FROM g WHERE k = -7;\n"), "--flink", flink)
    job = harness.wait_for(lambda: {j for j, s in flink_jobs(sluice).items() if s == "RUNNING"}, 90, "RUNNING")
    owner = [p for p in sluice.pids() if re.search(r"sluice\S* owner run", harness.command_line(p))]
    assert owner
    os.kill(owner[0], signal.SIGKILL)
    harness.wait_for(lambda: all(flink_jobs(sluice).get(j) in ("CANCELED", "FAILED") for j in job), 25, "end of the job without its owner")
    done = call.finish(20)
    assert done.rc not in (0, 130), str(done)
    # A new owner finds the warm cluster of the old one, or ends it; nothing is left in any case.
    sluice("job", "ls").ok()
    sluice.stop()


def check_million(path, count):
    with open(path, newline="", encoding="utf-8") as f:
        reader = csv.reader(f)
        assert next(reader)[0] == "a"
        expected = 0
        for row in reader:
            expected += 1
            assert len(row) == 10 and int(row[0]) == expected, f"row {expected}: {row}"
    assert expected == count


def test_a_million_rows_exactly_once(sluice, flink):
    count = 1000000
    path = os.path.join(sluice.work, "million.csv")
    with open(path, "wb") as out:
        child = subprocess.run([harness.BIN, "run", sluice.script(TEN % (count, count)), "--flink", flink, "-o", "csv"], env=sluice.env, cwd=sluice.work,
                               stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.PIPE, timeout=240)
    assert child.returncode == 0, child.stderr.decode()[-3000:]
    check_million(path, count)


def test_killed_in_between_is_partial(own_sluice, flink, rng):
    """The TaskManager dies while rows flow: what came is whole and in order, the result says PARTIAL and how many."""
    sluice = own_sluice
    sluice.run("SELECT 1;", "--flink", flink).ok()
    count = 5000000
    path = sluice.script(TEN % (count, count))
    out_path = os.path.join(sluice.work, "out.jsonl")
    with open(out_path, "wb") as out:
        child = subprocess.Popen([harness.BIN, "run", path, "--flink", flink, "--json"], env=sluice.env, cwd=sluice.work, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.PIPE)
        limit = rng.randrange(1, 60) << 20
        harness.wait_for(lambda: os.path.getsize(out_path) > limit or child.poll() is not None, 120, f"{limit} bytes")
        assert child.poll() is None, "it was done before it could be killed"
        for pid in task_managers(sluice):
            os.kill(pid, signal.SIGKILL)
        _, err = child.communicate(timeout=120)
    with open(out_path, encoding="utf-8") as f:
        events = [json.loads(line) for line in f]
    rows = [e for e in events if e["event"] == "row"]
    assert 0 < len(rows) < count
    assert [int(e["values"][0]) for e in rows] == list(range(1, len(rows) + 1))
    last = events[-1]
    assert last["event"] == "result" and last["ok"] is False and child.returncode == last["exit"] == 1, (last, err)
    result = last["results"][0]
    assert "partial" in json.dumps(last).lower(), last
    assert result["rows"] == len(rows), (result, len(rows))
    sluice.stop()


def test_job_manager_killed_is_noticed(own_sluice, flink):
    """A JVM that dies is noticed at once, in words for people; the next run starts a new one."""
    sluice = own_sluice
    call = sluice.background("run", sluice.script("CREATE TABLE g (k INT) WITH ('connector' = 'datagen', 'rows-per-second' = '5');\nSELECT k FROM g;\n"), "--flink", flink, "-o", "csv")
    call.wait_line(r"^-?\d+$", 90)
    for pid in sluice.jvms():
        if "SessionClusterEntrypoint" in harness.command_line(pid):
            os.kill(pid, signal.SIGKILL)
    start = time.monotonic()
    done = call.finish(30)
    assert done.rc in (1, 4), str(done)
    assert re.search(r"^error\[", done.err, re.M), done.err
    assert time.monotonic() - start < 15
    sluice.run("SELECT 1;", "--flink", flink).ok()
    sluice.stop()
