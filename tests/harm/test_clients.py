# SPDX-License-Identifier: Apache-2.0
"""`sluice serve` while others mean harm: who only wants its answers gets them, limits cut off what they must, and nothing is left behind. Times are
printed, not asserted (`make bench BENCH="--parts server"` tells them)."""
import copy
import os
import resource
import sys
import time

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import harm
from server import Server

FULL = os.environ.get("SLUICE_FULL") == "1"
SECONDS = 20 if FULL else 1
PATIENT = ("chunked and half bodies", "heads that never end", "1,000 silent connections", "three hanging targets")  # they wait for the server's limits
LIMITS = {"limit.request-body": "3s", "limit.http-total": "3s", "limit.look-timeout": "1s", "limit.http-connect": "1s", "limit.unread": "3s", "limit.unread-answers-bytes": "4MB"}
MORE_BYTES = 5 << 20


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(20000, hard), hard))
    s = Server(tmp_path_factory.mktemp("harm"), *[w for k, v in LIMITS.items() for w in ("--config", f"{k}={v}")])
    harm.Child(harm.probe, s, None, 200).result()  # its threads have done each kind of work
    yield s
    assert s.stop() == 0
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture(scope="module")
def quiet(server):
    """Seconds of each kind of answer while nobody means harm."""
    return harm.Child(harm.probe, server, None, 2000 if FULL else 300).result()


def under(server, quiet, *names):
    """These at once, with the probing client beside them."""
    before = harm.State(server)
    other = copy.copy(server)  # whoever means harm has a token, too: what one user may take is limited
    other.token = server.ask("POST", "/api/v1/tokens", {"name": f"harm-{time.monotonic_ns()}", "role": "admin"})[2]["token"]
    over, until = harm.fork.Event(), harm.fork.Event()
    doing = [harm.Child(harm.ALL[name], other, over, nice=10) for name in names]
    asking = harm.Child(harm.probe, server, until, 100)
    time.sleep(SECONDS)
    over.set()
    told = [child.result() for child in doing]
    until.set()
    during = asking.result()
    after = harm.returns_to(server, before, MORE_BYTES)
    print(f"\n{', '.join(names)}: {'; '.join(told)}; memory {(after.bytes - before.bytes) / 1e6:+.1f} MB")
    for kind, seconds in during.items():
        calm = harm.at(quiet[kind], 0.99)
        print(f"    {kind:20} p50 {harm.at(seconds, 0.5) * 1e3:.2f} ms, p99 {harm.at(seconds, 0.99) * 1e3:.2f} ms, {harm.at(seconds, 0.99) / calm:.1f} times that without")
    harm.Child(harm.probe, server, None, 20).result()


@pytest.mark.parametrize("name", [n for n in harm.ALL if FULL or n not in PATIENT])
def test_while_others_mean_harm(server, quiet, name):
    under(server, quiet, name)


@pytest.mark.skipif(FULL, reason="each of them alone, above")
def test_while_many_kinds_of_harm_go_on_at_once(server, quiet):
    under(server, quiet, *PATIENT)


def test_more_connections_than_descriptors(tmp_path):
    """Those it has no descriptor for are closed as they come; the others are answered, and the loop does not turn for nothing."""
    s = Server(tmp_path)
    w = harm.talked(s)
    calm = s.descriptors()
    resource.prlimit(s.process.pid, resource.RLIMIT_NOFILE, (calm + 30,) * 2)
    crowd = [s.raw() for _ in range(200)]
    ended = harm.closed_by_server(crowd[60:], time.monotonic() + 20)  # of the first some were taken
    assert not any(ended)
    before = s.cpu()
    time.sleep(1)
    assert s.cpu() - before < 0.5
    w.send({"jsonrpc": "2.0", "id": 2, "method": "script.check", "params": harm.SMALL})
    assert w.receive()["result"]["errors"] == 1
    for c in crowd[:60]:
        c.close()
    end = time.monotonic() + 20
    while s.descriptors() > calm + 2:
        assert time.monotonic() < end, s.descriptors()
        time.sleep(0.05)
    harm.Child(harm.probe, s, None, 20).result()
    w.s.close()
    assert s.stop() == 0


IDLE_BYTES = 8192  # of one WebSocket that says nothing


def test_what_an_idle_websocket_costs(server):
    before = harm.State(server)
    clients = []
    for n in (1000, 9000) if FULL else (1000,):
        clients += [harm.talked(server) for _ in range(n)]
        now = harm.State(server)
        each = (now.bytes - before.bytes) / len(clients)
        print(f"\n{len(clients):,} WebSockets that have asked once: {each:.0f} bytes each")
        assert now.connections - before.connections == len(clients) and each <= IDLE_BYTES
    for w in clients:
        w.s.close()
    harm.returns_to(server, before, MORE_BYTES)


def test_what_an_idle_session_costs(server):
    """Of Flink's protocol: it is data, and nothing of a JVM."""
    def opened(n):
        for _ in range(n):
            status, _, body = server.ask("POST", "/v2/sessions", {"properties": {"a": "b"}})
            assert status == 200
            handles.append(body["sessionHandle"])
    handles = []
    opened(20)
    before = harm.State(server)
    opened(1000)
    each = (harm.State(server).bytes - before.bytes) / 1000
    print(f"\n1,000 sessions: {each:.0f} bytes each")
    assert each <= IDLE_BYTES
    for h in handles:
        assert server.ask("DELETE", f"/v2/sessions/{h}")[0] == 200
    harm.returns_to(server, before, MORE_BYTES)
