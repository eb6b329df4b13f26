# SPDX-License-Identifier: Apache-2.0
"""complete, hover and lineage of build/sluice, as an editor and a script call them; no Flink is started."""
import json
import os
import re
import shutil
import subprocess

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BIN = os.path.abspath(os.environ.get("SLUICE_BIN", os.path.join(ROOT, "build", "sluice")))
SECRET = "hunter2"


@pytest.fixture
def sluice(tmp_path):
    env = dict(os.environ, SLUICE_DATA=str(tmp_path / "data"), XDG_DATA_HOME=str(tmp_path / "xdg"), HOME=str(tmp_path), NO_COLOR="1", LANG="C.UTF-8")

    def call(*args, input=None):
        return subprocess.run([BIN, *map(str, args)], input=input, env=env, cwd=tmp_path, capture_output=True, text=True, timeout=30,
                              **({} if input is not None else {"stdin": subprocess.DEVNULL}))
    return call


@pytest.fixture
def project(tmp_path):
    """A script whose tables come from an init file, a variable and a secret."""
    (tmp_path / "sluice.yaml").write_text("init: [tables.sql]\nvars: {topic: orders-v1}\n")
    (tmp_path / "tables.sql").write_text("CREATE TABLE orders (id BIGINT, item STRING, price DECIMAL(10, 2)) WITH ('connector' = 'datagen');\n")
    return tmp_path


def at(text):
    """Text without its mark |, line and UTF-16 column of it."""
    before, after = text.split("|", 1)
    lines = before.split("\n")
    return before + after, ["--line", len(lines), "--column", len(lines[-1].encode("utf-16-le")) // 2 + 1]


def complete(sluice, path, marked, *more):
    text, place = at(marked)
    path.write_text(text, encoding="utf-8")
    done = sluice("complete", path.name, *place, "--json", *more)
    assert done.returncode == 0, done.stderr
    return text, json.loads(done.stdout)


def test_completion_knows_the_init_files(sluice, project):
    text, answer = complete(sluice, project / "x.sql", "SELECT '订单 😀', pr| FROM orders")
    assert answer["items"][0] == {"label": "price", "kind": "Field", "insertText": "price", "detail": "DECIMAL(10, 2)", "sortText": "00000"}
    found = answer["range"]
    assert text.encode()[found["offset"]:found["offset"] + found["length"]] == b"pr"
    assert (found["line"], found["column"], found["endColumn"]) == (1, 17, 19)
    _, answer = complete(sluice, project / "x.sql", "SELECT * FROM |")
    assert answer["items"][0]["label"] == "orders" and answer["items"][0]["kind"] == "Class"
    assert [item["sortText"] for item in answer["items"]] == sorted(item["sortText"] for item in answer["items"])


def test_limit_and_incomplete(sluice, project):
    _, answer = complete(sluice, project / "x.sql", "SELECT | FROM orders", "--limit", "5")
    assert len(answer["items"]) == 5 and answer["incomplete"] is True
    _, answer = complete(sluice, project / "x.sql", "SELECT pri| FROM orders")
    assert answer["incomplete"] is False


def test_a_secret_never_shows(sluice, project):
    for marked in ("SELECT '${|'", "SELECT '${secret.p|}'"):
        text, place = at(marked)
        for verb in ("complete", "hover"):
            done = sluice(verb, "-", *place, "--json", "--var", f"secret.password={SECRET}", input=text)
            assert done.returncode == 0, done.stderr
            assert SECRET not in done.stdout + done.stderr
    _, answer = complete(sluice, project / "x.sql", "SELECT '${|'", "--var", f"secret.password={SECRET}")
    assert {"secret.password", "topic"} <= {item["label"] for item in answer["items"]}


def test_hover(sluice, project):
    text, place = at("SELECT pri|ce FROM orders")
    (project / "x.sql").write_text(text)
    done = sluice("hover", "x.sql", *place, "--json")
    answer = json.loads(done.stdout)
    assert answer["kind"] == "column" and answer["title"] == "price DECIMAL(10, 2)"
    assert answer["defined"]["file"].endswith("tables.sql") and answer["defined"]["range"]["column"] == 46
    assert "price DECIMAL(10, 2)" in sluice("hover", "x.sql", *place).stdout
    done = sluice("hover", "-", "--line", "1", "--column", "1", "--json", input="-- SELECT")
    assert (done.returncode, done.stdout) == (0, "null\n")


def test_usage(sluice):
    for words in (["complete", "x.sql"], ["complete", "-", "--line", "0", "--column", "1"], ["hover", "-", "--line", "1", "--column", "x"],
                  ["complete", "--line", "1", "--column", "1"], ["lineage"], ["lineage", "a.sql", "--json", "--dot"], ["lineage", "a.sql", "--columns"]):
        done = sluice(*words, input="")
        assert done.returncode == 2 and done.stderr.startswith(f"sluice {words[0]}: "), words
    assert sluice("complete", "none.sql", "--line", "1", "--column", "1").returncode != 0


SCRIPT = """CREATE VIEW dear AS SELECT id, price * 2 AS twice FROM orders WHERE price > 1;
INSERT INTO `s"i&nk` SELECT id, twice FROM dear;
SELECT COUNT(*) FROM elsewhere;
"""


def test_lineage(sluice, project):
    (project / "x.sql").write_text(SCRIPT)
    done = sluice("lineage", "x.sql")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    insert = [s for s in answer["statements"] if s["kind"] == "INSERT"][0]
    assert insert["reads"] == ["default_catalog.default_database.dear"]
    assert [i["table"] for i in insert["inputs"]] == ["default_catalog.default_database.orders"]
    assert [[f["column"] for f in c["from"]] for c in insert["columns"]] == [["id"], ["price"]]
    assert [(r["column"], r["how"]) for r in insert["rows"]] == [("price", ["filter"])]
    kinds = {t["name"].rsplit(".", 1)[1]: (t["kind"], t["columns"]) for t in answer["tables"]}
    assert kinds["elsewhere"] == ("outside", None)
    (project / "x.sql").write_text(SCRIPT + "SELECT FROM;\n")
    done = sluice("lineage", "x.sql", "--json")
    assert done.returncode == 3 and "error[syntax]" in done.stderr and len(json.loads(done.stdout)["unread"]) == 1


# One statement of what we write of the DOT language: a quoted name, a port, an edge, attributes in brackets.
NAME = r'"(?:\\.|[^"\\])*"'
STATEMENT = re.compile(rf"  (?:rankdir=LR|node \[fontname={NAME}\]|{NAME}(?::\w+)?(?: -> {NAME}(?::\w+)?)?(?: \[(?:[^\"<\]]|{NAME}|<<TABLE.*</TABLE>>)*\])?);")


@pytest.mark.parametrize("columns", [[], ["--columns"]])
def test_dot(sluice, project, columns):
    (project / "x.sql").write_text(SCRIPT)
    done = sluice("lineage", "x.sql", "--dot", *columns)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "digraph lineage {" and lines[-1] == "}"
    assert all(STATEMENT.fullmatch(line) for line in lines[1:-1]), done.stdout
    assert sum(" -> " in line for line in lines) >= 3
    for label in re.findall(r"<<TABLE.*?</TABLE>>", done.stdout):
        assert "s&quot;i&amp;nk" in label or "nk" not in label
    if shutil.which("dot"):
        drawn = subprocess.run(["dot", "-Tsvg"], input=done.stdout, capture_output=True, text=True, timeout=60)
        assert drawn.returncode == 0 and not drawn.stderr and "<svg" in drawn.stdout, drawn.stderr
