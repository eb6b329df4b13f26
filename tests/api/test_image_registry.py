# SPDX-License-Identifier: Apache-2.0
"""sluice image push and pull against a real registry, with what goes wrong on the way made by a proxy in front of it."""
import base64
import hashlib
import http.client
import http.server
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import threading
import time
import urllib.parse
import zipfile

import pytest

from image_place import BIN, Place

pytestmark = pytest.mark.skipif(not shutil.which("docker-registry"), reason="docker-registry is not installed")
MB = 1 << 20


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Registry:
    def __init__(self, folder, tls=None):
        self.folder = folder
        folder.mkdir()
        for _ in range(5):  # the port may be taken by another before the registry has it
            self.port = free_port()
            certificate = f", tls: {{certificate: {tls[0]}, key: {tls[1]}}}" if tls else ""
            (folder / "config.yml").write_text(f"version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {folder}/data}}}}\n"
                                               f"http: {{addr: 127.0.0.1:{self.port}{certificate}}}\n")
            with open(folder / "log", "w") as log:
                self.child = subprocess.Popen(["docker-registry", "serve", str(folder / "config.yml")], stdout=log, stderr=log, stdin=subprocess.DEVNULL)
            if self.wait():
                return
        raise AssertionError((folder / "log").read_text())

    def wait(self):
        until = time.monotonic() + 60
        while time.monotonic() < until and self.child.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                time.sleep(0.1)
                return self.child.poll() is None
            except OSError:
                time.sleep(0.05)
        return False

    def stop(self):
        self.child.kill()
        self.child.wait()

    @property
    def host(self):
        return f"127.0.0.1:{self.port}"

    def get(self, path):
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            c.request("GET", path, headers={"Accept": "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json"})
            answer = c.getresponse()
            return answer.status, answer.read()
        finally:
            c.close()

    def tag(self, repository="team/flink", tag="1"):
        """The digest that a tag stands for, with all it names held against its digests; None: there is none."""
        status, body = self.get(f"/v2/{repository}/manifests/{tag}")
        if status == 404:
            return None
        manifest = json.loads(body)
        for d in [manifest["config"], *manifest["layers"]]:
            status, blob = self.get(f"/v2/{repository}/blobs/{d['digest']}")
            assert status == 200 and "sha256:" + hashlib.sha256(blob).hexdigest() == d["digest"] and len(blob) == d["size"]
        return "sha256:" + hashlib.sha256(body).hexdigest()


