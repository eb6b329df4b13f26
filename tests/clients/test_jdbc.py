# SPDX-License-Identifier: Apache-2.0
"""Flink's own JDBC drivers, before Sluice and before Flink's own gateway: a program sees the same through them. A driver that does not know the
newest protocol that a gateway tells of does not connect; then the comparison is with Flink's gateway behind a proxy that tells of V1 and V2. Only in test-all."""
import difflib
import glob
import os
import subprocess

import pytest

import harness
import stock
from told import Telling

pytestmark = pytest.mark.skipif(not harness.FULL, reason="in test-all")
HERE = os.path.dirname(os.path.abspath(__file__))
JARS = os.path.join(stock.CACHE, "stock", "jdbc")
SEEN = ["product: Flink JDBC Driver by org.apache.flink.table.jdbc.FlinkDriver", "place: default_catalog.default_database", "catalogs= default_catalog", "rows= 1", "rows= 2", "rows= 3",
        "types= 1 x null true 1.50 7 1.0", "error: Object 'nope' not found", "after= 1 a", "after= 2 b", "moved: default_catalog.d1", "tables= inside", "there: default_catalog.d1", "canceled", "closed"]
# Of each driver the newest protocol that it knows, and whether it has objects for DATE and TIMESTAMP.
DRIVERS = {"bundle 2.3.0": (4, True), "thin 1.20.0": (3, True), "bundle 1.18.0": (2, False)}
NEWEST = {"1.20": 3, "2.2": 4, "2.3": 4}


def jars(driver):
    form, version = driver.split()
    log = stock.maven_jar("org.slf4j:slf4j-api:1.7.36", JARS)
    if form == "bundle":
        return [stock.maven_jar(f"org.apache.flink:flink-sql-jdbc-driver-bundle:{version}", JARS), log]
    home = stock.distribution("1.20.5")  # the driver alone: a Flink with its client and gateway has the rest
    return [stock.maven_jar(f"org.apache.flink:flink-sql-jdbc-driver:{version}", JARS), *sorted(glob.glob(f"{home}/lib/*.jar")), *sorted(glob.glob(f"{home}/opt/flink-sql-*.jar"))]


def through(driver, base):
    """(exit status, what the program prints, the last cause of its failure)"""
    more = [] if DRIVERS[driver][1] else ["old"]
    done = subprocess.run(["java", "--add-opens=java.base/java.util=ALL-UNNAMED", "--add-opens=java.base/java.lang=ALL-UNNAMED", "-Xmx300m", "-XX:TieredStopAtLevel=1", "-Duser.timezone=UTC", "-cp", ":".join(jars(driver)),
                           os.path.join(HERE, "Driver.java"), base.removeprefix("http://"), *more], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=240, check=False)
    return done.returncode, done.stdout.splitlines(), done.stderr


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_program_sees_the_same(ours, theirs, flink, driver):
    newest, moments = DRIVERS[driver]
    behind = None
    if newest < NEWEST[flink]:
        status, lines, said = through(driver, theirs)
        assert status != 0 and not lines and f"No enum constant org.apache.flink.table.gateway.rest.util.SqlGatewayRestAPIVersion.V{newest + 1}" in said, (lines, said)
        behind = Telling(theirs, ["V1", "V2"])
    try:
        status, want, said = through(driver, behind.base if behind else theirs)
    finally:
        if behind:
            behind.close()
    assert status == 0, (want, said)
    status, got, said = through(driver, ours)
    assert status == 0 and got == want, "\n".join([*difflib.unified_diff(want, got, "stock", "sluice", lineterm=""), said])
    assert [line for line in SEEN if line not in got] == [] and ("moments= 2024-01-02 2024-01-02 03:04:05.6" in got) == moments
