# SPDX-License-Identifier: Apache-2.0
"""check, split, render and the help of build/sluice, as a person and a program see them; no Flink is started."""
import json
import os
import re
import subprocess

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BIN = os.path.abspath(os.environ.get("SLUICE_BIN", os.path.join(ROOT, "build", "sluice")))


@pytest.fixture
def sluice(tmp_path):
    env = dict(os.environ, SLUICE_DATA=str(tmp_path / "data"), XDG_DATA_HOME=str(tmp_path / "xdg"), HOME=str(tmp_path), NO_COLOR="1", LANG="C.UTF-8")

    def call(*args, input=None, cwd=None):
        return subprocess.run([BIN, *map(str, args)], input=input, env=env, cwd=cwd or tmp_path, capture_output=True, text=True, timeout=30,
                              **({} if input is not None else {"stdin": subprocess.DEVNULL}))
    return call


def diagnostics(done):
    """[(severity, code, place)] of the text form."""
    return re.findall(r"^(error|warning)\[([a-z0-9-]+)\]: .*\n +--> (\S+)", done.stdout + done.stderr, re.M)


FIVE_AND_ONE = """CREATE TABLE a (id BIGINT name STRING) WITH ('connector' = 'datagen');
SELECT id FORM a;
SELECT COUNT(* FROM a;
INSERT a SELECT 1;
SELECT 1 +;
CREATE TABLE k (x INT) WITH ('connector' = 'kafka', 'topic' = '${topic}');
"""


def test_five_mistakes_and_a_variable(sluice, tmp_path):
    """Six diagnostics, each at its own line, in order; nothing is reported twice."""
    (tmp_path / "six.sql").write_text(FIVE_AND_ONE)
    done = sluice("check", "six.sql")
    assert done.returncode == 3
    found = diagnostics(done)
    assert [place.split(":")[1] for _, _, place in found] == ["1", "2", "3", "4", "5", "6"], found
    assert found[-1][1] == "variable-undefined" and {c for _, c, _ in found[:5]} <= {"syntax", "reserved-word"}
    text = done.stdout + done.stderr
    assert re.search(r"^six\.sql: 6 errors in 6 statements; checked for Flink 2\.2 in [\d.]+ ms\. Nothing was sent\.$", text, re.M), text
    assert text.count("= hint: ") >= 1
    carets = re.findall(r"^ *\| +\^+$", text, re.M)
    assert len(carets) == 6


def test_caret_stands_under_the_glyph(sluice, tmp_path):
    """Columns are UTF-16 units, the caret is placed by display width."""
    (tmp_path / "wide.sql").write_text("SELECT '订单😀' FORM t;\n")
    done = sluice("check", "wide.sql")
    assert done.returncode == 3
    text = done.stdout + done.stderr
    source = next(x for x in text.splitlines() if "订单" in x)
    caret = next(x for x in text.splitlines() if re.fullmatch(r" *\| +\^+", x))
    column = int(re.search(r"wide\.sql:1:(\d+)", text)[1])
    units = source.split("| ", 1)[1].encode("utf-16-le")
    pointed = units[2 * (column - 1):].decode("utf-16-le")
    before = source.split("| ", 1)[1][: len(source.split("| ", 1)[1]) - len(pointed)]
    width = sum(2 if ord(c) > 0x2E7F else 1 for c in before)
    assert caret.index("^") == source.index("| ") + 2 + width


def test_a_clean_file_is_one_line(sluice, tmp_path):
    (tmp_path / "ok.sql").write_text("SELECT 1;\nSELECT 2;\n")
    done = sluice("check", "ok.sql")
    assert done.returncode == 0
    assert re.fullmatch(r"ok\.sql: ok, 2 statements, Flink 2\.2, [\d.]+ ms\n", done.stdout + done.stderr)


def test_check_json(sluice):
    done = sluice("check", "-", "--json", input=FIVE_AND_ONE)
    assert done.returncode == 3
    document = json.loads(done.stdout)
    found = document["diagnostics"] if isinstance(document, dict) else document[0].get("diagnostics", document)
    assert len(found) == 6
    for d in found:
        assert set(d) >= {"code", "severity", "message", "hint", "statement", "offset", "length", "line", "column", "endLine", "endColumn"}
        assert (d["endLine"], d["endColumn"]) >= (d["line"], d["column"]) and d["severity"] == "error"
    assert [d["statement"] for d in found] == [1, 2, 3, 4, 5, 6]


