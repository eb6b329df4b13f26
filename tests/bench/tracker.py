# SPDX-License-Identifier: Apache-2.0
"""The part `track` of `make bench`: runs under watch beside JobManagers that hang. There is nothing to compare it with; the rule is in
tests/unit/gateway_jobs/tracker_rest.c, which is what runs here."""
import os
import re
import subprocess

from measure import Skipped, note, table


def go(args):
    """1,000 and 5,000 runs looked at every 5 s, each with a JobManager of its own; stretches in which three hang between others."""
    program = os.path.join(os.path.dirname(args.bin), "unit", "gateway_jobs", "tracker_rest")
    rows, notes = [], []
    for runs, pairs in ((1000, max(3, args.runs)), (5000, args.runs)):
        env = dict(os.environ, TRACK_RUNS=str(runs), TRACK_LOOK_MS="5000", TRACK_HANG="3", TRACK_PAIRS=str(pairs))
        p = subprocess.run([program], env=env, capture_output=True, text=True, timeout=600)
        out = p.stdout + p.stderr
        if p.returncode != 0:
            raise Skipped(f"{program} ended with {p.returncode}: {out[-500:]}")
        for kind in ("well", "hanging"):
            looks, blind, late, p50, p99, oldest, cpu = re.search(
                rf"^{kind} +looks (\d+) in .*blind (\d+), late (\d+);.*whole p50 ([\d.]+) p99 ([\d.]+) .*oldest shown ([\d.]+) s; CPU ([\d.]+) %", out, re.M).groups()
            rows.append([f"{runs:,} runs{', 3 hang' if kind == 'hanging' else ''}", looks, blind, late, p50, p99, oldest, cpu])
        notes.append(f"{runs:,} runs: {re.search(r'^ratio +(.*)$', out, re.M)[1]}; {re.search(r'^both +(.*)$', out, re.M)[1]}.")
    table("Each run is looked at every 5 s", ["", "looks", "saw nothing", "late", "p50, ms", "p99, ms", "oldest shown, s", "CPU, % of a core"], rows)
    note("p50 and p99: from when a look is due to its end, of those that saw something; CPU without that of the JobManagers. " + " ".join(notes))
