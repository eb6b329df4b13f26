# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the truth tests: one data folder with its local Flink for all of them, with limits of health that a test can wait
for; a Flink that Sluice did not start, seen through a proxy; a Kafka broker. Each is made when the first test wants it."""
import os
import subprocess
import sys

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.dirname(HERE), os.path.join(os.path.dirname(HERE), "connectors")]
import harness  # noqa: E402
import local  # noqa: E402
import parts  # noqa: E402
import real  # noqa: E402
from proxy import Proxy  # noqa: E402

LIMITS = {"SLUICE_LIMIT_HEALTH_RESTART_WINDOW": "20s", "SLUICE_LIMIT_HEALTH_IDLE": "8s", "SLUICE_LIMIT_HEALTH_BACKPRESSURE_TIME": "5s",
          "SLUICE_LIMIT_HEALTH_CHECKPOINT_WAIT": "6s", "SLUICE_LIMIT_HEALTH_SLOTS": "2s"}


@pytest.fixture(scope="session")
def sluice(flink):
    it = harness.Sluice("truth", LIMITS)
    try:
        it("flink", "install", flink, timeout=900).ok()
        yield it
    finally:
        try:
            it("owner", "stop", "--yes")  # whatever a failed test has left
            it.stop()
        finally:
            if os.environ.get("E2E_KEEP") != "1":
                it.remove()


@pytest.fixture
def start(sluice, flink, mode):
    """start(name, script, *options): a detached job on the local Flink, ended with the test."""
    begun = []

    def go(name, text, *args):
        # Application mode takes its name from the script: the job is looked for by it, past Sluice.
        done = sluice("run", sluice.script(f"SET 'pipeline.name' = '{name}';\n{text}", f"{name}.sql"), "-d", "--name", name, "--flink", flink, "--mode", mode, *args).ok()
        begun.append(name)
        return local.Job(sluice, name, done)
    yield go
    for name in begun:
        local.end(sluice, name)


@pytest.fixture(scope="session")
def kafka():
    broker = parts.Kafka()
    try:
        yield broker.start()
    finally:
        broker.stop()


@pytest.fixture(scope="session")
def kafka_jars(flink):
    return [x for jar in parts.connector_jars(flink, "kafka") for x in ("--jar", jar)]


@pytest.fixture(scope="session")
def foreign(flink):
    """A Flink of somebody else: four slots."""
    cluster = real.Foreign(flink)
    try:
        yield cluster.ready()
    finally:
        cluster.stop()


@pytest.fixture(scope="session")
def proxy(foreign, sluice):
    """What stands in front of it; known to Sluice as target `far`."""
    it = Proxy(foreign.port)
    try:
        sluice("target", "add", "far", "--url", it.url).ok()
        yield it
    finally:
        it.stop()


@pytest.fixture(scope="session")
def slow_jar(sluice, flink_lib):
    """A function that takes its time."""
    out = os.path.join(sluice.folder, "slow")
    os.makedirs(out, exist_ok=True)
    subprocess.run(["javac", "--release", "11", "-nowarn", "-cp", f"{flink_lib}/*", "-d", out, os.path.join(HERE, "Slow.java")], check=True)
    jar = os.path.join(sluice.folder, "slow.jar")
    subprocess.run(["jar", "cf", jar, "-C", out, "."], check=True)
    return jar
