# SPDX-License-Identifier: Apache-2.0
"""What a person sees of jobs, line by line: all well, at night with a record that does not fit, a broker that does not answer, an error of planning at its statement, a
name that is taken. Masked are figures only: times, ages, counts, sizes, ids, the owner's name, the
Flink version, addresses; runs of blanks in front of a second column are one <gap>."""
import contextlib
import getpass
import json
import re
import socket

import local
import pytest
from watch import Watch

AGE = r"\d+ ?(?:s|min|m|h|d)"


def masked(text, flink, *more):
    """more: (what stands there, what is shown for it)."""
    for what, name in more:
        text = text.replace(str(what), name)
    text = re.sub(r"\b[0-9a-f]{32}\b", "<id>", text)
    text = re.sub(rf"\b{re.escape(flink)}(\.\d+)?\b", "<flink>", text)
    text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC", "<minute>", text)
    text = re.sub(r"\d\d:\d\d:\d\d UTC", "<time> UTC", text)
    text = re.sub(r"http://127\.0\.0\.1:\d+", "<rest>", text)
    text = re.sub(r"restarted (once|\d+ times)", "restarted <n> times", text)
    text = re.sub(r" \([\d,]+/s\)", " (<n>/s)", text)
    text = re.sub(rf"\b{AGE}\b", "<age>", text)
    text = re.sub(r"\b[\d,.]+ (?:ms|s)\b", "<took>", text)
    text = re.sub(r"\b[\d,.]+ [kM]?B\b", "<size>", text)
    text = re.sub(r"#[\d,]+", "#<n>", text)
    text = re.sub(r"\b[\d,]+ done", "<n> done", text)
    text = re.sub(r"done, [\d,]+ failed", "done, <n> failed", text)  # those asked for before all tasks ran count
    text = re.sub(r"\b(in|out) [\d,]+\+?(?= |$)(?! statement)", r"\1 <n>", text)
    text = re.sub(r"(?<=\S) {2,}", "<gap>", text)
    return text.splitlines()


def told(sluice, *args):
    call = sluice.terminal(*args)
    return call.finish(60)


WELL = """SET 'execution.checkpointing.interval' = '1 s';
CREATE TABLE orders (item INT, at_ms AS PROCTIME()) WITH ('connector' = 'datagen', 'rows-per-second' = '100', 'fields.item.min' = '1', 'fields.item.max' = '9');
CREATE TABLE revenue (item INT, n BIGINT) WITH ('connector' = 'blackhole');
INSERT INTO revenue SELECT item, COUNT(*) FROM orders GROUP BY item;
"""


@pytest.fixture
def well(start):
    job = start("orders-revenue", WELL)
    with Watch(job.sluice, job.name, job.port, job.pids) as w:
        w.until(lambda t: t.well and t["lastCheckpoint"] > 0 and t["recordsInPerSecond"] > 0 and t["recordsOutPerSecond"] > 0, 60, "well, counted, with a checkpoint")
    return job


def test_all_well(sluice, well, flink, mode):
    done = told(sluice, "job", "ls").ok()
    lines = masked(done.out, flink, (getpass.getuser(), "<user>"))
    titles = done.out.splitlines()[0].split("  ")
    assert [t.strip() for t in titles if t.strip()][:2] == ["NAME", "TARGET"], done.out
    for title in ("STATE", "HEALTH", "SINCE", "VERSION", "RESTARTS", "LAST CHECKPOINT", "OWNER"):
        assert title in done.out.splitlines()[0]
    row = next(x for x in lines if x.startswith("orders-revenue"))
    assert re.match(r"orders-revenue<gap>local<gap>(session|application)<gap>RUNNING<gap>ok<gap><age><gap>v1<gap>0<gap><age> ago<gap>", row), done.out
    assert re.fullmatch(r"\d+ jobs?: [1-9]\d* ok.*", lines[-1]), done.out  # those of the rows before it are there too
    shown = masked(told(sluice, "job", "show", "orders-revenue").ok().out, flink, (getpass.getuser(), "<user>"))
    assert shown == [
        f"orders-revenue<gap>RUNNING, ok for <age><gap>local / {mode}",
        " version<gap>v1<gap>by <user>, <minute>",
        " run<gap><id><gap>INSERT, statement 5<gap>Flink <flink>",
        " tasks<gap>2 of 2 running<gap>sluice job logs orders-revenue",
        " records<gap>in <n> (<n>/s)<gap>out <n> (<n>/s)",
        " checkpoints<gap>every <age>, last #<n><gap><age> ago, <took>, <size>; <n> done, <n> failed",
        " restore to<gap>checkpoint #<n>",
        " restarts<gap>0 in <age>",
        " web UI<gap><rest>/#/job/running/<id>/overview",
    ]


