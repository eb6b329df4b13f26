# SPDX-License-Identifier: Apache-2.0
"""Detached jobs: RUNNING, counts that grow, cancel; and after the owner has ended no JVM, no port, no file is left."""
import json
import os
import re
import time

import pytest

import harness

BLACKHOLE = """CREATE TABLE g (k INT) WITH ('connector' = 'datagen', 'rows-per-second' = '200');
CREATE TABLE hole (k INT) WITH ('connector' = 'blackhole');
INSERT INTO hole SELECT k FROM g;
"""


def numbers(text):
    """Figures of the line of `job show` that counts records."""
    match = re.search(r"^ records +in ([\d,]+).*?out ([\d,]+)", text, re.M)
    return tuple(int(x.replace(",", "")) for x in match.groups()) if match else None


@pytest.mark.smoke
@pytest.mark.parametrize("how", ["session", "application"])
def test_detached(own_sluice, flink, how):
    name = f"growing-{how}"
    done = own_sluice("run", own_sluice.script(BLACKHOLE), "-d", "--name", name, "--mode", how, "--flink", flink).ok()
    assert name in done.out + done.err
    harness.wait_for(lambda: "RUNNING" in json.dumps(own_sluice.job(name)), 30, "RUNNING")
    shown = own_sluice("job", "show", name).ok().out
    assert re.search(rf"^{name} +RUNNING", shown, re.M), shown

    def counts():
        found = numbers(own_sluice("job", "show", name).ok().out)
        return found if found and found[1] > 0 else None
    first = harness.wait_for(counts, 30, "counts in job show")
    later = harness.wait_for(lambda: (numbers(own_sluice("job", "show", name).out) or (0, 0))[1] > first[1], 20, f"counts above {first}")
    assert later
    listed = own_sluice("job", "ls").ok().out
    assert re.search(rf"^{name} .*RUNNING", listed, re.M), listed
    logs = own_sluice("job", "logs", name).ok()
    assert logs.out.strip(), "the logs are empty"
    start = time.monotonic()
    own_sluice("job", "cancel", name).ok()
    harness.wait_for(lambda: "CANCELED" in json.dumps(own_sluice.job(name)), 20, "CANCELED")
    assert time.monotonic() - start < 15 or not harness.FULL
    assert own_sluice("job", "cancel", name).rc == 5
    assert own_sluice("job", "show", "no-such-job").rc == 2

    pids = own_sluice.pids()
    assert pids and (how == "application" or own_sluice.jvms())
    ports = harness.listening_ports(pids)
    own_sluice.stop()
    still = harness.listening_ports([int(p) for p in os.listdir("/proc") if p.isdigit()])
    assert not ports & still, ports & still
    left = [os.path.join(b, n) for b, _, names in os.walk(own_sluice.tmp) for n in names]
    assert not left, f"temporary files: {left[:10]}"


def test_ls_of_a_fresh_folder_starts_nothing(own_sluice):
    done = own_sluice("job", "ls").ok()
    assert not own_sluice.jvms()
    assert json.loads(own_sluice("job", "ls", "--json").ok().out) == []
    assert "0 jobs" in done.out + done.err or "no jobs" in done.out + done.err


def test_jobs_outlive_the_owner_call(own_sluice, flink):
    """The store remembers; a new owner shows the old job."""
    own_sluice("run", own_sluice.script("SET 'execution.runtime-mode' = 'batch';\nCREATE TABLE hole (k INT) WITH ('connector' = 'blackhole');\nINSERT INTO hole VALUES (1), (2);\n"), "--name", "short", "--flink", flink).ok()
    own_sluice.stop()
    jobs = own_sluice.jobs()
    assert [j["job"].split("/")[-1] for j in jobs] == ["short"] and "FINISHED" in json.dumps(jobs)
    assert not own_sluice.jvms()
