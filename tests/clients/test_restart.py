# SPDX-License-Identifier: Apache-2.0
"""kill -9 of the server between and under statements of sessions: what had ended is there again, page by page; what had not says so,
and is done once at most. Long form in test-all: random moments, several sessions; the seed is printed."""
import collections
import glob
import http.client
import os
import random
import re
import signal
import subprocess
import threading
import time
import traceback
import urllib.error

import pytest

import harness
from server import BIN, Server
from test_gateway import ask

FULL = pytest.mark.skipif(not harness.FULL, reason="in test-all")
SEED = int(os.environ.get("KILL_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 30)


def kill_and_start(server):
    """The same server again, at the same port."""
    server.process.kill()
    server.process.wait()
    server.process = subprocess.Popen([BIN, "serve", "--listen", f"127.0.0.1:{server.port}", "--no-auth", "--config", f"flink={os.environ.get('E2E_FLINK', '2.2')}"], env=server.env, stdout=server.log, stderr=subprocess.STDOUT)

    def answers():
        assert server.process.poll() is None, (server.folder / "serve.log").read_text()[-2000:]
        try:
            return ask(f"http://127.0.0.1:{server.port}", "GET", "/v1/info")[0] == 200
        except (OSError, http.client.HTTPException, urllib.error.URLError, ValueError):
            return False
    harness.wait_for(answers, 60, "the server again")


def begin(base, session, sql):
    status, body = ask(base, "POST", f"/v2/sessions/{session}/statements", {"statement": sql})
    assert status == 200, body
    return body["operationHandle"]


def pages(base, session, operation, seconds=120):
    """Each page that is no NOT_READY, by number; the last is the end, or an error."""
    found, token, deadline = [], 0, time.monotonic() + seconds
    while not found or (found[-1][0] == 200 and found[-1][1]["resultType"] != "EOS"):
        assert time.monotonic() < deadline, found[-1:]
        answer = ask(base, "GET", f"/v2/sessions/{session}/operations/{operation}/result/{token}?rowFormat=JSON")
        if answer[0] == 200 and answer[1]["resultType"] == "NOT_READY":
            time.sleep(0.02)
            continue
        found.append(answer)
        token += 1
    return found


def rows(found):
    return [r["fields"] for status, page in found if status == 200 for r in page["results"]["data"]]


def status_of(base, session, operation):
    return ask(base, "GET", f"/v2/sessions/{session}/operations/{operation}/status")


def has_ended(cluster, job):
    """Also with its cluster: a server that starts ends those that have no job to go on with."""
    try:
        return ask(cluster, "GET", f"/jobs/{job}")[1]["state"] in ("CANCELED", "FAILED")
    except (OSError, http.client.HTTPException, urllib.error.URLError, ValueError):
        return True


STATEMENTS = [
    "SET 'table.local-time-zone' = 'Asia/Kolkata'",
    "CREATE TABLE n (id INT, name STRING) WITH ('connector'='datagen', 'number-of-rows'='12000', 'fields.id.kind'='sequence', 'fields.id.start'='1', 'fields.id.end'='12000', 'fields.name.length'='4')",
    "CREATE TABLE hole (id INT) WITH ('connector'='blackhole')",
    "SHOW TABLES",
    "DESCRIBE n",
    "EXPLAIN SELECT id FROM n",
    "SHOW MODULES",
    "SELECT 1 AS a, CAST(NULL AS INT) AS b, ARRAY[ROW(1, 'x')] AS c, MAP['k', 1.50] AS d, TIMESTAMP '2024-01-02 03:04:05.678' AS e, CAST(TIMESTAMP '2024-01-02 03:04:05' AS TIMESTAMP_LTZ(3)) AS f, INTERVAL '1' DAY AS g, X'00ff' AS h, CAST(2 AS FLOAT) AS i",
    "SELECT a, COUNT(*) FROM (VALUES (1), (1), (2)) AS t(a) GROUP BY a",
    "SELECT id, name FROM n",
    "SELECT id FROM n WHERE id < 0",
    "INSERT INTO hole SELECT id FROM n",
    "SELECT * FROM nope",
    "SELEC 1",
]


def test_what_has_ended_outlives_a_kill(server, ours, cluster):
    session = ask(ours, "POST", "/v2/sessions", {"sessionName": "kept"})[1]["sessionHandle"]
    operations = [begin(ours, session, sql) for sql in STATEMENTS]
    before = [pages(ours, session, op) for op in operations]
    told = [status_of(ours, session, op) for op in operations]
    assert len(rows(before[9])) == 12000 and len(before[9]) >= 4
    assert begin(ours, session, "CREATE TABLE forever (id INT) WITH ('connector'='datagen', 'rows-per-second'='20')")
    endless = begin(ours, session, "SELECT id FROM forever")
    harness.wait_for(lambda: ask(ours, "GET", f"/v2/sessions/{session}/operations/{endless}/result/0")[1].get("jobID"), 60, "its job")
    job = ask(ours, "GET", f"/v2/sessions/{session}/operations/{endless}/result/0")[1]["jobID"]
    for i in range(2 if harness.FULL else 1):
        kill_and_start(server)
        if i == 0:
            harness.wait_for(lambda: has_ended(cluster, job), 60, "end of the SELECT that nobody reads")
        assert [status_of(ours, session, op) for op in operations] == told
        assert [pages(ours, session, op) for op in operations] == before
    last = f"/v2/sessions/{session}/operations/{operations[9]}/result"
    assert ask(ours, "GET", f"{last}/1?rowFormat=JSON") == before[9][1], "an earlier page again"
    assert ask(ours, "GET", f"{last}/{len(before[9])}?rowFormat=JSON")[0] == 500
    status, body = status_of(ours, session, endless)
    assert status == 500 and "may be sent again" in body["errors"][0]
    assert rows(pages(ours, session, begin(ours, session, "SELECT COUNT(*) FROM (VALUES 1, 2) AS t(x)")))[-1] == [2]
    assert rows(pages(ours, session, begin(ours, session, "SHOW TABLES"))) == [["forever"], ["hole"], ["n"]]
    assert ask(ours, "DELETE", f"/v2/sessions/{session}")[0] == 200
    assert status_of(ours, session, operations[0])[0] == 500


# --- kills at random moments under sessions that work

SESSIONS = int(os.environ.get("KILL_SESSIONS", "50"))
# What a statement that did not come to its end may be told. Nothing else is said to anybody.
TOLD = ("may be sent again", "not started twice", "the server ended", "server is ending", "given up", "rows ended before", "the local Flink", "did not start", "ended with", "not known yet", "is LOST", "cannot be reached",
        "broke the connection off")


def asked(server, method, path, body=None):
    """As a client that goes on when the server comes back; None: a statement that may have been taken."""
    for _ in range(600):
        try:
            return ask(f"http://127.0.0.1:{server.port}", method, path, body)
        except (OSError, http.client.HTTPException, urllib.error.URLError, ValueError):
            if method != "GET":
                return None
            time.sleep(0.1)
    raise AssertionError("the server does not come back")


class Client(threading.Thread):
    """A session that works: each statement has one right answer, and each INSERT a number of its own. Of an INSERT whose end is waited for, the
    row is there when its end is told."""

    def __init__(self, server, number, folder):
        super().__init__()
        self.server, self.number, self.folder = server, number, folder
        self.random = random.Random(SEED + number)
        self.ended, self.inserted, self.told, self.wrong, self.stop = {}, set(), collections.Counter(), [], False
        self.session = asked(server, "POST", "/v2/sessions", {"properties": {"table.dml-sync": "true", "pipeline.max-parallelism": str(1000 + number)}})[1]["sessionHandle"]
        self.statements, self.ready = 0, threading.Event()

    def one(self, sql, want, endless=False):
        """The state it came to: "ended", "failed", "unknown". Of one without an end the first rows are read, then it is closed."""
        self.statements += 1
        begun = asked(self.server, "POST", f"/v2/sessions/{self.session}/statements", {"statement": sql})
        if begun is None or begun[0] != 200:
            return "unknown"
        operation, found, token = begun[1]["operationHandle"], [], 0
        while True:
            status, page = asked(self.server, "GET", f"/v2/sessions/{self.session}/operations/{operation}/result/{token}?rowFormat=JSON")
            if status != 200:
                text = page["errors"][-1]
                known = [words for words in TOLD if words in text]
                self.told[known[0] if known else "?"] += 1
                if not known:
                    self.wrong.append(f"{sql}: {text[:1500]}")
                return "failed"
            if page["resultType"] == "NOT_READY":
                time.sleep(0.02)
                continue
            found.append((status, page))
            token += 1
            if endless and page["results"]["data"]:
                asked(self.server, "DELETE", f"/v2/sessions/{self.session}/operations/{operation}/close")
                return "ended"
            if page["resultType"] == "EOS":
                break
        if want is not None and sorted(rows(found)) != want:
            self.wrong.append(f"{sql}: {str(rows(found))[:1500]}")
        self.ended[operation] = found
        return "ended"

    def work(self):
        here = f"file://{self.folder}/{self.number}"
        for sql in (f"CREATE TABLE kept_rows (id INT) WITH ('connector'='filesystem', 'path'='{here}', 'format'='csv')", "CREATE TABLE forever (id INT) WITH ('connector'='datagen', 'rows-per-second'='10')",
                    "CREATE TABLE many (id INT) WITH ('connector'='datagen', 'number-of-rows'='2000', 'fields.id.kind'='sequence', 'fields.id.start'='1', 'fields.id.end'='2000')"):
            assert self.one(sql, [["OK"]]) == "ended"
        self.ready.set()
        many = [[n] for n in range(1, 2001)]
        i = 0
        while not self.stop:
            i += 1
            kind = self.random.randrange(6)
            if kind == 0:
                self.one("VALUES (1), (2), (3)", [[1], [2], [3]])
            elif kind == 1:
                self.one(f"SET 'pipeline.name' = 'c{i}'", [["OK"]])
            elif kind == 2:
                self.one("SHOW MODULES", [["core"]])
            elif kind == 3:
                self.one("SELECT id FROM many", many)
            elif kind == 4:
                self.one("SELECT id FROM forever", None, True)
            elif self.one(f"INSERT INTO kept_rows VALUES ({i})", None) == "ended":
                self.inserted.add(i)

    def run(self):
        try:
            self.work()
        except BaseException:
            self.wrong.append(traceback.format_exc())
            self.ready.set()


def jvms(server):
    """{pid: command line} of its local Flink."""
    lines = {pid: harness.command_line(pid) for pid in harness.processes(f"SLUICE_DATA={server.folder}/data\0")}
    return {pid: line for pid, line in lines.items() if re.match(r"\S*java ", line)}


def kill_jobmanager(server):
    for pid, line in jvms(server).items():
        if "SessionClusterEntrypoint" in line:
            os.kill(pid, signal.SIGKILL)
            return True
    return False


def cluster_of(server):
    """REST address of the JobManager that is there, or None."""
    for pid, line in jvms(server).items():
        if "SessionClusterEntrypoint" in line:
            for port in harness.listening_ports([pid]):
                try:
                    if "slots-total" in harness.get(f"http://127.0.0.1:{port}/overview", 3):
                        return f"http://127.0.0.1:{port}"
                except (OSError, http.client.HTTPException, ValueError):
                    continue
    return None


@FULL
def test_kills_at_random_moments(tmp_path, flink):
    """kill -9 of the server, of the JobManager and of both under sessions that work: each is there afterwards with all that was told of it."""
    print(f"\nseed {SEED}")
    moments = random.Random(SEED)
    server = Server(tmp_path / "server", "--no-auth", "--config", f"flink={flink}", env={"XDG_DATA_HOME": harness.flink_home(), "TZ": "UTC"})
    try:
        kills_at_random_moments(server, tmp_path, moments)
    finally:
        server.stop()
        harness.wait_for(lambda: not harness.processes(f"SLUICE_DATA={server.folder}/data\0"), 20, "end of its JVMs")


def kills_at_random_moments(server, tmp_path, moments):
    clients = [Client(server, n, tmp_path) for n in range(SESSIONS)]
    for c in clients:
        c.start()
    for c in clients:
        assert c.ready.wait(300), "a session has not begun"
    count, done = int(os.environ.get("KILLS", "100")), collections.Counter()
    for _ in range(count):
        before, until = sum(len(c.ended) for c in clients), time.monotonic() + 30
        while sum(len(c.ended) for c in clients) < before + 10 and time.monotonic() < until:
            time.sleep(0.1)  # it works again
        time.sleep(moments.uniform(0, 3))
        what = moments.choice(("server", "jobmanager", "both"))
        if what != "server":
            done["no jobmanager at that moment"] += not kill_jobmanager(server)
        if what != "jobmanager":
            kill_and_start(server)
        done[what] += 1
        wrong = [c.wrong for c in clients if c.wrong]
        assert not wrong, wrong[:3]
    for c in clients:
        c.stop = True
    for c in clients:
        c.join(600)
        assert not c.is_alive()
    told = sum((c.told for c in clients), collections.Counter())
    print(f"{dict(done)}, {sum(c.statements for c in clients)} statements of {len(clients)} sessions, {sum(len(c.ended) for c in clients)} ended; told: {dict(told)}")
    base = f"http://127.0.0.1:{server.port}"
    checked = 0
    for c in clients:
        status, body = ask(base, "GET", f"/v2/sessions/{c.session}")
        assert status == 200 and body["properties"]["pipeline.max-parallelism"] == str(1000 + c.number), body
        for operation, found in list(c.ended.items())[-60:]:
            assert pages(base, c.session, operation) == found
            checked += 1
        assert [r[0] for r in rows(pages(base, c.session, begin(base, c.session, "SHOW TABLES")))] == ["forever", "kept_rows", "many"]
    # One statement more, so that there is a cluster; then nothing runs on it, and there is no other.
    assert rows(pages(base, clients[0].session, begin(base, clients[0].session, "SELECT COUNT(*) FROM many")))[-1] == [2000]
    cluster = harness.wait_for(lambda: cluster_of(server), 20, "the cluster")

    def orphans():
        return [j for j in harness.get(f"{cluster}/jobs/overview")["jobs"] if j["state"] not in ("FINISHED", "CANCELED", "FAILED")]
    harness.wait_for(lambda: not orphans(), 60, f"end of all jobs: {orphans()}")
    harness.wait_for(lambda: len(jvms(server)) == 2, 60, f"one JobManager and one TaskManager: {jvms(server)}")
    inserted = 0
    for c in clients:
        lines = [int(line) for path in glob.glob(f"{tmp_path}/{c.number}/**/part-*", recursive=True) for line in open(path, encoding="utf-8")]
        assert len(lines) == len(set(lines)), "an INSERT was done twice"
        assert c.inserted <= set(lines), "an INSERT whose end was told is missing"
        inserted += len(lines)
    print(f"{checked} results read again, {inserted} rows of INSERTs")
    assert [c.wrong for c in clients if c.wrong] == []
