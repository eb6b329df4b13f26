# SPDX-License-Identifier: Apache-2.0
"""The parts `start`, `run` and `rows` of `make bench`: Sluice beside Flink's own SQL client and SQL gateway, with their stock
scripts and their stock settings. No Java process of either side is there before a cold case."""
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.request

from measure import ROOT, Skipped, Timed, cpu_of, environment_pids, note, rss_of, spread, table, times

sys.path.insert(0, os.path.join(ROOT, "tests"))
import stock  # noqa: E402
from language import script  # noqa: E402

QUERY = """SET 'execution.runtime-mode' = 'streaming';
CREATE TABLE g (k INT, v DOUBLE) WITH ('connector' = 'datagen', 'number-of-rows' = '2000', 'fields.k.kind' = 'sequence',
  'fields.k.start' = '1', 'fields.k.end' = '2000', 'rows-per-second' = '1000000');
SELECT MOD(k, 10) AS b, COUNT(*) AS n FROM g GROUP BY MOD(k, 10);
"""
WIDE = """CREATE TABLE wide (a BIGINT, b BIGINT, c INT, d INT, e DOUBLE, f DOUBLE, g STRING, h STRING, i DECIMAL(12, 2), j BOOLEAN)
WITH ('connector' = 'datagen', 'rows-per-second' = '100000000', 'number-of-rows' = '%d', 'fields.g.length' = '8', 'fields.h.length' = '12')"""
WIDE_SELECT = "SELECT * FROM wide"
TABLEAU = "SET 'sql-client.execution.result-mode' = 'tableau';\n"


def json_row(line):
    return line.startswith((b'{"event":"row"', b'{"event": "row"'))


def tableau_row(line):
    return re.match(rb"\| +(\+I|\+U|-U|-D) \|", line) is not None


class Sluice:
    def __init__(self, binary, version):
        self.folder = tempfile.mkdtemp(prefix="sluice-bench-")
        self.binary, self.version = binary, version
        self.env = dict(os.environ, SLUICE_DATA=os.path.join(self.folder, "data"))
        self.mark = f"SLUICE_DATA={self.env['SLUICE_DATA']}"

    def run(self, path, *args):
        return Timed([self.binary, "run", path, "--flink", self.version, "--json", *args], self.env, json_row, self.folder)

    def pids(self):
        return environment_pids(self.mark)

    def stop(self):
        subprocess.run([self.binary, "owner", "stop"], env=self.env, capture_output=True)
        end = time.monotonic() + 15
        while self.pids() and time.monotonic() < end:
            time.sleep(0.1)
        if self.pids():
            raise Skipped(f"still running: {self.pids()}")


class Stock:
    def __init__(self, version):
        self.cluster = stock.StockCluster(version)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.cluster.stop()

    def up(self, gateway):
        """Seconds that the stock scripts need until there is something to ask."""
        start = time.monotonic()
        self.cluster.start_cluster()
        if gateway:
            self.cluster.start_gateway()
            self.cluster.wait_gateway()
            self.cluster.wait_cluster()
        return time.monotonic() - start

    def client(self, path, rows_wanted=True):
        argv = [os.path.join(self.cluster.home, "bin", "sql-client.sh"), "-f", path]
        return Timed(argv, self.cluster.env, tableau_row, self.cluster.folder, rows_wanted)

    def gateway(self, statements):
        """Opens a session, runs all, fetches to the end: (seconds to the first row, to the end, rows)."""
        start = time.monotonic()
        session = stock.GatewaySession(self.cluster.gateway(""))
        for sql in statements[:-1]:
            session.execute(sql)
        operation = session.start(statements[-1])
        url = f"/v2/sessions/{session.handle}/operations/{operation}/result/0?rowFormat=JSON"
        first, rows = None, 0
        while url:
            with urllib.request.urlopen(self.cluster.gateway(url), timeout=120) as answer:
                body = answer.read()
            n = body.count(b'"kind":')
            if n and first is None:
                first = time.monotonic() - start
            rows += n
            done = b'"resultType":"EOS"' in body
            match = re.search(rb'"nextResultUri":"([^"]+)"', body)
            url = match[1].decode() if match and not done else None
            if not n:
                time.sleep(0.01)
        end = time.monotonic() - start
        session.close()
        return first, end, rows


