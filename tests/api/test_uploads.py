# SPDX-License-Identifier: Apache-2.0
"""Artifacts over REST: brought in pieces that are never whole in the server's memory, kept by their SHA-256 or not at all."""
import hashlib
import http.client
import io
import json
import os
import signal
import socket
import sqlite3
import sys
import time
import zipfile

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from server import Server, Socket, read_answer

MB = 1 << 20
SANITIZED = bool({"ASAN_OPTIONS", "TSAN_OPTIONS"} & set(os.environ))  # what is freed is kept then
ALL = "/api/v1/artifacts"


def jar(n):
    """n bytes that begin as a jar does, and their digest."""
    data = b"PK\x03\x04" + os.urandom(n - 4)
    return data, hashlib.sha256(data).hexdigest()


def files(server):
    folder = server.folder / "data" / "artifacts"
    return sorted(p.name for p in folder.iterdir()) if folder.exists() else []


def wait(what, seconds=20):
    until = time.monotonic() + seconds
    while not what() and time.monotonic() < until:
        time.sleep(0.02)
    return what()


def bring(server, data, name="udfs.jar", **more):
    query = "&".join(f"{k}={v}" for k, v in {"name": name, **more}.items())
    return server.ask("POST", f"{ALL}?{query}", data, Content_Type="application/java-archive", seconds=120)


def fetch(server, digest, **headers):
    c = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    c.request("GET", f"{ALL}/{digest}/content", headers={"Authorization": "Bearer " + server.token, **headers})
    r = c.getresponse()
    data = r.read()
    c.close()
    return r.status, r.headers, data


@pytest.fixture
def serve(tmp_path):
    made = []

    def start(*args, **env):
        made.append(Server(tmp_path / f"s{len(made)}" if not env.pop("again", None) else made[-1].folder, *args, env=env))
        return made[-1]
    yield start
    for s in made:
        if s.process.poll() is None:
            assert s.stop() == 0


def test_brought_listed_given_back_and_removed(serve):
    server = serve()
    data, digest = jar(300_000)
    assert server.ask("GET", ALL)[2] == {"artifacts": []}
    status, _, answer = bring(server, data, digest=digest)
    assert status == 200, answer
    assert {k: answer[k] for k in ("digest", "name", "bytes", "versions", "brought")} == {"digest": digest, "name": "udfs.jar", "bytes": len(data), "versions": 0, "brought": True}
    assert files(server) == [digest + ".jar"]
    assert (server.folder / "data" / "artifacts" / (digest + ".jar")).read_bytes() == data
    again = bring(server, iter([data[:1000], data[1000:]]), name="other.jar")  # in chunks; the first name stays
    assert again[0] == 200 and again[2] == answer
    assert server.ask("GET", ALL)[2]["artifacts"] == [answer] and server.ask("GET", f"{ALL}/{digest}")[2] == answer
    status, heads, got = fetch(server, digest)
    assert (status, got, heads["content-length"], heads["etag"]) == (200, data, str(len(data)), f'"{digest}"')
    assert server.ask("HEAD", f"{ALL}/{digest}/content")[0] == 200
    store = sqlite3.connect(server.folder / "data" / "sluice.db", timeout=20, isolation_level=None)
    store.execute("INSERT INTO version_artifact(job, version, position, artifact) VALUES('a', 1, 0, ?)", (digest,))
    status, _, problem = server.ask("DELETE", f"{ALL}/{digest}")
    assert (status, problem["code"]) == (409, "artifact-in-use") and fetch(server, digest)[2] == data
    assert server.ask("GET", f"{ALL}/{digest}")[2]["versions"] == 1
    store.execute("DELETE FROM version_artifact")
    store.close()
    assert server.ask("DELETE", f"{ALL}/{digest}")[2] == {"removed": digest}
    assert files(server) == [] and server.ask("GET", ALL)[2] == {"artifacts": []}
    for method, path in (("GET", digest), ("DELETE", digest), ("GET", digest + "/content")):
        status, _, problem = server.ask(method, f"{ALL}/{path}")
        assert (status, problem["code"]) == (404, "artifact-unknown")
    assert bring(server, data)[0] == 200  # what is removed can be brought again


