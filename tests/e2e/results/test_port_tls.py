# SPDX-License-Identifier: Apache-2.0
"""The results port beyond its machine: TLS 1.3 with a certificate that is known by its digest; nothing travels as it is."""
import os
import random
import re
import socket
import ssl
import struct
import threading
import time

import pytest
import wire as w

COLS = [("id", "BIGINT NOT NULL", w.BIGINT), ("name", "STRING", w.STRING)]
SEED = int(os.environ.get("SEED", random.randrange(1 << 32)))


def open_port(port, **settings):
    """A port that listens everywhere, and the digest that its peers are told."""
    p = port(bind="0.0.0.0", **settings)
    address, pin = p("dial", f"127.0.0.1:{p.number}")["dial"].split("#")
    assert address == f"127.0.0.1:{p.number}" and re.fullmatch("sha256:[0-9a-f]{64}", pin)
    return p, pin


def sink(p, pin, token, statement=4):
    peer = w.Peer(p.number, w.hello(w.SINK, token, statement), pin=pin)
    assert peer.next()[0] == w.WELCOME
    return peer


def some_rows(first, n, text="row"):
    return w.rows(first, [w.row(COLS, (first + i, f"{text} {first + i}")) for i in range(n)])


def works(p, pin):
    rid, token = p.result()
    peer = sink(p, pin, token)
    peer.send(w.columns(COLS) + some_rows(0, 500) + some_rows(500, 500) + w.finish(1000))
    assert peer.next() == (w.FINISHED, struct.pack(">Q", 1000))
    peer.close()
    got = p("read", rid, "text", "-", 2000, 60000)
    assert got["state"] == "complete" and [int(r[1][0]) for r in got["rows"]] == list(range(1000))
    p("unref", rid)


def test_who_is_told_to_speak_tls(port):
    """An address of this machine needs none while the port is this machine's; every other way does, unless a setting says no."""
    here, off = port(), port(bind="0.0.0.0", tls=0)
    for address in ("127.0.0.1:1", "localhost:1", "[::1]:1", "127.1.2.3:1"):
        assert here("dial", address)["dial"] == address
    for address in ("10.8.0.14:41877", "host.example:1", "[fd00::2]:1"):
        told = here("dial", address)["dial"]
        assert told.startswith(address + "#sha256:"), told
        assert off("dial", address)["dial"] == address
    pins = {here("dial", "h:1")["dial"] for _ in range(3)}
    assert len(pins) == 1
    assert port()("dial", "h:1")["dial"] not in pins, "a certificate of its own for each process"
    # Behind a tunnel's end the port is this machine's and its peers speak TLS all the same.
    works(here, pins.pop().split("#")[1])
    rid, token = off.result()
    assert sink(off, "", token)
    off("unref", rid)


def test_nothing_travels_as_it_is(port):
    """A peer without TLS is refused before its token counts; the token is as good as before."""
    p, pin = open_port(port)
    rid, token = p.result()
    for hello in (w.hello(w.SINK, token, 4), w.hello(w.RUNNER, token), w.hello(w.PROBE), b"\0\0\0", b"GET / HTTP/1.1\r\n\r\n"):
        assert w.Peer(p.number, hello).refused() == "results-protocol"
    assert p("state", rid)["state"] == "waiting"
    with pytest.raises(OSError):
        w.tls(socket.create_connection(("127.0.0.1", p.number), 60), pin, ssl.TLSVersion.TLSv1_2)
    peer = sink(p, pin, token)
    peer.send(w.columns(COLS) + some_rows(0, 3) + w.finish(3))
    assert peer.next()[0] == w.FINISHED
    assert w.Peer(p.number, w.hello(w.SINK, token, 4), pin=pin).refused() == "results-token"
    works(p, pin)


def test_frames_drop_by_drop(port):
    """A record for each byte, and one record for many frames."""
    p, pin = open_port(port)
    rid, token = p.result()
    peer = w.Peer(p.number, pin=pin)
    for byte in w.hello(w.SINK, token, 4) + w.columns(COLS) + some_rows(0, 3):
        peer.send(bytes([byte]))
    assert peer.next()[0] == w.WELCOME
    peer.send(b"".join(some_rows(3 + i, 1) for i in range(3000)) + w.finish(3003))
    assert peer.next() == (w.FINISHED, struct.pack(">Q", 3003))
    got = p("drain", rid, 60000)
    assert (got["rows"], got["state"], got["gap"]) == (3003, "complete", False)


def test_a_reader_that_stops(port):
    """No room in memory or on disk: reading stops in the middle of records, goes on, and every row is there once."""
    p, pin = open_port(port, memory=1 << 20, spool=2 << 20, lost=600000)
    rid, token = p.result()
    peer = sink(p, pin, token)
    rows, each, sent = 2000, 200, []

    def pump():
        peer.send(w.columns(COLS))
        for i in range(rows):
            peer.send(some_rows(i * each, each, "x" * 60))
            sent.append(i)
        peer.send(w.finish(rows * each))
    t = threading.Thread(target=pump, daemon=True)
    t.start()
    time.sleep(1)
    assert len(sent) < rows, "there is no end to its room"
    got = p("drain", rid, 120000)
    t.join(60)
    assert (got["rows"], got["state"], got["gap"]) == (rows * each, "complete", False)
    works(p, pin)


def test_hands_that_are_not_shaken(port):
    """Half a greeting, a thousand of them, and greetings gone wrong: they end by themselves and cost little."""
    print("SEED", SEED)
    rng = random.Random(SEED)
    p, pin = open_port(port, hello=6000)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with pytest.raises(ssl.SSLWantReadError):
        context.wrap_bio(incoming, outgoing).do_handshake()
    greeting = outgoing.read()
    before, fds = p.status("VmRSS"), p.fds()
    half = [w.Peer(p.number, greeting[:rng.randrange(1, len(greeting))]) for _ in range(500)]
    whole = [w.Peer(p.number, greeting) for _ in range(500)]
    for _ in range(200):
        wrong = bytearray(greeting)
        for _ in range(rng.randrange(1, 4)):
            wrong[rng.randrange(1, len(wrong))] = rng.randrange(256)
        peer = w.Peer(p.number, bytes(wrong))
        peer.sock.shutdown(socket.SHUT_WR)
        while True:
            try:
                if not peer.sock.recv(65536):
                    break
            except OSError:
                break
        peer.close()
    works(p, pin)
    grown = p.status("VmRSS") - before
    print(f"{grown / 1000:.0f} KiB each")
    assert grown < 128 << 10
    for peer in half + whole:
        peer.sock.settimeout(60)
        try:
            while peer.sock.recv(65536):
                pass
        except OSError:
            pass
        peer.close()
    end = time.monotonic() + 60
    while p.fds() > fds + 2 and time.monotonic() < end:
        time.sleep(0.1)
    assert p.fds() <= fds + 2
    works(p, pin)


def test_stopped_by_us(port):
    """STOP is said in TLS, too, and read before the end."""
    p, pin = open_port(port)
    rid, token = p.result()
    peer = sink(p, pin, token)
    peer.send(w.columns(COLS) + some_rows(0, 10))
    assert peer.frame()[0] == w.ACK
    p("close", rid)
    assert peer.next()[0] == w.STOP and peer.next() is None
    works(p, pin)
