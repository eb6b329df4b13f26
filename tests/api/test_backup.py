# SPDX-License-Identifier: Apache-2.0
"""sluice backup and restore: with and without an owner, what lies only in the WAL, jars; what is refused, and what is then still there."""
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import time

import pytest

BIN = os.path.abspath(os.environ.get("SLUICE_BIN", os.path.join(os.environ.get("BUILD", "build"), "sluice")))


class Folder:
    def __init__(self, path):
        self.path = path
        self.data = path / "data"
        self.env = dict(os.environ, SLUICE_DATA=str(self.data), XDG_DATA_HOME=str(path / "xdg"), XDG_CONFIG_HOME=str(path / "config"), SLUICE_OWNER_IDLE_TIME="60s")

    def __call__(self, *args):
        return subprocess.run([BIN, *map(str, args)], env=self.env, cwd=self.path, capture_output=True, text=True, timeout=120, check=False)

    def owner(self, up):
        if up:
            assert self("job", "ls").returncode == 0
        else:
            assert self("owner", "stop", "--yes").returncode == 0

    def write(self, sql, *args):
        """Into the store as it lies there; what is written stays in its WAL when `keep`."""
        db = sqlite3.connect(self.data / "sluice.db")
        db.execute(sql, args)
        db.commit()
        db.close()

    def jobs(self):
        db = sqlite3.connect(f"file:{self.data}/sluice.db?mode=ro", uri=True)
        try:
            return {name for name, in db.execute("SELECT name FROM job")}
        finally:
            db.close()

    def add_job(self, name):
        self.write("INSERT INTO job(name, owner, created_ms) VALUES(?, 'mara', 1)", name)

    def add_jar(self, name, size):
        folder = self.data / "artifacts"
        folder.mkdir(mode=0o700, exist_ok=True)
        content = os.urandom(1024) * (size // 1024) + b"end"
        (folder / name).write_bytes(content)
        return content


@pytest.fixture
def folder(tmp_path):
    it = Folder(tmp_path)
    it.owner(True)
    it.owner(False)
    it.add_job("first")
    yield it
    it("owner", "stop", "--yes")


def refused(done, code, rc):
    assert done.returncode == rc and f"error[{code}]: " in done.stderr, done
    return done


@pytest.mark.parametrize("owner", [False, True])
def test_there_and_back(folder, owner):
    folder.owner(True) if owner else None  # first: at its start it sweeps jars that no version names
    jar = folder.add_jar("a" * 64 + ".jar", 9 << 20)  # several pieces
    empty = folder.data / "artifacts" / ("b" * 64 + ".jar")
    empty.write_bytes(b"")
    done = folder("backup", "one.backup")
    assert done.returncode == 0 and re.search(r"^backed up to \S*/one\.backup: \d+ bytes, 2 jars$", done.stdout, re.M), done
    backup = folder.path / "one.backup"
    assert backup.stat().st_mode & 0o777 == 0o600
    assert [p.name for p in folder.path.iterdir() if "backup" in p.name] == ["one.backup"]
    refused(folder("backup", "one.backup"), "file-exists", 5)
    if owner:
        refused(folder("restore", "--replace", "one.backup"), "busy", 5)
        folder.owner(False)
    folder.add_job("second")
    refused(folder("restore", "one.backup"), "file-exists", 5)
    assert folder.jobs() == {"first", "second"}
    shutil.rmtree(folder.data / "artifacts")
    done = folder("restore", "--replace", "one.backup")
    assert done.returncode == 0 and "2 jars" in done.stdout, done
    assert folder.jobs() == {"first"}
    assert (folder.data / "artifacts" / ("a" * 64 + ".jar")).read_bytes() == jar and empty.read_bytes() == b""
    aside = re.search(r"kept as (\S+)$", done.stdout, re.M)[1]
    db = sqlite3.connect(aside)
    assert {name for name, in db.execute("SELECT name FROM job")} == {"first", "second"}
    db.close()
    folder.owner(True)  # and an owner takes it
    assert not [p for p in folder.data.iterdir() if "restoring" in p.name]


def test_into_an_empty_folder(folder, tmp_path):
    assert folder("backup", "one.backup").returncode == 0
    other = Folder(tmp_path / "other")
    (tmp_path / "other").mkdir()
    assert other("restore", tmp_path / "one.backup").returncode == 0
    assert other.jobs() == {"first"}
    other.owner(True)
    other.owner(False)


def test_what_only_the_wal_holds(folder):
    """An owner that was killed has left its last writes there."""
    folder.owner(True)
    status = folder("owner", "status").stdout
    os.kill(int(re.search(r"pid (\d+)", status)[1]), signal.SIGKILL)
    time.sleep(0.3)
    held = sqlite3.connect(folder.data / "sluice.db")  # keeps the WAL from being folded into the file
    held.execute("SELECT count(*) FROM job").fetchall()
    folder.add_job("late")
    assert os.path.getsize(folder.data / "sluice.db-wal") > 0
    assert folder("backup", "one.backup").returncode == 0
    held.close()
    shutil.rmtree(folder.data)
    assert folder("restore", "one.backup").returncode == 0
    assert folder.jobs() == {"first", "late"}


def test_what_is_no_backup(folder):
    assert folder("backup", "one.backup").returncode == 0
    whole = (folder.path / "one.backup").read_bytes()
    cases = {"text": (b"not a database at all\n" * 100, "store"), "empty": (b"", "store"), "cut": (whole[:len(whole) // 2], "store"),
             "torn": (whole[:8192] + b"\xff" * 3000 + whole[11192:], "store")}
    for name, (content, code) in cases.items():
        (folder.path / name).write_bytes(content)
        refused(folder("restore", "--replace", name), code, 6)
        assert folder.jobs() == {"first"}, name
    foreign = sqlite3.connect(folder.path / "foreign")
    foreign.execute("CREATE TABLE job(name TEXT)")
    foreign.commit()
    foreign.close()
    refused(folder("restore", "--replace", "foreign"), "store", 6)
    newer = folder.path / "newer"
    newer.write_bytes(whole)
    db = sqlite3.connect(newer)
    db.execute("INSERT INTO migration(noun, version, at_ms) VALUES('job', 99, 1)")
    db.commit()
    db.close()
    refused(folder("restore", "--replace", "newer"), "store-newer", 6)
    refused(folder("restore", "--replace", "nowhere"), "file-not-found", 2)
    assert folder.jobs() == {"first"} and not [p for p in folder.data.iterdir() if "before-restore" in p.name or "restoring" in p.name]


def test_a_damaged_store_goes_aside(folder):
    assert folder("backup", "one.backup").returncode == 0
    (folder.data / "sluice.db").write_bytes(b"SQLite format 3\0" + b"\xff" * 8000)
    done = folder("restore", "--replace", "one.backup")
    assert done.returncode == 0, done
    assert folder.jobs() == {"first"}
    aside = re.search(r"kept as (\S+)$", done.stdout, re.M)[1]
    assert os.path.getsize(aside) == 8016


def test_usage(folder):
    assert folder("backup").returncode == 2 and folder("restore").returncode == 2 and folder("restore", "--force", "x").returncode == 2
    shutil.rmtree(folder.data)
    refused(folder("backup", "none.backup"), "not-found", 2)
    assert not (folder.path / "none.backup").exists()
