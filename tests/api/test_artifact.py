# SPDX-License-Identifier: Apache-2.0
"""sluice artifact resolve against repositories that the test makes: a folder, and a server that is slow, breaks off, lies,
wants a password or is away. With ../shared/resolver beside the repository, its cases too."""
import base64
import hashlib
import http.server
import json
import os
import shutil
import subprocess
import threading
import time

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BIN = os.path.abspath(os.environ.get("SLUICE_BIN", os.path.join(ROOT, "build", "sluice")))
SHARED = os.path.join(os.path.dirname(ROOT), "shared", "resolver")


def dep(coordinate, more=""):
    g, a, v = coordinate.split(":")
    return f"<dependency><groupId>{g}</groupId><artifactId>{a}</artifactId><version>{v}</version>{more}</dependency>"


def pom(coordinate, *deps, more=""):
    g, a, v = coordinate.split(":")
    return (f"<project><modelVersion>4.0.0</modelVersion><groupId>{g}</groupId><artifactId>{a}</artifactId><version>{v}</version>"
            f"{more}<dependencies>{''.join(deps)}</dependencies></project>")


class Repository:
    """A folder in Maven's layout, with checksums; what `odd` says of a path happens when it is asked for over HTTP."""

    def __init__(self, folder):
        self.folder = folder
        self.odd = {}
        self.asked = []
        self.headers = []
        self.sums = True
        folder.mkdir()

    def path(self, coordinate, ext):
        g, a, v = coordinate.split(":")
        return f"{g.replace('.', '/')}/{a}/{v}/{a}-{v}.{ext}"

    def put(self, path, content):
        content = content.encode() if isinstance(content, str) else content
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        if self.sums:
            (self.folder / (path + ".sha1")).write_text(hashlib.sha1(content).hexdigest())

    def pom(self, coordinate, *deps, more="", jar=None):
        self.put(self.path(coordinate, "pom"), pom(coordinate, *deps, more=more))
        if jar:
            self.put(self.path(coordinate, "jar"), jar)

    def versions(self, group, artifact, *versions):
        inside = "".join(f"<version>{v}</version>" for v in versions)
        self.put(f"{group.replace('.', '/')}/{artifact}/maven-metadata.xml",
                 f"<metadata><versioning><versions>{inside}</versions></versioning></metadata>")


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        r = self.server.repository
        path = self.path.lstrip("/")
        r.asked.append(path)
        r.headers.append(dict(self.headers))
        odd = r.odd.get(path) or r.odd.get("*")
        if callable(odd) and odd(self):
            return
        file = r.folder / path
        if not file.is_file():
            self.answer(404, b"")
            return
        body = file.read_bytes()
        begin = 0
        if "Range" in self.headers:
            begin = int(self.headers["Range"].split("=")[1].rstrip("-"))
        self.answer(206 if begin else 200, body[begin:], {"Content-Range": f"bytes {begin}-{len(body) - 1}/{len(body)}"} if begin else {})

    def answer(self, status, body, headers=None):
        self.send_response(status)
        for k, v in (headers or {}).items():
            self.send_header(k, v)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@pytest.fixture
def repo(tmp_path):
    return Repository(tmp_path / "repository")


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 128


@pytest.fixture
def url(repo):
    server = Server(("127.0.0.1", 0), Handler)
    server.repository = repo
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def resolve(tmp_path):
    env = {k: v for k, v in os.environ.items() if "proxy" not in k.lower()}
    env.update(SLUICE_DATA=str(tmp_path / "data"), HOME=str(tmp_path), NO_COLOR="1", LANG="C.UTF-8")

    def call(*args, code=0):
        done = subprocess.run([BIN, "artifact", "resolve", *map(str, args)], env=env, cwd=tmp_path, capture_output=True, timeout=60)
        assert done.returncode == code, done.stderr.decode()
        return done.stdout.decode() if code == 0 else done.stderr.decode()
    return call


