# SPDX-License-Identifier: Apache-2.0
"""What `sluice flink install` shows, whole, with the real distribution from an index on this machine: on a terminal with Ctrl-C in
the middle and every step to the class archives, in a pipe, and as events. Only figures are masked."""
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import threading
import time

import harness
import pytest
from test_install import Index, Place

VERSION, TOTAL = "2.2.1", 312587297
WHEEL = f"apache_flink_libraries-{VERSION}-py2.py3-none-any.whl"
BAR = r" download  apache_flink_libraries-2\.2\.1  \[(#*)(-*)\]  (\d+) / 312 MB(?:   (\d+\.\d) MB/s   \d+ s left)?"


@pytest.fixture(scope="module")
def folder():
    it = tempfile.mkdtemp(prefix="sluice-look-")
    yield it
    shutil.rmtree(it, ignore_errors=True)


@pytest.fixture(scope="module")
def distribution(sluice):
    """The wheel as the session's `flink install` keeps it; got again when somebody has cleaned up there."""
    path = os.path.join(os.environ.get("SLUICE_DOWNLOADS", os.path.join(harness.CACHE, "dl")), WHEEL)
    if not os.path.exists(path):
        sluice("flink", "install", VERSION, env={"SLUICE_FLINK_DIR": os.path.join(sluice.folder, "again")}, timeout=900).ok()
    with open(path, "rb") as f:
        body = f.read()
    assert len(body) == TOTAL
    return body, hashlib.sha256(body).hexdigest()


class Machine:
    """A home of its own, where nothing is set but the index; `runner`: class archives can be made."""

    def __init__(self, folder, name, distribution, pause, runner=False):
        self.index = Index()
        self.index.files[WHEEL], self.index.sha[WHEEL], self.index.delay = distribution[0], distribution[1], pause
        os.makedirs(os.path.join(folder, name))
        place = Place(pathlib.Path(folder, name), self.index)
        del place.env["SLUICE_FLINK_DIR"], place.env["SLUICE_DOWNLOADS"]
        place.env.update(NO_COLOR="1", SLUICE_DATA=f"{place.home}/data")
        if runner:
            shutil.copy(os.path.join(os.path.dirname(harness.BIN), "sluice-runner.jar"), os.path.dirname(place.bin))
        self.argv, self.env, self.home = [place.bin, "flink", "install"], place.env, place.home


