# SPDX-License-Identifier: Apache-2.0
"""Rows of SELECT through the push sink: every query shape whose planning the sink could spoil, in both runtime
modes, at parallelism 1 and 4."""
import collections

import pytest

from results_server import Text

BOTH = pytest.mark.parametrize("mode", ["streaming", "batch"])
WIDE = pytest.mark.parametrize("parallelism", [1, 4])


def numbers(name, n, rest=""):
    return (f"CREATE TABLE {name} (id BIGINT{rest}) WITH ('connector'='datagen','rows-per-second'='10000000','number-of-rows'='{n}',"
            f"'fields.id.kind'='sequence','fields.id.start'='1','fields.id.end'='{n}')")


def fold(result):
    """What is left after all changes."""
    left = collections.Counter()
    for kind, row in result.rows:
        left[row] += 1 if kind in ("+I", "+U") else -1
        assert left[row] >= 0, f"{kind} {row} before it was there"
    return sorted((+left).elements())


@BOTH
@WIDE
def test_grouped_aggregate(select, mode, parallelism):
    r = select("SELECT MOD(id, 3) AS k, COUNT(*) AS n, SUM(id) AS s FROM g GROUP BY MOD(id, 3)",
               [numbers("g", 300)], mode, parallelism).finish()
    assert r.names() == ["k", "n", "s"]
    assert r.sql_types() == ["INT", "BIGINT NOT NULL", "BIGINT"]
    assert fold(r) == [(0, 100, 15150), (1, 100, 14950), (2, 100, 15050)]
    assert r.insert_only == (mode == "batch")
    kinds = {k for k, _ in r.rows}
    assert kinds == ({"+I"} if mode == "batch" else {"+I", "-U", "+U"})
    if mode == "streaming":  # -U of a key is followed by its +U: nothing else of that key between
        last = {}
        for kind, row in r.rows:
            assert (last.get(row[0]) == "-U") == (kind == "+U"), (kind, row)
            last[row[0]] = kind


@BOTH
@WIDE
def test_join_with_updates(select, mode, parallelism):
    r = select("SELECT a.k, a.n, b.id FROM (SELECT MOD(id, 2) AS k, COUNT(*) AS n FROM g GROUP BY MOD(id, 2)) a "
               "LEFT JOIN h AS b ON a.n = b.id", [numbers("g", 20), numbers("h", 10)], mode, parallelism).finish()
    assert fold(r) == [(0, 10, 10), (1, 10, 10)]


@WIDE
def test_top_n(select, parallelism):
    r = select("SELECT id, k, rn FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY k ORDER BY id DESC) AS rn FROM "
               "(SELECT id, MOD(id, 2) AS k FROM g)) WHERE rn <= 2", [numbers("g", 40)],
               parallelism=parallelism).finish()
    assert fold(r) == [(37, 1, 2), (38, 0, 2), (39, 1, 1), (40, 0, 1)]
    assert not r.insert_only


def test_deduplication(select):
    r = select("SELECT k, id FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY k ORDER BY pt DESC) AS rn FROM "
               "(SELECT id, MOD(id, 4) AS k, PROCTIME() AS pt FROM g)) WHERE rn = 1", [numbers("g", 40)]).finish()
    assert fold(r) == [(0, 40), (1, 37), (2, 38), (3, 39)]
    assert not r.insert_only


@BOTH
def test_interval_join_with_two_time_attributes(select, mode):
    ddl = [numbers(n, 20, ", ts AS TIMESTAMPADD(SECOND, CAST(id AS INT), TIMESTAMP '2024-01-01 00:00:00'), "
                          "WATERMARK FOR ts AS ts") for n in ("l", "r")]
    r = select("SELECT l.ts, r.ts, l.id FROM l JOIN r ON l.id = r.id AND l.ts BETWEEN r.ts - INTERVAL '1' SECOND AND "
               "r.ts + INTERVAL '1' SECOND", ddl, mode).finish()
    assert len(r.rows) == 20 and len(r.columns) == 3
    assert r.insert_only
    assert sorted(r.values())[0] == ("2024-01-01T00:00:01.000000000", "2024-01-01T00:00:01.000000000", 1)
    assert all("ROWTIME" not in t for t in r.sql_types()), r.sql_types()


def test_match_recognize(select):
    r = select("SELECT * FROM g MATCH_RECOGNIZE (ORDER BY ts MEASURES A.id AS first_id, LAST(B.id) AS last_id "
               "ONE ROW PER MATCH AFTER MATCH SKIP PAST LAST ROW PATTERN (A B{2}) "
               "DEFINE A AS MOD(A.id, 5) = 0, B AS MOD(B.id, 5) > 0)",
               [numbers("g", 20, ", ts AS TIMESTAMPADD(SECOND, CAST(id AS INT), TIMESTAMP '2024-01-01 00:00:00'), "
                                 "WATERMARK FOR ts AS ts")]).finish()
    assert sorted(r.values()) == [(5, 7), (10, 12), (15, 17)]


