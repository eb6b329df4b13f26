# SPDX-License-Identifier: Apache-2.0
"""Backup and restore when the n-th write, fsync, create or rename fails, or memory: a whole backup or none, the old store or the restored one."""
import sqlite3
import subprocess

import pytest
from conftest import BIN, DISK, places

OPS = ["write", "sync", "make", "rename"]


def names(path):
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return {name for name, in db.execute("SELECT name FROM job")}
    finally:
        db.close()


@pytest.fixture
def place(fault, folder):
    """A data folder with the job `new` and a jar, and a backup of it when the job was `old`."""
    data = folder / "data"

    def write(sql):
        db = sqlite3.connect(data / "sluice.db")
        db.execute(sql)
        db.commit()
        db.close()
    assert fault.plain([BIN, "job", "ls"]).rc == 0
    assert fault.plain([BIN, "owner", "stop", "--yes"]).rc == 0
    write("INSERT INTO job(name, owner, created_ms) VALUES('old', 'mara', 1)")
    (data / "artifacts").mkdir(mode=0o700, exist_ok=True)
    jar = data / "artifacts" / ("a" * 64 + ".jar")
    jar.write_bytes(b"jar" * 3000)
    done = fault.plain([BIN, "backup", folder / "old.backup"])
    assert done.rc == 0, str(done)
    write("UPDATE job SET name = 'new'")
    keep = folder / "kept"
    subprocess.run(["cp", "-a", data, keep], check=True)

    def again():
        subprocess.run(["rm", "-rf", data], check=True)
        subprocess.run(["cp", "-a", keep, data], check=True)
    return data, again


@pytest.mark.parametrize("word", DISK)
@pytest.mark.parametrize("op", OPS)
def test_backup(fault, folder, place, op, word):
    data, again = place
    to = folder / "new.backup"
    argv = [BIN, "backup", to]
    total = fault(argv, op, 0, path=folder).calls
    failed = 0
    for forever in (False, True):
        for n in places(total, 15):
            again()
            to.unlink(missing_ok=True)
            done = fault(argv, op, n, DISK[word], folder, forever)
            where = f"{op} {n} of {total}, {word}{' and later ones' if forever else ''}: {done}"
            assert done.rc in (0, 6), where
            failed += done.rc != 0
            assert to.exists() or done.rc == 6, where
            if to.exists():
                assert names(to) == {"new"}, where
            assert names(data / "sluice.db") == {"new"}, where
            to.unlink(missing_ok=True)
            next_one = fault.plain(argv)  # what is left of it is in nobody's way
            assert next_one.rc == 0 and names(to) == {"new"}, f"{where}\nnext: {next_one}"
    assert failed or not total, "no call mattered"


@pytest.mark.parametrize("word", DISK)
@pytest.mark.parametrize("op", OPS)
def test_restore(fault, folder, place, op, word):
    data, again = place
    argv = [BIN, "restore", "--replace", folder / "old.backup"]
    total = fault(argv, op, 0, path=folder).calls
    failed = 0
    for forever in (False, True):
        for n in places(total, 15):
            again()
            (data / "artifacts" / ("a" * 64 + ".jar")).unlink()
            done = fault(argv, op, n, DISK[word], folder, forever)
            where = f"{op} {n} of {total}, {word}{' and later ones' if forever else ''}: {done}"
            assert done.rc in (0, 6), where
            failed += done.rc != 0
            assert names(data / "sluice.db") in ({"new"}, {"old"}), where
            assert done.rc != 0 or names(data / "sluice.db") == {"old"}, where
            assert names(folder / "old.backup") == {"old"}, where
            next_one = fault.plain(argv)
            assert next_one.rc == 0 and names(data / "sluice.db") == {"old"}, f"{where}\nnext: {next_one}"
            assert (data / "artifacts" / ("a" * 64 + ".jar")).read_bytes() == b"jar" * 3000, where
    assert failed or not total, "no call mattered"


@pytest.mark.parametrize("what", ["backup", "restore"])
def test_without_memory(fault, folder, place, what):
    data, again = place
    to = folder / "new.backup"
    argv = [BIN, "backup", to] if what == "backup" else [BIN, "restore", "--replace", folder / "old.backup"]
    total = fault(argv, "malloc", 0).calls
    for n in places(total, 40):
        again()
        to.unlink(missing_ok=True)
        done = fault(argv, "malloc", n)
        where = f"allocation {n} of {total}: {done}"
        assert done.rc in (0, 6) and b"internal error" not in done.err, where
        assert names(data / "sluice.db") in ({"new"}, {"old"}), where
        assert not to.exists() or names(to) == {"new"}, where


@pytest.mark.parametrize("what", ["db", "wal"])
def test_torn_page(fault, folder, place, what):
    """The last page of the file or of its WAL is half written: every earlier commit is there, or the store says that it is damaged."""
    data, again = place
    db = data / "sluice.db"
    for cut in (1, 100, 2048, 4000):
        again()
        held = sqlite3.connect(db)
        held.execute("SELECT 1 FROM job").fetchall()
        other = sqlite3.connect(db)
        for i in range(3):
            other.execute("INSERT INTO job(name, owner, created_ms) VALUES(?, 'mara', 1)", (f"job{i}",))
            other.commit()
        path = data / ("sluice.db" if what == "db" else "sluice.db-wal")
        copies = {name: (data / name).read_bytes() for name in ("sluice.db", "sluice.db-wal")}
        other.close()
        held.close()
        for name in ("sluice.db", "sluice.db-wal", "sluice.db-shm"):
            (data / name).unlink(missing_ok=True)
        for name, content in copies.items():
            (data / name).write_bytes(content if data / name != path else content[:-cut])
        to = folder / "torn.backup"
        to.unlink(missing_ok=True)
        done = fault.plain([BIN, "backup", to])
        where = f"{cut} bytes of {path.name} cut: {done}"
        if what == "wal":
            assert done.rc == 0 and {"new", "job0", "job1"} <= names(to), where
        else:  # the page is in the WAL, or the damage is said
            assert (done.rc == 0 and {"new", "job0", "job1", "job2"} <= names(to)) or (done.rc == 6 and b"error[store]" in done.err and not to.exists()), where
