# SPDX-License-Identifier: Apache-2.0
"""Catalogs that a run created are closed by it, whether it ends well or not; one that cannot be closed harms nothing."""
import pathlib
import subprocess

import pytest

DDL = [{"action": "replay", "sql": "CREATE TABLE src (id BIGINT) WITH ('connector'='datagen','number-of-rows'='5')"},
       {"action": "replay", "sql": "CREATE TABLE hole (id BIGINT) WITH ('connector'='blackhole')"}]


@pytest.fixture(scope="module")
def watched(flink):
    """The catalog's classes, put where the JobManager's class path has a folder for tests."""
    here = pathlib.Path(__file__).parent / "java/WatchedCatalog.java"
    subprocess.run(["javac", "--release", "11", "-proc:none", "-d", flink.extra, "-cp", f"{flink.home}/lib/*", here],
                   check=True)
    services = flink.extra / "META-INF/services"
    services.mkdir(parents=True, exist_ok=True)
    (services / "org.apache.flink.table.factories.Factory").write_text("org.sluice.test.WatchedCatalog\n")


@pytest.mark.parametrize("ends", ["with a job", "with an answer", "with a failure"])
def test_created_catalogs_are_closed(flink, run, watched, tmp_path, ends):
    notes = tmp_path / "notes"
    last = {"with a job": {"action": "insert", "sql": "INSERT INTO hole SELECT id FROM src"},
            "with an answer": {"action": "answer", "sql": "SHOW CATALOGS"},
            "with a failure": {"action": "answer", "sql": "DESCRIBE nothing"}}[ends]
    r = run(DDL + [{"action": "replay", "sql": f"CREATE CATALOG w WITH ('type'='watched','file'='{notes}')"},
                   {"action": "replay", "sql": f"CREATE CATALOG x WITH ('type'='watched','file'='{notes}')"},
                   last]).go(None)
    assert r.task.ended.wait(60) and r.task.ok == (ends != "with a failure"), r.task.failed
    assert sorted(notes.read_text().split()) == ["close", "close", "open", "open"]
    if ends == "with a job":
        assert r.status == 200 and r.task.done == {5: r.job_id}
