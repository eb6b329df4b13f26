# SPDX-License-Identifier: Apache-2.0
"""What test_same_as_stock.py asks both sides: tables in files, so that the input is the same each time, query shapes, types.

How two answers are compared. Flink promises an order only along one path from a source to the end, so by shape:
  ordered  the same rows with the same kinds in the same order
  stream   at parallelism 1 as `ordered`, at 4 each key's own changelog (the key is the first column,
           or as many as `stream 2` says), and the same changes in all
  exact    the same changes in all: rows and kinds as a multiset
  mix      at parallelism 1 as `ordered`, at 4 as `sum`
  nothing  no row from either
  sum      changes depend on which input came first: each changelog is sound step by step, has only kinds that the plan
           announces, and leaves the same rows
In batch there is no changelog: `ordered` where the query says the order, else `exact`."""
import collections
import json
import os
import re

Case = collections.namedtuple("Case", "name how sql runtimes since settings")


def case(name, how, sql, runtimes=("streaming", "batch"), since="1.20", settings=()):
    return Case(name, how, sql, runtimes, since, dict(settings))


STREAMING, BATCH = ("streaming",), ("batch",)
ITEMS = ["pear", "apple", "plum", "fig"]


def debezium(changes):
    """Lines of debezium-json: [(before or None, after or None)]."""
    lines = []
    for before, after in changes:
        op = "c" if before is None else "d" if after is None else "u"
        lines.append(json.dumps({"before": before, "after": after, "op": op}))
    return lines


def order_lines(numbers):
    return [f"{i},{ITEMS[(i * i + i // 7) % 4]},{(i * 37) % 23}.{i % 10}0,2024-05-01 10:00:{i:02}.{(i * 31) % 1000:03}" for i in numbers]


def stocked(item, n, minute=0):
    return {"item": item, "n": n, "changed": f"2024-05-01 10:00:{minute:02}.000"}


GOODS = debezium([(None, stocked("pear", 5)), (None, stocked("fig", 2, 1)), (stocked("pear", 5), stocked("pear", 4, 3)), (None, stocked("kiwi", 1, 5)),
                  (stocked("fig", 2, 1), stocked("fig", 7, 9)), (stocked("kiwi", 1, 5), None), (stocked("pear", 4, 3), stocked("pear", 9, 20)),
                  (None, stocked("plum", 3, 21)), (None, stocked("kiwi", 6, 22)), (stocked("plum", 3, 21), stocked("plum", 3, 30))])
BASKETS = [{"id": 1, "tags": ["a", "b", "a"], "counts": {"x": 1, "y": None}, "who": {"name": "Ann", "age": 3}}, {"id": 2, "tags": [], "counts": {}, "who": {"name": None, "age": 4}},
           {"id": 3, "tags": None, "counts": None, "who": None}, {"id": 4, "tags": ["z", None], "counts": {"q": 9}, "who": {"name": "Bo", "age": None}}]
FILES = {
    "orders/o.csv": order_lines(range(1, 41)),
    **{f"spread/{n}.csv": order_lines(range(n, 81, 8)) for n in range(8)},
    "paints/p.csv": ["pear,green", "plum,blue", "pear,yellow", "kiwi,brown"],
    "goods/g.json": GOODS,
    "baskets/b.json": [json.dumps(b) for b in BASKETS],
    "holes/h.json": [json.dumps({"id": i, "s": None if i % 3 == 0 else f"s{i}"}) for i in range(1, 8)],
    **{f"nums/{n}.csv": [str(i) for i in range(n * 3, n * 3 + 3)] for n in range(4)},
}


