# SPDX-License-Identifier: Apache-2.0
"""Flink's REST protocol without a Flink: sessions and what Sluice answers itself; forms of paths, bodies, pages and errors; whose a
session is; sessions that outlive the server."""
import json
import os
import re
import signal
import sys
import threading
import time
import uuid

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from server import Server, read_answer


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    s = Server(tmp_path_factory.mktemp("flink"))
    yield s
    assert s.stop() == 0


def opened(server, version="/v2", token=None, **properties):
    status, _, body = server.ask("POST", f"{version}/sessions", {"sessionName": "t", "properties": properties}, token=token)
    assert status == 200, body
    assert list(body) == ["sessionHandle"] and str(uuid.UUID(body["sessionHandle"])) == body["sessionHandle"]
    return body["sessionHandle"]


def start(server, session, sql, version="/v2", **more):
    status, _, body = server.ask("POST", f"{version}/sessions/{session}/statements", {"statement": sql, **more})
    assert status == 200, body
    assert list(body) == ["operationHandle"]
    return body["operationHandle"]


def page(server, session, operation, token, form="?rowFormat=JSON", version="/v2"):
    for _ in range(100):
        status, _, body = server.ask("GET", f"{version}/sessions/{session}/operations/{operation}/result/{token}{form}")
        if body.get("resultType") != "NOT_READY":
            break
    return status, body


def run(server, session, sql):
    status, body = page(server, session, start(server, session, sql), 0)
    assert status == 200, body
    return body


def rows(body):
    return [r["fields"] for r in body["results"]["data"]]


def fails(server, session, sql):
    """The line that a client prints."""
    operation = start(server, session, sql)
    status, body = page(server, session, operation, 0)
    assert status == 500 and list(body) == ["errors"] and len(body["errors"]) == 2, body
    assert body["errors"][0] == "Internal server error."
    assert body["errors"][1].startswith("<Exception on server side:\n") and body["errors"][1].endswith("\nEnd of exception on server side>")
    assert server.ask("GET", f"/v2/sessions/{session}/operations/{operation}/status")[2] == {"status": "ERROR"}
    return body["errors"][1].rsplit("Caused by: ", 1)[1].split("\n\tat ")[0]


STRING = {"type": "VARCHAR", "nullable": True, "length": 2147483647}


def test_what_it_says_of_itself(server):
    assert server.ask("GET", "/v1/api_versions")[2] == {"versions": ["V1", "V2"]}
    for prefix in ("", "/v1", "/v2", "/v3", "/v4"):
        status, headers, body = server.ask("GET", prefix + "/info")
        assert status == 200 and list(body) == ["productName", "version"] and body["productName"] == "Apache Flink"
        assert re.fullmatch(r"\d+\.\d+\.\d+", body["version"])
        assert headers["content-type"] == "application/json; charset=UTF-8" and headers["content-length"]
        assert headers["access-control-allow-origin"] is None


def test_ok_in_two_pages(server):
    s = opened(server)
    o = start(server, s, "SET 'table.local-time-zone' = 'UTC';")
    status, body = page(server, s, o, 0)
    assert status == 200 and body == {
        "resultType": "PAYLOAD", "isQueryResult": False, "resultKind": "SUCCESS",
        "results": {"columns": [{"name": "result", "logicalType": STRING, "comment": None}], "rowFormat": "JSON", "data": [{"kind": "INSERT", "fields": ["OK"]}]},
        "nextResultUri": f"/v2/sessions/{s}/operations/{o}/result/1?rowFormat=JSON"}
    assert list(body) == ["resultType", "isQueryResult", "resultKind", "results", "nextResultUri"]
    end = page(server, s, o, 1)[1]
    assert end["resultType"] == "EOS" and end["results"]["data"] == [] and end["results"]["columns"] == body["results"]["columns"] and "nextResultUri" not in end
    assert page(server, s, o, 0)[1] == body and page(server, s, o, 1)[1] == end, "a page asked for again is the same again"
    assert server.ask("GET", f"/v2/sessions/{s}/operations/{o}/status")[2] == {"status": "FINISHED"}


@pytest.mark.parametrize("token,said", [("3", "Expecting token to be 0, but found 3."), ("x", "Cannot resolve path parameter (token)")])
def test_wrong_tokens(server, token, said):
    s = opened(server)
    o = start(server, s, "SET")
    status, body = page(server, s, o, token)
    assert status == (500 if token == "3" else 400) and said in body["errors"][-1]
    assert server.ask("GET", f"/v2/sessions/{s}/operations/{o}/result/0?rowFormat=XML")[0] == 400


