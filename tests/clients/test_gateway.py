# SPDX-License-Identifier: Apache-2.0
"""One script of statements against Flink's own gateway and against Sluice, as curl would send them: the status, the shape of the JSON,
columns, types, kinds and rows are equal, and so is the line that Flink's SQL client prints for an error. What names a session, an
operation, a job or a time is replaced by a word first. Of an error the first line is compared:
Flink goes on with a list of tokens, Sluice with what is wrong and a hint (docs/sessions.md)."""
import json
import re
import time
import urllib.error
import urllib.request

import pytest

import harness

# In `make test` one form of the script; the other in test-all.
FULL = pytest.mark.skipif(not harness.FULL, reason="in test-all")

SCRIPT = """
SET 'table.local-time-zone' = 'UTC';
SHOW CURRENT CATALOG;
SHOW CURRENT DATABASE;
SHOW CATALOGS;
SHOW TABLES;
SHOW VIEWS;
SHOW MODULES;
SHOW JARS;
CREATE TABLE numbers (id INT, name STRING, price DECIMAL(10, 2), ts AS PROCTIME(), PRIMARY KEY (id) NOT ENFORCED) COMMENT 'some' WITH ('connector'='datagen', 'number-of-rows'='3', 'fields.id.kind'='sequence', 'fields.id.start'='1', 'fields.id.end'='3', 'fields.name.length'='4');
CREATE TABLE IF NOT EXISTS numbers (x INT) WITH ('connector'='print');
CREATE TABLE numbers (x INT) WITH ('connector'='print');
SHOW TABLES;
SHOW TABLES LIKE 'n%';
DESCRIBE numbers;
DESC numbers;
SHOW COLUMNS FROM numbers;
SHOW CREATE TABLE numbers;
CREATE TABLE Rich (id BIGINT NOT NULL COMMENT 'the key', `a b` ARRAY<ROW<x INT, y STRING>>, m MAP<STRING, DECIMAL(10, 2)>, twice AS id * 2, ts TIMESTAMP(3), made TIMESTAMP(3) METADATA FROM 'timestamp' VIRTUAL, WATERMARK FOR ts AS ts - INTERVAL '5' SECOND, PRIMARY KEY (id) NOT ENFORCED) COMMENT 'it''s rich' PARTITIONED BY (id) WITH ('connector'='blackhole', 'a;b'='c''d');
DESCRIBE Rich;
DESC default_database.Rich;
describe `default_catalog`.`default_database`.`Rich`;
SHOW CREATE TABLE Rich;
SHOW CREATE VIEW Rich;
DESCRIBE rich;
ALTER TABLE Rich ADD (more INT);
DESCRIBE Rich;
SHOW CREATE TABLE Rich;
SHOW CREATE TABLE Rich;
CREATE TEMPORARY TABLE Rich (other INT) WITH ('connector'='blackhole');
DESCRIBE Rich;
SHOW CREATE TABLE Rich;
SHOW TABLES;
DROP TEMPORARY TABLE Rich;
DESCRIBE Rich;
SET 'pipeline.name' = 'x';
DESCRIBE Rich;
DESC EXTENDED Rich;
DROP TABLE Rich;
DESCRIBE Rich;
RESET 'pipeline.name';
CREATE TABLE hole (id INT) WITH ('connector'='blackhole');
CREATE TABLE like_numbers WITH ('connector'='blackhole', 'number-of-rows'='1') LIKE numbers (EXCLUDING ALL);
CREATE TABLE like_hole LIKE hole;
DESCRIBE like_hole;
ALTER TABLE hole ADD (more STRING);
DESCRIBE hole;
ALTER TABLE hole RENAME TO pit;
SHOW TABLES;
SELECT id FROM numbers;
SELECT 1 AS a, 'x' AS b, CAST(NULL AS INT) AS c, TRUE, 1.50, DATE '2024-01-02', TIME '01:02:03', TIMESTAMP '2024-01-02 03:04:05.6', X'00ff', 1e0;
SELECT ARRAY[1, 2], MAP['k', 1], ROW(1, 'a'), INTERVAL '1' DAY, INTERVAL '2' YEAR, CAST(7 AS BIGINT), CAST(1 AS TINYINT), CAST('ab' AS CHAR(4)), CAST(2 AS FLOAT);
SELECT CAST(1 AS SMALLINT), CAST(2 AS DOUBLE), CAST(X'0102' AS BINARY(2)), CAST(X'03' AS BYTES), CAST('v' AS VARCHAR(3)), CAST(NULL AS BOOLEAN), CAST(123456789.987654321 AS DECIMAL(38, 18)), CAST(100 AS DECIMAL(10, 2)), CAST(0 AS DECIMAL(7, 4));
SELECT CAST('1e30' AS DOUBLE), CAST('NaN' AS DOUBLE), CAST('-Infinity' AS FLOAT), CAST(0.1 AS FLOAT), CAST(1234567890123 AS BIGINT), CAST(-128 AS TINYINT), '', CAST('' AS BYTES), U&'\\00e9', 'tab\tquote"back\\';
SELECT CAST(TIMESTAMP '2024-01-02 03:04:05.123456789' AS TIMESTAMP(9)), CAST('2024-01-02 03:04:05.12' AS TIMESTAMP_LTZ(3)), CAST('1969-12-31 23:59:59' AS TIMESTAMP(0)), DATE '0001-01-01', DATE '9999-12-31', TIME '23:59:59', CAST(NULL AS TIMESTAMP(3));
SELECT INTERVAL '1-2' YEAR TO MONTH, INTERVAL '3' MONTH, INTERVAL -'5' HOUR, INTERVAL '1 02:03:04.567' DAY TO SECOND, INTERVAL '30' MINUTE, INTERVAL '10' SECOND;
SELECT ARRAY[CAST(NULL AS INT), 1], ARRAY[ROW(1, ARRAY['x'])], MAP['a', ARRAY[MAP['b', 2.5]]], ROW(CAST(NULL AS STRING), ROW(TRUE, DATE '2024-01-02')), CAST(NULL AS ARRAY<INT>), CAST(ROW(1, 'z') AS ROW<n INT, s STRING>);
SELECT COLLECT(x) FROM (VALUES 'a', 'b', 'a') AS t(x) GROUP BY CHAR_LENGTH(x);
SELECT n, COUNT(*) FROM (SELECT a, COUNT(*) AS n FROM (VALUES (1), (1), (2)) AS t(a) GROUP BY a) GROUP BY n;
SELECT a, b FROM (SELECT a, b, ROW_NUMBER() OVER (PARTITION BY a ORDER BY b DESC) AS r FROM (VALUES (1, 1), (1, 2), (2, 5)) AS t(a, b)) WHERE r = 1;
SELECT MAP[1, 2];
VALUES (1, 'a'), (2, 'b');
SELECT a, COUNT(*) FROM (VALUES (1), (1), (2)) AS t(a) GROUP BY a;
SELECT * FROM nope;
SELECT nope FROM numbers;
SELECT 1 / 0;
SELECT COUNT(;
SELEC 1;
SELECT 1; SELECT 2;
EXECUTE STATEMENT SET BEGIN INSERT INTO pit SELECT id, name FROM numbers;
EXPLAIN SELECT id FROM numbers;
CREATE VIEW v AS SELECT id, name FROM numbers;
SHOW VIEWS;
SHOW TABLES;
DESCRIBE v;
SHOW CREATE TABLE v;
SHOW CREATE VIEW v;
SELECT COUNT(*) FROM (VALUES 1, 2) AS t(x);
CREATE TEMPORARY VIEW tv AS SELECT 1 AS x;
SHOW VIEWS;
SHOW CREATE VIEW tv;
DESCRIBE tv;
SELECT * FROM tv;
DROP TEMPORARY VIEW tv;
DROP VIEW v;
DROP VIEW v;
DROP VIEW IF EXISTS v;
CREATE TEMPORARY VIEW v AS SELECT 1 AS x;
CREATE VIEW v AS SELECT 'y' AS y;
CREATE VIEW v AS SELECT 'y' AS y;
SELECT * FROM v;
DROP TEMPORARY VIEW v;
SELECT * FROM v;
DROP VIEW v;
CREATE TABLE again (x INT) WITH ('connector'='blackhole');
ALTER TABLE again RENAME TO other;
DROP TABLE other;
CREATE TABLE IF NOT EXISTS again (z INT) WITH ('connector'='blackhole');
DESCRIBE again;
DROP TABLE IF EXISTS again;
DESCRIBE again;
EXECUTE STATEMENT SET BEGIN END;
CREATE DATABASE d1 COMMENT 'one';
SHOW DATABASES;
DESCRIBE DATABASE d1;
USE d1;
SHOW CURRENT DATABASE;
SHOW TABLES;
CREATE TABLE inside (x INT) WITH ('connector'='blackhole');
SHOW TABLES;
USE default_database;
SHOW TABLES FROM d1;
DROP DATABASE d1;
DROP DATABASE d1 CASCADE;
USE d1;
CREATE CATALOG mem WITH ('type'='generic_in_memory', 'default-database'='base');
SHOW CATALOGS;
USE CATALOG mem;
SHOW CURRENT CATALOG;
SHOW CURRENT DATABASE;
CREATE TABLE m (x INT) WITH ('connector'='blackhole');
SHOW TABLES;
DESCRIBE m;
SHOW DATABASES;
SELECT id FROM default_catalog.default_database.numbers;
USE CATALOG default_catalog;
SHOW CURRENT DATABASE;
DROP CATALOG mem;
USE CATALOG nope;
CREATE TEMPORARY SYSTEM FUNCTION f AS 'org.no.Such';
CREATE FUNCTION G AS 'org.no.Such';
CREATE TEMPORARY FUNCTION aa AS 'org.no.Such';
SHOW USER FUNCTIONS;
DROP FUNCTION g;
DROP TEMPORARY SYSTEM FUNCTION f;
INSERT INTO pit SELECT id, name FROM numbers;
INSERT INTO nowhere SELECT 1;
EXECUTE STATEMENT SET BEGIN INSERT INTO pit SELECT id, name FROM numbers; INSERT INTO pit SELECT id + 1, name FROM numbers; END;
BEGIN STATEMENT SET;
BEGIN STATEMENT SET;
INSERT INTO pit SELECT id, name FROM numbers;
SELECT 1;
END;
END;
CREATE TABLE made WITH ('connector'='blackhole') AS SELECT 1 AS a, 'x' AS b;
DESCRIBE made;
SET 'execution.runtime-mode' = 'batch';
SELECT a, COUNT(*) FROM (VALUES (1), (1), (2)) AS t(a) GROUP BY a ORDER BY a;
SET 'table.dml-sync' = 'true';
INSERT INTO pit SELECT id, name FROM numbers;
DROP TABLE made;
DROP TABLE pit;
DROP TABLE IF EXISTS pit;
SHOW TABLES;
RESET 'table.dml-sync';
SET 'table.sql-dialect' = 'unknown';
SET 'execution.runtime-mode' = 'nope';
SET 'execution.runtime-mode' = 'automatic';
SET 'parallelism.default' = 'x';
SET 'table.dml-sync' = 'maybe';
ADD JAR '/nope.jar';
SHOW JARS;
SHOW FULL MODULES;
SHOW PROCEDURES;
DESCRIBE CATALOG default_catalog;
USE MODULES nope;
LOAD MODULE core;
UNLOAD MODULE nope;
EXPLAIN ESTIMATED_COST, CHANGELOG_MODE SELECT 1;
RESET;
""".strip().split("\n")


