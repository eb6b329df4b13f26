# SPDX-License-Identifier: Apache-2.0
"""The acceptance scripts that may lie beside the repository (../shared/scripts), as they are: their jobs, files and rows.
Skipped where they are absent; the product's own scripts of the same kind are test_connectors.py and test_scripts.py."""
import glob
import json
import os
import subprocess

import pytest

import harness
from test_connectors import json_lines, states, values

GIVEN = os.path.join(os.path.dirname(harness.ROOT), "shared", "scripts")
pytestmark = pytest.mark.skipif(not os.path.isdir(GIVEN), reason="no scripts beside the repository")


def script(letter):
    return glob.glob(f"{GIVEN}/{letter}-*.sql")[0]


@pytest.fixture
def given(kafka, postgres, out):
    """Options that fill the placeholders, and the database, topics and files as setup.sh makes them."""
    if not postgres.sql("SELECT 1 FROM pg_database WHERE datname = 'sluice'"):
        postgres.sql("CREATE DATABASE sluice")
    postgres.sql("CREATE TABLE IF NOT EXISTS grp_totals (grp int PRIMARY KEY, n bigint, total double precision); TRUNCATE grp_totals", database="sluice")
    os.makedirs(f"{out}/in")
    os.makedirs(f"{out}/ticker")
    with open(f"{out}/in/people.csv", "w", encoding="utf-8") as f:
        for i in range(1, 1001):
            f.write(f'{i},"Name, {i}",{i}.5,19{i % 90 + 10}-0{i % 9 + 1}-1{i % 10}\n')
    with open(f"{out}/ticker/t.csv", "w", encoding="utf-8") as f:
        for i, price in enumerate((12, 17, 19, 21, 25, 18, 15, 14, 24, 25, 19)):
            f.write(f"ACME,{price},2026-01-01 00:00:{i:02}\n")
    made = {"KAFKA": kafka.address, "PGHOST": "127.0.0.1", "PGPORT": postgres.port, "PGUSER": postgres.user, "PGPASS": postgres.password, "OUT": out}
    return [x for k, v in made.items() for x in ("--var", f"{k}={v}")]


@pytest.fixture
def go(sluice, flink, mode, given):
    def run(letter, *args):
        return sluice("run", script(letter), "--json", "--flink", flink, "--mode", mode, *given, *args, timeout=240)
    return run


def test_c(go, jars, out):
    done = go("c", *jars("parquet")).ok()
    assert values(done.rows()) == [["1000", "1910-01-10", "1000.5"]]
    assert states(done) == ["FINISHED"] and glob.glob(f"{out}/parquet/*")


def test_e(go, jars, kafka, postgres, out):
    before = len(kafka.read("sluice_e_out"))
    done = go("e", *jars("kafka", "jdbc")).ok()
    assert states(done) == ["FINISHED"]
    sent = [v.split(",") for _, v in kafka.read("sluice_e_out")][before:]
    assert sorted(int(p[0]) for p in sent) == list(range(1, 3001))
    assert postgres.sql("SELECT SUM(n) FROM grp_totals", database="sluice") == [["3000"]]
    assert len(json_lines(f"{out}/e")) == sum(p[1] == "0" for p in sent)


def test_f(go, out, flink_lib):
    subprocess.run(["javac", "--release", "11", "-nowarn", "-cp", f"{flink_lib}/*", "-d", f"{out}/b", f"{GIVEN}/udf/Udfs.java"], check=True)
    subprocess.run(["jar", "cf", f"{out}/udfs.jar", "-C", f"{out}/b", "."], check=True)
    done = go("f").ok()
    words = sorted((i, w) for i, text in ((1, "quick brown fox"), (2, 'lazy dog; not "split" here')) for w in text.split())
    masked = [[str(i), w if len(w) < 3 else w[0] + "*" * (len(w) - 2) + w[-1], str(len(w))] for i, w in words]
    assert len(masked) == 8 and values(done.rows(1)) == masked
    assert values(done.rows(2)) == [["20"]]


def test_h(go):
    assert values(go("h").ok().rows()) == [["ACME", "2026-01-01T00:00:04.000", "2026-01-01T00:00:07.000", "2026-01-01T00:00:08.000"]]


def test_i(go):
    done = go("i").ok()
    assert len(done.rows(1)) == 6 and len(done.rows(2)) == 4
    assert values(done.rows(1)) == [["eu", "a", "10"], ["eu", "b", "20"], ["eu", None, "30"], ["us", "a", "70"], ["us", None, "70"], [None, None, "100"]]
    assert values(done.rows(2)) == [["eu", "b", "20", "1"], ["eu", "a", "10", "2"], ["us", "a", "40", "1"], ["us", "a", "30", "2"]]


def test_j(go, sluice, jars, kafka, cell):
    before = len(kafka.read("sluice_j_out"))
    name = f"given-j-{cell}"
    done = go("j", "-d", "--name", name, *jars("kafka")).ok()
    try:
        assert done.rows() and "GroupAggregate" in json.dumps(done.rows())
        assert "RUNNING" in json.dumps(sluice.job(name))
        harness.wait_for(lambda: {k for k, _ in kafka.read("sluice_j_out")[before:]} == {'{"k":%d}' % i for i in range(10)}, 60, "keys 0 to 9")
    finally:
        sluice("job", "cancel", name, "--yes").ok()
    assert "CANCELED" in json.dumps(sluice.job(name))
