# SPDX-License-Identifier: Apache-2.0
"""What a person sees of mistakes in a script: the whole text, times masked; no Flink is started."""
import os
import re
import subprocess

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BIN = os.path.abspath(os.environ.get("SLUICE_BIN", os.path.join(ROOT, "build", "sluice")))

SIX = """SET 'pipeline.name' = 'orders';

CREATE TABLE orders (
  item  STRING,
  price DECIMAL(10, 2)
) WITH (
  'connector' = 'kafka',
  'topic'     = 'orders',
  'properties.bootstrap.servers' = '${kafka}',
  'format'    = 'json'
);

CREATE TABLE revenue (
  value DECIMAL(20, 2)
) WITH ('connector' = 'print');

CREATE VIEW dear AS SELECT item, price FROM orders WHERE price > ;

SELECT item, (1 + 2 FROM orders;

SELECT item /* 订单 */, FROM orders;

DROP TABL revenue;
"""

SAID = """error[variable-undefined]: variable 'kafka' has no value
  --> orders.sql:9:37
   |
 9 |   'properties.bootstrap.servers' = '${kafka}',
   |                                     ^^^^^^^^
   = hint: give it with --var kafka=HOST:PORT, or under 'vars:' in sluice.yaml

error[reserved-word]: 'value' is a reserved word and cannot be a column name
  --> orders.sql:14:3
   |
14 |   value DECIMAL(20, 2)
   |   ^^^^^
   = hint: write `value`

error[syntax]: an expression is missing after '>'
  --> orders.sql:17:66
   |
17 | CREATE VIEW dear AS SELECT item, price FROM orders WHERE price > ;
   |                                                                  ^
   = hint: for example: price > 100

error[syntax]: a ')' is missing before 'FROM'
  --> orders.sql:19:21
   |
19 | SELECT item, (1 + 2 FROM orders;
   |                     ^^^^

"""


@pytest.fixture
def call(tmp_path):
    env = dict(os.environ, SLUICE_DATA=str(tmp_path / "data"), XDG_DATA_HOME=str(tmp_path / "xdg"), HOME=str(tmp_path), NO_COLOR="1", LANG="C.UTF-8")
    (tmp_path / "orders.sql").write_text(SIX, encoding="utf-8")

    def run(*args):
        return subprocess.run([BIN, *args], env=env, cwd=tmp_path, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=30)
    return run


def split(text):
    """The diagnostics, each with its frame, and what stands behind them."""
    parts = re.split(r"\n\n", text)
    return [p for p in parts if re.match(r"(error|warning)\[", p)], parts[-1]


def test_five_mistakes_and_a_variable_without_a_value(call):
    """Six diagnostics, each with place, line, caret; those of mistakes that cannot be read two ways word for word."""
    done = call("check", "orders.sql")
    assert done.returncode == 3 and done.stdout + done.stderr
    text = done.stdout + done.stderr
    assert text.startswith(SAID), text
    found, last = split(text)
    assert len(found) == 6, text
    for one, (line, column) in zip(found, [(9, 37), (14, 3), (17, 66), (19, 21), (21, 23), (23, 6)]):
        shown = SIX.splitlines()[line - 1]
        form = re.fullmatch(rf"error\[[a-z-]+\]: [^\n]+\n  --> orders\.sql:{line}:(\d+)\n   \|\n{line:2d} \| {re.escape(shown)}\n   \| ( *)\^+(\n   = hint: [^\n]+)?", one)
        assert form, one
        assert int(form[1]) == column, one
    assert re.fullmatch(r"orders\.sql: 6 errors in 7 statements; checked for Flink 2\.2 in [\d.]+ ms\. Nothing was sent\.\n", last), last


def test_run_says_the_same_and_starts_nothing(call, tmp_path):
    checked, ran = call("check", "orders.sql"), call("run", "orders.sql")
    assert ran.returncode == 3 and ran.stdout == ""
    assert split(ran.stderr)[0] == split(checked.stdout + checked.stderr)[0]
    assert re.search(r"^6 errors in 7 statements; nothing was sent\.$", ran.stderr, re.M), ran.stderr
    assert not (tmp_path / "xdg").exists()


def test_a_clean_file_is_one_line(call, tmp_path):
    (tmp_path / "clean.sql").write_text("CREATE TABLE t (a INT) WITH ('connector' = 'datagen');\nSELECT a FROM t;\n")
    done = call("check", "clean.sql")
    assert done.returncode == 0
    assert re.fullmatch(r"clean\.sql: ok, 2 statements, Flink 2\.2, [\d.]+ ms\n", done.stdout + done.stderr), done
