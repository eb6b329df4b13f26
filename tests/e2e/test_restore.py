# SPDX-License-Identifier: Apache-2.0
"""Jobs are stopped, replaced, rolled back and restored: no record is lost, none is counted twice. A running count per key over a folder that
grows; what comes out is checked row by row: each record once, and the counts of a key without a gap."""
import collections
import glob
import json
import os
import random
import re
import signal
import sqlite3
import threading
import time

import harness
import pytest

ROUNDS = 20 if harness.FULL else 3
SEED = int(os.environ.get("E2E_SEED", time.time_ns() % 1000000))
KEYS = 5

SCRIPT = """SET 'execution.checkpointing.interval' = '{interval}';
CREATE TABLE src (id BIGINT, k STRING, pt AS PROCTIME()) WITH ('connector' = 'filesystem', 'path' = '{folder}/in', 'format' = 'csv', 'source.monitor-interval' = '100 ms');
CREATE TABLE dst (id BIGINT, k STRING, n BIGINT) WITH ('connector' = 'filesystem', 'path' = '{folder}/out', 'format' = 'csv');
INSERT INTO dst SELECT id, k, {what} OVER (PARTITION BY {key} ORDER BY pt) FROM src;
"""


class Feed:
    """Puts files of numbered records into <folder>/in, each whole at once, until it is stopped."""

    def __init__(self, folder, pause=0.15):
        self.folder, self.pause, self.next = folder, pause, 1
        for name in ("in", "out"):
            os.makedirs(os.path.join(folder, name))
        self.ended = threading.Event()
        self.put(50)
        self.thread = threading.Thread(target=self.work, daemon=True)
        self.thread.start()

    def put(self, n):
        hidden = os.path.join(self.folder, "making")
        with open(hidden, "w", encoding="ascii") as f:
            f.writelines(f"{i},k{i % KEYS}\n" for i in range(self.next, self.next + n))
        os.rename(hidden, os.path.join(self.folder, "in", f"part{self.next:08}.csv"))
        self.next += n

    def work(self):
        while not self.ended.wait(self.pause):
            self.put(20)

    def stop(self):
        self.ended.set()
        self.thread.join()


def rows(folder):
    """What is committed: (id, key, count)."""
    found = []
    for path in glob.glob(f"{folder}/out/part-*"):
        with open(path, encoding="ascii") as f:
            found += [(int(i), k, int(n)) for i, k, n in (line.split(",") for line in f.read().split())]
    return found


def check_exact(folder, last):
    """Every record from 1 to last is there once, and the counts of each key are 1, 2, 3 ... once each."""
    got = rows(folder)
    ids = collections.Counter(i for i, _, _ in got)
    twice, lost = [i for i, n in ids.items() if n > 1], [i for i in range(1, last + 1) if i not in ids]
    assert not twice and not lost, f"doubled {twice[:10]} ({len(twice)}), lost {lost[:10]} ({len(lost)}) of {last}; seed {SEED}"
    for key in {k for _, k, _ in got}:
        counts = sorted(n for _, k, n in got if k == key)
        assert counts == list(range(1, len(counts) + 1)), f"{key}: {counts[:3]}...{counts[-3:]}, {len(counts)} rows; seed {SEED}"


def state(sluice, name):
    return sluice.job(name)["state"]


def alive(sluice, name):
    history = json.loads(sluice("job", "history", name, "--json").ok().out)
    return [r for r in history["runs"] if not r["ended"]]


def history(sluice, name):
    return json.loads(sluice("job", "history", name, "--json").ok().out)


@pytest.fixture
def feed(sluice, request):
    folder = os.path.join(sluice.folder, re.sub(r"\W", "-", request.node.name))
    it = Feed(folder)
    yield it
    it.stop()


@pytest.fixture
def count(sluice, feed, flink, mode):
    """Scripts of the running count: v1 and v2 differ in a setting, `misfit` in the type of the key of its state (which no plan shows), `unfit` in what it keeps."""
    def write(name, interval="300 ms", key="k", what="COUNT(*)"):
        return sluice.script(SCRIPT.format(folder=feed.folder, interval=interval, key=key, what=what), f"{os.path.basename(feed.folder)}-{name}.sql")
    return {"v1": write("v1"), "v2": write("v2", "400 ms"), "misfit": write("misfit", key="id"), "unfit": write("unfit", what="SUM(id)"), "args": ("--flink", flink, "--mode", mode)}


