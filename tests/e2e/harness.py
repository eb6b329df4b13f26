# SPDX-License-Identifier: Apache-2.0
"""Drives the real build/sluice against real Flinks: one data folder per pytest session, one Flink installation folder for
all sessions (~/.cache/sluice/test-flink, made anew when the code that installs has changed)."""
import codecs
import fcntl
import glob
import hashlib
import http.client
import json
import os
import pty
import re
import shutil
import signal
import struct
import subprocess
import tempfile
import termios
import threading
import time
import urllib.error
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BIN = os.path.abspath(os.environ.get("SLUICE_BIN", os.path.join(ROOT, "build", "sluice")))
FULL = os.environ.get("SLUICE_FULL") == "1"
PATIENCE = 3  # a wait is given in seconds of a quiet machine; a loaded one gets this many times as long
CACHE = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "sluice")
PATCH = {"1.20": "1.20.5", "2.2": "2.2.1", "2.3": "2.3.0"}
KINDS = {"INSERT": "+I", "UPDATE_BEFORE": "-U", "UPDATE_AFTER": "+U", "DELETE": "-D"}


class Done:
    """What a call gave: exit status, stdout, stderr, seconds, and the events of --json."""

    def __init__(self, argv, rc, out, err, seconds):
        self.argv, self.rc, self.out, self.err, self.seconds = argv, rc, out, err, seconds

    @property
    def events(self):
        return [json.loads(line) for line in self.out.splitlines() if line.startswith("{")]

    def rows(self, result=None):
        """[(kind, [values])] of the row events."""
        return [(e["kind"], e["values"]) for e in self.events if e["event"] == "row" and result in (None, e["result"])]

    def columns(self, result=1):
        return [e["columns"] for e in self.events if e["event"] == "columns" and e["result"] == result][0]

    @property
    def result(self):
        last = self.events[-1]
        assert last["event"] == "result", last
        return last

    def ok(self, rc=0):
        assert self.rc == rc, f"exit {self.rc}, not {rc}: {' '.join(self.argv)}\n--- stdout\n{self.out[-3000:]}\n--- stderr\n{self.err[-4000:]}"
        return self

    def __str__(self):
        return f"exit {self.rc}\n--- stdout\n{self.out}\n--- stderr\n{self.err}"


def flink_home():
    """XDG_DATA_HOME of the tests: Flink installations outlive a session, but not a change of the code that makes them."""
    if os.environ.get("E2E_FLINK_HOME"):
        return os.environ["E2E_FLINK_HOME"]
    digest = hashlib.sha256()
    for path in sorted(glob.glob(os.path.join(ROOT, "runtime-image", "*.[ch]"))):
        with open(path, "rb") as f:
            digest.update(f.read())
    top = os.path.join(CACHE, "test-flink", digest.hexdigest()[:16])
    os.makedirs(top, exist_ok=True)
    os.utime(top)
    for name in os.listdir(os.path.dirname(top)):
        old = os.path.join(os.path.dirname(top), name)
        if os.path.isdir(old) and time.time() - os.path.getmtime(old) > 6 * 3600:
            shutil.rmtree(old, ignore_errors=True)
    return top


def processes(mark):
    """Processes whose environment holds mark, zombies apart."""
    found = []
    for path in glob.glob("/proc/[0-9]*/environ"):
        pid = int(path.split("/")[2])
        try:
            with open(path, "rb") as f:
                if mark.encode() not in f.read():
                    continue
            with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as f:
                if f.read().rsplit(")", 1)[1].split()[0] == "Z":
                    continue
        except OSError:
            continue
        if pid != os.getpid():
            found.append(pid)
    return found


