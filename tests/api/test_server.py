# SPDX-License-Identifier: Apache-2.0
"""The server without a Flink: who may speak, what rude clients get, REST, events, WebSocket, its end."""
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from server import BIN, Server, Socket, certificates, read_answer


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    s = Server(tmp_path_factory.mktemp("server"))
    yield s
    assert s.stop() == 0


SCRIPT = {"text": "SELECT 1 FORM t;"}
CHECK = "/api/v1/scripts/check"


# --- who

def test_health_needs_no_token_and_everything_else_does(server):
    assert server.ask("GET", "/healthz", token="")[0] == 200
    assert server.ask("GET", "/readyz", token="")[0] == 200
    for path in ("/metrics", "/api/v1/jobs", "/api/v1/openapi.json", "/nothing"):
        status, headers, body = server.ask("GET", path, token="")
        assert status == 401 and body["code"] == "unauthorized" and headers["www-authenticate"].startswith("Bearer"), path
        assert server.ask("GET", path, token="slu_" + "0" * 64)[0] == 401, path


def test_other_hosts_and_origins_are_refused(server):
    status, _, body = server.ask("GET", "/healthz", Host="evil.example")
    assert status == 421 and body["code"] == "host-not-allowed"
    for origin in ("https://evil.example", "null", f"http://127.0.0.1:{server.port + 1}"):
        status, _, body = server.ask("GET", "/api/v1/jobs", Origin=origin)
        assert status == 403 and body["code"] == "origin-not-allowed", origin
    assert server.ask("GET", "/api/v1/jobs", Origin=f"http://127.0.0.1:{server.port}")[0] == 200
    assert server.ask("GET", "/api/v1/jobs", Host=f"localhost:{server.port}")[0] == 200


def test_tokens_are_made_listed_and_end(server):
    status, _, made = server.ask("POST", "/api/v1/tokens", {"name": "ann", "role": "viewer"})
    assert status == 200 and made["token"].startswith("slu_")
    ann = made["token"]
    assert server.ask("GET", "/api/v1/jobs", token=ann)[0] == 200
    status, _, body = server.ask("POST", CHECK, SCRIPT, token=ann)
    assert status == 403 and body["code"] == "forbidden" and "analyst" in body["title"]
    listed = server.ask("GET", "/api/v1/tokens")[2]["tokens"]
    assert [t["role"] for t in listed if t["name"] == "ann"] == ["viewer"]
    assert ann[4:] not in json.dumps(listed)
    assert server.ask("DELETE", f"/api/v1/tokens/{made['id']}")[0] == 200
    assert server.ask("GET", "/api/v1/jobs", token=ann)[0] == 401
    short = server.ask("POST", "/api/v1/tokens", {"name": "bob", "role": "viewer", "ttlMs": 200})[2]["token"]
    assert server.ask("GET", "/api/v1/jobs", token=short)[0] == 200
    time.sleep(0.3)
    assert server.ask("GET", "/api/v1/jobs", token=short)[0] == 401
    assert server.ask("POST", "/api/v1/tokens", {"name": "x", "role": "king"})[0] == 400
    assert server.token[4:] not in (server.folder / "data" / "owner.log").read_text()


def test_the_command_line_makes_tokens(server):
    made = server.cli("token", "create", "carl", "--role", "analyst", "--expires", "1h")
    assert made.returncode == 0 and "shown this once" in made.stderr
    carl = made.stdout.strip()
    assert server.ask("POST", CHECK, SCRIPT, token=carl)[0] == 200
    assert server.ask("GET", "/api/v1/tokens", token=carl)[0] == 403
    assert "carl" in server.cli("token", "ls").stdout
    assert server.cli("token", "revoke", "carl").returncode == 0
    assert server.ask("POST", CHECK, SCRIPT, token=carl)[0] == 401
    assert server.cli("token", "revoke", "carl").returncode == 2
    assert oct((server.folder / "data" / "token").stat().st_mode & 0o777) == "0o600"


