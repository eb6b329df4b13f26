# SPDX-License-Identifier: Apache-2.0
"""The OCI form of images: read here without any of Sluice's code, held against the folder it was made of; skopeo and umoci judge it
where they are installed."""
import gzip
import hashlib
import io
import json
import os
import random
import shutil
import signal
import stat
import subprocess
import tarfile
import time

import pytest

from image_place import ALL, BIN, Place, fill

LONG = "deep/" * 30 + "a-name-that-takes-its-part/" + "x" * 90


@pytest.fixture
def place(tmp_path):
    one = Place(tmp_path)
    furnish(one)
    return one


def furnish(one):
    fill(one)
    system = one.project / "images" / "system"
    for folder in ("bin", "etc", "tmp", "usr/lib/x86_64-linux-gnu"):
        (system / folder).mkdir(parents=True)
    (system / "tmp").chmod(0o1777)
    (system / "bin" / "sh").write_bytes(random.Random(1).randbytes(70000))
    (system / "bin" / "sh").chmod(0o755)
    (system / "lib").symlink_to("usr/lib")
    (system / "etc" / "passwd").write_text("root:x:0:0:root:/root:/bin/sh")
    (system / "etc" / "group").write_text("root:x:0:\n")
    (system / "usr" / "lib" / "far").symlink_to("../" * 40 + "somewhere/that/is/not/near")
    (system / "usr" / "lib" / "\u00e4\u00f6 name").write_text("not ASCII")
    long = system / LONG
    long.parent.mkdir(parents=True)
    long.write_text("a name that no header holds")
    jre = one.project / "images" / "jre"
    (jre / "bin").mkdir(parents=True)
    (jre / "bin" / "java").write_text("#!/bin/sh\n" * 3000)
    (jre / "bin" / "java").chmod(0o755)
    one.define("system: system\njre: jre\n" + ALL)


def build(one, name="team", **more):
    return json.loads(one.call("build", name, "--oci", "--json", **more).stdout)


class Layout:
    def __init__(self, one, name="team"):
        self.folder = one.folder / "data" / "images" / "oci"
        assert json.loads((self.folder / "oci-layout").read_text()) == {"imageLayoutVersion": "1.0.0"}
        index = json.loads((self.folder / "index.json").read_text())
        assert index["schemaVersion"] == 2
        own = [m for m in index["manifests"] if m["annotations"]["org.opencontainers.image.ref.name"] == name]
        assert len(own) == 1
        self.digest = own[0]["digest"]
        self.manifest = json.loads(self.blob(own[0]))
        assert self.manifest["mediaType"] == own[0]["mediaType"] == "application/vnd.oci.image.manifest.v1+json"
        self.config = json.loads(self.blob(self.manifest["config"]))
        self.layers = []
        for layer, diff_id in zip(self.manifest["layers"], self.config["rootfs"]["diff_ids"], strict=True):
            raw = self.blob(layer)
            if layer["mediaType"].endswith("+gzip"):
                assert raw[3:8] == b"\0\0\0\0\0"  # no time, no name
                raw = gzip.decompress(raw)
            assert "sha256:" + hashlib.sha256(raw).hexdigest() == diff_id
            self.layers.append(tarfile.open(fileobj=io.BytesIO(raw)))
        assert len(self.config["history"]) == len(self.layers)

    def blob(self, descriptor):
        content = (self.folder / "blobs" / "sha256" / descriptor["digest"][7:]).read_bytes()
        assert len(content) == descriptor["size"] and "sha256:" + hashlib.sha256(content).hexdigest() == descriptor["digest"]
        return content


def test_layers_hold_what_the_folder_holds(place):
    root = build(place)["root"]
    layout = Layout(place)
    tree, folders = {}, {}
    for layer in layout.layers:
        members = layer.getmembers()
        assert [m.name for m in members] == sorted((m.name for m in members), key=lambda n: n.encode())
        seen = set()
        for m in members:
            assert (m.mtime, m.uname, m.gname) == (0, "", "")
            assert m.uid == m.gid == (9999 if (m.name + "/").startswith("opt/flink/") else 0)
            above = os.path.dirname(m.name)
            assert not above or above in seen, f"{m.name} without its folder"
            seen.add(m.name)
            if m.isdir():  # the same in every layer that has it
                assert folders.setdefault(m.name, (m.mode, m.uid)) == (m.mode, m.uid)
            else:
                tree[m.name] = ("link", m.linkname) if m.issym() else (m.mode, hashlib.sha256(layer.extractfile(m).read()).hexdigest())
    there = {}
    for base, _, names in os.walk(root):
        for name in names + [d for d in os.listdir(base) if os.path.islink(os.path.join(base, d))]:
            path = os.path.join(base, name)
            key = os.path.relpath(path, root)
            if os.path.islink(path):
                there[key] = ("link", os.readlink(path))
            else:
                with open(path, "rb") as f:
                    there[key] = (stat.S_IMODE(os.stat(path).st_mode), hashlib.sha256(f.read()).hexdigest())
    assert tree == there
    assert {d for d, _, _ in os.walk(root)} - {root} == {os.path.join(root, d) for d in folders}
    assert folders["tmp"] == (0o1777, 0) and folders["opt/flink/lib"] == (0o755, 9999) and LONG in tree