def command_line(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as f:
            return f.read().replace(b"\0", b" ").decode("utf-8", "replace")
    except OSError:
        return ""


def listening_ports(pids):
    inodes = set()
    for pid in pids:
        for fd in glob.glob(f"/proc/{pid}/fd/*"):
            try:
                match = re.match(r"socket:\[(\d+)\]", os.readlink(fd))
            except OSError:
                continue
            if match:
                inodes.add(match[1])
    ports = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        if os.path.exists(table):
            for line in open(table, encoding="ascii").readlines()[1:]:
                part = line.split()
                if part[3] == "0A" and part[9] in inodes:
                    ports.add(int(part[1].rsplit(":", 1)[1], 16))
    return ports


def is_dead(pid):
    """A killed process loses its memory, and with it its command line, before its files and locks; those go with its last thread."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as f:
            return f.read().rsplit(")", 1)[1].split()[0] in "ZX" and len(os.listdir(f"/proc/{pid}/task")) <= 1
    except (FileNotFoundError, ProcessLookupError):
        return True


def wait_for(condition, seconds, what):
    seconds *= PATIENCE
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"{what}: not within {seconds} s")
        time.sleep(0.1)


def get(url, timeout=10):
    with urllib.request.urlopen(url, timeout=timeout) as answer:
        return json.loads(answer.read())


class Background:
    """A call that goes on: its lines are collected by threads."""

    def __init__(self, argv, env, cwd):
        self.argv = argv
        self.start = time.monotonic()
        self.child = subprocess.Popen(argv, env=env, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.out, self.err = [], []
        self.threads = [threading.Thread(target=self.collect, args=pair, daemon=True) for pair in ((self.child.stdout, self.out), (self.child.stderr, self.err))]
        for thread in self.threads:
            thread.start()

    @staticmethod
    def collect(pipe, lines):
        for line in pipe:
            lines.append(line)

    def wait_line(self, pattern, seconds=60, stream="out"):
        def found():
            lines = list(getattr(self, stream))
            for line in lines:
                if re.search(pattern, line):
                    return line
            assert self.child.poll() is None or not lines or any(re.search(pattern, x) for x in lines), f"ended before {pattern!r}:\n{self.text()}"
            return None
        try:
            return wait_for(found, seconds, f"line {pattern!r}")
        except AssertionError as e:
            self.child.kill()  # a call that was given up keeps no owner busy
            raise AssertionError(f"{e}\n{self.text()}") from None

    def text(self):
        return f"--- stdout\n{''.join(self.out)[-3000:]}\n--- stderr\n{''.join(self.err)[-4000:]}"

    def signal(self, number):
        self.child.send_signal(number)

    def finish(self, seconds=60):
        seconds *= PATIENCE
        try:
            self.child.wait(seconds)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()
            raise AssertionError(f"did not end in {seconds} s: {' '.join(self.argv)}\n{self.text()}") from None
        for thread in self.threads:
            thread.join(5)
        return Done(self.argv, self.child.returncode, "".join(self.out), "".join(self.err), time.monotonic() - self.start)


class Terminal(Background):
    """A call on a terminal of its own: stdout and stderr come as one text, lines redrawn in place as they end up."""

    def __init__(self, argv, env, cwd, columns=120):
        self.argv, self.raw = argv, ""
        self.start = time.monotonic()
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
        self.child = subprocess.Popen(argv, env=dict(env, TERM="xterm"), cwd=cwd, stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
                                      preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        os.close(slave)
        self.threads = [threading.Thread(target=self.read, daemon=True)]
        self.threads[0].start()
        self.err = []

    def read(self):
        decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        while True:
            try:
                data = os.read(self.master, 65536)
            except OSError:
                return
            if not data:
                return
            self.raw += decode(data)

    @property
    def out(self):
        """The lines as they stand now."""
        return [re.split(r"\r(?:\x1b\[K)?", line)[-1].replace("\x1b[K", "") + "\n" for line in self.raw.replace("\r\n", "\n").split("\n")]

    def type(self, keys):
        os.write(self.master, keys.encode())

    def finish(self, seconds=60):
        seconds *= PATIENCE
        try:
            self.child.wait(seconds)
        except subprocess.TimeoutExpired:
            os.killpg(self.child.pid, signal.SIGKILL)
            self.child.wait()
            raise AssertionError(f"did not end in {seconds} s: {' '.join(self.argv)}\n{self.text()}") from None
        self.threads[0].join(5)
        os.close(self.master)
        return Done(self.argv, self.child.returncode, "".join(self.out)[:-1], "", time.monotonic() - self.start)


class Sluice:
    """One data folder with its owner and its local Flinks."""

    def __init__(self, name="e2e", env=None):
        self.folder = tempfile.mkdtemp(prefix=f"sluice-{name}-")
        self.data = os.path.join(self.folder, "data")
        self.tmp = os.path.join(self.folder, "tmp")
        self.work = os.path.join(self.folder, "work")
        os.makedirs(self.tmp)
        os.makedirs(self.work)
        self.env = dict(os.environ, SLUICE_DATA=self.data, XDG_DATA_HOME=flink_home(), TMPDIR=self.tmp, NO_COLOR="1", TZ="UTC", SLUICE_LOCAL_IDLE_TIME="20min", SLUICE_OWNER_IDLE_TIME="30min", **(env or {}))
        self.env.pop("MAKEFLAGS", None)
        self.mark = f"SLUICE_DATA={self.data}\0"
        self.count = 0

    def __call__(self, *args, timeout=180, env=None, input=None):
        argv = [BIN, *map(str, args)]
        timeout = max(timeout, 60 * PATIENCE)
        start = time.monotonic()
        child = subprocess.Popen(argv, env=dict(self.env, **(env or {})), cwd=self.work, stdin=subprocess.PIPE if input is not None else subprocess.DEVNULL,
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            out, err = child.communicate(input, timeout=timeout)
        except subprocess.TimeoutExpired:
            child.send_signal(signal.SIGINT)
            try:
                out, err = child.communicate(timeout=20)
            except subprocess.TimeoutExpired:
                child.kill()
                out, err = child.communicate()
            raise AssertionError(f"did not end in {timeout} s: {' '.join(argv)}\n--- stdout\n{out[-3000:]}\n--- stderr\n{err[-4000:]}") from None
        return Done(argv, child.returncode, out, err, time.monotonic() - start)

    def script(self, text, name=None):
        self.count += 1
        path = os.path.join(self.work, name or f"script{self.count}.sql")
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        return path

    def run(self, text, *args, timeout=180, name=None):
        """A script, with the events of --json."""
        return self("run", self.script(text, name), "--json", *args, timeout=timeout)

    def background(self, *args):
        return Background([BIN, *map(str, args)], self.env, self.work)

    def terminal(self, *args, env=None):
        return Terminal([BIN, *map(str, args)], dict(self.env, **(env or {})), self.work)

    def jobs(self):
        return json.loads(self("job", "ls", "--json").ok().out)

    def job(self, name):
        return json.loads(self("job", "show", name, "--json").ok().out)

    def pids(self):
        return processes(self.mark)

    def jvms(self):
        return [p for p in self.pids() if re.match(r"\S*java ", command_line(p))]

    def stop(self):
        done = self("owner", "stop", timeout=60)
        try:
            wait_for(lambda: not self.pids(), 20, "end of all processes")
        except AssertionError:
            left = [f"{p} {command_line(p)[:200]}" for p in self.pids()]
            raise AssertionError("still running after `owner stop`:\n" + "\n".join(left)) from None
        return done

    def kill_rest(self):
        for pid in self.pids():
            try:
                os.kill(pid, signal.SIGKILL)
            except OSError:
                pass

    def remove(self):
        self.kill_rest()
        shutil.rmtree(self.folder, ignore_errors=True)


def normal(rows):
    """Rows of a changelog without the order between keys: as a multiset."""
    return sorted((kind, json.dumps(values, ensure_ascii=False)) for kind, values in rows)


def local_cluster(folder):
    """(REST address, pid) of the JobManager that the owner of this data folder has started."""
    for pid in processes(f"SLUICE_DATA={folder}\0"):
        for port in listening_ports([pid]):
            try:
                if get(f"http://127.0.0.1:{port}/overview", 3)["slots-total"] > 0:
                    return f"http://127.0.0.1:{port}", pid
            except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError):
                continue
    raise AssertionError("no REST port of the local cluster was found")