def test_what_is_wrong_is_told_and_leaves_nothing(serve):
    server = serve(SLUICE_LIMIT_ARTIFACT_BYTES=str(MB), SLUICE_LIMIT_ARTIFACTS_TOTAL=str(MB + 1000))
    data, digest = jar(5000)
    other = "0" * 64
    for body, query, status, code in ((data, {"digest": other}, 422, "artifact-digest"), (b"<html>no</html>", {}, 415, "artifact-format"), (b"", {}, 415, "artifact-format"),
                                      (b"P", {}, 415, "artifact-format"), (data, {"digest": "7"}, 400, "usage"), (data, {"name": "a%2Fb.jar"}, 400, "usage"), (data, {"name": ""}, 400, "usage"),
                                      (data, {"name": "a%0Ab"}, 400, "usage"), (data, {"what": "x"}, 400, "usage"), (jar(MB + 1)[0], {}, 413, "limit-exceeded"),
                                      (iter([jar(MB)[0], b"x"]), {}, 413, "limit-exceeded")):
        got = bring(server, body, **query)
        assert (got[0], got[2]["code"]) == (status, code), (query, got)
        assert files(server) == [], query
    status, _, problem = bring(server, jar(MB + 1)[0])
    assert "1 MiB" in problem["title"] and problem["hint"] == "limit.artifact-bytes"
    assert server.ask("POST", ALL, data, Content_Type="application/java-archive")[2]["code"] == "usage"  # no name
    assert bring(server, jar(MB)[0])[0] == 200
    status, _, problem = bring(server, data)
    assert (status, problem["code"], problem["hint"]) == (413, "limit-exceeded", "limit.artifacts-total")
    assert len(files(server)) == 1
    w = Socket(server)
    w.send({"jsonrpc": "2.0", "id": 1, "method": "artifact.add", "params": {"name": "x.jar"}})
    assert w.receive()["error"]["data"]["code"] == "usage"
    w.send({"jsonrpc": "2.0", "id": 2, "method": "artifact.list", "params": {}})
    assert len(w.receive()["result"]["artifacts"]) == 1
    w.s.close()


def test_half_an_upload_leaves_nothing(serve):
    """A client that goes away in the middle, one that is silent too long, chunks that are none; and what a dead server left half."""
    server = serve()
    data, digest = jar(400_000)
    path = ALL + "?name=u.jar"
    s = server.raw(server.head("POST", path, f"Content-Length: {len(data)}") + data[:200_000])
    assert wait(lambda: len(files(server)) == 1 and files(server)[0].endswith(".part"))
    s.close()
    assert wait(lambda: files(server) == [])
    s = server.raw(server.head("POST", path, "Transfer-Encoding: chunked") + b"5\r\nPK\x03\x04x\r\nzz\r\n")
    status, body, _ = read_answer(s)
    assert (status, json.loads(body)["code"]) == (400, "usage") and wait(lambda: files(server) == [])
    s.close()
    s = server.raw(server.head("POST", path, f"Content-Length: {len(data)}") + data[:200_000])
    assert wait(lambda: len(files(server)) == 1)
    server.process.send_signal(signal.SIGKILL)
    server.process.wait(30)
    s.close()
    assert len(files(server)) == 1
    server = serve(again=True)
    assert files(server) == [] and server.ask("GET", ALL)[2] == {"artifacts": []}
    assert bring(server, data)[0] == 200
    server.process.send_signal(signal.SIGKILL)
    server.process.wait(30)
    server = serve(again=True)  # what was answered is there
    assert [x["digest"] for x in server.ask("GET", ALL)[2]["artifacts"]] == [digest] and fetch(server, digest)[2] == data


def test_silence_in_an_upload_ends_it(serve):
    server = serve(SLUICE_LIMIT_REQUEST_BODY="1s")
    s = server.raw(server.head("POST", ALL + "?name=u.jar", "Content-Length: 400000") + jar(100)[0])
    status, body, _ = read_answer(s)
    assert (status, json.loads(body)["code"]) == (408, "body-late")
    assert wait(lambda: files(server) == [])
    s.close()


def test_an_answer_while_the_body_comes(serve):
    """What is refused at once is answered, whichever comes first, the end of the body or the answer."""
    server = serve()
    for _ in range(3000):
        s = server.raw(server.head("POST", ALL + "?name=", "Content-Length: 67"))
        s.sendall(b"x" * 67)
        assert read_answer(s)[0] == 400
        s.close()
    assert files(server) == []