def test_forms_of_pages_by_version(server):
    s = opened(server, "/v1")
    o = start(server, s, "SET 'a' = 'b'", "/v1")
    assert page(server, s, o, 0, "", "/v1")[1]["nextResultUri"] == f"/v1/sessions/{s}/operations/{o}/result/1"
    assert page(server, s, o, 0, "?rowFormat=plain_text", "/v3")[1]["results"]["rowFormat"] == "PLAIN_TEXT"
    assert page(server, s, o, 0, "", "")[1]["nextResultUri"] == f"/v4/sessions/{s}/operations/{o}/result/1?rowFormat=JSON"
    assert server.ask("POST", f"/v1/sessions/{s}/configure-session", {"statement": "RESET"})[0] == 404


def test_configuration(server):
    s = opened(server, **{"table.x": "1", "execution.target": "remote", "rest.address": "10.0.0.1", "$internal.deployment.config-dir": "/x", "sql-client.verbose": "true", "password": "p"})
    assert server.ask("GET", f"/v2/sessions/{s}")[2] == {"properties": {"sql-client.verbose": "true", "table.x": "1"}}
    run(server, s, "SET 'b' = 'it''s'")
    run(server, s, "SET a = c")
    run(server, s, "SET 'a' = 'd';")
    listed = run(server, s, "SET")
    assert [c["name"] for c in listed["results"]["columns"]] == ["key", "value"] and listed["resultKind"] == "SUCCESS_WITH_CONTENT"
    assert rows(listed) == [["a", "d"], ["b", "it's"], ["sql-client.verbose", "true"], ["table.x", "1"]]
    run(server, s, "RESET 'a'")
    assert "a" not in server.ask("GET", f"/v2/sessions/{s}")[2]["properties"]
    assert server.ask("POST", f"/v2/sessions/{s}/configure-session", {"statement": "SET 'c' = '1';"})[2] == {}
    assert server.ask("GET", f"/v2/sessions/{s}")[2]["properties"]["c"] == "1"
    run(server, s, "RESET;")
    assert server.ask("GET", f"/v2/sessions/{s}")[2] == {"properties": {}}


def test_configure_session_takes_what_changes_it_only(server):
    s = opened(server)
    status, _, body = server.ask("POST", f"/v2/sessions/{s}/configure-session", {"statement": "SELECT 1"})
    assert status == 500 and "UnsupportedOperationException: Unsupported statement for configuring session: SELECT 1" in body["errors"][1]


@pytest.mark.parametrize("sql,said", [
    ("SELEC 1", "org.apache.calcite.runtime.CalciteException: Non-query expression encountered in illegal context"),
    ("SELECT COUNT(;", 'org.apache.flink.sql.parser.impl.ParseException: Encountered ";" at line 1, column 14.\nan expression is missing after \'(\''),
    ("SELECT 1 FORM t x", 'org.apache.flink.sql.parser.impl.ParseException: Encountered "t" at line 1, column 15.\n'),
    ("SELECT * FROM t GROUP a", 'org.apache.flink.sql.parser.impl.ParseException: Encountered "a" at line 1, column 23.\n'),
    ("SELECT # 1", "org.apache.calcite.sql.parser.SqlParseException: character '#' (U+0023) cannot stand here at line 1, column 8"),
    ("CREATE TABLE t (a INT", 'org.apache.flink.sql.parser.impl.ParseException: Encountered "<EOF>" at line 1, column 21.'),
    ("SELECT 1; SELECT 2", "java.lang.IllegalArgumentException: only single statement supported"),
    ("BEGIN STATEMENT SET;\nINSERT INTO a SELECT 1;\nEND;", "java.lang.IllegalArgumentException: only single statement supported"),
    ("BEGIN STATEMENT SET; INSERT INTO a SELECT 1;", "java.lang.IllegalArgumentException: only single statement supported"),
    ("EXECUTE STATEMENT SET BEGIN\nINSERT INTO a SELECT 1;", 'org.apache.flink.sql.parser.impl.ParseException: Encountered "<EOF>" at line 2, column 23.'),
    ("SELECT 1 FROM", 'org.apache.flink.sql.parser.impl.ParseException: Encountered "<EOF>" at line 1, column 13.'),
    ("-- nothing", 'org.apache.flink.sql.parser.impl.ParseException: Encountered "<EOF>" at line 1, column 10.'),
    ("END", "No Statement Set to submit. 'END' statement should be used after 'BEGIN STATEMENT SET'."),
    ("CREATE MATERIALIZED TABLE m FRESHNESS = INTERVAL '1' DAY AS SELECT 1", "is not supported in a session: Flink's planner answers OK to it, and does nothing"),
    ("ANALYZE TABLE t COMPUTE STATISTICS", "is not supported in a session: Flink loses the job that it starts"),
    ("EXECUTE PLAN 'file:///x'", "is not supported in a session: a plan is a file of the JobManager's machine"),
    ("COMPILE PLAN 'file:///x' FOR INSERT INTO a SELECT 1", "is not supported in a session: a plan is a file of the JobManager's machine"),
    ("QUIT", "is not supported in a session: it is a word of the client"),
    ("ADD JAR '/no/such.jar'", "jar resource [/no/such.jar] not found."),
    ("REMOVE JAR '/no/such.jar'", "the session has no jar /no/such.jar"),
])
def test_what_is_refused(server, sql, said):
    assert said in fails(server, opened(server), sql)