class Proxy(http.server.ThreadingHTTPServer):
    """Forwards requests; `odd(handler, body)` may answer one itself (True), and return what the body shall be instead (bytes).
    `realm`: everything wants a token that is good for so many requests, and the token wants a user."""
    daemon_threads = True

    def __init__(self, registry):
        super().__init__(("127.0.0.1", 0), Handler)
        self.registry, self.odd, self.asked, self.tokens, self.uses = registry, None, [], {}, None
        self.heads = []
        self.lock = threading.Lock()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def host(self):
        return f"127.0.0.1:{self.server_port}"

    def handle_error(self, *args):
        pass


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def any(self):
        s = self.server
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        s.asked.append((self.command, self.path))
        s.heads.append(self.headers)
        if s.uses and not self.token():
            return
        odd = s.odd(self, body) if s.odd else None
        if odd is True:
            return
        body = odd if isinstance(odd, bytes) else body
        c = http.client.HTTPConnection("127.0.0.1", s.registry.port, timeout=60)
        headers = {k: v for k, v in self.headers.items() if k.lower() not in ("content-length", "connection", "authorization")}
        c.request(self.command, self.path, body=body if body or self.command in ("POST", "PUT", "PATCH") else None, headers=headers)
        answer = c.getresponse()
        content = answer.read()
        self.answer(answer.status, content, {k: v for k, v in answer.getheaders() if k.lower() not in ("content-length", "connection", "date")},
                    answer.getheader("Content-Length"))
        c.close()

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = any

    def answer(self, status, body=b"", headers=None, length=None):
        body = body.encode() if isinstance(body, str) else body
        self.send_response(status)
        for k, v in (headers or {}).items():
            self.send_header(k, v)
        if status != 204:
            self.send_header("Content-Length", length if self.command == "HEAD" and length else str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        return True

    def token(self):
        s = self.server
        url = urllib.parse.urlparse(self.path)
        if url.path == "/token":
            if self.headers.get("Authorization") != "Basic " + base64.b64encode(b"me:secret").decode():
                self.answer(401)
                return False
            with s.lock:
                name = f"token-{len(s.tokens)}"
                s.tokens[name] = [s.uses, urllib.parse.parse_qs(url.query).get("scope", [])]
            self.answer(200, json.dumps({"token": name, "expires_in": 60}))
            return False
        with s.lock:
            own = s.tokens.get(self.headers.get("Authorization", "").removeprefix("Bearer "))
            good = own and own[0] > 0
            if good:
                own[0] -= 1
        if not good:
            self.answer(401, "{}", {"WWW-Authenticate": f'Bearer realm="http://{s.host}/token",service="registry",scope="repository:team/flink:pull,push"'})
        return good


class Cutter:
    """A connection is cut when so many bytes have gone to the registry (or come from it): of the first `times` that get so far."""

    def __init__(self, registry, up=None, down=None, times=1 << 30):
        self.registry, self.up, self.down, self.times, self.cuts = registry, up, down, times, 0
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.host = f"127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self.registry.port))
            threading.Thread(target=self.pump, args=(client, server, self.up), daemon=True).start()
            threading.Thread(target=self.pump, args=(server, client, self.down), daemon=True).start()

    def pump(self, come, go, limit):
        passed = 0
        try:
            while data := come.recv(65536):
                with self.lock:
                    cut = limit is not None and passed + len(data) > limit and self.cuts < self.times
                    self.cuts += cut
                if cut:
                    go.sendall(data[:limit - passed])
                    break
                passed += len(data)
                go.sendall(data)
        except OSError:
            pass
        for s in (come, go):
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            s.close()

    def close(self):
        self.listener.close()


class Images(Place):
    """One image of three small layers and one of 5 MB."""

    def __init__(self, folder):
        super().__init__(folder)
        big = self.project / "images" / "big.jar"
        with zipfile.ZipFile(big, "w", zipfile.ZIP_STORED) as out:
            out.writestr(zipfile.ZipInfo("x/Big.class"), random.Random(5).randbytes(5 * MB))
        self.define("flink: \"2.2\"\nudfs: [big.jar, com.example:helper:1.1]\n")
        self.digest = json.loads(self.call("build", "team", "--oci", "--json").stdout)["oci"]["digest"]

    def push(self, host, to="team/flink:1", code=0, args=(), **more):
        done = self.call("push", "team", f"{host}/{to}", "--json", *args, code=code, **more)
        return json.loads(done.stdout) if code == 0 else done.stderr

    def blobs(self):
        oci = self.folder / "data" / "images" / "oci"
        manifest = json.loads((oci / "blobs" / "sha256" / self.digest[7:]).read_text())
        return [manifest["config"], *manifest["layers"]]


@pytest.fixture(scope="module")
def registry(tmp_path_factory):
    one = Registry(tmp_path_factory.mktemp("registry") / "registry")
    yield one
    one.stop()


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    return Images(tmp_path_factory.mktemp("images"))


@pytest.fixture
def images(built, registry):
    """What was pushed before this test is not known, and not there."""
    shutil.rmtree(built.folder / "data" / "images" / "oci" / "pushed", ignore_errors=True)
    return built


@pytest.fixture(autouse=True)
def empty(registry):
    shutil.rmtree(registry.folder / "data", ignore_errors=True)


@pytest.fixture
def proxy(registry):
    p = Proxy(registry)
    yield p
    p.shutdown()
    p.server_close()


def test_what_is_there_is_not_sent(images, registry):
    total = sum(b["size"] for b in images.blobs())
    first = images.push(registry.host)
    assert first["digest"] == images.digest == registry.tag() and first["previous"] is None
    assert first["sent"] == len(images.blobs()) and total < first["bytes"] < total + 2000
    again = images.push(registry.host)
    assert (again["sent"], again["there"], again["previous"]) == (0, first["sent"], images.digest)
    assert again["bytes"] < 2000  # the manifest alone
    other = images.push(registry.host, "other/flink:1")
    assert (other["sent"], other["mounted"]) == (0, first["sent"]) and registry.tag("other/flink") == images.digest


def test_mounted_from_a_repository_that_is_named(images, registry):
    images.push(registry.host, "base/flink:1")
    shutil.rmtree(images.folder / "data" / "images" / "oci" / "pushed")
    assert images.push(registry.host, args=["--mount-from", "base/flink"])["mounted"] == len(images.blobs())
    assert "is no repository" in images.push(registry.host, code=2, args=["--mount-from", "base/flink&from=x"])


def test_one_jar_more_is_sent_alone(tmp_path, registry):
    one = Images(tmp_path)
    one.push(registry.host)
    one.put("com.example:more:1", {"com/example/More.class": b"m" * 3000})
    one.define("flink: \"2.2\"\nudfs: [big.jar, com.example:helper:1.1, com.example:more:1]\n")
    before = one.digest
    one.digest = json.loads(one.call("build", "team", "--oci", "--json").stdout)["oci"]["digest"]
    more = one.push(registry.host)
    jar = (one.repository / "com/example/more/1/more-1.jar").stat().st_size
    assert more["sent"] == 2 and more["bytes"] - jar < 16384 and more["previous"] == before and registry.tag() == one.digest


def test_pulled_again_it_is_the_same(images, registry, tmp_path):
    images.push(registry.host)
    there = dict(SLUICE_DATA=str(tmp_path / "there"))
    env = dict(images.environment(), **there)

    def pull(*args, code=0):
        done = subprocess.run([BIN, "image", "pull", *args, "--json"], env=env, capture_output=True, text=True, timeout=60)
        assert done.returncode == code, done.stderr
        return json.loads(done.stdout) if code == 0 else done.stderr
    first = pull(f"{registry.host}/team/flink:1")
    assert (first["name"], first["digest"], first["fetched"]) == ("flink", images.digest, len(images.blobs()))
    again = pull(f"{registry.host}/team/flink@{images.digest}", "mine")
    assert (again["digest"], again["fetched"], again["there"]) == (images.digest, 0, len(images.blobs()))
    assert "[image-unknown]" in pull(f"{registry.host}/team/flink:2", code=2)
    assert "[image-unknown]" in pull(f"{registry.host}/team/flink@sha256:{'0' * 64}", code=2)
    for bad in ("flink", "team/flink", f"{registry.host}/Team/flink", f"{registry.host}/team/flink@sha256:1", f"{registry.host}/a//b", f"{registry.host}/a:b c", f"{registry.host}/../x"):
        assert "is no address of an image" in pull(bad, code=2)
    pushed = subprocess.run([BIN, "image", "push", "mine", f"{registry.host}/team/again:1"], env=env, capture_output=True, text=True, timeout=60)
    assert pushed.returncode == 0, pushed.stderr
    assert registry.tag("team/again") == images.digest


@pytest.mark.parametrize("at", [0, 1, 2, 3, 4, 5])
def test_cut_once_at_each_megabyte(images, registry, at):
    cut = Cutter(registry, up=at * MB + 20000, times=1)
    done = images.push(cut.host, SLUICE_LIMIT_REGISTRY_PIECE_BYTES=str(64 * MB))
    cut.close()
    assert cut.cuts == 1 and done["digest"] == registry.tag() == images.digest


def test_cut_after_every_megabyte(images, registry):
    cut = Cutter(registry, up=MB)
    done = images.push(cut.host)
    cut.close()
    assert cut.cuts and done["digest"] == registry.tag() == images.digest


def test_cut_always(images, registry):
    cut = Cutter(registry, up=30000)
    said = images.push(cut.host, code=4)
    cut.close()
    assert "[registry-failed]" in said and "push again" in said and registry.tag() is None
    images.push(registry.host)
    assert registry.tag() == images.digest


def test_pull_cut_after_every_megabyte(images, registry, tmp_path):
    images.push(registry.host)
    cut = Cutter(registry, down=MB)
    env = dict(images.environment(), SLUICE_DATA=str(tmp_path / "there"))
    for _ in range(8):  # each call tries some times; what has come is kept
        done = subprocess.run([BIN, "image", "pull", f"{cut.host}/team/flink:1"], env=env, capture_output=True, text=True, timeout=120)
        assert done.returncode in (0, 4), done.stderr
        if done.returncode == 0:
            break
        assert "[registry-failed]" in done.stderr and not (tmp_path / "there/images/oci/index.json").exists()
    cut.close()
    assert done.returncode == 0 and images.digest in done.stdout and cut.cuts >= 5  # 5 MB, each once


def test_killed_at_any_moment(images, registry, proxy):
    """No tag before all is there; the next push sends the rest."""
    proxy.odd = lambda h, body: time.sleep(0.02)
    at = random.Random(9)
    for i in range(6):
        child = subprocess.Popen([BIN, "image", "push", "team", f"{proxy.host}/team/flink:1"], cwd=images.project,
                                 env=images.environment(SLUICE_LIMIT_REGISTRY_PIECE_BYTES="1048576"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(at.random() * 0.6)
        child.send_signal(signal.SIGKILL)
        child.wait()
        assert registry.tag() in (None, images.digest)  # asks for all that a tag names
    assert images.push(proxy.host)["digest"] == registry.tag() == images.digest


def test_tokens_that_end(images, registry, proxy):
    """Each is good for three requests; the user is in the settings, or in Docker's configuration."""
    proxy.uses = 3
    said = images.push(proxy.host, code=4)
    assert "[registry-denied]" in said and "does not let us push to team/flink" in said and registry.tag() is None
    assert "[registry-denied]" in images.push(proxy.host, code=4, SLUICE_REGISTRY_USER="me", SLUICE_REGISTRY_PASSWORD="wrong")
    user = dict(SLUICE_REGISTRY_USER="me", SLUICE_REGISTRY_PASSWORD="secret", SLUICE_LIMIT_REGISTRY_PIECE_BYTES="1048576")
    assert images.push(proxy.host, **user)["digest"] == registry.tag()
    assert len(proxy.tokens) > 4 and all(scope == ["repository:team/flink:pull,push"] for _, scope in proxy.tokens.values())
    images.push(proxy.host, "third/flink:1", args=["--mount-from", "team/flink"], **user)
    assert list(proxy.tokens.values())[-1][1] == ["repository:third/flink:pull,push", "repository:team/flink:pull"]
    docker = images.folder / ".docker"
    docker.mkdir()
    (docker / "config.json").write_text(json.dumps({"auths": {proxy.host: {"auth": base64.b64encode(b"me:secret").decode()}}}))
    assert images.push(proxy.host, "other/flink:1")["digest"] == images.digest
    shutil.rmtree(docker)


def test_too_many_requests(images, registry, proxy):
    count = [0]

    def odd(h, body):
        count[0] += 1
        return h.answer(429, "{}", {"Retry-After": "0"}) if count[0] % 3 == 0 else None
    proxy.odd = odd
    done = images.push(proxy.host, SLUICE_LIMIT_REGISTRY_PIECE_BYTES="1048576")
    assert done["digest"] == registry.tag() and count[0] > 20


@pytest.mark.parametrize("method", ["HEAD", "POST", "PATCH", "PUT"])
def test_a_registry_that_is_full(images, registry, proxy, method):
    full = json.dumps({"errors": [{"code": "UNKNOWN", "message": "no space left on device"}]})
    proxy.odd = lambda h, body: h.answer(500, full, {"Retry-After": "0"}) if h.command == method else None
    said = images.push(proxy.host, code=4, SLUICE_LIMIT_REGISTRY_PIECE_BYTES="1048576")
    assert "error[registry-failed]" in said and "HTTP 500" in said and registry.tag() is None
    assert method == "HEAD" or "no space left on device" in said
    assert sum(1 for m, _ in proxy.asked if m == method) <= 12
    proxy.odd = None
    assert images.push(proxy.host)["digest"] == registry.tag()


def test_bytes_that_change_on_the_way(images, registry, proxy):
    """Once: it is sent again. Always: no tag."""
    count = [0]

    def odd(h, body):
        if h.command == "PATCH" and (count[0] == 0 or always):
            count[0] += 1
            return body[:-1] + bytes([body[-1] ^ 1])
        return None
    always = False
    proxy.odd = odd
    assert images.push(proxy.host, SLUICE_LIMIT_REGISTRY_PIECE_BYTES="1048576")["digest"] == registry.tag()
    assert count[0] == 1
    shutil.rmtree(registry.folder / "data")
    always = True
    said = images.push(proxy.host, code=4, SLUICE_LIMIT_REGISTRY_PIECE_BYTES="1048576")
    assert "DIGEST_INVALID" in said and registry.tag() is None


def test_answers_that_lie(images, registry, proxy, tmp_path):
    proxy.odd = lambda h, body: h.answer(201, "", {"Docker-Content-Digest": "sha256:" + "0" * 64}) if h.command == "PUT" and "/manifests/" in h.path else None
    assert "keeps the manifest" in images.push(proxy.host, code=4) and registry.tag() is None
    proxy.odd = lambda h, body: h.answer(202, "") if h.command == "POST" else None
    assert "does not say where" in images.push(proxy.host, "more/flink:1", code=4)
    proxy.odd = None
    images.push(proxy.host)
    env = dict(images.environment(), SLUICE_DATA=str(tmp_path / "there"))

    def pull(which):
        done = subprocess.run([BIN, "image", "pull", f"{proxy.host}/team/flink{which}"], env=env, capture_output=True, text=True, timeout=60)
        assert not (tmp_path / "there/images/oci/index.json").exists()
        assert done.returncode == 4, done.stderr
        return done.stderr
    proxy.odd = lambda h, body: h.answer(200, b"x" * 5242880) if h.command == "GET" and "/blobs/" in h.path else None
    assert "sends other bytes for the blob" in pull(":1")
    proxy.odd = lambda h, body: h.answer(200, b"{}", {"Content-Type": "application/vnd.oci.image.manifest.v1+json"}) if "/manifests/" in h.path else None
    assert "sent another manifest" in pull(f"@{images.digest}")
    proxy.odd = lambda h, body: h.answer(200, json.dumps({"config": {"digest": "sha256:../../../x", "size": 1}, "layers": []})) if "/manifests/" in h.path else None
    assert "without digest and size" in pull(":1")


def test_a_blob_elsewhere_is_not_told_who_we_are(images, registry, proxy, tmp_path):
    images.push(registry.host)
    elsewhere = Proxy(registry)
    proxy.uses = 1 << 30
    proxy.odd = lambda h, body: h.answer(307, "", {"Location": f"http://localhost:{elsewhere.server_port}{h.path}"}) if "/blobs/" in h.path else None
    env = dict(images.environment(SLUICE_REGISTRY_USER="me", SLUICE_REGISTRY_PASSWORD="secret"), SLUICE_DATA=str(tmp_path / "there"))
    done = subprocess.run([BIN, "image", "pull", f"{proxy.host}/team/flink:1"], env=env, capture_output=True, text=True, timeout=60)
    elsewhere.shutdown()
    elsewhere.server_close()
    assert done.returncode == 0 and images.digest in done.stdout, done.stderr
    assert len(elsewhere.heads) == len(images.blobs()) and not any("Authorization" in h for h in elsewhere.heads)


def test_tls(images, tmp_path):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", tmp_path / "key.pem", "-out", tmp_path / "cert.pem", "-days", "2",
                    "-subj", "/CN=registry", "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True, timeout=60)
    secure = Registry(tmp_path / "secure", tls=(tmp_path / "cert.pem", tmp_path / "key.pem"))
    try:
        done = images.push(f"https://{secure.host}", SLUICE_REGISTRY_CA=str(tmp_path / "cert.pem"))
        assert done["digest"] == images.digest and done["reference"] == f"{secure.host}/team/flink:1"
        assert "[registry-failed]" in images.push(f"https://{secure.host}", code=4)
    finally:
        secure.stop()


def test_components_attached(images, registry):
    """What refers to the image is found by the tag of its digest, as this registry keeps no lists; again, it is there once."""
    for _ in range(2):
        images.push(registry.host, args=["--sbom"])
    status, body = registry.get(f"/v2/team/flink/manifests/sha256-{images.digest[7:]}")
    (entry,) = json.loads(body)["manifests"]
    assert status == 200 and entry["artifactType"] == "application/vnd.cyclonedx+json"
    manifest = json.loads(registry.get(f"/v2/team/flink/manifests/{entry['digest']}")[1])
    assert manifest["subject"]["digest"] == images.digest and manifest["artifactType"] == entry["artifactType"]
    sbom = registry.get(f"/v2/team/flink/blobs/{manifest['layers'][0]['digest']}")[1]
    assert sbom.decode() == images.call("show", "team", "--sbom").stdout
    told = json.loads(sbom)
    assert told["bomFormat"] == "CycloneDX" and told["specVersion"] == "1.6" and "timestamp" not in told["metadata"]
    content = json.loads(images.call("show", "team", "--json").stdout)
    assert {c["bom-ref"]: c["hashes"][0]["content"] for c in told["components"] if "hashes" in c} == \
        {e["path"]: e["sha256"] for e in content["entries"] if e["path"].endswith(".jar")}
    (helper,) = [c for c in told["components"] if c["name"] == "helper"]
    assert helper["purl"] == "pkg:maven/com.example/helper@1.1?type=jar" and helper["group"] == "com.example"
    assert registry.tag() == images.digest


def test_signature(images, registry, tmp_path):
    key, public = tmp_path / "key.pem", tmp_path / "public.pem"
    subprocess.run(["openssl", "ecparam", "-genkey", "-name", "prime256v1", "-noout", "-out", key], check=True, capture_output=True, timeout=60)
    subprocess.run(["openssl", "ec", "-in", key, "-pubout", "-out", public], check=True, capture_output=True, timeout=60)
    images.push(registry.host, args=["--sign", str(key)])
    manifest = json.loads(registry.get(f"/v2/team/flink/manifests/sha256-{images.digest[7:]}.sig")[1])
    (layer,) = manifest["layers"]
    payload = registry.get(f"/v2/team/flink/blobs/{layer['digest']}")[1]
    assert json.loads(payload)["critical"] == {"identity": {"docker-reference": f"{registry.host}/team/flink"}, "image": {"docker-manifest-digest": images.digest},
                                               "type": "cosign container image signature"}
    assert layer["mediaType"] == "application/vnd.dev.cosign.simplesigning.v1+json"
    assert json.loads(registry.get(f"/v2/team/flink/blobs/{manifest['config']['digest']}")[1])["rootfs"]["diff_ids"] == [layer["digest"]]
    (tmp_path / "signature").write_bytes(base64.b64decode(layer["annotations"]["dev.cosignproject.cosign/signature"], validate=True))
    for changed in (False, True):
        (tmp_path / "payload").write_bytes(payload[:-1] + b"]" if changed else payload)
        done = subprocess.run(["openssl", "dgst", "-sha256", "-verify", public, "-signature", tmp_path / "signature", tmp_path / "payload"], capture_output=True, timeout=60)
        assert (done.returncode == 0) is not changed
    assert "[file-not-found]" in images.push(registry.host, code=2, args=["--sign", str(tmp_path / "none")])
    assert "no private key" in images.push(registry.host, code=2, args=["--sign", str(public)])


@pytest.mark.skipif(not shutil.which("skopeo"), reason="skopeo is not installed")
def test_skopeo_reads_what_was_pushed(images, registry):
    images.push(registry.host)
    told = json.loads(subprocess.run(["skopeo", "inspect", "--tls-verify=false", f"docker://{registry.host}/team/flink:1"], capture_output=True, check=True, timeout=60).stdout)
    assert told["Digest"] == images.digest and told["Layers"] == [b["digest"] for b in images.blobs()[1:]]
