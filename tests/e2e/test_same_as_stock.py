# SPDX-License-Identifier: Apache-2.0
"""Rows and kinds equal those of the stock SQL gateway, which is asked the same on the same cluster: streaming and batch,
parallelism 1 and 4. Where Flink itself promises no order between keys or inputs, what must be equal is each key's own
changelog, or what the changelog adds up to."""
import collections
import csv
import io
import json
import os

import pytest

import harness
import stock

# exact: the same rows with the same kinds as a multiset · keyed: besides, in the same order per first column ·
# sum: the changelogs add up to the same rows.
STREAM = [
    ("grouped aggregate", "keyed", "SELECT item, COUNT(*) AS n, SUM(price) AS total, MAX(ts) AS last_at FROM orders GROUP BY item"),
    ("aggregate that falls away", "sum", "SELECT n, COUNT(*) AS items FROM (SELECT item, COUNT(*) AS n FROM orders GROUP BY item) AS c GROUP BY n"),
    ("distinct", "exact", "SELECT DISTINCT item FROM orders"),
    ("inner join", "exact", "SELECT o.id, o.item, p.colour FROM orders AS o JOIN paints AS p ON o.item = p.item"),
    ("left join with updates", "sum", "SELECT o.id, o.item, p.colour FROM orders AS o LEFT JOIN paints AS p ON o.item = p.item"),
    ("full join", "sum", "SELECT o.id, p.item, p.colour FROM orders AS o FULL OUTER JOIN paints AS p ON o.item = p.item"),
    ("semi join", "sum", "SELECT id FROM orders WHERE item IN (SELECT item FROM paints)"),
    ("anti join", "sum", "SELECT id FROM orders AS o WHERE NOT EXISTS (SELECT 1 FROM paints AS p WHERE p.item = o.item)"),
    ("top n", "sum", "SELECT item, id, price FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY item ORDER BY price DESC, id) AS rn FROM orders) AS t WHERE rn <= 2"),
    ("top n with its rank", "sum", "SELECT item, id, price, rn FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY item ORDER BY price DESC, id) AS rn FROM orders) AS t WHERE rn <= 2"),
    ("deduplication, last row", "keyed", "SELECT item, id, ts FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY item ORDER BY ts DESC) AS rn FROM orders) AS t WHERE rn = 1"),
    ("deduplication, first row", "sum", "SELECT item, id FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY item ORDER BY ts ASC) AS rn FROM orders) AS t WHERE rn = 1"),
    ("interval join, two time attributes", "exact", "SELECT a.id, b.id, a.ts, b.ts FROM orders AS a JOIN orders AS b ON a.item = b.item AND b.ts BETWEEN a.ts AND a.ts + INTERVAL '5' SECOND"),
    ("tumbling window", "exact", "SELECT item, window_start, window_end, SUM(price) AS total FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(ts), INTERVAL '4' SECOND)) GROUP BY item, window_start, window_end"),
    ("over window", "exact", "SELECT id, SUM(price) OVER (PARTITION BY item ORDER BY ts) AS so_far FROM orders"),
    ("match recognize", "exact", "SELECT * FROM orders MATCH_RECOGNIZE (PARTITION BY item ORDER BY ts MEASURES A.id AS a, B.id AS b, B.price AS p ONE ROW PER MATCH AFTER MATCH SKIP PAST LAST ROW PATTERN (A B) DEFINE B AS B.price < A.price) AS m"),
    ("union with duplicate names", "exact", "SELECT id, id, item FROM orders WHERE id < 4 UNION ALL SELECT id, 0, 'x' FROM orders WHERE id = 9"),
    ("processing time", "exact", "SELECT id, PROCTIME() IS NOT NULL AS there FROM orders"),
    ("system time columns", "exact", "SELECT id, ts, CAST(ts AS DATE) AS d, CAST(ts AS TIME) AS t FROM orders"),
]
BATCH = [
    ("grouped aggregate", "exact", "SELECT item, COUNT(*) AS n, SUM(price) AS total, AVG(price) AS mean FROM orders GROUP BY item"),
    ("order by limit", "ordered", "SELECT id, item, price FROM orders ORDER BY price DESC, id LIMIT 5"),
    ("full join", "exact", "SELECT o.id, p.item, p.colour FROM orders AS o FULL OUTER JOIN paints AS p ON o.item = p.item"),
    ("top n", "exact", "SELECT item, id FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY item ORDER BY price DESC, id) AS rn FROM orders) AS t WHERE rn <= 2"),
    ("rollup", "exact", "SELECT item, COUNT(*) FROM orders GROUP BY ROLLUP (item)"),
    ("set operations", "exact", "(SELECT item FROM orders EXCEPT SELECT item FROM paints) UNION ALL (SELECT item FROM orders INTERSECT SELECT item FROM paints)"),
]
SCALARS = [
    "TRUE", "CAST(7 AS TINYINT)", "CAST(-7 AS SMALLINT)", "2147483647", "CAST(-9223372036854775808 AS BIGINT)", "CAST(1.5 AS FLOAT)", "CAST(1e300 AS DOUBLE)",
    "CAST(12.30 AS DECIMAL(10, 4))", "CAST('12345678901234567890.123456789' AS DECIMAL(38, 9))", "CAST('ab' AS CHAR(4))", "'ünï ''q'' \"d\" 字 😀'", "x'00ff10'",
    "CAST(x'0102' AS BINARY(4))", "DATE '0001-01-01'", "TIME '23:59:58'", "TIMESTAMP '2024-02-29 12:34:56.789'", "CAST(TIMESTAMP '2024-02-29 12:34:56.123456789' AS TIMESTAMP(9))",
    "CAST(TIMESTAMP '1969-12-31 23:59:59.5' AS TIMESTAMP_LTZ(3))", "INTERVAL '3-4' YEAR TO MONTH", "INTERVAL '1 02:03:04.567' DAY TO SECOND", "INTERVAL -'5' MONTH",
]
NO_INTERVAL = [s for s in SCALARS if not s.startswith("INTERVAL")]


