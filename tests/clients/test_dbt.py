# SPDX-License-Identifier: Apache-2.0
"""dbt's adapter for Flink (dbt-flink-adapter, from the package index, its modules unchanged) before Sluice and before Flink's own gateway: it sees the
same. It takes PENDING for an end and then fails now and then at Flink's gateway, so a proxy in front of that says RUNNING. Only in test-all."""
import os
import subprocess
import sys
import tarfile

import pytest

import harness
import stock
from told import Telling

pytestmark = pytest.mark.skipif(not harness.FULL, reason="in test-all")
VERSION, REQUESTS = "1.3.11", "2.32.3"
HERE = os.path.dirname(os.path.abspath(__file__))


@pytest.fixture(scope="module")
def adapter():
    """(folder of the adapter, folder of the library it asks with), fetched once."""
    top = os.path.join(stock.CACHE, "stock", "dbt")
    folder, library = os.path.join(top, f"dbt-flink-adapter-{VERSION}"), os.path.join(top, f"requests-{REQUESTS}")
    if not os.path.isdir(folder):
        os.makedirs(top, exist_ok=True)
        with tarfile.open(stock.pip_download("dbt-flink-adapter", VERSION)) as t:
            t.extractall(top)
    if not os.path.exists(os.path.join(library, ".whole")):
        subprocess.run([sys.executable, "-m", "pip", "install", "-q", "--root-user-action", "ignore", "--target", library, f"requests=={REQUESTS}"], check=True, timeout=600)
        open(os.path.join(library, ".whole"), "w").close()
    return folder, library


def seen(adapter, base, folder, name):
    host, port = base.removeprefix("http://").split(":")
    folder.mkdir()
    done = subprocess.run([sys.executable, os.path.join(HERE, "dbt_program.py"), adapter[0], host, port, name, str(folder)], env=dict(os.environ, PYTHONPATH=adapter[1], NO_PROXY="*"),
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=400, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()


def test_dbt_sees_the_same(ours, theirs, adapter, tmp_path):
    behind = Telling(theirs, ["V1"])
    try:
        want = seen(adapter, behind.base, tmp_path / "stock", "dbt_stock")
    finally:
        behind.close()
    got = seen(adapter, ours, tmp_path / "sluice", "dbt_sluice")
    assert "read (('id',), ('word',), ('price',)) [(1, 'one', 1.5), (2, 'two;2', 2)]" in want and len(want) > 20, want
    assert got == want
