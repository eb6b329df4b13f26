# SPDX-License-Identifier: Apache-2.0
"""Every route of openapi.json is asked, and what it answers is what the document says: Server.ask holds each answer against it."""
import hashlib
import http.server
import json
import os
import socket
import sys
import threading

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from schema import Schemas
from server import Server, read_answer
from test_events import ENDED, Store
from test_logs import JOB, JobManager


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    manager = http.server.ThreadingHTTPServer(("127.0.0.1", 0), JobManager)
    threading.Thread(target=manager.serve_forever, daemon=True).start()
    s = Server(tmp_path_factory.mktemp("openapi"))
    s.manager = f"http://127.0.0.1:{manager.server_port}"
    store = Store(s.folder)
    store.run(ENDED, "over", 1)
    store.db.execute("UPDATE run SET version = 1, state = 'FAILED', error_code = 'kafka-auth', error = 'no', hint = 'h', place = 'p', ended_ms = 1700000000000, created_ms = 1690000000000"
                     " WHERE id = ?", (ENDED,))
    store.db.execute("INSERT INTO job(id, name, owner, created_ms) VALUES(1, 'over', 'ann', 1690000000000)")
    store.db.execute("INSERT INTO version(job, number, digest, bundle, source, made_by, made_ms) VALUES(1, 1, 'd', '{}', '', 'ann', 1690000000000)")
    for n in range(1, 4):
        store.event(ENDED, n, json.dumps({"from": "RUNNING", "to": "FAILED"}))
    yield s
    store.db.execute("UPDATE run SET ended = 1")
    store.db.close()
    code = s.stop()
    manager.shutdown()
    assert code == 0


SCRIPT = "CREATE TABLE t (a INT) WITH ('connector'='datagen');\nCREATE TABLE o (a INT) WITH ('connector'='blackhole');\nINSERT INTO o SELECT a FROM t;\n"
JAR = hashlib.sha256(b"PK and more").hexdigest()
WRONG = "SELECT 1 FORM t;\nCREATE TABEL x;\nSELECT a FROM (SELECT 1 AS b) AS c;\n"


def test_every_route_answers_as_it_says(server):
    """The routes that need a Flink to succeed are asked for what they refuse; before a Flink they are asked in the group serve."""
    assert server.ask("POST", "/api/v1/targets", {"name": "made-up", "url": server.manager, "user": "a:b", "headers": "X-A: b"})[0] == 200
    adopted = server.cli("job", "adopt", f"made-up/{JOB}", "--name", "mine")
    assert adopted.returncode == 0, adopted.stderr
    asked = [
        ("GET", "/hello", None, 200),
        ("GET", "/codes", None, 200),
        ("GET", "/limits", None, 200),
        ("POST", "/scripts/check", {"text": WRONG, "lint": True, "level": "full"}, 200),
        ("POST", "/scripts/check", {"text": "SELECT 1", "level": "deep"}, 400),
        ("POST", "/scripts/split", {"text": WRONG + "SET 'a' = 'b'"}, 200),
        ("POST", "/scripts/format", {"text": WRONG}, 200),
        ("POST", "/scripts/complete", {"text": "SELECT ", "offset": 7}, 200),
        ("POST", "/submissions", {"name": "n", "files": [{"name": "a.sql", "text": SCRIPT}], "dryRun": True}, 200),
        ("POST", "/submissions", {"name": "n", "files": [{"name": "a.sql", "text": WRONG}]}, 200),
        ("POST", "/submissions", {"name": "n", "files": [7]}, 400),
        ("GET", "/submissions/none-such", None, 404),
        ("GET", "/jobs", None, 200),
        ("GET", "/jobs?all=true", None, 200),
        ("GET", "/jobs/mine", None, 200),
        ("GET", "/jobs/over", None, 200),
        ("GET", "/jobs/none-such", None, 404),
        ("GET", "/jobs/over/history", None, 200),
        ("GET", "/jobs/mine/history", None, 200),
        ("GET", "/jobs/mine/logs?which=taskmanager", None, 200),
        ("GET", "/jobs/over/logs?which=errors", None, 200),
        ("GET", "/jobs/over/events", None, 200),
        ("GET", "/jobs/mine/events", None, 200),
        ("POST", "/jobs/over/stop", {}, 409),
        ("POST", "/jobs/over/savepoint", {}, 409),
        ("POST", "/jobs/over/cancel", {"yes": True}, 409),
        ("POST", "/jobs/over/rollback", {"version": 9}, 404),
        ("DELETE", "/jobs/over", None, 200),
        ("GET", "/targets", None, 200),
        ("GET", "/targets/made-up", None, 200),
        ("GET", "/targets/none-such", None, 404),
        ("POST", "/targets/made-up/use", None, 200),
        ("POST", "/targets/local/use", None, 200),
        ("POST", "/targets/made-up/test", {"flink": "2.2"}, 200),
        ("POST", "/targets/local/test", {}, 400),
        ("DELETE", "/targets/local", None, 400),
        ("POST", "/targets", {"name": "gone", "url": "http://127.0.0.1:1"}, 200),
        ("DELETE", "/targets/gone", None, 200),
        ("POST", "/artifacts?name=a.jar", "PK and more", 200),
        ("POST", "/artifacts?name=a.jar", "text", 415),
        ("GET", "/artifacts", None, 200),
        ("GET", f"/artifacts/{JAR}", None, 200),
        ("GET", f"/artifacts/{JAR}/content", None, 200),
        ("DELETE", f"/artifacts/{JAR}", None, 200),
        ("DELETE", f"/artifacts/{JAR}", None, 404),
        ("POST", "/tokens", {"name": "ann", "role": "viewer", "ttlMs": 60000}, 200),
        ("POST", "/tokens", {"name": "bob", "role": "king"}, 400),
        ("DELETE", "/tokens/ann", None, 200),
        ("GET", "/tokens", None, 200),
    ]
    before = set(Server.schemas.seen)
    Server.schemas.seen.clear()
    session = "/sessions/" + server.ask("POST", "/api/v1/sessions", {"name": "n", "config": [{"key": "table.a", "value": "b"}]})[2]["session"]
    operation = session + "/operations/" + server.ask("POST", f"/api/v1{session}/operations", {"statement": "SET"})[2]["operation"]
    asked += [
        ("GET", "/sessions", None, 200),
        ("GET", session, None, 200),
        ("POST", session + "/heartbeat", None, 200),
        ("POST", session + "/complete", {"statement": "SHOW ", "offset": 5}, 200),
        ("POST", session + "/operations", {"statement": "SET"}, 200),
        ("GET", operation + "/pages/0", None, 200),
        ("GET", operation + "/pages/7", None, 409),
        ("GET", operation + "/rows", None, 200),
        ("GET", operation, None, 200),
        ("POST", operation + "/cancel", None, 409),
        ("DELETE", operation, None, 200),
        ("DELETE", session, None, 200),
        ("DELETE", session, None, 404),
    ]
    for method, path, body, status in asked:
        got = server.ask(method, "/api/v1" + path, body, seconds=60)
        assert got[0] == status, (method, path, got)
    document = server.ask_raw("GET", "/api/v1/openapi.json")[2]
    seen = {name for name, _ in Server.schemas.seen}
    missing = {o["operationId"] for path in document["paths"].values() for o in path.values()} - seen
    assert not missing, f"routes without a line above: {missing}"
    Server.schemas.seen |= before