def ask(base, method, path, body=None):
    request = urllib.request.Request(base + path, method=method, data=None if body is None else json.dumps(body).encode())
    try:
        with urllib.request.urlopen(request, timeout=120) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as e:
        return e.code, json.loads(e.read())


def plain(value):
    text = json.dumps(value)
    text = re.sub(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "<handle>", text)
    return json.loads(re.sub(r"\b[0-9a-f]{32}\b", "<job>", text))


def statement(base, session, sql, form, version="v2"):
    """All that a client sees of a statement: [status, head, columns, rows, end], or [status, the line that is printed]."""
    status, body = ask(base, "POST", f"/{version}/sessions/{session}/statements", {"statement": sql})
    if status != 200:
        return [status, body]
    path = f"/{version}/sessions/{session}/operations/{body['operationHandle']}/result/0?rowFormat={form}"
    head, columns, rows, end, deadline = None, None, [], None, time.monotonic() + 120
    while path:
        assert time.monotonic() < deadline, f"no end: {sql}"
        status, page = ask(base, "GET", path)
        if status != 200:
            assert list(page) == ["errors"], page
            return [status, len(page["errors"]), page["errors"][-1].rsplit("Caused by: ", 1)[-1].split("\n\tat ")[0].split("\n")[0]]
        path = page.get("nextResultUri")
        if page["resultType"] == "NOT_READY":
            assert list(page) == ["resultType", "nextResultUri"]
            time.sleep(0.02)
            continue
        results = page["results"]
        assert list(results) == ["columns", "rowFormat", "data"] and results["rowFormat"] == form
        seen = {k: page[k] for k in page if k not in ("resultType", "results", "nextResultUri")}
        assert head in (None, seen) and columns in (None, results["columns"])
        head, columns, end = seen, results["columns"], page["resultType"]
        assert (end == "EOS") == (path is None)
        rows += [[r["kind"], *r["fields"]] for r in results["data"]]
        assert all(list(r) == ["kind", "fields"] for r in results["data"])
        if end == "PAYLOAD" and not results["data"]:
            time.sleep(0.02)
    return plain([200, list(head), head, columns, rows, end])


