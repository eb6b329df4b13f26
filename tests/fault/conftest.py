# SPDX-License-Identifier: Apache-2.0
"""Runs programs with calls that fail (tests/fault/shim.c): counts the calls of a whole run first, then lets one after the other fail."""
import errno
import os
import pathlib
import subprocess
import sys
import tempfile

import pytest

HERE = pathlib.Path(__file__).resolve().parent
BUILD = pathlib.Path(os.environ.get("BUILD", "build")).resolve()
SHIM, DRIVER = BUILD / "fault" / "shim.so", BUILD / "fault" / "driver"
BIN = pathlib.Path(os.environ.get("SLUICE_BIN", BUILD / "sluice")).resolve()
FULL = os.environ.get("SLUICE_FULL") == "1"
sys.path.insert(0, str(HERE))
sys.path.insert(0, str(HERE.parent / "e2e"))
os.environ.setdefault("SLUICE_BIN", str(BIN))

# What ends a program cleanly: its own codes. Never a signal; 6 is also the end without memory.
CLEAN = {0, 2, 3, 4, 5, 6}
DISK = {"ENOSPC": errno.ENOSPC, "EIO": errno.EIO}


class Done:
    def __init__(self, rc, out, err, calls):
        self.rc, self.out, self.err, self.calls = rc, out, err, calls

    def __str__(self):
        return f"exit status {self.rc}\n--- out\n{self.out.decode(errors='replace')[-2000:]}\n--- err\n{self.err.decode(errors='replace')[-2000:]}"


class Fault:
    """fault(argv, "write", 3, errno.ENOSPC) runs argv and lets its third write fail; n = 0 only counts."""

    def __init__(self, folder):
        self.count = folder / "calls"
        self.env = dict(os.environ, SLUICE_DATA=str(folder / "data"), XDG_DATA_HOME=str(folder / "xdg"), XDG_CONFIG_HOME=str(folder / "config"))

    def environment(self, op, n, number=0, path=None, forever=False):
        env = dict(self.env, LD_PRELOAD=str(SHIM), FAULT_OP=op, FAULT_N=str(n), FAULT_COUNT=str(self.count))
        if number:
            env["FAULT_ERRNO"] = str(number)
        if path:
            env["FAULT_PATH"] = str(path)
        if forever:
            env["FAULT_FROM"] = "1"
        return env

    def __call__(self, argv, op, n, number=0, path=None, forever=False, data=b"", timeout=60):
        self.count.unlink(missing_ok=True)
        done = subprocess.run([str(a) for a in argv], input=data, capture_output=True, timeout=timeout, check=False, cwd=self.count.parent,
                              env=self.environment(op, n, number, path, forever))
        calls = int(self.count.read_text(encoding="ascii")) if self.count.exists() else None
        return Done(done.returncode, done.stdout, done.stderr, calls)

    def plain(self, argv):
        done = subprocess.run([str(a) for a in argv], stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False, env=self.env, cwd=self.count.parent)
        return Done(done.returncode, done.stdout, done.stderr, None)


def places(total, most):
    """1 .. total, all of them in test-all; else the first and last ones and some between, the same each time."""
    if FULL or total <= most:
        return range(1, total + 1)
    edge = most // 3
    step = (total - 2 * edge) / (most - 2 * edge)
    return sorted({*range(1, edge + 1), *(edge + 1 + int(i * step) for i in range(most - 2 * edge)), *range(total - edge + 1, total + 1)})


@pytest.fixture
def folder():
    with tempfile.TemporaryDirectory(prefix="sluice-fault-") as name:
        yield pathlib.Path(name)


@pytest.fixture
def fault(folder):
    return Fault(folder)
