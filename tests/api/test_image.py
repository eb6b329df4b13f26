# SPDX-License-Identifier: Apache-2.0
"""sluice image of build/sluice: a Flink that is a folder of jars made here, a Maven repository that is a folder; no JVM, no network."""
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import time

import pytest

from image_place import ALL, BIN, Place, fill, jar


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path)


def test_the_same_inputs_are_the_same_image(tmp_path):
    """Folders, data folders, umasks, time zones, times of files and the order in which they were made differ."""
    digests = set()
    for i, (umask, zone) in enumerate([(0o022, "UTC"), (0o077, "Asia/Kolkata"), (0o002, "America/St_Johns")]):
        one = Place(tmp_path / f"place{i}" / ("deeper/" * i))
        fill(one)
        files = [f for f in one.folder.rglob("*") if f.is_file()]
        random.Random(i).shuffle(files)
        for f in files:
            os.utime(f, (1000000 * i, 2000000 * i))
            f.chmod(f.stat().st_mode & ~umask)
        before = os.umask(umask)
        try:
            built = one.build(TZ=zone)
        finally:
            os.umask(before)
        digests.add(built["digest"])
        assert "sha256:" + hashlib.sha256(one.call("show", "team", "--json").stdout.encode()).hexdigest() == built["digest"]
        one.call("verify", "team")
    assert len(digests) == 1
    (one.project / "images" / "words.txt").write_text("one\ntwp\n")
    other = one.build()
    assert other["digest"] not in digests
    assert other["newFiles"] == 1
    (one.project / "images" / "words.txt").write_text("one\ntwo\n")
    assert one.build()["digest"] in digests


def test_what_is_in_it(place):
    fill(place)
    built = place.build()
    entries = place.entries()
    jars = {p: e.get("origin") for p, e in entries.items() if e["part"] == "jar"}
    assert jars == {
        "opt/flink/lib/flink-sql-connector-kafka-5.0.0-2.2.jar": "org.apache.flink:flink-sql-connector-kafka:jar::5.0.0-2.2",
        "opt/flink/lib/flink-connector-jdbc-core-4.0.0-2.0.jar": "org.apache.flink:flink-connector-jdbc-core:jar::4.0.0-2.0",
        "opt/flink/lib/flink-connector-jdbc-postgres-4.0.0-2.0.jar": "org.apache.flink:flink-connector-jdbc-postgres:jar::4.0.0-2.0",
        "opt/flink/lib/postgresql-42.7.14.jar": "org.postgresql:postgresql:jar::42.7.14",
        "opt/flink/plugins/flink-s3-fs-hadoop/flink-s3-fs-hadoop-2.3.0.jar": "org.apache.flink:flink-s3-fs-hadoop:jar::2.3.0",
        "opt/flink/lib/udfs-1.0.jar": "com.example:udfs:jar::1.0",
        "opt/flink/lib/helper-1.1.jar": "com.example:helper:jar::1.1",
        "opt/flink/lib/own.jar": None,
    }
    assert built["leftOut"] == ["org.slf4j:slf4j-api:jar::1.7.36"]  # all of its classes are in flink-dist
    order = json.loads(place.call("show", "team", "--json").stdout)["classPath"]
    assert [os.path.basename(p) for p in order] == ["flink-sql-connector-kafka-5.0.0-2.2.jar", "flink-connector-jdbc-core-4.0.0-2.0.jar",
                                                    "flink-connector-jdbc-postgres-4.0.0-2.0.jar", "postgresql-42.7.14.jar", "udfs-1.0.jar", "helper-1.1.jar", "own.jar"]
    assert entries["opt/tools/run"]["mode"] == 0o755 and entries["opt/flink/usrlib/words.txt"]["mode"] == 0o644
    assert entries["opt/tools/link"]["to"] == "run" and entries["opt/tools/deep/empty"]["kind"] == "folder"
    assert not [p for p in entries if "cds" in p]  # made on this machine, for this machine
    root = built["root"]
    for path, e in entries.items():
        if e["kind"] == "file":
            with open(os.path.join(root, path), "rb") as f:
                assert hashlib.sha256(f.read()).hexdigest() == e["sha256"]
    again = place.build()
    assert (again["digest"], again["built"], again["newFiles"]) == (built["digest"], False, 0)


def test_hard_links_only_to_what_is_ours(place):
    fill(place)
    root = place.build()["root"]
    assert os.path.samefile(os.path.join(root, "opt/flink/lib/flink-json-2.2.1.jar"), place.folder / "flink" / "2.2.1" / "lib" / "flink-json-2.2.1.jar")
    for mine, there in (("lib/own.jar", "opt/flink/lib/own.jar"), ("words.txt", "opt/flink/usrlib/words.txt")):
        with open(place.project / "images" / mine, "r+b") as f:
            f.write(b"written in place")
        assert not os.path.samefile(place.project / "images" / mine, os.path.join(root, there))
    in_repository = place.repository / "com/example/helper/1.1/helper-1.1.jar"
    assert not os.path.samefile(in_repository, os.path.join(root, "opt/flink/lib/helper-1.1.jar"))
    place.call("verify", "team")


