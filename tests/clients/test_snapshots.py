# SPDX-License-Identifier: Apache-2.0
"""The description of the gateway's REST calls that Flink publishes for each of its protocols (the snapshots in the gateway's test jar): every
call is made, before Flink's gateway and before Sluice, and its answer has exactly the members that the description tells of. A call that a protocol
does not have is in none of its paths; what is no request is refused with the same status and words. Only in test-all."""
import json
import re
import urllib.error
import urllib.request
import zipfile

import pytest

import harness
from test_gateway import ask
from test_q import published as published_jar

LOST = "00000000-0000-4000-8000-000000000000"
pytestmark = pytest.mark.skipif(not harness.FULL, reason="in test-all")
# Sluice keeps no materialized tables, so it has no workflows that refresh them: these calls are known, and refused with the reason.
REFUSED = re.compile(r"/sessions/:session_handle/materialized-tables/|/workflow/")


def calls(flink):
    """{number: [call]} of the protocols that the gateway of this Flink has."""
    with zipfile.ZipFile(published_jar(harness.PATCH[flink])) as jar:
        found = {int(m[1]): json.loads(jar.read(m[0]))["calls"] for m in map(re.compile(r"sql_gateway_rest_api_v(\d)\.snapshot").fullmatch, jar.namelist()) if m}
    assert [len(found[n]) for n in sorted(found)] == [11, 13, 18, 14][:len(found)], "the published calls"
    return found


def held(value, schema, where):
    """Exactly what the description tells of, nothing more and nothing less."""
    kind = schema["type"]
    if kind == "object":
        assert isinstance(value, dict), (where, value)
        if "additionalProperties" in schema:
            for key, one in value.items():
                held(one, schema["additionalProperties"], f"{where}.{key}")
            return
        assert list(value) == list(schema.get("properties", {})), (where, value)
        for key, one in value.items():
            held(one, schema["properties"][key], f"{where}.{key}")
    elif kind == "array":
        assert isinstance(value, list), (where, value)
        for one in value:
            held(one, schema["items"], where + "[]")
    elif kind != "any":
        assert isinstance(value, {"string": str, "integer": int, "boolean": bool}[kind]), (where, value)


def said(answer):
    """Status, number of errors and the line that a client prints; what names something apart."""
    status, body = answer
    if "errors" not in body:
        return status, list(body)
    assert list(body) == ["errors"] and all(isinstance(one, str) for one in body["errors"]), body
    text = body["errors"][-1].removeprefix("<Exception on server side:\n")
    line = text.split("\n")[0] if status == 400 and "Request did not match" in text else text.rsplit("Caused by: ", 1)[-1].split("\n")[0]
    return status, len(body["errors"]), re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "<handle>", line)


class Made:
    """What the calls of one protocol need before one gateway: a session and an operation of its own for each call."""

    def __init__(self, base, prefix):
        self.base, self.prefix = base, prefix

    def ask(self, method, path, body=None):
        return ask(self.base, method, self.prefix + path, body)

    def session(self):
        return self.ask("POST", "/sessions", {"sessionName": "s", "properties": {"pipeline.name": "n"}})[1]["sessionHandle"]

    def operation(self, session):
        operation = self.ask("POST", f"/sessions/{session}/statements", {"statement": "SHOW CURRENT CATALOG", "executionConfig": {"a": "b"}})[1]["operationHandle"]
        harness.wait_for(lambda: self.ask("GET", f"/sessions/{session}/operations/{operation}/status")[1]["status"] == "FINISHED", 60, "end of an operation")
        return operation

    def path(self, url, session, operation):
        return url.replace(":session_handle", session).replace(":operation_handle", operation).replace(":token", "0").replace(":identifier", "default_catalog.default_database.nope")

    def call(self, one):
        """The call as the description has it, with a body that it takes."""
        session = self.session()
        operation = LOST
        if ":operation_handle" in one["url"] and not one["url"].endswith("/cancel"):
            operation = self.operation(session)
        elif one["url"].endswith("/cancel"):
            self.ask("POST", f"/sessions/{session}/statements", {"statement": "CREATE TABLE slow (a INT) WITH ('connector'='datagen', 'rows-per-second'='10', 'number-of-rows'='30')"})
            self.ask("POST", f"/sessions/{session}/statements", {"statement": "SET 'table.dml-sync' = 'true'"})
            self.ask("POST", f"/sessions/{session}/statements", {"statement": "CREATE TABLE hole (a INT) WITH ('connector'='blackhole')"})
            operation = self.ask("POST", f"/sessions/{session}/statements", {"statement": "INSERT INTO hole SELECT * FROM slow"})[1]["operationHandle"]
        path = self.path(one["url"], session, operation) + ("?rowFormat=JSON" if one["query-parameters"]["queryParameters"] else "")
        given = {"sessionName": "s", "properties": {"a": "b"}, "statement": "SET 'a' = 'b'", "position": 3, "executionTimeout": 0, "executionConfig": {"a": "b"}}
        if one["url"].endswith("/complete-statement"):
            given["statement"] = "CREATE TA"
        body = {key: given[key] for key in one["request"].get("properties", {}) if key in given}
        answer = self.ask(one["method"], path, body)
        if not one["url"].endswith(":session_handle"):
            self.ask("DELETE", f"/sessions/{session}")
        return answer


