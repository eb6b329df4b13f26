# SPDX-License-Identifier: Apache-2.0
"""A Flink that others have started, as a target: a stock session cluster by its address."""
import base64
import http.client
import http.server
import json
import os
import re
import signal
import socket
import ssl
import stat
import subprocess
import sys
import threading
import time
import urllib.request
import zipfile

import pytest

import harness

sys.path.insert(0, os.path.join(harness.ROOT, "tests"))
import stock  # noqa: E402
from server import Server  # noqa: E402

SLOTS = 2
COUNT = """CREATE TABLE g (id BIGINT) WITH ('connector' = 'datagen', 'number-of-rows' = '5',
  'fields.id.kind' = 'sequence', 'fields.id.start' = '1', 'fields.id.end' = '5');
SELECT id, id * 2 AS d FROM g;
"""
LIVE = """CREATE TABLE g (id BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '10');
CREATE TABLE k (id BIGINT) WITH ('connector' = 'blackhole');
INSERT INTO k SELECT id FROM g;
"""


@pytest.fixture(scope="module")
def foreign(flink):
    it = stock.StockCluster(harness.PATCH[flink], slots=SLOTS, extra={"web.refresh-interval": "200 ms", "web.checkpoints.history": "3"})
    try:
        it.start_cluster()
        it.wait_cluster()
        yield it
    finally:
        it.stop()


@pytest.fixture(scope="module")
def home():
    it = harness.Sluice("targets")
    try:
        yield it
    finally:
        try:
            if os.path.isdir(it.data):
                it("owner", "stop", "--yes", timeout=60)
        finally:
            it.remove()


@pytest.fixture(scope="module")
def prod(home, foreign):
    """Runs sluice; the target `prod` is the foreign cluster."""
    home("target", "add", "prod", "--url", foreign.rest("/")).ok()
    return home


def overview(foreign):
    return harness.get(foreign.rest("/overview"))


def slots_are_free(foreign):
    harness.wait_for(lambda: overview(foreign)["slots-available"] == SLOTS, 15, "all slots free")