@pytest.mark.parametrize("text, code, slug, line, words", [
    ("flink: \"2.2\"\nconectors: [kafka]\n", 2, "config-unknown", "2:1", "did you mean 'connectors'?"),
    ("flink: \"2.2\"\nconnectors: [kafak]\n", 1, "connector-unknown", "2:14", "did you mean 'kafka'?"),
    ("flink: \"2.2\"\nconnectors:\n  - elasticsearch-7\n", 1, "connector-not-for-version", "3:5", "there is one for Flink 1.20"),
    ("flink: \"2.2\"\ndatabases: [oracel]\n", 1, "jdbc-dialect-missing", "2:13", "'oracel'"),
    ("flink: \"2.2\"\nudfs: [no.jar]\n", 2, "file-not-found", "2:8", "no.jar"),
    ("flink: \"2.2\"\nudfs: [com.example:none:1]\n", 3, "artifact-not-found", "2:8", "com.example:none"),
    ("flink: \"2.2\"\nfiles: {../x: y}\n", 2, "config-value", "2:9", "no place in an image"),
    ("flink: \"9.9\"\n", 2, "config-value", "1:8", "no release of Flink 9.9"),
    ("connectors: [kafka]\n", 2, "config-value", "1:1", "needs its Flink"),
    ("flink: \"2.2\"\nconnectors: [kafka, kafka]\n", 2, "config-value", "2:21", "twice"),
    ("flink: \"2.2\"\nconflicts: {x: maybe}\n", 2, "config-value", "2:16", "flink-first"),
    ("flink: \"2.3\"\n", 6, "flink-not-installed", "1:8", "sluice flink install"),
    ("flink: [\n", 2, "yaml", "2:1", ""),
])
def test_what_is_wrong_has_its_place(place, text, code, slug, line, words):
    place.define(text)
    done = place.call("build", "team", code=code)
    assert f"error[{slug}]" in done.stderr and f"images/team.yaml:{line}" in done.stderr and words in done.stderr, done.stderr
    assert place.call("ls", "--json").stdout == "[]\n"


def test_a_name_that_is_none(place):
    assert "[image-unknown]" in place.call("build", "team", code=2).stderr
    assert "[usage]" in place.call("build", "../team.yaml/Team", code=2).stderr
    assert "[image-unknown]" in place.call("show", "team", code=2).stderr
    fill(place)
    place.build()
    assert "images there are: team" in place.call("show", "taem", code=2).stderr
    digest = json.loads(place.call("ls", "--json").stdout)[0]["digest"]
    for which in (digest, digest[:19], f"team@{digest}"):
        assert place.call("show", which).stdout.startswith(f"team@{digest}\n")
    assert "[image-unknown]" in place.call("show", "team@sha256:" + "0" * 64, code=2).stderr


def test_classes_of_flink(place):
    place.put("com.example:lake-flink-2.0:1.4", {"org/apache/flink/Own.class": b"another's"})
    place.define("flink: \"2.2\"\nudfs: [com.example:lake-flink-2.0:1.4]\n")
    done = place.call("build", "team", code=1)
    assert "error[class-conflict]" in done.stderr and "lake-flink-2.0-1.4.jar has 1 class of flink-dist-2.2.1.jar, with other bytes: Own" in done.stderr
    cure = next(line for line in done.stderr.splitlines() if "conflicts:" in line)
    assert "conflicts: {lake-flink: flink-first}" in cure or "conflicts: {lake-flink-2.0: flink-first}" in cure
    place.define("flink: \"2.2\"\nudfs: [com.example:lake-flink-2.0:1.4]\nconflicts: {lake-flink-2.0: flink-first}\n")
    place.build()


def test_two_versions(place):
    place.put("com.example:helper:1.2", {"com/example/Helper.class": b"newer"})
    place.define("flink: \"2.2\"\nudfs: [com.example:udfs:1.0, com.example:helper:1.2]\n")
    assert "helper is wanted as 1.1 and as 1.2" in place.call("build", "team", code=3).stderr


def test_links_do_not_lead_out(place):
    """A file below what is a link in the system's tree would be written where the link leads."""
    outside = place.folder / "outside"
    outside.mkdir()
    system = place.project / "images" / "system"
    system.mkdir()
    (system / "lib").symlink_to(outside)
    (system / "tmp").mkdir()
    (system / "tmp").chmod(0o1777)
    (place.project / "images" / "x").write_text("x")
    place.define("flink: \"2.2\"\nsystem: system\nfiles: {lib/x: x}\n")
    assert "below /lib, which is a link (system)" in place.call("build", "team", code=2).stderr
    assert list(outside.iterdir()) == []
    place.define("flink: \"2.2\"\nsystem: system\n")
    place.build()
    entries = place.entries()
    assert entries["lib"]["to"] == str(outside) and entries["tmp"]["mode"] == 0o1777
    os.mkfifo(system / "pipe")
    assert "pipe is no file, folder or link" in place.call("build", "team", code=2).stderr


