# SPDX-License-Identifier: Apache-2.0
"""`sluice flink install` from a package index of our own: a small distribution in the form of the official one, served by a
real HTTP server that can be slow, break off, lie and die. No Flink is started."""
import hashlib
import http.client
import http.server
import io
import json
import os
import shutil
import signal
import ssl
import subprocess
import tarfile
import threading
import time
import zipfile

import pytest
from harness import BIN

VERSION = "9.8.7"
WHEEL = f"apache_flink_libraries-{VERSION}-py2.py3-none-any.whl"
PAD = 3_000_000


def entries(version, prefix):
    loader = io.BytesIO()
    with zipfile.ZipFile(loader, "w") as z:
        z.writestr("flink-table-planner.jar", b"planner" * 100)
        z.writestr("org/apache/X.class", b"x")
    return {
        f"{prefix}lib/flink-dist-{version}.jar": os.urandom(PAD),
        f"{prefix}lib/log4j-api.jar": b"log",
        f"{prefix}lib/flink-table-planner-loader-{version}.jar": loader.getvalue(),
        f"{prefix}plugins/metrics-jmx/m.jar": b"jmx",
        f"{prefix}opt/flink-sql-client-{version}.jar": b"client",
        f"{prefix}bin/bash-java-utils.jar": b"utils",
        f"{prefix}licenses/LICENSE.one": b"one",
        f"{prefix}version.py": b"no",
    }


def wheel(version=VERSION, more=()):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
        for name, body in entries(version, "pyflink/").items():
            z.writestr(name, body)
        z.writestr(f"apache_flink_libraries-{version}.dist-info/RECORD", b"x")
        z.writestr(f"apache_flink_libraries-{version}.dist-info/licenses/LICENSE", b"licence")
        for name, body in more:
            z.writestr(name, body)
    return out.getvalue()


def sdist(version=VERSION):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as t:
        for name, body in entries(version, f"apache-flink-libraries-{version}/deps/").items():
            info = tarfile.TarInfo(name)
            info.size = len(body)
            t.addfile(info, io.BytesIO(body))
    return out.getvalue()


class Index:
    """A package index. `files`: name -> bytes; the rest says how it misbehaves."""

    def __init__(self):
        self.files, self.html, self.sha, self.break_after, self.status, self.delay, self.hash_told = {}, False, {}, [], 200, 0, True
        self.redirect = None  # another server where the files are
        self.asked = []
        me = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *args):
                pass

            def page(self):
                if me.html:
                    body = "".join(f'<a href="../../files/{n}{me.fragment(n)}">{n}</a>\n' for n in me.files).encode()
                    kind = "text/html"
                else:
                    body = json.dumps({"files": [{"filename": n, "url": f"../../files/{n}", "size": len(b),
                                                  "hashes": {"sha256": me.digest(n)} if me.hash_told else {}}
                                                 for n, b in me.files.items()]}).encode()
                    kind = "application/vnd.pypi.simple.v1+json"
                self.send_response(200)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_GET(self):
                me.asked.append((self.path, self.headers.get("Range"), self.headers.get("Authorization")))
                if self.path == "/simple/apache-flink-libraries/":
                    return self.page()
                name = self.path.rsplit("/", 1)[-1]
                if name not in me.files or me.status != 200:
                    self.send_response(404 if name not in me.files else me.status)
                    self.send_header("Content-Length", "0")
                    return self.end_headers()
                if me.redirect:
                    self.send_response(302)
                    self.send_header("Location", f"{me.redirect}/files/{name}")
                    self.send_header("Content-Length", "0")
                    return self.end_headers()
                body, start = me.files[name], 0
                asked = self.headers.get("Range")
                if asked:
                    start = int(asked.split("=")[1].split("-")[0])
                    self.send_response(206)
                    self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
                else:
                    self.send_response(200)
                self.send_header("Content-Length", str(len(body) - start))
                self.end_headers()
                stop = start + me.break_after.pop(0) if me.break_after else len(body)
                at = start
                while at < min(stop, len(body)):
                    n = self.wfile.write(body[at:min(at + 65536, stop)])
                    at += n
                    if me.delay:
                        time.sleep(me.delay)
                if stop < len(body):
                    self.close_connection = True

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/simple"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def digest(self, name):
        return self.sha.get(name) or hashlib.sha256(self.files[name]).hexdigest()

    def fragment(self, name):
        return f"#sha256={self.digest(name)}" if self.hash_told else ""

    def downloads(self):
        return [a for a in self.asked if a[0].startswith("/files/")]

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def index():
    it = Index()
    yield it
    it.close()


