# SPDX-License-Identifier: Apache-2.0
"""A session in a Paimon catalog: what was done in it was done once, and none of it is done again by the statements behind it."""
import stock


def rows(session, sql):
    return sorted(row for _, row in session.execute(sql)[1])


def test_a_lasting_catalog_is_written_once(session, base, paimon, tmp_path):
    """DROP, CREATE and INSERT in Paimon, and what comes behind them in the session: none of them is done again."""
    for one in paimon:
        session.execute(f"ADD JAR '{one}'")
    make = f"CREATE CATALOG lake WITH ('type'='paimon', 'warehouse'='file://{tmp_path}/lake')"
    session.execute(make)
    session.execute("USE CATALOG lake")
    session.execute("SET 'execution.runtime-mode' = 'batch'")
    session.execute("SET 'table.dml-sync' = 'true'")
    for sql in ("CREATE TABLE words (id INT, word STRING, PRIMARY KEY (id) NOT ENFORCED)", "INSERT INTO words VALUES (9, 'old')", "DROP TABLE words",
                "CREATE TABLE words (id INT, word STRING, PRIMARY KEY (id) NOT ENFORCED)", "INSERT INTO words VALUES (1, 'a'), (2, 'b'), (3, 'c')"):
        session.execute(sql)
    want = [[1, "a"], [2, "b"], [3, "c"]]
    assert rows(session, "SELECT * FROM words") == want
    behind = ["SHOW TABLES", "DESCRIBE words", "SHOW CREATE TABLE words", "SHOW COLUMNS FROM words", "CREATE TEMPORARY VIEW long_words AS SELECT * FROM words WHERE id > 1", "DESCRIBE long_words",
              "CREATE DATABASE side", "USE side", "SHOW TABLES", "DESCRIBE `default`.words", "USE `default`", "EXPLAIN SELECT * FROM words", "SET 'parallelism.default' = '1'", "SHOW DATABASES",
              "USE CATALOG default_catalog", "CREATE TABLE mine (x INT) WITH ('connector'='blackhole')", "INSERT INTO mine SELECT id FROM lake.`default`.words", "USE CATALOG lake",
              "DROP TEMPORARY VIEW long_words", "SELECT MAX(id) FROM words"]
    assert len(behind) == 20
    for sql in behind:
        session.execute(sql)
    assert rows(session, "SELECT * FROM words") == want
    assert rows(session, "SHOW DATABASES") == [["default"], ["side"]]
    other = stock.GatewaySession(base)
    for one in paimon:
        other.execute(f"ADD JAR '{one}'")
    other.execute(make)
    other.execute("SET 'execution.runtime-mode' = 'batch'")
    assert rows(other, "SELECT * FROM lake.`default`.words") == want, "as another session sees it"
    snapshots = list((tmp_path / "lake" / "default.db" / "words" / "snapshot").glob("snapshot-*"))
    assert len(snapshots) == 1, "one INSERT since its CREATE"
    other.close()
