# SPDX-License-Identifier: Apache-2.0
"""Starts that go wrong, and clusters that nobody wants: the owner killed while an application comes up, a port that another
program takes first, a cluster without owner and job."""
import glob
import json
import os
import re
import shutil
import signal

import harness
import pytest
from test_cluster import clusters, owner, spec
from test_jobs import BLACKHOLE


def runs(sluice):
    return json.loads(sluice("job", "ls", "--all", "--json").ok().out)


def test_owner_killed_while_an_application_comes_up(own_sluice, flink):
    """Its folder was written down before it was made: the next owner finds it, and there is one run, not two."""
    sluice = own_sluice
    call = sluice.background("run", sluice.script(BLACKHOLE), "-d", "--name", "early", "--mode", "application", "--flink", flink)
    harness.wait_for(lambda: clusters(sluice, "app") and sluice.jvms(), 180, "a JVM of the application")
    pid = owner(sluice)
    os.kill(pid, signal.SIGKILL)
    call.finish(30)
    harness.wait_for(lambda: sluice.job("early")["state"] == "RUNNING", 120, "RUNNING for the next owner")
    folder, = clusters(sluice, "app")
    job = sluice.job("early")
    assert [r["run"] for r in runs(sluice)] == [job["run"]]
    jobs = harness.get(spec(folder)["rest"] + "/jobs/overview")["jobs"]
    assert [j["jid"] for j in jobs] == [job["flinkJob"]] == [job["run"]]
    refused = sluice("run", sluice.script(BLACKHOLE), "-d", "--name", "early", "--mode", "application", "--flink", flink).ok(5)
    assert "error[job-exists]" in refused.err
    sluice("job", "cancel", "early").ok()
    assert sluice.job("early")["state"] == "CANCELED"
    harness.wait_for(lambda: not sluice.jvms(), 30, "end of its JVMs")
    sluice.stop()


def test_a_cluster_that_nobody_owns_ends(flink):
    """Killed with an idle session: the JVMs end by themselves, and their folder is tidy."""
    sluice = harness.Sluice("orphan", {"SLUICE_LIMIT_LOCAL_ORPHAN": "4s"})
    try:
        sluice("flink", "install", flink, timeout=900).ok()
        sluice.run("SELECT 1;", "--flink", flink).ok()
        folder, = clusters(sluice, "session")
        assert len(sluice.jvms()) == 2
        os.kill(owner(sluice), signal.SIGKILL)
        harness.wait_for(lambda: not sluice.pids(), 60, "end of the supervisor and its JVMs")
        with open(f"{folder}/state.json", encoding="utf-8") as f:
            assert "it had no owner and no job" in f.read()
        sluice.run("SELECT 1;", "--flink", flink).ok()  # and a new one comes up
        assert folder not in [p for p in clusters(sluice, "session") if os.path.exists(f"{p}/lock")]
        sluice.stop()
    finally:
        sluice.remove()


WRAPPER = """#!/usr/bin/env python3
# The first JobManager finds its REST port taken by another program.
import os, re, socket, sys
real = %r
conf = [sys.argv[i + 1] for i, a in enumerate(sys.argv) if a == "--configDir"]
mark = %r
if conf and any("ClusterEntrypoint" in a for a in sys.argv) and not any("ArchiveClassesAtExit" in a for a in sys.argv) and not os.path.exists(mark):
    port = int(re.search(r"^rest\\.port: *['\\"]?(\\d+)", open(os.path.join(conf[0], "config.yaml")).read(), re.M)[1])
    s = socket.socket()
    s.bind(("127.0.0.1", port))
    s.listen()
    os.set_inheritable(s.fileno(), True)
    open(mark, "w").write(str(port))
os.execv(real, [real] + sys.argv[1:])
"""


@pytest.mark.full
def test_a_port_that_is_taken_first(flink):
    """Between asking for a free port and using it another program took it: the start is made again with others."""
    sluice = harness.Sluice("port")
    try:
        real = os.path.realpath(shutil.which("java"))
        home, mark = os.path.join(sluice.folder, "jdk"), os.path.join(sluice.folder, "taken")
        os.makedirs(f"{home}/bin")
        shutil.copy(os.path.join(os.path.dirname(os.path.dirname(real)), "release"), home)
        with open(f"{home}/bin/java", "w", encoding="ascii") as f:
            f.write(WRAPPER % (real, mark))
        os.chmod(f"{home}/bin/java", 0o755)
        sluice.env["JAVA_HOME"] = home
        done = sluice("run", sluice.script("SELECT 1;\n"), "--flink", flink, "-o", "csv", timeout=400).ok()
        assert done.out.splitlines()[-1] == "1"
        with open(mark, encoding="ascii") as f:
            taken = int(f.read())
        assert glob.glob(f"{sluice.data}/clusters/session-*") and spec(clusters(sluice, "session")[-1])["rest"] != f"http://127.0.0.1:{taken}"
        sluice.stop()
    finally:
        sluice.remove()


SLEEPER = """#!/bin/sh
# A Java whose Flink never comes up.
case "$*" in
*ArchiveClassesAtExit*) exit 1 ;;
*Cluster[Ee]ntry[Pp]oint*|*TaskManagerRunner*) exec sleep 600 ;;
esac
exec %s "$@"
"""


@pytest.mark.parametrize("how", ["session", "application"])
def test_ctrl_c_while_a_flink_comes_up(own_sluice, flink, how):
    """Nobody has to wait for a start that is not wanted any more; nothing of it is left."""
    real = os.path.realpath(shutil.which("java"))
    home = os.path.join(own_sluice.folder, "jdk")
    os.makedirs(f"{home}/bin")
    shutil.copy(os.path.join(os.path.dirname(os.path.dirname(real)), "release"), home)
    with open(f"{home}/bin/java", "w", encoding="ascii") as f:
        f.write(SLEEPER % real)
    os.chmod(f"{home}/bin/java", 0o755)
    own_sluice.env["JAVA_HOME"] = home
    own_sluice("flink", "install", flink, env={"JAVA_HOME": ""}, timeout=900).ok()
    call = own_sluice.terminal("run", own_sluice.script("SELECT 1;\n"), "--mode", how, "--flink", flink)

    def jvms():
        return [p for p in own_sluice.pids() if "sleep 600" in harness.command_line(p)]
    harness.wait_for(jvms, 60, "a start that takes long")
    call.type("\x03")
    done = call.finish(10)
    assert done.rc == 130, str(done)
    assert re.search(r"^\^C\nstopped while Flink [\d.]+ was starting\n", done.out, re.M), repr(done.out)
    assert not jvms()
    if how == "application":  # its run was written down before
        assert [r["state"] for r in runs(own_sluice)] == ["CANCELED"]
    own_sluice.stop()