def closed_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@pytest.fixture
def silent():
    """An address that takes no connection and refuses none: its queue is full."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(0)
    clients = []
    for _ in range(8):
        c = socket.socket()
        c.setblocking(False)
        c.connect_ex(listener.getsockname())
        clients.append(c)
    time.sleep(0.2)
    yield f"127.0.0.1:{listener.getsockname()[1]}"
    for c in [*clients, listener]:
        c.close()


def test_names_and_addresses_are_checked(home):
    for words, code, said in [
            (["add", "local", "--url", "http://h"], 2, "called local"),
            (["add", "a b", "--url", "http://h"], 2, "name"),
            (["add", "x", "--url", "ftp://h"], 2, "--url"),
            (["add", "x", "--url", "http://u:hidden-word@h:1"], 2, "--user"),
            (["add", "x", "--url", "http://h:1", "--user", "nobody"], 2, "--user"),
            (["add", "x", "--url", "http://h:1", "--header", "no colon hidden-word"], 2, "--header"),
            (["add", "x", "--url", "http://h:1", "--ca", "/no/such/file"], 2, "/no/such/file"),
            (["use", "x"], 2, "target-unknown"), (["rm", "x"], 2, "target-unknown"), (["show", "x"], 2, "target-unknown"), (["test", "x"], 2, "target-unknown")]:
        done = home("target", *words).ok(code)
        assert said in done.err and "hidden-word" not in done.err + done.out, str(done)
    home("target", "add", "twice", "--url", "http://127.0.0.1:1").ok()
    assert "target-exists" in home("target", "add", "twice", "--url", "http://127.0.0.1:2").ok(5).err
    home("target", "rm", "twice").ok()
    assert [t["name"] for t in json.loads(home("target", "ls", "--json").ok().out)] == ["local"]


def test_who_asks_a_deaf_target_makes_nobody_wait(home, silent):
    """Five who ask at once have their answer when one alone has it, not one after the other."""
    home("target", "add", "deaf", "--url", f"http://{silent}").ok()
    alone = home("target", "test", "deaf").ok(4)
    assert "target-unreachable" in alone.err, str(alone)
    began = time.monotonic()
    for call in [home.background("target", "test", "deaf") for _ in range(5)]:
        done = call.finish(120)
        assert done.rc == 4 and "target-unreachable" in done.err, str(done)
    took = time.monotonic() - began
    assert took < 3 * alone.seconds, f"{took:.1f} s, alone {alone.seconds:.1f} s"
    home("target", "rm", "deaf").ok()


def test_what_a_target_tells(prod, flink):
    port = closed_port()
    done = prod("target", "test", "prod", "--flink", flink, "--connect", f"127.0.0.1:{port}", "--connect", "no-such-host.invalid:9", "--json").ok(4)
    said = json.loads(done.out)["findings"]
    assert [(f["finding"], f["ok"]) for f in said] == [("rest", True), ("flink", True), ("slots", True), ("submit", True), ("runner", True), ("results", True), ("connect", False), ("connect", False)], done
    assert harness.PATCH[flink] in said[1]["text"] and f"{SLOTS} of {SLOTS} free" in said[2]["text"]
    assert "from TaskManager" in said[5]["text"] and "refused" in said[6]["text"] and "unknown host" in said[7]["text"]
    prod("target", "test", "prod", "--flink", flink).ok()


def test_rows_and_answers(prod, foreign, flink):
    for _ in range(2):
        done = prod.run(COUNT + "SHOW TABLES;\nDESCRIBE g;", "--target", "prod", "--flink", flink).ok()
        assert done.rows(1) == [("+I", [str(i), str(2 * i)]) for i in range(1, 6)]
        assert done.rows(2) == [("+I", ["g"])]
    names = [f["name"] for f in harness.get(foreign.rest("/jars"))["files"]]
    assert len(names) == 1 and names[0].startswith("sluice-runner-"), names
    # Somebody tidies up: the next script brings it again.
    for f in harness.get(foreign.rest("/jars"))["files"]:
        urllib.request.urlopen(urllib.request.Request(foreign.rest(f"/jars/{f['id']}"), method="DELETE"))
    assert prod.run(COUNT, "--target", "prod", "--flink", flink).ok().rows(1)[0] == ("+I", ["1", "2"])
    slots_are_free(foreign)


def test_use_and_environment(prod, foreign, flink):
    prod("target", "use", "prod").ok()
    done = prod.run(LIVE, "-d", "--flink", flink, "--name", "used").ok()
    assert done.result["jobs"][0]["state"] == "RUNNING"
    job = prod.job("used")
    assert job["target"] == "prod", job
    assert "target-in-use" in prod("target", "rm", "prod").ok(5).err
    prod("job", "cancel", "used", "--yes").ok()
    prod("target", "use", "local").ok()
    assert [t["name"] for t in json.loads(prod("target", "ls", "--json").ok().out) if t["default"]] == ["local"]
    slots_are_free(foreign)


def test_a_job_is_looked_after(prod, foreign, flink):
    prod.run(LIVE, "-d", "--target", "prod", "--flink", flink, "--name", "far").ok()
    run = prod.job("far")["run"]
    theirs = {j["jid"]: j["state"] for j in harness.get(foreign.rest("/jobs/overview"))["jobs"]}
    assert theirs[run] == "RUNNING"
    assert run in prod("job", "logs", "far").ok().out
    assert "TaskExecutor" in prod("job", "logs", "far", "--tm", "--tail", "2000").ok().out
    harness.wait_for(lambda: int(prod.job("far")["recordsIn"]) > 0, 30, "records counted")
    prod("job", "cancel", "far", "--yes").ok()
    assert harness.get(foreign.rest(f"/jobs/{run}"))["state"] == "CANCELED"
    slots_are_free(foreign)


def test_checkpoints_that_flink_has_forgotten_are_counted(prod, foreign, flink):
    """It remembers three of them, and more complete between two looks: what is not in the history is told as a gap."""
    prod("run", prod.script("SET 'execution.checkpointing.interval' = '100 ms';\n" + LIVE), "-d", "--target", "prod", "--flink", flink, "--name", "forgets").ok()
    harness.wait_for(lambda: prod.job("forgets")["checkpointsNotRecorded"] > 10, 60, "a gap")
    prod("job", "cancel", "forgets", "--yes").ok()
    told = prod.job("forgets")
    kept = {s["number"] for s in json.loads(prod("job", "history", "forgets", "-n", "1000", "--json").ok().out)["snapshots"] if s["state"] in ("completed", "gone")}
    assert kept and len(kept) + told["checkpointsNotRecorded"] == told["checkpointsCompleted"], told
    assert f"{told['checkpointsNotRecorded']} not recorded (Flink had forgotten them)" in prod("job", "show", "forgets").ok().out
    slots_are_free(foreign)


def test_what_fails_there_is_told(prod, flink):
    done = prod("run", prod.script("CREATE TABLE g (id BIGINT) WITH ('connector' = 'datagen', 'number-of-rows' = '9');\n"
                                   "CREATE TABLE k (id BIGINT) WITH ('connector' = 'blackhole');\n\nINSERT INTO k SELECT 1 / (id - id) FROM g;"),
                "--target", "prod", "--flink", flink, "--name", "zero").ok(1)
    assert "error[division-by-zero]" in done.err and ":4:24" in done.err, str(done)


def test_jobs_outlive_ctrl_c_and_the_owner(prod, foreign, flink):
    call = prod.background("run", prod.script(LIVE), "--target", "prod", "--flink", flink, "--name", "stays")
    call.wait_line("running .* all", stream="err")
    call.signal(signal.SIGINT)
    done = call.finish().ok(130)
    assert "left" in done.err and "sluice job stop stays" in done.err, str(done)
    run = prod.job("stays")["run"]
    prod("owner", "stop").ok()  # nothing would end
    assert harness.get(foreign.rest(f"/jobs/{run}"))["state"] == "RUNNING"
    harness.wait_for(lambda: prod.job("stays")["state"] == "RUNNING", 15, "the next owner sees it")
    prod("job", "cancel", "stays", "--yes").ok()
    slots_are_free(foreign)


def test_rows_that_cannot_come_back(prod, foreign, flink, silent):
    failed = overview(foreign)["jobs-failed"]
    for address, said in ((f"127.0.0.1:{closed_port()}", "refused"), (silent, "no answer"), ("no-such-host.invalid:9", "the name is not known there")):
        done = prod("run", prod.script(COUNT), "--target", "prod", "--flink", flink, "--results-address", address).ok(4)
        assert f"error[results-unreachable]: TaskManagers of 'prod' cannot connect to this machine for rows ({address}, {said}" in done.err, str(done)
        assert "--results-address HOST:PORT" in done.err and "SHOW, DESCRIBE and EXPLAIN work without it" in done.err
        assert done.seconds < 3 * harness.PATIENCE, done.seconds
        slots_are_free(foreign)
        assert overview(foreign)["jobs-running"] == 0 and overview(foreign)["jobs-failed"] == failed
    answers = prod.run("SHOW DATABASES;\n", "--target", "prod", "--flink", flink, "--results-address", f"127.0.0.1:{closed_port()}").ok()
    assert answers.rows(1) == [("+I", ["default_database"])]
    # What needs no rows runs all the same; a mistake in it is told as ever.
    prod.run(LIVE, "-d", "--target", "prod", "--flink", flink, "--name", "nat", "--results-address", f"127.0.0.1:{closed_port()}").ok()
    assert prod.job("nat")["state"] == "RUNNING"
    prod("job", "cancel", "nat", "--yes").ok()
    wrong = prod("run", prod.script("CREATE TABLE k (id BIGINT) WITH ('connector' = 'blackhole', 'nonsense' = '1');\nINSERT INTO k SELECT 1;"), "--target", "prod", "--flink", flink,
                 "--name", "wrong", "--results-address", f"127.0.0.1:{closed_port()}")
    assert wrong.rc in (1, 3) and "nonsense" in wrong.err and "results-unreachable" not in wrong.err, str(wrong)
    slots_are_free(foreign)


def test_a_session_where_flink_cannot_reach_us(foreign, flink, tmp_path):
    """By Flink's protocol: answers come by exception text, jobs run, a SELECT says why its rows cannot come."""
    server = Server(tmp_path, "--no-auth", "--config", f"flink={flink}", env={"XDG_DATA_HOME": harness.flink_home(), "TZ": "UTC"})
    try:
        assert server.ask("POST", "/api/v1/targets", {"name": "nat", "url": foreign.rest("").rstrip("/"), "resultsAddress": f"127.0.0.1:{closed_port()}"})[0] == 200
        session = server.ask("POST", "/v1/sessions", {"properties": {"sluice.target": "nat"}})[2]["sessionHandle"]

        def run(statement):
            uri = f"/v1/sessions/{session}/operations/%s/result/0" % server.ask_long("POST", f"/v1/sessions/{session}/statements", {"statement": statement})[2]["operationHandle"]
            columns, rows, deadline = None, [], time.monotonic() + 180
            while uri:
                assert time.monotonic() < deadline, statement
                status, _, page = server.ask_long("GET", uri, None)
                if status != 200:
                    return "\n".join(page["errors"])
                if page["resultType"] != "NOT_READY":
                    columns = [(c["name"], c["logicalType"]["type"]) for c in page["results"]["columns"]]
                    rows += [r["fields"] for r in page["results"]["data"]]
                uri = page.get("nextResultUri")
            return columns, rows
        assert run("SHOW CATALOGS") == ([("catalog name", "VARCHAR")], [["default_catalog"]])
        assert run("CREATE TABLE g (id BIGINT NOT NULL, PRIMARY KEY (id) NOT ENFORCED) WITH ('connector' = 'blackhole')") == ([("result", "VARCHAR")], [["OK"]])
        assert run("SHOW TABLES") == ([("table name", "VARCHAR")], [["g"]])
        columns, rows = run("DESCRIBE g")
        assert columns[:4] == [("name", "VARCHAR"), ("type", "VARCHAR"), ("null", "BOOLEAN"), ("key", "VARCHAR")] and rows[0][:4] == ["id", "BIGINT", False, "PRI(id)"], (columns, rows)
        assert ["concat"] in run("SHOW FUNCTIONS")[1]
        assert "nothing_here" in run("DESCRIBE nothing_here") and "nothing_here" in run("CREATE VIEW v AS SELECT * FROM nothing_here")
        assert "blackhole" in str(run("EXPLAIN INSERT INTO g SELECT 1")) or "Sink" in str(run("EXPLAIN INSERT INTO g SELECT 1"))
        columns, rows = run("INSERT INTO g VALUES (1)")
        assert columns == [("job id", "VARCHAR")]
        harness.wait_for(lambda: harness.get(foreign.rest("/jobs/" + rows[0][0]))["state"] == "FINISHED", 60, "the job")
        assert "results-unreachable" in run("SELECT * FROM (VALUES (1)) AS t(a)")
        assert run("SHOW TABLES")[1] == [["g"]]  # the session goes on
        assert server.ask("DELETE", f"/v1/sessions/{session}")[0] == 200
    finally:
        assert server.stop() == 0
    slots_are_free(foreign)


