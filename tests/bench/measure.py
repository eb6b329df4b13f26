# SPDX-License-Identifier: Apache-2.0
"""What the parts of `make bench` share: processes timed from outside, and the report, which is markdown on stdout and in a file."""
import glob
import os
import re
import statistics
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TICK = os.sysconf("SC_CLK_TCK")
REPORT = []


class Skipped(Exception):
    """A side that is not to be had here; the reason is printed in its place."""


def say(text=""):
    REPORT.append(text)
    print(text, flush=True)


def note(text):
    say(f"\n{text}")


def table(title, head, rows):
    say(f"\n### {title}\n")
    widths = [max([len(str(c)) for c in column] + [3]) for column in zip(head, *rows)]
    for n, row in enumerate([head, ["-" * w for w in widths], *rows]):
        cells = [str(c).ljust(w) if i == 0 or n == 1 else str(c).rjust(w) for i, (c, w) in enumerate(zip(row, widths))]
        say("| " + " | ".join(cells) + " |")


def spread(values, form="{:.2f}"):
    """min / median / max."""
    if not values:
        return "-"
    return " / ".join(form.format(v) for v in (min(values), statistics.median(values), max(values)))


def times(theirs, ours):
    """How many times the peer's median is ours."""
    if not theirs or not ours or not statistics.median(ours):
        return "-"
    return f"{statistics.median(theirs) / statistics.median(ours):.2f}"


def load():
    return os.getloadavg()[0]


def machine():
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as f:
        model = re.search(r"model name\s*:\s*(.*)", f.read())
    with open("/proc/meminfo", encoding="ascii") as f:
        memory = int(re.search(r"MemTotal:\s*(\d+)", f.read())[1]) / 1e6
    java = subprocess.run(["java", "-version"], capture_output=True, text=True).stderr.splitlines()
    return f"{os.cpu_count()} cores ({model[1] if model else 'unknown'}), {memory:.0f} GB, Java {java[0].split(chr(34))[1] if java else '?'}"


def environment_pids(mark):
    """Processes whose environment holds this NAME=VALUE."""
    found = []
    for path in glob.glob("/proc/[0-9]*/environ"):
        try:
            with open(path, "rb") as f:
                if mark.encode() in f.read().split(b"\0"):
                    found.append(int(path.split("/")[2]))
        except OSError:
            pass
    return [p for p in found if p != os.getpid()]


def cpu_of(pids):
    """CPU seconds of these processes and of their children that have ended."""
    total = 0.0
    for pid in pids:
        try:
            with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as f:
                fields = f.read().rsplit(")", 1)[1].split()
            total += sum(int(n) for n in fields[11:15]) / TICK
        except OSError:
            pass
    return total


def rss_of(pids):
    """MB."""
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
    """A child whose stdout is read as it comes: seconds to its first byte, to the first line that is a row, to its end; CPU and
    peak RSS of it and of the children it has waited for; rows."""

    def __init__(self, argv, env, is_row, folder, rows_wanted=True):
        start = time.monotonic()
        self.first, self.answer, self.rows, out = None, None, 0, []
        with open(os.path.join(folder, "stderr"), "wb") as err:
            child = subprocess.Popen(argv, env=env, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=err)
            for line in child.stdout:
                if self.answer is None:
                    self.answer = time.monotonic() - start
                if is_row(line):
                    if self.first is None:
                        self.first = time.monotonic() - start
                    self.rows += 1
                elif len(out) < 200:
                    out.append(line)
            _, status, usage = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
        self.end = time.monotonic() - start
        self.rc, self.cpu, self.rss = child.returncode, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024
        if self.rc != 0 or (rows_wanted and self.first is None):
            with open(os.path.join(folder, "stderr"), encoding="utf-8", errors="replace") as f:
                sys.stderr.write(f.read()[-3000:])
            sys.stderr.write(b"".join(out).decode("utf-8", "replace")[-3000:])
            raise Skipped(f"{' '.join(argv)} ended with {self.rc}, {self.rows} rows")
