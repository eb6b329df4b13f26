# SPDX-License-Identifier: Apache-2.0
"""Clients that mean harm, each in a process of its own, and the one beside them that only wants its answers. Used by the tests of this folder and by
the part `server` of `make bench`."""
import http.client
import json
import multiprocessing
import os
import re
import select
import socket
import struct
import sys
import time
import traceback

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from server import Socket, read_answer

fork = multiprocessing.get_context("fork")
CHECK = "/api/v1/scripts/check"
SMALL = {"text": "SELECT 1 FORM t;"}
SPLIT = "/api/v1/scripts/split"
HEAD_SECONDS = 10  # for the head of a request


# --- the client that is measured

class Probe:
    """Four questions over one connection and one WebSocket, as a page of the editor has them; seconds of each kind of question."""

    def __init__(self, server):
        self.server = server
        self.seconds = {}
        self.http = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        self.ws = Socket(server)
        self.ws.s.settimeout(60)
        self.n, self.asked = 0, time.monotonic()

    def took(self, kind, begin):
        self.seconds.setdefault(kind, []).append(time.monotonic() - begin)

    def ask(self, kind, method, path, body=None):
        begin = time.monotonic()
        headers = {"Authorization": "Bearer " + self.server.token, **({"Content-Type": "application/json"} if body else {})}
        try:
            self.http.request(method, path, body, headers)
            answer = self.http.getresponse()
        except (http.client.RemoteDisconnected, ConnectionError):
            assert begin - self.asked > 3, "the connection was ended between two questions"  # the server keeps idle ones for 5 s, and this machine may stand still
            self.http.close()
            self.http.request(method, path, body, headers)
            answer = self.http.getresponse()
        self.asked = time.monotonic()
        text = answer.read()
        self.took(kind, begin)
        assert answer.status == 200, (path, answer.status, text)
        return text

    def round(self):
        assert self.ask("GET /healthz", "GET", "/healthz") == b"ok\n"
        assert json.loads(self.ask("GET /api/v1/hello", "GET", "/api/v1/hello"))["version"]
        found = json.loads(self.ask("check", "POST", CHECK, json.dumps(SMALL)))
        assert found["diagnostics"][0]["column"] == 15, found
        self.n += 1
        begin = time.monotonic()
        word = b"%d" % self.n
        self.ws.frame(word, 9)
        head = self.ws._take(2)
        assert head == bytes([0x8A, len(word)]) and self.ws._take(len(word)) == word, head
        self.took("ping", begin)
        begin = time.monotonic()
        self.ws.send({"jsonrpc": "2.0", "id": self.n, "method": "script.check", "params": SMALL})
        answer = self.ws.receive()
        self.took("check by WebSocket", begin)
        assert answer["id"] == self.n and answer["result"]["errors"] == 1, answer

    def close(self):
        self.http.close()
        self.ws.s.close()


def probe(server, until, rounds):
    """Asks until the event is set, and at least that often."""
    p = Probe(server)
    while p.n < rounds or (until and not until.is_set()):
        p.round()
        time.sleep(0.002)
    p.close()
    return p.seconds


def at(values, part):
    """That part of them took no longer."""
    v = sorted(values)
    return v[min(len(v) - 1, int(part * len(v)))]


class Child:
    """A function in a process of its own; result() raises what it raised there."""

    def __init__(self, function, *args, nice=0):
        self.pipe, theirs = fork.Pipe(False)
        self.process = fork.Process(target=self._run, args=(theirs, nice, function, args), daemon=True)
        self.process.start()
        theirs.close()

    @staticmethod
    def _run(pipe, nice, function, args):
        os.nice(nice)
        try:
            pipe.send((True, function(*args)))
        except BaseException:
            pipe.send((False, traceback.format_exc()))

    def result(self, seconds=300):
        assert self.pipe.poll(seconds), "it has not come to its end"
        try:
            ok, value = self.pipe.recv()
        except EOFError:
            ok, value = False, "the process has died"
        self.process.join(30)
        assert ok, value
        return value


def talked(server):
    """A WebSocket that has asked something once, and is idle."""
    w = Socket(server)
    w.send({"jsonrpc": "2.0", "id": 1, "method": "script.check", "params": SMALL})
    assert w.receive()["result"]["errors"] == 1
    return w


# --- what is left behind

