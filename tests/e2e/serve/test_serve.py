# SPDX-License-Identifier: Apache-2.0
"""The server with a Flink behind it: rows as events, over a WebSocket and to the command line; readers that stop or go away; its end."""
import hashlib
import json
import os
import signal
import subprocess
import time

import pytest

import harness
from server import BIN, Server, Socket


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    s = Server(tmp_path_factory.mktemp("server"), env={"XDG_DATA_HOME": harness.flink_home(), "TZ": "UTC", "SLUICE_PREPARE": "true"})
    harness.wait_for(lambda: s.ask("GET", "/readyz", token="")[0] == 200, 120, "its Flink")
    yield s
    assert s.stop() == 0
    mark = f"SLUICE_DATA={s.folder}/data\0"
    harness.wait_for(lambda: not harness.processes(mark), 20, "end of its JVMs")


NUMBERS = "CREATE TABLE n (a INT, b STRING) WITH ('connector'='datagen', 'number-of-rows'='%d', 'fields.a.kind'='sequence', 'fields.a.start'='1', 'fields.a.end'='%d', 'fields.b.length'='20');\n"
FOREVER = "CREATE TABLE f (a INT) WITH ('connector'='datagen', 'rows-per-second'='%s');\nSELECT a FROM f;\n"


def submission(text, **more):
    return {"name": "q", "files": [{"name": "q.sql", "text": text}], **more}


def rows_of(events):
    return [r for e in events if e["event"] == "rows" for r in e["rows"]]


class Stream:
    """Server-sent events of one submission."""

    def __init__(self, server, body):
        self.s = server.raw(server.post("/api/v1/submissions", body, "Accept: text/event-stream", "Connection: close"))
        self.s.settimeout(180)
        self.text = b""

    def read(self, enough):
        while not enough(self.text):
            got = self.s.recv(65536)
            if not got:
                break
            self.text += got
        return self.text


def events_of(text):
    """What stands behind the head, without the chunks' lengths."""
    body, out = text.split(b"\r\n\r\n", 1)[1], b""
    while body:
        length, _, body = body.partition(b"\r\n")
        n = int(length, 16)
        out, body = out + body[:n], body[n + 2:]
        if n == 0:
            break
    found = []
    for block in out.decode().split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.split("\n") if ": " in line)
        if lines:
            found.append((int(lines.get("id", 0)), lines["event"], json.loads(lines["data"])))
    return found


def test_rows_as_one_answer_and_as_events(server):
    text = NUMBERS % (500, 500) + "SELECT a FROM n;\n"
    status, _, body = server.ask_long("POST", "/api/v1/submissions", submission(text))
    assert status == 200 and body["exit"] == 0, body
    plain = rows_of(body["events"])
    assert len(plain) == 500
    events = events_of(Stream(server, submission(text)).read(lambda t: t.endswith(b"0\r\n\r\n")))
    numbers = [i for i, _, _ in events if i]
    assert numbers and numbers == list(range(1, len(numbers) + 1))
    assert all(not i for i, kind, e in events if kind == "end" or e["event"] in ("columns", "rows", "end")), "rows cannot be asked for again"
    assert events[-1][1] == "end" and events[-1][2]["exit"] == 0
    streamed = rows_of([e for _, kind, e in events if kind == "event"])
    assert sorted(map(json.dumps, streamed)) == sorted(map(json.dumps, plain))


def test_rows_over_a_websocket(server):
    w = Socket(server)
    w.s.settimeout(180)
    w.send({"jsonrpc": "2.0", "id": 7, "method": "script.submit", "params": submission(NUMBERS % (3000, 3000) + "SELECT a, b FROM n;\n")})
    events, answer = [], None
    while answer is None:
        m = w.receive()
        assert isinstance(m, dict), m
        if m.get("id") == 7:
            answer = m
        else:
            events.append(m["params"]["event"])
    assert answer["result"]["exit"] == 0 and len(rows_of(events)) == 3000


def no_rows(w):
    """For a second: other events may come."""
    w.s.settimeout(1)
    with pytest.raises(TimeoutError):
        while True:
            assert w.receive()["params"]["event"]["event"] != "rows"
    w.s.settimeout(180)


def test_rows_come_as_far_as_there_is_credit(server):
    w = Socket(server)
    w.s.settimeout(180)
    given, rows = 3000, []
    w.send({"jsonrpc": "2.0", "id": 7, "method": "script.submit", "credit": {"rows": given}, "params": submission(NUMBERS % (20000, 20000) + "SELECT a, b FROM n;\n")})
    while (m := w.receive()).get("id") != 7:
        event = m["params"]["event"]
        if event["event"] == "rows":
            assert event["count"] == len(event["rows"]) and len(rows) < given, "a block came without credit"
            rows += event["rows"]
            if len(rows) >= given:
                if given == 3000:
                    no_rows(w)
                given += 3000
                w.send({"jsonrpc": "2.0", "method": "credit", "params": {"call": 7, "rows": 3000}})
    assert m["result"]["exit"] == 0 and sorted(r[1] for r in rows) == list(range(1, 20001))
    w.s.close()