CLICKS = """-- visits of each page
SET 'execution.checkpointing.interval' = '500 ms';
CREATE TABLE clicks (
  user_id BIGINT,
  url     STRING
) WITH (
  'connector' = 'kafka', 'topic' = 'clicks', 'properties.bootstrap.servers' = '${kafka}',
  'scan.startup.mode' = 'earliest-offset', 'format' = 'json'
);
CREATE TABLE visits (url STRING, n BIGINT) WITH ('connector' = 'blackhole');
INSERT INTO visits SELECT url, COUNT(user_id) FROM clicks GROUP BY url;
"""


def test_a_record_that_does_not_fit(sluice, flink, mode, kafka, kafka_jars):
    """At night: Flink's error in words, at its place in the script, with the record, what is safe and what can be done."""
    kafka.write("clicks", [json.dumps({"user_id": i, "url": "/a"}) for i in range(20)])
    path = sluice.script(CLICKS, "clicks.sql")
    done = sluice("run", path, "-d", "--name", "clicks-dedup", "--flink", flink, "--mode", mode, "--var", f"kafka={kafka.address}", *kafka_jars).ok()
    try:
        job = local.Job(sluice, "clicks-dedup", done)
        with Watch(sluice, "clicks-dedup", job.port, job.pids) as w:
            w.until(lambda t: t.well and t["lastCheckpoint"] > 0, 60, "well, with a checkpoint")
            bad = '{"user_id":"ada","url":"/a"}'
            w.mark("a record that does not fit")
            kafka.write("clicks", [bad])
            w.until(lambda t: t["health"] == "degraded" and t["restarts"] >= 2 and t["cause"], 60, "degraded, with its cause")
        shown = told(sluice, "job", "show", "clicks-dedup").ok().out
    finally:
        local.end(sluice, "clicks-dedup")
    shown = re.sub(r"^(clicks-dedup +)(RUNNING|RESTARTING|STARTING)( *)", r"\1<state>\3", shown)
    lines = masked(shown, flink, (path, "clicks.sql"))
    wanted = [
        f"clicks-dedup<gap><state>, degraded for <age><gap>local / {mode}",
        " why<gap>restarted <n> times in <age> (Flink shows RUNNING between restarts)",
        " cause<gap>a record does not fit the table: field 'user_id' of topic 'clicks' is not a BIGINT<gap>[kafka-json-bad]",
        " where<gap>clicks.sql:4:3<gap>CREATE TABLE clicks, read by clicks.sql:11:1 INSERT INTO visits",
        f" record<gap>topic clicks, value {bad}",
        " since<gap><time> UTC",
        " no loss yet<gap>state is safe at checkpoint #<n> (<age> ago); nothing has been skipped",
        " you can<gap>'json.ignore-parse-errors' = 'true' drops such records, or declare user_id as the data are",
        "              sluice job stop clicks-dedup<gap>ends it with a savepoint, until it is repaired",
        "              sluice job logs clicks-dedup --errors",
    ]
    lines[1] = re.sub(r"times in <age>.*", "times in <age> (Flink shows RUNNING between restarts)", lines[1])
    assert lines[:len(wanted)] == wanted, shown
    assert re.fullmatch(r" Java<gap>.*<gap>\(\d+ causes: --stack\)", lines[-1]), shown


ORDERS = """-- revenue of each item
CREATE TABLE orders (
  item STRING
) WITH (
  'connector' = 'kafka', 'topic' = 'orders', 'format' = 'json', 'scan.startup.mode' = 'earliest-offset',
  'properties.bootstrap.servers' = '${kafka}'
);
CREATE TABLE revenue (item STRING, n BIGINT) WITH ('connector' = 'blackhole');
INSERT INTO revenue SELECT item, COUNT(*) FROM orders GROUP BY item;
"""


