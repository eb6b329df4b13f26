# SPDX-License-Identifier: Apache-2.0
"""A shell script written for Flink's gateway (rest.sh: curl and sed) before that gateway and before Sluice, on the paths of each protocol: what it
prints is the same, byte by byte, but for handles, the time, and of errors all but the line that clients show. Only in test-all."""
import difflib
import os
import re
import subprocess

import pytest

import harness

pytestmark = pytest.mark.skipif(not harness.FULL, reason="in test-all")
HERE = os.path.dirname(os.path.abspath(__file__))


def printed(base, prefix, folder):
    done = subprocess.run(["bash", os.path.join(HERE, "rest.sh"), base, prefix, str(folder)], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300, check=False,
                          env={k: v for k, v in os.environ.items() if "proxy" not in k.lower()})
    assert done.returncode == 0 and not done.stderr, done.stdout + done.stderr
    text = re.sub(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "<handle>", done.stdout)
    text = re.sub(r"\b[0-9a-f]{32}\b", "<job>", text)
    text = re.sub(r"result/\d+", "result/<n>", text)  # how many pages were empty
    # An error: how many texts there are, and the line of the last cause. The parts of a trace are nobody's to read.
    text = re.sub(r'^\{"errors":\[(.*)\]\}$', lambda m: f"errors {m[1].count(chr(34) + ',' + chr(34)) + 1}: " + re.split(r"\\n", m[1].rsplit("Caused by: ", 1)[-1])[0], text, flags=re.M)
    return text.splitlines()


@pytest.mark.parametrize("prefix", ["/v1", "/v2", "/v3", "/v4", ""])
def test_a_shell_script(ours, theirs, flink, tmp_path, prefix):
    stock = "/v3" if flink == "1.20" and prefix == "/v4" else prefix  # it has no V4: there Sluice says what it says in V3
    want, got = printed(theirs, stock, tmp_path), printed(ours, prefix, tmp_path)
    want = [line.replace("/v3/", "/v4/") for line in want] if stock != prefix else want
    newest = "/v3/" if flink == "1.20" else "/v4/"  # what a path without a version stands for
    want = [line.replace(newest, "/<newest>/") if not prefix else line for line in want]
    got = [line.replace("/v4/", "/<newest>/") if not prefix else line for line in got]
    assert len(want) > 60
    assert got == want, "\n".join(line[:600] for line in difflib.unified_diff(want, got, "stock", "sluice", lineterm="", n=6))