def test_every_call_is_a_line_of_the_log_whichever_way_it_comes(server):
    made = server.ask("POST", "/api/v1/tokens", {"name": "audited\nx audit forged", "role": "analyst"})[2]
    assert server.ask("POST", CHECK, SCRIPT, token=made["token"])[0] == 200
    w = Socket(server, token=made["token"])
    w.send({"jsonrpc": "2.0", "id": 1, "method": "script.split", "params": {"text": "SELECT 1"}})
    assert w.receive()["id"] == 1
    w.send({"jsonrpc": "2.0", "id": 2, "method": "script.format", "params": {"text": "SELECT 1", "width": 3}})
    assert w.receive()["error"]["data"]["code"] == "usage"
    deadline = time.time() + 10
    lines = []
    while len(lines) < 3 and time.time() < deadline:
        lines = [x for x in (server.folder / "data" / "owner.log").read_text().splitlines() if " audit " in x and "audited" in x]
        time.sleep(0.05)
    assert [x.split(" audit ")[1].split()[0] for x in lines] == ["script.check", "script.split", "script.format"], lines
    assert ["ok=true" in x for x in lines] == [True, True, False] and "code=usage" in lines[2]
    assert all(x.startswith("20") for x in (server.folder / "data" / "owner.log").read_text().splitlines())
    w.s.close()


def test_basic_authorization_carries_a_token(server):
    import base64
    word = base64.b64encode(b"anyone:" + server.token.encode()).decode()
    assert server.ask("GET", "/api/v1/jobs", token="", Authorization="Basic " + word)[0] == 200
    assert server.ask("GET", "/api/v1/jobs", token="", Authorization="Basic " + "A" * 400)[0] == 401


# --- requests

def test_what_is_wrong_with_a_script(server):
    status, _, body = server.ask("POST", CHECK, SCRIPT)
    assert status == 200 and not body["ok"] and body["diagnostics"][0]["code"] == "syntax" and body["diagnostics"][0]["column"] == 15


def test_split_format_complete(server):
    split = server.ask("POST", "/api/v1/scripts/split", {"text": "SELECT ';';\n-- x\nSET 'a' = 'b'"})[2]["statements"]
    assert [s["text"] for s in split] == ["SELECT ';'", "SET 'a' = 'b'"] and [s["terminated"] for s in split] == [True, False]
    assert server.ask("POST", "/api/v1/scripts/format", {"text": "select 1"})[2]["text"].strip() == "SELECT 1"
    text = "CREATE TABLE t (price INT); SELECT pri FROM t;"
    items = server.ask("POST", "/api/v1/scripts/complete", {"text": text, "offset": text.index("pri F") + 3})[2]["completion"]["items"]
    assert any(i["label"] == "price" for i in items)
    assert server.ask("POST", "/api/v1/scripts/complete", {"text": "x", "offset": 7})[0] == 400


@pytest.mark.parametrize("body,headers,status,code", [
    ("{", {"Content-Type": "application/json"}, 400, "json"),
    ('{"text":"a","text":"b"}', {"Content-Type": "application/json"}, 400, "json"),
    ("[1]", {"Content-Type": "application/json"}, 400, "json"),
    (b'{"text":"\xff"}', {"Content-Type": "application/json"}, 400, "json"),
    ("{}", {"Content-Type": "text/plain"}, 415, "media-type"),
    ("{}", {"Content-Type": "application/json"}, 400, "usage"),
    ('{"text":7}', {"Content-Type": "application/json"}, 400, "usage"),
    ('{"text":"a","sql":"b"}', {"Content-Type": "application/json; charset=utf-8"}, 400, "usage"),
    ('{"text":"a","flink":"9.9"}', {"Content-Type": "application/json"}, 400, None),
])
def test_bad_bodies(server, body, headers, status, code):
    got = server.ask("POST", CHECK, body, **headers)
    assert got[0] == status, got
    assert code is None or got[2]["code"] == code, got


def test_paths_and_methods(server):
    status, _, body = server.ask("GET", "/api/v1/nothing")
    assert status == 404 and body["code"] == "not-found"
    status, headers, body = server.ask("DELETE", "/api/v1/jobs")
    assert status == 405 and headers["allow"] == "GET" and body["code"] == "method-not-allowed"
    status, headers, text = server.ask("HEAD", "/api/v1/jobs")
    assert status == 200 and text == "" and int(headers["content-length"]) > 5
    assert server.ask("GET", "/api/v1/jobs?active=maybe")[0] == 400
    assert server.ask("GET", "/api/v1/jobs?active=true&active=true")[0] == 400
    assert server.ask("GET", "/api/v1/jobs?colour=red")[0] == 400
    assert server.ask("GET", "/api/v1/jobs/none-such")[2]["code"] == "job-unknown"


