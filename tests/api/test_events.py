# SPDX-License-Identifier: Apache-2.0
"""Events of a run by number: read at once, followed, gone on with behind what was seen. The store is written here as a tracker
writes it, so that what is to be seen is known exactly."""
import json
import os
import re
import socket
import sqlite3
import sys
import threading
import time

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from server import Server, Socket

RUN, ENDED = "a" * 32, "b" * 32


class Store:
    def __init__(self, folder):
        self.db = sqlite3.connect(folder / "data" / "sluice.db", timeout=20, isolation_level=None)
        self.db.execute("INSERT INTO submission(id, key, job, version, digest, owner, target, mode, created_ms, ended_ms, ok, result)"
                        " VALUES(1, 'k', 'j', 1, 'd', '', 'local', 0, 1, 2, 1, '{}')")

    def run(self, run, job, ended):
        columns = [x[1:3] for x in self.db.execute("PRAGMA table_info(run)")]
        values = {"id": run, "submission": 1, "job": job, "state": "FINISHED", "ended": ended, "facts": "{}", "kind": "INSERT", "target": "local", "wanted": "running"}
        row = [values.get(name, 0 if kind == "INTEGER" else "") for name, kind in columns]
        self.db.execute("INSERT INTO run VALUES(%s)" % ",".join("?" * len(row)), row)

    def event(self, run, number, body="{}"):
        self.db.execute("INSERT INTO event VALUES(?, ?, 1700000000123, 'state', ?)", (run, number, body))

    def end(self, run, *last):
        self.db.execute("BEGIN IMMEDIATE")
        for number in last:
            self.event(run, number)
        self.db.execute("UPDATE run SET ended = 1 WHERE id = ?", (run,))
        self.db.execute("COMMIT")


@pytest.fixture
def made(tmp_path):
    s = Server(tmp_path, "--config", "limit.followers=5")
    store = Store(tmp_path)
    store.run(RUN, "live", 0)
    store.run(ENDED, "over", 1)
    for n in range(1, 501):
        store.event(ENDED, n, json.dumps({"n": n}))
    yield s, store
    store.end(RUN)  # else the server looks for it on a cluster
    store.db.close()
    assert s.stop() == 0


class Stream:
    """Server-sent events of one request; `last` is what a browser would send as Last-Event-ID."""

    def __init__(self, server, path, last=None):
        self.s = server.raw(server.head("GET", path, "Accept: text/event-stream", "Connection: close", *([f"Last-Event-ID: {last}"] if last is not None else [])))
        self.buffer, self.last = b"", last

    def __iter__(self):
        while True:
            while b"\n\n" not in self.buffer:
                got = self.s.recv(65536)
                if not got:
                    return
                self.buffer += got
            block, self.buffer = self.buffer.split(b"\n\n", 1)
            name, data = re.search(rb"event: (\w+)\ndata: (.*)", block).groups()
            number = re.search(rb"id: (\d+)\n", block)
            self.last = int(number[1]) if number else self.last
            yield name.decode(), int(number[1]) if number else None, json.loads(data)
            if name != b"event":
                self.s.close()
                return


def test_what_was(made):
    s, _ = made
    status, _, body = s.ask("GET", "/api/v1/jobs/over/events")
    assert status == 200 and [e["of"]["n"] for e in body["events"]] == list(range(1, 501)) and body["next"] == 500 and body["ended"] is True
    assert body["events"][0] == {"event": "state", "number": 1, "run": ENDED, "at": "2023-11-14T22:13:20.123Z", "of": {"n": 1}}
    assert [e["number"] for e in s.ask("GET", f"/api/v1/jobs/{ENDED}/events?since=498")[2]["events"]] == [499, 500]
    assert s.ask("GET", "/api/v1/jobs/over/events?since=500")[2] == {"events": [], "run": ENDED, "next": 500, "ended": True}
    begin = time.monotonic()
    assert s.ask("GET", "/api/v1/jobs/live/events?waitMs=700")[2] == {"events": [], "run": RUN, "next": 0, "ended": False}
    assert time.monotonic() - begin >= 0.69  # the server counts whole milliseconds
    for bad in ("?since=-1", "?since=x", "?follow=1"):
        assert s.ask("GET", "/api/v1/jobs/over/events" + bad)[0] == 400, bad
    assert s.ask("GET", "/api/v1/jobs/over/events", Accept="text/event-stream", Last_Event_ID="x")[0] == 400
    assert s.ask("GET", "/api/v1/jobs/none-such/events")[2]["code"] == "job-unknown"


def test_a_reader_that_breaks_off_misses_nothing_and_sees_nothing_twice(made):
    s, store = made
    total, seen, last = 400, [], None

    def write():
        for n in range(1, total):
            store.db.execute("BEGIN IMMEDIATE")
            store.event(RUN, n)
            store.db.execute("COMMIT")
            time.sleep(0.002)
    store.db.close()  # sqlite3's belong to one thread
    done = threading.Event()

    def writer():
        store.db = sqlite3.connect(s.folder / "data" / "sluice.db", timeout=20, isolation_level=None, check_same_thread=False)
        write()
        store.end(RUN, total)
        done.set()
    t = threading.Thread(target=writer)
    t.start()
    ended = None
    for turn in range(1000):
        stream = Stream(s, "/api/v1/jobs/live/events?since=0", last)
        for name, number, data in stream:
            if name == "end":
                ended = data
                break
            assert number == data["number"]
            seen.append(number)
            if len(seen) % 37 == 0:
                break
        last = stream.last
        stream.s.close()
        if ended:
            break
    t.join()
    store.db.close()
    store.db = sqlite3.connect(s.folder / "data" / "sluice.db", timeout=20, isolation_level=None)
    assert done.is_set() and seen == list(range(1, total + 1)) and ended == {"run": RUN, "next": total, "ended": True}


