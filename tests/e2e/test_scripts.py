# SPDX-License-Identifier: Apache-2.0
"""Whole scripts on a real Flink, in the mode of the session: the stated jobs, files and rows."""
import json
import os
import re

import pytest

pytestmark = pytest.mark.smoke


def read_lines(folder):
    lines = []
    for base, _, names in os.walk(folder):
        for name in names:
            if not name.startswith((".", "_")):
                with open(os.path.join(base, name), encoding="utf-8") as f:
                    lines += f.read().splitlines()
    return lines


def texts(rows):
    return [[None if v is None else str(v) for v in values] for _, values in rows]


def test_files_to_files_and_back(run, sluice):
    """Batch: a job that writes, then a SELECT that sees what it wrote; so Sluice waited for the first."""
    people = os.path.join(sluice.work, "people")
    os.makedirs(people, exist_ok=True)
    with open(os.path.join(people, "a.csv"), "w", encoding="utf-8") as f:
        f.write("1,Ada,91.5,1815-12-10\n2,Émile,,1911-01-01\n3,\"Nguyễn; \"\"V\"\"\",77.25,1902-02-02\n")
    done = run(f"""SET 'execution.runtime-mode' = 'batch';
SET 'sql-client.execution.result-mode' = 'tableau';
SET 'pipeline.name' = 'people to json';
CREATE TABLE people_csv (id INT, name STRING, score DOUBLE, born DATE)
WITH ('connector' = 'filesystem', 'path' = 'file://{people}', 'format' = 'csv', 'csv.null-literal' = '');
CREATE TABLE people_json (id INT, name STRING, score DOUBLE, born DATE)
WITH ('connector' = 'filesystem', 'path' = 'file://${{out}}/people_json', 'format' = 'json');
INSERT INTO people_json SELECT * FROM people_csv WHERE score IS NOT NULL;
SELECT COUNT(*) AS n, MIN(born) AS first_born, MAX(name) AS last_name FROM people_json;
""", "--var", f"out={sluice.work}/c").ok()
    assert texts(done.rows()) == [["2", "1815-12-10", "Nguyễn; \"V\""]]
    assert sorted(json.loads(x)["id"] for x in read_lines(f"{sluice.work}/c/people_json")) == [1, 3]
    assert done.result["ok"] is True and done.result["exit"] == 0
    assert [j["state"] for j in done.result["jobs"]].count("FINISHED") == len(done.result["jobs"]) >= 1


def test_statement_set_is_one_job(run, sluice):
    done = run("""SET 'pipeline.name' = 'three sinks';
SET 'execution.runtime-mode' = 'batch';
CREATE TABLE src (id BIGINT, grp INT)
WITH ('connector' = 'datagen', 'number-of-rows' = '3000', 'rows-per-second' = '1000000', 'fields.id.kind' = 'sequence',
      'fields.id.start' = '1', 'fields.id.end' = '3000', 'fields.grp.min' = '0', 'fields.grp.max' = '4');
CREATE TABLE all_ids (id BIGINT) WITH ('connector' = 'filesystem', 'path' = '${out}/all', 'format' = 'csv');
CREATE TABLE totals (grp INT, n BIGINT) WITH ('connector' = 'filesystem', 'path' = '${out}/totals', 'format' = 'csv');
CREATE TABLE nothing (id BIGINT) WITH ('connector' = 'blackhole');
EXECUTE STATEMENT SET
BEGIN
  INSERT INTO all_ids SELECT id FROM src; -- a semicolon; in a comment
  INSERT INTO totals SELECT grp, COUNT(*) FROM src GROUP BY grp;
  INSERT INTO nothing SELECT id FROM src WHERE grp = 0;
END;
""", "--var", f"out={sluice.work}/e").ok()
    assert len(done.result["jobs"]) == 1, done.result
    assert sorted(int(x) for x in read_lines(f"{sluice.work}/e/all")) == list(range(1, 3001))
    counts = dict(line.split(",") for line in read_lines(f"{sluice.work}/e/totals"))
    assert sum(int(n) for n in counts.values()) == 3000 and set(counts) == set("01234")


