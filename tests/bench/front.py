# SPDX-License-Identifier: Apache-2.0
"""The part `server` of `make bench`: statements through Flink's REST protocol beside Flink's own gateway on the same cluster; what a client that only
wants its answers waits while others mean harm; what an idle client costs."""
import copy
import http.client
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time

from measure import ROOT, Skipped, note, rss_of, table

sys.path[:0] = [os.path.join(ROOT, "tests"), os.path.join(ROOT, "tests", "harm"), os.path.join(ROOT, "tests", "e2e")]
import harm  # noqa: E402
import harness  # noqa: E402
import server  # noqa: E402
import stock  # noqa: E402

UNBOUNDED = "CREATE TEMPORARY TABLE endless (a INT) WITH ('connector' = 'datagen', 'rows-per-second' = '100')"
LIMITS = {"limit.request-body": "3s", "limit.http-total": "3s", "limit.look-timeout": "1s", "limit.http-connect": "1s", "limit.unread": "3s", "limit.unread-answers-bytes": "4MB"}


class Session:
    """A session of Flink's protocol over one connection, as clients have it."""

    def __init__(self, port, connection=None):
        self.http = connection or http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        self.handle = self.ask("POST", "/v2/sessions", {"properties": {}})["sessionHandle"]

    def ask(self, method, path, body=None):
        text = json.dumps(body) if body is not None else None
        headers = {"Content-Type": "application/json"} if text else {}
        try:
            self.http.request(method, path, text, headers)
            answer = self.http.getresponse()
        except (http.client.RemoteDisconnected, ConnectionError):  # it was idle for too long
            self.http.close()
            self.http.request(method, path, text, headers)
            answer = self.http.getresponse()
        data = answer.read()
        if answer.status != 200:
            raise Skipped(f"{method} {path}: {answer.status} {data[:300]}")
        return json.loads(data)

    def run(self, sql, first=False):
        """(ms to the answer or the first row, ms to the end); with `first` it is given up after that row."""
        begin = time.monotonic()
        operation = self.ask("POST", f"/v2/sessions/{self.handle}/statements", {"statement": sql})["operationHandle"]
        place = f"/v2/sessions/{self.handle}/operations/{operation}"
        url, row = f"{place}/result/0?rowFormat=JSON", None
        while url:
            page = self.ask("GET", url)
            if page["resultType"] != "NOT_READY" and page["results"]["data"] and row is None:
                row = time.monotonic() - begin
                if first:
                    break
            ended = page["resultType"] == "EOS"
            empty = page["resultType"] == "NOT_READY" or not page["results"]["data"]
            url = None if ended else page.get("nextResultUri", url)
            if empty and not ended:
                time.sleep(0.002)
        end = time.monotonic() - begin
        self.ask("DELETE", f"{place}/close")
        return (row if row is not None else end) * 1e3, end * 1e3

    def close(self):
        self.ask("DELETE", f"/v2/sessions/{self.handle}")


def statements(side, runs):
    """{kind: [ms]} of one side."""
    s = Session(side)
    took = {}

    def take(kind, sql, n, first=False, at=1):
        s.run(sql(0), first)  # the first of its kind is not counted
        took[kind] = [s.run(sql(i + 1), first)[at] for i in range(n)]
    for i in range(10):
        s.run(f"CREATE TEMPORARY TABLE t{i} (a INT, b STRING, c DECIMAL(10, 2), d TIMESTAMP(3)) WITH ('connector' = 'datagen')")
    s.run(UNBOUNDED)
    take("SET", lambda i: f"SET 'table.exec.sink.{i}' = 'x'", 20 * runs)
    take("CREATE TEMPORARY TABLE", lambda i: f"CREATE TEMPORARY TABLE made{i} (a INT) WITH ('connector' = 'datagen')", 5 * runs)
    take("SHOW TABLES", lambda i: "SHOW TABLES", 10 * runs)
    take("DESCRIBE", lambda i: "DESCRIBE t3", 10 * runs)
    take("SELECT 1, whole", lambda i: "SELECT 1", 5 * runs)
    take("first row of a bounded SELECT", lambda i: f"SELECT a, COUNT(*) FROM (VALUES (1), (2), ({i})) AS v (a) GROUP BY a", 3 * runs, at=0)
    take("first row of an unbounded SELECT", lambda i: "SELECT a FROM endless", 3 * runs, first=True, at=0)
    s.close()
    return took


def sessions_cost(port, pids, n):
    """kB of resident memory each of so many more sessions costs."""
    one = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    keep = [Session(port, one) for _ in range(10)]
    before = rss_of(pids)
    keep += [Session(port, one) for _ in range(n)]
    each = (rss_of(pids) - before) * 1024 / n
    for s in keep:
        s.close()
    return each


def percentile(values, part):
    return harm.at(values, part)


