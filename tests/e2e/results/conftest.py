# SPDX-License-Identifier: Apache-2.0
"""The real port (tests/e2e/results/port_driver.c) as a child, driven by lines."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))


class Port:
    def __init__(self, **settings):
        binary = pathlib.Path(os.environ.get("BUILD", "build")).resolve() / "tests" / "results-port"
        self.dir = tempfile.TemporaryDirectory(prefix="sluice-port-")
        self.child = subprocess.Popen([binary, f"dir={self.dir.name}"] + [f"{k}={v}" for k, v in settings.items()],
                                      stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.lock = threading.Lock()
        self.number = json.loads(self.child.stdout.readline())["port"]

    def __call__(self, *words):
        with self.lock:
            self.child.stdin.write((" ".join(str(w) for w in words) + "\n").encode())
            self.child.stdin.flush()
            line = self.child.stdout.readline()
        assert line, f"the port has died: {self.child.wait()}"
        answer = json.loads(line)
        assert "fault" not in answer, (words, answer)
        return answer

    def result(self, statement=4):
        made = self("result", statement)
        return made["id"], made["token"]

    def status(self, field):
        """Of /proc/PID/status, in KiB."""
        with open(f"/proc/{self.child.pid}/status", encoding="ascii") as f:
            return next(int(line.split()[1]) for line in f if line.startswith(field + ":"))

    def fds(self):
        return len(os.listdir(f"/proc/{self.child.pid}/fd"))

    def stop(self):
        try:
            self.child.stdin.write(b"quit\n")
            self.child.stdin.close()
            code = self.child.wait(120)
        finally:
            self.child.kill()
            self.child.wait()
        left = os.listdir(self.dir.name)
        self.dir.cleanup()
        assert code == 0, f"the port ended with {code}"
        assert not left, f"files left in the spool folder: {left}"


@pytest.fixture
def port():
    made = []

    def start(**settings):
        made.append(Port(**settings))
        return made[-1]

    yield start
    for p in made:
        p.stop()
