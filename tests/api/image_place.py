# SPDX-License-Identifier: Apache-2.0
"""A place for the tests of images: a Flink that is a folder of jars made here, a Maven repository that is a folder, a project."""
import json
import os
import subprocess
import zipfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BIN = os.path.abspath(os.environ.get("SLUICE_BIN", os.path.join(ROOT, "build", "sluice")))


def jar(path, entries):
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
        for name, content in entries.items():
            out.writestr(zipfile.ZipInfo(name), content)
    return path


class Place:
    """A folder with a Flink, a repository and a project; everything that Sluice is told of lies below it."""

    def __init__(self, folder):
        self.folder = folder
        lib = folder / "flink" / "2.2.1" / "lib"
        jar(lib / "flink-dist-2.2.1.jar", {"org/apache/flink/Own.class": b"flink's", "org/slf4j/Logger.class": b"logger", "org/slf4j/LoggerFactory.class": b"factory"})
        jar(lib / "flink-json-2.2.1.jar", {"org/apache/flink/Json.class": b"json"})
        jar(lib / "flink-table-planner_2.12-2.2.1.jar", {"org/apache/flink/Plan.class": b"plan"})
        jar(folder / "flink" / "2.2.1" / "plugins" / "metrics-jmx" / "flink-metrics-jmx-2.2.1.jar", {"a.class": b"a"})
        (folder / "flink" / "2.2.1" / "cds" / "x").mkdir(parents=True)
        (folder / "flink" / "2.2.1" / "cds" / "x" / "session.jsa").write_bytes(b"made on this machine")
        self.repository = folder / "repository"
        self.put("org.apache.flink:flink-sql-connector-kafka:5.0.0-2.2", {"org/kafka/K.class": b"k"})
        self.put("org.apache.flink:flink-connector-jdbc-core:4.0.0-2.0", {"org/jdbc/J.class": b"j"})
        self.put("org.apache.flink:flink-connector-jdbc-postgres:4.0.0-2.0", {"org/jdbc/P.class": b"p"})
        self.put("org.postgresql:postgresql:42.7.14", {"org/postgresql/Driver.class": b"d"})
        self.put("org.apache.flink:flink-s3-fs-hadoop:2.3.0", {"org/s3/S.class": b"s"})
        self.put("org.slf4j:slf4j-api:1.7.36", {"org/slf4j/Logger.class": b"logger", "org/slf4j/LoggerFactory.class": b"factory"})
        self.put("com.example:helper:1.1", {"com/example/Helper.class": b"h"})
        self.put("com.example:udfs:1.0", {"com/example/Udf.class": b"u"}, "org.slf4j:slf4j-api:1.7.36", "com.example:helper:1.1")
        self.project = folder / "project"
        (self.project / "images").mkdir(parents=True)

    def put(self, coordinate, classes, *deps):
        g, a, v = coordinate.split(":")
        folder = self.repository / g.replace(".", "/") / a / v
        jar(folder / f"{a}-{v}.jar", classes)
        inside = "".join("<dependency><groupId>{}</groupId><artifactId>{}</artifactId><version>{}</version></dependency>".format(*d.split(":")) for d in deps)
        (folder / f"{a}-{v}.pom").write_text(f"<project><modelVersion>4.0.0</modelVersion><groupId>{g}</groupId><artifactId>{a}</artifactId>"
                                             f"<version>{v}</version><dependencies>{inside}</dependencies></project>")

    def define(self, text, name="team"):
        (self.project / "images" / f"{name}.yaml").write_text(text)

    def environment(self, **more):
        return dict(os.environ, SLUICE_DATA=str(self.folder / "data"), SLUICE_FLINK_DIR=str(self.folder / "flink"), HOME=str(self.folder), NO_COLOR="1",
                    SLUICE_MAVEN_REPOSITORIES=f"file://{self.repository}", LANG="C.UTF-8", **more)

    def call(self, *args, code=0, **more):
        done = subprocess.run([BIN, "image", *map(str, args)], env=self.environment(**more), cwd=self.project, capture_output=True, text=True, timeout=60,
                              stdin=subprocess.DEVNULL)
        assert done.returncode == code, done.stdout + done.stderr
        return done

    def build(self, name="team", **more):
        return json.loads(self.call("build", name, "--json", **more).stdout)

    def entries(self, name="team"):
        return {e["path"]: e for e in json.loads(self.call("show", name, "--json").stdout)["entries"]}


ALL = """\
flink: "2.2"
connectors: [kafka, jdbc]
databases: [postgresql]
filesystems: [s3]
udfs: [com.example:udfs:1.0, lib/own.jar]
files:
  opt/flink/usrlib/words.txt: words.txt
  opt/tools: tools
"""


def fill(place):
    place.define(ALL)
    jar(place.project / "images" / "lib" / "own.jar", {"own/Own.class": b"o"})
    (place.project / "images" / "words.txt").write_text("one\ntwo\n")
    tools = place.project / "images" / "tools"
    (tools / "deep" / "empty").mkdir(parents=True)
    (tools / "run").write_text("#!/bin/sh\n")
    (tools / "run").chmod(0o755)
    (tools / "link").symlink_to("run")