def types_queries():
    yield "scalars", "SELECT " + ", ".join(f"{s} AS c{i}" for i, s in enumerate(SCALARS))
    yield "nulls", "SELECT CAST(NULL AS INT) AS a, CAST(NULL AS STRING) AS b, CAST(NULL AS DECIMAL(5, 2)) AS c, CAST(NULL AS ROW<x INT, y STRING>) AS d, CAST(NULL AS ARRAY<INT>) AS e, CAST(NULL AS MAP<STRING, INT>) AS f, CAST(NULL AS TIMESTAMP(3)) AS g, CAST(NULL AS BYTES) AS h"
    yield "in arrays", "SELECT " + ", ".join(f"ARRAY[{s}, {s}] AS c{i}" for i, s in enumerate(SCALARS))
    yield "in maps", "SELECT " + ", ".join(f"MAP['k', {s}] AS c{i}" for i, s in enumerate(SCALARS))
    yield "map keys", "SELECT " + ", ".join(f"MAP[{s}, 1] AS c{i}" for i, s in enumerate(NO_INTERVAL) if not s.startswith(("x'", "CAST(x'")))
    yield "in rows", "SELECT " + ", ".join(f"ROW({s}, CAST(NULL AS INT)) AS c{i}" for i, s in enumerate(SCALARS))
    yield "deep", "SELECT ARRAY[MAP['a', ROW(1, ARRAY['x', CAST(NULL AS STRING)])]] AS d, MAP[1, ARRAY[ROW('q', TRUE)]] AS m"
    # UUID() keeps the planner from folding the constant, which it cannot for NaN.
    yield "floats", "SELECT " + ", ".join(f"CAST(CASE WHEN UUID() = '' THEN '1' ELSE '{text}' END AS {kind}) AS c{i}{kind[0]}" for i, text in enumerate(
        ["NaN", "Infinity", "-Infinity", "0.1", "-0.0", "100", "1e-7", "12345678.9", "3.4e38", "1e7", "9999999", "0.001"]) for kind in ("DOUBLE", "FLOAT"))
    yield "multiset", "SELECT COLLECT(x) AS c FROM (VALUES ('a')) AS t(x)"


@pytest.fixture(scope="module")
def tables(sluice):
    folder = os.path.join(sluice.folder, "same")
    os.makedirs(os.path.join(folder, "orders"), exist_ok=True)
    os.makedirs(os.path.join(folder, "paints"), exist_ok=True)
    items = ["pear", "apple", "plum", "fig"]
    with open(os.path.join(folder, "orders", "o.csv"), "w", encoding="utf-8") as f:
        for i in range(1, 41):
            f.write(f"{i},{items[(i * i + i // 7) % 4]},{(i * 37) % 23}.{i % 10}0,2024-05-01 10:00:{i:02}.{(i * 31) % 1000:03}\n")
    with open(os.path.join(folder, "paints", "p.csv"), "w", encoding="utf-8") as f:
        f.write("pear,green\nplum,blue\npear,yellow\nkiwi,brown\n")
    return [f"CREATE TABLE orders (id INT, item STRING, price DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '1' SECOND) WITH ('connector' = 'filesystem', 'path' = 'file://{folder}/orders', 'format' = 'csv')",
            f"CREATE TABLE paints (item STRING, colour STRING) WITH ('connector' = 'filesystem', 'path' = 'file://{folder}/paints', 'format' = 'csv')"]