def write_files(folder):
    for name, lines in FILES.items():
        path = os.path.join(folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as f:
            f.write("".join(line + "\n" for line in lines))


COLUMNS = {
    "orders": ("id INT, item STRING, price DECIMAL(10, 2), ts TIMESTAMP(3), pt AS PROCTIME(), WATERMARK FOR ts AS ts - INTERVAL '1' SECOND", "csv"),
    "later": ("id INT, item STRING, price DECIMAL(10, 2), txt TIMESTAMP(3), ts AS CAST(txt AS TIMESTAMP_LTZ(3)), WATERMARK FOR ts AS ts - INTERVAL '1' SECOND", "csv"),
    "spread": ("id INT, item STRING, price DECIMAL(10, 2), ts TIMESTAMP(3)", "csv"),
    "paints": ("item STRING, colour STRING", "csv"),
    "goods": ("item STRING, n INT, changed TIMESTAMP(3), WATERMARK FOR changed AS changed, PRIMARY KEY (item) NOT ENFORCED", "debezium-json"),
    "baskets": ("id INT, tags ARRAY<STRING>, counts MAP<STRING, INT>, who ROW<name STRING, age INT>", "json"),
    "holes": ("id INT, s STRING NOT NULL", "json"),
    "nums": ("id INT", "csv"),
}


def tables_of(folder, sql):
    """CREATE TABLE of what a query names."""
    for name, (columns, form) in COLUMNS.items():
        if not re.search(rf"\b{name}\b", sql):
            continue
        path = os.path.join(folder, "orders" if name == "later" else name)
        yield f"CREATE TABLE {name} ({columns}) WITH ('connector' = 'filesystem', 'path' = 'file://{path}', 'format' = '{form}')"


RANKED = "SELECT *, ROW_NUMBER() OVER (PARTITION BY item ORDER BY {}) AS rn FROM {}"
PER_ITEM = "(SELECT item, COUNT(*) AS n, SUM(price) AS total FROM orders GROUP BY item)"
TUMBLE = "TABLE(TUMBLE(TABLE orders, DESCRIPTOR(ts), INTERVAL '4' SECOND))"
MATCH = "SELECT * FROM orders MATCH_RECOGNIZE (PARTITION BY item ORDER BY ts MEASURES {} {} PATTERN ({}) DEFINE {}) AS m"
SKIP = "ONE ROW PER MATCH AFTER MATCH SKIP "

SHAPES = [
    # grouped aggregates
    case("grouped aggregate", "stream", "SELECT item, COUNT(*) AS n, SUM(price) AS total, MAX(ts) AS last_at FROM orders GROUP BY item"),
    case("every aggregate", "stream", "SELECT item, MIN(id), MAX(price), AVG(price), COUNT(DISTINCT MOD(id, 3)), STDDEV_POP(id), VAR_SAMP(id), LISTAGG(CAST(id AS STRING)) FROM orders GROUP BY item"),
    case("filter and having", "stream", "SELECT item, COUNT(*) FILTER (WHERE price > 9) AS dear, SUM(id) FROM orders GROUP BY item HAVING COUNT(*) > 3"),
    case("without a key", "ordered", "SELECT COUNT(*), SUM(price), MIN(item) FROM orders"),
    case("of nothing", "ordered", "SELECT COUNT(*), SUM(price) FROM orders WHERE id < 0", BATCH),
    case("of nothing", "nothing", "SELECT COUNT(*), SUM(price) FROM orders WHERE id < 0", STREAMING),
    case("rows of nothing", "nothing", "SELECT id, item FROM orders WHERE id < 0"),
    case("first and last value", "stream", "SELECT item, FIRST_VALUE(id), LAST_VALUE(id) FROM orders GROUP BY item", STREAMING),
    case("collect", "stream", "SELECT item, COLLECT(MOD(id, 3)) FROM orders GROUP BY item"),
    case("array_agg", "stream", "SELECT item, ARRAY_AGG(id) FROM orders GROUP BY item", STREAMING),
    case("aggregate that falls away", "mix", "SELECT n, COUNT(*) AS items FROM (SELECT item, COUNT(*) AS n FROM orders GROUP BY item) AS c GROUP BY n"),
    case("grouping sets", "mix", "SELECT item, MOD(id, 2) AS odd, COUNT(*) FROM orders GROUP BY GROUPING SETS ((item), (MOD(id, 2)), ())"),
    case("rollup", "mix", "SELECT item, MOD(id, 2) AS odd, GROUPING(item), SUM(price) FROM orders GROUP BY ROLLUP (item, MOD(id, 2))"),
    case("cube", "mix", "SELECT item, MOD(id, 2) AS odd, SUM(price) FROM orders GROUP BY CUBE (item, MOD(id, 2))"),
    case("distinct", "stream", "SELECT DISTINCT item FROM orders"),
    case("many readers", "sum", "SELECT item, COUNT(*), SUM(price) FROM spread GROUP BY item"),
    case("several keys", "stream 2", "SELECT item, MOD(id, 2) AS odd, COUNT(*) FROM orders GROUP BY item, MOD(id, 2)"),
    # what comes as a changelog
    case("changelog as it is", "stream", "SELECT * FROM goods", STREAMING),
    case("changelog with a filter", "stream", "SELECT item, n FROM goods WHERE n > 3", STREAMING),
    case("aggregate of a changelog", "stream", "SELECT item, SUM(n), COUNT(*) FROM goods GROUP BY item", STREAMING),
    case("changelog made normal", "stream", "SELECT item, n FROM goods", STREAMING, settings={"table.exec.source.cdc-events-duplicate": "true"}),
    case("changelog and rows", "sum", "SELECT item, n FROM goods UNION ALL SELECT item, id FROM orders WHERE id < 4", STREAMING),
    # joins
    case("inner join", "exact", "SELECT o.id, o.item, p.colour FROM orders AS o JOIN paints AS p ON o.item = p.item"),
    case("left join", "sum", "SELECT o.id, o.item, p.colour FROM orders AS o LEFT JOIN paints AS p ON o.item = p.item"),
    case("right join", "sum", "SELECT o.id, p.item, p.colour FROM orders AS o RIGHT JOIN paints AS p ON o.item = p.item"),
    case("full join", "sum", "SELECT o.id, p.item, p.colour FROM orders AS o FULL OUTER JOIN paints AS p ON o.item = p.item"),
    case("cross join", "exact", "SELECT o.id, p.colour FROM orders AS o CROSS JOIN paints AS p WHERE o.id < 5"),
    case("join of unequal", "exact", "SELECT o.id, p.colour FROM orders AS o JOIN paints AS p ON o.item = p.item AND o.id > CHAR_LENGTH(p.colour)"),
    case("semi join", "sum", "SELECT id FROM orders WHERE item IN (SELECT item FROM paints)"),
    case("anti join", "sum", "SELECT id FROM orders AS o WHERE NOT EXISTS (SELECT 1 FROM paints AS p WHERE p.item = o.item)"),
    case("join with updates", "sum", f"SELECT c.item, c.n, p.colour FROM {PER_ITEM} AS c JOIN paints AS p ON c.item = p.item"),
    case("left join with updates", "sum", f"SELECT p.item, p.colour, c.n, c.total FROM paints AS p LEFT JOIN {PER_ITEM} AS c ON c.item = p.item"),
    case("full join of updates", "sum", f"SELECT a.item, a.n, b.n FROM {PER_ITEM} AS a FULL OUTER JOIN goods AS b ON a.item = b.item", STREAMING),
    case("full join of two updates", "sum", f"SELECT a.item, a.n, b.total FROM {PER_ITEM} AS a FULL OUTER JOIN {PER_ITEM} AS b ON a.item = b.item AND a.n = b.n"),
    case("join with a changelog", "sum", "SELECT o.id, o.item, g.n FROM orders AS o JOIN goods AS g ON o.item = g.item", STREAMING),
    case("three tables", "sum", f"SELECT o.id, p.colour, c.n FROM orders AS o JOIN paints AS p ON o.item = p.item LEFT JOIN {PER_ITEM} AS c ON c.item = o.item"),
    case("interval join, two time attributes", "exact", "SELECT a.id, b.id, a.ts, b.ts FROM orders AS a JOIN orders AS b ON a.item = b.item AND b.ts BETWEEN a.ts AND a.ts + INTERVAL '5' SECOND"),
    case("interval join, all columns but the clock", "exact", "SELECT a.id, a.item, a.ts, b.id, b.item, b.ts FROM orders AS a LEFT JOIN orders AS b ON a.item = b.item AND a.ts BETWEEN b.ts - INTERVAL '2' SECOND AND b.ts + INTERVAL '2' SECOND AND b.id > 20"),
    case("interval join, full", "exact", "SELECT a.id, b.id, a.ts, b.ts FROM (SELECT * FROM orders WHERE id < 20) AS a FULL OUTER JOIN (SELECT * FROM orders WHERE id > 10) AS b ON a.item = b.item AND b.ts BETWEEN a.ts - INTERVAL '1' SECOND AND a.ts + INTERVAL '4' SECOND"),
    case("interval join, local time", "exact", "SELECT a.id, b.id, a.ts, b.ts FROM later AS a JOIN later AS b ON a.item = b.item AND b.ts BETWEEN a.ts AND a.ts + INTERVAL '5' SECOND"),
    case("interval join, two clocks", "exact", "SELECT a.id, b.id, a.pt IS NULL, b.pt IS NULL FROM orders AS a JOIN orders AS b ON a.id = b.id AND a.pt BETWEEN b.pt - INTERVAL '1' HOUR AND b.pt + INTERVAL '1' HOUR", STREAMING),
    case("temporal join", "exact", "SELECT o.id, o.item, g.n, o.ts, g.changed FROM orders AS o LEFT JOIN goods FOR SYSTEM_TIME AS OF o.ts AS g ON o.item = g.item", STREAMING),
    case("window join", "exact", f"SELECT a.id, b.id, a.window_start FROM (SELECT * FROM {TUMBLE}) AS a JOIN (SELECT * FROM {TUMBLE} WHERE id > 5) AS b ON a.item = b.item AND a.window_start = b.window_start AND a.window_end = b.window_end"),
    case("unnest", "stream", "SELECT b.id, t.tag FROM baskets AS b CROSS JOIN UNNEST(b.tags) AS t(tag)"),
    case("unnest of a map", "exact", "SELECT b.id, t.k, t.v FROM baskets AS b CROSS JOIN UNNEST(b.counts) AS t(k, v)"),
    # Top-N and deduplication
    case("top n", "stream", "SELECT item, id, price FROM (" + RANKED.format("price DESC, id", "orders") + ") AS t WHERE rn <= 2"),
    case("top n with its rank", "stream", "SELECT item, id, price, rn FROM (" + RANKED.format("price DESC, id", "orders") + ") AS t WHERE rn <= 2"),
    case("top n from the second on", "stream", "SELECT item, id, rn FROM (" + RANKED.format("id DESC", "orders") + ") AS t WHERE rn BETWEEN 2 AND 3"),
    case("top n of all", "ordered", "SELECT id, price, rn FROM (SELECT *, ROW_NUMBER() OVER (ORDER BY price DESC, id) AS rn FROM orders) AS t WHERE rn <= 3", STREAMING),
    case("top n of updates", "mix", f"SELECT item, n, rn FROM (SELECT *, ROW_NUMBER() OVER (ORDER BY n DESC, item) AS rn FROM {PER_ITEM} AS c) AS t WHERE rn <= 2"),
    case("top n of a changelog", "stream", "SELECT item, n FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY item ORDER BY n) AS rn FROM goods) AS t WHERE rn <= 2", STREAMING),
    case("top n in a window", "exact", f"SELECT item, id, window_end, rn FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY window_start, window_end, item ORDER BY price DESC, id) AS rn FROM {TUMBLE}) AS t WHERE rn <= 1"),
    case("order by and limit", "mix", "SELECT id, item, price FROM orders ORDER BY price DESC, id LIMIT 5", STREAMING),
    case("order by and limit", "ordered", "SELECT id, item, price FROM orders ORDER BY price DESC, id LIMIT 5", BATCH),
    case("limit with an offset", "ordered", "SELECT id, price FROM orders ORDER BY price, id DESC LIMIT 3 OFFSET 2", BATCH),
    case("limit alone", "ordered", "SELECT id FROM orders LIMIT 7", STREAMING),
    case("order by time", "ordered", "SELECT id, ts FROM orders ORDER BY ts"),
    case("deduplication, last row", "stream", "SELECT item, id, ts FROM (" + RANKED.format("ts DESC", "orders") + ") AS t WHERE rn = 1"),
    case("deduplication, first row", "exact", "SELECT item, id FROM (" + RANKED.format("ts ASC", "orders") + ") AS t WHERE rn = 1"),
    case("deduplication by the clock, last row", "stream", "SELECT item, id FROM (" + RANKED.format("pt DESC", "orders") + ") AS t WHERE rn = 1", STREAMING),
    case("deduplication by the clock, first row", "stream", "SELECT item, id FROM (" + RANKED.format("pt ASC", "orders") + ") AS t WHERE rn = 1", STREAMING),
    case("deduplication in a window", "exact", f"SELECT item, id, window_start FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY window_start, window_end, item ORDER BY ts DESC) AS rn FROM {TUMBLE}) AS t WHERE rn = 1"),
    # windows
    case("tumbling window", "exact", f"SELECT item, window_start, window_end, SUM(price) AS total FROM {TUMBLE} GROUP BY item, window_start, window_end"),
    case("hopping window", "exact", "SELECT item, window_start, COUNT(*) FROM TABLE(HOP(TABLE orders, DESCRIPTOR(ts), INTERVAL '2' SECOND, INTERVAL '6' SECOND)) GROUP BY item, window_start, window_end"),
    case("cumulating window", "exact", "SELECT item, window_end, SUM(price) FROM TABLE(CUMULATE(TABLE orders, DESCRIPTOR(ts), INTERVAL '2' SECOND, INTERVAL '8' SECOND)) GROUP BY item, window_start, window_end"),
    case("session window", "exact", "SELECT item, window_start, window_end, COUNT(*) FROM TABLE(SESSION(TABLE orders PARTITION BY item, DESCRIPTOR(ts), INTERVAL '3' SECOND)) GROUP BY item, window_start, window_end", STREAMING),
    case("window of local time", "exact", "SELECT item, window_start, window_end, window_time, COUNT(*) FROM TABLE(TUMBLE(TABLE later, DESCRIPTOR(ts), INTERVAL '4' SECOND)) GROUP BY item, window_start, window_end, window_time"),
    case("window function alone, two time attributes", "exact", "SELECT id, ts, window_start, window_end, window_time FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(ts), INTERVAL '4' SECOND))"),
    case("group window", "exact", "SELECT item, TUMBLE_START(ts, INTERVAL '4' SECOND) AS s, TUMBLE_ROWTIME(ts, INTERVAL '4' SECOND) AS r, COUNT(*) FROM orders GROUP BY item, TUMBLE(ts, INTERVAL '4' SECOND)"),
    case("window of updates", "sum", f"SELECT window_start, COUNT(*) FROM (SELECT item, window_start, SUM(price) AS total FROM {TUMBLE} GROUP BY item, window_start, window_end) AS w GROUP BY window_start"),
    case("over window", "exact", "SELECT id, SUM(price) OVER (PARTITION BY item ORDER BY ts) AS so_far FROM orders"),
    case("over some rows", "exact", "SELECT id, COUNT(*) OVER w, AVG(price) OVER w FROM orders WINDOW w AS (PARTITION BY item ORDER BY ts ROWS BETWEEN 2 PRECEDING AND CURRENT ROW)"),
    case("over some seconds", "exact", "SELECT id, MAX(price) OVER (PARTITION BY item ORDER BY ts RANGE BETWEEN INTERVAL '5' SECOND PRECEDING AND CURRENT ROW) FROM orders", STREAMING),
    case("lag and lead", "exact", "SELECT id, LAG(id, 2, -1) OVER (PARTITION BY item ORDER BY ts), LAST_VALUE(price) OVER (PARTITION BY item ORDER BY ts) FROM orders", STREAMING),
    case("ranks", "exact", "SELECT id, RANK() OVER (PARTITION BY item ORDER BY MOD(id, 4)), DENSE_RANK() OVER (ORDER BY MOD(id, 5)), LEAD(id) OVER (PARTITION BY item ORDER BY id), NTILE(3) OVER (ORDER BY id), PERCENT_RANK() OVER (ORDER BY id) FROM orders", BATCH),
    # patterns (in batch, Flink 1.20 takes rows in the order in which they happen to come)
    case("match recognize", "exact", MATCH.format("A.id AS a, B.id AS b, B.price AS p", SKIP + "PAST LAST ROW", "A B", "B AS B.price < A.price"), STREAMING),
    case("match recognize", "exact", MATCH.format("A.id AS a, B.id AS b, B.price AS p", SKIP + "PAST LAST ROW", "A B", "B AS B.price < A.price"), BATCH, since="2.0"),
    case("match many", "exact", MATCH.format("FIRST(A.id) AS a, LAST(B.id) AS b, COUNT(B.id) AS n, AVG(B.price) AS mean", SKIP + "TO NEXT ROW", "A B+? C", "B AS B.price < 15, C AS C.price > LAST(B.price, 0)"), STREAMING),
    case("match many", "exact", MATCH.format("FIRST(A.id) AS a, LAST(B.id) AS b, COUNT(B.id) AS n, AVG(B.price) AS mean", SKIP + "TO NEXT ROW", "A B+? C", "B AS B.price < 15, C AS C.price > LAST(B.price, 0)"), BATCH, since="2.0"),
    case("match with counts", "exact", MATCH.format("FIRST(A.id) AS a, LAST(A.id) AS z, C.id AS c", SKIP + "TO LAST C", "A{1,2} C", "A AS A.price > 3, C AS MOD(C.id, 2) = 0"), STREAMING),
    case("match with counts", "exact", MATCH.format("FIRST(A.id) AS a, LAST(A.id) AS z, C.id AS c", SKIP + "TO LAST C", "A{1,2} C", "A AS A.price > 3, C AS MOD(C.id, 2) = 0"), BATCH, since="2.0"),
    case("match within", "exact", MATCH.format("A.ts AS a, B.ts AS b", SKIP + "PAST LAST ROW", "A X* B", "X AS X.price > 5, B AS B.price <= 5").replace("DEFINE", "WITHIN INTERVAL '6' SECOND DEFINE"), STREAMING),
    case("match and its time", "exact", MATCH.format("MATCH_ROWTIME() AS mt, A.id AS a", SKIP + "PAST LAST ROW", "A B", "B AS B.id > A.id"), STREAMING),
    case("match and its time", "exact", MATCH.format("MATCH_ROWTIME() AS mt, A.id AS a", SKIP + "PAST LAST ROW", "A B", "B AS B.id > A.id"), BATCH, since="2.0"),
    case("match, then aggregate", "mix", "SELECT item, COUNT(*) FROM (" + MATCH.format("A.id AS a", SKIP + "PAST LAST ROW", "A B", "B AS B.price < A.price") + ") AS x GROUP BY item", STREAMING),
    case("match, then aggregate", "mix", "SELECT item, COUNT(*) FROM (" + MATCH.format("A.id AS a", SKIP + "PAST LAST ROW", "A B", "B AS B.price < A.price") + ") AS x GROUP BY item", BATCH, since="2.0"),
    # sets, subqueries, forms
    case("union with duplicate names", "exact", "SELECT id, id, item FROM orders WHERE id < 4 UNION ALL SELECT id, 0, 'x' FROM orders WHERE id = 9"),
    case("union", "sum", "SELECT item FROM orders UNION SELECT item FROM paints"),
    case("intersect and except", "sum", "(SELECT item FROM orders EXCEPT SELECT item FROM paints) UNION ALL (SELECT item FROM orders INTERSECT SELECT item FROM paints)"),
    case("intersect all", "sum", "SELECT item FROM orders INTERSECT ALL SELECT item FROM paints"),
    case("scalar subquery", "sum", "SELECT id FROM orders WHERE price > (SELECT AVG(price) FROM orders)"),
    case("common table", "stream", "WITH c AS (SELECT item, id FROM orders WHERE id > 30), d AS (SELECT * FROM c) SELECT item, COUNT(*) FROM d GROUP BY item"),
    case("values", "exact", "SELECT a, b FROM (VALUES (1, 'x'), (2, CAST(NULL AS STRING)), (3, 'z')) AS t(a, b)"),
    case("values alone", "exact", "VALUES (1, 'a'), (2, 'b')"),
    case("table alone", "exact", "TABLE paints"),
    case("many readers, rows alone", "exact", "SELECT id, item, price FROM spread"),
    case("processing time", "exact", "SELECT id, PROCTIME() IS NOT NULL AS there FROM orders"),
    case("time columns", "exact", "SELECT id, ts, CAST(ts AS DATE) AS d, CAST(ts AS TIME) AS t, CAST(ts AS TIMESTAMP_LTZ(3)) AS l FROM orders"),
    case("fields of rows", "exact", "SELECT id, who, b.who.name, counts['x'], tags[1], CARDINALITY(tags) FROM baskets AS b"),
    case("hints", "exact", "SELECT /*+ BROADCAST(p) */ o.id, p.colour FROM orders AS o JOIN paints /*+ OPTIONS('csv.ignore-parse-errors' = 'true') */ AS p ON o.item = p.item", BATCH),
    # settings that must not change what a reader sees
    case("upserts made whole", "stream", "SELECT item, COUNT(*) FROM orders GROUP BY item", STREAMING, settings={"table.exec.sink.upsert-materialize": "FORCE", "table.exec.sink.keyed-shuffle": "FORCE"}),
    case("small batches", "sum", "SELECT item, COUNT(*), SUM(price) FROM orders GROUP BY item", STREAMING,
         settings={"table.exec.mini-batch.enabled": "true", "table.exec.mini-batch.allow-latency": "200 ms", "table.exec.mini-batch.size": "7", "table.optimizer.agg-phase-strategy": "TWO_PHASE"}),
    case("no chains", "stream", "SELECT item, COUNT(*) FROM orders GROUP BY item", STREAMING, settings={"pipeline.operator-chaining.enabled": "false", "pipeline.object-reuse": "true"}),
    case("checkpoints and restarts", "stream", "SELECT item, COUNT(*) FROM orders GROUP BY item", STREAMING,
         settings={"execution.checkpointing.interval": "50 ms", "restart-strategy.type": "fixed-delay", "table.exec.state.ttl": "1 h"}),
    case("nulls where none may be, left out", "exact", "SELECT id, s FROM holes", settings={"table.exec.sink.not-null-enforcer": "DROP"}),
    case("legacy casts", "exact", "SELECT id, CAST(price AS STRING), CAST(id > 3 AS STRING) FROM orders", settings={"table.exec.legacy-cast-behaviour": "ENABLED"}),
]

# What stock refuses, so do we.
REFUSED = [
    case("order without time", "", "SELECT id, price FROM orders ORDER BY price", STREAMING),
    case("nulls where none may be", "", "SELECT id, s FROM holes"),
    case("a cast that fails", "", "SELECT CAST(item AS INT) FROM orders"),
    case("a range of seconds", "", "SELECT id, MAX(price) OVER (PARTITION BY item ORDER BY ts RANGE BETWEEN INTERVAL '5' SECOND PRECEDING AND CURRENT ROW) FROM orders", BATCH),
    case("an unknown column", "", "SELECT nothing_like_it FROM orders"),
    case("an unknown table", "", "SELECT * FROM nothing_like_it"),
    case("an unknown function", "", "SELECT nothing_like_it(id) FROM orders"),
    case("a pattern over a changelog", "", "SELECT * FROM goods MATCH_RECOGNIZE (ORDER BY changed MEASURES A.n AS n PATTERN (A) DEFINE A AS A.n > 1) AS m", STREAMING),
]

Kind = collections.namedtuple("Kind", "name sql values since key late")


def kind(name, sql, values, since="1.20", key=True, late=False):
    """A type: its name in SQL (None: values are not cast), values as SQL, whether it may be a map's key; late: the planner
    cannot fold the casts of its values."""
    return Kind(name, sql, values, since, key, late)


def quoted(*texts):
    return ["'" + t.replace("'", "''") + "'" for t in texts]


TYPES = [
    kind("BOOLEAN", "BOOLEAN", ["TRUE", "FALSE"]),
    kind("TINYINT", "TINYINT", ["-128", "0", "127"]),
    kind("SMALLINT", "SMALLINT", ["-32768", "7", "32767"]),
    kind("INT", "INT", ["-2147483648", "0", "2147483647"]),
    kind("BIGINT", "BIGINT", ["-9223372036854775808", "5", "9223372036854775807"]),
    kind("FLOAT", "FLOAT", quoted("0.1", "-0.0", "100", "1e-7", "12345678.9", "3.4e38", "9999999", "NaN", "Infinity"), late=True),
    kind("DOUBLE", "DOUBLE", quoted("0.1", "-0.0", "1e7", "1e-300", "12345678.9", "0.001", "NaN", "-Infinity", "1.7976931348623157e308"), late=True),
    kind("DOUBLE PRECISION", "DOUBLE PRECISION", quoted("2.5", "1e22")),
    kind("DECIMAL(10, 4)", "DECIMAL(10, 4)", quoted("12.30", "-0.0001", "0")),
    kind("DECIMAL(38, 9)", "DECIMAL(38, 9)", quoted("12345678901234567890.123456789", "-1")),
    kind("DECIMAL(38, 38)", "DECIMAL(38, 38)", quoted("0.00000000000000000000000000000000000001", "-0.5")),
    kind("DECIMAL", "DECIMAL", ["7", "-1200"]),
    kind("NUMERIC(5)", "NUMERIC(5)", ["12345", "100"]),
    kind("CHAR(4)", "CHAR(4)", quoted("ab", "abcd", "")),
    kind("VARCHAR(3)", "VARCHAR(3)", quoted("ab", "abcdef", "")),
    kind("STRING", "STRING", quoted("ünï 'q' \"d\" 字 😀 / \\", "", "NULL", "a,b;\tc", "{x=1}") + ["U&'a\\0001\\000az\\2028'"]),
    kind("BINARY(3)", "BINARY(3)", ["x'0102'", "x'00ff10'"]),
    kind("VARBINARY(3)", "VARBINARY(3)", ["x'01'", "x'01020304'"]),
    kind("BYTES", "BYTES", ["x'00ff10'", "x''"]),
    kind("DATE", "DATE", quoted("0001-01-01", "1970-01-01", "2024-02-29", "9999-12-31")),
    kind("TIME", "TIME", quoted("23:59:58", "00:00:00", "12:12:43.123")),
    kind("TIME(3)", "TIME(3)", quoted("23:59:58.120", "00:00:00", "12:12:43.123")),
    kind("TIMESTAMP(0)", "TIMESTAMP(0)", quoted("2024-02-29 12:34:56.789", "0001-01-01 00:00:00")),
    kind("TIMESTAMP(3)", "TIMESTAMP(3)", quoted("2024-02-29 12:34:56.789", "1969-12-31 23:59:59.5", "9999-12-31 23:59:59.999")),
    kind("TIMESTAMP", "TIMESTAMP", quoted("2024-02-29 12:34:56.123456", "1969-12-31 23:59:59.000001")),
    kind("TIMESTAMP(9)", "TIMESTAMP(9)", quoted("2024-02-29 12:34:56.123456789", "2024-02-29 12:34:56.1")),
    kind("TIMESTAMP_LTZ(0)", "TIMESTAMP_LTZ(0)", quoted("2024-02-29 12:34:56", "1880-07-01 01:02:03")),
    kind("TIMESTAMP_LTZ(3)", "TIMESTAMP_LTZ(3)", quoted("2024-02-29 12:34:56.789", "1969-12-31 23:59:59.5")),
    kind("TIMESTAMP(6) WITH LOCAL TIME ZONE", "TIMESTAMP(6) WITH LOCAL TIME ZONE", quoted("2024-07-01 01:02:03.000004")),
    kind("TIMESTAMP_LTZ(9)", "TIMESTAMP_LTZ(9)", quoted("2024-07-01 01:02:03.123456789")),
    kind("INTERVAL YEAR", None, ["INTERVAL '3' YEAR", "INTERVAL -'99' YEAR"], key=False),
    kind("INTERVAL MONTH", None, ["INTERVAL '5' MONTH", "INTERVAL -'5' MONTH"], key=False),
    kind("INTERVAL YEAR TO MONTH", None, ["INTERVAL '3-4' YEAR TO MONTH", "INTERVAL '0-0' YEAR TO MONTH"], key=False),
    kind("INTERVAL DAY", None, ["INTERVAL '10' DAY", "INTERVAL '-1' DAY"], key=False),
    kind("INTERVAL HOUR", None, ["INTERVAL '30' HOUR"], key=False),
    kind("INTERVAL MINUTE", None, ["INTERVAL '61' MINUTE"], key=False),
    kind("INTERVAL SECOND", None, ["INTERVAL '4.5' SECOND", "-INTERVAL '4' SECOND"], key=False),
    kind("INTERVAL DAY TO SECOND", None, ["INTERVAL '1 02:03:04.567' DAY TO SECOND", "INTERVAL '0 00:00:00.001' DAY TO SECOND"], key=False),
    kind("ARRAY", "ARRAY<INT>", ["ARRAY[1, 2]", "ARRAY[CAST(NULL AS INT)]"], key=False),
    kind("MAP", "MAP<STRING, INT>", ["MAP['a', 1, 'b', CAST(NULL AS INT)]"], key=False),
    kind("MAP of numbers", "MAP<INT, DECIMAL(4, 2)>", ["MAP[1, 1.5, 2, 2.25]"], key=False),
    kind("ROW", None, ["CAST(ROW(id, CAST(id AS STRING)) AS ROW<a INT, `b c` STRING>)"], key=False),
    kind("VARIANT", None, ["PARSE_JSON(CASE MOD(id, 3) WHEN 0 THEN '{\"a\":[1,2.5,null,\"x\"]}' WHEN 1 THEN '1' ELSE '\"t\"' END)"], since="2.1", key=False),
    kind("BITMAP", None, ["BITMAP_BUILD(ARRAY[id, id + 2, 70000])"], since="2.3", key=False),
]
NESTED = ["v", "ARRAY[v, v]", "ARRAY[ARRAY[v], ARRAY[v, v]]", "MAP['k', v]", "MAP['k', ARRAY[v]]", "MAP['a', MAP['b', v]]", "ROW(v, id)", "ROW(ROW(v), ARRAY[v], MAP['k', v])",
          "ARRAY[ROW(v, 'x')]", "ARRAY[MAP['k', v]]", "MAP['k', ROW(v)]", "ARRAY[ROW(MAP['x', ARRAY[v]], ROW(v))]"]


def type_query(t):
    """Values by row, one of them NULL, so that the planner has nothing to fold; each alone and nested in every way."""
    def typed(value):
        return f"CAST({value} AS {t.sql})" if t.sql else value

    def chosen(n, otherwise):
        if len(t.values) == 1 and not t.sql:
            return t.values[0]
        whens = " ".join(f"WHEN {i} THEN {v if t.late else typed(v)}" for i, v in enumerate(t.values))
        text = f"CASE MOD(id, {n}) {whens} {otherwise}END"
        return typed(text) if t.late else text
    columns = NESTED + (["MAP[w, id]", "MAP[w, ROW(v)]", "ARRAY[MAP[w, v]]"] if t.key else [])
    one = f"SELECT id, {chosen(len(t.values) + 1, '')} AS v, {chosen(len(t.values), f'ELSE {t.values[0] if t.late else typed(t.values[0])} ')} AS w FROM nums"
    return f"SELECT id, {', '.join(f'{c} AS c{i}' for i, c in enumerate(columns))} FROM ({one}) AS q"


# Constants take another way: the planner folds them. NULLs of every type, and multisets, which only an aggregate makes.
FOLDED = "SELECT " + ", ".join(f"CAST({t.values[0]} AS {t.sql}) AS c{i}" for i, t in enumerate(TYPES) if t.sql)
NULLS = "SELECT " + ", ".join(f"CAST(NULL AS {t.sql}) AS c{i}, ARRAY[CAST(NULL AS {t.sql})] AS d{i}" for i, t in enumerate(TYPES) if t.sql) + ", CAST(NULL AS ROW<a INT, b STRING>) AS r"
# Bytes are counted by the identity of their arrays in Flink: their order changes with each run.
MULTISETS = [t for t in TYPES if t.sql and t.key and not t.sql.startswith(("BINARY", "VARBINARY", "BYTES"))]


def multiset_query(t):
    values = " ".join(f"WHEN {i} THEN CAST({v} AS {t.sql})" for i, v in enumerate(t.values[:3]))
    return f"SELECT k, COLLECT(v) AS c FROM (SELECT MOD(id, 2) AS k, CASE MOD(id, 3) {values} ELSE CAST({t.values[0]} AS {t.sql}) END AS v FROM (VALUES (1), (3), (1)) AS n(id)) AS q GROUP BY k"


# What the stock gateway's own form has no way for, the push sink still brings: (SQL, columns, rows, first Flink version).
BEYOND = [
    ("SELECT id, opaque(id) AS v, ARRAY[opaque(id)] AS a, MAP['k', opaque(id)] AS m, ROW(opaque(id)) AS r FROM nums WHERE id = 4",
     ["id", "v", "a", "m", "r"], [["4", "{4, 6}", "[{4, 6}]", "{k={4, 6}}", "({4, 6})"]], "1.20"),
    ("SELECT id, person(id, 'Ann') AS v, ARRAY[person(id, CAST(NULL AS STRING))] AS a, ROW(person(1, 'Bo')) AS r FROM nums WHERE id = 4",
     ["id", "v", "a", "r"], [["4", "(age=4, name=Ann)", "[(age=4, name=NULL)]", "((age=1, name=Bo))"]], "2.0"),  # 1.20 refuses a class that another run's loader has loaded, as its gateway does
    ("SELECT id, OBJECT_OF('shop.Pair', 'name', 'Bob', 'age', id) AS v FROM nums WHERE id = 4", ["id", "v"], [["4", "(name=Bob, age=4)"]], "2.1"),
]
