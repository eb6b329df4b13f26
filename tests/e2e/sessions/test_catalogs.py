# SPDX-License-Identifier: Apache-2.0
"""Sessions with catalogs of their own: each statement opens what it reaches and closes it again, and a broken view harms nobody."""
import collections

import pytest

import harness


def fields(answer):
    return [row for _, row in answer[1]]


def counts(file):
    """{(what, catalog): how often}."""
    return collections.Counter(tuple(line.split()) for line in file.read_text().splitlines())


STATEMENTS = [
    "SHOW TABLES", "SHOW DATABASES", "DESCRIBE near.`default`.t", "DESCRIBE t", "SELECT 1", "SELECT COUNT(*) FROM distant.`default`.t", "EXPLAIN SELECT * FROM t", "SHOW CREATE TABLE t",
    "CREATE TEMPORARY VIEW v{} AS SELECT x + 1 AS y FROM t", "SELECT l.x FROM near.`default`.t AS l, distant.`default`.t AS r", "SHOW CATALOGS", "SET 'pipeline.name' = 'n{}'", "DESCRIBE v{}", "SHOW VIEWS",
    "USE CATALOG distant", "SHOW TABLES", "DESCRIBE t", "USE CATALOG near", "DROP TEMPORARY VIEW v{}", "INSERT INTO distant.`default`.hole SELECT x FROM t", "CREATE TABLE once (x INT) WITH ('connector'='blackhole')",
]
FAILING = ["SELECT * FROM nope", "DESCRIBE distant.`default`.nope", "SELECT x FROM near.`default`.t WHERE nope", "INSERT INTO nope SELECT 1", "CREATE TEMPORARY VIEW w AS SELECT nope FROM t"]


def test_catalogs_are_closed_as_often_as_they_are_opened(session, jar, tmp_path):
    """100 statements between two catalogs: with answers, rows, jobs and failures."""
    notes = tmp_path / "notes"
    session.execute(f"ADD JAR '{jar}'")
    for name in ("near", "distant"):
        session.execute(f"CREATE CATALOG {name} WITH ('type'='counting', 'file'='{notes}')")
    session.execute("USE CATALOG near")
    done, i = 4, 0
    while done < 100:
        for sql in STATEMENTS if i % 4 else STATEMENTS + FAILING:
            if sql in FAILING:
                with pytest.raises(AssertionError):
                    session.execute(sql)
            else:
                session.execute(sql.format(i))
            done += 1
        i += 1

    def equal():
        c = counts(notes)
        return all(c[("open", name)] == c[("close", name)] for name in ("near", "distant"))
    harness.wait_for(equal, 20, f"as many ends as beginnings: {counts(notes)}")
    c = counts(notes)
    print(f"\n{done} statements: {dict(c)}")
    assert c[("open", "near")] > 20 and c[("open", "distant")] > 10
    assert c[("open", "distant")] < c[("open", "near")] < done, "who does not reach a catalog does not open it"
    session.execute("DROP CATALOG distant")
    assert fields(session.execute("SHOW CATALOGS")) == [["default_catalog"], ["near"]]


def test_a_catalog_that_is_not_named_is_not_opened(session, jar, tmp_path):
    notes = tmp_path / "notes"
    session.execute(f"ADD JAR '{jar}'")
    session.execute(f"CREATE CATALOG far WITH ('type'='counting', 'file'='{notes}')")
    before = counts(notes)
    session.execute("CREATE TABLE n (x INT) WITH ('connector'='datagen', 'number-of-rows'='3')")
    assert len(session.execute("SELECT x FROM n")[1]) == 3
    session.execute("SHOW FUNCTIONS")
    assert counts(notes) == before and before[("open", "far")] >= 1


def test_a_view_over_a_dropped_table_harms_only_those_that_read_it(session):
    """In the session's own catalog, and over a table that stays: the view can be dropped or made to work again."""
    session.execute("CREATE TABLE gone (x INT) WITH ('connector'='datagen', 'number-of-rows'='2')")
    session.execute("CREATE TABLE stays (x INT) WITH ('connector'='datagen', 'number-of-rows'='2')")
    session.execute("CREATE VIEW over_gone AS SELECT x FROM gone")
    session.execute("CREATE TEMPORARY VIEW over_view AS SELECT x FROM over_gone")
    session.execute("DROP TABLE gone")
    for sql, n in (("SELECT x FROM stays", 2), ("SELECT 1", 1), ("SHOW FUNCTIONS", None), ("DESCRIBE stays", 1), ("EXPLAIN SELECT x FROM stays", 1), ("SHOW TABLES", None), ("SHOW VIEWS", None)):
        answer = session.execute(sql)
        assert n is None or len(answer[1]) == n, sql
    for sql in ("SELECT * FROM over_gone", "SELECT * FROM over_view"):
        with pytest.raises(AssertionError, match="gone"):
            session.execute(sql)
    session.execute("CREATE VIEW good AS SELECT x FROM stays")
    assert len(session.execute("SELECT * FROM good")[1]) == 2
    session.execute("CREATE TABLE gone (x INT) WITH ('connector'='datagen', 'number-of-rows'='2')")
    assert len(session.execute("SELECT * FROM over_view")[1]) == 2, "it works again with its table"
    session.execute("DROP TABLE gone")
    session.execute("DROP TEMPORARY VIEW over_view")
    session.execute("DROP VIEW over_gone")
    assert fields(session.execute("SHOW VIEWS")) == [["good"]]