def test_every_published_call(ours, theirs, flink):
    """The stock gateway is held against the description by the same rule."""
    for number, published in calls(flink).items():
        for one in published:
            for base in (theirs, ours):
                where = f"{'stock' if base == theirs else 'sluice'}: {one['method']} /v{number}{one['url']}"
                status, body = Made(base, f"/v{number}").call(one)
                if REFUSED.match(one["url"]) or one["url"].endswith("/scripts"):
                    if base == ours or status != 200:
                        assert status in (400, 500) and list(body) == ["errors"], (where, body)
                    if base == ours and REFUSED.match(one["url"]):
                        assert "materialized tables" in body["errors"][-1], (where, body)
                    continue
                assert f"{status} OK" == one["status-code"], (where, body)
                held(body, one["response"], where)


def test_what_a_protocol_does_not_have(ours, theirs, flink):
    """Each path with each method, in each protocol: there or not, as before Flink's gateway."""
    published = calls(flink)
    urls = sorted({one["url"] for some in published.values() for one in some})
    prefixes = ["/v9", *(f"/v{n}" for n in published), *([""] if 4 in published else [])]  # without a version it is V4, and V3 to the gateway of 1.20
    for prefix in prefixes:
        for url in urls:
            for method in ("GET", "POST", "DELETE", "PUT"):
                path = prefix + Made(ours, prefix).path(url, LOST, LOST)
                want, got = (ask(base, method, path, {})[0] == 404 for base in (theirs, ours))
                assert want == got, f"{method} {path}: stock {'has not' if want else 'has'} it"


def test_what_is_no_request(ours, theirs, flink):
    """Handles that are none or nobody's, bodies that are none: the same status and line."""
    different = []
    for number, published in calls(flink).items():
        for one in published:
            if REFUSED.match(one["url"]):
                continue
            for session, operation in (("xx", "yy"), (LOST, "yy"), (LOST, LOST)):
                if ":session_handle" in one["url"] and (":operation_handle" in one["url"] or operation != "yy" or session != LOST):
                    path = f"/v{number}" + Made(ours, "").path(one["url"], session, operation)
                    some = {"statement": "SET", "position": 1, "script": "SELECT 1;"}
                    body = {key: some[key] for key in one["request"].get("properties", {}) if key in some}
                    want, got = (said(ask(base, one["method"], path, body)) for base in (theirs, ours))
                    if want != got:
                        different.append(f"{one['method']} {path}\n  stock:  {want}\n  sluice: {got}")
    for path in ("/v1/sessions", "/sessions"):
        for text in ("[]", "{", "7", '{"properties": 7}', '{"sessionName": {}}', '{"nobody": "knows"}', ""):
            want, got = (said(asked_raw(base, path, text)) for base in (theirs, ours))
            if want != got:
                different.append(f"POST {path} {text}\n  stock:  {want}\n  sluice: {got}")
    assert not different, "\n".join(different)


def asked_raw(base, path, text):
    request = urllib.request.Request(base + path, method="POST", data=text.encode())
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as e:
        return e.code, json.loads(e.read())
