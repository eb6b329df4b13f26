# SPDX-License-Identifier: Apache-2.0
"""Sessions over our own API without a Flink: what Sluice answers itself, by REST, as events and over a WebSocket; errors with their
place; whose a session is; the same session seen through Flink's protocol."""
import os
import signal
import sys
import time

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from server import Server, Socket


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    s = Server(tmp_path_factory.mktemp("sessions"))
    yield s
    assert s.stop() == 0


@pytest.fixture(scope="module")
def tokens(server):
    made = {}
    for name, role in (("ann", "analyst"), ("ben", "analyst"), ("vic", "viewer")):
        status, _, body = server.ask("POST", "/api/v1/tokens", {"name": name, "role": role})
        assert status == 200
        made[name] = body["token"]
    return made


def opened(server, token=None, **more):
    status, _, body = server.ask("POST", "/api/v1/sessions", more, token=token)
    assert status == 200, body
    return body["session"]


def start(server, session, sql, token=None, **more):
    status, _, body = server.ask("POST", f"/api/v1/sessions/{session}/operations", {"statement": sql, **more}, token=token)
    assert status == 200, body
    return f"/api/v1/sessions/{session}/operations/{body['operation']}"


def page(server, operation, number=0, token=None):
    for _ in range(100):
        status, _, body = server.ask("GET", f"{operation}/pages/{number}", token=token)
        if body.get("kind") != "waiting":
            break
    return status, body


def run(server, session, sql):
    status, body = page(server, start(server, session, sql))
    assert status == 200, body
    return body


def test_a_statement_and_its_pages(server):
    s = opened(server, name="mine", config=[{"key": "table.local-time-zone", "value": "UTC"}])
    assert run(server, s, "SET 'a' = 'b'")["rows"] == [["+I", "OK"]]
    operation = start(server, s, "SET")
    status, body = page(server, operation)
    assert status == 200 and body["kind"] == "rows" and body["next"] == 1
    assert body["columns"] == [{"name": "key", "type": "STRING"}, {"name": "value", "type": "STRING"}]
    assert body["rows"] == [["+I", "a", "b"], ["+I", "table.local-time-zone", "UTC"]] and body["count"] == 2
    assert page(server, operation)[1] == body, "a page that was given is given again"
    status, end = page(server, operation, 1)
    assert status == 200 and end["kind"] == "end" and end["rows"] == [] and "next" not in end
    status, bad = page(server, operation, 5)
    assert status == 409 and bad["code"] == "result-token", bad
    for wrong in ("x", "-1", "1.5"):
        status, bad = page(server, operation, wrong)
        assert status == 400 and bad["code"] == "usage", bad


def test_rows_as_they_come(server):
    s = opened(server)
    for i in range(3):
        run(server, s, f"SET 'k{i}' = '{i}'")
    operation = start(server, s, "SET")
    status, _, whole = server.ask("GET", f"{operation}/rows?follow=true")
    assert status == 200 and whole["ended"] and whole["next"] == 1 and whole["state"] == "FINISHED"
    assert [e["event"] for e in whole["events"]] == ["columns", "rows"]
    assert whole["events"][1]["rows"] == [["+I", f"k{i}", str(i)] for i in range(3)]
    status, heads, text = server.ask("GET", f"{operation}/rows", Accept="text/event-stream")
    assert status == 200 and heads["content-type"] == "text/event-stream"
    assert "id: 1\nevent: event\ndata: {\"event\":\"rows\",\"page\":0," in text and text.count("event: end\n") == 1
    status, _, text = server.ask("GET", f"{operation}/rows", Accept="text/event-stream", Last_Event_ID="1")
    assert status == 200 and '"event":"rows"' not in text and '"ended":true' in text, "what was read does not come again"
    status, _, bad = server.ask("GET", f"{operation}/rows?since=7")
    assert status == 409 and bad["code"] == "result-token"