def test_openapi_names_what_is_there(server):
    doc = server.ask("GET", "/api/v1/openapi.json")[2]
    assert doc["openapi"].startswith("3.1") and len(doc["paths"]) > 8
    for path, methods in doc["paths"].items():
        for method, op in methods.items():
            for p in op["parameters"]:
                if p["in"] == "path":
                    path = path.replace("{%s}" % p["name"], "none-such")
            status, _, body = server.ask(method.upper(), path, {} if "requestBody" in op else None)
            assert status not in (405, 500) and (status == 200 or body["code"]), (method, path, status, body)
            assert not (status == 404 and body["code"] == "not-found" and "nothing at" in body["title"]), path


def test_a_dry_run_as_events_and_as_one_answer(server):
    submit = {"files": [{"name": "a.sql", "text": "CREATE TABLE t (a INT) WITH ('connector'='datagen'); SELECT a FROM t;"}], "name": "dry", "dryRun": True}
    status, _, body = server.ask("POST", "/api/v1/submissions", submit)
    assert status == 200 and body["exit"] == 0 and body["events"], body
    s = server.raw(server.post("/api/v1/submissions", submit, "Accept: text/event-stream", "Connection: close"))
    text = b""
    while True:
        got = s.recv(65536)
        if not got:
            break
        text += got
    assert b"text/event-stream" in text and b"\nid: " not in text and b"\nevent: event\ndata: {" in text and b"event: end\ndata: {" in text
    assert text.endswith(b"0\r\n\r\n")
    status, _, body = server.ask("POST", "/api/v1/submissions", {**submit, "jars": ["/etc/passwd"]})
    assert status == 400 and "jars" in body["title"]


# --- rude clients

def quiet(server, seconds=1.0):
    """It uses next to no processor time while nobody asks."""
    time.sleep(0.3)
    before = server.cpu()
    time.sleep(seconds)
    return server.cpu() - before < 0.3 * seconds


def test_a_request_with_a_body_behind_another_in_one_segment(server):
    get = server.head("GET", "/api/v1/jobs")
    post = server.post(CHECK, SCRIPT)
    for requests in ([get, post], [post, get], [post, post], [post] * 5, [get, post, get, post, post]):
        s = server.raw(b"".join(requests))
        rest = b""
        for r in requests:
            status, body, rest = read_answer(s, rest)
            assert status == 200 and ((b"diagnostics" in body) == (r is post)), body
        s.close()
    assert quiet(server)


@pytest.mark.parametrize("method,path,status", [("PUT", "/healthz", 404), ("PATCH", CHECK, 405), ("DELETE", CHECK, 405), ("POST", CHECK, 400), ("GET", "/healthz", 200)])
def test_a_request_without_a_body(server, method, path, status):
    """With the length 0 the connection goes on; where none is stated and one was to be expected it ends with the answer."""
    assert server.ask(method, path, "")[0] == status
    get = server.head("GET", "/healthz")
    empty = server.head(method, path, "Content-Length: 0")
    for requests in ([empty, get], [get, empty, get], [empty, empty, get]):
        s = server.raw(b"".join(requests))
        rest = b""
        for r in requests:
            got, body, rest = read_answer(s, rest)
            assert got == (status if r is empty else 200), (r, body)
        s.close()
    goes_on = method in ("GET", "DELETE")
    s = server.raw(get + server.head(method, path) + (get if goes_on else b""))
    got, _, rest = read_answer(s)
    assert got == 200
    got, _, rest = read_answer(s, rest)
    assert got == status
    assert read_answer(s, rest)[0] == 200 if goes_on else rest + s.recv(1) == b""
    s.close()
    assert quiet(server)


def test_bodies_in_chunks(server):
    body = json.dumps(SCRIPT).encode()
    pieces = b"".join(b"%x;ext=1\r\n%c\r\n" % (1, c) for c in body) + b"0\r\nTrailer: x\r\n\r\n"
    head = server.head("POST", CHECK, "Content-Type: application/json", "Transfer-Encoding: chunked")
    s = server.raw(head + pieces)
    assert read_answer(s)[0] == 200
    s = server.raw(head)
    for i in range(0, len(pieces), 7):
        s.sendall(pieces[i:i + 7])
        time.sleep(0.001)
    assert read_answer(s)[0] == 200
    for bad in (b"zz\r\n", b"1\n\r\n", b"-1\r\n", b"3\r\nabcd\r\n", b"1000000000000000000\r\n"):
        assert read_answer(server.raw(head + bad))[0] == 400, bad
    both = server.head("POST", CHECK, "Content-Type: application/json", "Transfer-Encoding: chunked", "Content-Length: 3")
    assert read_answer(server.raw(both + b"0\r\n\r\n"))[0] == 400
    assert read_answer(server.raw(server.head("POST", CHECK, "Transfer-Encoding: gzip")))[0] == 501
    assert quiet(server)