def finish(sluice, feed, name):
    """The last records come in, the job is stopped with a savepoint, which commits all there is."""
    feed.stop()
    harness.wait_for(lambda: state(sluice, name) == "RUNNING", 30, "RUNNING")
    harness.wait_for(lambda: len(rows(feed.folder)) >= feed.next - 1, 60, "the last records")
    sluice("job", "stop", name).ok()
    check_exact(feed.folder, feed.next - 1)


def test_nothing_is_lost_or_doubled(sluice, feed, count, mode):
    """Stop and restore, replace, roll back, each of a job that runs or was stopped, and a change whose state does not fit, in an order of chance."""
    chance, name = random.Random(SEED), f"exact-{mode}"
    print(f"seed {SEED}")
    sluice("run", count["v1"], "-d", "--name", name, *count["args"]).ok()
    steps = ["restore", "replace", "rollback", "misfit", "revive"]
    order = steps[:3] + [chance.choice(steps) for _ in range(ROUNDS - 3)]
    if ROUNDS > 3:
        chance.shuffle(order)
    version = "v1"
    for step in order:
        time.sleep(chance.random() * 1.5)
        if step == "restore":
            sluice("job", "stop", name).ok()
            assert state(sluice, name) == "FINISHED"
            done = sluice("run", count[version], "-d", "--name", name, "--from", "latest", *count["args"]).ok()
            assert re.search(r"restored .*from savepoint-", done.err), done
        elif step == "replace" or (step == "rollback" and version == "v1"):
            version = "v2" if version == "v1" else "v1"
            done = sluice("run", count[version], "--name", name, "--replace", *count["args"]).ok()
            assert re.search(r"stop .*savepoint-", done.err) and re.search(r"restored .*from savepoint-", done.err), done
        elif step == "revive":  # nothing runs that could be replaced: it goes on from where it was stopped
            sluice("job", "stop", name).ok()
            back = chance.random() < 0.5
            done = sluice(*(("job", "rollback", name, "v1") if back else ("run", count[version], "--name", name, "--replace", *count["args"]))).ok()
            assert re.search(r"restored .*from savepoint-", done.err), done
            version = "v1" if back else version
        elif step == "rollback":
            done = sluice("job", "rollback", name, "v1").ok()
            assert re.search(r"restored .*from savepoint-", done.err), done
            version = "v1"
        else:
            assert sluice("run", count["misfit"], "--name", name, "--replace", "--well", "20s", *count["args"]).rc in (1, 5)
        harness.wait_for(lambda: state(sluice, name) == "RUNNING", 30, "RUNNING")
        live = alive(sluice, name)
        assert len(live) == 1 and live[0]["restoredFrom"], live
    finish(sluice, feed, name)


def test_state_that_does_not_fit(sluice, feed, count, mode):
    """Where the plans tell, it is told before the old run is stopped; else the old version runs again with its state."""
    name = f"misfit-{mode}"
    sluice("run", count["v1"], "-d", "--name", name, *count["args"]).ok()
    before = alive(sluice, name)
    done = sluice("run", count["unfit"], "--name", name, "--replace", "--well", "20s", *count["args"])
    assert done.rc == 5 and "error[state-does-not-fit]" in done.err and "OverAggregate" in done.err, done
    assert [r["run"] for r in alive(sluice, name)] == [r["run"] for r in before], "it was stopped"
    done = sluice("run", count["misfit"], "--name", name, "--replace", "--well", "20s", *count["args"])
    assert done.rc == 1 and re.search(r"error\[(not-well|checkpoint-restore-\w+)\]", done.err) and "back to v1" in done.err, done
    live = alive(sluice, name)
    assert len(live) == 1 and live[0]["version"] == 1 and live[0]["state"] == "RUNNING", live
    finish(sluice, feed, name)


