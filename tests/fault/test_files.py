# SPDX-License-Identifier: Apache-2.0
"""Whole-file writes, bundles and the store when the n-th write, fsync, create or rename fails: old or new, never a mixture."""
import pytest
from conftest import DISK, DRIVER, places

OPS = ["write", "sync", "make", "rename"]


@pytest.mark.parametrize("word", DISK)
@pytest.mark.parametrize("op", OPS)
@pytest.mark.parametrize("what", ["file", "bundle"])
def test_whole_files(fault, folder, what, op, word):
    (folder / "x.sql").write_text("SELECT 1;\nINSERT INTO t SELECT 'ä';\n", encoding="utf-8")
    target = folder / "out"
    new = ["bundle", "x.sql", target] if what == "bundle" else ["file", target, "new " * 5000]
    assert fault.plain([DRIVER, *new]).rc == 0
    new_bytes = target.read_bytes()
    total = fault([DRIVER, *new], op, 0, path=folder).calls
    assert total >= 1
    for forever in (False, True):
        for n in range(1, total + 1):
            target.write_bytes(b"old")
            done = fault([DRIVER, *new], op, n, DISK[word], folder, forever)
            after = target.read_bytes()
            where = f"{op} {n} of {total}: {done}"
            assert after in (b"old", new_bytes), where
            if op == "write" and word == "ENOSPC" and not forever:  # half of it fitted; the next write takes the rest
                assert done.rc in (0, 6), where
            else:
                assert done.rc == 6 and done.err.startswith(b"disk-full: " if word == "ENOSPC" else b"io: "), where
            assert done.rc != 0 or after == new_bytes, where
            left = {p.name for p in folder.iterdir()} - {"x.sql", "out", "calls", "data", "config", "xdg"}
            assert not left, f"{where}\nleft: {left}"


def test_bundle_without_memory(fault, folder):
    """The n-th allocation of a bundle: no file, or the whole one."""
    (folder / "x.sql").write_text("SELECT 1;\n" * 500, encoding="utf-8")
    target = folder / "out"
    assert fault.plain([DRIVER, "bundle", "x.sql", target]).rc == 0
    whole = target.read_bytes()
    total = fault([DRIVER, "bundle", "x.sql", target], "malloc", 0).calls
    for n in places(total, 200):
        target.unlink(missing_ok=True)
        done = fault([DRIVER, "bundle", "x.sql", target], "malloc", n)
        assert done.rc in (0, 6), f"{n} of {total}: {done}"
        assert (target.read_bytes() == whole) if done.rc == 0 else (not target.exists() or target.read_bytes() == whole), f"{n}: {done}"


def ids(done):
    return [int(line) for line in done.out.split() if line != b"wide"]


def check_store(fault, db, before, acknowledged, where):
    """What is found afterwards: all that was there, all that was acknowledged, and nothing half."""
    found = fault.plain([DRIVER, "store-check", db])
    assert found.rc == 0, f"{where}\nafterwards: {found}"
    there = set(ids(found))
    assert set(before) <= there and set(acknowledged) <= there, f"{where}\nthere: {sorted(there)}"
    more = fault.plain([DRIVER, "store", db, 1])  # and it can be written again
    assert more.rc == 0 and len(ids(more)) == 1, f"{where}\nnext: {more}"
    return found


@pytest.mark.parametrize("word", DISK)
@pytest.mark.parametrize("op", ["write", "sync", "make"])
@pytest.mark.parametrize("state", ["new", "old"])
def test_store(fault, folder, state, op, word):
    """Transactions of two rows each. `new`: the file is made in this run; `old`: it has some."""
    db = folder / "store" / "sluice.db"
    db.parent.mkdir()

    def begin():
        for p in db.parent.iterdir():
            p.unlink()
        if state == "old":
            done = fault.plain([DRIVER, "store", db, 3])
            assert done.rc == 0, str(done)
            return ids(done)
        return []

    begin()
    argv = [DRIVER, "store", db, 4]
    whole = fault(argv, op, 0, path=db.parent)
    assert whole.rc == 0 and len(ids(whole)) == 4, str(whole)
    assert whole.calls >= (1 if op == "make" else 4), whole.calls
    failed = 0
    for forever in (False, True):
        for n in places(whole.calls, 24):
            before = begin()
            done = fault(argv, op, n, DISK[word], db.parent, forever)
            where = f"{op} {n} of {whole.calls}, {word}{' and all later ones' if forever else ''}: {done}"
            assert done.rc in (0, 6), where
            assert done.rc == 0 or done.err.split(b":")[0] in (b"disk-full", b"store", b"io", b"store-busy", b"busy"), where
            if word == "ENOSPC" and op == "write" and done.rc:
                assert done.err.startswith(b"disk-full: "), where
            failed += done.rc != 0
            check_store(fault, db, before, ids(done), where)
    assert failed, "no call mattered"


@pytest.mark.parametrize("word", DISK)
@pytest.mark.parametrize("op", OPS)
def test_migration(fault, folder, op, word):
    """The second migration: done or not begun, with the copy of the old file made before; the rows stay."""
    db = folder / "store" / "sluice.db"
    db.parent.mkdir()

    def begin():
        for p in db.parent.iterdir():
            p.unlink()
        assert fault.plain([DRIVER, "store", db, 3]).rc == 0

    begin()
    argv = [DRIVER, "store", db, 1, "wide"]
    total = fault(argv, op, 0, path=db.parent).calls
    failed = 0
    for n in places(total, 30):
        begin()
        done = fault(argv, op, n, DISK[word], db.parent, True)
        where = f"{op} {n} of {total}, {word}: {done}"
        assert done.rc in (0, 6), where
        failed += done.rc != 0
        found = fault.plain([DRIVER, "store-check", db])
        assert found.rc == 0, f"{where}\nafterwards: {found}"
        assert {1, 2, 3, *ids(done)} <= set(ids(found)), f"{where}\nthere: {found}"
        again = fault.plain(argv)
        assert again.rc == 0 and b"wide" in fault.plain([DRIVER, "store-check", db]).out, f"{where}\nagain: {again}"
    assert failed or not total, "no call mattered"


def test_store_without_memory(fault, folder):
    db = folder / "store" / "sluice.db"
    db.parent.mkdir()
    argv = [DRIVER, "store", db, 3]
    total = fault(argv, "malloc", 0).calls
    for n in places(total, 150):
        for p in db.parent.iterdir():
            p.unlink()
        assert fault.plain([DRIVER, "store", db, 2]).rc == 0
        done = fault(argv, "malloc", n)
        where = f"allocation {n} of {total}: {done}"
        assert done.rc in (0, 6) and b"internal error" not in done.err, where
        check_store(fault, db, [1, 2], ids(done), where)