def test_one_layer_a_jar_plain(place):
    build(place)
    layout = Layout(place)
    titles = [h["comment"] for h in layout.config["history"]]
    assert titles[:3] == ["system", "JRE", "Flink 2.2.1"]
    assert titles[-1] == "files"
    jars = [(t, m["mediaType"]) for t, m in zip(titles, layout.manifest["layers"]) if t.endswith(".jar") or ":" in t]
    assert len(jars) == 8 and {m for _, m in jars} == {"application/vnd.oci.image.layer.v1.tar"}
    assert jars[0][0].startswith("org.apache.flink:flink-sql-connector-kafka") and jars[-1][0].startswith("org.apache.flink:flink-s3-fs-hadoop")
    place.define("system: system\njre: jre\nlayers: gzip\n" + ALL)
    build(place)
    assert {m["mediaType"] for m in Layout(place).manifest["layers"]} == {"application/vnd.oci.image.layer.v1.tar+gzip"}


def test_what_a_container_needs(place):
    conf = place.folder / "flink" / "2.2.1" / "conf"
    conf.mkdir()
    (conf / "config.yaml").write_text("# bind-host: localhost\njobmanager:\n  bind-host: localhost\n  rpc:\n    address: localhost\ntaskmanager:\n  host: localhost\n"
                                      "  bind-host: localhost\nrest:\n  address: localhost\n  bind-address: localhost\nother:\n  address: localhost")
    root = build(place)["root"]
    config = Layout(place).config["config"]
    assert config["User"] == "9999:9999" and config["Entrypoint"] == ["/docker-entrypoint.sh"] and config["WorkingDir"] == "/opt/flink"
    assert "FLINK_HOME=/opt/flink" in config["Env"] and config["Labels"]["org.apache.flink.version"] == "2.2.1"
    text = open(os.path.join(root, "opt/flink/conf/config.yaml")).read()
    assert text == ("# bind-host: localhost\njobmanager:\n  bind-host: 0.0.0.0\n  rpc:\n    address: localhost\ntaskmanager:\n"
                    "  bind-host: 0.0.0.0\nrest:\n  address: 0.0.0.0\n  bind-address: 0.0.0.0\nother:\n  address: localhost")
    assert open(os.path.join(root, "etc/passwd")).read() == "root:x:0:0:root:/root:/bin/sh\nflink:x:9999:9999:Apache Flink:/opt/flink:/bin/sh\n"
    assert open(os.path.join(root, "etc/group")).read() == "root:x:0:\nflink:x:9999:\n"
    script = os.path.join(root, "docker-entrypoint.sh")
    assert os.access(script, os.X_OK)
    home = place.folder / "home"
    (home / "bin").mkdir(parents=True)
    (home / "opt").mkdir()
    (home / "opt" / "flink-s3.jar").write_text("")
    for name in ("jobmanager", "taskmanager", "standalone-job", "historyserver"):
        (home / "bin" / f"{name}.sh").write_text("#!/bin/sh\necho \"$(basename $0) $*\"\n")
        (home / "bin" / f"{name}.sh").chmod(0o755)

    def run(*args, **more):
        return subprocess.run(["/bin/sh", script, *args], env=dict(os.environ, FLINK_HOME=str(home), DISABLE_JEMALLOC="true", JOB_MANAGER_RPC_ADDRESS="jm", **more),
                              capture_output=True, text=True, timeout=20)
    addresses = "start-foreground -D jobmanager.rpc.address=jm -D blob.server.port=6124 -D query.server.port=6125"
    assert run("jobmanager").stdout == f"jobmanager.sh {addresses}\n"
    assert run("standalone-job", "--job-classname", "a b").stdout == f"standalone-job.sh {addresses} --job-classname a b\n"
    assert run("taskmanager", "-D", "x=y").stdout == f"taskmanager.sh {addresses} -D x=y\n"
    assert run("history-server").stdout == "historyserver.sh start-foreground\n"
    assert run("sh", "-c", "echo \"$0 $1\"", "a", "b c").stdout == "a b c\n"  # as Kubernetes calls it
    assert run("true", ENABLE_BUILT_IN_PLUGINS="flink-s3.jar").returncode == 0
    assert (home / "plugins" / "flink-s3" / "flink-s3.jar").is_symlink()
    assert run("true", ENABLE_BUILT_IN_PLUGINS="none.jar").returncode == 1


