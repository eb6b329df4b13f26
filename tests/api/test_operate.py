# SPDX-License-Identifier: Apache-2.0
"""A server as whoever runs it sees it: settings read again, state asked for, a gentle end, what a crash leaves."""
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from server import ROOT, Server, Socket, certificates

CHECK = "/api/v1/scripts/check"
ADDRESSES_ARE_OURS = "ASAN_OPTIONS" not in os.environ and "san" not in os.path.basename(os.path.dirname(os.environ.get("SLUICE_BIN", "")))


def log_of(s):
    return (s.folder / "data" / "owner.log").read_text()


def wait_for(what, seconds=20):
    deadline = time.time() + seconds
    while time.time() < deadline:
        found = what()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError("it did not come")


def hup(s):
    """Settings were read, whichever way it went."""
    def told():
        return [x for x in log_of(s).splitlines() if " owner reload" in x]
    before = len(told())
    s.process.send_signal(signal.SIGHUP)
    return wait_for(lambda: told()[before:])[0]


def configured(tmp_path, text, *args):
    config = tmp_path / "config.yaml"
    config.write_text(text)
    return config, Server(tmp_path / "server", *args, env={"SLUICE_CONFIG": str(config)})


def test_settings_are_read_again(tmp_path):
    config, s = configured(tmp_path, "log.level: warn\n", "--config", "limit.message-bytes=4kB")
    assert s.ask("GET", "/healthz", Host="sluice.example")[0] == 421
    assert s.ask("POST", CHECK, {"text": "SELECT '%s'" % ("x" * 3000)})[0] == 200
    assert " audit " not in log_of(s)
    config.write_text("log.level: info\nhosts: sluice.example\nlimit: {request-body-bytes: 2kB, message-bytes: 8kB}\n")
    assert " reloaded " in hup(s)
    assert s.ask("GET", "/healthz", Host="sluice.example")[0] == 200
    assert s.ask("POST", CHECK, {"text": "SELECT '%s'" % ("x" * 3000)})[0] == 413
    assert s.ask("POST", CHECK, {"text": "SELECT 1"})[0] == 200
    wait_for(lambda: " audit " in log_of(s))
    w = Socket(s)
    w.frame(b"{" + b" " * 6000 + b"}", 1)
    assert w.receive() in (1009, 0), "a flag wins over the file also when that is read again"
    config.write_text("log.level: loud\n")
    line = hup(s)
    assert "reload-failed" in line and "config-value" in line and "line=1" in line
    assert s.ask("GET", "/healthz", Host="sluice.example")[0] == 200
    config.write_text("results.bind: 127.0.0.1:1\n")
    hup(s)
    assert "needs-restart setting=results.bind" in log_of(s)
    assert s.ask("GET", "/healthz", Host="sluice.example")[0] == 421
    assert s.stop() == 0


def test_the_token_file_is_made_anew(tmp_path):
    s = Server(tmp_path)
    made = s.ask("POST", "/api/v1/tokens", {"name": "ann", "role": "viewer"})[2]
    (tmp_path / "data" / "token").unlink()
    hup(s)
    fresh = (tmp_path / "data" / "token").read_text()
    assert fresh != s.token and s.ask("GET", "/api/v1/tokens", token=fresh)[0] == 200
    assert s.ask("GET", "/api/v1/jobs", token=made["token"])[0] == 200
    assert s.ask("DELETE", f"/api/v1/tokens/{made['id']}")[0] == 200
    hup(s)
    assert s.ask("GET", "/api/v1/jobs", token=made["token"])[0] == 401
    assert s.stop() == 0


def test_a_certificate_is_renewed(tmp_path):
    first, second = certificates(tmp_path / "first"), certificates(tmp_path / "second")
    live = tmp_path / "live"
    shutil.copytree(first, live)
    s = Server(tmp_path / "server", "--tls-cert", str(live / "cert.pem"), "--tls-key", str(live / "key.pem"))

    def trusted(by):
        return subprocess.run(["curl", "-s", "--cacert", str(by / "ca.pem"), f"https://localhost:{s.port}/healthz"],
                              capture_output=True, text=True, timeout=20, check=False).stdout == "ok\n"
    assert trusted(first) and not trusted(second)
    shutil.copy(second / "cert.pem", live)
    line = hup(s)
    assert "reload-failed" in line and "tls-failed" in line, "the key is the old one's"
    assert trusted(first) and not trusted(second)
    shutil.copy(second / "key.pem", live)
    assert " reloaded " in hup(s)
    assert trusted(second) and not trusted(first)
    assert s.stop() == 0


def test_many_hangups_are_as_one(tmp_path):
    s = Server(tmp_path)
    for _ in range(200):
        s.process.send_signal(signal.SIGHUP)
    assert " reloaded " in hup(s)
    assert s.ask("GET", "/healthz")[0] == 200
    s.process.send_signal(signal.SIGHUP)
    assert s.stop() == 0


def test_state_on_request(tmp_path):
    s = Server(tmp_path, "--log-level", "err")
    w = Socket(s)
    s.process.send_signal(signal.SIGUSR1)
    line = wait_for(lambda: re.search(r" state server .*", log_of(s)))[0]
    assert f"port={s.port} " in line and "ready=true" in line and "websockets=1" in line
    assert re.search(r" state owner version=\S+ pid=%d " % s.process.pid, log_of(s))
    assert s.token[4:] not in log_of(s)
    w.s.close()
    assert s.stop() == 0