class Place:
    def __init__(self, path, index):
        self.dl, self.root, self.home = str(path / "dl"), str(path / "flink"), str(path / "home")
        os.makedirs(self.home)
        self.bin = str(path / "sluice")  # no runner beside it: nothing is started to make class archives
        shutil.copy(BIN, self.bin)
        self.env = {k: v for k, v in os.environ.items() if not k.startswith(("PIP_", "SLUICE_", "XDG_"))}
        self.env.update(HOME=self.home, SLUICE_FLINK_DIR=self.root, SLUICE_DOWNLOADS=self.dl, PIP_INDEX_URL=index.url,
                        PIP_CONFIG_FILE="/dev/null", SLUICE_DATA=str(path / "data"))
        self.dir = os.path.join(self.root, VERSION)
        self.part = os.path.join(self.dl, WHEEL + ".part")

    def start(self, *args, **kw):
        return subprocess.Popen([self.bin, "flink", *args], env=self.env, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **kw)

    def __call__(self, *args):
        p = self.start(*args)
        p.out, p.err = p.communicate(timeout=120)
        return p

    def visible(self):
        return sorted(n for n in os.listdir(self.root) if not n.startswith(".")) if os.path.isdir(self.root) else []

    def leftovers(self):
        return sorted(n for n in os.listdir(self.root) if n.startswith(".tmp")) if os.path.isdir(self.root) else []


@pytest.fixture
def place(tmp_path, index):
    return Place(tmp_path, index)


def whole(place, version=VERSION):
    lib = os.path.join(place.root, version, "lib")
    assert sorted(os.listdir(lib)) == [f"flink-dist-{version}.jar", f"flink-table-planner_2.12-{version}.jar", "log4j-api.jar"]
    with open(f"{lib}/flink-table-planner_2.12-{version}.jar", "rb") as f:
        assert f.read() == b"planner" * 100
    assert os.path.getsize(f"{lib}/flink-dist-{version}.jar") == PAD
    assert os.path.exists(os.path.join(place.root, version, "plugins/metrics-jmx/m.jar"))
    assert os.path.exists(os.path.join(place.root, version, f"opt/flink-table-planner-loader-{version}.jar"))
    assert not os.path.exists(os.path.join(place.root, version, "version.py"))


@pytest.mark.parametrize("html", [False, True])
def test_wheel(place, index, html):
    index.files[WHEEL], index.html = wheel(), html
    p = place("install", VERSION)
    assert p.returncode == 0, p.err
    whole(place)
    assert p.out == ""
    lines = p.err.splitlines()
    assert lines[0] == f"Flink {VERSION} (also: 1.20.5, 2.2.1, 2.3.0)"
    assert [line.split()[0] for line in lines[1:]] == ["download", "verify", "unpack", "prepare", "installed"]
    assert "verify    sha256 ok" in p.err and "3 jars" in p.err
    with open(f"{place.dir}/sluice-install.json") as f:
        assert json.load(f)["sha256"] == index.digest(WHEEL)
    assert os.listdir(place.dl) == [WHEEL]
    # a second time there is nothing to do, and nobody is asked
    asked = len(index.asked)
    p = place("install", VERSION)
    assert p.returncode == 0 and "there" in p.err and len(index.asked) == asked
    # removed and installed again from the file that is there
    assert place("rm", VERSION).returncode == 0
    assert place.visible() == []
    p = place("install", VERSION)
    assert p.returncode == 0 and "MB were here" in p.err
    assert len(index.downloads()) == 1


def test_sdist(place, index):
    index.files[f"apache_flink_libraries-{VERSION}.tar.gz"] = sdist()
    p = place("install", VERSION, "--json")
    assert p.returncode == 0, p.out
    whole(place)
    events = [json.loads(line) for line in p.out.splitlines()]
    assert events[-1]["event"] == "result" and events[-1]["ok"] and events[-1]["path"] == place.dir
    assert {"download", "verify", "unpack", "prepare"} == {e["step"] for e in events if e["event"] == "step"}


def test_broken_connections_go_on(place, index):
    index.files[WHEEL] = wheel()
    index.break_after = [700_000, 900_000]
    p = place("install", VERSION)
    assert p.returncode == 0, p.err
    whole(place)
    ranges = [a[1] for a in index.downloads()]
    assert len(ranges) == 3 and ranges[0] in (None, "bytes=0-") and all(int(r.split("=")[1].rstrip("-")) >= 600_000 for r in ranges[1:])


