# SPDX-License-Identifier: Apache-2.0
"""Tables in and out of statements as `sluice lineage` says and as Flink's own planner does in EXPLAIN."""
import json
import os
import re

TABLES = """SET 'execution.runtime-mode' = 'streaming';
CREATE TABLE orders (id BIGINT, item STRING, price DECIMAL(10, 2), qty INT, cost AS price * qty, ts TIMESTAMP(3), tags ARRAY<STRING>,
  pt AS PROCTIME(), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'datagen');
CREATE TABLE items (item STRING, label STRING, PRIMARY KEY (item) NOT ENFORCED) WITH ('connector' = 'datagen');
CREATE TABLE sink (a BIGINT, b STRING) WITH ('connector' = 'blackhole');
CREATE TABLE other (a BIGINT, b STRING) WITH ('connector' = 'blackhole');
CREATE VIEW dear AS SELECT id, item, cost, ts FROM orders WHERE price > 100;
CREATE VIEW dearest AS SELECT d.id, i.label FROM dear d JOIN items i ON d.item = i.item;
"""
CASES = [
    "INSERT INTO sink SELECT id, item FROM orders",
    "INSERT INTO sink (b, a) SELECT label, id FROM dearest",
    "INSERT INTO sink SELECT COUNT(*), item FROM TUMBLE(TABLE dear, DESCRIPTOR(ts), INTERVAL '1' MINUTE) GROUP BY item, window_start, window_end",
    "INSERT INTO sink WITH x AS (SELECT id FROM dear), y AS (SELECT item FROM items) SELECT x.id, y.item FROM x, y",
    "INSERT INTO sink SELECT id, item FROM orders WHERE item IN (SELECT item FROM items)",
    "INSERT INTO sink SELECT id, t FROM orders CROSS JOIN UNNEST(tags) AS u (t)",
    "INSERT INTO sink SELECT id, item FROM orders UNION ALL SELECT 1, label FROM items",
    "INSERT INTO sink SELECT m.f, m.item FROM orders MATCH_RECOGNIZE (PARTITION BY item ORDER BY ts MEASURES FIRST(A.id) AS f "
    "AFTER MATCH SKIP PAST LAST ROW PATTERN (A B) DEFINE B AS B.price > A.price) AS m",
    "INSERT INTO sink SELECT a.id, b.item FROM orders a JOIN orders b ON a.id = b.id AND a.ts BETWEEN b.ts AND b.ts + INTERVAL '1' HOUR",
    "INSERT INTO sink VALUES (1, 'x')",
    "STATEMENT SET BEGIN INSERT INTO sink SELECT id, item FROM orders; INSERT INTO other SELECT 1, label FROM items; END",
]


def planned(plan):
    """Tables read and written in the first part of a plan, as Flink's planner writes it."""
    tree = plan.split("== Optimized")[0]
    reads = {".".join(x.strip() for x in one.split(",")[:3]) for one in re.findall(r"LogicalTableScan\(table=\[\[([^\]]*)\]", tree)}
    return reads, set(re.findall(r"LogicalSink\(table=\[([\w.]+)\]", tree))


def test_as_the_planner_says(run, sluice):
    done = run(TABLES + "".join(f"EXPLAIN {one};\n" for one in CASES)).ok()
    plans = [planned(done.rows(i + 1)[0][1][0]) for i in range(len(CASES))]
    script = TABLES + "".join(("EXECUTE " if one.startswith("STATEMENT") else "") + one + ";\n" for one in CASES)
    path = os.path.join(sluice.work, "lineage.sql")
    with open(path, "w", encoding="utf-8") as f:
        f.write(script)
    answer = json.loads(sluice("lineage", path).ok().out)
    first = script[:script.index("INSERT")].count(";") + 1
    for number, (case, (reads, writes)) in enumerate(zip(CASES, plans), first):
        ours = [one for one in answer["statements"] if one["statement"] == number]
        assert {one["output"] for one in ours} == writes, case
        assert {i["table"] for one in ours for i in one["inputs"]} == reads, case
        assert all(one["complete"] for one in ours), case