def test_over_a_websocket_under_credit(server):
    w = Socket(server)

    def call(number, method, **params):
        w.send({"jsonrpc": "2.0", "id": number, "method": method, "params": params})

    call(1, "session.open", name="socket")
    s = w.receive()["result"]["session"]
    for i in range(4):
        call(10 + i, "session.execute", session=s, statement=f"SET 'k{i}' = '{i}'")
        operation = w.receive()["result"]["operation"]
    call(20, "result.page", session=s, operation=operation, page=0)
    assert w.receive()["result"]["rows"] == [["+I", "OK"]]
    call(30, "session.execute", session=s, statement="SET")
    operation = w.receive()["result"]["operation"]
    w.send({"jsonrpc": "2.0", "id": 31, "method": "result.rows", "params": {"session": s, "operation": operation, "follow": True}, "credit": {"rows": 0}})
    assert w.receive()["params"]["event"]["event"] == "columns"
    w.s.settimeout(0.5)
    with pytest.raises(TimeoutError):
        w.receive()
    w.s.settimeout(20)
    w.send({"jsonrpc": "2.0", "method": "credit", "params": {"call": 31, "rows": 10}})
    message = w.receive()["params"]
    assert message["number"] == 1 and message["event"]["count"] == 4
    assert w.receive()["result"]["ended"]
    call(40, "session.show", session=s)
    assert [o["state"] for o in w.receive()["result"]["operations"]] == ["FINISHED"] * 5
    call(41, "session.close", session=s)
    assert w.receive()["result"] == {"closed": s}
    call(42, "session.execute", session=s, statement="SET")
    assert w.receive()["error"]["data"]["code"] == "session-unknown"
    w.s.close()


def test_an_error_has_its_place_and_its_cure(server):
    s = opened(server)
    status, body = page(server, start(server, s, "SELECT a,\n FROM t"))
    assert status == 400 and (body["code"], body["line"], body["column"]) == ("syntax", 2, 2), body
    assert "Exception" not in str(body)
    status, body = page(server, start(server, s, "SELECT a FROM value"))
    assert status == 400 and body["code"] == "reserved-word" and body["hint"], body
    status, body = page(server, start(server, s, "USE CATALOG nowhere; SELECT 1"))
    assert status == 400 and "one statement" in body["title"], body
    status, body = page(server, start(server, s, "REMOVE JAR '/no.jar'"))
    assert status >= 400 and "/no.jar" in body["title"] and "Exception" not in body["title"], body
    assert page(server, start(server, s, "SET", timeoutMs=(1 << 63) - 1))[0] == 200, "for ever is long enough"
    assert server.ask("GET", start(server, s, "SELECT 1 +"))[2]["state"] in ("PENDING", "RUNNING", "ERROR")


def test_whose_a_session_is(server, tokens):
    s = opened(server, token=tokens["ann"], name="ann's")
    mine = server.ask("GET", "/api/v1/sessions", token=tokens["ann"])[2]["sessions"]
    assert [(x["session"], x["user"], x["name"]) for x in mine] == [(s, "ann", "ann's")]
    assert server.ask("GET", "/api/v1/sessions", token=tokens["ben"])[2]["sessions"] == []
    assert s in [x["session"] for x in server.ask("GET", "/api/v1/sessions")[2]["sessions"]], "an admin sees all"
    for method, path, body in (("GET", f"/api/v1/sessions/{s}", None), ("DELETE", f"/api/v1/sessions/{s}", None), ("POST", f"/api/v1/sessions/{s}/heartbeat", {}),
                               ("POST", f"/api/v1/sessions/{s}/operations", {"statement": "SET"})):
        status, _, bad = server.ask(method, path, body, token=tokens["ben"])
        assert status == 404 and bad["code"] == "session-unknown"
        assert server.ask(method, path, body, token=tokens["vic"])[0] == 403
    status, body = page(server, start(server, s, "INSERT INTO t SELECT 1", token=tokens["ann"]), token=tokens["ann"])
    assert status == 403 and body["code"] == "forbidden", "an analyst starts no jobs that last"


def test_the_same_session_as_in_flinks_protocol(server):
    s = opened(server, config=[{"key": "table.local-time-zone", "value": "Asia/Tokyo"}, {"key": "rest.port", "value": "1"}])
    assert server.ask("GET", f"/v2/sessions/{s}")[2]["properties"] == {"table.local-time-zone": "Asia/Tokyo"}
    status, _, body = server.ask("POST", f"/v2/sessions/{s}/statements", {"statement": "SET"})
    assert page(server, f"/api/v1/sessions/{s}/operations/{body['operationHandle']}")[1]["rows"] == [["+I", "table.local-time-zone", "Asia/Tokyo"]]
    shown = server.ask("GET", f"/api/v1/sessions/{s}")[2]
    assert shown["config"] == [{"key": "table.local-time-zone", "value": "Asia/Tokyo"}] and shown["operationsKept"] == 1
    assert (shown["catalog"], shown["database"], shown["jars"]) == ("default_catalog", "default_database", [])


