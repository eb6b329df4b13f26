# SPDX-License-Identifier: Apache-2.0
"""A proxy in front of a real JobManager's REST that can go wrong in every way a network and what stands in it can: it hangs,
breaks off, sends half, sends something else, sends without end, repeats what it heard before, or has another Flink behind it.
One thread a connection; `go(fault)` changes it at once, also for answers under way; `heard` counts requests.
`spoil(method, path, fault)` does it to one request alone, and says so in `spoilt`; with "unsent" the real one never
hears of it, with "late" after a while; with "held" it has answered, and the connection goes when `let_go` is set."""
import http.client
import json
import re
import socket
import struct
import threading
import time

FAULTS = ("pass", "hang", "refuse", "reset", "cut", "stall", "drip", "empty", "nothing", "garbage", "noise", "html", "gateway", "denied",
          "type", "endless", "deep", "swap", "replay")
LOGIN = b"<!DOCTYPE html><html><head><title>Sign in</title></head><body>Please sign in to go on.</body></html>"
HEAD = "HTTP/1.1 {} {}\r\nContent-Type: {}\r\nContent-Length: {}\r\nConnection: {}\r\n\r\n"
LATE = 1.5
STEP = 0.05


def read_request(sock):
    """(method, path, headers, body), or None at the end."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = sock.recv(65536)
        if not more:
            return None
        data += more
    head, body = data.split(b"\r\n\r\n", 1)
    lines = head.decode("latin-1").split("\r\n")
    method, path, _ = lines[0].split(" ", 2)
    headers = {k.strip().lower(): v.strip() for k, v in (line.split(":", 1) for line in lines[1:])}
    if headers.get("expect", "").lower() == "100-continue":
        sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    if "chunked" in headers.get("transfer-encoding", ""):
        whole = b""
        while True:
            while b"\r\n" not in body:
                body += sock.recv(65536)
            size, body = body.split(b"\r\n", 1)
            n = int(size, 16)
            while len(body) < n + 2:
                body += sock.recv(65536)
            whole, body = whole + body[:n], body[n + 2:]
            if n == 0:
                return method, path, headers, whole
    while len(body) < int(headers.get("content-length", 0)):
        body += sock.recv(1 << 20)
    return method, path, headers, body


class Proxy:
    def __init__(self, upstream):
        """upstream: port of the real REST on this machine."""
        self.upstream, self.fault, self.answers, self.heard, self.sent = upstream, "pass", {}, 0, 0
        self.to_spoil, self.spoilt = None, 0
        self.let_go = threading.Event()
        self.lock, self.open, self.closing = threading.Lock(), set(), False
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, args=(self.listener,), daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def go(self, fault, upstream=None):
        """From now on. Connections that were kept go, or an old one would hide the fault from who asks."""
        assert fault in FAULTS, fault
        with self.lock:
            was, self.fault = self.fault, fault
            self.upstream = upstream or self.upstream
            for sock in list(self.open):
                self.close_now(sock)
        if fault == "refuse" and was != "refuse":
            self.listener.shutdown(socket.SHUT_RDWR)
            self.listener.close()
        if was == "refuse" and fault != "refuse":
            self.listener = socket.create_server(("127.0.0.1", self.port), backlog=64)
            threading.Thread(target=self.accept, args=(self.listener,), daemon=True).start()

    def spoil(self, method, path, fault):
        """The answer to the next request of that kind, once; path: a part of it."""
        self.to_spoil = (method, path, fault)

    def spoil_one(self, sock, method, path, headers, body):
        """None: it is not this one."""
        with self.lock:
            if not self.to_spoil or self.to_spoil[0] != method or self.to_spoil[1] not in path:
                return None
            fault, self.to_spoil, self.spoilt = self.to_spoil[2], None, self.spoilt + 1
        if fault == "unsent":
            return False
        if fault == "late":
            time.sleep(LATE)
        status, reason, kind, out = self.ask(method, path, headers, body)
        if fault == "late":
            return self.send(sock, status, reason, kind, out)
        if fault == "held":
            self.let_go.wait(60)
        if fault in ("reset", "held"):
            self.close_now(sock, reset=True)
            return False
        return self.part(sock, fault, status, reason, kind, out) if fault == "cut" else self.invent(sock, fault)

    def stop(self):
        self.closing = True
        self.go("pass")
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.listener.close()

    @staticmethod
    def close_now(sock, reset=False):
        try:
            if reset:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            else:
                sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def accept(self, listener):
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            with self.lock:
                self.open.add(sock)
            threading.Thread(target=self.serve, args=(sock,), daemon=True).start()

    def serve(self, sock):
        try:
            while not self.closing:
                request = read_request(sock)
                if request is None:
                    return
                self.heard += 1
                if not self.answer(sock, *request):
                    return
        except (OSError, ValueError, http.client.HTTPException):
            pass
        finally:
            with self.lock:
                self.open.discard(sock)
            sock.close()

    def ask(self, method, path, headers, body):
        """(status, reason, type, body) of the real one."""
        connection = http.client.HTTPConnection("127.0.0.1", self.upstream, timeout=300)
        try:
            kept = {k: v for k, v in headers.items() if k not in ("host", "connection", "expect", "transfer-encoding", "content-length")}
            connection.request(method, path, body or None, kept)
            answer = connection.getresponse()
            return answer.status, answer.reason, answer.getheader("Content-Type", "application/json"), answer.read()
        finally:
            connection.close()

    def remembered(self, path):
        """What the real one said before; a question it was never asked has no answer."""
        return self.answers.get(path) or (504, "Gateway Timeout", "text/plain", b"no answer")

    def while_so(self, fault):
        while self.fault == fault and not self.closing:
            time.sleep(STEP)

    def send(self, sock, status, reason, kind, body, keep=True):
        sock.sendall(HEAD.format(status, reason, kind, len(body), "keep-alive" if keep else "close").encode() + body)
        return keep

    def answer(self, sock, method, path, headers, body):
        """False: the connection ends."""
        spoilt = self.spoil_one(sock, method, path, headers, body)
        if spoilt is not None:
            return spoilt
        fault = self.fault
        if fault == "hang":
            self.while_so(fault)
            return False
        if fault in ("reset", "refuse"):
            self.close_now(sock, reset=True)
            return False
        if fault in ("gateway", "denied", "html", "garbage", "noise", "nothing", "empty", "endless", "deep"):
            return self.invent(sock, fault)
        try:
            status, reason, kind, out = self.remembered(path) if fault == "replay" else self.ask(method, path, headers, body)
        except OSError:
            return self.send(sock, 502, "Bad Gateway", "text/html", b"<html>no upstream</html>", keep=False)
        if fault == "pass" and method == "GET":
            self.answers[path] = (status, reason, kind, out)
        if fault == "type":
            kind = "text/html; charset=utf-8"
        if fault == "swap":  # each question gets what was asked for another job
            job = re.search(rb"[0-9a-f]{32}", out)
            out = out.replace(job[0], job[0][::-1]) if job else out
        if fault in ("cut", "stall", "drip"):
            return self.part(sock, fault, status, reason, kind, out)
        return self.send(sock, status, reason, kind, out)

    def part(self, sock, fault, status, reason, kind, body):
        head = HEAD.format(status, reason, kind, len(body), "keep-alive").encode()
        if fault == "drip":
            for byte in head + body:
                if self.fault != fault:
                    return False
                sock.sendall(bytes([byte]))
                time.sleep(0.5)
            return True
        sock.sendall(head + body[:len(body) // 2])
        if fault == "stall":
            self.while_so(fault)
        return False

    def invent(self, sock, fault):
        if fault == "gateway":
            return self.send(sock, 502, "Bad Gateway", "text/html", b"<html><h1>502 Bad Gateway</h1></html>")
        if fault == "denied":
            return self.send(sock, 401, "Unauthorized", "text/html", LOGIN)
        if fault == "html":
            return self.send(sock, 200, "OK", "text/html", LOGIN)
        if fault == "garbage":
            return self.send(sock, 200, "OK", "application/json", b"{\"state\":\"RUNNING\",\xff\xfe\x00" + bytes(range(256)) * 8)
        if fault == "nothing":
            return self.send(sock, 200, "OK", "application/json", b"")
        if fault == "empty":
            return self.send(sock, 200, "OK", "application/json", b"{}")
        if fault == "deep":
            return self.send(sock, 200, "OK", "application/json", b"[" * 2_000_000)
        if fault == "noise":
            sock.sendall(bytes(range(256)) * 64)
            return False
        assert fault == "endless"
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n{\"state\":\"RUNNING\",\"vertices\":[")
        one = (json.dumps({"id": "0" * 32, "status": "RUNNING", "pad": "x" * 65000}) + ",").encode()
        while self.fault == fault and not self.closing:
            sock.sendall(one)
            self.sent += len(one)
        return False