@pytest.fixture
def silent():
    """An address that takes no connection and refuses none: its queue is full."""
    with socket.socket() as listener, contextlib.ExitStack() as clients:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(8):
            c = clients.enter_context(socket.socket())
            c.setblocking(False)
            c.connect_ex(listener.getsockname())
        yield f"127.0.0.1:{listener.getsockname()[1]}"


@pytest.mark.parametrize("broker", ["refused", "silent"])
def test_the_broker_does_not_answer(sluice, flink, mode, kafka_jars, silent, broker):
    """Beside `run`, long before Flink says it; also where the call itself ends before the two seconds are over."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"127.0.0.1:{listener.getsockname()[1]}"  # closed by now when it is tried
    address = silent if broker == "silent" else address
    seen = "TCP connect timed out" if broker == "silent" else "TCP connect refused"
    name, path = f"no-answer-{broker}", sluice.script(ORDERS, "orders.sql")
    args = ("run", path, "-d", "--name", name, "--flink", flink, "--mode", mode, "--var", f"kafka={address}", *kafka_jars)
    try:
        done = sluice(*args).ok()
        told = [f"warning[kafka-unreachable]: no answer from {address} ('properties.bootstrap.servers', orders.sql:6:36)",
                f"  tried from this machine: {seen}.  TaskManagers may see another network; Flink still tries.",
                "  = hint: address, port, firewall or NetworkPolicy"]
        lines = done.err.replace(path, "orders.sql").splitlines()
        at = lines.index(told[0]) if told[0] in lines else -1
        assert at >= 0 and lines[at:at + 3] == told, str(done)
        assert "error[" not in done.err and any(x.startswith(" submit ") for x in lines), str(done)
    finally:
        local.end(sluice, name)


TOP = """-- revenue of each item
CREATE TABLE orders (
  item STRING,
  price DECIMAL(10, 2)
) WITH ('connector' = 'datagen');
CREATE TABLE revenue (
  item STRING,
  total DECIMAL(38, 2)
) WITH ('connector' = 'filesystem', 'path' = '/tmp/never-written', 'format' = 'csv');
INSERT INTO revenue
SELECT item, SUM(price) FROM orders GROUP BY item;
"""


def test_an_error_of_planning(sluice, flink, mode):
    path = sluice.script(TOP, "top.sql")
    call = sluice.terminal("run", path, "--flink", flink, "--mode", mode)
    done = call.finish(120)
    assert done.rc == 1, str(done)
    text = done.out.replace(path, "top.sql")
    text = text[text.index("error["):]
    text = text[:text.index("(--stack)") + len("(--stack)")]
    assert re.sub(r"produced by.*", "…", text).splitlines()[:-1] == """error[changelog-to-append-sink]: this query changes rows it has already written; table 'revenue' can only append
  --> top.sql:10:1
   |
10 | INSERT INTO revenue
   | ^^^^^^^^^^^^^^^^^^^
11 | SELECT item, SUM(price) FROM orders GROUP BY item;
   |              ---------- this makes updates
   = hint: write to a connector that takes changes (upsert-kafka, jdbc with a PRIMARY KEY), or group by a window
   = Flink: Table sink 'default_catalog.default_database.revenue' doesn't support consuming update changes which is …""".splitlines()[:-1], done.out
    assert text.splitlines()[-1].startswith("   = Flink: Table sink 'default_catalog.default_database.revenue' doesn't support consuming update changes"), done.out


def test_the_name_is_taken(sluice, well, flink, mode):
    path = sluice.script(f"SET 'pipeline.name' = 'orders-revenue';\n{WELL.replace('COUNT(*)', 'COUNT(item)')}", "orders.sql")
    done = told(sluice, "run", path, "--name", "orders-revenue", "--flink", flink, "--mode", mode)
    assert done.rc == 5, str(done)
    lines = masked(done.out[done.out.index("error["):].replace(path, "orders.sql"), flink)
    assert lines == [
        "error[job-exists]: orders-revenue is running (v1, <age>) on local, and your file differs from it in 1 statement",
        "  = hint: sluice run orders.sql --replace<gap>savepoint, stop, start v2 from it; back to v1 if it is not well in <age>",
        "          sluice run orders.sql --name orders-revenue-2<gap>a second job beside it",
    ], done.out