def test_savepoint_that_fails(sluice, feed, count, mode):
    """A folder that cannot be: the job goes on running, and why is said."""
    name, blocked = f"blocked-{mode}", os.path.join(sluice.folder, f"a-file-{mode}")
    with open(blocked, "w", encoding="ascii") as f:
        f.write("no folder")
    sluice("run", count["v1"], "-d", "--name", name, *count["args"]).ok()
    for verb in ("stop", "savepoint"):
        done = sluice("job", verb, name, "--savepoint-dir", f"{blocked}/x")
        assert done.rc == 1 and "error[savepoint-failed]" in done.err and blocked in done.err, done
        assert verb == "savepoint" or "goes on running" in done.err, done
        assert state(sluice, name) == "RUNNING"
    failed = [s for s in history(sluice, name)["snapshots"] if s["kind"] == "savepoint"]
    assert [s["state"] for s in failed] == ["failed", "failed"] and all(blocked in s["reason"] for s in failed), failed
    elsewhere = os.path.join(sluice.folder, f"elsewhere-{mode}")
    saved = json.loads(sluice("job", "savepoint", name, "--savepoint-dir", elsewhere, "--json").ok().out)["savepoints"]
    path = re.sub("^file:", "", saved[0]["path"])
    assert path.startswith(elsewhere) and os.path.exists(f"{path}/_metadata"), saved
    finish(sluice, feed, name)


def test_from_a_path_and_from_nothing(sluice, feed, count, mode):
    """--from PATH goes on from it; what is no snapshot is refused before anything is sent."""
    name = f"path-{mode}"
    sluice("run", count["v1"], "-d", "--name", name, *count["args"]).ok()
    path = json.loads(sluice("job", "stop", name, "--json").ok().out)["savepoints"][0]["path"]
    done = sluice("run", count["v1"], "-d", "--name", name, "--from", "/nowhere/savepoint-1", *count["args"])
    assert done.rc == 5 and "error[snapshot-unknown]" in done.err, done
    assert sluice("run", count["v1"], "-d", "--name", f"{name}-new", "--from", "latest", *count["args"]).rc == 5
    sluice("run", count["v1"], "-d", "--name", name, "--from", re.sub("^file:", "", path), *count["args"]).ok()
    assert alive(sluice, name)[0]["restoredFrom"] == path
    assert sluice("job", "rm", name).rc == 5, "a job that runs was removed"
    finish(sluice, feed, name)
    sluice("job", "rm", name).ok()
    assert sluice("job", "show", name).rc == 2
    assert os.path.isdir(re.sub("^file:", "", path)), "the files of a snapshot went with the record"


COUNT = """CREATE TABLE src (i BIGINT, k AS i % 3) WITH ('connector' = 'datagen', 'rows-per-second' = '10', 'fields.i.min' = '0', 'fields.i.max' = '9');
CREATE TABLE dst (k BIGINT, n BIGINT, PRIMARY KEY (k) NOT ENFORCED) WITH ('connector' = 'blackhole');
INSERT INTO dst SELECT k, COUNT(*) FROM src GROUP BY k;
"""


def test_cancel_that_would_lose_state(sluice, flink, mode):
    """Refused where nobody can be asked, unless --yes; a checkpoint that stays makes it harmless."""
    name = f"lossy-{mode}"
    script = sluice.script(COUNT, f"{name}.sql")
    sluice("run", script, "-d", "--name", name, "--flink", flink, "--mode", mode).ok()
    done = sluice("job", "cancel", name)
    assert done.rc == 5 and "error[state-would-be-lost]" in done.err and "GroupAggregate" in done.err, done
    assert state(sluice, name) == "RUNNING"
    sluice("job", "cancel", name, "--yes").ok()
    assert state(sluice, name) == "CANCELED"
    sluice("run", script, "-d", "--name", name, "--flink", flink, "--mode", mode, "-D", "execution.checkpointing.interval=200ms").ok()
    harness.wait_for(lambda: sluice.job(name)["checkpointsCompleted"] > 0, 30, "a checkpoint")
    sluice("job", "cancel", name).ok()


TWO = """SET 'execution.checkpointing.interval' = '300 ms';
CREATE TABLE src (id BIGINT, k STRING, pt AS PROCTIME()) WITH ('connector' = 'filesystem', 'path' = '{folder}/in', 'format' = 'csv', 'source.monitor-interval' = '100 ms');
CREATE TABLE dst (id BIGINT, k STRING, n BIGINT) WITH ('connector' = 'filesystem', 'path' = '{folder}/out', 'format' = 'csv');
CREATE TABLE other (id BIGINT, n BIGINT) WITH ('connector' = 'blackhole');
CREATE TABLE third (id BIGINT) WITH ('connector' = 'blackhole');
"""
INSERTS = {"dst": "INSERT INTO dst SELECT id, k, COUNT(*) OVER (PARTITION BY k ORDER BY pt) FROM src;\n",
           "other": "INSERT INTO other SELECT id, COUNT(*) OVER (PARTITION BY k ORDER BY pt) FROM src;\n",
           "third": "INSERT INTO third SELECT id FROM src;\n"}