def jar_names(foreign):
    return [f["name"] for f in harness.get(foreign.rest("/jars"))["files"]]


@pytest.fixture(scope="module")
def udf_jar(home, flink):
    """Functions that no cluster has in its lib/."""
    out, jar = os.path.join(home.folder, "udf"), os.path.join(home.folder, "udfs.jar")
    source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "udf", "Functions.java")
    os.makedirs(out)
    subprocess.run(["javac", "--release", "11", "-nowarn", "-cp", f"{stock.libraries(harness.PATCH[flink])}/lib/*", "-d", out, source], check=True)
    subprocess.run(["jar", "cf", jar, "-C", out, "."], check=True)
    return jar


SHOUT = "CREATE TEMPORARY FUNCTION shout AS 'shop.Functions$Shout';\n"


def test_jars_of_this_machine(prod, foreign, flink, udf_jar):
    """--jar and ADD JAR: the class runs in JobManager (constants are folded there) and TaskManagers, and what was sent goes again."""
    where = ("--target", "prod", "--flink", flink)
    missing = prod("run", prod.script(SHOUT + "SELECT shout('a');"), *where)
    assert missing.rc in (1, 3) and "shop.Functions$Shout" in missing.err, str(missing)
    text = SHOUT + "SELECT shout(w) FROM (VALUES ('hm')) AS t(w);\nSELECT shout('again');"
    done = prod.run(text, "--jar", udf_jar, *where).ok()
    assert done.rows(1) == [("+I", ["HM!"])] and done.rows(2) == [("+I", ["AGAIN!"])]
    sent = [n for n in jar_names(foreign) if n.startswith("sluice-jars-")]
    assert len(sent) == 1, sent  # two jobs, one upload: kept for the next statement
    # Somebody tidies up, the next script brings it again; ADD JAR is the same set of jars. A job of its own and one of a set.
    for f in harness.get(foreign.rest("/jars"))["files"]:
        urllib.request.urlopen(urllib.request.Request(foreign.rest(f"/jars/{f['id']}"), method="DELETE"))
    out = os.path.join(prod.folder, "loud")
    prod.run(f"ADD JAR '{udf_jar}';\n{SHOUT}CREATE TABLE k (w STRING) WITH ('connector' = 'filesystem', 'path' = '{out}', 'format' = 'csv');\n"
             "SET 'execution.runtime-mode' = 'batch';\n" + COUNT.split(";")[0] + ";\nINSERT INTO k SELECT shout(CAST(id AS STRING)) FROM g;", *where, "--name", "loud").ok()
    lines = [line for name in os.listdir(out) for line in open(os.path.join(out, name), encoding="utf-8").read().split()]
    assert sorted(lines) == [f'"{i}!"' for i in range(1, 6)], lines
    assert [n for n in jar_names(foreign) if n.startswith("sluice-jars-")] == sent
    # Another set takes the place of the one before; the end of the owner takes that, too.
    other = os.path.join(prod.folder, "other.jar")
    with zipfile.ZipFile(other, "w") as z:
        z.writestr("nothing/here.txt", "nothing")
    prod.run(text, "--jar", other, "--jar", udf_jar, *where).ok()
    names = [n for n in jar_names(foreign) if n.startswith("sluice-jars-")]
    assert len(names) == 1 and names != sent, names
    # Killed, an owner takes nothing back: the next one does when it first looks at the cluster.
    with open(os.path.join(prod.data, "owner.lock"), encoding="ascii") as f:
        os.kill(int(f.read().split()[0]), signal.SIGKILL)
    assert [n for n in jar_names(foreign) if n.startswith("sluice-jars-")] == names
    prod.run(COUNT, *where).ok()
    assert not [n for n in jar_names(foreign) if n.startswith("sluice-jars-")]
    prod.run(text, "--jar", udf_jar, *where).ok()
    prod("owner", "stop").ok()
    assert not [n for n in jar_names(foreign) if n.startswith("sluice-jars-")] and len(jar_names(foreign)) == 1  # the runner stays
    gone = prod("run", prod.script(text), "--jar", os.path.join(prod.folder, "none.jar"), *where)
    assert gone.rc != 0 and "file-not-found" in gone.err
    slots_are_free(foreign)


