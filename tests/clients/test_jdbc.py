# SPDX-License-Identifier: Apache-2.0
"""Flink's own JDBC driver, before Sluice and before Flink's own gateway: a program sees the same through it. Only in test-all."""
import os
import subprocess

import pytest

import harness
import stock

HERE = os.path.dirname(os.path.abspath(__file__))
SEEN = ["product: Flink JDBC Driver by org.apache.flink.table.jdbc.FlinkDriver", "place: default_catalog.default_database", "catalogs= default_catalog", "rows= 1", "rows= 2", "rows= 3",
        "types= 1 x null true 1.50 7 1.0", "error: Object 'nope' not found", "after= 1 a", "after= 2 b", "closed"]


def through_the_driver(version, base, *more):
    folder = os.path.join(stock.CACHE, "stock", "jdbc")
    jars = [stock.maven_jar(one, folder) for one in (f"org.apache.flink:flink-sql-jdbc-driver-bundle:{version}", "org.slf4j:slf4j-api:1.7.36")]
    done = subprocess.run(["java", "--add-opens=java.base/java.util=ALL-UNNAMED", "-Xmx300m", "-XX:TieredStopAtLevel=1", "-Duser.timezone=UTC", "-cp", ":".join(jars), os.path.join(HERE, "Driver.java"),
                           base.removeprefix("http://"), *more], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()


@pytest.mark.skipif(not harness.FULL, reason="in test-all")
def test_a_program_sees_the_same(ours, theirs):
    want, got = through_the_driver("2.3.0", theirs), through_the_driver("2.3.0", ours)
    assert got == want
    assert [line for line in SEEN if line not in got] == [] and "moments= 2024-01-02 2024-01-02 03:04:05.6" in got


@pytest.mark.skipif(not harness.FULL, reason="in test-all")
def test_a_driver_that_does_not_know_the_newer_protocols(ours):
    """Before the gateway of Flink 2.x it fails at V3 in the list of versions."""
    got = through_the_driver("1.18.0", ours, "old")
    assert [line for line in SEEN if line not in got] == []
