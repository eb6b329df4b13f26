# SPDX-License-Identifier: Apache-2.0
"""Exactly one run, whatever is killed and whenever: proved by the rows in the sink, never by the list of jobs. The owner is killed with -9 before and after each
of its durable writes and requests to Flink (tests/fault/shim.c) and at random moments, the JobManager with it; a new owner goes on. The seed is printed."""
import concurrent.futures
import glob
import hashlib
import json
import os
import random
import re
import signal
import socket
import sqlite3
import subprocess
import time
import zipfile

import pytest

import harness

SEED = int(os.environ.get("SEED", time.time()))
SHIM = os.path.join(os.path.abspath(os.environ.get("BUILD", os.path.join(harness.ROOT, "build"))), "fault", "shim.so")
ROWS = 40
KEEPER = """CREATE TABLE g (k INT) WITH ('connector' = 'datagen', 'rows-per-second' = '1');
CREATE TABLE hole (k INT) WITH ('connector' = 'blackhole');
INSERT INTO hole SELECT k FROM g;
"""
VALUES = ", ".join(f"({i})" for i in range(ROWS))


def load(folder, sets=1):
    """A bounded job that appends ROWS rows to files of a folder; `sets`: a chain of so many, each waits for the one before."""
    text = "SET 'execution.runtime-mode' = 'batch';\n"
    for i in range(sets):
        text += f"CREATE TABLE out{i} (k INT) WITH ('connector' = 'filesystem', 'path' = 'file://{folder}/{i}', 'format' = 'csv');\n"
        text += f"INSERT INTO out{i} SELECT x FROM (VALUES {VALUES}) AS v(x);\n"
    return text


def rows(folder, i=0):
    """The rows that the sink has: those of files it has finished."""
    count = 0
    for path in glob.glob(f"{folder}/{i}/**/*", recursive=True):
        if os.path.isfile(path) and not re.search(r"/[._]", path[len(folder):]):
            with open(path, encoding="ascii") as f:
                found = f.read().split()
            assert all(0 <= int(x) < ROWS for x in found), path
            count += len(found)
    return count


def owner_pids(sluice):
    return [p for p in sluice.pids() if re.search(r"sluice\S* .*owner run", harness.command_line(p))]


def kill_owner(sluice):
    found = set(owner_pids(sluice))
    for pid in found:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    harness.wait_for(lambda: all(map(harness.is_dead, found)), 10, "end of the owner")  # a call may have started the next one


def runs(sluice, name):
    return [r for r in json.loads(sluice("job", "ls", "--all", "--json").ok().out) if r["job"] == name]


def settle(sluice, name, seconds=60):
    """The runs of a job when all of them have ended and its submission is closed."""
    def look():
        found = runs(sluice, name)
        return found if all(r["ended"] for r in found) and not open_submissions(sluice, name) else None
    end = time.monotonic() + seconds * harness.PATIENCE
    while time.monotonic() < end:
        found = look()
        if found is not None:
            return found
        time.sleep(0.2)
    raise AssertionError(f"not settled: {runs(sluice, name)}, open: {open_submissions(sluice, name)}")


def query(sluice, sql, *args):
    db = sqlite3.connect(f"file:{sluice.data}/sluice.db?mode=ro", uri=True, timeout=30)
    try:
        return db.execute(sql, args).fetchall()
    finally:
        db.close()


def open_submissions(sluice, name):
    return query(sluice, "SELECT id FROM submission WHERE job = ? AND ended_ms IS NULL", name)


def whole(sluice):
    assert query(sluice, "PRAGMA integrity_check") == [("ok",)]
    assert query(sluice, "PRAGMA foreign_key_check") == []


