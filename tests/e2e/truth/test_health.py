# SPDX-License-Identifier: Apache-2.0
"""Jobs that run and are not well, on real Flinks: each reason is told while it is so, and goes by itself when it is over."""
import ctypes
import os
import time

import harness
import pytest
from watch import Watch

GENERATED = "CREATE TABLE g (id BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '200', 'fields.id.min' = '0', 'fields.id.max' = '1000');\n"
HOLE = "CREATE TABLE hole (id BIGINT, n BIGINT) WITH ('connector' = 'blackhole');\n"


def watched(job, **more):
    return Watch(job.sluice, job.name, job.port, job.pids, **more)


def reason(word):
    return lambda t: t["health"] == "degraded" and word in str(t["why"])


@pytest.fixture
def small_disk(tmp_path):
    """A file system of one megabyte."""
    folder = tmp_path / "small"
    folder.mkdir()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(b"none", str(folder).encode(), b"tmpfs", 0, b"size=1m") != 0:
        pytest.skip(f"no tmpfs can be mounted here: {os.strerror(ctypes.get_errno())}")
    yield str(folder)
    libc.umount2(str(folder).encode(), 2)


def test_checkpoint_folder_full(start, small_disk):
    job = start("full-disk", f"""SET 'execution.checkpointing.interval' = '500 ms';
SET 'execution.checkpointing.tolerable-failed-checkpoints' = '100000';
SET 'execution.checkpointing.dir' = 'file://{small_disk}/ck';
SET 'state.checkpoints.dir' = 'file://{small_disk}/ck';
{GENERATED}{HOLE}INSERT INTO hole SELECT MOD(id, 5), COUNT(*) FROM g GROUP BY MOD(id, 5);
""")
    filler = f"{small_disk}/filler"
    with watched(job) as w:
        w.until(lambda t: t.well and t["lastCheckpoint"] > 0, 60, "RUNNING and ok, with a checkpoint")
        w.mark("the disk fills up")
        with open(filler, "wb", buffering=0) as f:
            try:
                while f.write(b"x" * 4096):
                    pass
            except OSError:
                pass
        t = w.until(reason("checkpoint"), 40, "degraded by its checkpoints")
        assert t["state"] == "RUNNING" and t["sight"] == "live", str(t)
        assert any(x.runs for x in w.truth[-5:])
        w.mark("there is room again")
        os.unlink(filler)
        w.until(lambda t: t.well, 40, "well again, by itself")


def test_restarts_in_a_loop(start):
    """Each life of it ends at the same record: Flink shows RUNNING in between."""
    job = start("looping", f"""SET 'execution.checkpointing.interval' = '1 s';
SET 'restart-strategy.type' = 'fixed-delay';
SET 'restart-strategy.fixed-delay.attempts' = '100000';
SET 'restart-strategy.fixed-delay.delay' = '1 s';
{GENERATED}{HOLE}INSERT INTO hole SELECT id, 10 / (id - 500) FROM g;
""")
    with watched(job) as w:
        t = w.until(reason("restart"), 60, "degraded by its restarts")
        assert t["sight"] == "live" and not t["ended"], str(t)
        t = w.until(lambda t: t["restarts"] >= 3, 90, "three restarts")
        time.sleep(3)
        assert t["health"] == "degraded" and "restarted" in t["why"], str(t)
        late = [x for x in w.told if x.asked > t.at]
        assert late and not any(x.well for x in late), w.timeline()


@pytest.mark.full
def test_back_pressure(start, slow_jar):
    """The step in the middle is held back: each record of the source changes a sum behind it. (Flink does not measure it of sources of the old kind.)"""
    job = start("too-slow", f"""CREATE FUNCTION slow AS 'truth.Slow';
CREATE TABLE g (id BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '100000', 'fields.id.min' = '0', 'fields.id.max' = '1000');
{HOLE}INSERT INTO hole SELECT slow(k, 200), n FROM (SELECT MOD(id, 7) AS k, SUM(c) AS n FROM (SELECT id, COUNT(*) AS c FROM g GROUP BY id) GROUP BY MOD(id, 7));
""", "--jar", slow_jar)
    with watched(job) as w:
        t = w.until(reason("held back"), 60, "degraded by back-pressure")
        assert t["state"] == "RUNNING" and t["sight"] == "live", str(t)


def test_source_idle(start, sluice):
    folder = os.path.join(sluice.work, "incoming")
    os.makedirs(folder)

    def arrive(name, lines):
        with open(f"{folder}/.{name}", "w", encoding="utf-8") as f:
            f.write("".join(f"{i}\n" for i in range(lines)))
        os.rename(f"{folder}/.{name}", f"{folder}/{name}")
    arrive("one.csv", 100)
    job = start("idle", f"""SET 'execution.checkpointing.interval' = '2 s';
CREATE TABLE incoming (id BIGINT) WITH ('connector' = 'filesystem', 'path' = 'file://{folder}', 'format' = 'csv', 'source.monitor-interval' = '1 s');
{HOLE}INSERT INTO hole SELECT id, 1 FROM incoming;
""")
    with watched(job) as w:
        w.until(lambda t: t["state"] == "RUNNING", 60, "RUNNING")
        t = w.until(reason("read nothing"), 40, "degraded by an idle source")
        assert t["state"] == "RUNNING" and t["sight"] == "live", str(t)
        w.mark("a file arrives")
        arrive("two.csv", 1000)
        w.until(lambda t: t.well, 40, "well again, by itself")


@pytest.mark.parametrize("broker", ["refused", pytest.param("silent", marks=pytest.mark.full)])
def test_broker_unreachable(start, sluice, kafka_jars, broker):
    """Nobody listens there: told at once from here, and by Flink when it has waited."""
    import socket
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        if broker == "refused":
            listener.close()
        job = start(f"no-broker-{broker}", f"""SET 'execution.checkpointing.interval' = '1 s';
CREATE TABLE orders (id BIGINT) WITH ('connector' = 'kafka', 'topic' = 'orders', 'properties.bootstrap.servers' = '127.0.0.1:{port}', 'format' = 'json',
  'scan.startup.mode' = 'earliest-offset', 'properties.default.api.timeout.ms' = '4000', 'properties.request.timeout.ms' = '3000');
{HOLE}INSERT INTO hole SELECT id, 1 FROM orders;
""", *kafka_jars)
        with watched(job) as w:
            t = w.until(lambda t: t["health"] == "degraded" and "cannot be reached" in str(t["why"]), 60, "degraded: no broker")
            assert not t["ended"] and t["state"] in ("RUNNING", "STARTING", "RESTARTING"), str(t)
            assert t["cause"]["code"] == "kafka-unreachable", t.doc
