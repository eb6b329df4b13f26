# SPDX-License-Identifier: Apache-2.0
"""The results port when its spool's disk fails: rows that were acknowledged can be read, a result with rows missing is never complete."""
import errno
import json
import signal
import struct
import subprocess

import pytest
from conftest import BUILD, DISK, places

import results.wire as w

COLS = [("id", "BIGINT NOT NULL", w.BIGINT), ("pad", "STRING", w.STRING)]
ROWS, PIECE, PAD = 600, 50, "x" * 400


class Port:
    """The real port with so little memory that rows go to disk; the spool's files are the only ones meant."""

    def __init__(self, fault, op, n, number=0, forever=False):
        self.spool = fault.count.parent / "spool"
        self.spool.mkdir(exist_ok=True)
        self.fault = fault
        fault.count.unlink(missing_ok=True)
        self.child = subprocess.Popen([BUILD / "tests" / "results-port", f"dir={self.spool}", "memory=65536"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                      env=fault.environment(op, n, number, self.spool if op != "malloc" else None, forever))
        self.number = json.loads(self.child.stdout.readline() or "{}").get("port")

    def __call__(self, *words):
        self.child.stdin.write((" ".join(str(x) for x in words) + "\n").encode())
        self.child.stdin.flush()
        return json.loads(self.child.stdout.readline())

    def stop(self):
        self.child.stdin.write(b"quit\n")
        self.child.stdin.close()
        rc = self.child.wait(30)
        return rc, int(self.fault.count.read_text(encoding="ascii"))

    def kill(self):
        self.child.kill()
        self.child.wait()
        for stream in (self.child.stdin, self.child.stdout):
            try:
                stream.close()
            except BrokenPipeError:
                pass


def send(port):
    """Sends ROWS rows; returns (id of the result, rows acknowledged, whether FINISHED came)."""
    made = port("result", 4)
    peer = w.Peer(port.number, w.hello(w.SINK, made["token"], 4))
    welcome = peer.next()
    if welcome is None:
        raise ConnectionError("closed before its WELCOME")
    assert welcome[0] == w.WELCOME
    acknowledged, finished = 0, False
    try:
        peer.send(w.columns(COLS))
        for first in range(0, ROWS, PIECE):
            peer.send(w.rows(first, [w.row(COLS, (i, PAD)) for i in range(first, first + PIECE)]))
        peer.send(w.finish(ROWS))
        while not finished:
            got = peer.next()
            if got is None or got[0] in (w.STOP, w.REFUSED):
                break
            if got[0] == w.ACK:
                acknowledged = struct.unpack(">Q", got[1][:8])[0]
            finished = got[0] == w.FINISHED
    except OSError:
        pass
    peer.close()
    return made["id"], acknowledged, finished


@pytest.mark.parametrize("word", DISK)
@pytest.mark.parametrize("op", ["write", "make"])
def test_spool(fault, op, word):
    def run(n, number=0, forever=False):
        port = Port(fault, op, n, number, forever)
        try:
            rid, acknowledged, finished = send(port)
            got = port("read", rid, "text", "-", 2 * ROWS, 2000)
            ids = [int(r[1][0]) for r in got["rows"]]
            where = f"{op} {n} {word}: {acknowledged} acknowledged, {len(ids)} read, {got['state']} {got.get('error')}"
            assert ids == list(range(len(ids))) and len(ids) >= acknowledged, where
            assert finished == (got["state"] == "complete") and (not finished or len(ids) == ROWS), where
            if not finished:
                assert got["state"] in ("failed", "partial"), where
                assert got["error"]["code"] == ("disk-full" if number == errno.ENOSPC else "io"), where
            rid, acknowledged, finished = send(port) if not forever and not finished else (None, 0, True)
            assert finished, f"{where}: the next result does not work"
            rc, calls = port.stop()
            assert rc == 0, where
            assert not list(port.spool.iterdir()), f"{where}: files left"
            return calls
        finally:
            port.kill()

    total = run(0)
    assert total >= 1
    for forever in (False, True):
        for n in places(total, 12):
            run(n, DISK[word], forever)


def test_port_without_memory(fault):
    """The port is a thread of the owner: without memory the process ends, it does not serve on with half a row."""
    port = Port(fault, "malloc", 0)
    try:
        _, _, finished = send(port)
        assert finished
        total = port.stop()[1]
    finally:
        port.kill()
    for n in places(total, 40):
        port = Port(fault, "malloc", n)
        try:
            if port.number is None:  # libuv aborts by itself when it cannot register its handlers, before anything is served
                assert port.child.wait(30) in (0, 1, 6, -signal.SIGABRT), f"allocation {n} of {total}: ended with {port.child.returncode} at its start"
                continue
            try:
                rid, acknowledged, finished = send(port)
                got = port("read", rid, "text", "-", 2 * ROWS, 2000)
                assert not finished or [int(r[1][0]) for r in got["rows"]] == list(range(ROWS)), f"allocation {n} of {total}"
                assert len(got["rows"]) >= acknowledged
            except (OSError, ValueError, KeyError):
                rc = port.child.wait(30)  # 0: the driver itself could not read a command
                assert rc in (0, 6), f"allocation {n} of {total}: ended with {rc}"
        finally:
            port.kill()
