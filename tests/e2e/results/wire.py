# SPDX-License-Identifier: Apache-2.0
"""The Flink side of the results protocol (docs/results-protocol.md) for tests: makes frames, and speaks them to the real
port. Knows how to be rude: every part can be sent alone, in pieces, or wrong."""
import hashlib
import socket
import ssl
import struct
import time

HELLO, WELCOME, REFUSED = 0x01, 0x02, 0x03
TASK_GET, TASK, BEGIN, DONE, FAILED, END, END_STORED = 0x10, 0x11, 0x12, 0x13, 0x14, 0x16, 0x17
COLUMNS, ROWS, ACK, FINISH, FINISHED, SINK_ERROR = 0x20, 0x21, 0x22, 0x23, 0x24, 0x25
HEARTBEAT, STOP = 0x30, 0x31
RUNNER, SINK, PROBE = 1, 2, 3


def text(s):
    data = s if isinstance(s, bytes) else s.encode("utf-8")
    return struct.pack(">I", len(data)) + data


def frame(kind, body=b""):
    return struct.pack(">IB", len(body) + 1, kind) + body


def hello(role, token="", statement=0, version=1):
    return frame(HELLO, b"SLR" + struct.pack(">HB", version, role) + text(token) + struct.pack(">I", statement))


# Types: (descriptor, how a value is written)
def _simple(code, write, more=b""):
    return bytes([code, 1]) + more, write


def _num(form):
    return lambda v: struct.pack(">" + form, v)


BOOLEAN = _simple(5, _num("B"))
TINYINT, SMALLINT, INT, BIGINT = (_simple(6 + i, _num(f)) for i, f in enumerate("bhiq"))
FLOAT, DOUBLE = _simple(10, text), _simple(11, text)
DATE = _simple(12, _num("i"))
STRING = _simple(2, text, struct.pack(">i", 2147483647))
BYTES = _simple(4, text, struct.pack(">i", 2147483647))
MONTHS, MILLIS = _simple(17, _num("i"), bytes([2, 2, 0])), _simple(18, _num("q"), bytes([3, 2, 3]))


def DECIMAL(p, s):
    return _simple(13, text, bytes([p, s]))


def TIME(p):
    return _simple(14, _num("i"), bytes([p]))


def TIMESTAMP(p, ltz=False):
    return _simple(16 if ltz else 15, lambda v: struct.pack(">qI", *v), bytes([p]))


def ARRAY(t):
    return _simple(19, lambda v: struct.pack(">I", len(v)) + b"".join(cell(t, x) for x in v), t[0])


def MULTISET(t):
    return _simple(20, lambda v: struct.pack(">I", len(v)) + b"".join(cell(t, x) + struct.pack(">i", n) for x, n in v), t[0])


def MAP(k, v):
    return _simple(21, lambda m: struct.pack(">I", len(m)) + b"".join(cell(k, a) + cell(v, b) for a, b in m), k[0] + v[0])


def ROW(*fields, code=22):
    head = struct.pack(">H", len(fields)) + b"".join(text(n) + t[0] for n, t in fields)
    return _simple(code, lambda v: b"".join(cell(t, x) for (_, t), x in zip(fields, v)), head)


def OTHER(sql):
    return _simple(24, None, text(sql))


class Text(str):
    """A value sent as text (tag 2)."""


def cell(t, v):
    if v is None:
        return b"\0"
    if isinstance(v, Text):
        return b"\2" + text(v)
    return b"\1" + t[1](v)


def columns(cols, insert_only=True):
    return frame(COLUMNS, struct.pack(">BH", int(insert_only), len(cols)) + b"".join(text(n) + text(sql) + t[0] for n, sql, t in cols))


def row(cols, values, kind=0):
    return bytes([kind]) + b"".join(cell(t, v) for (_, _, t), v in zip(cols, values))


def rows(first, encoded):
    return frame(ROWS, struct.pack(">QI", first, len(encoded)) + b"".join(encoded))


def finish(n):
    return frame(FINISH, struct.pack(">Q", n))


def tls(sock, pin, highest=ssl.TLSVersion.MAXIMUM_SUPPORTED):
    """Shakes hands with whom that digest belongs to, as the push sink does."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode, context.maximum_version = False, ssl.CERT_NONE, highest
    sock = context.wrap_socket(sock)
    assert "sha256:" + hashlib.sha256(sock.getpeercert(binary_form=True)).hexdigest() == pin
    return sock


class Peer:
    """pin: of the certificate; "" = no TLS."""

    def __init__(self, port, data=b"", timeout=60, pin=""):
        self.sock = socket.create_connection(("127.0.0.1", port), timeout)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if pin:
            self.sock = tls(self.sock, pin)
        self.got = b""
        if data:
            self.send(data)

    def send(self, data):
        self.sock.sendall(data)

    def frame(self, timeout=60):
        """(type, body); None at the end of the stream; raises TimeoutError."""
        end = time.monotonic() + timeout
        while len(self.got) < 4 or len(self.got) < 4 + struct.unpack(">I", self.got[:4])[0]:
            self.sock.settimeout(max(0.001, end - time.monotonic()))
            try:
                more = self.sock.recv(1 << 16)
            except socket.timeout:
                raise TimeoutError("no frame") from None
            except ConnectionResetError:
                return None
            if not more:
                return None
            self.got += more
        n = struct.unpack(">I", self.got[:4])[0]
        kind, body = self.got[4], self.got[5:4 + n]
        self.got = self.got[4 + n:]
        return kind, body

    def next(self, timeout=60, skip=(HEARTBEAT, ACK)):
        while True:
            f = self.frame(timeout)
            if f is None or f[0] not in skip:
                return f

    def refused(self):
        kind, body = self.next()
        assert kind == REFUSED, hex(kind)
        n = struct.unpack(">I", body[:4])[0]
        assert self.next() is None, "a refused connection is closed"
        return body[4:4 + n].decode()

    def close(self):
        self.sock.close()