class Tally:
    """What came of many kills: `once` of them in one run, and why the others did not."""

    def __init__(self):
        self.once, self.none = 0, []

    def note(self, sluice, name, folder, where, sets=1, witness=True):
        """`witness`: there is a JobManager that can still tell how the job ended; without one, LOST is the truth also of a job that wrote every row."""
        found = settle(sluice, name)
        got = [rows(folder, i) for i in range(sets)]
        text = f"{where}: rows {got}, runs {[(r['run'][:8], r['state'], r.get('error', {}).get('code')) for r in found]}"
        assert all(n in (0, ROWS) for n in got), f"twice or half: {text}"
        for r in found:
            if r["state"] == "FAILED":
                assert got[0] == 0 and r.get("error", {}).get("code") not in ("", "owner", "run-lost", None), f"FAILED without Flink's word: {text}"
        if got == [ROWS] * sets:
            self.once += 1
            assert {r["state"] for r in found} <= {"FINISHED"} | (set() if witness else {"LOST"}) and len(found) == sets, text
            assert all(r.get("error", {}).get("code") == "run-lost" for r in found if r["state"] == "LOST"), text
        else:
            assert not any(r["state"] == "FINISHED" for r in found) or sets > 1, text
            self.none.append(text)
        whole(sluice)

    def close(self, least, most):
        print(f"{self.once} of {self.once + len(self.none)} ended in exactly one run")
        for line in self.none:
            print(f"  none: {line}")
        assert self.once >= least * most, self.none


@pytest.fixture(scope="module")
def rng():
    print(f"seed {SEED}   (SEED={SEED} repeats it)")
    return random.Random(SEED)


@pytest.fixture(scope="module")
def world(flink):
    """A data folder whose local Flink stays, because a job that never ends runs there: owners come and go."""
    sluice = harness.Sluice("once")
    try:
        sluice("flink", "install", flink, timeout=900).ok()
        sluice("run", sluice.script(KEEPER), "-d", "--name", "keeper", "--flink", flink).ok()
        yield sluice
        whole(sluice)
    finally:
        if os.environ.get("E2E_KEEP") != "1":
            sluice.remove()