def test_the_same_bytes_everywhere(tmp_path):
    digests = set()
    for i, (umask, zone) in enumerate([(0o022, "UTC"), (0o077, "Asia/Kolkata")]):
        one = Place(tmp_path / f"place{i}" / ("deeper/" * i))
        furnish(one)
        for f in one.project.rglob("*"):
            if not f.is_symlink():
                os.utime(f, (1000000 * i, 2000000 * i))
        before = os.umask(umask)
        try:
            built = build(one, TZ=zone)
        finally:
            os.umask(before)
        digests.add(built["oci"]["digest"])
        assert Layout(one).digest == built["oci"]["digest"]
    assert len(digests) == 1
    again = build(one)
    assert again["oci"]["digest"] in digests and again["oci"]["newBytes"] == 0
    one.put("com.example:more:1", {"com/example/More.class": b"m" * 5000})
    one.define("system: system\njre: jre\n" + ALL.replace("udfs: [", "udfs: [com.example:more:1, "))
    more = build(one)["oci"]
    assert more["digest"] not in digests
    (added,) = [layer for layer in more["layers"] if layer["title"].startswith("com.example:more")]
    assert more["newBytes"] == added["bytes"]  # one jar more is one layer more


def test_verify_and_gc(place):
    build(place)
    layout = Layout(place)
    place.call("verify", "team")
    assert place.call("gc").stdout.startswith("0 builds removed, 0 B freed")
    Layout(place)
    blobs = layout.folder / "blobs" / "sha256"
    victim = blobs / layout.manifest["layers"][-1]["digest"][7:]
    content = victim.read_bytes()
    victim.write_bytes(content[:-1] + b"#")
    assert "has other bytes" in place.call("verify", "team", code=5).stderr
    victim.unlink()
    assert "is missing" in place.call("verify", "team", code=5).stderr
    assert build(place)["oci"]["digest"] == layout.digest  # what is missing is made again
    assert victim.read_bytes() == content
    place.call("rm", "team")
    place.call("gc")
    assert list(blobs.iterdir()) == [] and json.loads((layout.folder / "index.json").read_text())["manifests"] == []


def test_a_build_that_was_written_to_is_refused(place):
    root = build(place)["root"]
    shutil.rmtree(place.folder / "data" / "images" / "oci")
    with open(os.path.join(root, "opt/flink/lib/own.jar"), "r+b") as f:
        f.write(b"#")
    assert "own.jar is not what was built" in place.call("build", "team", "--oci", code=5).stderr
    assert not (place.folder / "data" / "images" / "oci" / "index.json").exists()


def test_killed_at_any_moment(place):
    began = time.monotonic()
    expected = build(place)["oci"]["digest"]
    took = time.monotonic() - began
    oci = place.folder / "data" / "images" / "oci"
    shutil.rmtree(oci)
    at = random.Random(3)
    for _ in range(12):
        child = subprocess.Popen([BIN, "image", "build", "team", "--oci"], env=place.environment(), cwd=place.project, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(at.random() * took)
        child.send_signal(signal.SIGKILL)
        child.wait()
        if (oci / "index.json").exists():
            assert Layout(place).digest == expected
            place.call("verify", "team")
            shutil.rmtree(oci)
    assert build(place)["oci"]["digest"] == expected
    place.call("gc")
    assert Layout(place).digest == expected and not (oci / "tmp").exists()


@pytest.mark.skipif(not shutil.which("skopeo"), reason="skopeo is not installed")
def test_skopeo_reads_it(place, tmp_path):
    built = build(place)
    layout = Layout(place)
    told = json.loads(subprocess.run(["skopeo", "inspect", f"oci:{layout.folder}:team"], capture_output=True, check=True, timeout=60).stdout)
    assert told["Digest"] == built["oci"]["digest"] and told["Layers"] == [m["digest"] for m in layout.manifest["layers"]]
    subprocess.run(["skopeo", "--insecure-policy", "--tmpdir", str(tmp_path), "copy", "-q", "--preserve-digests", f"oci:{layout.folder}:team", f"oci:{tmp_path}/copy:team"], check=True, timeout=60)
    copied = json.loads((tmp_path / "copy" / "index.json").read_text())["manifests"][0]["digest"]
    assert copied == built["oci"]["digest"]


@pytest.mark.skipif(not shutil.which("umoci"), reason="umoci is not installed")
def test_umoci_unpacks_it(place, tmp_path):
    root = build(place)["root"]
    layout = Layout(place)
    more = [] if os.getuid() == 0 else ["--rootless"]
    subprocess.run(["umoci", "unpack", *more, "--image", f"{layout.folder}:team", str(tmp_path / "bundle")], check=True, capture_output=True, timeout=60)
    done = subprocess.run(["diff", "-r", "--no-dereference", root, str(tmp_path / "bundle" / "rootfs")], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout
    lib = os.stat(tmp_path / "bundle" / "rootfs" / "opt" / "flink" / "lib")
    assert lib.st_mtime == 0 and (lib.st_uid == 9999 or more)
    spec = json.loads((tmp_path / "bundle" / "config.json").read_text())
    assert spec["process"]["args"] == ["/docker-entrypoint.sh", "help"] and spec["process"]["cwd"] == "/opt/flink"
