# SPDX-License-Identifier: Apache-2.0
"""sluice resolve FILE of build/sluice; no Flink is started."""
import json
import os
import subprocess

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BIN = os.path.abspath(os.environ.get("SLUICE_BIN", os.path.join(ROOT, "build", "sluice")))

SCRIPT = """CREATE TABLE clicks (user_id BIGINT) WITH (
  'connector' = 'kafka', 'topic' = 'c', 'properties.bootstrap.servers' = 'k:9092', 'format' = 'json');
CREATE TABLE visits (n BIGINT) WITH ('connector' = 'jdbc', 'url' = 'jdbc:postgresql://${db}/shop', 'table-name' = 'v');
INSERT INTO visits SELECT COUNT(*) FROM clicks;
"""


@pytest.fixture
def sluice(tmp_path):
    env = dict(os.environ, SLUICE_DATA=str(tmp_path / "data"), XDG_DATA_HOME=str(tmp_path / "xdg"), HOME=str(tmp_path), NO_COLOR="1", LANG="C.UTF-8")

    def call(*args, input=None):
        return subprocess.run([BIN, *map(str, args)], input=input, env=env, cwd=tmp_path, capture_output=True, text=True, timeout=30,
                              **({} if input is not None else {"stdin": subprocess.DEVNULL}))
    return call


def needs_of(done):
    return {(need["kind"], need["name"]): need for need in json.loads(done.stdout)["needs"]}


def test_places_are_those_in_the_file(sluice, tmp_path):
    (tmp_path / "sluice.yaml").write_text("init: [tables.sql]\nvars: {db: db-1}\n")
    (tmp_path / "tables.sql").write_text("CREATE TABLE 订单 (a INT) WITH (/* 😀 */ 'connector' = 'kafka');\n")
    (tmp_path / "x.sql").write_text(SCRIPT)
    done = sluice("resolve", "x.sql", "--json")
    assert done.returncode == 0, done.stderr
    needs = needs_of(done)
    assert set(needs) == {("connector", "kafka"), ("format", "json"), ("connector", "jdbc"), ("database", "postgresql")}
    first, second = needs["connector", "kafka"]["at"]
    assert first["file"].endswith("tables.sql") and second["file"] == "x.sql" and second["option"] == "connector"
    for place, text in ((first, (tmp_path / "tables.sql").read_bytes()), (second, SCRIPT.encode())):
        assert text[place["offset"]:place["offset"] + place["length"]] == b"'kafka'"
    url = needs["database", "postgresql"]["at"][0]
    assert (url["line"], url["option"], url["statement"]) == (3, "url", 3)


def test_text(sluice, tmp_path):
    (tmp_path / "x.sql").write_text(SCRIPT)
    done = sluice("resolve", "x.sql", "--var", "db=db-1")
    assert (done.returncode, done.stderr) == (0, "")
    lines = [line.split() for line in done.stdout.splitlines()]
    assert lines[0] == "x.sql needs, for Flink 2.2:".split()
    assert ["kafka", "line", "2", "connector"] in [line[:4] for line in lines]
    assert ["postgresql", "line", "3", "database"] in [line[:4] for line in lines]


def test_a_script_that_is_wrong(sluice):
    done = sluice("resolve", "-", "--json", input=SCRIPT)
    assert done.returncode == 3 and "error[variable-undefined]" in done.stderr
    assert ("connector", "kafka") in needs_of(done)
    done = sluice("resolve", "-", input="SELECT 1;")
    assert (done.returncode, done.stdout) == (0, "- needs nothing but Flink 2.2.\n")
    assert sluice("resolve").returncode == 2 and sluice("resolve", "none.sql").returncode == 2