@pytest.mark.parametrize("sql,thrown", [("SELECT 1 +", "SqlParserEOFException: Encountered"), ("SELECT COUNT(;", "SqlParserException: SQL parse failed. Encountered"),
                                        ("SELEC 1", "SqlParserException: SQL parse failed. Non-query")])
def test_a_client_sees_whether_to_read_on(server, sql, thrown):
    s = opened(server)
    operation = start(server, s, sql)
    trace = page(server, s, operation, 0)[1]["errors"][1]
    assert "Caused by: org.apache.flink.table.api." + thrown in trace and trace.index(thrown) < trace.index("Caused by: org.apache.calcite.sql.parser.SqlParseException: ")


def test_statement_sets(server):
    s = opened(server)
    assert run(server, s, "BEGIN STATEMENT SET;")["resultKind"] == "SUCCESS"
    assert "Only 'INSERT/CREATE TABLE AS' statement is allowed" in fails(server, s, "SELECT 1")
    assert rows(run(server, s, "END;")) == [["OK"]], "an empty one is OK"
    assert "No Statement Set to submit" in fails(server, s, "END;")


def test_places_and_jars(server, tmp_path):
    s = opened(server)
    assert rows(run(server, s, "SHOW CURRENT CATALOG;")) == [["default_catalog"]]
    body = run(server, s, "show  current\n database")
    assert rows(body) == [["default_database"]] and body["results"]["columns"][0]["name"] == "current database name"
    run(server, s, "USE CATALOG default_catalog")
    run(server, s, "USE `default_catalog`.`default_database`")
    jar = tmp_path / "a.jar"
    jar.write_bytes(b"PK")
    run(server, s, f"ADD JAR '{jar}'")
    run(server, s, f"ADD JAR '{jar}'")
    assert rows(run(server, s, "SHOW JARS")) == [[str(jar)]]
    run(server, s, f"REMOVE JAR '{jar}'")
    assert rows(run(server, s, "SHOW JARS")) == []


def test_statements_of_a_session_run_in_order(server):
    s = opened(server)
    for i in range(200):  # none is waited for
        start(server, s, f"SET 'n' = '{i}'")
    assert rows(run(server, s, "SET")) == [["n", "199"]]


def test_ends(server):
    s = opened(server)
    o = start(server, s, "SET")
    page(server, s, o, 0)
    status, _, body = server.ask("POST", f"/v2/sessions/{s}/operations/{o}/cancel")
    assert status == 500 and len(body["errors"]) == 1 and "from FINISHED to CANCELED" in body["errors"][0]
    for _ in range(2):  # one that is not there is closed, too
        assert server.ask("DELETE", f"/v2/sessions/{s}/operations/{o}/close")[2] == {"status": "CLOSED"}
    for call in ("status", "result/0"):
        status, _, body = server.ask("GET", f"/v2/sessions/{s}/operations/{o}/{call}")
        assert status == 500 and f"Can not find the submitted operation in the OperationManager with the {o}." in body["errors"][-1]
    assert server.ask("POST", f"/v2/sessions/{s}/heartbeat")[2] == {}
    assert server.ask("DELETE", f"/v2/sessions/{s}")[2] == {"status": "CLOSED"}
    for method, path in (("DELETE", ""), ("GET", ""), ("POST", "/heartbeat"), ("POST", "/statements"), ("GET", f"/operations/{o}/status")):
        status, _, body = server.ask(method, f"/v2/sessions/{s}{path}", {"statement": "SET"} if path == "/statements" else None)
        assert status == 500 and f"Session '{s}' does not exist." in body["errors"][-1], (method, path)