def test_slots_are_waited_for(prod, foreign, flink):
    for i in range(SLOTS):
        prod.run(LIVE, "-d", "--target", "prod", "--flink", flink, "--name", f"full{i}").ok()
    call = prod.background("run", prod.script(LIVE), "--target", "prod", "--flink", flink, "--name", "late")
    call.wait_line(f"waiting for 1 slot: 0 of {SLOTS} free on prod", stream="err")
    assert prod.job("late")["state"] == "STARTING"
    prod("job", "cancel", "full0", "--yes").ok()
    call.wait_line("running .* all", stream="err")
    call.signal(signal.SIGINT)
    call.finish().ok(130)
    for name in ("late", *(f"full{i}" for i in range(1, SLOTS))):
        prod("job", "cancel", name, "--yes").ok()
    slots_are_free(foreign)


def test_a_job_of_others_is_adopted(prod, foreign, flink):
    other = harness.Sluice("other")
    try:
        other("target", "add", "same", "--url", foreign.rest("")).ok()
        other.run(LIVE, "-d", "--target", "same", "--flink", flink, "--name", "theirs").ok()
        job = other.job("theirs")["run"]
        other("owner", "stop").ok()
    finally:
        other.remove()
    assert "job-unknown" in prod("job", "adopt", f"prod/{'0' * 32}").ok(2).err
    prod("job", "adopt", f"local/{job}").ok(2)
    prod("job", "adopt", f"prod/{job[:4]}").ok(2)
    done = prod("job", "adopt", f"prod/{job[:10]}", "--name", "mine").ok()
    assert "adopted mine" in done.out
    assert "job-exists" in prod("job", "adopt", f"prod/{job}", "--name", "again").ok(5).err
    harness.wait_for(lambda: prod.job("mine")["state"] == "RUNNING", 15, "it is followed")
    seen = prod.job("mine")
    assert seen["flinkJob"] == job and seen["kind"] == "ADOPTED" and seen["tasks"] > 0, seen
    assert job in prod("job", "logs", "mine", "--tail", "5000").ok().out
    prod("job", "history", "mine").ok()
    where = os.path.join(prod.folder, "savepoints")
    prod("job", "savepoint", "mine", "--savepoint-dir", where).ok()
    assert os.listdir(where)
    assert harness.get(foreign.rest(f"/jobs/{job}"))["state"] == "RUNNING"
    prod("job", "stop", "mine", "--savepoint-dir", where).ok()
    assert harness.get(foreign.rest(f"/jobs/{job}"))["state"] == "FINISHED"
    assert "job-state" in prod("job", "adopt", f"prod/{job}", "--name", "late").ok(5).err
    slots_are_free(foreign)


