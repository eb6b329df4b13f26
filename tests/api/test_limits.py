# SPDX-License-Identifier: Apache-2.0
"""What one user may take of the server, and that another one gets his all the same."""
import contextlib
import os
import socket
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from server import Server, Socket
from test_events import RUN, Store, Stream


@contextlib.contextmanager
def serving(folder, *limits):
    s = Server(folder, *[a for limit in limits for a in ("--config", f"limit.{limit}")])
    yield s, token(s, "ann"), token(s, "bob")
    assert s.stop() == 0


def token(s, name):
    return s.ask("POST", "/api/v1/tokens", {"name": name, "role": "operator"})[2]["token"]


def refused(answer):
    status, headers, body = answer
    assert (status, headers["retry-after"]) == (429, "1"), answer
    assert body.get("code") == "limit-user" or "limit.user" in body["errors"][0], answer
    return True


def until(what):
    deadline = time.monotonic() + 30
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_requests_a_second(tmp_path):
    with serving(tmp_path, "user-requests=5") as (s, ann, bob):
        got = [s.ask("GET", "/api/v1/hello", token=ann) for _ in range(100)]  # they would have to take 19 seconds to be let through
        assert [g[0] for g in got[:5]] == [200] * 5
        limited = [g for g in got if g[0] != 200]
        assert limited and all(refused(g) for g in limited)
        assert [s.ask("GET", path, token=bob)[0] for path in ("/api/v1/hello", "/api/v1/jobs", "/v1/info")] == [200] * 3
        for _ in range(100):
            last = s.ask("GET", "/v1/info", token=ann)
            if last[0] != 200:
                break
        assert refused(last) and list(last[2]) == ["errors"]
        assert s.ask("GET", "/healthz", token="")[0] == 200
        w = Socket(s, token=bob)
        for n in range(100):
            w.send({"jsonrpc": "2.0", "id": n, "method": "hello"})
        codes = [m.get("error", {}).get("data", {}).get("code") for m in (w.receive() for _ in range(100))]
        assert "limit-user" in codes and None in codes and set(codes) == {"limit-user", None}
        w.s.close()
        time.sleep(1.1)
        assert s.ask("GET", "/api/v1/hello", token=ann)[0] == 200
        said = s.ask("GET", "/metrics")[2]
        assert int(said.split("\nsluice_requests_limited_total ")[1].split()[0]) >= len(limited)


def test_calls_under_way(tmp_path):
    with serving(tmp_path, "user-calls=2") as (s, ann, bob):
        store = Store(tmp_path)
        store.run(RUN, "live", 0)
        path = "/api/v1/jobs/live/events"
        mine, admin = [], s.token
        s.token = ann
        for _ in range(2):
            mine.append(Stream(s, path))
            assert b"200 OK" in mine[-1].s.recv(4096)
        assert refused(s.ask("GET", path, token=ann, Accept="text/event-stream"))
        assert refused(s.ask("POST", "/api/v1/submissions", {"name": "n", "files": [{"name": "a", "text": "SELECT 1;"}], "dryRun": True}, token=ann))
        assert s.ask("GET", "/api/v1/jobs", token=ann)[0] == 200  # short calls go on
        s.token = bob
        mine.append(Stream(s, path))
        assert b"200 OK" in mine[-1].s.recv(4096)
        s.token = admin
        mine[0].s.close()
        until(lambda: s.ask("GET", "/api/v1/jobs/live/events?follow=false", token=ann)[0] == 200)
        for one in mine[1:]:
            one.s.close()
        store.end(RUN)
        store.db.close()


def test_sessions(tmp_path):
    with serving(tmp_path, "user-sessions=3") as (s, ann, bob):
        mine = [s.ask("POST", "/v1/sessions", {}, token=ann)[2]["sessionHandle"] for _ in range(3)]
        assert refused(s.ask("POST", "/v1/sessions", {}, token=ann))
        assert s.ask("POST", "/v1/sessions", {}, token=bob)[0] == 200
        assert s.ask("DELETE", f"/v1/sessions/{mine[0]}", token=ann)[0] == 200
        assert s.ask("POST", "/v1/sessions", {}, token=ann)[0] == 200


def test_statements(tmp_path):
    """Statements that go to a target that never answers."""
    deaf = socket.create_server(("127.0.0.1", 0))
    with serving(tmp_path, "user-statements=2") as (s, ann, bob):
        assert s.ask("POST", "/api/v1/targets", {"name": "deaf", "url": "http://127.0.0.1:%d" % deaf.getsockname()[1]})[0] == 200

        def execute(who, session):
            return s.ask("POST", f"/v1/sessions/{session}/statements", {"statement": "SELECT 1"}, token=who)
        a, other, b = (s.ask("POST", "/v1/sessions", {"properties": {"sluice.target": "deaf"}}, token=who)[2]["sessionHandle"] for who in (ann, ann, bob))
        assert execute(ann, a)[0] == execute(ann, other)[0] == 200
        assert refused(execute(ann, a)) and refused(execute(ann, other))
        assert execute(bob, b)[0] == 200
        assert s.ask("DELETE", f"/v1/sessions/{a}", token=ann)[0] == 200
        until(lambda: execute(ann, other)[0] == 200)
        deaf.close()  # those under way end with it