def test_requests_as_stock_clients_send_them(server):
    """Bodies on GET and DELETE, no body at all, forms as content type, numbers as values, slashes, one connection for several."""
    s = opened(server)
    assert server.ask("GET", "//v2/info/", "{}")[0] == 200
    status, _, body = server.ask("POST", "/sessions/")
    assert status == 200 and body["sessionHandle"]
    body = json.dumps({"statement": "SET", "executionTimeout": 0, "executionConfig": {"parallelism.default": 2, "x": True, "y": 0.5}, "unknown": []})
    status, _, body = server.ask("POST", f"/v4/sessions/{s}/statements", body, Content_Type="application/x-www-form-urlencoded")
    assert status == 200
    assert rows(page(server, s, body["operationHandle"], 0)[1]) == [["parallelism.default", "2"], ["x", "true"], ["y", "0.5"]]
    one = server.head("GET", f"/v2/sessions/{s}", "Content-Length: 2", "Content-Type: application/json") + b"{}"
    raw = server.raw(one + one + server.head("DELETE", f"/v2/sessions/{s}", "Content-Length: 2") + b"{}")
    rest = b""
    for want in (b'{"properties":{}}', b'{"properties":{}}', b'{"status":"CLOSED"}'):
        status, body, rest = read_answer(raw, rest)
        assert (status, body) == (200, want)
    raw.close()


REST = "org.apache.flink.runtime.rest.handler.RestHandlerException: "


@pytest.mark.parametrize("method,path,body,status,said", [
    ("GET", "/v1/nothing", None, 404, "Not found: /v1/nothing"),
    ("DELETE", "/v2/info", None, 404, "Not found: /v2/info"),
    ("GET", "/v2/api/v1/jobs", None, 404, "Not found: /v2/api/v1/jobs"),
    ("POST", "/v2/sessions", "[1", 400, REST + "Request did not match expected format OpenSessionRequestBody."),
    ("POST", "/v2/sessions", '{"properties":7}', 400, REST + "Request did not match expected format OpenSessionRequestBody.\n'properties' is not a map"),
    ("POST", "/v2/sessions", '{"sessionName":{}}', 400, REST + "Request did not match expected format OpenSessionRequestBody.\n'sessionName' is not a text"),
])
def test_wrong_requests(server, method, path, body, status, said):
    got = server.ask(method, path, body)
    assert got[0] == status and got[2] == {"errors": [said]}


@pytest.mark.parametrize("path,name,value", [("/sessions/xx", "session_handle", "xx"), ("/sessions/0-0-0-0-0/operations/y/status", "operation_handle", "y"),
                                             ("/sessions/0-0-0-0-/heartbeat", "session_handle", "0-0-0-0-")])
def test_what_is_no_handle(server, path, name, value):
    """In the words of Flink's gateway; a handle that could be one is nobody's."""
    status, _, body = server.ask("POST" if path.endswith("heartbeat") else "GET", "/v2" + path)
    assert status == 400 and len(body["errors"]) == 1 and f'Cannot resolve path parameter ({name}) from value "{value}".' in body["errors"][0]
    assert server.ask("GET", "/v2/sessions/0-0-0-0-0")[0] == 500


def test_timeouts_are_refused_as_by_stock(server):
    status, _, body = server.ask("POST", f"/v2/sessions/{opened(server)}/statements", {"statement": "SET", "executionTimeout": 5})
    assert status == 500 and "SqlGatewayService doesn't support timeout mechanism now." in body["errors"][1]


def test_completion(server):
    s = opened(server)
    status, _, body = server.ask("GET", f"/v2/sessions/{s}/complete-statement", '{"statement":"CREATE TA","position":9}')
    assert status == 200 and body == {"candidates": ["TABLE"]}


