# SPDX-License-Identifier: Apache-2.0
"""One cluster per Flink version for the whole run (FLINK_VERSIONS="1.20.5 2.2.1 2.3.0"; default 2.2.1), and the
helpers that make a task and run it."""
import os
import pathlib
import secrets
import sys
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from flink_cluster import Cluster, chain_text, homes  # noqa: E402
from results_server import ResultsServer  # noqa: E402


def jar():
    return pathlib.Path(os.environ.get("RUNNER_JAR", "build/sluice-runner.jar")).resolve()


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


class Run:
    """One run of main() in session mode."""

    def __init__(self, flink, port, steps, config=None, **more):
        self.flink, self.port = flink, port
        for n, s in enumerate(steps, 1):
            s.setdefault("statement", n)
        self.document = {"version": 1, "digest": "sha256:feed", "mode": "session", "config": config or {},
                         "results": {"address": port.address}, "steps": steps, **more}
        self.task = port.task(self.document)
        self.result = port.results.get(next((s["token"] for s in steps if "token" in s), None))
        self.job_id = secrets.token_hex(16)
        self.status = self.body = None

    def go(self, expect=200):
        self.status, self.body = self.flink.run(
            ["--results", self.port.address, "--token", self.task.token, "--digest", "sha256:feed"], self.job_id)
        if expect is not None:
            if self.status != expect:
                said = [chain_text(f) for f in self.task.failed.values()] or str(self.body)[:4000]
                pytest.fail(f"{self.status} instead of {expect}: {said}", pytrace=False)
        return self

    def finish(self, seconds=60):
        """Waits until the result is complete; returns it."""
        end = time.monotonic() + seconds
        while not self.result.complete:
            assert not self.port.faults, self.port.faults
            assert not self.result.ended and time.monotonic() < end, self.flink.cause(self.job_id)
            time.sleep(0.02)
        assert self.flink.wait_state(self.job_id, {"FINISHED", "FAILED"}) == "FINISHED", self.flink.cause(self.job_id)
        return self.result

    def cancel(self):
        self.flink.cancel(self.job_id)
        return self.flink.wait_state(self.job_id, {"CANCELED", "FAILED", "FINISHED"})


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
