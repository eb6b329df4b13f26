#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""`make bench`: Sluice beside what people have without it, on this machine, in one run. Prints tables and ratios; asserts nothing.

Parts: start, run, rows (flink.py), server (front.py), language (language.py), track (tracker.py). `make bench BENCH="--parts start,rows --runs 1"` takes some of them;
a whole run also writes tests/bench/last.md, a part $BUILD/bench/last.md.
"""
import argparse
import os
import subprocess
import sys
import time

import flink
import front
import language
import tracker
from measure import REPORT, ROOT, Skipped, load, machine, note, say

PARTS = {"start": ("One process", flink.start), "run": ("From a file to its rows", flink.run), "rows": ("Many rows", flink.rows),
         "server": ("The server", front.go), "language": ("The language in process", language.go), "track": ("Runs under watch", tracker.go)}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", required=True)
    parser.add_argument("--flink", default="2.2.1")
    parser.add_argument("--parts", default=",".join(PARTS))
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--rows", type=int, default=1000000)
    parser.add_argument("--seconds", type=float, default=6, help="CPU seconds a tool and case of the part language; four times that for the JVM to get warm")
    parser.add_argument("--out", help="the file for the report")
    args = parser.parse_args()
    args.bin = os.path.abspath(args.bin)
    wanted = args.parts.split(",")
    if set(wanted) - set(PARTS):
        parser.error(f"parts are {', '.join(PARTS)}")
    whole = len(wanted) == len(PARTS)
    out = args.out or (os.path.join(ROOT, "tests", "bench", "last.md") if whole else os.path.join(os.path.dirname(args.bin), "bench", "last.md"))
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True, cwd=ROOT).stdout.strip()
    begun, before = time.monotonic(), load()
    say("# What `make bench` measured\n")
    say(f"{time.strftime('%Y-%m-%d %H:%M', time.gmtime())} UTC, commit {commit}. {machine()}; load {before:.1f} at the start. Flink {args.flink}. "
        "Ratios above 1 mean that Sluice is better.")
    failed = []
    for name in wanted:
        title, part = PARTS[name]
        say(f"\n## {title}")
        at = time.monotonic()
        try:
            part(args)
        except (Skipped, OSError, AssertionError, subprocess.SubprocessError) as e:
            note(f"Not measured: {e}")
            failed.append(name)
        note(f"({time.monotonic() - at:.0f} s, load {load():.1f} at its end)")
    say(f"\nAll in {(time.monotonic() - begun) / 60:.1f} minutes.")
    os.makedirs(os.path.dirname(out), exist_ok=True)
    with open(out, "w", encoding="utf-8") as f:
        f.write("\n".join(REPORT) + "\n")
    print(f"\nWritten to {os.path.relpath(out)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