class State:
    """What the server holds: connections by its own count, descriptors and memory by the kernel's."""

    def __init__(self, server):
        self.server = server
        self.connections = server.metric("sluice_connections") - 1  # the one that asks
        self.open = server.metric("sluice_requests_open") - 1
        self.calls = server.metric("sluice_calls")
        self.descriptors = server.descriptors()
        self.bytes = server.memory()

    def __str__(self):
        return f"{self.connections} connections, {self.descriptors} descriptors, {self.calls} calls, {self.bytes / 1e6:.1f} MB"


def returns_to(server, before, more_bytes, seconds=30):
    """The state when everything of before is there again, and no more. It may take the server some seconds to see that clients have gone."""
    end = time.monotonic() + seconds
    while True:
        now = State(server)
        if (now.connections <= before.connections and now.open <= before.open and now.calls <= before.calls and now.descriptors <= before.descriptors
                and now.bytes - before.bytes <= more_bytes):
            return now
        assert time.monotonic() < end, f"{before} before, {now} after"
        time.sleep(0.2)


# --- harm. Each runs until its time is over, asserts what it is answered, and gives a figure or two.

def closed_by_server(socks, deadline, answers=None):
    """Waits until the server has closed all of them. Gives what each was sent before."""
    got = {s: b"" for s in socks}
    poll = select.poll()
    by_fd = {s.fileno(): s for s in socks}
    for fd in by_fd:
        poll.register(fd, select.POLLIN)
    while by_fd:
        left = deadline - time.monotonic()
        assert left > 0, f"{len(by_fd)} of {len(socks)} connections were left open"
        for fd, _ in poll.poll(left * 1000):
            s = by_fd[fd]
            try:
                data = s.recv(65536)
            except ConnectionResetError:
                data = b""
            if data:
                got[s] += data
            else:
                poll.unregister(fd)
                del by_fd[fd]
                s.close()
    return [got[s] for s in socks]


def held_by(server, s):
    """Has the server this connection still? Told by the kernel, since what was not read stands in front of its end."""
    here, there = f":{server.port:04X}", f":{s.getsockname()[1]:04X}"
    with open("/proc/net/tcp", encoding="ascii") as f:
        return any(w[1].endswith(here) and w[2].endswith(there) and w[3] == "01" for w in map(str.split, f))


def status_of(data):
    return int(data.split()[1]) if data.startswith(b"HTTP/1.1 ") else None


def pipelined(server, until):
    """Twenty requests with bodies in one segment, answered in order; and as many again from clients that do not wait for the answers."""
    post, get = server.post(CHECK, SMALL), server.head("GET", "/healthz")
    n = 0
    while not until.is_set() or not n:
        s = server.raw((post + get) * 10)
        rest = b""
        for i in range(20):
            status, body, rest = read_answer(s, rest)
            assert status == 200 and (b"diagnostics" in body) == (i % 2 == 0), body
        s.close()
        for _ in range(5):
            server.raw((post + get) * 10).close()
        n += 120
        time.sleep(0.05)
    return f"{n} requests"


