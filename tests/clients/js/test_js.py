# SPDX-License-Identifier: Apache-2.0
"""clients/js in Node and in Chromium before a real server: calls, errors, types, and events that are gone on with while the connection
is cut again and again and the server is killed."""
import json
import os
import pathlib
import random
import shutil
import socket
import sqlite3
import subprocess
import sys
import threading
import time

import pytest

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "api"), str(ROOT / "tests" / "e2e")]
import harness
from server import Server
from test_events import RUN, Store

NODE, CHROMIUM = shutil.which("node"), shutil.which("chromium")
TYPESCRIPT = "5.9.3"
pytestmark = [pytest.mark.skipif(not harness.FULL, reason="in test-all"), pytest.mark.skipif(not NODE, reason="there is no node")]
TOTAL = 300


class Between:
    """Stands between a client and a server: connections can be cut, the server be another one; it serves the client's files, too."""

    def __init__(self, server, folder):
        self.server, self.folder, self.open, self.results, self.down = server, folder, [], [], False
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        if self.down:
            client.close()
            return
        try:
            head = client.recv(65536)
            first = head.split(b"\r\n", 1)[0].split(b" ")
            if len(first) > 1 and first[1].startswith(b"/page/"):
                self.page(client, head, first[1].decode()[6:])
                return
            upstream = socket.create_connection(("127.0.0.1", self.server.port))
            upstream.sendall(head)
        except OSError:
            client.close()
            return
        self.open.append((client, upstream))
        for one, other in ((client, upstream), (upstream, client)):
            threading.Thread(target=self.pump, args=(one, other), daemon=True).start()

    def page(self, client, head, name):
        if name == "result":
            length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
            body = head.split(b"\r\n\r\n", 1)[1]
            while len(body) < length:
                body += client.recv(65536)
            self.results.append(json.loads(body))
            text, kind = b"", "text/plain"
        else:
            text = (self.folder / name).read_bytes()
            kind = "text/html; charset=utf-8" if name.endswith("html") else "text/javascript"
        client.sendall(f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {len(text)}\r\nConnection: close\r\n\r\n".encode() + text)
        client.close()

    @staticmethod
    def pump(one, other):
        try:
            while data := one.recv(65536):
                other.sendall(data)
        except OSError:
            pass
        for s in (one, other):
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def cut(self):
        pairs, self.open = self.open, []
        for pair in pairs:
            for s in pair:
                try:
                    s.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def url(self):
        return f"http://127.0.0.1:{self.port}"


@pytest.fixture
def world(tmp_path):
    files = tmp_path / "files"
    files.mkdir()
    (files / "client").symlink_to(ROOT / "clients" / "js")
    shutil.copy(HERE / "run.mjs", files)
    server = Server(tmp_path / "server")
    store = Store(server.folder)
    store.run(RUN, "live", 0)
    store.db.close()
    between = Between(server, files)
    yield between
    between.listener.close()
    between.cut()
    finish(server.folder)
    assert between.server.stop() == 0


def connect(folder):
    return sqlite3.connect(folder / "data" / "sluice.db", timeout=20, isolation_level=None)


def finish(folder):
    db = connect(folder)
    db.execute("UPDATE run SET ended = 1")
    db.close()


def node(between, part, token=None, flags=()):
    return subprocess.Popen([NODE, *flags, str(between.folder / "run.mjs"), between.url(), token or between.server.token, part], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def said(process):
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err[-3000:]
    return json.loads(out)


def websocket_flags():
    if subprocess.run([NODE, "-e", "process.exit(globalThis.WebSocket ? 0 : 1)"], check=False).returncode == 0:
        return []
    flag = "--experimental-websocket"
    if subprocess.run([NODE, flag, "-e", "process.exit(globalThis.WebSocket ? 0 : 1)"], check=False, capture_output=True).returncode == 0:
        return [flag]
    pytest.skip("this node has no WebSocket")


def write_events(between, seed, kill):
    """Events 1 to TOTAL, a few at a time, while connections are cut and, in the middle, the server is killed."""
    dice = random.Random(seed)
    folder, n = between.server.folder, 0
    while n < TOTAL:
        db = connect(folder)
        db.execute("BEGIN IMMEDIATE")
        for _ in range(dice.randint(1, 12)):
            n += 1
            if n <= TOTAL:
                db.execute("INSERT INTO event VALUES(?, ?, 1700000000123, 'state', '{}')", (RUN, n))
        if n >= TOTAL:
            db.execute("UPDATE run SET ended = 1 WHERE id = ?", (RUN,))
        db.execute("COMMIT")
        db.close()
        time.sleep(0.05)
        if dice.random() < 0.3:
            between.cut()
        if kill and n > TOTAL // 2:
            kill = False
            between.down = True
            between.cut()
            between.server.process.kill()
            between.server.process.wait()
            finish(folder)  # the next one is not to look for the run on a cluster
            between.server = Server(folder)
            db = connect(folder)
            db.execute("UPDATE run SET ended = 0 WHERE id = ?", (RUN,))
            db.close()
            time.sleep(0.5)
            between.down = False


def test_calls_and_errors(world):
    seen = said(node(world, "calls"))
    assert seen["hello"]["version"] and seen["check"]["diagnostics"][0]["column"] == 15
    assert (seen["unknown"]["code"], seen["unknown"]["status"], seen["unknown"]["isSluiceError"]) == ("job-unknown", 404, True)
    assert (seen["wrong"]["code"], seen["noToken"]["code"], seen["nobody"]["code"]) == ("usage", "unauthorized", "connection")
    assert [j["job"] for j in seen["list"]["jobs"]] == ["live"] and seen["dry"]["answer"]["exit"] == 0 and seen["dry"]["numbers"]
    assert seen["rows"] == seen["page"]["rows"] == [["+I", "table.a", "b"]] and seen["rowsEnd"]["ended"] and "closed" in seen["closed"]
    assert "abort" in seen["aborted"].lower()
    assert seen["brought"]["bytes"] == 100000 and seen["brought"]["name"] == "ü b.jar" and seen["given"] is True
    assert seen["removed"] == {"removed": seen["brought"]["digest"]} and seen["notBrought"]["code"] == "artifact-format"
    assert said(node(world, "parse")) == [{"event": "event", "id": "7", "data": "a\nü"}, {"event": "message", "data": "b"}]


def test_it_waits_when_the_server_asks_for_it(tmp_path):
    files = tmp_path / "files"
    files.mkdir()
    (files / "client").symlink_to(ROOT / "clients" / "js")
    shutil.copy(HERE / "run.mjs", files)
    server = Server(tmp_path / "server", "--config", "limit.user-requests=5")
    between = Between(server, files)
    assert said(node(between, "many"))["codes"] == ["ok"] * 12
    between.listener.close()
    assert server.stop() == 0


@pytest.mark.parametrize("part", ["stream", "socket"])
def test_events_are_gone_on_with_in_node(world, part):
    flags = websocket_flags() if part == "socket" else []
    seed = int.from_bytes(os.urandom(4), "big")
    print("seed", seed)
    process = node(world, part, flags=flags)
    write_events(world, seed, kill=True)
    seen = said(process)
    assert seen["numbers"] == list(range(1, TOTAL + 1)), f"seed {seed}"
    assert seen["answer"]["ended"] is True and seen["answer"]["next"] == TOTAL
    if part == "socket":
        assert seen["hello"]["version"] and seen["wrong"]["code"] == "job-unknown" and seen["closed"] == "connection" and seen["stranger"] == "unauthorized"


@pytest.mark.skipif(not CHROMIUM, reason="there is no chromium")
def test_all_of_it_in_chromium(world, tmp_path):
    seed = int.from_bytes(os.urandom(4), "big")
    print("seed", seed)
    (world.folder / "index.html").write_text(f"""<!doctype html><script type="module">
import {{ run }} from "./run.mjs";
const out = {{}};
try {{
  out.calls = await run(location.origin, "{world.server.token}", "calls");
  [out.stream, out.socket] = await Promise.all(["stream", "socket"].map((part) => run(location.origin, "{world.server.token}", part)));
}} catch (e) {{ out.error = String(e) + e.stack; }}
await fetch("http://localhost:{world.port}/page/result", {{ method: "POST", mode: "no-cors", body: JSON.stringify(out) }}); // on a connection of its own
</script>""")
    browser = subprocess.Popen([CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", f"--user-data-dir={tmp_path / 'profile'}", world.url() + "/page/index.html"],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        deadline = time.monotonic() + 120
        time.sleep(3)
        write_events(world, seed, kill=False)
        while not world.results:
            assert time.monotonic() < deadline, "the page told nothing"
            time.sleep(0.1)
    finally:
        browser.kill()
        browser.wait()
    seen = world.results[0]
    assert "error" not in seen, seen
    assert seen["calls"]["hello"]["version"] and seen["calls"]["unknown"]["code"] == "job-unknown"
    for part in ("stream", "socket"):
        assert seen[part]["numbers"] == list(range(1, TOTAL + 1)), f"{part}, seed {seed}"


def test_the_types_are_of_this_server(world, tmp_path):
    """The generated files are those of this server's openapi.json, and a compiler takes what they allow and nothing else."""
    document = world.server.ask_raw("GET", "/api/v1/openapi.json")[2]
    subprocess.run([NODE, str(ROOT / "clients" / "js" / "generate.mjs"), str(tmp_path)], input=json.dumps(document), text=True, check=True)
    for name in ("api.mjs", "api.d.mts"):
        assert (tmp_path / name).read_text() == (ROOT / "clients" / "js" / name).read_text(), f"{name} is old: clients/js/README.md tells how it is made"
    npm = shutil.which("npm")
    if not npm:
        pytest.skip("there is no npm for the compiler")
    home = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "sluice" / f"typescript-{TYPESCRIPT}"
    tsc = home / "node_modules" / ".bin" / "tsc"
    if not tsc.exists():
        subprocess.run([npm, "install", "--silent", "--prefix", str(home), f"typescript@{TYPESCRIPT}"], check=True, timeout=300)
    shutil.copy(HERE / "types.ts", world.folder)
    done = subprocess.run([str(tsc), "--noEmit", "--strict", "--noUncheckedIndexedAccess", "--target", "es2022", "--module", "nodenext", "--moduleResolution", "nodenext", "--preserveSymlinks",
                           "--lib", "es2022,dom,dom.asynciterable", "types.ts"], cwd=world.folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
