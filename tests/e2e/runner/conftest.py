# SPDX-License-Identifier: Apache-2.0
"""One cluster per Flink version for the whole run (FLINK_VERSIONS="1.20.5 2.2.1 2.3.0"; default 2.2.1), and the
helpers that make a task and run it."""
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from flink_cluster import Cluster, homes  # noqa: E402
from results_server import ResultsServer  # noqa: E402
from runner_run import Run, jar  # noqa: E402


@pytest.fixture(scope="session", params=sorted(homes()))
def flink(request):
    home = homes()[request.param]
    if not (home / "lib").is_dir():
        pytest.skip(f"no Flink at {home}")
    cluster = Cluster(home, jar()).ready()
    cluster.version = request.param
    yield cluster
    cluster.stop()


@pytest.fixture
def port():
    server = ResultsServer()
    yield server
    server.close()
    assert not server.faults, server.faults


@pytest.fixture
def run(flink, port):
    return lambda steps, **more: Run(flink, port, steps, **more)


@pytest.fixture
def select(flink, port):
    """Runs DDL and one SELECT as one task."""

    def go(sql, ddl=(), mode="streaming", parallelism=1, config=None, start=True):
        settings = {"execution.runtime-mode": mode, "parallelism.default": str(parallelism),
                    "table.local-time-zone": "UTC", "pipeline.name": sql[:40], **(config or {})}
        result = port.result(len(ddl) + 1)
        steps = [{"action": "execute", "sql": d} for d in ddl]
        steps.append({"action": "select", "sql": sql, "config": settings, "token": result.token})
        r = Run(flink, port, steps, settings)
        return r.go() if start else r

    return go