def test_it_never_lies_whole_in_memory(serve):
    """48 MB in and out, in chunks and with a length; and a client is stopped while nobody takes what he sends."""
    server = serve()
    data, digest = jar(48 * MB)
    assert bring(server, jar(2 * MB)[0])[0] == 200
    before = server.memory()
    most = [before]

    def pieces():
        for at in range(0, len(data), MB):
            yield data[at:at + MB]
            most.append(server.memory())
    assert bring(server, pieces(), digest=digest)[0] == 200
    assert len(most) > 40 and (SANITIZED or max(most) - before < 12 * MB), [m // MB for m in most]
    s = server.raw(server.head("GET", f"{ALL}/{digest}/content"))
    got = b""
    while len(got) < MB:
        got += s.recv(65536)
        most.append(server.memory())
    assert SANITIZED or max(most) - before < 12 * MB
    s.close()
    assert fetch(server, digest)[2] == data
    assert wait(lambda: server.metric("sluice_calls") == 0)


def test_more_uploads_than_there_is_place_for_wait(serve):
    """With one at a time the next one's bytes stay with its client (not in the server, not lost), whatever time the first one takes; others do not notice."""
    server = serve(SLUICE_LIMIT_UPLOADS="1")
    first, second = jar(MB), jar(24 * MB)
    a = server.raw(server.head("POST", ALL + "?name=a.jar", f"Content-Length: {MB}") + first[0][:1000])
    assert wait(lambda: len(files(server)) == 1)
    b = server.raw(server.head("POST", ALL + "?name=b.jar", f"Content-Length: {24 * MB}"))
    b.settimeout(2)
    sent = 0
    with pytest.raises(socket.timeout):
        while True:
            sent += b.send(second[0][sent:sent + 65536])
    assert sent < 20 * MB and server.ask("GET", "/api/v1/hello")[0] == 200
    a.sendall(first[0][1000:])
    assert read_answer(a)[0] == 200
    b.settimeout(60)
    b.sendall(second[0][sent:])
    status, body, _ = read_answer(b)
    assert status == 200 and json.loads(body)["digest"] == second[1]
    a.close()
    b.close()


def test_roles(serve):
    server = serve()
    data, digest = jar(1000)
    tokens = {role: server.ask("POST", "/api/v1/tokens", {"name": role, "role": role})[2]["token"] for role in ("viewer", "analyst", "operator")}
    path = f"{ALL}?name=x.jar"
    for role in ("viewer", "analyst"):
        assert server.ask("POST", path, data, token=tokens[role], Content_Type="application/java-archive")[0] == 403
        assert server.ask("GET", ALL, token=tokens[role])[0] == 200
    assert files(server) == []
    answer = server.ask("POST", path, data, token=tokens["operator"], Content_Type="application/java-archive")
    assert answer[0] == 200 and answer[2]["owner"] == "operator"
    for role in ("viewer", "analyst"):
        assert server.ask("GET", f"{ALL}/{digest}", token=tokens[role])[0] == 200
        assert server.ask("GET", f"{ALL}/{digest}/content", token=tokens[role])[0] == 403
        assert server.ask("DELETE", f"{ALL}/{digest}", token=tokens[role])[0] == 403
    assert server.ask("POST", path, data, token="slu_" + "0" * 64, Content_Type="application/java-archive")[0] == 401
    assert server.ask("DELETE", f"{ALL}/{digest}", token=tokens["operator"])[0] == 200


def test_the_command_line_brings_its_jars(serve, tmp_path):
    """`run --jar` before a server: the jar goes there once, and the plan names it by its digest."""
    server = serve()
    path = tmp_path / "udfs.jar"
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as z:
        z.writestr("a.txt", "x" * 100_000)
    path.write_bytes(content.getvalue())
    digest = hashlib.sha256(content.getvalue()).hexdigest()
    script = tmp_path / "a.sql"
    script.write_text("CREATE TABLE o (a INT) WITH ('connector'='blackhole');\nINSERT INTO o VALUES (1);\n")
    url = f"http://127.0.0.1:{server.port}"
    written = set()
    for _ in range(2):
        done = server.cli("--server", url, "run", "--dry-run", "--jar", str(path), str(script))
        assert done.returncode == 0, done.stdout + done.stderr
        assert files(server) == [digest + ".jar"]
        assert digest in done.stdout + done.stderr
        written.add((server.folder / "data" / "artifacts" / (digest + ".jar")).stat().st_ino)
    assert len(written) == 1
    status, _, answer = server.ask("POST", "/api/v1/submissions", {"name": "n", "files": [{"name": "a.sql", "text": script.read_text()}], "artifacts": ["0" * 64], "dryRun": True})
    assert status == 200 and "artifact-unknown" in json.dumps(answer), answer
    done = server.cli("--server", url, "run", "--dry-run", "--jar", str(tmp_path / "none.jar"), str(script))
    assert done.returncode == 2 and "none.jar" in done.stderr