def test_forms(repo, resolve):
    repo.pom("t:a:1", dep("t:b:1", "<scope>runtime</scope>"))
    repo.pom("t:b:1", dep("t:c:1"))
    repo.pom("t:c:1")
    at = f"--repository=file://{repo.folder}"
    assert resolve("t:a:1", at) == "t:a:1\nt:b:1\nt:c:1\n"
    assert resolve("t:a:1", at, "--tree") == "t:a:1\n  t:b:1 (runtime)\n    t:c:1 (runtime)\n"
    got = json.loads(resolve("t:a:1", at, "--json"))
    assert [x["coordinate"] for x in got["artifacts"]] == ["t:a:jar::1", "t:b:jar::1", "t:c:jar::1"]
    assert got["artifacts"][1]["scope"] == "runtime" and got["warnings"] == []
    assert resolve("t:a:1", at, "--exclude", "t:c") == "t:a:1\nt:b:1\n"
    repo.pom("t:c:2")
    assert resolve("t:a:1", at, "--manage", "t:c:2") == "t:a:1\nt:b:1\nt:c:2\n"


def test_what_is_wrong_is_said(repo, resolve):
    repo.pom("t:a:1")
    repo.pom("t:a:1.10")
    repo.versions("t", "a", "1.10", "1", "1.9")
    at = f"--repository=file://{repo.folder}"
    said = resolve("t:a:2", at, code=3)
    assert said.startswith("error[artifact-not-found]: t:a:2 is in no repository") and "versions there are: 1, 1.9, 1.10" in said
    assert "[artifact-coordinate]" in resolve("t:a", at, code=2)
    assert "[usage]" in resolve("t:a:1", "--repository", "ftp://x", code=2)
    assert "[repository-failed]" in resolve("t:a:1", f"--repository=file://{repo.folder}/none", code=4)
    resolve(at, code=2)
    repo.pom("t:b:1", dep("t:gone:1"))
    assert resolve("t:b:1", at) == "t:b:1\nt:gone:1\n"  # warned of; its file fails
    assert "[artifact-not-found]" in resolve("t:b:1", at, "--fetch", code=3)


def test_cases(repo, resolve, tmp_path):
    repo.pom("t:a:1", dep("t:b:1"))
    repo.pom("t:b:1", dep("t:x:[1,2)"))
    repo.pom("t:c:1")
    repo.pom("t:bom:1", more=f"<packaging>pom</packaging><dependencyManagement><dependencies>{dep('t:b:2')}</dependencies></dependencyManagement>")
    repo.pom("t:b:2", dep("t:c:1"))
    cases = [{"id": "range", "request": ["t:a:1"]}, {"id": "bom", "request": ["t:a:1"], "boms": ["t:bom:1"]},
             {"request": ["t:a:1"], "manage": ["t:b:2"], "exclude": {"t:a": ["t:c"]}}, {"id": "none", "request": ["t:none:jar:x:1"]}, {"id": "bad"}]
    (tmp_path / "cases").write_text("".join(json.dumps(c) + "\n" for c in cases) + "no json\n")
    got = [json.loads(line) for line in resolve("--cases", "cases", f"--repository=file://{repo.folder}").splitlines()]
    assert got[0]["code"] == "version-range" and "t:a:1 -> t:b:1" in got[0]["error"] and "resolved" not in got[0]
    assert got[1]["tree"] == ["1 t:a:jar::1 compile", "2 t:b:jar::2 compile", "3 t:c:jar::1 compile"]
    assert got[2]["resolved"] == ["t:a:jar::1", "t:b:jar::2"] and "id" not in got[2]
    assert got[3]["classpath"] == ["t:none:jar:x:1"] and len(got[3]["warnings"]) == 1
    assert got[4]["code"] == "usage" and got[5]["code"] == "json" and len(got) == 6


def test_over_http_and_offline(repo, url, resolve):
    repo.pom("t:a:1", *[dep(f"t:w{i}:1") for i in range(40)], jar=b"a" * 1000)
    for i in range(40):
        repo.pom(f"t:w{i}:1", dep("t:x:[1,3)"), jar=b"w" * (i + 1))
    repo.versions("t", "x", "1", "2", "3")
    for v in "123":
        repo.pom(f"t:x:{v}", jar=b"x")
    at = f"--repository={url}"
    want = "t:a:1\nt:w0:1\nt:x:2\n" + "".join(f"t:w{i}:1\n" for i in range(1, 40))
    assert "[artifact-offline]" in resolve("t:a:1", at, "--offline", code=4)
    assert not repo.asked
    assert resolve("t:a:1", at) == want
    assert len(repo.asked) == len(set(repo.asked)) == 2 * 44  # each file and its checksum, once
    repo.asked.clear()
    assert resolve("t:a:1", at) == want and not repo.asked  # nothing of it is asked for twice
    assert resolve("t:a:1", at, "--offline") == want
    assert "[artifact-offline]" in resolve("t:a:1", at, "--offline", "--fetch", code=4)
    lines = resolve("t:a:1", at, "--fetch").splitlines()
    assert open(lines[0].split("\t")[1], "rb").read() == b"a" * 1000
    repo.asked.clear()
    assert resolve("t:a:1", at, "--offline", "--fetch").splitlines() == lines and not repo.asked