def test_each_statement_has_its_own_snapshot(sluice, feed, flink, mode):
    """Two INSERTs change places and a third one comes in front: each goes on from what was its own, the new one starts fresh."""
    name, text = f"two-{mode}", TWO.format(folder=feed.folder)
    first = sluice.script(text + INSERTS["dst"] + INSERTS["other"], f"{name}-1.sql")
    second = sluice.script(text + INSERTS["third"] + INSERTS["other"] + INSERTS["dst"], f"{name}-2.sql")
    args = ("--flink", flink, "--mode", mode)
    sluice("run", first, "-d", "--name", name, *args).ok()
    saved = {s["statement"]: s["path"] for s in json.loads(sluice("job", "stop", name, "--json").ok().out)["savepoints"]}
    assert sorted(saved) == [6, 7], saved
    done = sluice("run", second, "-d", "--name", name, "--from", "latest", *args).ok()
    assert re.search(r"line 6 starts fresh", done.err), done
    live = {r["statement"]: r["restoredFrom"] for r in alive(sluice, name)}
    assert live == {6: "", 7: saved[7], 8: saved[6]}, (live, saved)
    feed.stop()
    harness.wait_for(lambda: len(rows(feed.folder)) >= feed.next - 1, 60, "the last records")
    sluice("job", "stop", name).ok()
    check_exact(feed.folder, feed.next - 1)


def test_a_version_with_secrets(sluice, feed, flink, mode):
    """Their values are not kept: a rollback names those it needs before anything is stopped, and goes on with them."""
    name = f"secrets-{mode}"
    hidden = os.path.join(os.path.dirname(feed.folder), f"hidden-{mode}")
    os.symlink(feed.folder, hidden)
    text = [SCRIPT.format(interval=i, folder="${secret.place}", key="${column}", what="COUNT(*)") for i in ("300 ms", "400 ms")]
    args = ("--flink", flink, "--mode", mode, "--var", "column=k")
    given = os.path.join(sluice.folder, f"given-{mode}")
    with open(given, "w", encoding="ascii") as f:
        f.write(f"# for rollbacks\nsecret.place={hidden}\n")
    told = [sluice("run", sluice.script(text[0], f"{name}-1.sql"), "-d", "--name", name, "--var", f"secret.place={hidden}", *args).ok()]
    # The second version has no variable any more that is secret: that the first would not come back is said.
    open_text = text[1].replace("${secret.place}", hidden)
    told.append(sluice("run", sluice.script(open_text, f"{name}-2.sql"), "--name", name, "--replace", *args).ok())
    assert "v1 would not come back by itself" in told[-1].err and "secret.place" in told[-1].err, told[-1]
    before = alive(sluice, name)
    told.append(sluice("job", "rollback", name, "v1"))
    assert told[-1].rc == 3 and "error[variable-undefined]" in told[-1].err and "--var secret.place=VALUE" in told[-1].err, told[-1]
    assert [r["run"] for r in alive(sluice, name)] == [r["run"] for r in before], "it was stopped"
    refused = sluice("job", "rollback", name, "v1", "--var", "column=id")
    assert refused.rc == 2 and "no secret" in refused.err, refused
    told.append(sluice("job", "rollback", name, "v1", "--var-file", given).ok())
    assert re.search(r"restored .*from savepoint-", told[-1].err), told[-1]
    assert [r["version"] for r in alive(sluice, name)] == [1]
    told += [sluice("job", "show", name).ok(), sluice("job", "history", name, "--json").ok()]
    assert all(hidden not in t.out + t.err for t in told), told
    store = sqlite3.connect(f"file:{sluice.data}/sluice.db?mode=ro", uri=True)
    kept = store.execute("SELECT request FROM version_request WHERE job = ? AND version = 1", (name,)).fetchone()[0]
    store.close()
    assert "secret.place" in kept and hidden not in kept, "the value of a secret was kept"
    finish(sluice, feed, name)


def owner(sluice):
    with open(os.path.join(sluice.data, "owner.lock"), encoding="ascii") as f:
        return int(f.read().split()[0])


