# SPDX-License-Identifier: Apache-2.0
"""sluice fmt as a person and a program see it: in place, --check, --diff, standard input, files of all sorts."""
import os
import stat
import subprocess

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BIN = os.path.abspath(os.environ.get("SLUICE_BIN", os.path.join(ROOT, "build", "sluice")))
UGLY = "select a,b from t where x=1;\n"
NICE = "SELECT a, b\nFROM t\nWHERE x = 1;\n"


@pytest.fixture
def fmt(tmp_path):
    env = dict(os.environ, SLUICE_DATA=str(tmp_path / "data"), HOME=str(tmp_path), NO_COLOR="1", LANG="C.UTF-8")

    def call(*args, input=b""):
        done = subprocess.run([BIN, "fmt", *map(str, args)], input=input, env=env, cwd=tmp_path, capture_output=True, timeout=30)
        return done.returncode, done.stdout.decode(), done.stderr.decode()
    return call


def test_in_place_and_twice(fmt, tmp_path):
    file = tmp_path / "a.sql"
    file.write_text(UGLY)
    file.chmod(0o640)
    assert fmt("a.sql") == (0, "a.sql\n", "")
    assert file.read_text() == NICE and stat.S_IMODE(file.stat().st_mode) == 0o640
    before = file.stat()
    assert fmt("a.sql") == (0, "", "")
    assert file.stat().st_mtime_ns == before.st_mtime_ns and file.stat().st_ino == before.st_ino
    assert os.listdir(tmp_path) == ["a.sql"]


def test_behind_a_symbolic_link(fmt, tmp_path):
    (tmp_path / "real.sql").write_text(UGLY)
    (tmp_path / "link.sql").symlink_to("real.sql")
    assert fmt("link.sql", "-q") == (0, "", "")
    assert (tmp_path / "link.sql").is_symlink() and (tmp_path / "real.sql").read_text() == NICE


def test_check_writes_nothing(fmt, tmp_path):
    (tmp_path / "a.sql").write_text(UGLY)
    (tmp_path / "b.sql").write_text(NICE)
    assert fmt("--check", "a.sql", "b.sql") == (1, "a.sql\n", "")
    assert fmt("--check", "b.sql") == (0, "", "")
    assert (tmp_path / "a.sql").read_text() == UGLY


def test_diff_is_one_that_patch_takes(fmt, tmp_path):
    text = "".join(f"select {i},b from t;\n\n" if i % 7 == 0 else f"SELECT {i};\n\n" for i in range(60)).rstrip("\n") + "\n"
    (tmp_path / "a.sql").write_text(text)
    code, diff, err = fmt("--diff", "a.sql")
    assert code == 0 and not err and diff.startswith("--- a.sql\n+++ a.sql\n@@ -1,")
    assert (tmp_path / "a.sql").read_text() == text
    assert fmt("--diff", "--check", "a.sql")[0] == 1
    patched = apply(text, diff)
    code, _, _ = fmt("a.sql")
    assert (tmp_path / "a.sql").read_text() == patched


def apply(text, diff):
    """A unified diff, applied strictly."""
    lines, out, at = text.splitlines(True), [], 0
    rows = diff.splitlines(True)[2:]
    i = 0
    while i < len(rows):
        head = rows[i].split()
        start, count = (list(map(int, head[1][1:].split(","))) + [1])[:2]
        start -= count > 0
        out += lines[at:start]
        at = start
        i += 1
        while i < len(rows) and not rows[i].startswith("@@"):
            mark, rest = rows[i][0], rows[i][1:]
            if mark in " -":
                assert lines[at] == rest
                at += 1
            if mark in " +":
                out.append(rest)
            i += 1
    return "".join(out + lines[at:])


def test_standard_input(fmt):
    assert fmt("-", input=UGLY.encode()) == (0, NICE, "")
    assert fmt("-", input=b"") == (0, "", "")
    assert fmt("-", "--width", "40", input=b"select aaaaaaaaaaaaaaaaaa, bbbbbbbbbbbbbbbbbbbbbbb") == (
        0, "SELECT\n  aaaaaaaaaaaaaaaaaa,\n  bbbbbbbbbbbbbbbbbbbbbbb\n", "")


def test_a_mistake_is_left_and_said(fmt, tmp_path):
    (tmp_path / "a.sql").write_text("select 1 ;\nselect  a b form t;\nselect 2 ;\n")
    code, out, err = fmt("a.sql")
    assert code == 3 and out == "a.sql\n"
    assert "error[" in err and "--> a.sql:2:" in err and err.endswith("a.sql: 1 statement left as it is\n")
    assert (tmp_path / "a.sql").read_text() == "SELECT 1;\nselect  a b form t;\nSELECT 2;\n"


def test_folders(fmt, tmp_path):
    (tmp_path / "d" / "e").mkdir(parents=True)
    (tmp_path / "d" / ".git").mkdir()
    for name in ("d/a.sql", "d/e/b.sql", "d/.git/c.sql", "d/n.txt"):
        (tmp_path / name).write_text(UGLY)
    assert fmt("d") == (0, "d/a.sql\nd/e/b.sql\n", "")
    assert (tmp_path / "d/.git/c.sql").read_text() == UGLY and (tmp_path / "d/n.txt").read_text() == UGLY


def test_what_cannot_be_done(fmt, tmp_path):
    assert fmt("nowhere.sql")[0] == 2
    assert fmt()[0] == 2 and fmt("--nope", "x")[0] == 2 and fmt("-", "--width", "3")[0] == 2 and fmt("-", "--flink", "9")[0] == 2
    code, out, err = fmt("-", input=b"select '\xff'")
    assert code == 3 and not out and "utf8" in err
    (tmp_path / "r.sql").write_text(UGLY)
    (tmp_path / "r.sql").chmod(0o444)
    if os.geteuid() != 0:
        assert fmt("r.sql")[0] == 6 and (tmp_path / "r.sql").read_text() == UGLY


def test_line_ends_and_byte_order_mark(fmt, tmp_path):
    (tmp_path / "a.sql").write_bytes(b"\xef\xbb\xbfselect 1\r\nfrom t;\r\n")
    assert fmt("a.sql")[0] == 0
    assert (tmp_path / "a.sql").read_bytes() == b"\xef\xbb\xbfSELECT 1\r\nFROM t;\r\n"