def write(folder, name, text):
    path = os.path.join(folder, name)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    return path


def spawn(argv, rounds):
    """[(wall seconds, peak MB, CPU seconds)] of a process whose output is thrown away, by once_main.c."""
    once = os.path.join(os.path.dirname(argv[0]), "bench", "once")
    out = subprocess.run([once, str(rounds), *argv], capture_output=True, text=True, check=True).stdout
    runs = [json.loads(line) for line in out.splitlines()]
    if any(one["status"] for one in runs):
        raise Skipped(f"{' '.join(argv)}: exit {runs[0]['status']}")
    return [(one["seconds"], one["rssKb"] / 1024, one["cpu"]) for one in runs]


def start(args):
    """Process start to the first answer and memory; a script of 1,000 lines checked."""
    with tempfile.TemporaryDirectory(prefix="sluice-bench-") as folder:
        one = write(folder, "one.sql", "SELECT 1;\n")
        big = write(folder, "thousand.sql", script(1000))
        # The stock client has no check; what comes nearest is to execute the definitions (the INSERTs would run jobs).
        ddl = re.sub(r"INSERT INTO[^;]*;", "", script(1000))
        show = write(folder, "show.sql", "SHOW CATALOGS;\n")
        ddl = write(folder, "ddl.sql", ddl)
        ours = {name: spawn([args.bin, *argv], 20) for name, argv in
                (("sluice --version", ["--version"]), ("sluice check, 1 line", ["check", one]), ("sluice check, 1,000 lines", ["check", big]))}
        theirs = {"sql-client.sh -f, SHOW CATALOGS": [], "sql-client.sh -f, the definitions of the 1,000 lines": []}
        for name, path in zip(theirs, (show, ddl)):
            for _ in range(args.runs):
                with Stock(args.flink) as side:  # needs no cluster, and none is started
                    t = side.client(path, rows_wanted=False)
                    theirs[name].append((t.end, t.rss, t.cpu))
    pairs = [("sluice --version", None), ("sluice check, 1 line", "sql-client.sh -f, SHOW CATALOGS"),
             ("sluice check, 1,000 lines", "sql-client.sh -f, the definitions of the 1,000 lines")]
    rows = []
    for mine, peer in pairs:
        ms, mb, cpu = [s * 1000 for s, _, _ in ours[mine]], [m for _, m, _ in ours[mine]], [c * 1000 for _, _, c in ours[mine]]
        rows.append([mine, spread(ms, "{:.1f}"), spread(cpu, "{:.1f}"), spread(mb, "{:.1f}"), "", ""])
        if peer:
            peer_ms, peer_mb, peer_cpu = [s * 1000 for s, _, _ in theirs[peer]], [m for _, m, _ in theirs[peer]], [c * 1000 for _, _, c in theirs[peer]]
            rows.append([peer, spread(peer_ms, "{:.0f}"), spread(peer_cpu, "{:.0f}"), spread(peer_mb, "{:.0f}"), times(peer_ms, ms), times(peer_mb, mb)])
    table(f"One process, start to end (20 runs of Sluice, {args.runs} of the stock client)",
          ["", "ms (min / median / max)", "CPU, ms", "peak RSS, MB", "times Sluice's ms", "times Sluice's MB"], rows)