def test_jsonl_keeps_order_and_never_stops(sluice):
    lines = [{"id": i, "sql": "SELECT 1" if i % 3 else "SELECT FORM x y z"} for i in range(300)]
    lines[7] = {"id": "seven", "sql": "SELECT '\\u0000'"}
    done = sluice("check", "--jsonl", input="".join(json.dumps(x) + "\n" for x in lines))
    answers = [json.loads(x) for x in done.stdout.splitlines()]
    assert [a["id"] for a in answers] == [x["id"] for x in lines]
    for a in answers:
        assert set(a) >= {"id", "ok", "statements", "diagnostics"} and a["ok"] == (not any(d["severity"] == "error" for d in a["diagnostics"]))
    assert [a["ok"] for a in answers[:4]] == [False, True, True, False]


@pytest.mark.parametrize("version,ok", [("1.20", False), ("2.2", True), ("2.3", True), ("2.2.1", True)])
def test_versions_differ(sluice, version, ok):
    """DESCRIBE FUNCTION is there from 2.0 on."""
    sql = "DESCRIBE FUNCTION f;"
    done = sluice("check", "--level", "syntax", "--flink", version, "-", input=sql)
    assert (done.returncode == 0) == ok, done.stdout + done.stderr
    assert ok or "error[version-needed]" in done.stdout + done.stderr


def test_strict_makes_warnings_errors(sluice):
    sql = "SET 'execution.checkpointing.intervall' = '10 s';"
    soft, hard = sluice("check", "-", input=sql), sluice("check", "--strict", "-", input=sql)
    assert soft.returncode == 0 and hard.returncode == 3
    assert "set-key-unknown" in soft.stdout + soft.stderr and "'execution.checkpointing.interval'" in soft.stdout + soft.stderr


def test_split_json(sluice, tmp_path):
    text = "-- first\nSELECT 'a;b'; /* ; */\nBEGIN STATEMENT SET;\nINSERT INTO t SELECT 1;\nEND;\nSELECT '😀' AS x; SELECT 2"
    (tmp_path / "s.sql").write_text(text)
    done = sluice("split", "s.sql", "--json")
    assert done.returncode == 0
    parts = json.loads(done.stdout)
    data = text.encode()
    for i, p in enumerate(parts, 1):
        assert set(p) >= {"index", "kind", "offset", "length", "line", "column", "endLine", "endColumn", "text", "terminated"}
        assert p["index"] == i and data[p["offset"]:p["offset"] + p["length"]].decode() == p["text"]
    assert [p["terminated"] for p in parts] == [True] * (len(parts) - 1) + [False]
    last, smile = parts[-1], parts[-2]
    assert smile["line"] == 6 and smile["column"] == 1 and last["line"] == 6 and last["column"] == 19 and last["text"] == "SELECT 2"


def test_render_masks_nothing_but_secrets_and_fills_variables(sluice, tmp_path):
    (tmp_path / "v.sql").write_text("SELECT '${a}', '${b:-it''s}', '$${a}', `${a}`;\n")
    done = sluice("render", "v.sql", "--var", "a=x'y`z")
    assert done.returncode == 0, done.stderr
    assert "'x''y`z'" in done.stdout and "'it''s'" in done.stdout and "'${a}'" in done.stdout and "`x'y``z`" in done.stdout


def test_stdin_and_missing_files(sluice):
    assert sluice("check", "-", input="SELECT 1;").returncode == 0
    assert sluice("check", "no-such.sql").returncode == 2
    assert sluice("check", "-", input="SELECT '\udcff'".encode("utf-8", "surrogatepass").decode("latin-1")).returncode in (0, 3)


def test_every_verb_has_help(sluice):
    top = sluice("--help")
    assert top.returncode == 0 and not top.stderr
    verbs = re.findall(r"^  ([a-z][a-z-]*) {2,}\S", top.stdout, re.M)
    assert {"check", "split", "render", "run", "job", "flink", "doctor", "owner"} <= set(verbs)
    for verb in verbs:
        done = sluice(verb, "--help")
        assert done.returncode == 0 and done.stdout.startswith("usage: sluice " + verb), verb
        assert max(map(len, done.stdout.splitlines())) <= 110, verb


def test_version(sluice):
    done = sluice("--version")
    assert done.returncode == 0 and re.search(r"^sluice \d+\.\d+", done.stdout), done.stdout
    for flink in ("1.20", "2.2", "2.3"):
        assert flink in done.stdout


def test_usage_errors(sluice):
    for args in (["nonsense"], ["check", "--nonsense", "x"], ["check"], ["run"], ["job", "nonsense"], ["flink", "nonsense"]):
        done = sluice(*args)
        assert done.returncode == 2 and done.stderr.startswith(("sluice", "error[usage]")), (args, done)
        assert not done.stdout
