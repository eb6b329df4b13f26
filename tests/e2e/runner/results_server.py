# SPDX-License-Identifier: Apache-2.0
"""A results port for tests: docs/results-protocol.md, written from that text alone and in no hurry.
It knows how to misbehave on request: stop reading, keep acknowledgements back, fall silent, hang up, cap cells."""
import datetime
import decimal
import json
import secrets
import socket
import struct
import threading
import time

HELLO, WELCOME, REFUSED = 0x01, 0x02, 0x03
TASK_GET, TASK, BEGIN, DONE, FAILED, END, END_STORED = 0x10, 0x11, 0x12, 0x13, 0x14, 0x16, 0x17
COLUMNS, ROWS, ACK, FINISH, FINISHED, SINK_ERROR = 0x20, 0x21, 0x22, 0x23, 0x24, 0x25
HEARTBEAT, STOP = 0x30, 0x31
KINDS = ["+I", "-U", "+U", "-D"]
NAMES = {1: "CHAR", 2: "VARCHAR", 3: "BINARY", 4: "VARBINARY", 5: "BOOLEAN", 6: "TINYINT", 7: "SMALLINT",
         8: "INTEGER", 9: "BIGINT", 10: "FLOAT", 11: "DOUBLE", 12: "DATE", 13: "DECIMAL", 14: "TIME",
         15: "TIMESTAMP", 16: "TIMESTAMP_LTZ", 17: "INTERVAL_YM", 18: "INTERVAL_DT", 19: "ARRAY", 20: "MULTISET",
         21: "MAP", 22: "ROW", 23: "STRUCTURED", 24: "OTHER"}