def test_window_aggregate_and_order_by(select):
    ddl = [numbers("g", 20, ", ts AS TIMESTAMPADD(SECOND, CAST(id AS INT), TIMESTAMP '2024-01-01 00:00:00'), "
                            "WATERMARK FOR ts AS ts")]
    r = select("SELECT window_start, COUNT(*) FROM TABLE(TUMBLE(TABLE g, DESCRIPTOR(ts), INTERVAL '10' SECOND)) "
               "GROUP BY window_start, window_end", ddl).finish()
    assert [row[1] for row in sorted(r.values())] == [9, 10, 1]
    r = select("SELECT id FROM g ORDER BY id DESC LIMIT 3", ddl, "batch").finish()
    assert r.values() == [(20,), (19,), (18,)]


@pytest.mark.parametrize("sql,names,rows", [
    ("SELECT 1 AS a, 2 AS a", None, [(1, 2)]),
    ("WITH q AS (SELECT 7 AS x) SELECT x FROM q", ["x"], [(7,)]),
    ("VALUES (1, 'a'), (2, 'b')", None, [(1, "a"), (2, "b")]),
    ("TABLE g", ["id"], [(1,), (2,)]),
    ("SELECT id FROM g UNION ALL SELECT -id FROM g", ["id"], [(-2,), (-1,), (1,), (2,)]),
    ("SELECT id FROM g WHERE id > 5", ["id"], []),
    ("SELECT id, PROCTIME() IS NULL AS p FROM g", ["id", "p"], [(1, False), (2, False)]),
])
@BOTH
def test_forms(select, mode, sql, names, rows):
    r = select(sql, [numbers("g", 2)], mode).finish()
    assert names is None or r.names() == names
    assert len(set(r.names())) == len(r.names())
    assert sorted(r.values()) == rows
    assert r.insert_only


def test_proctime_column(select):
    r = select("SELECT id, PROCTIME() AS p FROM g", [numbers("g", 2)]).finish()
    assert [t["name"] for _, _, t in r.columns] == ["BIGINT", "TIMESTAMP_LTZ"]
    assert len(r.rows) == 2


TYPES = [  # SQL, descriptor, value
    ("CAST('ab' AS CHAR(2))", "CHAR", "ab"),
    ("CAST('Zürich 東京 🙂' AS STRING)", "VARCHAR", "Zürich 東京 🙂"),
    ("TRUE", "BOOLEAN", True),
    ("CAST(X'00FF' AS BINARY(2))", "BINARY", b"\x00\xff"),
    ("CAST(X'0A' AS BYTES)", "VARBINARY", b"\n"),
    ("CAST('12345678901234567890.1230' AS DECIMAL(38,4))", "DECIMAL", "12345678901234567890.1230"),
    ("CAST(-0.50 AS DECIMAL(5,2))", "DECIMAL", "-0.50"),
    ("CAST(-128 AS TINYINT)", "TINYINT", -128),
    ("CAST(-32768 AS SMALLINT)", "SMALLINT", -32768),
    ("CAST(2147483647 AS INT)", "INTEGER", 2147483647),
    ("CAST(9223372036854775807 AS BIGINT)", "BIGINT", 9223372036854775807),
    ("CAST(1.5 AS FLOAT)", "FLOAT", "1.5"),
    ("CAST(1E300 AS DOUBLE)", "DOUBLE", "1.0E300"),
    ("DATE '1969-12-31'", "DATE", "1969-12-31"),
    ("TIME '23:59:58'", "TIME", "23:59:58"),
    ("CAST('1969-12-31 23:59:59.123456789' AS TIMESTAMP(9))", "TIMESTAMP", "1969-12-31T23:59:59.123456789"),
    ("TO_TIMESTAMP_LTZ(1, 3)", "TIMESTAMP_LTZ", "1970-01-01T00:00:00.001000000"),
    ("INTERVAL '1-2' YEAR TO MONTH", "INTERVAL_YM", ("months", 14)),
    ("INTERVAL '1 00:00:00.5' DAY TO SECOND(3)", "INTERVAL_DT", ("ms", 86400500)),
]