def submit_to_a_target_that_hangs(s):
    """A call that is under way until it is told to stop: its target takes connections and says nothing."""
    hanging = socket.create_server(("127.0.0.1", 0))
    assert s.ask("POST", "/api/v1/targets", {"name": "far", "url": "http://127.0.0.1:%d" % hanging.getsockname()[1]})[0] == 200
    conn = s.raw(s.post("/api/v1/targets/far/test", {}, "Connection: close"))
    wait_for(lambda: re.search(r"\nsluice_calls 1\n", s.ask("GET", "/metrics")[2]))
    return hanging, conn


def read_all(conn):
    text = b""
    try:
        while True:
            got = conn.recv(65536)
            if not got:
                return text
            text += got
    except ConnectionResetError:
        return text


def test_what_is_under_way_may_end_by_itself(tmp_path):
    s = Server(tmp_path, "--config", "limit.drain=20s", "--config", "limit.http-total=4s")
    kept, w = s.raw(s.head("GET", "/readyz")), Socket(s)
    assert b"200" in kept.recv(1000)
    hanging, conn = submit_to_a_target_that_hangs(s)
    s.process.send_signal(signal.SIGUSR1)
    wait_for(lambda: "state call method=target.test" in log_of(s))
    s.process.terminate()
    wait_for(lambda: " owner signal " in log_of(s))
    kept.sendall(s.head("GET", "/readyz"))
    late = kept.recv(4000)
    assert b"503" in late.split(b"\r\n")[0] and b"retry-after" in late, late
    w.send({"jsonrpc": "2.0", "id": 1, "method": "job.list"})
    assert w.receive()["error"]["data"]["code"] == "busy"
    answer = read_all(conn)
    assert answer.startswith(b"HTTP/1.1 ") and b'"code":"' in answer and b'"busy"' not in answer, answer
    assert s.process.wait(30) == 0
    hanging.close()
    s.log.close()


def test_a_second_signal_does_not_wait(tmp_path):
    s = Server(tmp_path, "--config", "limit.drain=5min", "--config", "limit.http-total=3s")
    hanging, conn = submit_to_a_target_that_hangs(s)
    s.process.terminate()
    wait_for(lambda: " owner signal " in log_of(s))
    s.process.terminate()
    assert s.process.wait(60) == 0
    assert read_all(conn).startswith(b"HTTP/1.1 ")
    hanging.close()
    s.log.close()


def test_systemd_hears_of_it(tmp_path):
    heard = []
    bell = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    bell.bind(str(tmp_path / "n"))
    bell.settimeout(20)
    s = Server(tmp_path / "server", env={"NOTIFY_SOCKET": str(tmp_path / "n")})
    heard.append(bell.recv(100))
    s.process.send_signal(signal.SIGHUP)
    heard += [bell.recv(100), bell.recv(100)]
    assert s.stop() == 0
    heard.append(bell.recv(100))
    assert heard == [b"READY=1", b"RELOADING=1", b"READY=1", b"STOPPING=1"]
    bell.close()


def test_the_unit_file_is_one():
    unit = os.path.join(ROOT, "tools", "sluice.service")
    text = open(unit).read()
    assert "Type=notify" in text and "ExecReload=/bin/kill -HUP $MAINPID" in text and "serve" in text
    if shutil.which("systemd-analyze"):
        said = subprocess.run(["systemd-analyze", "verify", "--man=no", unit], capture_output=True, text=True, timeout=60, check=False)
        ours = [x for x in (said.stdout + said.stderr).splitlines() if "sluice.service" in x and "not executable" not in x and "No such file" not in x]
        assert not ours, ours


def test_a_crash_leaves_a_report(tmp_path):
    if not ADDRESSES_ARE_OURS:
        return
    s = Server(tmp_path)
    token = s.token
    s.process.send_signal(signal.SIGSEGV)
    assert s.process.wait(20) == -signal.SIGSEGV
    s.log.close()
    reports = list((tmp_path / "data").glob("crash-*.txt"))
    assert len(reports) == 1 and oct(reports[0].stat().st_mode & 0o777) == "0o600"
    text = reports[0].read_text()
    assert text.startswith("Sluice ") and f"pid      {s.process.pid}\n" in text and "signal   SEGV sent by pid %d\n" % os.getpid() in text
    assert "thread   sluice\n" in text and text.endswith("end\n") and len(re.findall(r"\[0x[0-9a-f]+\]", text)) >= 3, text
    assert token[4:] not in text
    for i in range(20):
        (tmp_path / "data" / f"crash-1-{i}.txt").write_text("old")
    again = Server(tmp_path)
    wait_for(lambda: f"crashed-before report={reports[0]}" in log_of(again))
    assert len(list((tmp_path / "data").glob("crash-*.txt"))) == 10 and reports[0].exists()
    assert again.ask("GET", "/healthz")[0] == 200 and again.stop() == 0
    third = Server(tmp_path)
    assert log_of(third).count(f"report={reports[0]}") == 1, "told once"
    assert third.stop() == 0
