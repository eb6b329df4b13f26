# SPDX-License-Identifier: Apache-2.0
"""check --lint of build/sluice: what it adds, what it does to the exit code, and quick fixes that can be put in place."""
import json
import os
import subprocess

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BIN = os.path.abspath(os.environ.get("SLUICE_BIN", os.path.join(ROOT, "build", "sluice")))
SCRIPT = """-- Bestellungen 订单
SET "pipeline.name" = "x";
CREATE TABLE o (id BIGINT, item STRING, ts TIMESTAMP(3)) WITH ('connector' = 'jdbc', 'url' = 'jdbc:derby:x', 'table-name' = 'o', 'password' = 'hunter2');
SELECT id item FROM o /* + OPTIONS('lookup.max-retries' = '3') */ WHERE item = NULL;
"""


@pytest.fixture
def check(tmp_path):
    env = dict(os.environ, SLUICE_DATA=str(tmp_path / "data"), HOME=str(tmp_path), NO_COLOR="1", LANG="C.UTF-8")

    def call(*args, input=SCRIPT):
        return subprocess.run([BIN, "check", *args, "-"], input=input.encode(), env=env, cwd=tmp_path, capture_output=True, timeout=30)
    return call


def test_lint_is_asked_for(check):
    plain, lint, strict = check(), check("--lint"), check("--lint", "--strict")
    assert (plain.returncode, lint.returncode, strict.returncode) == (0, 0, 3)
    assert b"null-compare" not in plain.stderr
    for slug in ("set-double-quotes", "secret-plain", "alias-comma", "hint-comment", "null-compare"):
        assert f"warning[{slug}]".encode() in lint.stderr, slug


def test_fixes_can_be_put_in_place(check):
    """All fixes of one run at once: the script is clean afterwards."""
    found = json.loads(check("--lint", "--json").stdout)["diagnostics"]
    assert len(found) == 5 and all("edits" in d for d in found)
    text = SCRIPT.encode()
    for e in sorted((e for d in found for e in d["edits"]), key=lambda e: -e["offset"]):
        assert set(e) == {"offset", "length", "text"}
        text = text[:e["offset"]] + e["text"].encode() + text[e["offset"] + e["length"]:]
    again = json.loads(check("--lint", "--json", "--var", "secret.password=x", input=text.decode()).stdout)
    assert again["diagnostics"] == [], text.decode()


def test_infos_are_no_warnings(check):
    done = check("--lint", "--strict", input="CREATE TABLE a (b INT) WITH ('connector' = 'print');\nSELECT 1;\n")
    assert done.returncode == 0 and b"info[table-unused]" in done.stderr


def test_values_of_settings_without_lint(check):
    done = check(input="SET 'execution.runtime-mode' = 'fast';\nSELECT 1;\n")
    assert done.returncode == 0 and b"warning[set-value]" in done.stderr and b"STREAMING, BATCH or AUTOMATIC" in done.stderr


def test_batch_of_the_project(check, tmp_path):
    """Windows without watermark are fine in batch mode, also when that is said in sluice.yaml."""
    window = """CREATE TABLE o (id BIGINT, ts TIMESTAMP(3)) WITH ('connector' = 'datagen');
SELECT COUNT(*) FROM TABLE(TUMBLE(TABLE o, DESCRIPTOR(ts), INTERVAL '1' MINUTE)) GROUP BY window_start, window_end;
"""
    before = check("--lint", input=window)
    assert b"WATERMARK" in before.stderr
    (tmp_path / "sluice.yaml").write_text("jobs:\n  o:\n    script: o.sql\n    config:\n      execution.runtime-mode: BATCH\n")
    (tmp_path / "o.sql").write_text(window)
    done = subprocess.run([BIN, "check", "--lint", "o.sql"], cwd=tmp_path, capture_output=True, timeout=30,
                          env=dict(os.environ, SLUICE_DATA=str(tmp_path / "data"), HOME=str(tmp_path), NO_COLOR="1"))
    assert done.returncode == 0 and b"WATERMARK" not in done.stderr, done.stderr


def test_jsonl(check):
    done = subprocess.run([BIN, "check", "--jsonl", "--lint"], input=json.dumps({"id": 1, "sql": "SELECT a = NULL FROM t"}) + "\n", capture_output=True, text=True,
                          timeout=30)
    answer = json.loads(done.stdout)
    assert answer["ok"] and [d["code"] for d in answer["diagnostics"]] == ["null-compare"] and answer["diagnostics"][0]["edits"]