def test_a_client_that_asks_whether_to_go_on(server):
    body = json.dumps(SCRIPT).encode()
    s = server.raw(server.head("POST", CHECK, "Content-Type: application/json", f"Content-Length: {len(body)}", "Expect: 100-continue"))
    got = s.recv(1000)
    assert got.startswith(b"HTTP/1.1 100"), got
    s.sendall(body)
    assert read_answer(s)[0] == 200


def test_lengths_that_lie(server):
    for length in ("x", "-1", "99999999999999999999", "1 2"):
        s = server.raw(server.head("POST", CHECK, "Content-Type: application/json", f"Content-Length: {length}"))
        s.settimeout(5)
        got = s.recv(1000)
        assert not got or got.split()[1] in (b"400", b"413"), (length, got)
    s = server.raw(server.head("POST", CHECK, "Content-Type: application/json", "Content-Length: 999999999"))
    assert read_answer(s)[0] == 413
    assert quiet(server)


def test_garbage_half_requests_and_large_heads(server):
    for junk in (b"\x00\xff" * 500, b"GET\r\n\r\n", b"\r\n\r\n\r\n", os.urandom(5000), b"GET /" + b"a" * 40000 + b" HTTP/1.1\r\n\r\n",
                 server.head("GET", "/healthz", *[f"X-{i}: " + "y" * 200 for i in range(200)]), b"POST / HTTP/1.1\r\nContent-Le"):
        s = server.raw(junk)
        s.settimeout(15)
        try:
            s.shutdown(socket.SHUT_WR)
            while s.recv(65536):
                pass
        except OSError:  # it has closed already, or says nothing
            pass
        s.close()
    assert server.ask("GET", "/healthz")[0] == 200
    assert quiet(server)


def test_a_body_that_does_not_come(tmp_path):
    s = Server(tmp_path, "--config", "limit.request-body=1s")
    slow = s.raw(s.head("POST", CHECK, "Content-Type: application/json", "Content-Length: 100"))
    begin = time.time()
    slow.settimeout(20)
    for _ in range(40):
        try:
            slow.sendall(b" ")
        except OSError:
            break
        time.sleep(0.1)
    slow.settimeout(5)
    try:
        got = slow.recv(1000)
        assert not got or got.startswith(b"HTTP/1.1 408 "), got
    except ConnectionResetError:  # what came behind the time was not read
        pass
    assert time.time() - begin < 15
    stopped = s.raw(s.head("POST", CHECK, "Content-Type: application/json", "Content-Length: 100") + b"{")
    assert read_answer(stopped)[0] == 408 and stopped.recv(1) == b""
    assert s.ask("GET", "/healthz")[0] == 200
    assert s.stop() == 0


def test_many_connections_that_say_nothing(tmp_path):
    s = Server(tmp_path, "--config", "limit.server-connections=50")
    idle = [s.raw() for _ in range(50)]
    time.sleep(0.3)
    late = s.raw(s.head("GET", "/healthz"))
    late.settimeout(5)
    try:
        assert late.recv(10) == b""
    except ConnectionResetError:
        pass
    for i in idle:
        i.close()
    time.sleep(0.5)
    assert s.ask("GET", "/healthz")[0] == 200
    assert s.stop() == 0


# --- WebSocket

def test_calls_over_a_websocket(server):
    for protocol in (None, "sluice.v1"):
        w = Socket(server, protocol=protocol)
        assert w.status == 101
        w.send({"jsonrpc": "2.0", "id": 1, "method": "hello"})
        assert w.receive()["result"]["version"]
        w.send({"jsonrpc": "2.0", "id": "two", "method": "script.check", "params": SCRIPT})
        answer = w.receive()
        assert answer["id"] == "two" and answer["result"]["errors"] == 1
        w.send({"jsonrpc": "2.0", "id": 3, "method": "script.check", "params": {"text": "SELECT 1;\n" * 20000 + "SELECT 1 +;"}})
        assert w.receive()["result"]["statements"] == 20001
        w.send({"jsonrpc": "2.0", "id": 4, "method": "script.split", "params": {"text": "SELECT 1;\n" * 5000}})
        assert len(w.receive()["result"]["statements"]) == 5000
        w.send({"jsonrpc": "2.0", "id": 5, "method": "nothing"})
        assert "no method" in w.receive()["error"]["message"]
        w.send({"jsonrpc": "2.0", "id": 6, "method": "owner.stop", "params": {"yes": True}})
        assert w.receive()["error"]["data"]["code"] == "forbidden"
        w.s.close()


