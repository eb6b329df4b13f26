# SPDX-License-Identifier: Apache-2.0
"""sluice artifact conflicts of build/sluice: jars made here, a Flink that is a folder of jars; broken and hostile ones."""
import json
import os
import random
import struct
import subprocess
import zipfile

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BIN = os.path.abspath(os.environ.get("SLUICE_BIN", os.path.join(ROOT, "build", "sluice")))


def jar(path, entries, packed=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", packed) as out:
        for name, content in entries.items():
            out.writestr(name, content)
    return str(path)


def bundled(group, artifact, version):
    return {f"META-INF/maven/{group}/{artifact}/pom.properties": f"#by a tool\nversion={version}\ngroupId={group}\nartifactId={artifact}\n"}


@pytest.fixture
def conflicts(tmp_path):
    lib = tmp_path / "flink" / "2.2.1" / "lib"
    lib.mkdir(parents=True)
    jar(lib / "flink-dist-2.2.1.jar", {"org/x/Variant.class": b"flink's", "org/x/Same.class": b"same", "org/x/Own.class": b"1"})
    jar(lib / "flink-table-api-java-uber-2.2.1.jar", {"org/x/Type.class": b"flink's", "org/x/Own.class": b"2"})
    jar(lib / "flink-table-planner_2.12-2.2.1.jar", {"org/x/Plan.class": b"flink's"})
    env = dict(os.environ, SLUICE_DATA=str(tmp_path / "data"), SLUICE_FLINK_DIR=str(tmp_path / "flink"), HOME=str(tmp_path), NO_COLOR="1", LANG="C.UTF-8")

    def call(*args):
        return subprocess.run([BIN, "artifact", "conflicts", *map(str, args)], env=env, cwd=tmp_path, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
    return call


def rows(done):
    answer = json.loads(done.stdout)
    return {(os.path.basename(c["first"]), os.path.basename(c["other"])): c for c in answer["classes"]}


def test_who_wins_in_which_order(conflicts, tmp_path):
    lake = jar(tmp_path / "lake.jar", {"org/x/Variant.class": b"another", "org/x/Type.class": b"another", "org/x/Plan.class": b"another", "org/x/Same.class": b"same",
                                       "org/lake/A.class": b"a", "META-INF/versions/11/org/x/Own.class": b"9", "module-info.class": b"m"})
    done = conflicts(lake, "--json")
    assert done.returncode == 3, done.stderr
    found = rows(done)
    assert {first for first, _ in found} == {"flink-dist-2.2.1.jar", "flink-table-api-java-uber-2.2.1.jar", "flink-table-planner_2.12-2.2.1.jar"}
    dist, uber, planner = (found[name, "lake.jar"] for name in ("flink-dist-2.2.1.jar", "flink-table-api-java-uber-2.2.1.jar", "flink-table-planner_2.12-2.2.1.jar"))
    assert (dist["same"], dist["differing"], dist["names"], dist["error"], dist["flinkOwn"]) == (1, 1, ["org/x/Variant.class"], True, True)
    assert dist["wins"].endswith("flink-dist-2.2.1.jar") and dist["winsInFlinkScripts"] == lake
    assert uber["wins"] == uber["winsInFlinkScripts"] and uber["wins"].endswith("uber-2.2.1.jar")
    assert planner["winsInFlinkScripts"] == lake
    text = conflicts(lake).stdout
    assert "error[class-conflict]: lake.jar has 1 class of Flink's own, with other bytes" in text and "In Flink's own scripts the other one wins: lake.jar" in text
    early = jar(tmp_path / "a-lake.jar", {"org/x/Type.class": b"another"})
    assert rows(conflicts(early, "--json"))["flink-table-api-java-uber-2.2.1.jar", "a-lake.jar"]["winsInFlinkScripts"] == early


def test_jars_beside_each_other(conflicts, tmp_path):
    one = jar(tmp_path / "one.jar", {"a/A.class": b"1", "a/B.class": b"b", **bundled("org.z", "zstd", "1.5.2"), **bundled("org.s", "lib_2.12", "1")}, zipfile.ZIP_STORED)
    two = jar(tmp_path / "two.jar", {"a/A.class": b"2", "a/B.class": b"b", **bundled("org.z", "zstd", "1.5.6"), **bundled("org.s", "lib_2.13", "1")})
    three = jar(tmp_path / "three.jar", {"a/B.class": b"b", **bundled("org.z", "zstd", "1.5.2")})
    done = conflicts(one, two, three, "--json")
    assert done.returncode == 0, done.stderr
    found = rows(done)
    assert (found["one.jar", "two.jar"]["differing"], found["one.jar", "two.jar"]["same"], found["one.jar", "two.jar"]["error"]) == (1, 1, False)
    assert (found["one.jar", "three.jar"]["differing"], found["one.jar", "three.jar"]["same"]) == (0, 1) and len(found) == 2
    versions = {v["artifact"]: v for v in json.loads(done.stdout)["versions"]}
    assert versions["org.z:zstd"]["versions"] == ["1.5.2 (one.jar)", "1.5.6 (two.jar)"] and versions["org.s:lib"]["scala"] is True and len(versions) == 2
    assert conflicts(three).stdout == "no conflicts: 1 jar beside Flink 2.2.1\n"
    assert conflicts(three, "--no-flink").stdout == "no conflicts: 1 jar\n"
    missing = conflicts(three, "--flink", "1.20")
    assert missing.returncode == 6 and "error[flink-not-installed]" in missing.stderr and "--no-flink" in missing.stderr
    assert conflicts().returncode == 2 and conflicts(tmp_path / "none.jar").returncode == 2


def test_forms_of_zip(conflicts, tmp_path):
    """A script in front of it, a comment that looks like its end, more entries than the short record can count."""
    plain = jar(tmp_path / "plain.jar", {"org/x/Variant.class": b"another", **bundled("g", "a", "1")})
    with open(plain, "rb") as file:
        content = file.read()
    forms = {"front.jar": b"#!/bin/sh\nexit\n" + content, "comment.jar": content[:-2] + struct.pack("<H", 30) + b"PK\x05\x06" + b"x" * 26}
    for name, data in forms.items():
        (tmp_path / name).write_bytes(data)
        done = conflicts(tmp_path / name, "--json")
        assert done.returncode == 3 and len(rows(done)) == 1, (name, done.stderr)
    many = jar(tmp_path / "many.jar", {**{f"m/C{i}.class": b"" for i in range(66000)}, "org/x/Variant.class": b"another"}, zipfile.ZIP_STORED)
    assert rows(conflicts(many, "--json"))["flink-dist-2.2.1.jar", "many.jar"]["differing"] == 1


def test_what_is_no_jar(conflicts, tmp_path):
    jar(tmp_path / "good.jar", {"a/A.class": b"1" * 50, **bundled("g", "a", "1")})
    good = (tmp_path / "good.jar").read_bytes()
    end = good.rindex(b"PK\x05\x06")

    def patched(off, form, value):
        return good[:end + off] + struct.pack(form, value) + good[end + off + struct.calcsize(form):]
    for name, data in {"empty": b"", "text": b"PK\x03\x04 is how it begins", "short": good[:-3], "count": patched(10, "<H", 60000), "size": patched(12, "<I", 1 << 30),
                       "offset": patched(16, "<I", 1 << 30), "locator": patched(16, "<I", 0xFFFFFFFF), "directory": good.replace(b"PK\x01\x02", b"PK\x09\x09")}.items():
        (tmp_path / "bad.jar").write_bytes(data)
        done = conflicts(tmp_path / "bad.jar")
        assert done.returncode == 2 and "error[artifact-format]" in done.stderr and "bad.jar" in done.stderr, (name, done.stdout, done.stderr)
    assert "error[artifact-format]" in conflicts(tmp_path, "--no-flink").stderr


def test_bombs_and_chance(conflicts, tmp_path):
    """What unpacks to more than it says is passed over; whatever bytes are changed, there is an answer or an error."""
    bomb = jar(tmp_path / "bomb.jar", {"META-INF/maven/g/a/pom.properties": b"artifactId=a\nversion=1\n" + b"#" * 50_000_000, "a/A.class": b"1"})
    assert conflicts(bomb, "--no-flink").returncode == 0
    jar(tmp_path / "small.jar", bundled("g", "a", "1"))
    small = (tmp_path / "small.jar").read_bytes()
    entry = small.index(b"PK\x01\x02")
    (tmp_path / "lies.jar").write_bytes(small[:entry + 24] + struct.pack("<I", 9000) + small[entry + 28:])
    assert conflicts(tmp_path / "lies.jar", "--no-flink").returncode == 0
    jar(tmp_path / "good.jar", {"a/A.class": b"1" * 50, "org/x/Variant.class": b"v", **bundled("g", "a", "1")})
    good = (tmp_path / "good.jar").read_bytes()
    rng = random.Random(20)
    for turn in range(150):
        data = bytearray(good)
        for _ in range(rng.randint(1, 8)):
            data[rng.randrange(len(data))] = rng.choice([0, 1, 0x7F, 0xFF, rng.randrange(256)])
        (tmp_path / "chance.jar").write_bytes(bytes(data[:rng.choice([len(data), len(data), rng.randrange(len(data))])]))
        done = conflicts(tmp_path / "chance.jar", "--json")
        assert done.returncode in (0, 2, 3) and (done.returncode != 2 or "error[artifact-format]" in done.stderr), (turn, done.returncode, done.stderr)
