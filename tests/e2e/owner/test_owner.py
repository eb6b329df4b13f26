# SPDX-License-Identifier: Apache-2.0
"""The owner of a data folder: many calls at once, what is left of its runs when it is killed, clients that go or stop,
disks that take nothing, its end by command and by itself."""
import concurrent.futures
import glob
import json
import os
import re
import signal
import subprocess
import tempfile
import time

import pytest

import harness
from test_ends import flink_jobs
from test_jobs import BLACKHOLE

ENDLESS = """CREATE TABLE g (k INT, s STRING) WITH ('connector' = 'datagen', 'rows-per-second' = '%d', 'fields.s.length' = '100');
SELECT k, s FROM g;
"""


def owner_pid(sluice):
    found = [p for p in sluice.pids() if re.search(r"sluice\S* owner run", harness.command_line(p))]
    assert len(found) == 1, [harness.command_line(p) for p in found]
    return found[0]


def kill_owner(sluice):
    pid = owner_pid(sluice)
    os.kill(pid, signal.SIGKILL)
    harness.wait_for(lambda: harness.is_dead(pid), 10, "end of the owner")


def rss(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        return int(re.search(r"VmRSS:\s+(\d+)", f.read())[1]) << 10


def all_runs(sluice):
    return json.loads(sluice("job", "ls", "--all", "--json").ok().out)


def records(job):
    return int(job["recordsOut"]) + int(job["recordsIn"])


def test_twenty_at_once(sluice, flink):
    """Each gets its own rows, whatever the others do; one owner serves all."""
    def one(i):
        if i % 4 == 0:
            return i, sluice.run(f"CREATE TABLE t{i} (k INT) WITH ('connector' = 'datagen');\nSHOW TABLES;\n", "--flink", flink, name=f"at-once-{i}.sql")
        return i, sluice.run(f"SET 'execution.runtime-mode' = 'batch';\nSELECT {i} AS i, x FROM (VALUES (1), (2)) AS v(x);\n", "--flink", flink, name=f"at-once-{i}.sql")
    sluice.run("SELECT 1;", "--flink", flink).ok()
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        for i, done in pool.map(one, range(20)):
            rows = [values for _, values in done.ok().rows()]
            expected = [[f"t{i}"]] if i % 4 == 0 else [[str(i), "1"], [str(i), "2"]]
            assert sorted([str(v) for v in row] for row in rows) == expected, f"{i}: {rows}"
    owner_pid(sluice)
    assert not [j for j, s in flink_jobs(sluice).items() if s == "RUNNING"]


def test_the_client_killed_ends_its_select(sluice, flink):
    """Rows flow when the terminal goes: the job has no reader and ends at once."""
    call = sluice.background("run", sluice.script(ENDLESS % 50), "--flink", flink, "-o", "csv")
    call.wait_line(r"^-?\d+,", 60)
    jobs = {j for j, s in flink_jobs(sluice).items() if s == "RUNNING"}
    assert len(jobs) == 1
    call.signal(signal.SIGKILL)
    start = time.monotonic()
    harness.wait_for(lambda: flink_jobs(sluice).get(list(jobs)[0]) == "CANCELED", 20, "CANCELED")
    print(f"canceled {time.monotonic() - start:.1f} s after its client was killed")
    harness.wait_for(lambda: not [r for r in all_runs(sluice) if not r["ended"]], 10, "no run left")


def test_a_client_that_stops_reading_costs_no_memory(sluice, flink):
    """SIGSTOP: rows wait in blocks, on disk up to a quota, then in Flink; never in the owner's memory."""
    call = sluice.background("run", sluice.script(ENDLESS % 10**7), "--flink", flink, "-o", "csv")
    call.wait_line(r"^-?\d+,", 60)
    call.signal(signal.SIGSTOP)
    owner = owner_pid(sluice)
    highest = 0
    for _ in range(20):
        time.sleep(0.5)
        highest = max(highest, rss(owner))
    assert highest < 160 << 20, f"{highest >> 20} MB"
    print(f"owner's RSS at most {highest >> 20} MB")
    other = sluice.run("SELECT 'others' AS a;", "--flink", flink).ok()
    assert other.rows() == [("+I", ["others"])]
    call.signal(signal.SIGKILL)
    call.signal(signal.SIGCONT)
    harness.wait_for(lambda: not [j for j, s in flink_jobs(sluice).items() if s not in ("CANCELED", "FINISHED", "FAILED")], 20, "end of its job")
    spool = os.path.join(sluice.data, "spool")
    harness.wait_for(lambda: not [n for _, _, names in os.walk(spool) for n in names], 10, "an empty spool")


def test_a_second_owner_is_refused(sluice, flink):
    sluice.run("SHOW DATABASES;", "--flink", flink).ok()
    second = sluice("owner", "run", timeout=20)
    assert second.rc == 5 and re.search(r"^error\[busy\]: another process owns ", second.err), str(second)
    sluice("job", "ls").ok()


def test_runs_of_a_killed_owner_are_followed_again(own_sluice, flink):
    """Session mode: the INSERT goes on and is followed, the SELECT is ended, the warm Flink is taken over."""
    sluice = own_sluice
    sluice("run", sluice.script(BLACKHOLE), "-d", "--name", "feeds", "--flink", flink).ok()
    before = sluice.job("feeds")
    reader = sluice.background("run", sluice.script(ENDLESS % 5), "--flink", flink, "-o", "csv")
    reader.wait_line(r"^-?\d+,", 60)
    jvms = set(sluice.jvms())
    kill_owner(sluice)
    gone = reader.finish(20)
    assert gone.rc == 4 and "error[owner]" in gone.err, str(gone)
    after = sluice.job("feeds") # a new owner
    assert after["run"] == before["run"] and after["flinkJob"] == before["flinkJob"]
    assert after["state"] == "RUNNING" and not after["ended"], after
    harness.wait_for(lambda: records(sluice.job("feeds")) > records(after), 20, "more records")
    select = harness.wait_for(lambda: [r for r in all_runs(sluice) if r["kind"] == "SELECT" and r["ended"]], 30, "end of the SELECT's run")[0]
    assert select["state"] in ("CANCELED", "FAILED") and select["error"]["code"] == "owner", select
    assert sluice.run("SELECT 2 AS two;", "--flink", flink).ok().rows() == [("+I", [2])]
    assert set(sluice.jvms()) == jvms, "the warm Flink was not taken over"
    refused = sluice("owner", "stop")
    assert refused.rc == 5 and "error[busy]" in refused.err and "--yes" in refused.err, str(refused)
    sluice("job", "cancel", "feeds").ok()
    assert sluice.job("feeds")["state"] == "CANCELED"
    sluice.stop().ok()


def test_an_application_of_a_killed_owner_is_followed_again(own_sluice, flink):
    """Its cluster does not notice; the next owner follows it, and ends it with all its processes."""
    sluice = own_sluice
    sluice("run", sluice.script(BLACKHOLE), "-d", "--name", "apart", "--mode", "application", "--flink", flink).ok()
    before = sluice.job("apart")
    jvms = set(sluice.jvms())
    kill_owner(sluice)
    time.sleep(2) # nobody looks
    after = sluice.job("apart")
    assert after["run"] == before["run"] and after["state"] == "RUNNING", after
    harness.wait_for(lambda: records(sluice.job("apart")) > records(after), 20, "more records")
    assert set(sluice.jvms()) == jvms
    kill_owner(sluice) # again: what was adopted is adopted
    assert sluice.job("apart")["state"] == "RUNNING"
    sluice("job", "cancel", "apart").ok()
    assert sluice.job("apart")["state"] == "CANCELED"
    harness.wait_for(lambda: not sluice.jvms(), 20, "end of the application's JVMs")
    assert sluice("job", "logs", "apart").ok().out.strip(), "its log is kept"
    sluice.stop().ok()


def test_stop_with_yes_ends_runs_as_canceled(own_sluice, flink):
    sluice = own_sluice
    sluice("run", sluice.script(BLACKHOLE), "-d", "--name", "feeds", "--flink", flink).ok()
    stopped = sluice("owner", "stop", "--yes", timeout=60).ok()
    assert "1 run ended" in stopped.out
    harness.wait_for(lambda: not sluice.pids(), 10, "end of all processes")
    job = sluice.job("feeds") # of a new owner, from its ledger
    assert job["state"] == "CANCELED" and job["ended"], job
    sluice.stop().ok()


def test_told_to_end_but_to_leave_what_runs(own_sluice, flink):
    """local.keep-on-stop: SIGTERM ends the owner alone; the next one follows the job. Without it the job is canceled."""
    sluice = own_sluice
    sluice.env["SLUICE_LOCAL_KEEP_ON_STOP"] = "true"
    sluice("run", sluice.script(BLACKHOLE), "-d", "--name", "stays", "--flink", flink).ok()
    before, jvms, owner = sluice.job("stays"), set(sluice.jvms()), owner_pid(sluice)
    os.kill(owner, signal.SIGTERM)
    harness.wait_for(lambda: owner not in sluice.pids(), 30, "end of the owner")
    assert set(sluice.jvms()) == jvms
    del sluice.env["SLUICE_LOCAL_KEEP_ON_STOP"]
    after = sluice.job("stays") # of a new owner
    assert after["run"] == before["run"] and after["state"] == "RUNNING" and not after["ended"], after
    harness.wait_for(lambda: records(sluice.job("stays")) > records(after), 20, "more records")
    os.kill(owner_pid(sluice), signal.SIGTERM)
    harness.wait_for(lambda: not sluice.pids(), 30, "end of all processes")
    assert sluice.job("stays")["state"] == "CANCELED"
    sluice.stop().ok()


def test_killed_while_a_session_comes_up(own_sluice, flink):
    """The owner dies before the job is made: its call finds the next owner, which goes on, and the job runs once."""
    sluice = own_sluice
    call = sluice.background("run", sluice.script(BLACKHOLE), "-d", "--name", "early", "--flink", flink)
    harness.wait_for(sluice.jvms, 60, "a JVM")
    kill_owner(sluice)
    done = call.finish(60).ok()
    assert "asking the next one" in done.err, str(done)
    assert sluice.job("early")["state"] == "RUNNING"
    assert len([r for r in all_runs(sluice) if not r["ended"]]) == 1, all_runs(sluice)
    refused = sluice("run", sluice.script(BLACKHOLE), "-d", "--name", "early", "--flink", flink)
    assert refused.rc == 5 and "error[job-exists]: early is running (v1, " in refused.err, str(refused)
    assert len([p for p in sluice.jvms() if "SessionClusterEntrypoint" in harness.command_line(p)]) == 1
    sluice("owner", "stop", "--yes", timeout=60).ok()
    harness.wait_for(lambda: not sluice.pids(), 10, "end of all processes")


def test_idle_ends_all_by_itself(own_sluice, flink):
    """Nobody needs it: owner, JVMs, ports and temporary files go; logs of ended clusters stay."""
    sluice = own_sluice
    sluice.env.update(SLUICE_OWNER_IDLE_TIME="1s", SLUICE_LOCAL_IDLE_TIME="2s")
    sluice.run("SELECT 1;", "--flink", flink).ok()
    pids = sluice.pids()
    ports = harness.listening_ports(pids)
    assert ports and sluice.jvms()
    harness.wait_for(lambda: not sluice.pids(), 25, "end by itself")
    left = harness.listening_ports([int(p.split("/")[2]) for p in glob.glob("/proc/[0-9]*")]) & ports
    assert not left, left
    assert not os.listdir(sluice.tmp), os.listdir(sluice.tmp)
    assert not os.path.exists(os.path.join(sluice.data, "sluice.sock"))
    names = [os.path.join(b, n) for b, _, files in os.walk(os.path.join(sluice.data, "clusters")) for n in files]
    assert names and not [n for n in names if n.endswith(".jar")], names
    assert sum(os.path.getsize(n) for n in names) < 2 << 20, names


def mounted(folder, options):
    return subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize("how", ["full", "read-only"])
def test_a_disk_that_takes_nothing(own_sluice, flink, how):
    """One readable line with a cure, exit 6, at once; nothing is left running."""
    sluice = own_sluice
    folder = tempfile.mkdtemp(prefix="sluice-disk-")
    if not mounted(folder, "size=64k"):
        os.rmdir(folder)
        pytest.skip("mounting a tmpfs is not allowed here")
    try:
        if how == "full":
            with open(os.path.join(folder, "fill"), "wb") as f:
                try:
                    f.write(b"x" * (62 << 10))
                    f.flush()
                except OSError:
                    pass
        else:
            subprocess.run(["mount", "-o", "remount,ro", folder], check=True)
        sluice.env["SLUICE_DATA"] = os.path.join(folder, "data")
        done = sluice("run", sluice.script("SELECT 1;"), "--flink", flink, timeout=20)
        assert done.rc == 6 and (done.seconds < 5 or not harness.FULL), str(done)
        first = done.err.strip().splitlines()[0]
        assert re.match(r"error\[(disk-full|io)\]: .*" + re.escape(folder), first), str(done)
        assert "at " + "org." not in done.err and "Exception" not in done.err
        assert not harness.processes(f"SLUICE_DATA={folder}")
    finally:
        subprocess.run(["umount", "-l", folder], check=False)
        os.rmdir(folder)


@pytest.mark.parametrize("size", ["1m", "8m"])
def test_a_disk_with_no_room_for_a_flink(own_sluice, flink, size):
    """The owner comes up; the JVMs have no room, whichever of them notices."""
    sluice = own_sluice
    folder = tempfile.mkdtemp(prefix="sluice-disk-")
    if not mounted(folder, f"size={size}"):
        os.rmdir(folder)
        pytest.skip("mounting a tmpfs is not allowed here")
    try:
        sluice.env["SLUICE_DATA"] = os.path.join(folder, "data")
        done = sluice("run", sluice.script("SELECT 1;"), "--flink", flink, timeout=180)
        assert done.rc == 6 and "error[disk-full]" in done.err, str(done)
        assert "at " + "org." not in done.err, done.err
        sluice("owner", "stop", "--yes", timeout=60)
        harness.wait_for(lambda: not harness.processes(f"SLUICE_DATA={folder}"), 30, "end of all processes")
    finally:
        subprocess.run(["umount", "-l", folder], check=False)
        os.rmdir(folder)


def test_a_disk_that_fills_while_rows_come(own_sluice, flink):
    """The spool's disk is full: the SELECT fails in one line; the next script runs when there is room again."""
    sluice = own_sluice
    os.makedirs(sluice.data)
    if not mounted(sluice.data, "size=160m"):
        pytest.skip("mounting a tmpfs is not allowed here")
    try:
        sluice.run("SELECT 1;", "--flink", flink).ok()
        call = sluice.background("run", sluice.script(ENDLESS % 10**7), "--flink", flink, "-o", "csv")
        call.wait_line(r"^-?\d+,", 60)
        call.signal(signal.SIGSTOP)
        stat = lambda: os.statvfs(sluice.data)
        harness.wait_for(lambda: stat().f_bavail * stat().f_bsize < 1 << 20 or not [j for j, s in flink_jobs(sluice).items() if s == "RUNNING"], 60, "a full disk")
        time.sleep(2)
        call.signal(signal.SIGCONT)
        time.sleep(1)
        call.signal(signal.SIGINT)
        done = call.finish(30)
        assert done.rc in (6, 1, 130), str(done)[-3000:]
        harness.wait_for(lambda: stat().f_bavail * stat().f_bsize > 4 << 20, 20, "room again")
        assert sluice.run("SELECT 2 AS two;", "--flink", flink).ok().rows() == [("+I", [2])]
        sluice("owner", "stop", "--yes", timeout=60).ok()
    finally:
        sluice.kill_rest()
        subprocess.run(["umount", "-l", sluice.data], check=False)