@pytest.mark.parametrize("form", ["JSON", pytest.param("PLAIN_TEXT", marks=FULL)])
def test_the_same_as_stock(ours, theirs, form):
    sessions = [ask(base, "POST", "/v2/sessions", {"sessionName": "s", "properties": {}})[1]["sessionHandle"] for base in (theirs, ours)]
    different = []
    for sql in SCRIPT:
        want = statement(theirs, sessions[0], sql, form)
        got = statement(ours, sessions[1], sql, form)
        if sql.startswith(("SELECT id", "VALUES", "SELECT a,", "SELECT n,")) and len(want) == 6 and len(got) == 6:
            want[4], got[4] = sorted(want[4], key=str), sorted(got[4], key=str)
        if want != got:
            different.append(f"{sql}\n  stock:  {json.dumps(want)}\n  sluice: {json.dumps(got)}")
    for base, session in zip((theirs, ours), sessions):
        assert ask(base, "DELETE", f"/v2/sessions/{session}") == (200, {"status": "CLOSED"})
    assert not different, f"{len(different)} of {len(SCRIPT)}:\n" + "\n".join(different)


def test_streaming_select_ends_with_its_operation(ours, cluster):
    """Rows come while the job runs; a page is given again; closing the operation ends the job."""
    session = ask(ours, "POST", "/v1/sessions", {})[1]["sessionHandle"]
    statement(ours, session, "CREATE TABLE forever (id INT) WITH ('connector'='datagen', 'rows-per-second'='50')", "JSON")
    operation = ask(ours, "POST", f"/v2/sessions/{session}/statements", {"statement": "SELECT id FROM forever"})[1]["operationHandle"]
    path, token, rows = f"/v2/sessions/{session}/operations/{operation}", 0, 0
    deadline = time.monotonic() + 120
    while rows < 100:
        assert time.monotonic() < deadline
        status, page = ask(ours, "GET", f"{path}/result/{token}")
        assert status == 200, page
        if page["resultType"] == "PAYLOAD":
            assert ask(ours, "GET", f"{path}/result/{token}")[1] == page
            rows += len(page["results"]["data"])
            token += 1
    job = page["jobID"]
    assert ask(cluster, "GET", f"/jobs/{job}")[1]["state"] == "RUNNING"
    assert ask(ours, "DELETE", f"{path}/close") == (200, {"status": "CLOSED"})
    harness.wait_for(lambda: ask(cluster, "GET", f"/jobs/{job}")[1]["state"] == "CANCELED", 60, "end of the job")

    def told():
        listed = statement(ours, session, f"DESCRIBE JOB '{job}'", "JSON")
        assert [c["name"] for c in listed[3]] == ["job id", "job name", "status", "start time"]
        return listed[4][0][3] == "CANCELED"
    harness.wait_for(told, 60, "its end, told by Sluice")
    assert ask(ours, "DELETE", f"/v2/sessions/{session}")[0] == 200


@FULL
def test_a_script_is_an_application_of_its_own(ours, tmp_path):
    session = ask(ours, "POST", "/v4/sessions", {"properties": {"execution.runtime-mode": "batch", "pipeline.name": "by script"}})[1]["sessionHandle"]
    script = f"CREATE TABLE kept_rows (a INT, b STRING) WITH ('connector'='filesystem', 'path'='file://{tmp_path}/out', 'format'='csv');\nINSERT INTO kept_rows VALUES (1, 'a;b'), (2, 'c');\n"
    status, body = ask(ours, "POST", f"/v4/sessions/{session}/scripts", {"script": script, "executionConfig": {"parallelism.default": "1"}})
    assert status == 200 and list(body) == ["clusterID"] and body["clusterID"], body

    def lines():
        return sorted(line for path in tmp_path.glob("out/part-*") for line in path.read_text().splitlines())
    harness.wait_for(lambda: lines() == ["1,a;b", "2,c"], 120, "the rows of the script")
    assert ask(ours, "DELETE", f"/v4/sessions/{session}")[0] == 200
