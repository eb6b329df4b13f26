# SPDX-License-Identifier: Apache-2.0
"""`check --level connect`: what a script names is tried from this machine, all at once, within two seconds; told as warnings at the option."""
import json
import os
import socket
import subprocess
import time

import pytest

from test_language import BIN

SLACK = 3  # for a loaded machine; one after the other they would take 30 s


@pytest.fixture
def check(tmp_path):
    def call(text, *args, **env):
        (tmp_path / "orders.sql").write_text(text)
        base = {k: v for k, v in os.environ.items() if not k.startswith("SLUICE_")}
        base.update(HOME=str(tmp_path), XDG_CONFIG_HOME=str(tmp_path / "xdg"), NO_COLOR="1", **env)
        start = time.monotonic()
        done = subprocess.run([BIN, "check", *args, "orders.sql"], env=base, cwd=tmp_path, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL, check=False)
        done.seconds = time.monotonic() - start
        return done
    return call


@pytest.fixture
def closed():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    return f"127.0.0.1:{port}"


@pytest.fixture
def listening():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        s.listen(64)
        yield f"127.0.0.1:{s.getsockname()[1]}"


@pytest.fixture
def silent():
    """Addresses that take no connection and refuse none: their queues are full."""
    sockets, addresses = [], []
    for _ in range(10):
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        sockets.append(listener)
        addresses.append(f"127.0.0.1:{listener.getsockname()[1]}")
        for _ in range(6):
            c = socket.socket()
            c.setblocking(False)
            c.connect_ex(listener.getsockname())
            sockets.append(c)
    time.sleep(0.2)
    yield addresses
    for s in sockets:
        s.close()


def kafka(name, servers):
    return f"CREATE TABLE {name} (id BIGINT) WITH (\n  'connector' = 'kafka', 'topic' = 't', 'format' = 'json',\n  'properties.bootstrap.servers' = '{servers}');\n"


def test_a_closed_port_is_told_at_its_option(check, closed):
    done = check(kafka("o", "${kafka}"), "--level", "connect", "--var", f"kafka={closed}")
    assert done.returncode == 0, done.stderr
    assert f"warning[kafka-unreachable]: no answer from {closed} ('properties.bootstrap.servers', orders.sql:3:36)\n  tried from this machine: TCP connect refused.  TaskManagers may see another network" in done.stderr
    assert check(kafka("o", closed), "--level", "connect", "--strict").returncode == 3
    assert "unreachable" not in check(kafka("o", closed)).stderr  # only when it is asked for
    off = check(kafka("o", closed), "--level", "connect", SLUICE_LIMIT_PREFLIGHT="0")
    assert "unreachable" not in off.stderr, off.stderr


def test_silent_hosts_take_two_seconds_together(check, silent):
    text = "".join(kafka(f"t{i}", address) for i, address in enumerate(silent))
    done = check(text, "--level", "connect", "--json")
    told = json.loads(done.stdout)["diagnostics"]
    assert [d["code"] for d in told] == ["kafka-unreachable"] * len(silent), done.stdout
    assert all("TCP connect timed out" in d["message"] for d in told)
    assert done.seconds < 2 + SLACK, done.seconds
    quick = check(text, "--level", "connect", "--json", SLUICE_LIMIT_PREFLIGHT="200ms")
    assert len(json.loads(quick.stdout)["diagnostics"]) == len(silent) and quick.seconds < done.seconds


def test_names_databases_urls_and_paths(check, closed, listening, tmp_path):
    (tmp_path / "in").mkdir()
    text = (f"CREATE TABLE a (id INT) WITH ('connector' = 'jdbc', 'url' = 'jdbc:postgresql://no-such-host.invalid/x', 'table-name' = 'a', 'username' = 'u', 'password' = 'hidden-word');\n"
            f"CREATE TABLE b (id INT) WITH ('connector' = 'jdbc', 'url' = 'jdbc:mysql://u:hidden-word@{closed}/x', 'table-name' = 'b');\n"
            f"CREATE TABLE c (id INT) WITH ('connector' = 'filesystem', 'path' = '{tmp_path}/in', 'format' = 'csv');\n"
            f"CREATE TABLE d (id INT) WITH ('connector' = 'filesystem', 'path' = '{tmp_path}/gone', 'format' = 'csv');\n"
            f"CREATE TABLE e (id INT) WITH ('connector' = 'filesystem', 'path' = '{tmp_path}/out', 'format' = 'csv');\n"
            f"{kafka('f', listening)}{kafka('g', closed + ',' + listening)}"
            "INSERT INTO e SELECT id FROM d;\n")
    done = check(text, "--level", "connect", "--json")
    told = [(d["code"], d["line"]) for d in json.loads(done.stdout)["diagnostics"]]
    assert told == [("pg-unreachable", 1), ("db-unreachable", 2), ("path-missing", 4)], done.stdout
    words = [d["message"] for d in json.loads(done.stdout)["diagnostics"]]
    assert "no-such-host.invalid:5432" in words[0] and "name" in words[0] and closed in words[1] and f"{tmp_path}/gone" in words[2]
    assert "hidden-word" not in done.stdout + done.stderr
    assert done.seconds < 2 + SLACK