def test_owner_killed_in_a_replacement(sluice, feed, count, mode):
    """kill -9 at a moment of chance: afterwards the old version runs or the new one, never both, and nothing is lost or doubled."""
    chance, name = random.Random(SEED + 1), f"killed-{mode}"
    print(f"seed {SEED}")
    sluice("run", count["v1"], "-d", "--name", name, *count["args"]).ok()
    for turn in range(20 if harness.FULL else 2):
        script = count["v2" if turn % 2 == 0 else "v1"]
        call = sluice.background("run", script, "--name", name, "--replace", *count["args"])
        time.sleep(chance.random() * (8 if mode == "application" else 4))
        os.kill(owner(sluice), signal.SIGKILL)
        call.finish(120)

        def settled():
            told = history(sluice, name)
            live = [r for r in told["runs"] if not r["ended"]]
            assert len(live) <= 1 or not all(r["state"] == "RUNNING" for r in live), live
            return not [r for r in told["replacements"] if r["state"] in ("stopping", "starting")] and len(live) == 1 and live[0]["state"] == "RUNNING"
        harness.wait_for(settled, 120, "one version that runs")
        assert not [r for r in history(sluice, name)["replacements"] if r["state"] == "failed"]
    finish(sluice, feed, name)


@pytest.mark.parametrize("which", ["old", pytest.param("new", marks=pytest.mark.full)])
def test_owner_killed_in_a_replacement_with_secrets(sluice, feed, flink, mode, which, monkeypatch):
    """The new version is not well when its owner is killed. What is replaced comes back where all of it is known; where its secrets are not, this is said,
    and a rollback with them goes on from where it was stopped. Nothing is lost or doubled, and no value is kept."""
    monkeypatch.setitem(sluice.env, "SLUICE_LIMIT_WELL", "10s" if which == "old" else "60s")  # of the owner that comes after; the old version gets as long
    name = f"killed-{which}-{mode}"
    hidden = os.path.join(os.path.dirname(feed.folder), name)
    os.symlink(feed.folder, hidden)
    args = ("--flink", flink, "--mode", mode)
    secret = ("--var", f"secret.place={hidden}")

    def write(version, key, has_secret):
        place = "${secret.place}" if has_secret else hidden
        return sluice.script(SCRIPT.format(interval="300 ms", folder=place, key=key, what="COUNT(*)"), f"{name}-{version}.sql")
    sluice("run", write(1, "k", which == "old"), "-d", "--name", name, *args, *(secret if which == "old" else ())).ok()
    call = sluice.background("run", write(2, "id", which == "new"), "--name", name, "--replace", "--well", "90s", *args, *(secret if which == "new" else ()))

    def query(sql, *values):
        store = sqlite3.connect(f"file:{sluice.data}/sluice.db?mode=ro", uri=True, timeout=30)
        try:
            return store.execute(sql, values).fetchall()
        finally:
            store.close()
    harness.wait_for(lambda: query("SELECT 1 FROM replacement WHERE job = ? AND state = 'starting'", name), 60, "the stop of the old version")
    os.kill(owner(sluice), signal.SIGKILL)
    call.finish(120)
    harness.wait_for(lambda: history(sluice, name)["replacements"][0]["state"] not in ("stopping", "starting"), 120, "an end of the replacement")
    told = history(sluice, name)["replacements"][0]
    if which == "old":
        assert told["state"] == "failed" and "secret.place" in told["reason"] and hidden not in told["reason"], told
        assert not alive(sluice, name), "without its secrets"
        assert "error[variable-undefined]" in sluice("job", "rollback", name, "v1").ok(3).err
        done = sluice("job", "rollback", name, "v1", "--well", "3min", *secret).ok()
        assert re.search(r"restored .*from savepoint-", done.err), done
    else:
        assert told["state"] == "undone", told
    harness.wait_for(lambda: state(sluice, name) == "RUNNING", 60, "RUNNING")
    live = alive(sluice, name)
    assert [r["version"] for r in live] == [1] and live[0]["restoredFrom"], live
    kept = query("SELECT request FROM version_request WHERE job = ?", name) if which == "new" else []
    assert all("secret.place" not in k[0] or hidden not in k[0] for k in kept), "the value of a secret was kept"
    finish(sluice, feed, name)
