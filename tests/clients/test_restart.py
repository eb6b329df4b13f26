# SPDX-License-Identifier: Apache-2.0
"""kill -9 of the server between and under statements of sessions: what had ended is there again, page by page; what had not says so,
and is done once at most. Long form in test-all: random moments, several sessions; the seed is printed."""
import glob
import http.client
import os
import random
import subprocess
import threading
import time
import urllib.error

import pytest

import harness
from server import BIN
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
    """A session that works: each statement has one right answer, and each INSERT a number of its own."""

    def __init__(self, server, number, folder):
        super().__init__()
        self.server, self.number, self.folder = server, number, folder
        self.random = random.Random(SEED + number)
        self.ended, self.inserted, self.unknown, self.wrong, self.stop = {}, set(), 0, [], False
        self.session = asked(server, "POST", "/v2/sessions", {})[1]["sessionHandle"]
        self.statements = 0

    def one(self, sql, want):
        """The state it came to: "ended", "failed", "unknown"."""
        self.statements += 1
        begun = asked(self.server, "POST", f"/v2/sessions/{self.session}/statements", {"statement": sql})
        if begun is None or begun[0] != 200:
            return "unknown"
        operation, found, token = begun[1]["operationHandle"], [], 0
        while True:
            status, page = asked(self.server, "GET", f"/v2/sessions/{self.session}/operations/{operation}/result/{token}?rowFormat=JSON")
            if status != 200:
                text = page["errors"][-1]
                if not any(words in text for words in ("may be sent again", "not started twice", "the server ended", "server is ending", "given up", "rows ended before")):
                    self.wrong.append(f"{sql}: {text[:600]}")
                return "failed"
            if page["resultType"] == "NOT_READY":
                time.sleep(0.02)
                continue
            found.append((status, page))
            token += 1
            if page["resultType"] == "EOS":
                break
        if want is not None and sorted(rows(found)) != want:
            self.wrong.append(f"{sql}: {rows(found)}")
        self.ended[operation] = found
        return "ended"

    def run(self):
        self.one(f"CREATE TABLE kept_rows (id INT) WITH ('connector'='filesystem', 'path'='file://{self.folder}/{self.number}', 'format'='csv')", [["OK"]])
        i = 0
        while not self.stop:
            i += 1
            kind = self.random.randrange(4)
            if kind == 0:
                self.one("VALUES (1), (2), (3)", [[1], [2], [3]])
            elif kind == 1:
                self.one(f"SET 'pipeline.name' = 'c{i}'", [["OK"]])
            elif kind == 2:
                self.one("SHOW MODULES", [["core"]])
            elif self.one(f"INSERT INTO kept_rows VALUES ({i})", None) == "ended":
                self.inserted.add(i)


@FULL
def test_kills_at_random_moments(server, ours, tmp_path):
    print(f"seed {SEED}")
    moments = random.Random(SEED)
    clients = [Client(server, n, tmp_path) for n in range(6)]
    for c in clients:
        c.start()
    kills = int(os.environ.get("KILLS", "15"))
    for _ in range(kills):
        time.sleep(moments.uniform(0.5, 6))
        kill_and_start(server)
    for c in clients:
        c.stop = True
    for c in clients:
        c.join(180)
        assert not c.is_alive()
    assert [c.wrong for c in clients if c.wrong] == []
    checked = 0
    for c in clients:
        for operation, found in list(c.ended.items())[-60:]:
            assert pages(ours, c.session, operation) == found
            checked += 1
    session = clients[0].session
    harness.wait_for(lambda: all(row[2] in ("FINISHED", "CANCELED", "FAILED") for row in rows(pages(ours, session, begin(ours, session, "SHOW JOBS")))), 120, "end of all jobs")
    done = 0
    for c in clients:
        lines = [int(line) for path in glob.glob(f"{tmp_path}/{c.number}/**/part-*", recursive=True) for line in open(path, encoding="utf-8")]
        assert len(lines) == len(set(lines)), "an INSERT was done twice"
        assert c.inserted <= set(lines), "an INSERT whose job was told is missing"
        done += len(lines)
    print(f"{kills} kills, {sum(c.statements for c in clients)} statements, {checked} results read again, {done} rows of INSERTs")