class Victim:
    """An owner that is killed before or after its n-th call of a kind, counted from the moment it is armed."""

    def __init__(self, sluice, op, n, when, path=None):
        kill_owner(sluice)
        self.arm = os.path.join(sluice.folder, "arm")
        if os.path.exists(self.arm):
            os.unlink(self.arm)
        env = dict(sluice.env, LD_PRELOAD=SHIM, FAULT_OP=op, FAULT_N=str(n), FAULT_KILL=when, FAULT_ARM=self.arm)
        if path:
            env["FAULT_PATH"] = path
        self.child = subprocess.Popen([harness.BIN, "owner", "run"], env=env, cwd=sluice.work, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        harness.wait_for(lambda: "pid" in sluice("owner", "status").out, 20, "the owner")

    def shoot(self):
        with open(self.arm, "w", encoding="ascii"):
            pass

    def end(self):
        """Did it die of the call?"""
        struck = self.child.poll() is not None
        if not struck:
            self.child.kill()
        self.child.wait()
        return struck


class Counter:
    def __init__(self):
        self.n = 0

    def __call__(self, what):
        self.n += 1
        return f"{what}-{self.n}"


COUNT = Counter()


def submit(sluice, flink, mode, text, name, *args):
    return sluice("run", sluice.script(text, f"{name}.sql"), "-d", "--name", name, "--flink", flink, "--mode", mode, *args, timeout=120)


# The first calls from the moment a script comes in: the kept request, the opened submission, intents, marks, states; requests to Flink's REST.
BOUNDARIES = [("sync", when, n) for when in ("before", "after") for n in (1, 2, 3, 4, 5, 6)] + [("send", when, n) for when in ("before", "after") for n in (1, 2)]
APPLICATION = [("sync", "before", 3), ("sync", "after", 3), ("sync", "after", 4), ("sync", "before", 6), ("sync", "after", 6), ("send", "after", 1)]


@pytest.mark.parametrize("mode", ["session", "application"])
def test_killed_at_each_boundary(world, flink, mode):
    tally = Tally()
    places = BOUNDARIES if mode == "session" else APPLICATION
    if harness.FULL:
        places = [(op, when, n) for op in ("sync", "send") for when in ("before", "after") for n in range(1, 25 if mode == "session" else 16)]
    least, struck, missed = len(BOUNDARIES if mode == "session" else APPLICATION) * 0.8, 0, {}
    for op, when, n in places:
        if missed.get((op, when), 0) >= 3:
            continue  # in full: a submission has no more of them
        name = COUNT(mode)
        folder = os.path.join(world.folder, "sink", name)
        victim = Victim(world, op, n, when, world.data if op == "sync" else None)
        victim.shoot()
        done = submit(world, flink, mode, load(folder), name)  # it comes back with its key by itself
        hit = victim.end()
        struck += hit
        missed[op, when] = 0 if hit else missed.get((op, when), 0) + 1
        where = f"{when} {op} {n}, {mode}: exit {done.rc}"
        assert done.rc in (0, 4), f"{where}\n{done}"
        tally.note(world, name, folder, where)
    print(f"{struck} of {tally.once + len(tally.none)} places were reached")
    tally.close(0.9, tally.once + len(tally.none))
    assert struck >= least


@pytest.mark.parametrize("mode", ["session", "application"])
def test_killed_at_random_moments(world, flink, mode, rng):
    """From the moment the call begins until its job has ended; every second time the call dies with the owner, and nobody comes back."""
    tally = Tally()
    name = COUNT("measure")
    began = time.monotonic()
    submit(world, flink, mode, load(os.path.join(world.folder, "sink", name), 2), name).ok()
    settle(world, name)
    took = time.monotonic() - began
    times = {"session": (14, 140), "application": (4, 60)}[mode][harness.FULL]
    for i in range(times):
        name = COUNT(mode)
        folder = os.path.join(world.folder, "sink", name)
        moment = rng.uniform(0.15, took)
        call = world.background("run", world.script(load(folder, 2), f"{name}.sql"), "-d", "--name", name, "--flink", flink, "--mode", mode)
        time.sleep(moment)
        if i % 2:
            call.signal(signal.SIGKILL)
        kill_owner(world)
        done = call.finish(60)
        known = query(world, "SELECT id FROM submission WHERE job = ?", name)
        where = f"after {moment:.2f} of {took:.2f} s, {mode}: exit {done.rc}"
        assert known or i % 2, f"{where}\n{done}"
        if known:  # else it was killed before the intent
            tally.note(world, name, folder, where, 2)
    tally.close(0.9, tally.once + len(tally.none))


def test_killed_with_the_jobmanager(own_sluice, flink, rng):
    """Both die: a job whose start nobody can tell any more is lost with a reason, and never sent again."""
    sluice, tally = own_sluice, Tally()
    submit(sluice, flink, "session", load(os.path.join(sluice.folder, "sink", "warm")), "warm").ok()
    for i in range(20 if harness.FULL else 3):
        name = COUNT("both")
        folder = os.path.join(sluice.folder, "sink", name)
        call = sluice.background("run", sluice.script(load(folder), f"{name}.sql"), "-d", "--name", name, "--flink", flink)
        time.sleep(rng.uniform(0.1, 1.2))
        for pid in [p for p in sluice.jvms() if "SessionClusterEntrypoint" in harness.command_line(p)]:
            os.kill(pid, signal.SIGKILL)
        kill_owner(sluice)
        done = call.finish(90)
        tally.note(sluice, name, folder, f"{i}: exit {done.rc}", witness=False)
    print(f"{tally.once} once, {len(tally.none)} not: {tally.none}")
    sluice("owner", "stop", "--yes", timeout=60)


def application_jobmanagers(sluice, but=()):
    """Those of applications that came before may still be ending."""
    return [p for p in sluice.jvms() if p not in but and "StandaloneApplicationClusterEntryPoint" in harness.command_line(p)]


def answers(sluice):
    """Does the newest application answer? Its main() has hardly begun then."""
    newest = max(glob.glob(f"{sluice.data}/clusters/app-*/cluster.json"), key=os.path.getmtime)
    try:
        with open(newest, encoding="utf-8") as f:
            return {"jobs": harness.get(json.load(f)["rest"] + "/jobs/overview", 1)["jobs"]}
    except (OSError, ValueError):
        return None


@pytest.mark.full
@pytest.mark.parametrize("moment", ["jvm", "rest", "submitted"])
@pytest.mark.parametrize("owner", ["stays", "killed"])
def test_an_application_killed_before_it_has_its_job(world, flink, owner, moment):
    """FAILED is Flink's word. Its JobManager alone knew how far it was: the run is lost with the reason, and is not sent again."""
    name = COUNT("cut")
    folder, before = os.path.join(world.folder, "sink", name), application_jobmanagers(world)
    call = world.background("run", world.script(load(folder), f"{name}.sql"), "-d", "--name", name, "--flink", flink, "--mode", "application")
    pids = harness.wait_for(lambda: application_jobmanagers(world, before), 60, "the JobManager of the application")
    end, seen = time.monotonic() + 180, None
    while moment == "rest" and not seen and application_jobmanagers(world, before) and time.monotonic() < end:
        seen = answers(world)
        time.sleep(0.01)
    if moment == "submitted":
        call.wait_line(r"submit .* run [0-9a-f]{8}", 60, "err")
    if owner == "killed":
        kill_owner(world)
    killed = 0
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
            killed += 1
        except ProcessLookupError:
            pass
    done = call.finish(120)
    found = settle(world, name)
    text = f"seen {seen}, killed {killed}, rows {rows(folder)}, {found}\n{done}"
    assert len(found) == 1 and rows(folder) in (0, ROWS) and not application_jobmanagers(world, before), text
    if found[0]["state"] == "FINISHED":  # this process was held up, and the job had ended before
        assert rows(folder) == ROWS, text
    else:
        code = found[0]["error"]["code"]
        assert found[0]["state"] == "LOST" and f"error[{code}]" in done.err, text
        assert (code, done.rc) == ("run-lost", 4) or ((code, done.rc) == ("flink-start", 6) and moment != "submitted"), text
    whole(world)


REFUSED = """CREATE TABLE g (item STRING, price INT) WITH ('connector' = 'datagen', 'number-of-rows' = '5');
CREATE TABLE revenue (item STRING, total INT) WITH ('connector' = 'filesystem', 'path' = 'file://%s/0', 'format' = 'csv');
INSERT INTO revenue SELECT item, SUM(price) FROM g GROUP BY item;
"""


def test_an_application_that_flink_refuses_has_failed_whoever_asks(world, flink):
    """Its owner is killed while it comes up: the next one finds Flink's own word."""
    name = COUNT("refused")
    folder, before = os.path.join(world.folder, "sink", name), application_jobmanagers(world)
    call = world.background("run", world.script(REFUSED % folder, f"{name}.sql"), "-d", "--name", name, "--flink", flink, "--mode", "application")
    harness.wait_for(lambda: application_jobmanagers(world, before), 60, "the JobManager of the application")
    kill_owner(world)
    done = call.finish(120)
    found = settle(world, name)
    text = f"{found}\n{done}"
    assert [r["state"] for r in found] == ["FAILED"] and found[0]["error"]["code"] not in ("", "owner", "run-lost"), text
    assert done.rc == 1 and "changelog-to-append-sink" in done.err, text
    assert rows(folder) == 0, text
    harness.wait_for(lambda: not application_jobmanagers(world, before), 60, "the end of its JobManager")


def ask(sluice, params, seconds):
    """One POST over the owner's socket, given up after so long; the answer or None."""
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(seconds)
    answer = b""
    try:
        s.connect(os.path.join(sluice.data, "sluice.sock"))
        s.sendall(json.dumps({"jsonrpc": "2.0", "id": 1, "method": "script.submit", "params": params}).encode() + b"\n")
        while True:
            piece = s.recv(65536)
            if not piece:
                return None
            answer += piece
            for line in answer.split(b"\n")[:-1]:
                if b'"id":1' in line and (b'"result":{' in line or b'"error":{' in line) and b'"method"' not in line:
                    return json.loads(line)
    except socket.timeout:
        return None
    finally:
        s.close()


@pytest.mark.parametrize("detach", [False, True])
def test_fifty_times_the_same_post(world, flink, detach):
    """A client that gives up and tries again, several of them at once: one run, and one answer for all who wait for it."""
    name = COUNT("posted")
    folder = os.path.join(world.folder, "sink", name)
    world("job", "ls").ok()  # an owner
    params = {"name": name, "key": f"key of {name}", "flink": flink, "detach": detach, "files": [{"name": "a.sql", "text": load(folder)}]}
    with concurrent.futures.ThreadPoolExecutor(5) as pool:
        answers = list(pool.map(lambda i: ask(world, params, 0.05 + 0.1 * (i % 5)), range(50)))
    last = ask(world, params, 60)
    assert last and last["result"]["exit"] == 0, last
    assert all(a is None or a["result"]["exit"] == 0 for a in answers), answers
    found = settle(world, name)
    assert [r["state"] for r in found] == ["FINISHED"] and rows(folder) == ROWS, (found, rows(folder))
    other = ask(world, dict(params, files=[{"name": "a.sql", "text": load(folder) + "SHOW TABLES;\n"}]), 60)
    assert other["result"]["exit"] == 5, other
    again = world("run", world.script(load(folder), f"{name}.sql"), "--id", f"key of {name}", "--name", name, "--flink", flink)
    assert again.rc in (0, 5) and rows(folder) == ROWS, str(again)


def test_the_same_key_from_the_command_line(world, flink):
    name = COUNT("keyed")
    folder = os.path.join(world.folder, "sink", name)
    script = world.script(load(folder) + "-- ${run.id}\n", f"{name}.sql")
    first = world("run", script, "--id", name, "--name", name, "--flink", flink, "--json").ok()
    again = world("run", script, "--id", name, "--name", name, "--flink", flink, "--json").ok()
    assert [e["text"] for e in again.events if e["event"] == "note"] == [f"key {name} was used before: nothing was run"]
    assert again.result == first.result
    kill_owner(world)
    assert world("run", script, "--id", name, "--name", name, "--flink", flink, "--json").ok().result == first.result
    refused = world("run", world.script(load(folder, 2)), "--id", name, "--name", name, "--flink", flink)
    assert refused.rc == 5 and f"error[key-reused]: key {name} was used before for job {name}, for something else" in refused.err, str(refused)
    assert rows(folder) == ROWS and len(runs(world, name)) == 1
    steps = query(world, "SELECT s.name, s.state FROM submission_step s JOIN submission u ON u.id = s.submission WHERE u.key = ? ORDER BY s.number", name)
    assert ("check", "done") in steps and ("submit", "done") in steps and ("finished", "done") in steps, steps


def test_a_running_name_is_refused(world, flink):
    name = COUNT("named")
    world("run", world.script(KEEPER, f"{name}.sql"), "-d", "--name", name, "--flink", flink).ok()
    path = world.script(KEEPER.replace("'1'", "'2'").replace("SELECT k FROM g", "SELECT k + 1 FROM g"), f"{name}.sql")
    refused = world("run", path, "-d", "--name", name, "--flink", flink)
    assert refused.rc == 5, str(refused)
    assert re.search(rf"^error\[job-exists\]: {name} is (running|starting) \(v1, \d+ s\) on local, and your file differs from it in 2 statements$", refused.err, re.M), refused.err
    assert re.search(rf"^ +sluice run \S*{name}\.sql --name {name}-2 +a second job beside it$", refused.err, re.M), refused.err
    world("run", path, "-d", "--name", f"{name}-2", "--flink", flink).ok()
    for one in (name, f"{name}-2"):
        world("job", "cancel", one).ok()
    kill_owner(world)
    # of two at once one wins, and the name is free afterwards
    calls = [world.background("run", path, "-d", "--name", name, "--flink", flink) for _ in range(2)]
    ends = sorted(c.finish(60).rc for c in calls)
    assert ends == [0, 5], [c.text() for c in calls]
    assert len([r for r in runs(world, name) if not r["ended"]]) == 1
    world("job", "cancel", name).ok()


def test_jars_of_a_version_are_kept(world, flink):
    """By their digest, so that the version can be run again whatever became of the file; other bytes are another version."""
    name = COUNT("jarred")
    jar = os.path.join(world.folder, f"{name}.jar")
    kept = {}
    for content in ("one", "two", "one", "one"):
        with zipfile.ZipFile(jar, "w") as z:
            z.writestr(zipfile.ZipInfo("name.txt"), content)
        submit(world, flink, "session", load(os.path.join(world.folder, "sink", name)), name, "--jar", jar).ok()
        settle(world, name)
        with open(jar, "rb") as f:
            data = f.read()
        path = os.path.join(world.data, "artifacts", hashlib.sha256(data).hexdigest() + ".jar")
        with open(path, "rb") as f:
            assert f.read() == data
        kept[content] = path
    os.unlink(jar)
    assert len(set(kept.values())) == 2 and all(os.path.exists(p) for p in kept.values())
    found = query(world, "SELECT version, artifact FROM version_artifact WHERE job = ? ORDER BY version", name)
    digests = [os.path.basename(kept[c])[:64] for c in ("one", "two", "one")]
    assert found == list(zip((1, 2, 3), digests)), found
    loose = os.path.join(world.data, "artifacts", "0" * 64 + ".jar")
    with open(loose, "wb"):
        pass
    kill_owner(world)
    world("job", "ls").ok()  # a new owner sweeps what no version names, and only that
    assert not os.path.exists(loose) and all(os.path.exists(p) for p in kept.values())


def killed_when_sent(world, flink, jar):
    """The name and folder of a job whose owner and call were killed when it was sent, at the latest."""
    for _ in range(20):
        name = COUNT("rebuilt")
        folder = os.path.join(world.folder, "sink", name)
        with zipfile.ZipFile(jar, "w") as z:
            z.writestr(zipfile.ZipInfo("name.txt"), name)
        victim = Victim(world, "send", 1, "before")
        call = world.background("run", world.script(load(folder), f"{name}.sql"), "-d", "--name", name, "--flink", flink, "--jar", jar)
        victim.shoot()
        victim.child.wait(60)
        call.signal(signal.SIGKILL)
        call.finish(20)
        kill_owner(world)
        if query(world, "SELECT 1 FROM version_artifact WHERE job = ?", name):
            return name, folder
        settle(world, name)  # the owner asked after the keeper first, and was killed before it had kept the jar
    raise AssertionError("no owner lived long enough")


def test_the_jar_is_another_file_when_it_goes_on(world, flink):
    """Owner and call are killed when the job was sent; before the next owner comes, somebody builds the jar anew, then removes it."""
    jar = os.path.join(world.folder, "built.jar")
    for gone in (False, True):
        name, folder = killed_when_sent(world, flink, jar)
        with open(jar, "w", encoding="ascii") as f:
            f.write("another one")
        if gone:
            os.unlink(jar)
        found = settle(world, name)
        assert [r["state"] for r in found] == ["FINISHED"] and rows(folder) == ROWS, (found, rows(folder))


def test_twenty_names_at_once_on_a_cold_folder(own_sluice, flink):
    """No owner, no Flink: one of each comes up, and each job runs once."""
    sluice = own_sluice

    def one(i):
        folder = os.path.join(sluice.folder, "sink", f"cold{i}")
        return i, folder, submit(sluice, flink, "session", load(folder), f"cold{i}")
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        for i, folder, done in pool.map(one, range(20)):
            done.ok()
    for i in range(20):
        settle(sluice, f"cold{i}")
        assert rows(os.path.join(sluice.folder, "sink", f"cold{i}")) == ROWS
    assert len([p for p in sluice.jvms() if "SessionClusterEntrypoint" in harness.command_line(p)]) == 1
    sluice("owner", "stop", "--yes", timeout=60).ok()