class Bytes:
    """Reads big-endian values; complains about what is missing or left over."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, n):
        if self.at + n > len(self.data):
            raise ValueError("frame ends too early")
        piece = self.data[self.at:self.at + n]
        self.at += n
        return piece

    def num(self, form):
        return struct.unpack(">" + form, self.take(struct.calcsize(form)))[0]

    def blob(self):
        return self.take(self.num("I"))

    def str(self):
        return self.blob().decode("utf-8")

    def end(self):
        if self.at != len(self.data):
            raise ValueError(f"{len(self.data) - self.at} bytes too many")


def read_type(b):
    code, nullable = b.num("B"), b.num("B")
    assert code in NAMES and nullable in (0, 1), (code, nullable)
    t = {"name": NAMES[code], "nullable": bool(nullable)}
    if code <= 4:
        t["length"] = b.num("i")
    elif code == 13:
        t["precision"], t["scale"] = b.num("B"), b.num("B")
    elif code in (14, 15, 16):
        t["precision"] = b.num("B")
    elif code in (17, 18):
        t["resolution"], t["precision"], t["fraction"] = b.num("B"), b.num("B"), b.num("B")
    elif code in (19, 20):
        t["of"] = [read_type(b)]
    elif code == 21:
        t["of"] = [read_type(b), read_type(b)]
    elif code in (22, 23):
        t["fields"] = [(b.str(), read_type(b)) for _ in range(b.num("H"))]
    elif code == 24:
        t["sql"] = b.str()
    return t


class Text(str):
    """A value that came as text (tag 2)."""


def read_cell(b, t):
    tag = b.num("B")
    if tag == 0:
        assert t["nullable"] or t["name"] == "OTHER", f"NULL in {t}"
        return None
    if tag == 2:
        return Text(b.str())
    assert tag == 1, tag
    n = t["name"]
    if n == "BOOLEAN":
        return b.num("B") == 1
    if n in ("TINYINT", "SMALLINT", "INTEGER", "BIGINT"):
        return b.num({"TINYINT": "b", "SMALLINT": "h", "INTEGER": "i", "BIGINT": "q"}[n])
    if n in ("FLOAT", "DOUBLE"):
        return b.str()
    if n == "DECIMAL":
        text = b.str()
        assert -decimal.Decimal(text).as_tuple().exponent == t["scale"], (text, t)
        return text
    if n in ("CHAR", "VARCHAR"):
        return b.str()
    if n in ("BINARY", "VARBINARY"):
        return b.blob()
    if n == "DATE":
        return str(datetime.date(1970, 1, 1) + datetime.timedelta(days=b.num("i")))
    if n == "TIME":
        return str((datetime.datetime(1970, 1, 1) + datetime.timedelta(milliseconds=b.num("i"))).time())
    if n in ("TIMESTAMP", "TIMESTAMP_LTZ"):
        ms, nanos = b.num("q"), b.num("i")
        assert 0 <= nanos < 1_000_000, nanos
        when = datetime.datetime(1970, 1, 1) + datetime.timedelta(milliseconds=ms)
        return f"{when.isoformat(timespec='milliseconds')}{nanos:06d}"
    if n == "INTERVAL_YM":
        return ("months", b.num("i"))
    if n == "INTERVAL_DT":
        return ("ms", b.num("q"))
    if n == "ARRAY":
        return [read_cell(b, t["of"][0]) for _ in range(b.num("I"))]
    if n == "MAP":
        return [(read_cell(b, t["of"][0]), read_cell(b, t["of"][1])) for _ in range(b.num("I"))]
    if n == "MULTISET":
        return [(read_cell(b, t["of"][0]), b.num("i")) for _ in range(b.num("I"))]
    if n in ("ROW", "STRUCTURED"):
        return tuple(read_cell(b, f) for _, f in t["fields"])
    raise AssertionError(t)


class Result:
    """Columns and rows of one statement, whoever sends them."""

    def __init__(self, statement=0, token=None):
        self.statement, self.token = statement, token
        self.columns, self.rows, self.insert_only = None, [], None
        self.complete = self.ended = self.used = False
        self.error, self.sock, self.first_at, self.largest = None, None, None, 0
        self.stall = threading.Event()  # set: stop reading after the first rows
        self.hold_acks = self.silent = self.hang_up = False
        self.keep = True  # False: count rows only
        self.count = 0
        self.heartbeats = 0

    def names(self):
        return [c[0] for c in self.columns]

    def sql_types(self):
        return [c[1] for c in self.columns]

    def changes(self):
        return [(k, *r) for k, r in self.rows]

    def values(self):
        return [r for _, r in self.rows]

    def take_columns(self, b):
        flags, n = b.num("B"), b.num("H")
        self.insert_only = bool(flags & 1)
        self.columns = [(b.str(), b.str(), read_type(b)) for _ in range(n)]
        b.end()

    def take_rows(self, b):
        first, n = b.num("Q"), b.num("I")
        assert first == self.count, f"rows from {first}, {self.count} are here"
        assert n > 0
        self.count += n
        self.first_at = self.first_at or time.monotonic()
        if not self.keep:
            return
        for _ in range(n):
            kind = KINDS[b.num("B")]
            self.rows.append((kind, tuple(read_cell(b, t) for _, _, t in self.columns)))
        b.end()


class Task:
    def __init__(self, document, token):
        self.document, self.token = document, token
        self.claimed = False
        self.begun, self.done, self.failed, self.answers = [], {}, {}, {}
        self.ended, self.ok, self.pieces = threading.Event(), None, 1


class ResultsServer:
    def __init__(self, heartbeat_ms=500, lost_ms=30000, cell=16 << 20, row=32 << 20):
        self.limits = (heartbeat_ms, lost_ms, cell, row)
        self.tasks, self.results, self.faults, self.refused = {}, {}, [], 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def task(self, document):
        token = secrets.token_hex(32)
        self.tasks[token] = Task(document, token)
        return self.tasks[token]

    def result(self, statement=1):
        token = secrets.token_hex(32)
        self.results[token] = Result(statement, token)
        return self.results[token]

    def close(self):
        self.listener.close()

    def _accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        try:
            self._talk(sock)
        except (OSError, EOFError):
            pass
        except Exception as e:  # a broken peer is a test's failure: wait_for() shows it
            self.faults.append(e)
        finally:
            sock.close()

    @staticmethod
    def frame(sock):
        head = ResultsServer._exactly(sock, 4)
        body = ResultsServer._exactly(sock, struct.unpack(">I", head)[0])
        return body[0], Bytes(body[1:])

    @staticmethod
    def _exactly(sock, n):
        out = bytearray()
        while len(out) < n:
            piece = sock.recv(n - len(out))
            if not piece:
                raise EOFError
            out += piece
        return bytes(out)

    @staticmethod
    def send(sock, kind, body=b""):
        sock.sendall(struct.pack(">IB", len(body) + 1, kind) + body)

    @staticmethod
    def text(s):
        b = s.encode("utf-8")
        return struct.pack(">I", len(b)) + b

    def _refuse(self, sock, slug, message):
        self.refused += 1
        self.send(sock, REFUSED, self.text(slug) + self.text(message))
        time.sleep(0.1)

    def _talk(self, sock):
        kind, b = self.frame(sock)
        assert kind == HELLO and b.take(3) == b"SLR", kind
        version, role, token, statement = b.num("H"), b.num("B"), b.str(), b.num("I")
        b.end()
        assert version == 1
        known = self.tasks.get(token) if role == 1 else self.results.get(token)
        if known is None or (role == 1 and known.claimed) or (role == 2 and (known.used or known.statement != statement)):
            return self._refuse(sock, "results-token", "this token is not valid, or was used")
        if role == 1:
            known.claimed = True
        else:
            known.used = True
        self.send(sock, WELCOME, struct.pack(">HIIII", 1, *self.limits))
        stop = threading.Event()
        threading.Thread(target=self._beat, args=(sock, known, stop), daemon=True).start()
        try:
            return self._runner(sock, known) if role == 1 else self._sink(sock, known)
        finally:
            stop.set()

    def _beat(self, sock, known, stop):
        while not stop.wait(self.limits[0] / 1000):
            if not getattr(known, "silent", False):
                try:
                    self.send(sock, HEARTBEAT)
                except OSError:
                    return

    def _runner(self, sock, task):
        current = None
        try:
            while True:
                kind, b = self.frame(sock)
                if kind == TASK_GET:
                    doc = json.dumps(task.document).encode("utf-8")
                    step = max(1, len(doc) // task.pieces + 1)
                    parts = [doc[i:i + step] for i in range(0, len(doc), step)]
                    for i, p in enumerate(parts):
                        self.send(sock, TASK, bytes([i == len(parts) - 1]) + p)
                elif kind == BEGIN:
                    current = b.num("I")
                    task.begun.append(current)
                elif kind == DONE:
                    n = b.num("I")
                    task.done[n] = b.str()
                    b.end()
                elif kind == FAILED:
                    n = b.num("I")
                    task.failed[n] = json.loads(b.str())
                    task.failed[n]["stack"] = b.str()
                    b.end()
                elif kind == COLUMNS:
                    task.answers[current] = Result(current)
                    task.answers[current].take_columns(b)
                elif kind == ROWS:
                    task.answers[current].take_rows(b)
                elif kind == FINISH:
                    n = b.num("Q")
                    assert n == task.answers[current].count
                    task.answers[current].complete = True
                    self.send(sock, FINISHED, struct.pack(">Q", n))
                elif kind == END:
                    task.ok = b.num("B") == 1
                    self.send(sock, END_STORED)
                    task.ended.set()
                elif kind != HEARTBEAT:
                    raise AssertionError(f"frame {kind} from a runner")
        finally:
            task.ended.set()

    def _sink(self, sock, result):
        result.sock = sock
        try:
            while True:
                if result.hang_up:
                    return
                kind, b = self.frame(sock)
                if kind == COLUMNS:
                    result.take_columns(b)
                elif kind == ROWS:
                    result.largest = max(result.largest, len(b.data))
                    result.take_rows(b)
                    if not result.hold_acks:
                        self.send(sock, ACK, struct.pack(">Q", result.count))
                    while result.stall.is_set():
                        time.sleep(0.05)
                elif kind == FINISH:
                    n = b.num("Q")
                    assert n == result.count, (n, result.count)
                    result.complete = True
                    self.send(sock, FINISHED, struct.pack(">Q", n))
                elif kind == SINK_ERROR:
                    result.error = (b.str(), b.str(), b.str())
                    b.end()
                    return
                elif kind == HEARTBEAT:
                    result.heartbeats += 1
                else:
                    raise AssertionError(f"frame {kind} from a sink")
        finally:
            result.ended = True

    def stop(self, result):
        self.send(result.sock, STOP)