def test_who_may_open_a_websocket(server):
    assert Socket(server, origin="https://evil.example").status == 403
    assert Socket(server, token="slu_" + "1" * 64).status == 401
    assert Socket(server, path="/nothing").status == 404
    assert Socket(server, protocol="http").status != 101
    viewer = server.ask("POST", "/api/v1/tokens", {"name": "w", "role": "viewer"})[2]["token"]
    w = Socket(server, token=viewer)
    w.send({"jsonrpc": "2.0", "id": 1, "method": "script.check", "params": SCRIPT})
    assert w.receive()["error"]["data"]["code"] == "forbidden"
    late = Socket(server, token="")
    assert late.status == 101
    late.send({"jsonrpc": "2.0", "id": 1, "method": "auth", "params": {"token": viewer}})
    assert late.receive()["result"]["role"] == "viewer"
    late.send({"jsonrpc": "2.0", "id": 2, "method": "job.list"})
    assert late.receive()["result"]["jobs"] == []
    stranger = Socket(server, token="")
    stranger.send({"jsonrpc": "2.0", "id": 1, "method": "job.list"})
    assert stranger.receive() == 4401


def test_credit_that_is_none(server):
    w = Socket(server)
    for n, credit in enumerate(({}, 7, {"rows": -1}, {"bytes": "1"})):
        w.send({"jsonrpc": "2.0", "id": n, "method": "hello", "credit": credit})
        m = w.receive()
        assert m["id"] == n and m["error"]["data"]["code"] == "usage", m
    w.send({"jsonrpc": "2.0", "method": "credit", "params": {"call": 1}})
    assert w.receive()["error"]["data"]["code"] == "usage"
    w.send({"jsonrpc": "2.0", "method": "credit", "params": {"call": 99, "rows": 5}})  # of a call that has ended: nothing to say
    w.send({"jsonrpc": "2.0", "id": "x", "method": "hello", "credit": {"rows": 0, "bytes": 0}})
    assert w.receive()["result"]["version"]
    w.s.close()


def test_messages_that_are_none(server):
    w = Socket(server)
    w.frame(b"\xff\xfe", 1)
    assert w.receive() in (0, 1007)
    w = Socket(server)
    w.frame(b"{}", 2)
    assert w.receive() == 1003
    w = Socket(server)
    w.frame(b"{", 1)
    assert w.receive()["error"]["code"] == -32700
    w.frame(b'{"jsonrpc":"2.0",', 1, fin=False)
    w.frame(b'"id":1,"method":"hello"}', 0)
    assert w.receive()["result"]["version"]
    w.s.close()
    half = Socket(server)
    half.s.sendall(b"\x81\xfe\x10")
    half.s.close()
    assert quiet(server)


def test_a_message_that_is_too_long(tmp_path):
    s = Server(tmp_path, "--config", "limit.message-bytes=2kB")
    w = Socket(s)
    w.frame(b"x" * 5000, 1)
    assert w.receive() in (1009, 0)
    assert s.ask("GET", "/healthz")[0] == 200
    assert s.stop() == 0


# --- the command line as a client

def remote(server, *args, token=None, **env):
    mine = {k: v for k, v in server.env.items() if k != "SLUICE_DATA"}
    mine.update(SLUICE_SERVER=f"http://127.0.0.1:{server.port}", SLUICE_TOKEN=server.token if token is None else token,
                SLUICE_DATA=str(server.folder / "elsewhere"), **env)
    return subprocess.run([BIN, *args], env=mine, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL, check=False)


