# SPDX-License-Identifier: Apache-2.0
"""One run of the runner's main() in session mode: makes the task document, starts it, waits for what it says."""
import os
import pathlib
import secrets
import time

import pytest

from flink_cluster import chain_text


def jar():
    return pathlib.Path(os.environ.get("RUNNER_JAR", "build/sluice-runner.jar")).resolve()


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

    def finish(self, seconds=180):
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