def test_every_route_of_flinks_protocol(server):
    """Each is asked in each version that has it, and is not there in those before; `ask` holds the answers against flink-openapi.json."""
    document = server.ask_raw("GET", "/api/v1/flink-openapi.json")[2]
    deaf = socket.create_server(("127.0.0.1", 0))
    assert server.ask("POST", "/api/v1/targets", {"name": "deaf", "url": "http://127.0.0.1:%d" % deaf.getsockname()[1]})[0] == 200
    since = {o["operationId"]: int(o["tags"][0][-1]) for path in document["paths"].values() for o in path.values()}
    server.ask("GET", "/v1/info")
    schemas, seen, refused = Server.flink_schemas, set(), set()
    only_v3 = {name for name in since if name.startswith(("flink.table.", "flink.workflow."))}
    for version, path in enumerate(("", "/v1", "/v2", "/v3", "/v4")):
        version = version or 4
        schemas.seen.clear()

        def ask(method, rest, body=None, status=200):
            got = server.ask(method, path + rest, body)
            name = schemas.operation(method, rest)["operationId"]
            there = version == 3 if name in only_v3 else since[name] <= version
            assert got[0] == (status if there else 404), (method, path + rest, got)
            if there and name in only_v3:
                refused.add(name)
            return got[2]
        ask("GET", "/info")
        assert ask("GET", "/api_versions")["versions"] == ["V1", "V2"]
        session = "/sessions/" + ask("POST", "/sessions", {"sessionName": "n", "properties": {"pipeline.name": "b", "sluice.target": "deaf"}})["sessionHandle"]
        assert ask("GET", session)["properties"]["pipeline.name"] == "b"
        ask("POST", session + "/heartbeat")
        ask("POST", session + "/configure-session", {"statement": "SET 'c' = 'd'"})
        ask("GET", session + "/complete-statement", {"statement": "SELE", "position": 4})
        ask("POST", session + "/scripts", {"script": "SELECT"}, status=500)
        for rows in ("", "?rowFormat=JSON", "?rowFormat=PLAIN_TEXT"):
            operation = f"{session}/operations/" + ask("POST", session + "/statements", {"statement": "SET"})["operationHandle"]
            uri, kinds = f"{operation}/result/0{rows}", []
            while uri:
                page = server.ask("GET", uri if kinds else path + uri)[2]
                kinds.append(page["resultType"])
                uri = page.get("nextResultUri")
            assert kinds[-1] == "EOS" and "PAYLOAD" in kinds and ask("GET", operation + "/status")["status"] == "FINISHED"
            assert ask("DELETE", operation + "/close")["status"] == "CLOSED"
        operation = f"{session}/operations/" + ask("POST", session + "/statements", {"statement": "SELECT 1"})["operationHandle"]
        assert ask("POST", operation + "/cancel")["status"] == "CANCELED"
        ask("POST", session + "/materialized-tables/t/refresh", {"isPeriodic": False}, status=500)
        if path:
            for verb in ("create", "suspend", "resume"):
                ask("POST", f"/workflow/embedded-scheduler/{verb}", {}, status=500)
            ask("DELETE", "/workflow/embedded-scheduler/delete", {}, status=500)
        assert ask("DELETE", session)["status"] == "CLOSED"
        ask("GET", session, status=500)
        seen |= {name for name, _ in schemas.seen}
        assert {name for name, _ in schemas.seen} - only_v3 == {name for name, first in since.items() if first <= version} - only_v3 - {"flink.session.script"}
    deaf.close()
    assert refused == only_v3 and len(only_v3) == 5
    assert set(since) - seen - refused == {"flink.session.script"}  # it needs a Flink: in the groups before stock clients
    with pytest.raises(AssertionError):
        schemas.check("GET", "/v1/info", 200, "application/json", {"productName": "Apache Flink"})
    with pytest.raises(AssertionError):
        schemas.check("GET", "/v1/info", 404, "application/json", {"title": "no"})
    with pytest.raises(AssertionError):
        schemas.check("GET", "/v1/sessions/x/operations/y/status", 200, "application/json", {"status": "DONE"})