class Piped:
    """The call in a pipe, with the time of every line."""

    def __init__(self, machine, *args):
        self.lines = []
        self.child = subprocess.Popen(machine.argv + list(args), env=machine.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.readers = [threading.Thread(target=self.read, args=(pipe, name), daemon=True) for name, pipe in (("out", self.child.stdout), ("err", self.child.stderr))]
        for reader in self.readers:
            reader.start()

    def read(self, pipe, name):
        for line in pipe:
            self.lines.append((time.monotonic(), name, line))

    def finish(self):
        assert self.child.wait(600) == 0, self.lines
        for reader in self.readers:
            reader.join(10)
        return self.lines


@pytest.fixture(scope="module", autouse=True)
def piped(folder, distribution):
    """Both forms without a terminal download slowly while the terminal's test works."""
    machines = {"text": Machine(folder, "pipe", distribution, 0.0045), "json": Machine(folder, "json", distribution, 0.001)}
    calls = {"text": Piped(machines["text"]), "json": Piped(machines["json"], "--json")}
    yield calls
    for call in calls.values():
        call.child.kill()
        call.child.wait()
    for machine in machines.values():
        machine.index.close()


def timed(line):
    """A step with its time, which ends at column 64."""
    step = re.fullmatch(r"(.*?) {2,}(\d+\.\d s|\d+ s|\d+ min)", line)
    assert step and len(line) == 64, line
    return step[1]


def test_terminal(folder, distribution):
    it = Machine(folder, "terminal", distribution, 0.002, runner=True)
    try:
        call = harness.Terminal(it.argv, it.env, it.home)
        drawn = harness.wait_for(lambda: (lambda x: x if len(x) >= 5 and x[-1][3] else None)(re.findall(rf"\r\x1b\[K{BAR}(?=\r)", call.raw)), 60, "a bar that moves")
        assert [int(x[2]) for x in drawn] == sorted(int(x[2]) for x in drawn) and int(drawn[-1][2]) > int(drawn[0][2])
        call.type("\x03")
        done = call.finish(20)
        assert done.rc == 130, str(done)
        assert call.raw.count("\n") == 4, "the bar is one line, redrawn: " + repr(call.raw[:600])
        head, bar, typed, stopped = done.out.splitlines()
        assert head == "Flink 2.2.1 (default; also: 1.20.5, 2.3.0)"
        bar = re.fullmatch(BAR, bar)
        assert bar and len(bar[1] + bar[2]) == 26 and 0 <= int(bar[3]) * 26 // 312 - len(bar[1]) <= 1 and bar[4], done.out
        assert typed == "^C"
        kept = re.fullmatch(r"stopped at (\d+) MB; sluice flink install goes on from there", stopped)
        assert kept and int(bar[3]) <= int(kept[1]) < 312, done.out
        assert not os.path.exists(f"{it.home}/.local/share/sluice/flink/{VERSION}")

        it.index.delay = 0
        call = harness.Terminal(it.argv, it.env, it.home)
        done = call.finish(200)
        assert done.rc == 0, str(done)
        assert re.search(rf"\r\x1b\[K{BAR}(?=\r)", call.raw) and "\r\x1b[K prepare   class archives" in call.raw
        lines = done.out.splitlines()
        assert timed(lines[0]) == f" download  312 MB ({kept[1]} MB were here)"
        assert lines[1] == " verify    sha256 ok"
        assert re.fullmatch(r" unpack    \d\d jars", timed(lines[2])), lines
        assert timed(lines[3]) == " prepare   planner unpacked, class archives for 3 roles"
        assert re.fullmatch(r" installed Flink 2\.2\.1 in ~/\.local/share/sluice/flink/2\.2\.1 \(\d{3} MB\); Java (11|17|21)[.\d]* at /\S+/java", lines[4]), lines
        assert len(lines) == 5, done.out
        ranges = [a[1] for a in it.index.downloads()]
        assert len(ranges) == 2 and int(ranges[1].split("=")[1].rstrip("-")) // 1000000 == int(kept[1])
        assert not harness.processes(f"SLUICE_DATA={it.home}/data\0"), "JVMs that made the archives are left"
    finally:
        it.index.close()


def test_pipe(piped):
    lines = piped["text"].finish()
    assert {name for _, name, _ in lines} == {"err"} and not any(c in text for _, _, text in lines for c in "\r\x1b")
    said = [(at, text.rstrip("\n")) for at, _, text in lines]
    assert said[0][1] == "Flink 2.2.1 (default; also: 1.20.5, 2.3.0)"
    steady = [(at, re.fullmatch(r" download  (\d+)/312 MB", text)) for at, text in said[1:]]
    steady = [(at, int(match[1])) for at, match in steady if match]
    assert len(steady) >= 2 and [n for _, n in steady] == sorted({n for _, n in steady}), said
    assert all(b[0] - a[0] > 9 for a, b in zip(steady, steady[1:])), said
    rest = [text for _, text in said[1 + len(steady):]]
    assert timed(rest[0]) == " download  312 MB" and rest[1] == " verify    sha256 ok" and re.fullmatch(r" unpack    \d\d jars", timed(rest[2])), rest
    assert re.fullmatch(r" prepare   planner unpacked; .*", rest[3]), rest
    assert re.fullmatch(r" installed Flink 2\.2\.1 in ~/\.local/share/sluice/flink/2\.2\.1 \(\d{3} MB\); Java .* at /\S+/java", rest[4]) and len(rest) == 5, rest


def test_events(piped):
    lines = piped["json"].finish()
    assert {name for _, name, _ in lines} == {"out"}
    events = [json.loads(text) for _, _, text in lines]
    progress = [text for _, _, text in lines if '"progress"' in text and '"download"' in text]
    assert progress and all(re.fullmatch(rf'{{"event":"progress","step":"download","done":\d+,"total":{TOTAL}}}\n', text) for text in progress), progress
    done = [e["done"] for e in events if e["event"] == "progress" and e["step"] == "download"]
    assert done == sorted(set(done)) and done[-1] <= TOTAL
    assert [e["step"] for e in events if e["event"] == "step"] == ["download", "verify", "unpack", "prepare"]
    assert events[-1]["event"] == "result" and events[-1]["ok"] and events[-1]["flink"] == VERSION and events[-1]["bytes"] > 300_000_000


def test_run_that_installs_is_interrupted(folder, distribution):
    """The first run gets its Flink by itself: that ends with Ctrl-C too, and what is there stays."""
    it = Machine(folder, "first", distribution, 0.002, runner=True)
    script, part = os.path.join(it.home, "q.sql"), f"{it.home}/.cache/sluice/dl/{WHEEL}.part"
    with open(script, "w", encoding="ascii") as f:
        f.write("SELECT 1;\n")
    try:
        call = harness.Terminal([it.argv[0], "run", "q.sql"], it.env, it.home)
        harness.wait_for(lambda: os.path.exists(part) and os.path.getsize(part) > 5_000_000, 60, "a download under way")
        call.type("\x03")
        done = call.finish(10)
        assert done.rc == 130, str(done)
        assert re.search(r"^\^C\nstopped at \d+ MB; sluice flink install goes on from there\n", done.out, re.M), repr(done.out)
        assert os.path.getsize(part) > 5_000_000
    finally:
        subprocess.run([it.argv[0], "owner", "stop"], env=it.env, capture_output=True, timeout=60)
        it.index.close()
    assert not harness.processes(f"SLUICE_DATA={it.home}/data\0")