def test_another_version(prod, foreign, flink):
    other = next(v for v in harness.PATCH if v != flink)
    jobs = len(harness.get(foreign.rest("/jobs/overview"))["jobs"])
    done = prod("run", prod.script(COUNT), "--target", "prod", "--flink", other).ok(5)
    assert f"error[flink-version-mismatch]: 'prod' runs Flink {harness.PATCH[flink]}, and the script is for Flink {other}" in done.err
    assert f"--flink {flink} --target prod" in done.err
    assert "mode-not-supported" in prod("run", prod.script(COUNT), "--target", "prod", "--flink", flink, "--mode", "application").err
    assert len(harness.get(foreign.rest("/jobs/overview"))["jobs"]) == jobs


def test_a_cluster_that_takes_no_jobs(home, flink):
    it = stock.StockCluster(harness.PATCH[flink], extra={"web.submit.enable": "false"})
    try:
        it.script("jobmanager.sh", "start", check=True)
        stock.wait_for(lambda: stock.http("GET", it.rest("/overview")), 240, "JobManager")
        home("target", "add", "readonly", "--url", it.rest("")).ok()
        done = home("run", home.script(COUNT), "--target", "readonly", "--flink", flink).ok(4)
        assert "error[submit-disabled]: 'readonly' takes no jobs over REST" in done.err
        assert "FAIL" in home("target", "test", "readonly", "--flink", flink).ok(4).out
    finally:
        it.stop()
    assert "target-unreachable" in home("target", "test", "readonly", "--flink", flink).ok(4).err
    home("target", "rm", "readonly").ok()


