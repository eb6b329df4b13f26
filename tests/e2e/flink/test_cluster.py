# SPDX-License-Identifier: Apache-2.0
"""Local clusters under their supervisor: what is killed, what goes on, what is left. Real Flinks, the real binary."""
import glob
import json
import os
import re
import signal
import stat
import time
import urllib.request

import harness
import pytest

STREAM = """SET 'execution.checkpointing.interval' = '1 s';
CREATE TABLE g (id BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '50', 'fields.id.kind' = 'sequence', 'fields.id.start' = '1', 'fields.id.end' = '900000');
CREATE TABLE hole (id BIGINT, n BIGINT) WITH ('connector' = 'blackhole');
INSERT INTO hole SELECT MOD(id, 5), COUNT(*) FROM g GROUP BY MOD(id, 5);
"""


def clusters(sluice, kind):
    return sorted(glob.glob(f"{sluice.data}/clusters/{kind}-*"))


def state(folder):
    with open(f"{folder}/state.json", encoding="utf-8") as f:
        return json.load(f)


def spec(folder):
    with open(f"{folder}/cluster.json", encoding="utf-8") as f:
        return json.load(f)


def rest(folder, path):
    return harness.get(spec(folder)["rest"] + path)


def owner(sluice):
    found = [p for p in sluice.pids() if re.search(r"sluice\S* owner run", harness.command_line(p))]
    assert len(found) == 1
    return found[0]


def running(sluice, name):
    return "RUNNING" in json.dumps(sluice.job(name))


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as f:
            return f.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


@pytest.fixture
def session(own_sluice, flink):
    """A warm session, and its folder."""
    own_sluice.run("SELECT 1;", "--flink", flink).ok()
    yield own_sluice, clusters(own_sluice, "session")[-1]


def test_a_session_is_ours_and_stays_on_this_machine(session, flink):
    sluice, folder = session
    settings = {e["key"]: e["value"] for e in rest(folder, "/jobmanager/config")}
    assert settings["sluice.cluster.id"] == os.path.basename(folder) == spec(folder)["id"]
    assert settings["cluster.intercept-user-system-exit"] == "THROW"
    assert settings["web.refresh-interval"] in ("100 ms", "100ms")
    assert settings["classloader.resolve-order"] == "parent-first"
    loopback = {"0100007F", "0000000000000000FFFF00000100007F", "00000000000000000000000001000000"}
    inodes = {os.readlink(fd) for pid in sluice.jvms() for fd in glob.glob(f"/proc/{pid}/fd/*") if os.path.islink(fd)}
    listening = 0
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in open(table, encoding="ascii").readlines()[1:]:
            part = line.split()
            if part[3] == "0A" and f"socket:[{part[9]}]" in inodes:
                listening += 1
                assert part[1].split(":")[0] in loopback, line
    assert listening >= 4
    # the class path is Flink's own jars, the planner unpacked, then the runner
    argv = spec(folder)["jvms"][0]["argv"]
    jars = [os.path.basename(j) for j in argv[argv.index("-cp") + 1].split(":")]
    assert jars[-1] == "sluice-runner.jar" and jars[-2].startswith("flink-table-planner_2.12") and jars[:-2] == sorted(jars[:-2])
    assert any(j.startswith("flink-dist-") for j in jars) and not any("planner-loader" in j for j in jars)
    # nobody else on the machine may read what is in the folder
    assert stat.S_IMODE(os.stat(folder).st_mode) == 0o700
    sluice.stop()
    assert not os.path.exists(f"{folder}/tmp") and not os.path.exists(f"{folder}/upload")


def test_prepared_flink_uses_its_archives(session, flink):
    sluice, folder = session
    for jvm in spec(folder)["jvms"]:
        archive = [a.split("=", 1)[1] for a in jvm["argv"] if a.startswith("-XX:SharedArchiveFile=")]
        assert len(archive) == 1, "no class archive"
        pid = state(folder)[jvm["role"]]["pid"]
        with open(f"/proc/{pid}/maps", encoding="utf-8") as f:
            assert archive[0] in f.read(), f"the archive of the {jvm['role']} is not in use"
    sluice.stop()


def test_task_manager_killed_comes_back(session, flink):
    sluice, folder = session
    first = state(folder)
    os.kill(first["taskmanager"]["pid"], signal.SIGKILL)
    harness.wait_for(lambda: state(folder)["taskmanager"]["restarts"] == 1 and state(folder)["taskmanager"]["running"], 10, "the TaskManager again")
    assert state(folder)["jobmanager"]["start"] == first["jobmanager"]["start"]
    assert sluice.run("SELECT 1;", "--flink", flink, timeout=120).ok().rows() == [("+I", [1])]
    sluice.stop()