@pytest.fixture(scope="module")
def gateway(sluice, flink, flink_lib):
    sluice.run("SELECT 1;", "--flink", flink).ok()  # the local cluster is up now
    port = None
    for pid in sluice.jvms():
        for one in harness.listening_ports([pid]):
            try:
                if harness.get(f"http://127.0.0.1:{one}/overview", 3)["slots-total"] > 0:
                    port = one
            except (OSError, ValueError, KeyError):
                continue
    assert port, "no REST port of the local cluster was found"
    it = stock.StockGateway(harness.PATCH[flink], flink_lib, port)
    yield it
    it.stop()


def ours(sluice, flink, settings, tables, query):
    text = "".join(f"SET '{k}' = '{v}';\n" for k, v in settings.items()) + "".join(t + ";\n" for t in tables) + query + ";\n"
    done = sluice("run", sluice.script(text), "--flink", flink, "--mode", "session", "-o", "csv", "--changelog", "on", "--null", "<null>").ok()
    lines = list(csv.reader(io.StringIO(done.out, newline="")))
    return lines[0][1:], [(line[0], line[1:]) for line in lines[1:]]


def theirs(gateway, settings, tables, query):
    session = gateway.session()
    try:
        for key, value in settings.items():
            session.execute(f"SET '{key}' = '{value}'")
        for table in tables:
            session.execute(table)
        columns, rows = session.execute(query, "PLAIN_TEXT")
    finally:
        session.close()
    return [c["name"] for c in columns], [(harness.KINDS[kind], ["<null>" if v is None else str(v) for v in fields]) for kind, fields in rows]


def added_up(rows):
    total = collections.Counter()
    for kind, values in rows:
        total[json.dumps(values, ensure_ascii=False)] += 1 if kind in ("+I", "+U") else -1
    assert all(n >= 0 for n in total.values()), total
    return {k: n for k, n in total.items() if n}


def compare(how, mine, stocks):
    assert mine[0] == stocks[0], "column names"
    mine, stocks = mine[1], stocks[1]
    assert stocks, "the stock gateway gave no row: the test shows nothing"
    if how == "ordered":
        assert mine == stocks
        return
    if how == "sum":
        assert added_up(mine) == added_up(stocks)
        return
    assert harness.normal(mine) == harness.normal(stocks)
    if how == "keyed":
        for key in {r[0] for _, r in stocks}:
            assert [r for r in mine if r[1][0] == key] == [r for r in stocks if r[1][0] == key]


def settings_of(runtime, parallelism):
    return {"execution.runtime-mode": runtime, "parallelism.default": str(parallelism), "table.local-time-zone": "Asia/Kolkata"}


@pytest.mark.parametrize("parallelism", [1, 4])
@pytest.mark.parametrize("name,how,query", STREAM, ids=[c[0].replace(" ", "-") for c in STREAM])
def test_streaming(sluice, flink, gateway, tables, name, how, query, parallelism):
    settings = settings_of("streaming", parallelism)
    compare(how, ours(sluice, flink, settings, tables, query), theirs(gateway, settings, tables, query))


@pytest.mark.parametrize("parallelism", [1, 4])
@pytest.mark.parametrize("name,how,query", BATCH, ids=[c[0].replace(" ", "-") for c in BATCH])
def test_batch(sluice, flink, gateway, tables, name, how, query, parallelism):
    settings = settings_of("batch", parallelism)
    compare(how, ours(sluice, flink, settings, tables, query), theirs(gateway, settings, tables, query))


@pytest.mark.parametrize("runtime", ["streaming", "batch"])
@pytest.mark.parametrize("name,query", list(types_queries()), ids=[n.replace(" ", "-") for n, _ in types_queries()])
def test_types(sluice, flink, gateway, name, query, runtime):
    settings = settings_of(runtime, 1)
    compare("exact", ours(sluice, flink, settings, [], query), theirs(gateway, settings, [], query))
