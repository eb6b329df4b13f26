# SPDX-License-Identifier: Apache-2.0
"""check, split, render and config when the n-th allocation fails or the output cannot be written: the whole answer or a clean error, no third."""
import re
import subprocess

import pytest
from conftest import BIN, CLEAN, places

SCRIPT = """SET 'pipeline.name' = '${name:-orders}';
CREATE TABLE orders (id BIGINT, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'datagen', 'rows-per-second' = '${rate}');
CREATE VIEW big AS SELECT id, amount FROM orders WHERE amount > 100;
EXECUTE STATEMENT SET BEGIN INSERT INTO a SELECT id FROM big; INSERT INTO b SELECT amount FROM big; END;
SELECT id, SUM(amount) FROM big GROUP BY id;
"""
BROKEN = SCRIPT + "SELCT 1;\nCREATE TABLE t (a INT) WITH ('conector' = 'x');\nSELECT '${none}';\n"
LONG = "".join(f"CREATE TABLE t{i} (a INT, b STRING, c DECIMAL(10, 2)) WITH ('connector' = 'datagen', 'fields.a.max' = '${{rate}}');\n" for i in range(2000))
CALLS = [
    ("check whole", ["check", "x.sql"], SCRIPT), ("check broken", ["check", "x.sql"], BROKEN), ("check as JSON", ["check", "--json", "x.sql"], BROKEN),
    ("check long", ["check", "x.sql"], LONG), ("split", ["split", "x.sql"], SCRIPT), ("split as JSON", ["split", "--json", "x.sql"], SCRIPT),
    ("split long", ["split", "x.sql"], LONG), ("render", ["render", "x.sql", "--var", "rate=10"], SCRIPT),
    ("render long", ["render", "x.sql", "--var", "rate=it's"], LONG), ("render broken", ["render", "x.sql"], BROKEN),
    ("project", ["check", "x.sql"], SCRIPT), ("config", ["config"], ""),
]


def timeless(done):
    return re.sub(rb'"ms":[0-9.]+', b'"ms":0', done.out)


@pytest.mark.parametrize("name,argv,text", CALLS, ids=[c[0].replace(" ", "-") for c in CALLS])
def test_nth_allocation(fault, folder, name, argv, text):
    (folder / "x.sql").write_text(text, encoding="utf-8")
    if name == "project":
        (folder / "sluice.yaml").write_text("flink: '2.2'\nvars: {rate: 10, db: {user: a}}\nenvironments:\n  dev: {target: local}\n", encoding="utf-8")
    whole = fault([BIN, *argv], "malloc", 0)
    assert whole.rc in CLEAN and whole.calls > 3, str(whole)
    ended = 0
    for n in places(whole.calls, 60 if len(text) > 10000 else 300):
        done = fault([BIN, *argv], "malloc", n)
        assert done.rc in CLEAN, f"allocation {n} of {whole.calls}: {done}"
        assert b"internal error" not in done.err, f"allocation {n} of {whole.calls}: {done}"
        if (done.rc, timeless(done)) == (whole.rc, timeless(whole)):
            continue  # somebody could do without
        ended += 1
        assert done.rc == 6 and re.search(rb"out of memory|out-of-memory", done.err + done.out), f"allocation {n} of {whole.calls}: {done}"
    assert ended >= 2, f"of {whole.calls} allocations none was needed"


@pytest.mark.parametrize("argv", [["split", "x.sql"], ["render", "x.sql"], ["check", "--json", "x.sql"], ["config"], ["--help"], ["version"]], ids=lambda a: a[0])
def test_output_that_is_not_taken(fault, folder, argv):
    """A full disk behind `>`: no success, whether it fills at once or in the middle."""
    (folder / "x.sql").write_text("SELECT 1;\n" * 3000, encoding="utf-8")
    with open("/dev/full", "wb") as full:
        done = subprocess.run([BIN, *argv], stdout=full, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, env=fault.env, cwd=folder, timeout=60, check=False)
    assert done.returncode == 6 and b"error[disk-full]: " in done.stderr, done
    assert fault([BIN, *argv], "write", 0).rc == 0
    closed = subprocess.run(["/bin/sh", "-c", 'exec "$0" "$@" >&-', str(BIN), *argv], stderr=subprocess.PIPE, env=fault.env, cwd=folder, timeout=60, check=False)
    assert closed.returncode >= 0, closed


def test_a_closed_stream_is_no_file(fault, folder):
    """What is printed must not go into the next file that is opened, when the caller closed standard output."""
    (folder / "x.sql").write_text("SELECT 1;\n", encoding="utf-8")
    subprocess.run(["/bin/sh", "-c", 'exec "$0" split x.sql <&- >&- 2>&-', str(BIN)], env=fault.env, cwd=folder, timeout=60, check=True)
    assert (folder / "x.sql").read_text(encoding="utf-8") == "SELECT 1;\n"