def test_functions_of_a_jar(run, udf_jar):
    """ADD JAR, three kinds of functions, a dollar in a class name, ; and " inside a literal."""
    done = run(f"""ADD JAR '{udf_jar}';
SET 'execution.runtime-mode' = 'batch';
CREATE TEMPORARY FUNCTION shout AS 'shop.Functions$Shout';
CREATE TEMPORARY FUNCTION letters AS 'shop.Functions$Letters' LANGUAGE JAVA;
CREATE TEMPORARY FUNCTION spread AS 'shop.Functions$Spread';
CREATE TEMPORARY VIEW words AS
  SELECT * FROM (VALUES (1, 'ab'), (2, 'x;"y'), (3, CAST(NULL AS STRING))) AS t(id, word);
SELECT id, shout(word) AS loud, l.letter, l.nr FROM words, LATERAL TABLE(letters(word)) AS l(letter, nr) ORDER BY id, l.nr;
SELECT spread(CAST(CHAR_LENGTH(word) AS BIGINT)) AS s FROM words;
""").ok()
    assert texts(done.rows(1)) == [["1", "AB!", "a", "0"], ["1", "AB!", "b", "1"]] + [["2", 'X;"Y!', c, str(i)] for i, c in enumerate('x;"y')]
    assert texts(done.rows(2))[-1] == ["2"]


def test_jar_option(run, udf_jar):
    done = run("CREATE TEMPORARY FUNCTION shout AS 'shop.Functions$Shout'; SELECT shout(w) FROM (VALUES ('hm')) AS t(w);", "--jar", udf_jar).ok()
    assert texts(done.rows()) == [["HM!"]]


def test_match_recognize(run, sluice):
    folder = os.path.join(sluice.work, "ticker")
    os.makedirs(folder, exist_ok=True)
    prices = [12, 17, 19, 21, 25, 18, 15, 14, 24, 25, 19]
    with open(os.path.join(folder, "t.csv"), "w", encoding="utf-8") as f:
        for i, p in enumerate(prices):
            f.write(f"ACME,{p},2024-01-01 10:00:{i:02}\n")
    done = run(f"""CREATE TABLE ticker (symbol STRING, price INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '1' SECOND)
WITH ('connector' = 'filesystem', 'path' = '{folder}', 'format' = 'csv');
SELECT * FROM ticker
MATCH_RECOGNIZE (
  PARTITION BY symbol ORDER BY ts
  MEASURES START_ROW.ts AS start_ts, LAST(DOWN.ts) AS bottom_ts, LAST(UP.ts) AS end_ts
  ONE ROW PER MATCH AFTER MATCH SKIP TO LAST UP
  PATTERN (START_ROW DOWN+ UP)
  DEFINE DOWN AS (LAST(DOWN.price, 1) IS NULL AND DOWN.price < START_ROW.price) OR DOWN.price < LAST(DOWN.price, 1),
         UP AS UP.price > LAST(DOWN.price, 1)
) AS T;
""").ok()
    assert texts(done.rows()) == [["ACME", "2024-01-01T10:00:04.000", "2024-01-01T10:00:07.000", "2024-01-01T10:00:08.000"]]


def test_two_selects_in_batch(run):
    done = run("""SET 'execution.runtime-mode' = 'batch';
CREATE TEMPORARY VIEW sales AS
  SELECT * FROM (VALUES ('eu', 'a', 10), ('eu', 'b', 20), ('us', 'a', 30), ('us', 'a', 40)) AS t(region, item, amount);
SELECT region, item, SUM(amount) AS total FROM sales GROUP BY GROUPING SETS ((region, item), (region), ())
ORDER BY region NULLS LAST, item NULLS LAST;
SELECT region, item, amount, RANK() OVER (PARTITION BY region ORDER BY amount DESC) AS r FROM sales ORDER BY region, r;
""").ok()
    assert texts(done.rows(1)) == [["eu", "a", "10"], ["eu", "b", "20"], ["eu", None, "30"], ["us", "a", "70"], ["us", None, "70"], [None, None, "100"]]
    assert texts(done.rows(2)) == [["eu", "b", "20", "1"], ["eu", "a", "10", "2"], ["us", "a", "40", "1"], ["us", "a", "30", "2"]]
    assert [c["name"] for c in done.columns(2)] == ["region", "item", "amount", "r"]