def test_supervisor_killed_takes_its_jvms(session, flink):
    sluice, folder = session
    before = state(folder)
    jvms = [before["jobmanager"]["pid"], before["taskmanager"]["pid"]]
    assert all(alive(p) for p in jvms)
    os.kill(before["pid"], signal.SIGKILL)
    harness.wait_for(lambda: not any(alive(p) for p in jvms), 5, "end of the JVMs")
    sluice.run("SELECT 1;", "--flink", flink).ok()  # a new session
    assert len(clusters(sluice, "session")) == 2
    sluice.stop()


def test_owner_killed_session_is_adopted(own_sluice, flink):
    sluice = own_sluice
    sluice("run", sluice.script(STREAM), "-d", "--name", "lasting", "--flink", flink).ok()
    harness.wait_for(lambda: running(sluice, "lasting"), 60, "RUNNING")
    folder, = clusters(sluice, "session")
    before = state(folder)
    os.kill(owner(sluice), signal.SIGKILL)
    harness.wait_for(lambda: running(sluice, "lasting"), 60, "RUNNING under a new owner")
    assert state(folder)["jobmanager"]["pid"] == before["jobmanager"]["pid"]
    sluice.run("SELECT 1;", "--flink", flink).ok()
    assert clusters(sluice, "session") == [folder], "the session left behind was not taken over"
    sluice("job", "cancel", "lasting", "--yes").ok()
    sluice.stop()
    assert not alive(before["jobmanager"]["pid"]) and not alive(before["taskmanager"]["pid"])


def test_application_goes_on_from_its_checkpoint_without_sluice(own_sluice, flink):
    sluice = own_sluice
    sluice("run", sluice.script(STREAM), "-d", "--name", "lasting", "--mode", "application", "--flink", flink).ok()
    harness.wait_for(lambda: running(sluice, "lasting"), 60, "RUNNING")
    folder, = clusters(sluice, "app")
    job = spec(folder)["jobId"]
    assert job, "this application would not be started again"
    harness.wait_for(lambda: rest(folder, f"/jobs/{job}/checkpoints")["counts"]["completed"] >= 2, 60, "checkpoints")
    os.kill(owner(sluice), signal.SIGKILL)
    first = state(folder)
    os.kill(first["jobmanager"]["pid"], signal.SIGKILL)

    def resumed():
        try:
            return (rest(folder, f"/jobs/{job}/checkpoints").get("latest") or {}).get("restored")
        except (OSError, urllib.request.HTTPError):
            return None
    restored = harness.wait_for(resumed, 90, "the job from its checkpoint")
    assert re.search(rf"{job}/chk-\d+$", restored["external_path"]), restored
    harness.wait_for(lambda: rest(folder, f"/jobs/{job}")["state"] == "RUNNING", 60, "RUNNING")
    assert state(folder)["jobmanager"]["start"] != first["jobmanager"]["start"]
    harness.wait_for(lambda: running(sluice, "lasting"), 60, "RUNNING for the next owner")
    sluice("job", "cancel", "lasting", "--yes").ok()
    harness.wait_for(lambda: "CANCELED" in json.dumps(sluice.job("lasting")), 30, "CANCELED")
    sluice.stop()


def test_flink_that_does_not_start(own_sluice, flink):
    """A Java that only says no: one readable line, nothing left running."""
    home = os.path.join(own_sluice.folder, "jdk")
    os.makedirs(f"{home}/bin")
    with open(f"{home}/release", "w", encoding="ascii") as f:
        f.write('JAVA_VERSION="17.0.99"\n')
    with open(f"{home}/bin/java", "w", encoding="ascii") as f:
        f.write("#!/bin/sh\necho 'Error: the moon is in the wrong place' >&2\nexit 1\n")
    os.chmod(f"{home}/bin/java", 0o755)
    start = time.monotonic()
    done = own_sluice("run", own_sluice.script("SELECT 1;"), "--flink", flink, env={"JAVA_HOME": home})
    assert done.rc == 6, str(done)
    errors = [line for line in done.err.splitlines() if line.startswith("error[")]
    assert len(errors) == 1 and "flink-start" in errors[0] and "ended with exit code 1" in errors[0], done.err
    assert time.monotonic() - start < 60 or not harness.FULL
    assert not own_sluice.jvms()
    logs = glob.glob(f"{own_sluice.data}/clusters/*/log/jobmanager.out")
    assert any("the moon" in open(path, encoding="utf-8").read() for path in logs)