class Relay:
    """Hands on what comes to another port of this machine, and keeps a copy; `context`: it speaks TLS itself, as an impostor would."""

    def __init__(self, port, context=None):
        self.port, self.context, self.seen = port, context, bytearray()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                there = self.listener.accept()[0]
            except OSError:
                return
            threading.Thread(target=self.one, args=(there,), daemon=True).start()

    def one(self, there):
        try:
            if self.context:
                there = self.context.wrap_socket(there, server_side=True)
            here = socket.create_connection(("127.0.0.1", self.port), 60)
            threading.Thread(target=self.pump, args=(here, there), daemon=True).start()
            self.pump(there, here)
        except OSError:
            there.close()

    def pump(self, one, other):
        try:
            while data := one.recv(65536):
                self.seen += data
                other.sendall(data)
            other.shutdown(socket.SHUT_WR)
        except OSError:
            pass


def test_rows_from_beyond_this_machine(foreign, flink, tmp_path):
    """The port listens everywhere: rows, answers and the probe come over TLS from whoever knows the certificate, and nothing of them can be read on the way."""
    it = harness.Sluice("beyond", {"SLUICE_RESULTS_BIND": "0.0.0.0:0"})
    try:
        it("target", "add", "far", "--url", foreign.rest("/")).ok()
        where = ("--target", "far", "--flink", flink)
        text = COUNT.replace("id * 2 AS d", "CONCAT('row-', CAST(id AS STRING)) AS d") + "SHOW TABLES;\n"
        done = it.run(text, *where).ok()
        assert done.rows(1) == [("+I", [str(i), f"row-{i}"]) for i in range(1, 6)] and done.rows(2) == [("+I", ["g"])]
        assert "over TLS" in it("target", "test", "far", "--flink", flink).ok().out
        port = int(re.search(r"results port (\d+)", it("owner", "status").ok().out)[1])
        way = Relay(port)
        done = it.run(text, *where, "--results-address", way.address).ok()
        assert len(done.rows(1)) == 5 and len(way.seen) > 1000 and b"row-" not in way.seen and b"SLR" not in way.seen
        for address in [a for a in subprocess.run(["hostname", "-I"], capture_output=True, text=True, check=True).stdout.split() if ":" not in a][:1]:
            it.run(text, *where, "--results-address", f"{address}:{port}").ok()
        cert = tmp_path / "other.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", cert, "-out", tmp_path / "c.pem", "-days", "2", "-subj", "/CN=sluice results"], check=True, capture_output=True)
        cert.write_bytes(cert.read_bytes() + (tmp_path / "c.pem").read_bytes())
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert)
        other = it("run", it.script(text), *where, "--results-address", Relay(port, context).address).ok(4)
        assert "error[results-unreachable]" in other.err and "another certificate" in other.err and "row-" not in other.out, str(other)
        it("owner", "stop").ok()
    finally:
        it.remove()
    slots_are_free(foreign)