def test_a_level_is_fetched_at_once(repo, url, resolve):
    """40 POMs of one level, each 100 ms away: together, not one after the other."""
    most = now = 0
    lock = threading.Lock()

    def slow(handler):
        nonlocal most, now
        with lock:
            now += 1
            most = max(most, now)
        time.sleep(0.1)
        with lock:
            now -= 1
        return False
    repo.odd["*"] = slow
    repo.pom("t:a:1", *[dep(f"t:w{i}:1") for i in range(40)])
    for i in range(40):
        repo.pom(f"t:w{i}:1")
    assert len(resolve("t:a:1", f"--repository={url}").splitlines()) == 41
    assert most >= 4


def test_a_server_that_stumbles(repo, url, resolve):
    repo.pom("t:a:1", dep("t:b:1"))
    repo.pom("t:b:1")
    count = {}

    def stumble(handler):
        n = count[handler.path] = count.get(handler.path, 0) + 1
        if n == 1:
            handler.answer(503, b"later")
        elif n == 2:  # breaks off in the middle
            handler.send_response(200)
            handler.send_header("Content-Length", "1000")
            handler.end_headers()
            handler.wfile.write(b"<project>")
            handler.close_connection = True
        return n < 3
    repo.odd["t/a/1/a-1.pom"] = stumble
    assert resolve("t:a:1", f"--repository={url}") == "t:a:1\nt:b:1\n"
    repo.odd["t/b/1/b-1.pom"] = lambda h: h.answer(500, b"") or True
    repo.pom("t:c:1", dep("t:b:1"))
    shutil.rmtree(os.path.join(os.path.dirname(repo.folder), "data"))
    said = resolve("t:c:1", f"--repository={url}", code=4)
    assert "[repository-failed]" in said and "answers 500 for the POM of t:b:1" in said and "on the way t:c:1 -> t:b:1" in said


def test_a_server_that_lies(repo, url, resolve, tmp_path):
    repo.pom("t:a:1", jar=b"jar one")
    at = f"--repository={url}"
    (repo.folder / "t/a/1/a-1.pom.sha1").write_text("0" * 40)
    assert "[artifact-checksum]" in resolve("t:a:1", at, code=5)
    repo.pom("t:a:1", jar=b"jar one")
    (repo.folder / "t/a/1/a-1.jar.sha256").write_text("f" * 64 + "  a-1.jar\n")
    assert "[artifact-checksum]" in resolve("t:a:1", at, "--fetch", code=5)
    (repo.folder / "t/a/1/a-1.jar.sha256").unlink()
    file = resolve("t:a:1", at, "--fetch").split("\t")[1].strip()
    # the cache is torn: fetched again; the released file has changed meanwhile: refused
    open(file, "wb").write(b"torn")
    assert resolve("t:a:1", at, "--fetch").split("\t")[1].strip() == file and open(file, "rb").read() == b"jar one"
    os.unlink(file)
    repo.pom("t:a:1", jar=b"jar two")
    assert "[artifact-changed]" in resolve("t:a:1", at, "--fetch", code=5)
    kept = next((tmp_path / "data").rglob("a-1.pom"))
    kept.unlink()
    repo.put("t/a/1/a-1.pom", pom("t:a:1", dep("t:evil:1")))
    assert "[artifact-changed]" in resolve("t:a:1", at, code=5)


def test_a_large_file_goes_on(repo, url, resolve):
    body = bytes(range(256)) * 4000
    repo.pom("t:a:1", jar=body)
    begins = []

    def cut(handler):
        begins.append(handler.headers.get("Range"))
        if len(begins) > 1:
            return False
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body[:300000])
        handler.close_connection = True
        return True
    repo.odd["t/a/1/a-1.jar"] = cut
    file = resolve("t:a:1", f"--repository={url}", "--fetch").split("\t")[1].strip()
    assert open(file, "rb").read() == body and begins[0] is None and begins[1].startswith("bytes=") and begins[1] != "bytes=0-"