def test_the_command_line_speaks_with_a_server(server, tmp_path):
    assert "no jobs yet" in remote(server, "job", "ls").stderr + remote(server, "job", "ls").stdout
    assert "local" in remote(server, "target", "ls").stdout
    script = tmp_path / "a.sql"
    script.write_text("CREATE TABLE t (a INT) WITH ('connector'='datagen', 'number-of-rows'='${n}');\nCREATE TABLE o (a INT) WITH ('connector'='blackhole');\n"
                      "INSERT INTO o SELECT a FROM t;\n")
    run = remote(server, "run", "--dry-run", "--mode", "application", "--flink", "2.2", "--var", "n=3", "-D", "parallelism.default=2", "--name", "remote", "--rows", "5",
                 "--for", "30s", "--timeout", "60s", "--together", "-d", "--results-address", "127.0.0.1:9", "--id", "key-1", "--from", "none", "--replace", "--allow-non-restored-state", "-o", "csv", str(script))
    assert run.returncode == 0, run.stderr
    assert "check     3 statements, no errors" in run.stderr and "remote" in run.stdout + run.stderr, run
    for verb in (["show"], ["logs", "--tail", "3", "--since", "1h", "--previous"], ["history"], ["stop", "--drain", "--savepoint-dir", "/tmp/x"], ["savepoint"],
                 ["cancel", "--yes"], ["rollback", "2", "--allow-non-restored-state"], ["rm"]):
        said = remote(server, "job", verb[0], "none-such", *verb[1:])
        assert "job-unknown" in said.stderr, (verb, said)
    assert not (server.folder / "elsewhere").exists()