def test_interrupt_then_go_on(place, index):
    index.files[WHEEL], index.delay = wheel(), 0.05
    p = place.start("install", VERSION)
    until = time.time() + 20
    while time.time() < until and not (os.path.exists(place.part) and os.path.getsize(place.part) > 300_000):
        time.sleep(0.02)
    p.send_signal(signal.SIGINT)
    out, err = p.communicate(timeout=20)
    assert p.returncode == 130, err
    assert "sluice flink install goes on from there" in err
    assert place.visible() == [] and place.leftovers() == []
    kept = os.path.getsize(place.part)
    index.delay = 0
    p = place("install", VERSION)
    assert p.returncode == 0, p.err
    assert "MB were here)" in p.err
    assert int(index.downloads()[-1][1].split("=")[1].rstrip("-")) == kept
    whole(place)


def test_killed_then_go_on(place, index):
    index.files[WHEEL], index.delay = wheel(), 0.05
    p = place.start("install", VERSION)
    until = time.time() + 20
    while time.time() < until and not (os.path.exists(place.part) and os.path.getsize(place.part) > 300_000):
        time.sleep(0.02)
    p.kill()
    p.communicate()
    os.makedirs(os.path.join(place.root, ".tmp-1.1.1-1/lib"))  # as a kill while unpacking leaves it
    index.delay = 0
    p = place("install", VERSION)
    assert p.returncode == 0, p.err
    assert place.leftovers() == []
    whole(place)


def test_resumed_rubbish_is_fetched_anew(place, index):
    index.files[WHEEL] = wheel()
    os.makedirs(place.dl)
    with open(place.part, "wb") as f:
        f.write(b"not a piece of it" * 1000)
    p = place("install", VERSION)
    assert p.returncode == 0, p.err
    whole(place)


def one_error(p, code, exit_code=6):
    errors = [line for line in p.err.splitlines() if line.startswith("error[")]
    assert p.returncode == exit_code and len(errors) == 1 and errors[0].startswith(f"error[{code}]: "), (p.returncode, p.err)
    return errors[0]


def test_wrong_hash(place, index):
    index.files[WHEEL] = wheel()
    index.sha[WHEEL] = "0" * 64
    line = one_error(place("install", VERSION), "flink-verify")
    assert "wrong sha256" in line
    assert place.visible() == [] and os.listdir(place.dl) == []


def test_known_release_with_another_hash_is_refused_before_the_download(place, index):
    name = "apache_flink_libraries-2.2.1-py2.py3-none-any.whl"
    index.files[name] = wheel("2.2.1")
    one_error(place("install", "2.2"), "flink-verify")
    assert index.downloads() == []


def test_no_hash_at_all(place, index):
    index.files[WHEEL], index.hash_told = wheel(), False
    one_error(place("install", VERSION), "flink-verify")


def test_half_archive(place, index):
    index.files[WHEEL] = wheel()[:-200_000]
    one_error(place("install", VERSION), "flink-verify")
    assert place.visible() == [] and place.leftovers() == []


def test_archive_that_leaves_its_folder(place, index, tmp_path):
    index.files[WHEEL] = wheel(more=[("pyflink/lib/../../../../evil.jar", b"evil")])
    one_error(place("install", VERSION), "flink-verify")
    assert place.visible() == [] and not list(tmp_path.rglob("evil.jar"))


def test_no_such_release(place, index):
    assert "there is no Flink 9.8.7 at" in one_error(place("install", VERSION), "flink-download")


def test_mirror_down(place, index):
    place.env["PIP_INDEX_URL"] = "http://user:geheim@127.0.0.1:9/simple"
    p = place("install", VERSION)
    one_error(p, "flink-download")
    assert "geheim" not in p.err and "PIP_INDEX_URL" in p.err


def test_mirror_fails_while_serving(place, index):
    index.files[WHEEL], index.status = wheel(), 503
    assert "503" in one_error(place("install", VERSION), "flink-download")


def test_disk_full(place, index, tmp_path):
    if os.geteuid() != 0:
        pytest.skip("mounts a small disk: only as root")
    index.files[WHEEL] = wheel()
    for full in (place.dl, place.root):
        os.makedirs(full, exist_ok=True)
        mount = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", full], capture_output=True, text=True)
        if mount.returncode:
            pytest.skip(f"cannot mount a small disk: {mount.stderr.strip()}")
        try:
            one_error(place("install", VERSION), "disk-full")
            assert place.visible() == [] and place.leftovers() == []
        finally:
            subprocess.run(["umount", full], check=True)
    assert place("install", VERSION).returncode == 0
    whole(place)


