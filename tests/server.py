# SPDX-License-Identifier: Apache-2.0
"""`sluice serve` on a free port, and clients that can also be rude: raw sockets and a small WebSocket client."""
import base64
import http.client
import json
import os
import pathlib
import re
import socket
import struct
import subprocess
import time

from schema import FLINK, FlinkSchemas, Schemas

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BIN = os.path.abspath(os.environ.get("SLUICE_BIN", os.path.join(ROOT, "build", "sluice")))


class Server:
    schemas = flink_schemas = None  # of openapi.json and flink-openapi.json: one for all servers of this binary

    def __init__(self, folder, *args, env=None):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.env = {k: v for k, v in os.environ.items() if not k.startswith("SLUICE_")}
        self.env.update(SLUICE_DATA=str(self.folder / "data"), XDG_CONFIG_HOME=str(self.folder / "xdg"), HOME=str(self.folder), NO_COLOR="1", **{"SLUICE_PREPARE": "false", **(env or {})})
        self.log = open(self.folder / "serve.log", "w+")
        self.process = subprocess.Popen([BIN, "serve", "--listen", "127.0.0.1:0", *args], env=self.env, stdout=self.log, stderr=subprocess.STDOUT)
        for _ in range(600):
            found = re.search(r"listening on https?://127\.0\.0\.1:(\d+)", (self.folder / "serve.log").read_text())
            if found or self.process.poll() is not None:
                break
            time.sleep(0.02)
        assert found, (self.folder / "serve.log").read_text()
        self.port = int(found[1])
        token = self.folder / "data" / "token"
        self.token = token.read_text() if token.exists() else ""

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
        code = self.process.wait(30)
        self.log.close()
        return code

    def cli(self, *args):
        return subprocess.run([BIN, *args], env=self.env, capture_output=True, text=True, timeout=30, stdin=subprocess.DEVNULL, check=False)

    def cpu(self):
        """Seconds of processor time it has used."""
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def metric(self, name):
        """A figure of /metrics."""
        return int(re.search(rf"^{name} (\d+)$", self.ask("GET", "/metrics")[2], re.M)[1])

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def memory(self):
        """Bytes of memory that are its own and in use."""
        text = pathlib.Path(f"/proc/{self.process.pid}/smaps_rollup").read_text()
        return 1024 * int(re.search(r"^Private_Dirty: +(\d+)", text, re.M)[1])

    def ask_long(self, method, path, body):
        """The same for what waits on a Flink."""
        return self.ask(method, path, body, seconds=300)

    def ask(self, method, path, body=None, token=None, seconds=20, **headers):
        """(status, headers, body: JSON where it is). What /api/v1 answers is held against openapi.json, what Flink's protocol answers against its document."""
        status, heads, answer = self.ask_raw(method, path, body, token, seconds, **headers)
        if path.startswith("/api/v1/") and not path.endswith("openapi.json") and method != "HEAD":
            if Server.schemas is None:
                Server.schemas = Schemas(self.ask_raw("GET", "/api/v1/openapi.json")[2])
            Server.schemas.check(method, path, status, heads["content-type"], answer)
        elif FLINK.match(path) and method != "HEAD":
            if Server.flink_schemas is None:
                Server.flink_schemas = FlinkSchemas(self.ask_raw("GET", "/api/v1/flink-openapi.json")[2])
            Server.flink_schemas.check(method, path, status, heads["content-type"], answer)
        return status, heads, answer

    def ask_raw(self, method, path, body=None, token=None, seconds=20, **headers):
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=seconds)
        token = self.token if token is None else token
        if token:
            headers.setdefault("Authorization", "Bearer " + token)
        headers = {k.replace("_", "-"): v for k, v in headers.items()}
        if body is not None and not isinstance(body, (bytes, str)) and not hasattr(body, "__next__"):
            body = json.dumps(body)
            headers.setdefault("Content-Type", "application/json")
        c.request(method, path, body, headers)
        r = c.getresponse()
        text = r.read().decode()
        c.close()
        return r.status, r.headers, json.loads(text) if text and "json" in (r.headers["content-type"] or "") else text

    def raw(self, data=b""):
        s = socket.create_connection(("127.0.0.1", self.port), timeout=20)
        if data:
            s.sendall(data)
        return s

    def head(self, method, path, *lines, token=None):
        token = self.token if token is None else token
        return "\r\n".join([f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{self.port}", f"Authorization: Bearer {token}", *lines, "", ""]).encode()

    def post(self, path, body, *lines):
        body = json.dumps(body).encode()
        return self.head("POST", path, "Content-Type: application/json", f"Content-Length: {len(body)}", *lines) + body


def read_answer(s, buffer=b""):
    """One answer with a length: (status, body, what came behind it)."""
    while b"\r\n\r\n" not in buffer:
        got = s.recv(65536)
        assert got, f"closed after {buffer!r}"
        buffer += got
    head, rest = buffer.split(b"\r\n\r\n", 1)
    length = int(re.search(rb"content-length: (\d+)", head)[1])
    while len(rest) < length:
        got = s.recv(65536)
        assert got, "closed in the body"
        rest += got
    return int(head.split()[1]), rest[:length], rest[length:]


class Socket:
    """A WebSocket client (RFC 6455) of few words."""

    def __init__(self, server, path="/ws", token=None, origin=None, protocol=None):
        self.s = server.raw()
        self.buffer = b""
        token = server.token if token is None else token
        lines = [f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{server.port}", "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13",
                 "Sec-WebSocket-Key: " + base64.b64encode(os.urandom(16)).decode()]
        lines += [f"Authorization: Bearer {token}"] if token else []
        lines += [f"Origin: {origin}"] if origin else []
        lines += [f"Sec-WebSocket-Protocol: {protocol}"] if protocol else []
        self.s.sendall("\r\n".join([*lines, "", ""]).encode())
        while b"\r\n\r\n" not in self.buffer:
            got = self.s.recv(65536)
            if not got:
                break
            self.buffer += got
        head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
        self.status = int(head.split()[1]) if head else 0

    def frame(self, data, opcode=1, fin=True):
        mask = os.urandom(4)
        n = len(data)
        length = bytes([0x80 | n]) if n < 126 else b"\xfe" + struct.pack(">H", n) if n < 65536 else b"\xff" + struct.pack(">Q", n)
        self.s.sendall(bytes([(0x80 if fin else 0) | opcode]) + length + mask + bytes(b ^ mask[i & 3] for i, b in enumerate(data)))

    def send(self, message):
        self.frame(json.dumps(message).encode())

    def _take(self, n):
        while len(self.buffer) < n:
            got = self.s.recv(65536)
            if not got:
                return None
            self.buffer += got
        out, self.buffer = self.buffer[:n], self.buffer[n:]
        return out

    def receive(self):
        """A message as JSON, or the number of the close code (0: the connection just ended)."""
        text = b""
        while True:
            head = self._take(2)
            if head is None:
                return 0
            n = head[1] & 127
            n = struct.unpack(">H", self._take(2))[0] if n == 126 else struct.unpack(">Q", self._take(8))[0] if n == 127 else n
            data = self._take(n)
            if head[0] & 15 == 8:
                return struct.unpack(">H", data[:2])[0] if len(data) >= 2 else 1005
            text += data
            if head[0] & 0x80:
                return json.loads(text)


def certificates(folder):
    """An authority, and a server's certificate for localhost by it."""
    folder.mkdir()
    def openssl(*args):
        subprocess.run(["openssl", *args], cwd=folder, check=True, capture_output=True)
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=test authority", "-keyout", "ca.key", "-out", "ca.pem")
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-keyout", "key.pem", "-out", "server.csr")
    (folder / "ext").write_text("subjectAltName=DNS:localhost\n")
    openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "ext", "-out", "cert.pem")
    return folder
