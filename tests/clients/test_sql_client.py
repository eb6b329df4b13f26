# SPDX-License-Identifier: Apache-2.0
"""Flink's own SQL client before Sluice and before Flink's own gateway: the same lines are printed, for a script (-f), with statements that
come first (-i), and typed at a terminal, where an answer is a table that is drawn. Only in test-all."""
import difflib
import os
import re
import subprocess

import pytest

import harness
import stock
from terminal import Screen

pytestmark = pytest.mark.skipif(not harness.FULL, reason="in test-all")

SCRIPT = """-- a comment
SET 'sql-client.execution.result-mode' = 'tableau';
SET 'execution.runtime-mode' = 'batch';
CREATE TABLE dg (id INT, name STRING) WITH ('connector'='datagen', 'number-of-rows'='3', 'fields.id.kind'='sequence', 'fields.id.start'='1', 'fields.id.end'='3', 'fields.name.length'='5');
CREATE TABLE bh (id INT) WITH ('connector'='blackhole');
SHOW TABLES;
DESCRIBE dg;
SELECT id FROM dg ORDER BY id;
SELECT 1 AS a, 'x' AS b, CAST(NULL AS INT) AS c, 1.50 AS d, ARRAY[1, 2] AS e;
EXECUTE STATEMENT SET BEGIN
INSERT INTO bh SELECT id FROM dg;
INSERT INTO bh SELECT id + 1 FROM dg;
END;
SHOW CURRENT DATABASE;
DROP TABLE bh;
SELECT * FROM nope;
"""
INIT = """SET 'sql-client.execution.result-mode' = 'tableau';
SET 'table.local-time-zone' = 'Asia/Kolkata';
CREATE CATALOG mem WITH ('type'='generic_in_memory', 'default-database'='base');
USE CATALOG mem;
CREATE DATABASE other;
USE other;
CREATE TABLE first_table (x INT) WITH ('connector'='blackhole');
CREATE TEMPORARY VIEW v AS SELECT 7 AS seven, CAST('2024-01-02 03:04:05' AS TIMESTAMP_LTZ(0)) AS moment;
"""
AFTER_INIT = """SHOW CURRENT CATALOG;
SHOW CURRENT DATABASE;
SHOW TABLES;
SELECT * FROM v;
RESET 'table.local-time-zone';
SELECT * FROM v;
"""
# What is typed at the terminal; a line that does not end a statement leaves the client waiting for more.
TYPED = """SELECT 1 AS a, 'two' AS b, CAST(NULL AS INT) AS c;
SET 'execution.runtime-mode' = 'batch';
CREATE TABLE dg (id INT, word STRING) WITH ('connector'='datagen', 'number-of-rows'='3', 'fields.id.kind'='sequence', 'fields.id.start'='1', 'fields.id.end'='3', 'fields.word.length'='5');
CREATE TABLE bh (id INT) WITH ('connector'='blackhole');
SHOW TABLES;
DESCRIBE dg;
SHOW CREATE TABLE bh;
SELECT id
FROM dg -- no end; of a statement
ORDER BY id;
EXECUTE STATEMENT SET BEGIN
INSERT INTO bh SELECT id FROM dg;
INSERT INTO bh SELECT id + 1 FROM dg;
END;
BEGIN STATEMENT SET;
INSERT INTO bh SELECT id FROM dg;
SELECT 1;
END;
EXPLAIN SELECT id FROM bh;
SELECT * FROM nope;
SELEC 1;
SELECT 1; SELECT 2;
USE CATALOG nope;
RESET 'execution.runtime-mode';
SELECT a, COUNT(*) AS n FROM (VALUES (1), (1), (2)) AS t(a) GROUP BY a;
SHOW CURRENT CATALOG;""".split("\n")