def test_two_at_once(place, index):
    index.files[WHEEL], index.delay = wheel(), 0.02
    both = [place.start("install", VERSION) for _ in range(2)]
    ends = [p.communicate(timeout=60) + (p.returncode,) for p in both]
    assert [e[2] for e in ends] == [0, 0], ends
    assert len(index.downloads()) == 1
    assert sum("another sluice is installing" in e[1] for e in ends) == 1
    whole(place)


def test_pip_conf_and_find_links(place, index, tmp_path):
    index.files[WHEEL] = wheel()
    conf = tmp_path / "pip.conf"
    conf.write_text(f"[global]\nindex-url = {index.url.replace('//', '//me:pw@')}/\n")
    del place.env["PIP_INDEX_URL"]
    place.env["PIP_CONFIG_FILE"] = str(conf)
    p = place("install", VERSION)
    assert p.returncode == 0, p.err
    assert index.asked[0][2] == "Basic bWU6cHc="
    with open(f"{place.dir}/sluice-install.json") as f:
        assert "pw" not in f.read()
    # a folder of wheels, no index: as on a machine without a network
    links = tmp_path / "wheels"
    links.mkdir()
    (links / "apache_flink_libraries-9.9.9-py2.py3-none-any.whl").write_bytes(wheel("9.9.9"))
    place.env.update(PIP_NO_INDEX="1", PIP_FIND_LINKS=str(links))
    asked = len(index.asked)
    p = place("install", "9.9.9")
    assert p.returncode == 0, p.err
    assert len(index.asked) == asked
    whole(place, "9.9.9")


def test_progress_on_a_terminal(place, index):
    index.files[WHEEL], index.delay = wheel(), 0.03
    p = subprocess.run(["script", "-qec", f"{place.bin} flink install {VERSION}", "/dev/null"], env=place.env,
                       capture_output=True, timeout=60)
    out = p.stdout.decode()
    assert "\r\x1b[K download" in out and "[#" in out and "MB/s" in out and f"apache_flink_libraries-{VERSION}  [" in out
    assert out.replace("\r\n", "\n").rstrip().split("\n")[-1].startswith(" installed Flink")


def test_ls_and_usage(place, index):
    p = place("ls", "--json")
    rows = json.loads(p.out)
    assert [(r["version"], r["installed"]) for r in rows] == [("1.20.5", False), ("2.2.1", False), ("2.3.0", False)]
    assert [r["version"] for r in rows if r["default"]] == ["2.2.1"]
    for args in (["install", "two"], ["install", "2.9"], ["rm"], ["frobnicate"], [], ["install", "--frob"]):
        assert place(*args).returncode == 2, args
    one_error(place("rm", "2.2"), "flink-not-installed")
    one_error(place("show", "2.2"), "flink-not-installed")


class Proxy:
    """An HTTP proxy that makes any name lead to the index: what does not come through it is not found at all."""

    def __init__(self, index):
        self.asked, me = [], self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *args):
                pass

            def do_GET(self):
                me.asked.append((self.path, self.headers.get("Proxy-Authorization")))
                to = http.client.HTTPConnection("127.0.0.1", index.server.server_port)
                to.request("GET", "/" + self.path.split("/", 3)[3], headers={k: v for k, v in self.headers.items() if k in ("Range", "Accept")})
                answer = to.getresponse()
                self.send_response(answer.status)
                for name, value in answer.getheaders():
                    self.send_header(name, value)
                self.end_headers()
                shutil.copyfileobj(answer, self.wfile)

            def do_CONNECT(self):
                me.asked.append((self.path, self.headers.get("Proxy-Authorization")))
                self.send_response(407)
                self.end_headers()

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.at = f"127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def proxy(index):
    it = Proxy(index)
    yield it
    it.server.shutdown()
    it.server.server_close()


@pytest.mark.parametrize("how", ["pip.conf", "PIP_PROXY", "http_proxy", "HTTP_PROXY", "all_proxy"])
def test_proxy(place, index, proxy, tmp_path, how):
    index.files[WHEEL] = wheel()
    for name in [n for n in place.env if n.lower().endswith("_proxy")]:
        del place.env[name]
    place.env["PIP_INDEX_URL"] = "http://mirror.invalid/simple"
    line = one_error(place("install", VERSION), "flink-download")
    assert "mirror.invalid" in line
    if how == "pip.conf":
        conf = tmp_path / "pip.conf"
        conf.write_text(f"[global]\nproxy = http://me:pw@{proxy.at}\n")
        place.env["PIP_CONFIG_FILE"] = str(conf)
        place.env["no_proxy"] = "mirror.invalid"  # pip's own setting does not ask it
    else:
        place.env[how] = f"http://me:pw@{proxy.at}"
    p = place("install", VERSION)
    assert p.returncode == 0, p.err
    whole(place)
    assert [a[0] for a in proxy.asked] == ["http://mirror.invalid/simple/apache-flink-libraries/", f"http://mirror.invalid/files/{WHEEL}"]
    assert all(a[1] == "Basic bWU6cHc=" for a in proxy.asked) and "pw" not in p.err