def beside_stock(args, folder):
    subprocess.run([args.bin, "flink", "install", args.flink], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    home = os.environ.get("XDG_DATA_HOME") or os.path.expanduser("~/.local/share")
    ours = server.Server(os.path.join(folder, "flink"), "--no-auth", env={"XDG_DATA_HOME": home, "TZ": "UTC"})
    theirs = None
    try:
        warm = Session(ours.port)
        warm.run("SHOW MODULES")
        warm.run("SELECT 1")
        warm.close()
        port = cluster_port(ours)
        theirs = stock.StockCluster(args.flink, extra={"rest.port": port})  # of it only the gateway is started
        theirs.start_gateway()
        theirs.wait_gateway()
        gateway = theirs.pids()
        took = {"Sluice": statements(ours.port, args.runs), "stock gateway": statements(theirs.gateway_port, args.runs)}
        rows = []
        for kind, mine in took["Sluice"].items():
            peer = took["stock gateway"][kind]
            rows.append([kind, len(mine), *[f"{percentile(v, p):.1f}" for v in (mine, peer) for p in (0.5, 0.99)],
                         *[f"{percentile(peer, p) / percentile(mine, p):.2f}" for p in (0.5, 0.99)]])
        table("Statements through Flink's REST protocol, ten tables there, one client, the same cluster",
              ["", "times", "Sluice p50, ms", "p99, ms", "stock gateway p50, ms", "p99, ms", "p50: times better", "p99: times better"], rows)
        rss = rss_of([ours.process.pid]), rss_of(gateway)
        each = sessions_cost(ours.port, [ours.process.pid], 1000), sessions_cost(theirs.gateway_port, gateway, 200)
        note(f"Resident memory of what speaks the protocol, after it: Sluice {rss[0]:.0f} MB, stock gateway {rss[1]:.0f} MB. "
             f"A session more: Sluice {each[0]:.1f} kB (of 1,000), stock gateway {each[1]:.0f} kB (of 200; its heap is collected when it likes).")
    finally:
        if theirs:
            theirs.stop()
        ours.stop()


def cluster_port(ours):
    """REST port of the cluster that the server has started."""
    for pid in harness.processes(f"SLUICE_DATA={ours.folder}/data\0"):
        for port in harness.listening_ports([pid]):
            try:
                if harness.get(f"http://127.0.0.1:{port}/overview", 3)["slots-total"] > 0:
                    return port
            except (OSError, http.client.HTTPException, ValueError, KeyError):
                continue
    raise Skipped("the local cluster's REST port was not found")


def under_harm(args, folder):
    s = server.Server(os.path.join(folder, "harm"), *[w for k, v in LIMITS.items() for w in ("--config", f"{k}={v}")])
    other = copy.copy(s)
    other.token = s.ask("POST", "/api/v1/tokens", {"name": "harm", "role": "admin"})[2]["token"]
    rows = []
    try:
        harm.Child(harm.probe, s, None, 300).result()
        for name, does in harm.ALL.items():
            calm = harm.Child(harm.probe, s, None, 600).result()
            before = harm.State(s)
            over, until = harm.fork.Event(), harm.fork.Event()
            doing = harm.Child(does, other, over, nice=10)
            asking = harm.Child(harm.probe, s, until, 600)
            time.sleep(4)
            over.set()
            doing.result()
            until.set()
            during = asking.result()
            after = harm.returns_to(s, before, 50 << 20)
            pooled = [[1e3 * t for kind in one.values() for t in kind] for one in (calm, during)]
            worst = max(during, key=lambda kind: percentile(during[kind], 0.99) / percentile(calm[kind], 0.99))
            ratio = percentile(during[worst], 0.99) / percentile(calm[worst], 0.99)
            rows.append([name, *[f"{percentile(v, p):.2f}" for v in pooled for p in (0.5, 0.99)], f"{percentile(pooled[1], 0.99) / percentile(pooled[0], 0.99):.2f}",
                         f"{ratio:.1f} ({worst})", f"{(after.bytes - before.bytes) / 1e6:+.1f}"])
        table("What a client waits that only wants its answers (health, a small check, a ping; over one connection and one WebSocket), before and while others mean harm",
              ["", "before p50, ms", "p99, ms", "meanwhile p50, ms", "p99, ms", "p99 / p99 before", "the worst kind of question", "memory after it, MB"], rows)
        note("All of it on one machine: who means harm has the lower priority, but the same two cores.")
    finally:
        s.stop()


def idle(args, folder):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(20000, hard), hard))
    s = server.Server(os.path.join(folder, "idle"))
    rows = []
    try:
        for w in [harm.talked(s) for _ in range(50)]:
            w.s.close()
        time.sleep(2)
        before, clients = s.memory(), []
        for n in (1000, 10000):
            if n + 100 > min(20000, hard):
                continue
            clients += [harm.talked(s) for _ in range(n - len(clients))]
            ask = []
            for _ in range(200):
                begin = time.monotonic()
                s.ask("GET", "/healthz")
                ask.append((time.monotonic() - begin) * 1e3)
            cpu = s.cpu()
            time.sleep(2)
            rows.append([f"{n:,} WebSockets", f"{(s.memory() - before) / n / 1024:.1f}", f"{statistics.median(ask):.2f}", f"{(s.cpu() - cpu) * 50:.1f}"])
        for w in clients:
            w.s.close()
        time.sleep(3)
        table("Idle clients, each of which has asked once", ["", "kB each", "GET /healthz beside them, ms", "CPU, % of a core"], rows)
        note(f"Memory after they have gone: {(s.memory() - before) / 1e6:+.1f} MB.")
    finally:
        s.stop()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def go(args):
    server.BIN = args.bin
    with tempfile.TemporaryDirectory(prefix="sluice-bench-") as folder:
        under_harm(args, folder)
        idle(args, folder)
        beside_stock(args, folder)
