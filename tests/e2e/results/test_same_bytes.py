# SPDX-License-Identifier: Apache-2.0
"""Every type, alone and nested, through the stock SQL gateway and through the push sink: what C makes of the cells is byte for
byte what the gateway writes, as JSON and as PLAIN_TEXT. FLINK_VERSIONS as in tests/e2e/runner."""
import json
import os
import pathlib
import secrets
import sys
import time
import urllib.error
import urllib.request

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "runner"), str(HERE.parent.parent)]
import stock  # noqa: E402
from flink_cluster import Cluster, chain_text, homes  # noqa: E402

ZONE = "America/New_York"
SCALARS = [
    "TRUE", "CAST(7 AS TINYINT)", "CAST(-7 AS SMALLINT)", "2147483647", "CAST(-9223372036854775808 AS BIGINT)",
    "CAST(1.5 AS FLOAT)", "CAST(1e300 AS DOUBLE)", "CAST(1e-7 AS DOUBLE)", "CAST('NaN' AS DOUBLE)", "CAST(12345678.9 AS FLOAT)",
    "CAST(12.30 AS DECIMAL(10, 4))", "CAST('12345678901234567890.123456789' AS DECIMAL(38, 9))", "CAST(100 AS DECIMAL(5, 2))", "CAST(0 AS DECIMAL(9, 8))",
    "CAST('-0.0000001' AS DECIMAL(20, 10))", "CAST(1200 AS DECIMAL(10, 0))",
    "CAST('ab' AS CHAR(4))", "'ünï ''q'' \"d\" 字 😀 / \\'", "U&'a\\0001\\001f\\007f\\2028\\0009\\000a\\000d\\0008\\000cz'", "''", "CAST('abc' AS VARCHAR(2))",
    "x'00ff10'", "CAST(x'0102' AS BINARY(4))", "x''", "x'01020304'", "x'c3'",
    "DATE '0001-01-01'", "DATE '9999-12-31'", "DATE '1970-01-01'",
    "TIME '23:59:58'", "CAST(TIME '12:12:43.123' AS TIME(3))", "CAST('12:12:43.120' AS TIME(3))", "TIME '00:00:00'", "CAST(TIME '12:12:43' AS TIME(3))",
    "TIMESTAMP '2024-02-29 12:34:56'", "TIMESTAMP '2024-02-29 12:34:56.789'", "CAST(TIMESTAMP '2024-02-29 12:34:56.12' AS TIMESTAMP(3))",
    "CAST(TIMESTAMP '2024-02-29 12:34:56.123456789' AS TIMESTAMP(9))", "CAST(TIMESTAMP '2024-02-29 12:34:56.1' AS TIMESTAMP(9))", "CAST(TIMESTAMP '1969-12-31 23:59:59.999999' AS TIMESTAMP(6))",
    "CAST(TIMESTAMP '2024-02-29 00:00:00' AS TIMESTAMP(3))", "TIMESTAMP '0001-01-01 00:00:00'", "TIMESTAMP '9999-12-31 23:59:59.999'",
    "CAST(TIMESTAMP '1969-12-31 23:59:59.5' AS TIMESTAMP_LTZ(3))", "TO_TIMESTAMP_LTZ(1593561600, 0)", "TO_TIMESTAMP_LTZ(1577836800120, 3)", "CAST(TIMESTAMP '2024-07-01 01:02:03.000004' AS TIMESTAMP_LTZ(6))",
    "CAST(TIMESTAMP '1880-07-01 01:02:03' AS TIMESTAMP_LTZ(0))", "TO_TIMESTAMP_LTZ(4741981200, 0)",
    "INTERVAL '3-4' YEAR TO MONTH", "INTERVAL -'5' MONTH", "INTERVAL '99' YEAR", "INTERVAL '1 02:03:04.567' DAY TO SECOND", "-INTERVAL '4' SECOND", "INTERVAL '10' DAY", "INTERVAL '0' SECOND",
]
TYPES = ["BOOLEAN", "INT", "BIGINT", "DOUBLE", "DECIMAL(10, 2)", "STRING", "BYTES", "DATE", "TIME", "TIMESTAMP(3)", "TIMESTAMP_LTZ(3)", "ARRAY<INT>", "MAP<STRING, INT>",
         "ROW<a INT, b STRING>", "INTERVAL YEAR TO MONTH", "INTERVAL DAY TO SECOND"]