def words(text):
    """Job ids and times apart."""
    text = re.sub(r"\b[0-9a-f]{32}\b", "<job>", re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\r", "", text))
    text = re.sub(r"\b\d\d:\d\d:\d\d\.\d{3}\b", "<now>", text)
    return re.sub(r"\(?\d+(\.\d+)? seconds\)?", "<time>", text)


def kept(lines):
    return [line.rstrip() for line in map(words, lines) if line.strip() and not line.startswith("Command history file path")]


def call(flink, base, folder, name, *more):
    """(argv, environment) of the client of this Flink."""
    home = stock.distribution(harness.PATCH[flink])
    env = {k: v for k, v in os.environ.items() if not k.startswith(("FLINK", "SLUICE"))}
    env.update(FLINK_LOG_DIR=str(folder), HOME=str(folder), JVM_ARGS="-XX:TieredStopAtLevel=1 -Xmx300m")
    return [f"{home}/bin/sql-client.sh", "gateway", "-e", base.removeprefix("http://"), "-hist", str(folder / f"{name}.hist"), *more], env


def printed(flink, base, folder, name, *more):
    argv, env = call(flink, base, folder, name, *more)
    done = subprocess.run(argv, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=150, check=False)
    return [done.returncode, *kept(done.stdout.split("\n"))], done.stderr


def file(folder, name, text):
    path = folder / name
    path.write_text(text)
    return str(path)


def test_a_script(ours, theirs, flink, tmp_path):
    script = file(tmp_path, "script.sql", SCRIPT)
    want, _ = printed(flink, theirs, tmp_path, "stock", "-f", script)
    got, said = printed(flink, ours, tmp_path, "sluice", "-f", script)
    assert any("Object 'nope' not found" in line for line in want[1:]), want
    assert got == want, said


def test_statements_that_come_first(ours, theirs, flink, tmp_path):
    script, init = file(tmp_path, "script.sql", AFTER_INIT), file(tmp_path, "init.sql", INIT)
    want, _ = printed(flink, theirs, tmp_path, "stock", "-i", init, "-f", script)
    got, said = printed(flink, ours, tmp_path, "sluice", "-i", init, "-f", script)
    assert any("first_table" in line for line in want[1:]) and any("2024-01-02 03:04:05" in line for line in want[1:]), want
    assert got == want, said


@pytest.mark.parametrize("wrong", ["SELECT 1;", "CREATE TABLE t (a INT) WITH ('connector'='no-such');\nDROP TABLE nope;", "SET 'a' = 'b'; SET 'c' = 'd';\nUSE nope;"])
def test_wrong_statements_that_come_first(ours, theirs, flink, tmp_path, wrong):
    """The client ends with the line of the error."""
    script, init = file(tmp_path, "script.sql", "SHOW TABLES;\n"), file(tmp_path, "init.sql", wrong + "\n")
    answers = []
    for name, base in (("stock", theirs), ("sluice", ours)):
        got, said = printed(flink, base, tmp_path, name, "-i", init, "-f", script)
        causes = re.findall(r"^Caused by: (?:\S*(?:Exception|Error): )?.*", said, re.M)
        answers.append([got, causes[:1]])
    assert answers[0] == answers[1]


class Client:
    """The client at a terminal."""

    def __init__(self, flink, base, folder, name, *more):
        argv, env = call(flink, base, folder, name, *more)
        env["TERM"] = "screen"
        self.screen = Screen(argv, env)
        self.prompt(0)

    def prompt(self, before):
        self.screen.wait(lambda lines: self.prompts(lines) > before and lines[-1] == "Flink SQL>", 90 * harness.PATIENCE, "the prompt")

    @staticmethod
    def prompts(lines):
        return sum(line.startswith("Flink SQL>") for line in lines)

    def line(self, text):
        """Types a line; until there is a prompt again, or the sign that more is wanted."""
        before = self.prompts(self.screen.lines())
        marks = sum(line.startswith(">") for line in self.screen.lines())
        self.screen.type(text, "Enter")
        self.screen.wait(lambda lines: (self.prompts(lines) > before and lines[-1] == "Flink SQL>") or (sum(x.startswith(">") for x in lines) > marks and lines[-1] == ">"),
                         90 * harness.PATIENCE, text)

    def drawn(self, text, last):
        """The picture of a query's rows, once it says that all of them are there; Q leaves it."""
        before = self.prompts(self.screen.lines())
        self.screen.type(text, "Enter")
        self.screen.wait(lambda lines: any("Table program finished." in line for line in lines) and any(last in line for line in lines), 90 * harness.PATIENCE, text, history=False)
        picture = kept(self.screen.lines(history=False))
        self.screen.type("Q")
        self.screen.wait(lambda lines: self.prompts(lines) > before and lines[-1] == "Flink SQL>", 60 * harness.PATIENCE, "the prompt behind the picture")
        return picture

    def quit(self):
        self.screen.type("QUIT;", "Enter")
        self.screen.wait(lambda lines: self.screen.ended(), 30 * harness.PATIENCE, "its end")
        lines = [line for line in self.screen.lines() if not line.startswith("Pane is dead")]
        self.screen.close()
        return kept(lines)


def at_the_terminal(flink, base, folder, name):
    client = Client(flink, base, folder, name)
    try:
        pictures = [client.drawn("SELECT * FROM (VALUES (1, 'one'), (2, 'two')) AS t(n, word);", "two")]
        client.line("SET 'sql-client.execution.result-mode' = 'changelog';")
        pictures.append(client.drawn("SELECT a, COUNT(*) AS n FROM (VALUES (1), (1)) AS t(a) GROUP BY a;", "+U"))
        client.line("SET 'sql-client.execution.result-mode' = 'tableau';")
        for line in TYPED:
            client.line(line)
        client.line("CREATE TABLE forever (id INT) WITH ('connector'='datagen', 'rows-per-second'='20', 'fields.id.min'='5', 'fields.id.max'='5');")
        before = client.prompts(client.screen.lines())
        client.screen.type("SELECT id FROM forever;", "Enter")
        client.screen.wait(lambda lines: sum(re.fullmatch(r"\| \+I \| +5 \|", x) is not None for x in lines) > 30, 90 * harness.PATIENCE, "rows that go on")
        client.screen.type("", "C-c")
        client.screen.wait(lambda lines: client.prompts(lines) > before and lines[-1] == "Flink SQL>", 60 * harness.PATIENCE, "the prompt behind Ctrl-C")
        client.line("SHOW CURRENT DATABASE;")
        lines = client.quit()
    except BaseException:
        client.screen.close()
        raise
    # How many rows there were before the interrupt is nobody's business.
    rows = re.compile(r"\| \+I \| +5 \|")
    return pictures, [re.sub(r"Received a total of \d+ rows", "Received some rows", line) for line in lines if not rows.fullmatch(line)]


def test_at_a_terminal(ours, theirs, flink, tmp_path):
    (want_pictures, want), (got_pictures, got) = (at_the_terminal(flink, base, tmp_path, name) for name, base in (("stock", theirs), ("sluice", ours)))
    assert any("Object 'nope' not found" in line for line in want) and len(want) > 150, want
    assert "SQL Query Result (Table)" in want_pictures[0][0] and got_pictures == want_pictures, "\n".join(["stock:", *sum(want_pictures, []), "sluice:", *sum(got_pictures, [])])
    assert told(got) == told(want), "\n".join(difflib.unified_diff(told(want), told(got), "stock", "sluice", lineterm=""))


def told(lines):
    """Of a syntax error the first line: what stands in the next ones differs (docs/sessions.md)."""
    found, apart = [], False
    for line in lines:
        apart = apart and not line.startswith(("Flink SQL>", "[", "+-"))
        if not apart:
            found.append(line)
        apart = apart or "Encountered" in line or "Non-query expression" in line
    return found