def test_whose_a_session_is(server):
    tokens = {name: server.ask("POST", "/api/v1/tokens", {"name": name, "role": role})[2]["token"] for name, role in (("ann", "analyst"), ("ben", "analyst"), ("vic", "viewer"))}
    s = opened(server, token=tokens["ann"])
    assert server.ask("GET", f"/v2/sessions/{s}", token=tokens["ann"])[0] == 200
    status, _, body = server.ask("GET", f"/v2/sessions/{s}", token=tokens["ben"])
    assert status == 500 and "does not exist" in body["errors"][0]
    assert server.ask("GET", f"/v2/sessions/{s}")[0] == 200, "an admin's"
    status, _, body = server.ask("POST", "/v2/sessions", {}, token=tokens["vic"])
    assert status == 403 and list(body) == ["errors"]
    status, _, body = server.ask("GET", "/v2/info", token="no")
    assert status == 401 and list(body) == ["errors"]
    o = server.ask("POST", f"/v2/sessions/{s}/statements", {"statement": "INSERT INTO a SELECT 1"}, token=tokens["ann"])[2]["operationHandle"]
    assert "needs the role operator" in page(server, s, o, 0)[1]["errors"][1], "an analyst starts no jobs that last"


def test_calls_of_the_protocol_are_rest_only(server):
    import server as helpers
    w = helpers.Socket(server)
    w.send({"jsonrpc": "2.0", "id": 1, "method": "flink.session.open", "params": {"role": "admin"}})
    assert w.receive()["error"]["data"]["code"] == "usage"
    w.s.close()