KEYS = ["CAST(1 AS INT)", "CAST(1.50 AS DECIMAL(4, 2))", "TRUE", "DATE '2020-01-01'", "TIMESTAMP '2020-01-01 00:00:00.100'"]
LTZ = "TO_TIMESTAMP_LTZ(1577836800120, 3)"


def select(values):
    return "SELECT " + ", ".join(f"{v} AS c{i}" for i, v in enumerate(values))


def queries():
    yield "scalars", select(SCALARS)
    yield "nulls", select([f"CAST(NULL AS {t})" for t in TYPES])
    yield "arrays", select([f"ARRAY[{s}, {s}]" for s in SCALARS])
    yield "maps", select([f"MAP['k', {s}]" for s in SCALARS])
    yield "rows", select([f"ROW({s}, CAST(NULL AS INT))" for s in SCALARS])
    yield "map keys", select([f"MAP[{k}, 'v']" for k in KEYS])
    yield "zones", select([LTZ, f"ARRAY[{LTZ}]", f"MAP['k', {LTZ}]", f"ROW({LTZ})", f"ARRAY[ROW({LTZ})]", f"MAP['k', ARRAY[{LTZ}]]", f"ROW(ARRAY[{LTZ}])"])
    yield "deep", select(["ARRAY[MAP['a', ROW(1, ARRAY['x', CAST(NULL AS STRING)])]]", "MAP[1, ARRAY[ROW('q', TRUE)]]", "ARRAY[ARRAY[1, 2], ARRAY[3]]", "MAP['k', MAP['j', 1]]",
                          "CAST(ROW(1, 'a') AS ROW<x INT, y STRING>)", "ARRAY[1, CAST(NULL AS INT)]", "MAP['k', CAST(NULL AS INT)]"])
    yield "multiset", "SELECT COLLECT(x) AS c, COLLECT(y) AS d FROM (VALUES ('a', 1), ('a', 1)) AS t(x, y)"
    yield "multiset of strings", "SELECT COLLECT(x) AS c FROM (VALUES ('a'), ('a')) AS t(x)"
    yield "changes", "SELECT x, COUNT(*) AS n FROM (VALUES ('a'), ('b'), ('a')) AS t(x) GROUP BY x"
    yield "far years", "SELECT TO_TIMESTAMP_LTZ(999999999999999, 3) AS c, CAST(TO_TIMESTAMP_LTZ(999999999999999, 3) AS TIMESTAMP(3)) AS d"
    yield "odd times", "SELECT TIME '01:00:00' - INTERVAL '2' HOUR AS c, TIME '23:00:00' + INTERVAL '2' HOUR AS d"
    yield "bad utf-8", "SELECT CAST(x'61c328ff62eda08063f09f98' AS STRING) AS c, ARRAY[CAST(x'c3' AS STRING)] AS d, ROW(CAST(x'f09f98' AS STRING)) AS e"
    yield "variant", "SELECT PARSE_JSON('{\"a\":[1,2.5,null,\"x\"]}') AS v, ARRAY[PARSE_JSON('1')] AS w"
    yield "names", "SELECT 1 AS `a \"b\"`, CAST(ROW(1) AS ROW<`x\"y` INT>) AS `ü`"


def value_end(s, at):
    """Where the JSON value that starts at `at` ends."""
    depth, quoted = 0, False
    while at < len(s):
        c = s[at]
        if quoted:
            at += c == "\\"
            quoted = c != '"'
            if not quoted and depth == 0:
                return at + 1
        elif c == '"':
            quoted = True
        elif c in "[{":
            depth += 1
        elif c in "]}":
            if depth == 0:
                return at
            depth -= 1
            if depth == 0:
                return at + 1
        elif c == "," and depth == 0:
            return at
        at += 1
    raise AssertionError(s)


def raw_rows(body):
    """[(kind, [raw JSON text of each field])], cut out of the body as it came."""
    rows, at = [], 0
    while True:
        at = body.find('{"kind":"', at)
        if at < 0:
            return rows
        kind = body[at + 9:body.index('"', at + 9)]
        at = body.index('"fields":[', at) + 10
        fields = []
        while body[at] != "]":
            end = value_end(body, at)
            fields.append(body[at:end])
            at = end + (body[end] == ",")
        rows.append((kind, fields))


