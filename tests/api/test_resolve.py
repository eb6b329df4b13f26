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


def test_where_it_comes_from(sluice, tmp_path):
    (tmp_path / "x.sql").write_text(SCRIPT + "CREATE TABLE c (a INT) WITH ('connector' = 'postgres-cdc');\nCREATE TABLE d (a INT) WITH ('connector' = 'ours');\n")
    done = sluice("resolve", "x.sql", "--json", "--var", "db=db-1")
    assert done.returncode == 3
    needs = needs_of(done)
    assert needs["format", "json"]["from"] == "flink"
    assert needs["connector", "postgres-cdc"]["from"] == "other-flink" and needs["connector", "ours"]["from"] == "unknown"
    assert [jar["coordinate"].split(":")[1] for jar in needs["connector", "kafka"]["jars"]] == ["flink-sql-connector-kafka"]
    assert {jar["coordinate"].split(":")[1] for jar in needs["database", "postgresql"]["jars"]} == {"flink-connector-jdbc-postgres", "postgresql"}
    older = needs_of(sluice("resolve", "x.sql", "--json", "--var", "db=db-1", "--flink", "1.20"))
    assert older["connector", "postgres-cdc"]["from"] == "jars" and older["connector", "postgres-cdc"]["jars"][0]["alone"] is True
    assert older["connector", "kafka"]["jars"][0]["alone"] is False
    text = sluice("resolve", "x.sql", "--var", "db=db-1").stdout
    assert "none for Flink 2.2; there is for 1.20" in text and text.endswith("4 jars to add to Flink's own\n")
    (tmp_path / "y.sql").write_text("ADD JAR 'ours.jar';\nCREATE TABLE d (a INT) WITH ('connector' = 'ours');\n")
    assert needs_of(sluice("resolve", "y.sql", "--json"))["connector", "ours"]["from"] == "script"


def test_connectors_are_listed_and_shown(sluice):
    rows = json.loads(sluice("connector", "ls", "--json", "--flink", "2.2").stdout)
    assert {("kafka", "connector"), ("csv", "format"), ("jdbc", "catalog")} <= {(row["name"], row["kind"]) for row in rows}
    assert "postgres-cdc" not in {row["name"] for row in rows}
    shown, = json.loads(sluice("connector", "show", "kafka", "--json", "--flink", "2.2").stdout)
    options = {option["key"]: option for option in shown["options"]}
    assert options["properties.bootstrap.servers"]["required"] is True and "timestamp" in options["scan.startup.mode"]["words"]
    assert shown["prefixes"] == ["properties."]
    text = sluice("connector", "show", "kafka").stdout
    assert "properties.bootstrap.servers" in text and "flink-sql-connector-kafka:5.0.0-2.2 (alone; Flink 2.2)" in text
    assert sluice("connector", "ls").stdout.startswith("NAME ")
    for words, hint in ((["kafak"], "did you mean 'kafka'?"), (["postgres-cdc", "--flink", "2.2"], "there is one for Flink 1.20")):
        done = sluice("connector", "show", *words)
        assert done.returncode == 2 and "error[not-found]" in done.stderr and hint in done.stderr
    for words in ([], ["show"], ["ls", "kafka"], ["rm", "kafka"]):
        assert sluice("connector", *words).returncode == 2


def test_files_of_ones_own(sluice, tmp_path):
    folder = tmp_path / "own"
    folder.mkdir()
    (folder / "ours.yaml").write_text('title: Ours\nthin: {"2.2": [com.example:ours:1.0]}\nservices:\n'
                                      '  - {name: ours, kind: connector, roles: [sink], flink: ["2.2"], options: [{key: where, required: true}]}\n')
    (folder / "notes.txt").write_text("not ours")
    own = ["--config", f"connectors={folder}"]
    shown, = json.loads(sluice("connector", "show", "ours", "--json", *own).stdout)
    assert shown["family"] == "Ours" and shown["options"][0]["key"] == "where"
    done = sluice("resolve", "-", "--json", *own, input="CREATE TABLE d (a INT) WITH ('connector' = 'ours');")
    assert needs_of(done)["connector", "ours"]["jars"] == [{"coordinate": "com.example:ours:1.0", "alone": False, "plugin": False}]
    (folder / "bad.yaml").write_text("title: Bad\nfatt: {}\n")
    done = sluice("connector", "ls", *own)
    assert done.returncode == 2 and "error[yaml]" in done.stderr and "bad.yaml:2:1" in done.stderr and done.stdout == ""
    assert "error[file-not-found]" in sluice("connector", "ls", "--config", "connectors=/nowhere/at/all").stderr