def test_readers_beside_each_other(server):
    """Many clients on sessions of their own; every answer is its asker's."""
    wrong = []

    def client(i):
        s = opened(server)
        for n in range(20):
            run(server, s, f"SET 'k' = '{i}-{n}'")
            if rows(run(server, s, "SET")) != [["k", f"{i}-{n}"]]:
                wrong.append((i, n))
        server.ask("DELETE", f"/v2/sessions/{s}")

    threads = [threading.Thread(target=client, args=(i,)) for i in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
def test_sessions_outlive_the_server(tmp_path, end):
    first = Server(tmp_path)
    s = opened(first, **{"table.x": "1"})
    run(first, s, "SET 'a' = 'b'")
    gone = opened(first)
    assert first.ask("DELETE", f"/v2/sessions/{gone}")[0] == 200
    first.process.send_signal(end)
    first.process.wait(30)
    first.log.close()
    second = Server(tmp_path)
    assert second.ask("GET", f"/v2/sessions/{s}")[2] == {"properties": {"a": "b", "table.x": "1"}}
    assert rows(run(second, s, "SET")) == [["a", "b"], ["table.x", "1"]]
    assert second.ask("GET", f"/v2/sessions/{gone}")[0] == 500
    assert second.stop() == 0


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
def test_ended_operations_outlive_the_server(tmp_path, end):
    first = Server(tmp_path)
    s = opened(first)
    sent = ["SET 'a' = 'b'", "SET", "SHOW DATABASES", "SHOW TABLES", "SELEC 1", "USE default_database", "BEGIN STATEMENT SET"]
    closed = start(first, s, "SHOW JARS")
    operations = [start(first, s, sql) for sql in sent]
    before = [[page(first, s, o, token, form) for token in (0, 1) for form in ("?rowFormat=JSON", "?rowFormat=PLAIN_TEXT")] for o in operations]
    assert page(first, s, closed, 0)[0] == 200
    assert first.ask("DELETE", f"/v2/sessions/{s}/operations/{closed}/close")[0] == 200
    assert rows(page(first, s, start(first, s, "INSERT INTO t SELECT 1"), 0)[1]) == [["OK"]], "gathered; and the closing is in the store with it"
    first.process.send_signal(end)
    first.process.wait(30)
    first.log.close()
    second = Server(tmp_path)
    for o, sql in zip(operations, sent):
        assert second.ask("GET", f"/v2/sessions/{s}/operations/{o}/status")[2] == {"status": "ERROR" if sql == "SELEC 1" else "FINISHED"}
    assert [[page(second, s, o, token, form) for token in (0, 1) for form in ("?rowFormat=JSON", "?rowFormat=PLAIN_TEXT")] for o in operations] == before
    assert second.ask("GET", f"/v2/sessions/{s}/operations/{operations[0]}/result/2")[0] == 500
    status, _, body = second.ask("GET", f"/v2/sessions/{s}/operations/{closed}/status")
    assert status == 500 and "Can not find the submitted operation" in body["errors"][0] and "may be sent again" in body["errors"][0]
    assert rows(run(second, s, "INSERT INTO t SELECT 2")) == [["OK"]], "the set goes on"
    other = opened(second)
    status, _, body = second.ask("GET", f"/v2/sessions/{other}/operations/{operations[0]}/status")
    assert status == 500 and "Can not find" in body["errors"][0], "of another session"
    assert second.ask("DELETE", f"/v2/sessions/{s}/operations/{operations[0]}/close")[2] == {"status": "CLOSED"}
    assert second.ask("GET", f"/v2/sessions/{s}/operations/{operations[0]}/status")[0] == 500
    assert second.stop() == 0


def test_values_that_are_looked_at(server):
    s = opened(server)
    assert fails(server, s, "SET 'table.sql-dialect' = 'unknown'") == "java.lang.IllegalArgumentException: No enum constant org.apache.flink.table.api.SqlDialect.UNKNOWN"
    assert fails(server, s, "SET 'table.sql-dialect' = 'hive'").startswith("org.apache.flink.table.api.ValidationException: Could not find any factory for identifier 'hive'")
    assert fails(server, s, "SET 'execution.runtime-mode' = 'nope'").endswith("Expected one of: [[STREAMING, BATCH, AUTOMATIC]]")
    assert fails(server, s, "SET 'execution.runtime-mode' = 'automatic'").startswith("org.apache.flink.table.api.TableException: Unsupported mode 'AUTOMATIC'")
    assert fails(server, s, "SET 'parallelism.default' = 'x'") == 'java.lang.NumberFormatException: For input string: "x"'
    assert rows(run(server, s, "SET")) == []
    assert rows(run(server, s, "SET 'parallelism.default' = '+2'")) == [["OK"]]
    assert rows(run(server, s, "SET 'table.sql-dialect' = 'DEFAULT'")) == [["OK"]]
    assert rows(run(server, s, "SET 'execution.runtime-mode' = 'batch'")) == [["OK"]]


def test_versions_that_are_told(tmp_path):
    server = Server(tmp_path, "--config", "flink.protocol=4", "--config", "flink=1.20")
    assert server.ask("GET", "/v1/info")[2]["version"].startswith("1.20.")
    assert server.ask("GET", "/v1/api_versions")[2] == {"versions": ["V1", "V2", "V3", "V4"]}
    assert server.stop() == 0


def test_scripts_that_are_refused(server):
    s = opened(server)
    for body, words in (({}, "Please specify script content or uri."), ({"script": "SELECT 1", "scriptUri": "file:///x"}, "not both"), ({"scriptUri": "file:///x"}, "'scriptUri' is not read"),
                        ({"script": "CREATE TABLE t (x INT) WITH ('connector'='print');\nINSERT INTO t SELECT nope;"}, "at line 2, column "), ({"script": "SELEC 1"}, "at line 1, column 1")):
        status, _, answer = server.ask("POST", f"/v4/sessions/{s}/scripts", body)
        assert status == 500 and answer["errors"][0] == "Internal server error." and words in answer["errors"][1], answer
    status, _, answer = server.ask("POST", f"/sessions/{uuid.uuid4()}/scripts", {"script": "SELECT 1"})
    assert status == 500 and "does not exist" in answer["errors"][1]
    for version in ("/v1", "/v2", "/v3"):
        assert server.ask("POST", f"{version}/sessions/{s}/scripts", {"script": "SELECT 1"})[0] == 404


def test_idle_sessions_end(tmp_path):
    server = Server(tmp_path, "--config", "limit.session-idle=1s", "--config", "limit.sessions=1")
    s = opened(server)
    deadline = time.time() + 60
    while time.time() < deadline and server.ask("POST", "/v2/sessions", {})[0] != 200:  # there is no place before it has ended
        time.sleep(0.1)
    status, _, body = server.ask("GET", f"/v2/sessions/{s}")
    assert status == 500 and "does not exist" in body["errors"][0]
    assert server.stop() == 0


def test_too_many_sessions(tmp_path):
    server = Server(tmp_path, "--config", "limit.sessions=1")
    s = opened(server)
    status, _, body = server.ask("POST", "/v2/sessions", {})
    assert status == 500 and "there are 1 sessions already" in body["errors"][1]
    assert server.ask("DELETE", f"/v2/sessions/{s}")[0] == 200
    opened(server)
    assert server.stop() == 0