def fetch(gateway, sql, form, settings):
    """Raw rows, or the error's text."""
    base = f"http://127.0.0.1:{gateway.port}"
    session = stock.GatewaySession(base)
    try:
        for k, v in settings.items():
            session.execute(f"SET '{k}' = '{v}'")
        operation = session.start(sql)
        url = f"/v2/sessions/{session.handle}/operations/{operation}/result/0?rowFormat={form}"
        rows, refused, end = [], None, time.monotonic() + 300
        while url and time.monotonic() < end:
            try:
                with urllib.request.urlopen(base + url, timeout=60) as r:
                    body = r.read().decode("utf-8")
            except urllib.error.HTTPError as e:
                assert not refused, refused
                refused = e.read().decode("utf-8", "replace")
                url = url.replace("rowFormat=JSON", "rowFormat=PLAIN_TEXT")  # to its end: a job that is cancelled late takes its TaskManager along
                continue
            answer = json.loads(body)
            if answer["resultType"] == "NOT_READY":
                time.sleep(0.02)
                continue
            rows += raw_rows(body)
            url = answer.get("nextResultUri") if answer["resultType"] != "EOS" else None
        assert not url, "no end"
        return refused or rows
    finally:
        session.close()


@pytest.fixture(scope="module", params=sorted(homes()))
def flink(request):
    home = homes()[request.param]
    if not (home / "lib").is_dir():
        pytest.skip(f"no Flink at {home}")
    jar = pathlib.Path(os.environ.get("RUNNER_JAR", pathlib.Path(os.environ.get("BUILD", "build")) / "sluice-runner.jar")).resolve()
    cluster = Cluster(home, jar).ready()
    gateway = None
    try:
        gateway = stock.StockGateway(request.param, str(home / "lib"), cluster.port)
        yield cluster, gateway
    finally:
        if gateway:
            gateway.stop()
        cluster.stop()


def push(cluster, p, sql, settings):
    rid, token = p.result(1)
    task = p("task", json.dumps({"version": 1, "digest": "sha256:feed", "mode": "session", "config": settings, "results": {"address": f"127.0.0.1:{p.number}"},
                                 "steps": [{"statement": 1, "action": "select", "sql": sql, "config": settings, "token": token}]}))
    status, body = cluster.run(["--results", f"127.0.0.1:{p.number}", "--token", task["token"], "--digest", "sha256:feed"], secrets.token_hex(16))
    assert status == 200, body
    assert p("wait", task["id"], 120000)["state"] == "ended"
    return rid


KINDS = {"INSERT": "+I", "UPDATE_BEFORE": "-U", "UPDATE_AFTER": "+U", "DELETE": "-D"}


@pytest.mark.parametrize("runtime", ["streaming", "batch"])
@pytest.mark.parametrize("name,sql", list(queries()), ids=[n.replace(" ", "-") for n, _ in queries()])
def test_same_bytes(flink, port, name, sql, runtime):
    cluster, gateway = flink
    if name == "variant" and cluster.home.name.startswith("1."):
        pytest.skip("no VARIANT before 2.1")
    settings = {"execution.runtime-mode": runtime, "parallelism.default": "1", "table.local-time-zone": ZONE}
    p = port()
    for form, wire_form in (("PLAIN_TEXT", "text"), ("JSON", "flink")):
        theirs = fetch(gateway, sql, form, settings)
        rid = push(cluster, p, sql, settings)
        got = p("read", rid, wire_form, ZONE, 1000, 240000)
        assert got["state"] == "complete", json.dumps([form, got, cluster.get("/overview"), [(j["name"][:60], j["state"], j["tasks"]) for j in cluster.get("/jobs/overview")["jobs"] if j["state"] != "FINISHED"]])
        if isinstance(theirs, str):
            # The gateway refuses the whole answer: so do we, for a column of it at least.
            assert any(isinstance(c, dict) for c in got["rows"][0][1]), f"{form}: we show what the gateway refuses: {got['rows'][0][1]}\n{theirs[:3000]}"
            continue
        mine = [[k, list(values)] for k, values in got["rows"]]
        if wire_form == "text":
            theirs = [(k, [json.loads(f) for f in fields]) for k, fields in theirs]
        theirs = [[KINDS[k], fields] for k, fields in theirs]
        assert len(mine) == len(theirs), form
        wrong = []
        for (k, a), (j, b) in zip(mine, theirs):
            assert k == j
            wrong += [f"c{i}: {x!r}, the gateway {y!r}" for i, (x, y) in enumerate(zip(a, b)) if x != y]
        assert not wrong, f"{form}: " + "\n".join(wrong)
