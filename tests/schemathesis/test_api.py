# SPDX-License-Identifier: Apache-2.0
"""Schemathesis before a real server: what it makes up from openapi.json gets no 5xx, no answer that the document does not tell of, and
nothing that the document forbids is taken. It comes from the package index into a virtual environment in the cache, once."""
import json
import os
import pathlib
import subprocess
import sys

import pytest

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), *more) for more in (("..",), ("..", "api"))]
from server import Server
from test_events import ENDED, Store

VERSION = "4.32.5"
CHECKS = ["not_a_server_error", "status_code_conformance", "content_type_conformance", "response_headers_conformance", "response_schema_conformance", "negative_data_rejection"]


@pytest.fixture(scope="session")
def program():
    home = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "sluice" / f"schemathesis-{VERSION}"
    if not (home / "done").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(home)], check=True, timeout=300)
        subprocess.run([str(home / "bin" / "pip"), "install", "-q", f"schemathesis=={VERSION}"], check=True, timeout=900)
        (home / "done").touch()
    return str(home / "bin" / "schemathesis")


@pytest.fixture
def server(tmp_path):
    s = Server(tmp_path, env={"PIP_INDEX_URL": "http://127.0.0.1:1/simple"})  # no statement is to fetch a Flink
    store = Store(s.folder)
    store.run(ENDED, "over", 1)
    store.db.execute("INSERT INTO job(id, name, owner, created_ms) VALUES(1, 'over', 'ann', 1690000000000)")
    store.db.execute("INSERT INTO version(job, number, digest, bundle, source, made_by, made_ms) VALUES(1, 1, 'd', '{}', '', 'ann', 1690000000000)")
    for n in range(1, 4):
        store.event(ENDED, n, json.dumps({"n": n}))
    yield s
    store.db.close()
    assert s.stop() == 0


@pytest.mark.parametrize("known", [False, True], ids=["names made up", "names that are there"])
def test_it_finds_nothing(program, server, known, tmp_path):
    """NUL is left out: a head with one ends the connection, as HTTP lets it."""
    session = server.ask("POST", "/api/v1/sessions", {"name": "known"})[2]["session"]
    operation = server.ask("POST", f"/api/v1/sessions/{session}/operations", {"statement": "SET"})[2]["operation"]
    config = tmp_path / "schemathesis.toml"
    config.write_text('[parameters]\n"path.job" = "over"\n"path.name" = "local"\n'
                      f'"path.session" = "{session}"\n"path.operation" = "{operation}"\n"path.page" = 0\n' if known else "")
    seed = int.from_bytes(os.urandom(4), "big")
    print("seed", seed)
    some = ["--exclude-method", "DELETE"] if known else []
    done = subprocess.run([program, "--config-file", str(config), "run", f"http://127.0.0.1:{server.port}/api/v1/openapi.json", "-H", f"Authorization: Bearer {server.token}",
                           "-n", os.environ.get("SCHEMATHESIS_EXAMPLES", "100"), "--phases", "examples,coverage,fuzzing", "--checks", ",".join(CHECKS), "--seed", str(seed), "--no-color",
                           "--generation-database", "none", "--generation-allow-x00", "false", "--request-timeout", "60", *some],
                          cwd=tmp_path, capture_output=True, text=True, timeout=1500, check=False)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert "Tested: " in done.stdout and "Traceback" not in (server.folder / "serve.log").read_text()
