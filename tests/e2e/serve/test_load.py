# SPDX-License-Identifier: Apache-2.0
"""Rows of 10 MB, a reader that stops in a million rows, many sessions at once: who only wants its answers gets them beside all that, and the server gives back
what it took. Times are printed, not asserted."""
import http.client
import json
import os
import sys
import threading
import time

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "harm"))
import harm  # noqa: E402
import harness
from server import Server, Socket
from test_serve import NUMBERS, Stream, active, events_of, rows_of, submission

FULL = pytest.mark.skipif(not harness.FULL, reason="in test-all")
MORE_BYTES = 5 << 20
ROW = 10_000_000


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    s = Server(tmp_path_factory.mktemp("load"), env={"XDG_DATA_HOME": harness.flink_home(), "TZ": "UTC"})
    yield s
    assert s.stop() == 0
    mark = f"SLUICE_DATA={s.folder}/data\0"
    harness.wait_for(lambda: not harness.processes(mark), 20, "end of its JVMs")


@pytest.fixture(scope="module")
def quiet(server):
    """Seconds of each kind of answer while nothing else is wanted; the Flink is up."""
    done = server.ask_long("POST", "/api/v1/submissions", submission(NUMBERS % (10, 10) + "SELECT a FROM n;\n"))[2]
    assert done["exit"] == 0, done
    return harm.Child(harm.probe, server, None, 2000 if harness.FULL else 200).result()


def beside(server, quiet, what, work):
    """Runs `work` twice: the second time with the probing client beside it. All memory but 5 MB of what the second took is given back."""
    harm.Child(work, nice=10).result(800)
    before, begin = harm.State(server), server.cpu()
    until = harm.fork.Event()
    asking = harm.Child(harm.probe, server, until, 100)
    told = harm.Child(work, nice=10).result(800)
    until.set()
    used = server.cpu() - begin
    during = asking.result()
    after = harm.returns_to(server, before, MORE_BYTES, 60)
    print(f"\n{what}: {told}; {used:.1f} s of processor time, memory {(after.bytes - before.bytes) / 1e6:+.1f} MB")
    for kind, seconds in during.items():
        calm = harm.at(quiet[kind], 0.99)
        print(f"    {kind:20} p50 {harm.at(seconds, 0.5) * 1e3:.2f} ms, p99 {harm.at(seconds, 0.99) * 1e3:.2f} ms, {harm.at(seconds, 0.99) / calm:.1f} times that without")


LARGE = NUMBERS % (3, 3) + f"SELECT a, REPEAT('x', {ROW}) AS s FROM n;\n"


def large_by_events(server):
    body = Stream(server, submission(LARGE)).read(lambda t: t.endswith(b"0\r\n\r\n"))
    return rows_of([e for _, kind, e in events_of(body) if kind == "event"])


def large_by_websocket(server):
    w = Socket(server)
    w.s.settimeout(180)
    w.send({"jsonrpc": "2.0", "id": 7, "method": "script.submit", "params": submission(LARGE)})
    events = []
    while (m := w.receive()).get("id") != 7:
        events.append(m["params"]["event"])
    assert m["result"]["exit"] == 0
    w.s.close()
    return rows_of(events)


@pytest.mark.parametrize("way", [large_by_websocket, pytest.param(large_by_events, marks=FULL)], ids=["websocket", "events"])
def test_rows_of_10_mb(server, quiet, way):
    def work():
        found = way(server)
        assert sorted((r[1], len(r[2])) for r in found) == [(n, ROW) for n in (1, 2, 3)]
        return f"{len(found)} rows"
    beside(server, quiet, "rows of 10 MB", work)


@FULL
def test_rows_of_10_mb_by_pages(server, quiet):
    """Of Flink's protocol."""
    def work():
        session = Session(server)
        session.execute("CREATE TABLE n (a INT) WITH ('connector'='datagen', 'number-of-rows'='3', 'fields.a.kind'='sequence', 'fields.a.start'='1', 'fields.a.end'='3')")
        found = session.execute(f"SELECT a, REPEAT('x', {ROW}) AS s FROM n")
        assert sorted((a, len(s)) for a, s in found) == [(n, ROW) for n in (1, 2, 3)]
        session.close()
        return f"{len(found)} rows"
    beside(server, quiet, "rows of 10 MB by pages", work)