def test_parameters_that_are_wrong(server):
    s = opened(server)
    for body in ({}, {"statement": 1}, {"statement": "SET", "timeoutMs": -1}, {"statement": "SET", "config": [{"key": 1}]}, {"statement": "SET", "x": 1}):
        status, _, bad = server.ask("POST", f"/api/v1/sessions/{s}/operations", body)
        assert status == 400 and bad["code"] == "usage", (body, bad)
    for body in ({"flink": "9.9"}, {"config": [1]}, {"name": 5}):
        status, _, bad = server.ask("POST", "/api/v1/sessions", body)
        assert 400 <= status < 500, (body, bad)
    status, _, found = server.ask("POST", f"/api/v1/sessions/{s}/complete", {"statement": "SELECT * FR", "offset": 11})
    assert status == 200 and any(c.startswith("FROM") for c in found["candidates"])
    assert server.ask("POST", f"/api/v1/sessions/{s}/complete", {"statement": "SEL", "offset": 4})[0] == 400
    status, _, bad = server.ask("GET", f"/api/v1/sessions/{s}/operations/00000000-0000-0000-0000-000000000000")
    assert status == 404 and bad["code"] == "operation-unknown"


def test_cancel_and_close(server):
    s = opened(server)
    operation = start(server, s, "SET")
    page(server, operation)
    status, _, bad = server.ask("POST", operation + "/cancel", {})
    assert status == 409 and bad["code"] == "job-state", bad
    assert server.ask("DELETE", operation)[2] == {"closed": operation.rsplit("/", 1)[1]}
    assert server.ask("GET", operation)[0] == 404
    assert server.ask("DELETE", f"/api/v1/sessions/{s}")[2] == {"closed": s}
    assert server.ask("GET", f"/api/v1/sessions/{s}")[0] == 404


def test_rules_of_targets(tmp_path):
    """Who may have what run where: in sessions, in scripts, by Flink's protocol; read again at HUP."""
    config = tmp_path / "xdg" / "sluice" / "config.yaml"
    config.parent.mkdir(parents=True)
    config.write_text("rules: 'prod:*=admin prod:query=operator sandbox:job=analyst'\n")
    s = Server(tmp_path)
    for name in ("prod", "sandbox"):
        assert s.ask("POST", "/api/v1/targets", {"name": name, "url": "http://127.0.0.1:1"})[0] == 200
    token = {role: s.ask("POST", "/api/v1/tokens", {"name": role, "role": role})[2]["token"] for role in ("analyst", "operator")}

    def said(role, target, sql):
        """The code of the error, in a session; nothing answers there, so all of them end with one."""
        session = opened(s, token=token[role], target=target)
        operation = start(s, session, sql, token=token[role])
        return page(s, operation, token=token[role])[1]["code"]

    def of_script(role, target, sql):
        status, _, body = s.ask("POST", "/api/v1/submissions", {"name": "n", "target": target, "files": [{"name": "n.sql", "text": sql}]}, token=token[role])
        assert status == 200, body
        return [e["code"] for e in body["events"] if e["event"] == "error"]

    insert = "INSERT INTO o SELECT 1"
    assert said("analyst", "prod", "SELECT 1") == "forbidden" and said("operator", "prod", "SELECT 1") != "forbidden"
    assert said("operator", "prod", insert) == "forbidden" and said("operator", "prod", "ADD JAR '/x.jar'") == "forbidden"
    assert said("analyst", "sandbox", insert) != "forbidden" and said("analyst", "sandbox", "ADD JAR '/x.jar'") == "forbidden"
    assert said("analyst", "local", insert) == "forbidden"
    table = "CREATE TABLE o (a INT) WITH ('connector'='blackhole');\n"
    assert of_script("operator", "prod", table + insert + ";") == ["forbidden"]
    assert of_script("analyst", "prod", "SELECT 1;") == ["forbidden"]
    assert of_script("analyst", "sandbox", table + insert + ";") != ["forbidden"]
    assert of_script("analyst", "local", table + insert + ";") == ["forbidden"]
    config.write_text("rules: 'prod:job=operator'\n")
    s.process.send_signal(signal.SIGHUP)
    for _ in range(100):
        if said("operator", "prod", insert) != "forbidden":
            break
        time.sleep(0.05)
    assert said("operator", "prod", insert) != "forbidden" and said("analyst", "sandbox", insert) == "forbidden"
    config.write_text("rules: 'prod:fly=operator'\n")
    s.process.send_signal(signal.SIGHUP)
    for _ in range(100):
        if "reload-failed" in (tmp_path / "data" / "owner.log").read_text():
            break
        time.sleep(0.05)
    assert "reload-failed" in (tmp_path / "data" / "owner.log").read_text() and said("operator", "prod", insert) != "forbidden"
    assert s.stop() == 0