def test_what_is_no_request_gets_the_same_form(server):
    """Refused before any call: still problem details, and in Flink's form where its protocol was spoken."""
    schemas = Schemas(server.ask_raw("GET", "/api/v1/openapi.json")[2])
    big = "Content-Length: 99999999999"
    for line, head, code in (("POST /api/v1/submissions", big, 413), ("POST /api/v1/submissions", "Transfer-Encoding: gzip", 501), ("POST /api/v1/submissions", "Content-Length: 7x", 400),
                             ("GET /api/v1/nothing", "X: y", 404), ("DELETE /api/v1/jobs", "X: y", 405)):
        method, path = line.split()
        s = server.raw(server.head(method, path, head, "Content-Type: application/json"))
        status, body, _ = read_answer(s)
        s.close()
        assert status == code, (line, head, body)
        schemas.check(method, path, status, "application/problem+json", json.loads(body))
    for escaped in ("?a=%0AHost:%20evil.example%0A", "%0D%0AX-y:%20"):  # an end of line that a lenient reader takes for one
        s = server.raw(server.head("GET", "/api/v1/jobs" + escaped))
        status, body, _ = read_answer(s)
        s.close()
        assert status == 400 and json.loads(body)["code"] == "usage", escaped
    s = server.raw(server.head("POST", "/v1/sessions", big))
    status, body, _ = read_answer(s)
    s.close()
    assert status == 413 and "at most" in json.loads(body)["errors"][0]
    assert server.ask("GET", "/api/v1/jobs", token="slu_" + "0" * 64)[0] == 401
    assert server.ask("POST", "/api/v1/scripts/check", "x", Content_Type="text/plain")[0] == 415


def test_a_member_that_is_not_told_of_is_seen(server):
    """The check itself: what it is there to see."""
    schemas = Schemas(server.ask_raw("GET", "/api/v1/openapi.json")[2])
    good = {"version": "1", "build": "b", "pid": 1, "data": "/d", "activeRuns": 0, "resultsPort": 1, "api": 1, "flinkProtocol": 2, "role": "viewer", "messageBytes": 1, "bodyBytes": 1,
            "cellBytes": 1, "rowBytes": 1}
    schemas.check("GET", "/api/v1/hello", 200, "application/json", good)
    for wrong in ({**good, "more": 1}, {**good, "pid": "1"}, {**good, "pid": True}, {k: v for k, v in good.items() if k != "pid"}, []):
        with pytest.raises(AssertionError):
            schemas.check("GET", "/api/v1/hello", 200, "application/json", wrong)
    with pytest.raises(AssertionError):
        schemas.check("GET", "/api/v1/hello", 200, "text/plain", good)
    token = {"id": "i", "name": "n", "role": "viewer", "made": "2026-11-21T20:00:00.000Z"}
    schemas.check("GET", "/api/v1/tokens", 200, "application/json", {"tokens": [token]})
    for name, value in (("made", "yesterday"), ("role", "king")):
        with pytest.raises(AssertionError):
            schemas.check("GET", "/api/v1/tokens", 200, "application/json", {"tokens": [{**token, name: value}]})