@BOTH
def test_every_type_alone_and_nested(select, mode):
    """Each type as a column, and in ARRAY, MAP (both sides), ROW, and two deep; NULLs beside them."""
    items = []
    for i, (sql, _, _) in enumerate(TYPES):
        items += [f"{sql} AS v{i}", f"ARRAY[{sql}] AS a{i}", f"MAP['k', {sql}] AS m{i}", f"MAP[{sql}, 1] AS w{i}",
                  f"ROW({sql}, 1) AS r{i}", f"ARRAY[ROW(MAP['x', ARRAY[{sql}]], {sql})] AS d{i}"]
    r = select("SELECT " + ", ".join(items) + " FROM g", [numbers("g", 1)], mode).finish()
    [row] = r.values()
    for i, (sql, name, value) in enumerate(TYPES):
        v, a, m, w, rr, d = row[6 * i:6 * i + 6]
        assert r.columns[6 * i][2]["name"] == name, sql
        assert v == value, sql
        assert a == [value], sql
        assert m == [("k", value)], sql
        assert w == [(value, 1)], sql
        assert rr == (value, 1), sql
        assert d == [([("x", [value])], value)], sql


def test_nulls_and_numbers_without_end(select):
    r = select("SELECT CAST(NULL AS ARRAY<INT>) AS a, ARRAY[1, CAST(NULL AS INT)] AS b, MAP['k', CAST(NULL AS INT)] "
               "AS c, CAST(NULL AS ROW<x INT, y STRING>) AS d, ROW(CAST(NULL AS INT), 'y') AS e, "
               "SQRT(-1) AS f, -LN(0) AS g, CAST(NULL AS STRING) AS h, "
               "'' AS j FROM g", [numbers("g", 1)]).finish()
    assert r.values() == [(None, [1, None], [("k", None)], None, (None, "y"), "NaN", "Infinity", None, "")]


def test_multiset(select):
    r = select("SELECT COLLECT(MOD(id, 2)) AS c FROM g", [numbers("g", 5)], "batch").finish()
    assert r.columns[0][2]["name"] == "MULTISET"
    assert sorted(r.values()[0][0]) == [(0, 2), (1, 3)]


def test_many_rows_arrive_once_and_in_order(select):
    """2 * 10^5 rows cross the window of unstored bytes; frames are numbered without a gap."""
    n = 200_000
    r = select("SELECT id, CAST(id AS STRING) || ' some more text to fill the row' AS t FROM g",
               [numbers("g", n)], start=False)
    r.result.keep = False
    r.go().finish()
    assert r.result.count == n
    assert r.result.largest <= 80 << 10


def test_bounded_select_ends_whatever_the_checkpointing_of_the_session(select):
    """Tasks that have finished wait for a last checkpoint where checkpointing is on: here it is off."""
    r = select("SELECT id FROM g", [numbers("g", 3)], config={"execution.checkpointing.interval": "1 h",
                                                                "restart-strategy.type": "fixed-delay"}).finish()
    assert sorted(r.values()) == [(1,), (2,), (3,)]


def test_version_of_the_jar_does_not_matter(flink, select):
    assert select("SELECT 1 AS a").finish().values() == [(1,)], flink.version


def test_types_of_newer_versions(flink, select):
    """A structured type has a form; types that only newer versions know arrive as text."""
    version = tuple(int(x) for x in flink.version.split("."))
    if version < (2, 1):
        return
    r = select("SELECT PARSE_JSON('{\"a\": [1, 2]}') AS v, ARRAY[PARSE_JSON('1')] AS w FROM g",
               [numbers("g", 1)]).finish()
    assert r.columns[0][2]["name"] == "OTHER" and r.columns[0][2]["sql"].startswith("VARIANT")
    assert r.values() == [('{"a":[1,2]}', ["1"])] and isinstance(r.values()[0][0], Text)
    r = select("SELECT OBJECT_OF('com.x.User', 'name', 'Bob', 'age', 3) AS o").finish()
    assert r.columns[0][2]["name"] == "STRUCTURED" and r.values() == [(("Bob", 3),)]
    if version >= (2, 3):
        assert select("SELECT BITMAP_BUILD(ARRAY[1, 2]) AS b").finish().values() == [("{1,2}",)]


def test_printed_types(select):
    r = select("SELECT id, CAST(NULL AS STRING) AS s, TO_TIMESTAMP_LTZ(1, 3) AS t, ARRAY['x'] AS a, ts FROM g",
               [numbers("g", 1, ", ts AS CAST('2024-01-01' AS TIMESTAMP(3)), WATERMARK FOR ts AS ts")]).finish()
    assert r.sql_types() == ["BIGINT", "STRING", "TIMESTAMP_LTZ(3)", "ARRAY<CHAR(1) NOT NULL> NOT NULL",
                             "TIMESTAMP(3) NOT NULL"]