def run(args):
    """A script to its first row and to its end, without and with a Flink that is already there."""
    sluice = Sluice(args.bin, args.flink)
    folder = sluice.folder
    query = write(folder, "query.sql", QUERY)
    for_client = write(folder, "client.sql", TABLEAU + QUERY)
    statements = [s.strip() for s in QUERY.split(";\n") if s.strip()]
    names = ["Sluice, session", "Sluice, application", "sql-client.sh -f", "stock SQL gateway"]
    cold, warm = {n: [] for n in names}, {n: [] for n in names}
    stock.distribution(args.flink)
    subprocess.run([args.bin, "flink", "install", args.flink], env=sluice.env, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    rss = []
    for _ in range(args.runs):
        for name, mode in (("Sluice, session", "session"), ("Sluice, application", "application")):
            sluice.stop()
            for kind in (cold, warm):
                t = sluice.run(query, "--mode", mode)
                kind[name].append((t.first, t.end))
            if mode == "session":
                rss.append(rss_of(sluice.pids()))
            sluice.stop()
        with Stock(args.flink) as side:
            up = side.up(gateway=False)
            t = side.client(for_client)
            cold["sql-client.sh -f"].append((t.first + up, t.end + up))
            t = side.client(for_client)
            warm["sql-client.sh -f"].append((t.first, t.end))
        with Stock(args.flink) as side:
            up = side.up(gateway=True)
            first, end, _ = side.gateway(statements)
            cold["stock SQL gateway"].append((first + up, end + up))
            first, end, _ = side.gateway(statements)
            warm["stock SQL gateway"].append((first, end))
    for title, kind in (("Cold: no Java process before", cold), ("Warm: the second time (application mode starts a JobManager of its own each time)", warm)):
        rows = []
        for name in names:
            firsts, ends = [v[0] for v in kind[name]], [v[1] for v in kind[name]]
            mine = [("session", kind["Sluice, session"]), ("application", kind["Sluice, application"])]
            ratios = [f"{times(firsts, [v[0] for v in v2])} / {times(ends, [v[1] for v in v2])}" if name not in names[:2] else "" for _, v2 in mine]
            rows.append([name, spread(firsts), spread(ends), *ratios])
        table(f"{title}; a grouped aggregate over 2,000 rows ({args.runs} runs)",
              ["", "first row, s (min / median / max)", "end, s", "times session (row / end)", "times application (row / end)"], rows)
    note(f"Memory of Sluice's owner, JobManager and TaskManager after it: {spread(rss, '{:.0f}')} MB.")


def rows(args):
    """Rows a second of a ten-column row, and what they cost."""
    sluice = Sluice(args.bin, args.flink)
    path = write(sluice.folder, "wide.sql", WIDE % args.rows + ";\n" + WIDE_SELECT + ";\n")
    query = write(sluice.folder, "query.sql", QUERY)
    statements = [s.strip() for s in QUERY.split(";\n") if s.strip()]
    ours, theirs = [], []
    sluice.run(query)
    for _ in range(args.runs):
        before = cpu_of(sluice.pids())
        t = sluice.run(path)
        pids = sluice.pids()
        used = cpu_of(pids) - before + t.cpu
        if t.rows != args.rows:
            raise Skipped(f"{t.rows} rows came of {args.rows}")
        ours.append((t.rows / (t.end - t.first), t.rows / t.end, used / t.rows * 1e6, rss_of(pids) + t.rss))
    sluice.stop()
    with Stock(args.flink) as side:
        side.up(gateway=True)
        side.gateway(statements)
        for _ in range(args.runs):
            before = cpu_of(side.cluster.pids())
            first, end, n = side.gateway([WIDE % args.rows, WIDE_SELECT])
            pids = side.cluster.pids()
            used = cpu_of(pids) - before
            if n != args.rows:
                raise Skipped(f"{n} rows came of {args.rows} from the stock gateway")
            theirs.append((n / (end - first), n / end, used / n * 1e6, rss_of(pids)))
    names = ["rows/s, first row to the last", "rows/s, from the start of the script", "CPU seconds per million rows", "RSS of all processes, MB"]
    forms = ["{:,.0f}", "{:,.0f}", "{:.1f}", "{:.0f}"]
    lines = []
    for i, (name, form) in enumerate(zip(names, forms)):
        mine, peer = [v[i] for v in ours], [v[i] for v in theirs]
        better = times(mine, peer) if i < 2 else times(peer, mine)
        lines.append([name, spread(mine, form), spread(peer, form), better])
    table(f"{args.rows:,} rows of ten columns, {args.runs} runs in one session, JSON lines on stdout against the stock gateway's REST",
          ["min / median / max", "Sluice, session", "stock SQL gateway", "times better"], lines)
