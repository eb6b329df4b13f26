# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the connector tests: Kafka and PostgreSQL once per run, the cells of the table Flink version x mode one
after the other. `make test` runs one cell (E2E_FLINK, E2E_MODE), `make test-all` all six."""
import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import harness  # noqa: E402
import parts  # noqa: E402

ALL = harness.FULL and not os.environ.get("E2E_FLINK") and not os.environ.get("E2E_MODE")


@pytest.fixture(scope="session", params=["1.20", "2.2", "2.3"] if ALL else [os.environ.get("E2E_FLINK", "2.2")])
def flink(request):
    return request.param


@pytest.fixture(scope="session", params=["session", "application"] if ALL else [os.environ.get("E2E_MODE", "session")])
def mode(request):
    return request.param


@pytest.fixture(scope="session")
def kafka():
    broker = parts.Kafka()
    try:
        yield broker.start()
    finally:
        broker.stop()


@pytest.fixture(scope="session")
def postgres():
    server = parts.Postgres()
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture(scope="session")
def jars(flink):
    """jars("kafka", "jdbc") as options of `sluice run`."""
    def options(*names):
        return [x for jar in parts.connector_jars(flink, *names) for x in ("--jar", jar)]
    return options


@pytest.fixture
def out(sluice, request):
    """A folder of this test and cell."""
    name = "".join(c if c.isalnum() else "-" for c in request.node.name)
    folder = os.path.join(sluice.work, name)
    os.makedirs(folder)
    return folder


@pytest.fixture
def cell(flink, mode):
    """A name for topics and tables of this cell, so that cells do not meet."""
    return f"{mode[:1]}{flink.replace('.', '')}"


@pytest.fixture
def variables(kafka, postgres, out, cell):
    """What the scripts of these tests use, as options."""
    values = {"kafka": kafka.address, "pg": f"jdbc:postgresql://127.0.0.1:{postgres.port}/{postgres.database}", "pg_user": postgres.user,
              "pg_password": postgres.password, "out": out, "cell": cell}
    return [x for k, v in values.items() for x in ("--var", f"{k}={v}")]