def test_hostile_poms(repo, url, resolve):
    repo.put("t/d/1/d-1.pom", "<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]>" + pom("t:&e;:1"))
    assert "[pom-doctype]" in resolve("t:d:1", f"--repository={url}", code=5)
    repo.put("t/b/1/b-1.pom", "<project>" + " " * (17 << 20) + "</project>")
    for at in (url, f"file://{repo.folder}"):
        assert "[pom-too-large]" in resolve("t:b:1", f"--repository={at}", code=5)
    parent = "<parent><groupId>t</groupId><artifactId>{}</artifactId><version>1</version></parent><packaging>pom</packaging>"
    repo.pom("t:p:1", more=parent.format("q"))
    repo.pom("t:q:1", more=parent.format("p"))
    assert "[pom-parent-cycle]" in resolve("t:p:1", f"--repository={url}", code=3)
    repo.pom("t:w:1", dep("../../../etc:passwd:1"))
    assert "w:1" in resolve("t:w:1", f"--repository={url}")  # no name of an artifact: Maven takes such a POM for one without dependencies
    assert not any(".." in path for path in repo.asked)


def test_mirrors_and_passwords(repo, url, resolve, tmp_path):
    repo.pom("t:a:1", dep("t:b:1"), more=f"<repositories><repository><id>x</id><url>{url}/elsewhere</url></repository></repositories>")
    secret = "Basic " + base64.b64encode(b"ann:pa:ss").decode()

    def guard(handler):
        if handler.headers.get("Authorization") == secret:
            return False
        handler.answer(401, b"")
        return True
    repo.odd["*"] = guard
    settings = tmp_path / "settings.xml"
    settings.write_text(f"<settings><mirrors><mirror><id>m</id><mirrorOf>*,!other</mirrorOf><url>{url}/</url></mirror></mirrors></settings>")
    said = resolve("t:a:1", "--settings", settings, code=4)
    assert "[repository-denied]" in said and "with the id m" in said
    settings.write_text(settings.read_text().replace("</settings>", "<servers><server><id>m</id><username>ann</username>"
                                                     "<password>pa:ss</password></server></servers></settings>"))
    assert resolve("t:a:1", "--settings", settings) == "t:a:1\nt:b:1\n"  # b is nowhere: the POM's own repository is not asked
    assert not any("elsewhere" in path for path in repo.asked)
    (tmp_path / ".m2").mkdir()
    shutil.copy(settings, tmp_path / ".m2")
    assert resolve("t:a:1") == "t:a:1\nt:b:1\n"
    settings.write_text("<settings><mirrors>")
    assert "[maven-settings]" in resolve("t:a:1", "--settings", settings, code=2)


def test_several_repositories(repo, url, resolve, tmp_path):
    other = Repository(tmp_path / "other")
    repo.pom("t:a:1", dep("t:x:[1,9)"))
    repo.versions("t", "x", "1", "2")
    other.versions("t", "x", "3")
    for v in "12":
        repo.pom(f"t:x:{v}")
    other.pom("t:x:3", jar=b"three")
    assert resolve("t:a:1", f"--repository={url}", f"--repository=mine=file://{other.folder}") == "t:a:1\nt:x:3\n"


@pytest.mark.skipif(not os.path.isdir(SHARED) or not shutil.which("zstd"), reason="no ../shared/resolver, or no zstd")
def test_recorded_answers_of_maven(resolve, tmp_path):
    packed = subprocess.run(["zstd", "-dc", os.path.join(SHARED, "repo.tar.zst")], capture_output=True, check=True).stdout
    (tmp_path / "repo").mkdir()
    subprocess.run(["tar", "x", "-C", tmp_path / "repo"], input=packed, check=True)
    with open(os.path.join(SHARED, "cases.jsonl"), encoding="utf-8") as f:
        cases = [json.loads(line) for line in f]
    answers = [json.loads(line) for line in resolve("--cases", os.path.join(SHARED, "cases.jsonl"), f"--repository=file://{tmp_path}/repo").splitlines()]
    assert len(answers) == len(cases)
    for case, answer in zip(cases, answers):
        assert ("error" in answer) == ("error" in case), case["id"]
        assert all(answer.get(k) == case.get(k) for k in ("resolved", "classpath", "tree")), case["id"]