def test_a_reader_that_stops_in_many_rows(server, quiet):
    """A minute in a million rows: all of them come when it goes on."""
    count, seconds = (1_000_000, 60) if harness.FULL else (100_000, 2)

    def work():
        text = (f"CREATE TABLE n (a INT, b STRING) WITH ('connector'='datagen', 'number-of-rows'='{count}', 'fields.a.kind'='sequence', 'fields.a.start'='1', 'fields.a.end'='{count}', "
                "'fields.b.length'='100');\nSELECT a, b FROM n;\n")
        slow = http.client.HTTPConnection("127.0.0.1", server.port, timeout=180)
        slow.request("POST", "/api/v1/submissions", json.dumps(submission(text)), {"Authorization": "Bearer " + server.token, "Content-Type": "application/json", "Accept": "text/event-stream"})
        answer = slow.getresponse()
        found, total, tail = 0, 0, b""
        while True:
            got = answer.read1(1 << 16)
            if not got:
                break
            whole = tail + got
            more = whole.count(b'["+I",') - tail.count(b'["+I",')  # one may lie on the edge
            if more and not found:
                time.sleep(seconds)
            found, total, tail = found + more, total + len(got), whole[-8:]
        slow.close()
        assert found == count, (found, tail)
        return f"{found} rows, {total / 1e6:.0f} MB"
    beside(server, quiet, f"a reader that stops for {seconds} s", work)
    harness.wait_for(lambda: not active(server), 30, "end of the SELECT")


class Session:
    """Of Flink's protocol, over one connection; it has the server's token."""

    def __init__(self, server):
        self.server = server
        self.http = http.client.HTTPConnection("127.0.0.1", server.port, timeout=300)
        self.handle = self.ask("POST", "/v2/sessions", {})["sessionHandle"]

    def ask(self, method, path, body=None):
        text = json.dumps(body) if body is not None else None
        heads = {"Authorization": "Bearer " + self.server.token, **({"Content-Type": "application/json"} if body is not None else {})}
        try:
            self.http.request(method, path, text, heads)
            answer = self.http.getresponse()
        except (http.client.RemoteDisconnected, ConnectionError):  # it was idle for long
            self.http.close()
            self.http.request(method, path, text, heads)
            answer = self.http.getresponse()
        said = json.loads(answer.read())
        assert answer.status == 200, said
        return said

    def execute(self, sql):
        operation = self.ask("POST", f"/v2/sessions/{self.handle}/statements", {"statement": sql})["operationHandle"]
        found, token = [], 0
        while True:
            page = self.ask("GET", f"/v2/sessions/{self.handle}/operations/{operation}/result/{token}?rowFormat=JSON")
            if page["resultType"] == "EOS":
                self.ask("DELETE", f"/v2/sessions/{self.handle}/operations/{operation}/close")
                return found
            if page["resultType"] == "PAYLOAD":
                found += [r["fields"] for r in page["results"]["data"]]
                token += 1
            else:
                time.sleep(0.05)  # more wait than are held (limit.fetches-held)

    def close(self):
        self.ask("DELETE", f"/v2/sessions/{self.handle}")
        self.http.close()


def test_many_sessions_at_once(server, quiet):
    """Each has its own answers; nobody waits for ever."""
    count, rounds = (200, 2) if harness.FULL else (30, 1)

    def work():
        failed, slowest = [], []

        def one(n):
            try:
                begin = time.monotonic()
                s = Session(server)
                for _ in range(rounds):
                    assert s.execute(f"SET 'mine' = '{n}'") == [["OK"]]
                    assert s.execute("SHOW MODULES") == [["core"]]
                    assert s.execute(f"CREATE TABLE t{n} (x INT) WITH ('connector'='blackhole')") == [["OK"]]
                    assert s.execute("SHOW TABLES") == [[f"t{n}"]]
                    assert s.execute(f"VALUES ({n}), ({n + 1})") in ([[n], [n + 1]], [[n + 1], [n]])
                    assert s.execute(f"DROP TABLE t{n}") == [["OK"]]
                s.close()
                slowest.append(time.monotonic() - begin)
            except BaseException as e:
                failed.append(repr(e)[:1000])
        threads = [threading.Thread(target=one, args=(n,)) for n in range(count)]
        for t in threads:
            t.start()
        for t in threads:
            t.join(540)
            assert not t.is_alive(), "a session hangs"
        assert not failed, (len(failed), failed[:3])
        return f"{count} sessions, {count * rounds * 6} statements, the slowest done in {max(slowest):.1f} s"
    beside(server, quiet, "many sessions at once", work)