def test_servers_that_are_none(server, tmp_path):
    none = remote(server, "job", "ls", token="slu_" + "2" * 64)
    assert none.returncode == 4 and "unauthorized" in none.stderr and "SLUICE_TOKEN" in none.stderr
    assert remote(server, "--server", "ftp://x", "job", "ls").returncode == 2
    nobody = remote(server, "--server", "http://127.0.0.1:1", "job", "ls")
    assert nobody.returncode == 4 and "nobody answers" in nobody.stderr
    other = socket.create_server(("127.0.0.1", 0))
    for answer in (b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", b"SSH-2.0-x\r\n", b"HTTP/1.1 101 x\r\nSec-WebSocket-Accept: wrong\r\n\r\n"):
        def once(answer=answer):
            c, _ = other.accept()
            c.recv(10000)
            c.sendall(answer)
            c.close()
        t = threading.Thread(target=once)
        t.start()
        wrong = remote(server, "--server", "http://127.0.0.1:%d" % other.getsockname()[1], "job", "ls")
        t.join()
        assert wrong.returncode == 4, (answer, wrong.stderr)
    other.close()


def test_tls(tmp_path):
    c = certificates(tmp_path / "tls")
    s = Server(tmp_path / "server", "--tls-cert", str(c / "cert.pem"), "--tls-key", str(c / "key.pem"))
    url = f"https://localhost:{s.port}"
    good = remote(s, "--server", url, "job", "ls", SLUICE_SERVER_CA=str(c / "ca.pem"))
    assert good.returncode == 0, good.stderr
    unknown = remote(s, "--server", url, "job", "ls")
    assert unknown.returncode != 0 and "tls-failed" in unknown.stderr and "certificate" in unknown.stderr, unknown.stderr
    name = remote(s, "--server", f"https://127.0.0.1:{s.port}", "job", "ls", SLUICE_SERVER_CA=str(c / "ca.pem"))
    assert name.returncode != 0 and "tls-failed" in name.stderr, name.stderr
    got = subprocess.run(["curl", "-s", "--cacert", str(c / "ca.pem"), url + "/healthz"], capture_output=True, text=True, timeout=20, check=False)
    assert got.stdout == "ok\n", got
    assert s.stop() == 0
    strict = Server(tmp_path / "strict", "--tls-cert", str(c / "cert.pem"), "--tls-key", str(c / "key.pem"), "--tls-client-ca", str(c / "ca.pem"))
    curl = ["curl", "-s", "--cacert", str(c / "ca.pem"), f"https://localhost:{strict.port}/healthz"]
    assert subprocess.run(curl, capture_output=True, text=True, timeout=20, check=False).stdout == ""
    mine = subprocess.run([*curl, "--cert", str(c / "cert.pem"), "--key", str(c / "key.pem")], capture_output=True, text=True, timeout=20, check=False)
    assert mine.stdout == "ok\n", mine
    assert strict.stop() == 0
    broken = s.cli("serve", "--listen", "127.0.0.1:0", "--tls-cert", str(c / "ext"), "--tls-key", str(c / "key.pem"), "--data", str(tmp_path / "other"))
    assert broken.returncode != 0 and "tls-failed" in broken.stderr


def test_heads_that_are_too_large(server):
    """Whatever it is made of, and behind another request, too; libwebsockets closes without a word, and other versions of it may do so still."""
    with open(f"/proc/{server.process.pid}/maps", encoding="utf-8") as f:
        known = "libwebsockets.so.17" in f.read()
    big = [server.head("GET", "/healthz", "X-Large: " + "y" * 40000), server.head("GET", "/healthz", *[f"X-{i}: " + "y" * 200 for i in range(200)]),
           server.head("GET", "/" + "a" * 40000), server.head("GET", "/healthz?" + "a=1&" * 9000), b"GET /healthz HTTP/1.1\r\n" + b"y" * 100000, server.head("GET", "/healthz", token="x" * 30000),
           server.head("GET", "/healthz", "Cookie: " + "c" * 17000)]
    for first in (b"", server.head("GET", "/healthz")):
        for head in big:
            s = server.raw()
            data = b""
            if first:
                s.sendall(first)
                assert read_answer(s)[0] == 200
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it answers before all of it has come
                s.sendall(head)
            with contextlib.suppress(ConnectionResetError):
                while got := s.recv(65536):
                    data += got
            s.close()
            assert data or not known, head[:60]
            if data:
                assert data.startswith(b"HTTP/1.1 431 ") and json.loads(data.split(b"\r\n\r\n", 1)[1])["code"] == "head-too-large", data
    assert read_answer(server.raw(server.head("GET", "/healthz", "Cookie: " + "c" * 15000)))[0] == 200


# --- start and end

def test_without_tokens_on_loopback_only(tmp_path):
    s = Server(tmp_path, "--no-auth")
    assert s.ask("GET", "/api/v1/jobs", token="")[0] == 200
    assert s.ask("GET", "/api/v1/jobs", token="", Host="evil.example")[0] == 421
    assert s.ask("GET", "/api/v1/jobs", token="", Origin="https://evil.example")[0] == 403
    refused = s.cli("serve", "--listen", "0.0.0.0:0", "--no-auth", "--data", str(tmp_path / "other"))
    assert refused.returncode == 2 and "loopback" in refused.stderr
    taken = s.cli("serve", "--listen", f"127.0.0.1:{s.port}", "--data", str(tmp_path / "third"))
    assert taken.returncode == 6 and "port-taken" in taken.stderr
    assert s.stop() == 0


def test_it_ends_with_clients_there(tmp_path):
    s = Server(tmp_path)
    w, idle = Socket(s), s.raw()
    assert w.status == 101
    s.process.send_signal(signal.SIGINT)
    assert s.process.wait(20) == 0
    assert w.receive() in (0, 1000, 1001)
    idle.close()
    s.log.close()


def test_who_brings_no_token(tmp_path):
    s = Server(tmp_path, "--anonymous", "dbt:analyst")
    opened = s.ask("POST", "/api/v1/sessions", {}, token="")
    assert opened[0] == 200
    assert s.ask("GET", "/api/v1/sessions")[2]["sessions"][0]["user"] == "dbt", "who brings a token is who he is, and an admin sees all"
    assert s.ask("GET", "/api/v1/hello", token="")[2]["role"] == "analyst" and s.ask("GET", "/api/v1/hello")[2]["role"] == "admin"
    assert s.ask("POST", "/api/v1/tokens", {"name": "x", "role": "admin"}, token="")[0] == 403
    assert s.ask("GET", "/api/v1/hello", token="slu_" + "0" * 64)[0] == 401, "a wrong token is not none"
    w = Socket(s, token="")
    w.send({"jsonrpc": "2.0", "id": 1, "method": "hello"})
    assert w.receive()["result"]["role"] == "analyst"
    for wrong in ("dbt", "dbt:admin", ":viewer", "dbt:king", "n" * 70 + ":viewer"):
        assert s.cli("serve", "--listen", "127.0.0.1:0", "--anonymous", wrong, "--data", str(tmp_path / "other")).returncode == 2, wrong
    refused = s.cli("serve", "--listen", "0.0.0.0:0", "--anonymous", "dbt:viewer", "--data", str(tmp_path / "other"))
    assert refused.returncode == 2 and "loopback" in refused.stderr
    assert s.stop() == 0


def test_a_socket_ends_with_its_token_and_goes_on_with_a_fresh_one(server):
    made = [server.ask("POST", "/api/v1/tokens", {"name": f"short{i}", "role": "viewer"})[2] for i in range(2)]
    w, gone = Socket(server, token=made[0]["token"]), Socket(server, token=made[0]["token"])
    w.send({"jsonrpc": "2.0", "id": 1, "method": "auth", "params": {"token": made[1]["token"]}})
    assert w.receive()["result"] == {"role": "viewer"}
    assert server.ask("DELETE", f"/api/v1/tokens/{made[0]['id']}")[0] == 200
    w.send({"jsonrpc": "2.0", "id": 2, "method": "job.list"})
    assert w.receive()["result"]["jobs"] == []
    gone.send({"jsonrpc": "2.0", "id": 2, "method": "job.list"})
    assert gone.receive() == 4401
    w.send({"jsonrpc": "2.0", "id": 3, "method": "auth", "params": {"token": "slu_" + "0" * 64}})
    assert w.receive() == 4401


def test_it_listens_before_its_flink_is_there(tmp_path):
    """An index that nobody answers at: the server serves all the same, and says what is missing."""
    s = Server(tmp_path, env={"SLUICE_PREPARE": "true", "PIP_INDEX_URL": "http://127.0.0.1:1/simple", "XDG_DATA_HOME": str(tmp_path / "xdg"), "SLUICE_LIMIT_PREPARE_AGAIN": "200ms"})
    for _ in range(200):
        status, _, text = s.ask("GET", "/readyz", token="")
        assert status == 503 and text.startswith("not ready: ")
        if "127.0.0.1" in text:
            break
        time.sleep(0.05)
    assert "127.0.0.1" in text, text
    assert s.ask("POST", "/api/v1/scripts/check", {"text": "SELECT 1"})[0] == 200
    assert s.stop() == 0


def test_tokens_are_good_for_a_time_that_can_be_said(server):
    status, _, body = server.ask("POST", "/api/v1/tokens", {"name": "long", "role": "viewer", "ttlMs": 1231776033468498})
    assert status == 413 and body["code"] == "limit-exceeded", body
    assert server.ask("POST", "/api/v1/tokens", {"name": "long", "role": "viewer", "ttlMs": 3155760000000})[0] == 200


def test_the_registries(server):
    codes = {c["code"]: c for c in server.ask("GET", "/api/v1/codes")[2]["codes"]}
    assert codes["session-unknown"] == {"code": "session-unknown", "status": 404, "sqlState": codes["session-unknown"]["sqlState"], "exit": codes["session-unknown"]["exit"]}
    limits = {x["limit"]: x for x in server.ask("GET", "/api/v1/limits")[2]["limits"]}
    assert limits["limit.script-bytes"]["value"] == str(64 << 20) and limits["limit.script-bytes"]["unit"] == "bytes"


def test_a_submission_that_is_not_waited_for(tmp_path):
    """A cluster that takes connections and says nothing: 202 tells where to ask, as often as one likes; then its end, also later."""
    s = Server(tmp_path, "--config", "limit.http-total=4s")
    deaf = socket.create_server(("127.0.0.1", 0))
    assert s.ask("POST", "/api/v1/targets", {"name": "deaf", "url": f"http://127.0.0.1:{deaf.getsockname()[1]}"})[0] == 200
    table = "CREATE TABLE o (a INT) WITH ('connector'='blackhole');\n"
    body = {"name": "late", "target": "deaf", "files": [{"name": "late.sql", "text": table + "INSERT INTO o SELECT 1;"}], "detach": True}
    begun = time.monotonic()
    status, heads, answer = s.ask("POST", "/api/v1/submissions?waitMs=300", body, Idempotency_Key="k: 1")
    assert status == 202 and time.monotonic() - begun < 3, answer
    assert answer == {"key": "k: 1", "location": "/api/v1/submissions/k%3A%201"} and heads["location"] == answer["location"]
    assert s.ask("GET", answer["location"])[0] == 202
    assert s.ask("POST", "/api/v1/submissions?waitMs=-1", body)[0] == 400
    status, _, plain = s.ask("POST", "/api/v1/submissions?waitMs=300", {**body, "name": "other"})
    assert status == 202
    where = plain["location"]
    assert s.ask("GET", where)[0] == 202 and s.ask("GET", where + "?waitMs=100")[0] == 202
    status, _, end = s.ask("GET", where + "?waitMs=60000", seconds=70)
    assert status == 200 and end["exit"] != 0 and any(e["event"] == "error" for e in end["events"]), end
    status, _, again = s.ask("GET", where)
    assert status == 200 and again["exit"] == end["exit"], "also when it is over"
    status, _, bad = s.ask("GET", "/api/v1/submissions/nobody")
    assert status == 404 and bad["code"] == "not-found"
    deaf.close()
    assert s.stop() == 0