def test_what_is_kept_no_longer_is_said(made):
    s, store = made
    for n in (90, 91):
        store.event(RUN, n)
    body = s.ask("GET", "/api/v1/jobs/live/events?since=7")[2]
    assert [(e["event"], e.get("from"), e.get("to"), e.get("number")) for e in body["events"]] == [
        ("forgotten", 8, 89, None), ("state", None, None, 90), ("state", None, None, 91)]


def test_over_a_websocket_too(made):
    s, store = made
    w = Socket(s)
    w.send({"jsonrpc": "2.0", "id": 1, "method": "job.events", "params": {"job": "over", "since": 497}})
    got = [w.receive() for _ in range(4)]
    assert [m["params"]["number"] for m in got[:3]] == [498, 499, 500] and got[3]["result"]["next"] == 500
    w.send({"jsonrpc": "2.0", "id": 2, "method": "job.events", "params": {"job": "live", "follow": True}})
    store.event(RUN, 1)
    assert w.receive()["params"] == {"call": 2, "number": 1, "event": {"event": "state", "number": 1, "run": RUN, "at": "2023-11-14T22:13:20.123Z", "of": {}}}
    w.send({"jsonrpc": "2.0", "method": "cancel", "params": {"call": 2}})
    assert w.receive()["result"] == {"run": RUN, "next": 1, "ended": False}
    w.s.close()


def quiet(server, seconds=1.5):
    before = server.cpu()
    time.sleep(seconds)
    return server.cpu() - before < 0.4 * seconds


def calls(server):
    return int(re.search(r"\nsluice_calls (\d+)", server.ask("GET", "/metrics")[2])[1])


def long_events(store, n):
    store.db.execute("BEGIN IMMEDIATE")
    for i in range(1, n + 1):
        store.event(RUN, i, json.dumps({"x": "y" * 50000}))
    store.db.execute("COMMIT")


@pytest.mark.parametrize("before", [0, 1])
def test_a_reader_that_goes_while_nothing_comes(made, before):
    """Whether it has had an event or not: that it has gone is seen, and costs nothing until then."""
    s, store = made
    x = Stream(s, "/api/v1/jobs/live/events")
    if before:
        store.event(RUN, 1)
        assert next(iter(x))[1] == 1
    else:
        assert x.s.recv(10) == b"HTTP/1.1 2", "the head comes at once"
    assert calls(s) == 1
    x.s.shutdown(socket.SHUT_WR)
    assert quiet(s)
    deadline = time.time() + 20
    while calls(s) and time.time() < deadline:
        time.sleep(0.05)
    assert calls(s) == 0


def test_a_reader_that_stops_and_says_more_wakes_nobody(made):
    """An unread answer of 40 MB, another request or the end of what the client says behind it: no processor time, and all of it when it is read."""
    s, store = made
    long_events(store, 800)
    store.end(RUN)
    one = s.raw(s.head("GET", "/api/v1/jobs/live/events", "Accept: text/event-stream"))
    time.sleep(0.5)
    one.sendall(s.head("GET", "/readyz", "Connection: close"))
    two = s.raw(s.head("GET", "/api/v1/jobs/live/events", "Accept: text/event-stream", "Connection: close"))
    time.sleep(0.5)
    two.shutdown(socket.SHUT_WR)
    assert quiet(s)
    for conn in (one, two):
        text = []
        while True:
            got = conn.recv(1 << 20)
            if not got:
                break
            text.append(got)
        text = b"".join(text)
        assert [int(n) for n in re.findall(rb"id: (\d+)\n", text)] == list(range(1, 801)), len(text)
        assert (text.endswith(b"ready\n")) == (conn is one)
        conn.close()


def test_a_reader_that_stops_slows_nobody_else(made):
    """40 MB of events for one that reads nothing: the others go on, memory stays small, and it finds everything when it reads again."""
    s, store = made
    long_events(store, 800)
    store.end(RUN)

    def memory():
        return int(re.search(r"VmRSS:\s+(\d+)", open(f"/proc/{s.process.pid}/status").read())[1])
    s.ask("GET", "/api/v1/jobs/over/events")
    before = memory()
    slow = socket.create_connection(("127.0.0.1", s.port), timeout=60)
    slow.sendall(s.head("GET", "/api/v1/jobs/live/events", "Accept: text/event-stream", "Connection: close"))
    time.sleep(1)
    assert len(s.ask("GET", "/api/v1/jobs/over/events")[2]["events"]) == 500
    if "san" not in os.environ.get("SLUICE_BIN", ""):
        assert memory() - before < 16000, "40 MB wait in the store, not in memory"
    text = []
    while True:
        got = slow.recv(1 << 20)
        if not got:
            break
        text.append(got)
    text = b"".join(text)
    assert [int(n) for n in re.findall(rb"id: (\d+)\n", text)] == list(range(1, 801)) and b"event: end" in text
    slow.close()


def test_more_followers_than_are_allowed(made):
    s, store = made
    streams = [Stream(s, "/api/v1/jobs/live/events") for _ in range(5)]
    store.event(RUN, 1)
    for x in streams:
        assert next(iter(x))[1] == 1
    status, headers, body = s.ask("GET", "/api/v1/jobs/live/events", Accept="text/event-stream")
    assert status == 503 and body["code"] == "busy" and "limit.followers" in body["hint"] and headers["retry-after"] == "1"
    for x in streams:
        x.s.close()
    deadline = time.time() + 20
    while s.ask("GET", "/api/v1/jobs/over/events")[0] == 503 and time.time() < deadline:
        time.sleep(0.05)
    assert s.ask("GET", "/api/v1/jobs/over/events")[0] == 200