def bodies(server, until):
    """Bodies a byte a chunk, chunks that are none, bodies cut in half, and lengths that lie; half of one that never goes on is 408."""
    body = json.dumps(SMALL).encode()
    head = server.head("POST", CHECK, "Content-Type: application/json", "Transfer-Encoding: chunked")
    pieces = b"".join(b"1\r\n%c\r\n" % c for c in body) + b"0\r\n\r\n"
    whole = server.post(CHECK, SMALL)
    standing = [server.raw(d) for d in ([whole[:-9]] + [head + pieces[:len(pieces) // 2]] + [whole[:-len(body)]]) * 20]
    n = 0
    while not until.is_set() or not n:
        for data, wanted in ((head + pieces, 200), (head + b"zz\r\n", 400), (head + b"3\r\nabcd\r\n", 400), (head + b"1000000000000000000\r\n", 400),
                             (server.head("POST", CHECK, "Transfer-Encoding: chunked", "Content-Length: 3"), 400), (server.head("POST", CHECK, "Transfer-Encoding: gzip"), 501),
                             (server.head("POST", CHECK, "Content-Length: 99999999999"), 413), (server.head("POST", CHECK, "Content-Length: -1"), 400)):
            s = server.raw(data)
            status, text, _ = read_answer(s)
            assert status == wanted, (data, status, text)
            s.close()
        for data in (whole[:-9], whole[:60], head + pieces[:40], head):
            server.raw(data).close()
        n += 12
        time.sleep(0.02)
    for data in closed_by_server(standing, time.monotonic() + 60):
        assert status_of(data) == 408, data
    return f"{n} requests, {len(standing)} that stopped in their body"


def slow_heads(server, until):
    """A byte now and then of a head that never ends: it has its time as a whole, not from byte to byte."""
    begin = time.monotonic()
    socks = [server.raw() for _ in range(200)]
    head = server.head("GET", "/healthz", "X-Slow: " + "y" * 4000)
    for i in range(int(HEAD_SECONDS * 1.5 / 0.5)):
        for s in socks:
            try:
                s.send(head[i:i + 1])
            except OSError:  # it was closed: good
                pass
        time.sleep(0.5)
    for data in closed_by_server(socks, begin + 6 * HEAD_SECONDS):
        assert status_of(data) in (None, 408), data
    until.wait()
    return f"{len(socks)} connections"


def large_heads(server, until):
    """More than 16 KB of head: refused or ended, whatever it is made of."""
    n = 0
    heads = [server.head("GET", "/healthz", "X-Large: " + "y" * 40000), server.head("GET", "/healthz", *[f"X-{i}: " + "y" * 200 for i in range(200)]),
             server.head("GET", "/" + "a" * 40000), server.head("GET", "/healthz?" + "a=1&" * 9000), b"GET /healthz HTTP/1.1\r\n" + b"y" * 100000,
             server.head("GET", "/healthz", token="x" * 30000)]
    while not until.is_set() or not n:
        socks = []
        for head in heads:
            s = server.raw()
            try:
                s.sendall(head)
            except OSError:
                pass
            socks.append(s)
        for data in closed_by_server(socks, time.monotonic() + 30):
            assert status_of(data) in (None, 400, 414, 431), data
        n += len(heads)
        time.sleep(0.02)
    return f"{n} heads"


def half_frames(server, until):
    """Heads of frames without their bodies, messages without their ends, and frames a byte at a time; all of them are left standing."""
    starts = [b"\x81", b"\x81\xfe\x10", b"\x81\xff" + struct.pack(">Q", 70 << 20) + b"mask" + b"x" * 100, b"\x01\x85maskhello", b"\x89\x85ma", b"\x81\xfe\xff\xffmask" + b"x" * 5000]
    socks = []
    for i in range(90):
        w = Socket(server)
        assert w.status == 101
        w.s.sendall(starts[i % len(starts)])
        socks.append(w)
    slow = Socket(server)
    message = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "hello"}).encode()
    frame = b"\x81" + bytes([0x80 | len(message)]) + b"\0\0\0\0" + message
    n = 0
    while not until.is_set() or not n:
        for byte in frame:
            slow.s.sendall(bytes([byte]))
            time.sleep(0.001)
        assert slow.receive()["result"]["version"]
        n += 1
    for w in socks + [slow]:
        w.s.close()
    return f"{len(socks)} that stopped, {n} byte by byte"


def bad_text(server, until):
    """What is no text by RFC 3629, and frames that are none by RFC 6455: each with its close code."""
    texts = [b"\xff\xfe", b"abc\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"x" * 3000 + b"\x80", b"\xe2\x82"]
    n = 0
    while not until.is_set() or not n:
        for text in texts:
            w = Socket(server)
            w.frame(text, 1)
            code = w.receive()
            assert code == 1007, (text, code)
            w.s.close()
        split = Socket(server)
        split.frame(b"\xe2\x82", 1, fin=False)
        split.frame(b"A", 0)
        assert split.receive() == 1007
        split.s.close()
        for raw in (b"\x83\x80mask", b"\xf1\x80mask", b"\x09\x80mask"):  # a reserved opcode, reserved bits, a control frame in pieces
            w = Socket(server)
            w.s.sendall(raw)
            code = w.receive()
            assert code in (0, 1002), (raw, code)
            w.s.close()
        w = Socket(server)
        w.frame(b"{}", 2)
        assert w.receive() == 1003
        w.s.close()
        n += len(texts) + 5
        time.sleep(0.02)
    return f"{n} messages"


def bad_tokens(server, until):
    n = 0
    words = ["slu_" + "0" * 64, server.token[:-1], server.token + "0", "slu_", "\x01", "x" * 10000]
    while not until.is_set() or not n:
        for word in words:
            assert server.ask("GET", "/api/v1/jobs", token=word)[0] == 401
            assert server.ask("POST", CHECK, SMALL, token=word)[0] == 401
            assert Socket(server, token=word).status == 401
            w = Socket(server, token="")
            w.send({"jsonrpc": "2.0", "id": 1, "method": "auth", "params": {"token": word}})
            assert w.receive() == (4401 if len(word) < 4000 else 1009)
            w.s.close()
        w = Socket(server, token="")  # who has not said who he is gives nothing to keep
        w.frame(b"x" * 100000, 1)
        assert w.receive() in (0, 1009)  # 0: what was not read cut the code off
        w.s.close()
        for line in ("Content-Length: 50000000", "Transfer-Encoding: chunked"):
            s = server.raw(server.head("GET", "/healthz", line, token="nobody's"))
            assert read_answer(s)[0] == 401
            s.close()
        n += 4 * len(words) + 3
        time.sleep(0.02)
    return f"{n} tries"


def others_ids(server, until):
    """Sessions, operations and calls of somebody else: to one who is not their owner they do not exist."""
    def made(name):
        return server.ask("POST", "/api/v1/tokens", {"name": name, "role": "analyst"})[2]["token"]
    ann, bob = made(f"ann-{os.getpid()}"), made(f"bob-{os.getpid()}")
    session = server.ask("POST", "/v2/sessions", {}, token=ann)[2]["sessionHandle"]
    operation = server.ask("POST", f"/v2/sessions/{session}/statements", {"statement": "SET 'a' = 'secret word'"}, token=ann)[2]["operationHandle"]
    place = f"/v2/sessions/{session}"
    n = 0
    w = Socket(server, token=ann)
    while not until.is_set() or not n:
        for method, path, body in (("GET", place, None), ("POST", place + "/statements", {"statement": "SET"}), ("POST", place + "/heartbeat", None), ("DELETE", place, None),
                                   ("POST", place + "/configure-session", {"statement": "SET 'b' = '1'"}), ("GET", f"{place}/operations/{operation}/status", None),
                                   ("GET", f"{place}/operations/{operation}/result/0?rowFormat=JSON", None), ("POST", f"{place}/operations/{operation}/cancel", None),
                                   ("DELETE", f"{place}/operations/{operation}/close", None)):
            status, _, text = server.ask(method, path, body, token=bob)
            assert status >= 400 and "does not exist" in json.dumps(text) and "secret word" not in json.dumps(text), (method, path, status, text)
        other = Socket(server, token=bob)
        w.send({"jsonrpc": "2.0", "id": n, "method": "script.check", "params": {"text": "SELECT 1;\n" * 5000}})
        other.send({"jsonrpc": "2.0", "method": "cancel", "params": {"call": n}})
        other.s.close()
        assert w.receive()["result"]["statements"] == 5000
        n += 10
        time.sleep(0.02)
    w.s.close()
    mine = server.ask("GET", f"{place}/operations/{operation}/status", token=ann)
    assert mine[0] == 200 and mine[2] == {"status": "FINISHED"}, mine
    assert server.ask("DELETE", place, token=ann)[0] == 200
    for name in ("ann", "bob"):
        assert server.ask("DELETE", f"/api/v1/tokens/{name}-{os.getpid()}")[0] == 200
    return f"{n} tries"


def foreign(server, until):
    """Names that are not ours, and pages of others."""
    n = 0
    while not until.is_set() or not n:
        for host in ("evil.example", "127.0.0.1.evil.example", "", "localhost@evil.example", "[::1"):
            assert server.ask("GET", "/api/v1/jobs", Host=host)[0] in (400, 421), host
        for origin in ("https://evil.example", "null", f"http://127.0.0.1:{server.port + 1}", f"http://127.0.0.1:{server.port}.evil.example"):
            assert server.ask("POST", CHECK, SMALL, Origin=origin)[0] == 403, origin
            assert Socket(server, origin=origin).status == 403
        n += 13
        time.sleep(0.02)
    return f"{n} requests"


def large_bodies(server, until):
    """10 MB of script, 10 MB that are no JSON, 500,000 members, 10 MB in a message, and more than is taken."""
    script = json.dumps({"text": "-- " + "x" * 97 + "\n" + ("SELECT a, b FROM t;\n" + "-- " + "y" * 2000 + "\n") * 5000}).encode()
    junk = b'{"text": "' + b"z" * (10 << 20)
    members = ("{" + ",".join(f'"member{i}":{i}' for i in range(500000)) + "}").encode()
    head = ["Content-Type: application/json"]
    n = 0
    while not until.is_set() or not n:
        for body, wanted in ((script, 200), (junk, 400), (members, 400)):
            s = server.raw(server.head("POST", CHECK, *head, f"Content-Length: {len(body)}") + body)
            s.settimeout(60)
            status, text, _ = read_answer(s)
            assert status == wanted, (status, text[:200])
            s.close()
        w = Socket(server)
        w.s.settimeout(60)
        w.s.sendall(b"\x81\xff" + struct.pack(">Q", len(junk)) + b"\0\0\0\0" + junk)
        assert w.receive()["error"]["code"] == -32700
        w.s.close()
        s = server.raw(server.head("POST", CHECK, *head, "Content-Length: 400000000"))
        assert read_answer(s)[0] == 413
        s.close()
        n += 5
        time.sleep(0.02)
    return f"{n} requests"


def silent(server, until):
    """1,000 connections that never say anything."""
    begin = time.monotonic()
    socks = [server.raw() for _ in range(1000)]
    for data in closed_by_server(socks, begin + 6 * HEAD_SECONDS):
        assert status_of(data) in (None, 408), data
    until.wait()
    return f"{len(socks)} connections"


def unread(server, until):
    """Answers of 3 MB that are asked for and never read; then somebody who reads the same, slowly but whole."""
    text = {"text": "SELECT 1;\n" * 60000}
    ask = server.post(SPLIT, text)
    socks = []
    for _ in range(8):
        s = socket.socket()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        s.connect(("127.0.0.1", server.port))
        s.sendall(ask)
        socks.append(s)
    ws = [Socket(server) for _ in range(4)]
    for w in ws:
        w.send({"jsonrpc": "2.0", "id": 1, "method": "script.split", "params": text})
    s = server.raw(ask)
    s.settimeout(60)
    status, body, _ = read_answer(s)
    assert status == 200 and len(json.loads(body)["statements"]) == 60000
    s.close()
    greedy = Socket(server)  # asks for 60 MB and reads nothing: it is closed
    message = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "script.split", "params": text}).encode()
    frame = b"\x81\xff" + struct.pack(">Q", len(message)) + b"\0\0\0\0" + message
    begin = time.monotonic()
    try:
        for _ in range(20):
            greedy.s.sendall(frame)
    except ConnectionError:
        pass
    while held_by(server, greedy.s):
        assert time.monotonic() < begin + 60, "who asks and does not read is kept"
        time.sleep(0.1)
    closed_by_server(socks, begin + 60)  # limit.unread
    until.wait()
    for w in ws + [greedy]:
        w.s.close()
    return f"{len(socks) + len(ws) + 1} readers"


def hanging_targets(server, until):
    """Three targets that take connections and never answer, asked by twelve at once and by the statements of twelve sessions. Each is asked one at a time, for
    5 seconds; statements are told that it cannot be reached, and sessions end when they are closed."""
    deaf = [socket.create_server(("127.0.0.1", 0), backlog=100) for _ in range(3)]
    names = [f"deaf-{os.getpid()}-{i}" for i in range(3)]
    for name, d in zip(names, deaf):
        status, _, text = server.ask("POST", "/api/v1/targets", {"name": name, "url": f"http://127.0.0.1:{d.getsockname()[1]}"}, seconds=60)
        assert status == 200, text
    socks = [server.raw(server.post(f"/api/v1/targets/{names[i % 3]}/test", {})) for i in range(12)]
    sessions = []
    for i in range(12):
        session = server.ask("POST", "/v2/sessions", {"properties": {"sluice.target": names[i % 3]}})[2]["sessionHandle"]
        sessions.append((session, [server.ask("POST", f"/v2/sessions/{session}/statements", {"statement": "SELECT 1"})[2]["operationHandle"] for _ in range(3)]))
    until.wait()
    told = 0
    for session, operations in sessions:
        status, _, page = server.ask("GET", f"/v2/sessions/{session}/operations/{operations[0]}/result/0?rowFormat=JSON", seconds=60)
        assert status == 500 or page["resultType"] == "NOT_READY", page
        told += status == 500
        assert server.ask("DELETE", f"/v2/sessions/{session}", seconds=60)[0] == 200
    for s in socks:
        s.settimeout(60)
        status, text, _ = read_answer(s)
        assert status in (200, 502, 503, 504), text
        s.close()
    for name in names:
        assert server.ask("DELETE", f"/api/v1/targets/{name}", seconds=60)[0] == 200
    for d in deaf:
        d.close()
    return f"{len(socks)} calls, {told} of {len(sessions)} sessions have been told"


ALL = {"pipelined POSTs": pipelined, "chunked and half bodies": bodies, "heads that never end": slow_heads, "heads that are too large": large_heads,
       "half WebSocket frames": half_frames, "bad UTF-8 and bad frames": bad_text, "bad tokens": bad_tokens, "others' ids": others_ids, "foreign Host and Origin": foreign,
       "bodies of 10 MB": large_bodies, "1,000 silent connections": silent, "readers that stop": unread, "three hanging targets": hanging_targets}