def test_verify_finds_what_was_done_to_it(place):
    fill(place)
    root = place.build()["root"]
    place.call("verify", "team")
    lib = os.path.join(root, "opt/flink/lib")
    os.unlink(os.path.join(lib, "own.jar"))
    with open(os.path.join(lib, "helper-1.1.jar"), "r+b") as f:
        f.seek(10)
        f.write(b"#")
    os.unlink(os.path.join(root, "opt/tools/link"))
    os.symlink("elsewhere", os.path.join(root, "opt/tools/link"))
    os.chmod(os.path.join(root, "opt/tools/run"), 0o644)
    open(os.path.join(lib, "a-stranger.jar"), "w").close()
    said = place.call("verify", "team", code=5).stderr
    assert [line.strip() for line in said.splitlines()[1:]] == [
        "opt/flink/lib/helper-1.1.jar has other bytes", "opt/flink/lib/own.jar is missing", "opt/tools/link leads elsewhere", "opt/tools/run has another mode",
        "opt/flink/lib/a-stranger.jar was put there"]
    listing = os.path.join(os.path.dirname(root), "image.json")
    with open(listing) as f:
        text = f.read()
    with open(listing, "w") as f:
        f.write(text.replace("own.jar", "owm.jar"))
    assert "[image-broken]" in place.call("show", "team", code=5).stderr


def test_diff_rm_and_gc(place):
    fill(place)
    first = place.build()
    assert place.call("diff", "team").stdout.endswith("hold the same\n")
    place.define(ALL.replace("kafka, jdbc", "jdbc").replace("words.txt\n", "other.txt\n"))
    (place.project / "images" / "other.txt").write_text("three\n")
    assert [line.split("  ")[0] for line in place.call("diff", "team").stdout.splitlines()] == \
        ["- opt/flink/lib/flink-sql-connector-kafka-5.0.0-2.2.jar", "~ opt/flink/usrlib/words.txt"]
    shutil.copy(place.project / "images" / "team.yaml", place.project / "images" / "small.yaml")
    second = place.build("small")
    changes = json.loads(place.call("diff", "small", "team", "--json").stdout)["changes"]
    assert [(c["change"], c["path"]) for c in changes] == [("added", "opt/flink/lib/flink-sql-connector-kafka-5.0.0-2.2.jar"), ("changed", "opt/flink/usrlib/words.txt")]
    assert place.call("gc").stdout.startswith("0 builds removed, 0 B freed")
    place.call("rm", "team")
    assert place.call("gc").stdout.startswith("1 build removed, ")
    assert not os.path.exists(first["root"])
    place.call("verify", "small")
    kept = {f.name for f in (place.folder / "data" / "images" / "files").rglob("*") if f.is_file()}
    assert kept == {e["sha256"] + (".x" if e["mode"] & 0o100 else "") for e in place.entries("small").values() if e["kind"] == "file"}
    assert os.path.exists(second["root"])


def test_killed_at_any_moment(place):
    """What can be seen is whole; the next build goes on, and gc leaves nothing behind."""
    fill(place)
    for i in range(40):
        (place.project / "images" / "tools" / f"file{i}").write_bytes(random.Random(i).randbytes(20000))
    began = time.monotonic()
    place.build("team")
    took = time.monotonic() - began
    expected = place.build("team")["digest"]
    shutil.rmtree(place.folder / "data" / "images")
    at = random.Random(7)
    for _ in range(25):
        child = subprocess.Popen([BIN, "image", "build", "team"], env=place.environment(), cwd=place.project, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(at.random() * took)
        child.send_signal(signal.SIGKILL)
        child.wait()
        for built in json.loads(place.call("ls", "--json").stdout):
            assert built["digest"] == expected
            place.call("verify", "team")
            place.call("rm", "team")
        if at.random() < 0.5:
            place.call("gc")
    assert place.build("team")["digest"] == expected
    place.call("verify", "team")
    place.call("gc")
    assert os.listdir(place.folder / "data" / "images" / "tmp") == []
    assert os.listdir(place.folder / "data" / "images" / "builds") == [expected[7:]]


def test_many_at_once(place):
    fill(place)
    for i in range(4):
        shutil.copy(place.project / "images" / "team.yaml", place.project / "images" / f"team{i}.yaml")
    running = [subprocess.Popen([BIN, "image", "build", f"team{i % 4}"], env=place.environment(), cwd=place.project, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
               for i in range(8)]
    said = [p.communicate(timeout=60) for p in running]
    assert [p.returncode for p in running] == [0] * 8, said
    assert len({out.split("@")[1] for out, _ in said}) == 1
    assert len(json.loads(place.call("ls", "--json").stdout)) == 4
