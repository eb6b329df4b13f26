# SPDX-License-Identifier: Apache-2.0
"""`sluice flink install` when the n-th write, fsync, create or rename fails: nothing that looks installed, and the next try works."""
import os
import subprocess

import pytest
from conftest import DISK, SHIM, places

import flink.test_install as real
from flink.test_install import VERSION, WHEEL, index, place, wheel, whole  # noqa: F401  fixtures and helpers of the real test


@pytest.mark.parametrize("word", DISK)
@pytest.mark.parametrize("op", ["write", "sync", "make", "rename"])
def test_install(place, index, tmp_path, monkeypatch, op, word):  # noqa: F811
    monkeypatch.setattr(real, "PAD", 300_000)
    index.files[WHEEL] = wheel()
    count = tmp_path / "calls"

    def install(n, forever=False):
        env = dict(place.env, LD_PRELOAD=str(SHIM), FAULT_OP=op, FAULT_N=str(n), FAULT_COUNT=str(count), FAULT_ERRNO=str(DISK[word]), FAULT_PATH=str(tmp_path))
        if forever:
            env["FAULT_FROM"] = "1"
        return subprocess.run([place.bin, "flink", "install", VERSION], env=env, capture_output=True, text=True, timeout=120, check=False)

    def clean():
        for top in (place.root, place.dl):
            subprocess.run(["rm", "-rf", top], check=True)

    done = install(0)
    assert done.returncode == 0, done.stderr
    total = int(count.read_text(encoding="ascii"))
    failed = 0
    for forever in (False, True):
        for n in places(total, 9):
            clean()
            done = install(n, forever)
            where = f"{op} {n} of {total}, {word}{' and later ones' if forever else ''}: {done.returncode} {done.stderr[-600:]}"
            assert done.returncode in (0, 6), where
            if done.returncode:
                failed += 1
                errors = [line for line in done.stderr.splitlines() if line.startswith("error[")]
                assert len(errors) == 1 and errors[0].startswith("error[disk-full]" if word == "ENOSPC" else "error[io]"), where
                assert place.visible() == [] or place.visible() == [VERSION], where
                if place.visible():
                    whole(place)
                assert place.leftovers() == [], where
            else:
                whole(place)
            again = place("install", VERSION)
            assert again.returncode == 0, f"{where}\nagain: {again.err}"
            whole(place)
            assert os.listdir(place.root)
    assert failed or not total, "no call mattered"
