# SPDX-License-Identifier: Apache-2.0
"""`job logs --tm` on a cluster of two TaskManagers, which are made up here: a choice needs two."""
import http.server
import json
import os
import subprocess
import threading
import time

import pytest

BIN = os.environ.get("SLUICE_BIN", "build/sluice")
JOB = "0123456789abcdef0123456789abcdef"
IDS = ["10.0.0.1:4000-aa", "10.0.0.2:4000-bb"]


def answer(path):
    """What a JobManager of Flink 2.2.1 with one job tells."""
    if path.startswith("/taskmanagers/"):
        return f"log of {path.split('/')[2]}\nthe end\n"
    return {
        "/overview": {"flink-version": "2.2.1", "taskmanagers": 2, "slots-total": 4, "slots-available": 3, "jobs-running": 1},
        "/config": {"flink-version": "2.2.1", "features": {"web-submit": True}},
        "/jobmanager/config": [{"key": "web.tmpdir", "value": "/tmp/flink-web-1"}],
        "/jobs/overview": {"jobs": [{"jid": JOB, "name": "x", "state": "RUNNING", "start-time": 1795270301530, "end-time": -1, "tasks": {"total": 1, "running": 1}}]},
        f"/jobs/{JOB}": {"jid": JOB, "name": "x", "state": "RUNNING", "start-time": 1795270301530, "end-time": -1, "now": int(time.time() * 1000), "timestamps": {}, "vertices": [],
                         "plan": {"nodes": []}},
        "/taskmanagers": {"taskmanagers": [{"id": i} for i in IDS]},
        "/jars": {"files": []},
    }.get(path)


class JobManager(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def do_GET(self):
        said = answer(self.path.split("?")[0])
        body = (said if isinstance(said, str) else json.dumps(said or {"errors": ["not found"]})).encode()
        self.send_response(200 if said else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def sluice(tmp_path):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), JobManager)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    env = dict(os.environ, SLUICE_DATA=str(tmp_path / "data"), NO_COLOR="1")

    def run(*argv):
        return subprocess.run([BIN, *argv], env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
    try:
        assert run("target", "add", "two", "--url", f"http://127.0.0.1:{server.server_port}").returncode == 0
        adopted = run("job", "adopt", f"two/{JOB}", "--name", "mine")
        assert adopted.returncode == 0, adopted.stderr
        yield run
    finally:
        run("owner", "stop", "--yes")
        server.shutdown()


def test_the_log_of_one_taskmanager(sluice):
    both = sluice("job", "logs", "mine", "--tm").stdout
    assert both == "".join(f"==> {i} <==\nlog of {i}\nthe end\n" for i in IDS)
    assert sluice("job", "logs", "--tm", "mine").stdout == both
    one = f"log of {IDS[1]}\nthe end\n"
    for argv in (["mine", "--tm", IDS[1]], ["mine", "--tm", "10.0.0.2"], ["--tm", IDS[1], "mine"], ["--tm", IDS[1], "--tail", "9", "mine"]):
        said = sluice("job", "logs", *argv)
        assert (said.returncode, said.stdout) == (0, one), (argv, said)
    assert sluice("job", "logs", "mine", "--tm", IDS[0], "--tail", "1").stdout == "the end\n"
    for id, words in (("none-such", "there is no TaskManager 'none-such'"), ("10.0", "more than one TaskManager begins with '10.0'")):
        said = sluice("job", "logs", "mine", "--tm", id)
        assert said.returncode == 2 and words in said.stderr and all(i in said.stderr for i in IDS), said