class Front(http.server.ThreadingHTTPServer):
    """TLS and a password in front of a cluster, below a path of its own."""

    def __init__(self, port, prefix, user, header, cert):
        self.port, self.prefix, self.header = port, prefix, header
        self.want = "Basic " + base64.b64encode(user.encode()).decode()
        super().__init__(("127.0.0.1", 0), FrontHandler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert)
        self.socket = context.wrap_socket(self.socket, server_side=True)
        threading.Thread(target=self.serve_forever, daemon=True).start()


class FrontHandler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def go(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        front = self.server
        if self.headers.get("Authorization") != front.want or self.headers.get(front.header[0]) != front.header[1] or not self.path.startswith(front.prefix + "/"):
            self.send_response(401)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        back = http.client.HTTPConnection("127.0.0.1", front.port, timeout=120)
        back.request(self.command, self.path[len(front.prefix):], body or None, {k: v for k, v in self.headers.items() if k in ("Content-Type", "Content-Length")})
        answer = back.getresponse()
        data = answer.read()
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.headers.get("Content-Type", "application/json"))
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_PATCH = do_DELETE = go

    def log_message(self, *words):
        pass


def test_behind_a_password(home, foreign, flink):
    cert = os.path.join(home.folder, "front.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", cert + ".key", "-out", cert + ".crt", "-days", "2", "-subj", "/CN=localhost",
                    "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"], check=True, capture_output=True)
    with open(cert, "w", encoding="ascii") as f:
        f.write(open(cert + ".crt", encoding="ascii").read() + open(cert + ".key", encoding="ascii").read())
    front = Front(foreign.port, "/team/prod", "etl:pass-w0rd-hidden", ("X-Team", "header-hidden"), cert)
    url = f"https://127.0.0.1:{front.server_address[1]}/team/prod"
    secret = os.path.join(home.folder, "password")
    with open(secret, "w", encoding="ascii") as f:
        f.write("pass-w0rd-hidden\n")
    outputs = []

    def call(*words, code=0):
        done = home(*words)
        outputs.append(str(done))
        return done.ok(code)
    call("target", "add", "nobody", "--url", url, "--ca", cert + ".crt", "--user", "etl:wrong-hidden", "--header", "X-Team: header-hidden")
    assert "error[target-forbidden]" in call("target", "test", "nobody", "--flink", flink, code=4).err
    assert "error[target-forbidden]" in call("run", home.script(COUNT), "--target", "nobody", "--flink", flink, code=4).err
    call("target", "add", "untrusted", "--url", url, "--user", "etl:pass-w0rd-hidden", "--header", "X-Team: header-hidden")
    assert "target-unreachable" in call("target", "test", "untrusted", "--flink", flink, code=4).err
    call("target", "add", "safe", "--url", url + "/", "--ca", cert + ".crt", "--user", "etl", "--password-file", secret, "--header", "X-Team: header-hidden")
    call("target", "test", "safe", "--flink", flink)
    assert call("run", home.script(COUNT), "--target", "safe", "--flink", flink, "--json").rows(1)[4] == ("+I", ["5", "10"])
    call("run", home.script(LIVE), "-d", "--target", "safe", "--flink", flink, "--name", "behind")
    for words in (("job", "show", "behind"), ("job", "show", "behind", "--json"), ("job", "logs", "behind"), ("target", "ls", "--json"), ("target", "show", "safe"), ("target", "show", "safe", "--json"), ("config",)):
        call(*words)
    call("job", "cancel", "behind", "--yes")
    kept = call("target", "show", "safe").out
    assert "etl (secret kept)" in kept and "X-Team (secret kept)" in kept and url in kept
    front.shutdown()
    front.server_close()
    assert "target-unreachable" in call("target", "test", "safe", "--flink", flink, code=4).err
    for text in outputs:
        shown = text.replace("--user etl:wrong-hidden", "").replace("--user etl:pass-w0rd-hidden", "").replace("X-Team: header-hidden", "")
        assert "hidden" not in shown, text
    token = base64.b64encode(b"etl:pass-w0rd-hidden").decode()
    for folder, _, names in os.walk(home.data):
        for name in names:
            path = os.path.join(folder, name)
            if stat.S_ISREG(os.lstat(path).st_mode):
                with open(path, "rb") as f:
                    data = f.read()
                if b"-hidden" in data or token.encode() in data:
                    assert name.startswith("sluice.db") and stat.S_IMODE(os.stat(path).st_mode) == 0o600, path
    for name in ("nobody", "untrusted", "safe"):
        call("target", "rm", name)