def test_a_call_without_credit_can_be_taken_back(server):
    w = Socket(server)
    w.s.settimeout(180)
    w.send({"jsonrpc": "2.0", "id": 7, "method": "script.submit", "credit": {"bytes": 1}, "params": submission(FOREVER % "1000")})
    while (m := w.receive()).get("id") != 7 and m["params"]["event"]["event"] != "rows":
        pass
    no_rows(w)
    w.send({"jsonrpc": "2.0", "method": "cancel", "params": {"call": 7}})
    while w.receive().get("id") != 7:
        pass
    w.s.close()
    harness.wait_for(lambda: not active(server), 20, "end of the SELECT")


def test_the_command_line_gets_its_rows_from_a_server(server, tmp_path):
    script = tmp_path / "a.sql"
    script.write_text(NUMBERS % (20, 20) + "SELECT a FROM n;\n")
    env = {k: v for k, v in server.env.items() if k != "SLUICE_DATA"}
    env.update(SLUICE_SERVER=f"http://127.0.0.1:{server.port}", SLUICE_TOKEN=server.token, SLUICE_DATA=str(tmp_path / "none"))
    done = subprocess.run([BIN, "run", str(script), "-o", "csv", "--no-header"], env=env, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, done.stderr
    assert sorted(int(line) for line in done.stdout.split()) == list(range(1, 21))


def set_limits(server, text):
    (server.folder / "xdg" / "sluice").mkdir(parents=True, exist_ok=True)
    (server.folder / "xdg" / "sluice" / "config.yaml").write_text(text)
    server.process.send_signal(signal.SIGHUP)
    time.sleep(1)


def test_rows_of_one_user_a_second(server):
    """Over a stream and by Flink's protocol: all of them come, as fast as they may."""
    set_limits(server, "limit.user-rows: 2000\n")
    try:
        text = NUMBERS % (12000, 12000) + "SELECT a FROM n;\n"
        server.ask_long("POST", "/api/v1/submissions", submission(NUMBERS % (1, 1) + "SELECT a FROM n;\n"))
        begin = time.monotonic()
        done = server.ask_long("POST", "/api/v1/submissions", submission(text))[2]
        assert sorted(r[1] for r in rows_of(done["events"])) == list(range(1, 12001))
        assert time.monotonic() - begin > 1.5  # the last block, and a second's share before it, are owed and not waited for
        session = server.ask("POST", "/v1/sessions", {})[2]["sessionHandle"]
        for statement in text.rstrip(";\n").split(";\n"):
            operation = server.ask("POST", f"/v1/sessions/{session}/statements", {"statement": statement})[2]["operationHandle"]
            begin, rows, uri = time.monotonic(), [], f"/v1/sessions/{session}/operations/{operation}/result/0"
            while uri:
                page = server.ask_long("GET", uri, None)[2]
                rows += page.get("results", {}).get("data", [])
                uri = page.get("nextResultUri")
        assert sorted(r["fields"][0] for r in rows) == list(range(1, 12001))
        assert time.monotonic() - begin > 1.5  # pages of 5000
        assert server.ask("DELETE", f"/v1/sessions/{session}")[0] == 200
    finally:
        set_limits(server, "")


def test_jars_that_are_brought(server, tmp_path, udf_jar):
    """By the command line, and named by their digest: the class runs, the version keeps its jar, and goes with it."""
    with open(udf_jar, "rb") as f:
        digest = hashlib.sha256(f.read()).hexdigest()
    text = "CREATE TEMPORARY FUNCTION shout AS 'shop.Functions$Shout';\n"
    script = tmp_path / "a.sql"
    script.write_text(text + "SELECT shout('a');\n")
    env = {k: v for k, v in server.env.items() if k != "SLUICE_DATA"}
    env.update(SLUICE_SERVER=f"http://127.0.0.1:{server.port}", SLUICE_TOKEN=server.token, SLUICE_DATA=str(tmp_path / "none"))
    done = subprocess.run([BIN, "run", str(script), "--jar", udf_jar, "-o", "csv", "--no-header"], env=env, capture_output=True, text=True, timeout=180, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "A!"), done.stdout + done.stderr
    assert server.ask("GET", f"/api/v1/artifacts/{digest}")[2]["versions"] == 0
    insert = text + "CREATE TABLE o (a STRING) WITH ('connector'='blackhole');\nINSERT INTO o SELECT shout(CAST(a AS STRING)) FROM (VALUES (1), (2)) AS t(a);\n"
    ran = server.ask_long("POST", "/api/v1/submissions", {**submission(insert), "name": "loud", "artifacts": [digest]})[2]
    assert ran["exit"] == 0, ran
    assert server.ask("GET", f"/api/v1/artifacts/{digest}")[2]["versions"] == 1
    assert server.ask("DELETE", f"/api/v1/artifacts/{digest}")[2]["code"] == "artifact-in-use"
    assert server.ask("DELETE", "/api/v1/jobs/loud")[0] == 200
    assert server.ask("DELETE", f"/api/v1/artifacts/{digest}")[0] == 200


def test_a_life_over_rest(server, tmp_path):
    """What a job's routes answer while it lives: each answer is held against openapi.json by `ask`."""
    text = ("SET 'execution.checkpointing.interval' = '1s';\nCREATE TABLE f (a INT) WITH ('connector'='datagen', 'rows-per-second'='10');\n"
            "CREATE TABLE o (a INT) WITH ('connector'='blackhole');\nINSERT INTO o SELECT a FROM f;\n")
    started = server.ask_long("POST", "/api/v1/submissions", {**submission(text), "name": "life", "detach": True})[2]
    assert started["exit"] == 0, started
    taken = server.ask_long("POST", "/api/v1/jobs/life/savepoint", {"savepointDir": str(tmp_path / "sp")})[2]
    assert taken["savepoints"][0]["restorable"] is True, taken
    assert server.ask_long("GET", "/api/v1/jobs/life", None)[2]["restoreTo"]
    harness.wait_for(lambda: 'sluice_runs{state="RUNNING"} 1\n' in server.ask("GET", "/metrics")[2] and 'sluice_runs_health{health="ok"} 1\n' in server.ask("GET", "/metrics")[2], 20, "the run in /metrics")
    changed = text.replace("INSERT INTO o SELECT a FROM f", "INSERT INTO o SELECT a + 1 FROM f")
    replaced = server.ask_long("POST", "/api/v1/submissions", {**submission(changed), "name": "life", "detach": True, "replace": True})[2]
    assert replaced["exit"] == 0, replaced
    back = server.ask_long("POST", "/api/v1/jobs/life/rollback", {"version": 1})[2]
    assert back["exit"] == 0, back
    history = server.ask("GET", "/api/v1/jobs/life/history")[2]
    assert len(history["runs"]) == 3 and history["snapshots"] and history["replacements"], history
    assert server.ask_long("GET", "/api/v1/jobs/life/logs?which=jobmanager", None)[2]["text"]
    assert server.ask("GET", "/api/v1/jobs/life/events")[2]["events"]
    assert server.ask_long("POST", "/api/v1/jobs/life/stop", {"savepointDir": str(tmp_path / "sp")})[2]["savepoints"]
    again = server.ask_long("POST", "/api/v1/submissions", {**submission(text), "name": "life", "detach": True, "from": "none"})[2]
    assert again["exit"] == 0, again
    assert len(server.ask_long("POST", "/api/v1/jobs/life/cancel", {"yes": True})[2]["ended"]) == 1
    assert server.ask("GET", "/api/v1/jobs/life")[2]["ended"] is True
    assert server.ask("DELETE", "/api/v1/jobs/life")[2]["versions"] == 3


def active(server):
    return [j for j in server.ask("GET", "/api/v1/jobs?all=true&active=true")[2]["jobs"] if not j["ended"]]


def open_session(server, **more):
    status, _, body = server.ask("POST", "/api/v1/sessions", more)
    assert status == 200, body
    return f"/api/v1/sessions/{body['session']}"


def execute(server, session, sql, **more):
    """The statement's path."""
    status, _, body = server.ask("POST", session + "/operations", {"statement": sql, **more})
    assert status == 200, body
    return f"{session}/operations/{body['operation']}"


def pages(server, operation):
    """Every page until the end: [(number, rows)], and the columns."""
    number, found, columns = 0, [], None
    while True:
        status, _, body = server.ask_long("GET", f"{operation}/pages/{number}", None)
        assert status == 200, body
        if body["kind"] == "end":
            return found, columns
        if body["kind"] == "rows":
            found.append((number, body["rows"]))
            columns = body["columns"]
        number = body["next"]


def test_rows_of_a_session_by_page_and_as_events_for_several_readers(server):
    session = open_session(server, name="reader")
    pages(server, execute(server, session, (NUMBERS % (12000, 12000)).rstrip(";\n")))
    operation = execute(server, session, "SELECT a, CAST(a AS BIGINT) AS b FROM n")
    found, columns = pages(server, operation)
    assert [c["name"] for c in columns] == ["a", "b"] and columns[1]["type"].startswith("BIGINT")
    rows = [r for _, some in found for r in some]
    assert sorted(rows) == sorted(["+I", i, str(i)] for i in range(1, 12001)), "64 bits are text"
    for number, some in found:
        assert server.ask_long("GET", f"{operation}/pages/{number}", None)[2]["rows"] == some, "a page is read as often as it is asked for"

    def stream(*lines):
        reader = Stream.__new__(Stream)
        reader.s = server.raw(server.head("GET", operation + "/rows", "Accept: text/event-stream", "Connection: close", *lines))
        reader.s.settimeout(60)
        reader.text = b""
        return events_of(reader.read(lambda t: t.endswith(b"0\r\n\r\n")))

    whole = stream()
    assert rows_of([e for _, kind, e in whole if kind == "event"]) == rows and whole[-1][1:] == ("end", {"operation": operation.rsplit("/", 1)[1], "state": "FINISHED",
                                                                                                      "flinkJob": whole[-1][2]["flinkJob"], "next": len(found), "ended": True})
    middle = next(i for i, kind, e in whole if kind == "event" and e["event"] == "rows")
    rest = stream(f"Last-Event-ID: {middle}")
    assert rows_of([e for _, kind, e in rest if kind == "event"]) == [r for number, some in found if number >= middle for r in some]
    assert server.ask("DELETE", session)[0] == 200


def test_a_statement_that_takes_too_long(server):
    session = open_session(server)
    pages(server, execute(server, session, (FOREVER % "5").split(";")[0]))
    operation = execute(server, session, "SELECT a FROM f", timeoutMs=15000)
    status, _, body = server.ask_long("GET", operation + "/pages/0", None)
    while status == 200 and body["kind"] != "end":
        status, _, body = server.ask_long("GET", f"{operation}/pages/{body['next']}", None)
    assert (status, body["code"]) == (504, "timeout"), body
    assert server.ask("GET", operation)[2]["state"] == "TIMEOUT"
    harness.wait_for(lambda: not active(server), 20, "end of the SELECT")
    assert pages(server, execute(server, session, "SHOW TABLES"))[0] == [(0, [["+I", "f"]])], "the session goes on"
    server.ask("DELETE", session)


def test_what_flink_says_has_its_place(server):
    session = open_session(server)
    status, _, body = server.ask_long("GET", execute(server, session, "SELECT a,\n nowhere.b FROM (VALUES (1)) AS t(a)") + "/pages/0", None)
    while status == 200 and body["kind"] == "waiting":
        status, _, body = server.ask_long("GET", f"{operation_of(body, session)}/pages/0", None)
    assert status >= 400 and body["line"] == 2 and "org.apache" not in body["title"], body
    server.ask("DELETE", session)


def operation_of(body, session):
    return f"{session}/operations/{body['operation']}"


@pytest.mark.parametrize("way", ["events", "websocket"])
def test_a_select_ends_with_its_reader(server, way):
    assert not active(server)
    body = submission(FOREVER % "5")
    if way == "events":
        client = Stream(server, body)
        assert b'"rows"' in client.read(lambda t: b'"event":"rows"' in t)
    else:
        client = Socket(server)
        client.s.settimeout(120)
        client.send({"jsonrpc": "2.0", "id": 1, "method": "script.submit", "params": body})
        while client.receive()["params"]["event"]["event"] != "rows":
            pass
    assert len(active(server)) == 1
    client.s.close()
    harness.wait_for(lambda: not active(server), 20, "end of the SELECT")


def resident(server):
    with open(f"/proc/{server.process.pid}/status", encoding="ascii") as f:
        return int(next(line for line in f if line.startswith("VmRSS")).split()[1])


def test_a_reader_that_stops_holds_up_only_itself(server):
    slow = Stream(server, submission(FOREVER % "1000000"))
    slow.read(lambda t: b'"event":"rows"' in t)
    time.sleep(2)
    before = resident(server)
    for _ in range(20):
        start = time.monotonic()
        assert server.ask("GET", "/healthz")[0] == 200
        assert time.monotonic() - start < 5
        time.sleep(0.2)
    assert resident(server) - before < 60000, "what waits for a slow reader grows"
    slow.s.close()
    harness.wait_for(lambda: not active(server), 30, "end of the SELECT")


def test_it_ends_while_a_select_runs(tmp_path):
    s = Server(tmp_path, env={"XDG_DATA_HOME": harness.flink_home(), "TZ": "UTC"})
    reader = Stream(s, submission(FOREVER % "5"))
    reader.read(lambda t: b'"event":"rows"' in t)
    s.process.send_signal(signal.SIGTERM)
    assert s.process.wait(90) == 0
    rest = reader.read(lambda t: False)
    assert b"event: end" in rest or b"event: problem" in rest or rest
    mark = f"SLUICE_DATA={os.path.join(str(tmp_path), 'data')}\0"
    harness.wait_for(lambda: not harness.processes(mark), 20, "end of its JVMs")