def test_twelve_statements_detached(sluice, flink, mode):
    """SETs in front, a quoted job name with a semicolon, EXPLAIN between, a comment after the last semicolon; never ends."""
    name = f"twelve-{mode}-{flink}"
    path = sluice.script(f"""SET 'execution.checkpointing.interval' = '1 s';
SET 'execution.checkpointing.mode' = 'EXACTLY_ONCE';
SET 'parallelism.default' = '2';
SET 'table.exec.mini-batch.enabled' = 'true';
SET 'table.exec.mini-batch.allow-latency' = '500 ms';
SET 'table.exec.mini-batch.size' = '1000';
SET 'pipeline.name' = 'twelve; "quoted" name';
CREATE TABLE gen (k INT, v DOUBLE, `user name` STRING)
WITH ('connector' = 'datagen', 'rows-per-second' = '100', 'fields.k.min' = '0', 'fields.k.max' = '9', 'fields.user name.length' = '3');
CREATE TABLE hole (k INT, n BIGINT, s DOUBLE, PRIMARY KEY (k) NOT ENFORCED) WITH ('connector' = 'blackhole');
CREATE TEMPORARY VIEW agg AS SELECT k, COUNT(*) AS n, SUM(v) AS s /* comment; with a semicolon */ FROM gen GROUP BY k;
EXPLAIN PLAN FOR SELECT * FROM agg;
INSERT INTO hole SELECT k, n, s FROM agg; -- last one
""", f"{name}.sql")
    done = sluice("run", path, "-d", "--name", name, "--flink", flink, "--mode", mode).ok()
    assert "Physical Execution Plan" in done.out or "Optimized" in done.out, done.out
    try:
        job = sluice.job(name)
        assert re.search("RUNNING", json.dumps(job)), job
    finally:
        sluice("job", "cancel", name, "--yes").ok()
    assert "CANCELED" in json.dumps(sluice.job(name))


def test_show_describe_explain(run):
    done = run("""CREATE TABLE t (id INT NOT NULL, name STRING COMMENT 'who', PRIMARY KEY (id) NOT ENFORCED) WITH ('connector' = 'datagen');
SHOW TABLES;
DESCRIBE t;
EXPLAIN SELECT COUNT(*) FROM t;
SHOW CREATE TABLE t;
""").ok()
    assert texts(done.rows(1)) == [["t"]]
    described = texts(done.rows(2))
    assert [r[0] for r in described] == ["id", "name"] and described[0][1].startswith("INT") and "PRI(id)" in described[0]
    assert "== Optimized Execution Plan ==" in texts(done.rows(3))[0][0]
    assert "CREATE TABLE" in texts(done.rows(4))[0][0]


def test_unbounded_rows_come_and_rows_option_ends_it(run):
    done = run("""CREATE TABLE sales (k INT, item AS ARRAY['apple', 'pear', 'plum'][k])
WITH ('connector' = 'datagen', 'rows-per-second' = '50', 'fields.k.min' = '1', 'fields.k.max' = '3');
SELECT item, COUNT(*) AS n FROM sales GROUP BY item;
""", "--rows", "10").ok()
    rows = done.rows()
    assert len(rows) == 10 and done.result["exit"] == 0
    check_changelog(rows)


def check_changelog(rows):
    """Each key: +I with 1, then pairs -U n, +U n+1."""
    now, taken = {}, {}
    for kind, (item, n) in rows:
        n = int(n)
        if kind == "+I":
            assert item not in now and n == 1
            now[item] = 1
        elif kind == "-U":
            assert now[item] == n
            taken[item] = True
        else:
            assert kind == "+U" and taken.pop(item) and n == now[item] + 1
            now[item] = n


def test_for_ends_it(run):
    done = run("""CREATE TABLE g (k INT) WITH ('connector' = 'datagen', 'rows-per-second' = '20');
SELECT * FROM g;
""", "--for", "2s").ok()
    assert len(done.rows()) >= 5 and {k for k, _ in done.rows()} == {"+I"}
