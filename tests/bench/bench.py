#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""`make bench`: Sluice beside Flink's own SQL client and SQL gateway with their stock scripts, on this machine, in one run.

No Java process of either side is there before a cold case. Prints tables and ratios (stock divided by Sluice: above 1 is
quicker); asserts nothing. Times are wall seconds, medians of the runs; CPU is user + system of all processes of a side.
"""
import argparse
import glob
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import stock  # noqa: E402

TICK = os.sysconf("SC_CLK_TCK")
QUERY = """SET 'execution.runtime-mode' = 'streaming';
CREATE TABLE g (k INT, v DOUBLE) WITH ('connector' = 'datagen', 'number-of-rows' = '2000', 'fields.k.kind' = 'sequence',
  'fields.k.start' = '1', 'fields.k.end' = '2000', 'rows-per-second' = '1000000');
SELECT MOD(k, 10) AS b, COUNT(*) AS n FROM g GROUP BY MOD(k, 10);
"""
TEN = """CREATE TABLE wide (a BIGINT, b BIGINT, c INT, d INT, e DOUBLE, f DOUBLE, g STRING, h STRING, i DECIMAL(12, 2), j BOOLEAN)
WITH ('connector' = 'datagen', 'rows-per-second' = '100000000', 'number-of-rows' = '%d', 'fields.g.length' = '8', 'fields.h.length' = '12');
"""
TEN_SELECT = "SELECT * FROM wide"


def median(values):
    return statistics.median(values) if values else float("nan")


def environment_pids(mark):
    found = []
    for path in glob.glob("/proc/[0-9]*/environ"):
        try:
            with open(path, "rb") as f:
                if mark.encode() in f.read():
                    found.append(int(path.split("/")[2]))
        except OSError:
            pass
    return [p for p in found if p != os.getpid()]


def cpu_of(pids):
    total = 0.0
    for pid in pids:
        try:
            with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as f:
                fields = f.read().rsplit(")", 1)[1].split()
            total += (int(fields[11]) + int(fields[12]) + int(fields[13]) + int(fields[14])) / TICK
        except OSError:
            pass
    return total


def rss_of(pids):
    total = 0
    for pid in pids:
        try:
            with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as f:
                match = re.search(r"VmRSS:\s+(\d+)", f.read())
            total += int(match[1]) if match else 0
        except OSError:
            pass
    return total / 1024


class Timed:
    """A child whose stdout is read as it comes: seconds to the first line that looks like a row, to its end, its CPU, its rows."""

    def __init__(self, argv, env, is_row, folder):
        start = time.monotonic()
        self.first, self.rows, self.out = None, 0, []
        with open(os.path.join(folder, "stderr"), "wb") as err:
            child = subprocess.Popen(argv, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=err)
            for line in child.stdout:
                if is_row(line):
                    if self.first is None:
                        self.first = time.monotonic() - start
                    self.rows += 1
                elif len(self.out) < 200:
                    self.out.append(line)
            _, status, usage = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
        self.end = time.monotonic() - start
        self.rc, self.cpu, self.rss = child.returncode, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024
        if self.rc != 0 or self.first is None:
            sys.stderr.write(open(os.path.join(folder, "stderr"), encoding="utf-8", errors="replace").read()[-3000:])
            sys.stderr.write(b"".join(self.out).decode("utf-8", "replace")[-3000:])
            raise SystemExit(f"bench: {' '.join(argv)} ended with {self.rc}, {self.rows} rows")


class Sluice:
    def __init__(self, binary, version):
        self.folder = tempfile.mkdtemp(prefix="sluice-bench-")
        self.binary, self.version = binary, version
        self.env = dict(os.environ, SLUICE_DATA=os.path.join(self.folder, "data"))
        self.mark = f"SLUICE_DATA={self.env['SLUICE_DATA']}\0"

    def run(self, path, *args):
        def is_row(line):
            return line.startswith((b'{"event":"row"', b'{"event": "row"'))
        return Timed([self.binary, "run", path, "--flink", self.version, "--json", *args], self.env, is_row, self.folder)

    def stop(self):
        subprocess.run([self.binary, "owner", "stop"], env=self.env, capture_output=True)
        end = time.monotonic() + 15
        while environment_pids(self.mark) and time.monotonic() < end:
            time.sleep(0.1)


class Stock:
    def __init__(self, version):
        self.cluster = stock.StockCluster(version)

    def client(self, path):
        """sql-client.sh -f against the cluster; rows of its tableau output."""
        def is_row(line):
            return re.match(rb"\| (\+I|\+U|-U|-D) \|", line) is not None
        argv = [os.path.join(self.cluster.home, "bin", "sql-client.sh"), "-f", path]
        return Timed(argv, self.cluster.env, is_row, self.cluster.folder)

    def gateway(self, statements):
        """Open session, run all, fetch to the end: (first row, end, rows, bytes)."""
        start = time.monotonic()
        session = stock.GatewaySession(self.cluster.gateway(""))
        for sql in statements[:-1]:
            session.execute(sql)
        operation = session.start(statements[-1])
        url = f"/v2/sessions/{session.handle}/operations/{operation}/result/0?rowFormat=JSON"
        first, rows, size = None, 0, 0
        while url:
            with urllib.request.urlopen(self.cluster.gateway(url), timeout=120) as answer:
                body = answer.read()
            size += len(body)
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
        return first, end, rows, size


def process_start(binary, folder, rounds):
    small = os.path.join(folder, "small.sql")
    with open(small, "w", encoding="utf-8") as f:
        f.write("SELECT 1;\n")
    big = os.path.join(folder, "thousand.sql")
    with open(big, "w", encoding="utf-8") as f:
        for n in range(100):
            f.write(f"CREATE TABLE t{n} (\n  id BIGINT,\n  name STRING, -- who\n  price DECIMAL(10, 2)\n) WITH ('connector' = 'datagen');\n")
            f.write(f"CREATE TEMPORARY VIEW v{n} AS\nSELECT id, name, SUM(price) AS total FROM t{n}\nWHERE price > {n} AND name LIKE 'a%'\nGROUP BY id, name;\n\n")
    print(f"\nProcess                                 first answer        peak RSS     ({rounds} runs, median)")
    for name, args in (("sluice --version", ["--version"]), ("sluice check, 1 line", ["check", small]), ("sluice check, 1,000 lines", ["check", big])):
        times, memory = [], []
        for _ in range(rounds):
            start = time.monotonic()
            pid = os.posix_spawn(binary, [binary, *args], os.environ, file_actions=[(os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0), (os.POSIX_SPAWN_OPEN, 2, "/dev/null", os.O_WRONLY, 0)])
            _, status, usage = os.wait4(pid, 0)
            times.append(time.monotonic() - start)
            memory.append(usage.ru_maxrss / 1024)
            if os.waitstatus_to_exitcode(status):
                print(f"  {name}: exit {os.waitstatus_to_exitcode(status)}")
                break
        print(f"  {name:<36} {median(times) * 1000:8.1f} ms  {median(memory):10.1f} MB")


def table(title, rows):
    print(f"\n{title}\n  {'':<34} {'first row':>10} {'end':>10}")
    best = None
    for name, firsts, ends in rows:
        print(f"  {name:<34} {median(firsts):8.2f} s {median(ends):8.2f} s", end="")
        if best is None:
            best = (median(firsts), median(ends))
            print()
        else:
            print(f"      {median(firsts) / best[0]:.1f}x / {median(ends) / best[1]:.1f}x of the first line")
    sys.stdout.flush()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", required=True)
    parser.add_argument("--flink", default="2.2.1")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--rows", type=int, default=1000000)
    args = parser.parse_args()
    binary = os.path.abspath(args.bin)
    folder = tempfile.mkdtemp(prefix="sluice-bench-")
    load = os.getloadavg()[0]
    print(f"Machine: {os.cpu_count()} cores, load {load:.1f} at the start. Flink {args.flink}. Asserts nothing.")
    process_start(binary, folder, 20)
    stock.distribution(args.flink)
    query = os.path.join(folder, "query.sql")
    with open(query, "w", encoding="utf-8") as f:
        f.write(QUERY)
    for_client = os.path.join(folder, "client.sql")
    with open(for_client, "w", encoding="utf-8") as f:
        f.write("SET 'sql-client.execution.result-mode' = 'tableau';\n" + QUERY)
    statements = [s.strip() for s in QUERY.split(";\n") if s.strip()]
    sluice = Sluice(binary, args.flink)
    subprocess.run([binary, "flink", "install", args.flink], env=sluice.env, check=True, stdout=subprocess.DEVNULL)

    cold = {"Sluice, session": [], "Sluice, application": [], "sql-client.sh -f": [], "stock SQL gateway": []}
    warm = {"Sluice, session": [], "Sluice, application": [], "sql-client.sh -f": [], "stock SQL gateway": []}
    for _ in range(args.runs):
        sluice.stop()
        cold["Sluice, session"].append(sluice.run(query))
        warm["Sluice, session"].append(sluice.run(query))
        sluice.stop()
        cold["Sluice, application"].append(sluice.run(query, "--mode", "application"))
        warm["Sluice, application"].append(sluice.run(query, "--mode", "application"))
        sluice.stop()

        side = Stock(args.flink)
        try:
            start = time.monotonic()
            side.cluster.start_cluster()
            up = time.monotonic() - start
            t = side.client(for_client)
            t.first, t.end = t.first + up, t.end + up
            cold["sql-client.sh -f"].append(t)
            warm["sql-client.sh -f"].append(side.client(for_client))
        finally:
            side.cluster.stop()
        side = Stock(args.flink)
        try:
            start = time.monotonic()
            side.cluster.start_cluster()
            side.cluster.start_gateway()
            side.cluster.wait_gateway()
            side.cluster.wait_cluster()
            up = time.monotonic() - start
            first, end, _, _ = side.gateway(statements)
            cold["stock SQL gateway"].append((first + up, end + up))
            first, end, _, _ = side.gateway(statements)
            warm["stock SQL gateway"].append((first, end))
        finally:
            side.cluster.stop()

    def lines(cases):
        return [(name, [v[0] if isinstance(v, tuple) else v.first for v in runs], [v[1] if isinstance(v, tuple) else v.end for v in runs]) for name, runs in cases.items()]
    table(f"Cold: no Java process before; a grouped aggregate over 2,000 rows ({args.runs} runs)", lines(cold))
    table("Warm: the second time", lines(warm))

    wide = os.path.join(folder, "wide.sql")
    with open(wide, "w", encoding="utf-8") as f:
        f.write(TEN % args.rows + TEN_SELECT + ";\n")
    print(f"\n{args.rows:,} rows of ten columns             rows/s    CPU s per million rows     RSS of all")
    sluice.run(query)
    before = cpu_of(environment_pids(sluice.mark))
    run = sluice.run(wide)
    pids = environment_pids(sluice.mark)
    used = cpu_of(pids) - before + run.cpu
    ours = run.rows / run.end
    print(f"  Sluice, session, JSON lines         {ours:10,.0f} {used / run.rows * 1e6:14.1f} {rss_of(pids) + run.rss:20.0f} MB")
    sluice.stop()
    side = Stock(args.flink)
    try:
        side.cluster.start_cluster()
        side.cluster.start_gateway()
        side.cluster.wait_gateway()
        side.cluster.wait_cluster()
        side.gateway(statements)
        before = cpu_of(side.cluster.pids())
        _, end, rows, _ = side.gateway([(TEN % args.rows).strip().rstrip(";"), TEN_SELECT])
        pids = side.cluster.pids()
        used = cpu_of(pids) - before
        theirs = rows / end
        print(f"  stock SQL gateway, REST             {theirs:10,.0f} {used / rows * 1e6:14.1f} {rss_of(pids):20.0f} MB")
        print(f"  ratio                               {ours / theirs:10.2f}")
    finally:
        side.cluster.stop()


if __name__ == "__main__":
    main()