def test_no_proxy_is_obeyed(place, index, proxy):
    index.files[WHEEL] = wheel()
    place.env.update(PIP_INDEX_URL="http://mirror.invalid/simple", HTTP_PROXY=f"http://{proxy.at}", NO_PROXY="mirror.invalid", no_proxy="mirror.invalid")
    one_error(place("install", VERSION), "flink-download")
    assert proxy.asked == []


def test_proxy_that_refuses(place, proxy):
    place.env.update(PIP_INDEX_URL="https://mirror.invalid/simple", HTTPS_PROXY=f"http://{proxy.at}")
    line = one_error(place("install", VERSION), "flink-download")
    assert "proxy" in line and "407" in line and proxy.asked == [("mirror.invalid:443", None)]
    place.env.update(PIP_PROXY="http://u:geheim@127.0.0.1:9")
    p = place("install", VERSION)
    assert "through the proxy 127.0.0.1:9" in one_error(p, "flink-download") and "geheim" not in p.err


def self_signed(folder, index):
    """Turns the index into an https one; the path of its certificate."""
    pem = str(folder / "server.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
                    "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", pem + ".key", "-out", pem], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, pem + ".key")
    index.server.socket = context.wrap_socket(index.server.socket, server_side=True)
    index.url = index.url.replace("http://127.0.0.1", "https://localhost")
    return pem


@pytest.mark.parametrize("how", ["host", "host:port", "PIP_TRUSTED_HOST", "cert", "PIP_CERT", "REQUESTS_CA_BUNDLE"])
def test_trust(place, index, tmp_path, how):
    index.files[WHEEL] = wheel()
    pem = self_signed(tmp_path, index)
    place.env["PIP_INDEX_URL"] = index.url
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        place.env.pop(name, None)
    conf = tmp_path / "pip.conf"
    place.env["PIP_CONFIG_FILE"] = str(conf)
    conf.write_text("[global]\ntrusted-host = 127.0.0.1 localhost:1\n")
    assert "certificate" in one_error(place("install", VERSION), "flink-download")
    assert index.asked == []
    port = index.server.server_port
    settings = {"host": "trusted-host = other.example\n    localhost", "host:port": f"trusted-host = localhost:{port}", "cert": f"cert = {pem}"}
    conf.write_text(f"[global]\n{settings.get(how, '')}\n")
    if how.startswith(("PIP", "REQ")):
        place.env[how] = "localhost" if how == "PIP_TRUSTED_HOST" else pem
        place.env["PIP_CONFIG_FILE"] = "/dev/null"  # the machine may name one for everybody
    p = place("install", VERSION)
    assert p.returncode == 0, p.err
    whole(place)


def test_trust_is_not_lent(place, index, tmp_path):
    """A trusted index whose files lie on a server that is not trusted: its certificate is looked at."""
    files = Index()
    try:
        files.files[WHEEL] = index.files[WHEEL] = wheel()
        self_signed(tmp_path, files)
        index.redirect = f"https://localhost:{files.server.server_port}"
        place.env.update(PIP_TRUSTED_HOST="127.0.0.1")
        for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
            place.env.pop(name, None)
        assert "certificate" in one_error(place("install", VERSION), "flink-download")
        assert files.asked == [] and len(index.downloads()) >= 1
        place.env.update(PIP_TRUSTED_HOST="localhost")
        p = place("install", VERSION)
        assert p.returncode == 0, p.err
        whole(place)
        index.redirect = index.url.rsplit("/", 1)[0]  # in a circle
        place("rm", VERSION)
        shutil.rmtree(place.dl)
        assert "redirects more than" in one_error(place("install", VERSION), "flink-download")
    finally:
        files.close()


def test_extra_index(place, index):
    other = Index()
    try:
        index.files["apache_flink_libraries-1.0.0-py2.py3-none-any.whl"] = b"x"
        other.files[WHEEL] = wheel()
        place.env["PIP_EXTRA_INDEX_URL"] = other.url + "/"
        p = place("install", VERSION)
        assert p.returncode == 0, p.err
        whole(place)
        assert len(index.asked) == 1 and len(other.downloads()) == 1
    finally:
        other.close()
