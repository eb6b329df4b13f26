# SPDX-License-Identifier: Apache-2.0
"""Two judges of Flink SQL, asked the same: Flink's own parser in a JVM (FlinkOracle.java on the jars of one
distribution) and ours (ours.c). Both are co-processes: a JSON line in, a JSON line out. Answers of Flink are kept by
content under ~/.cache/sluice/oracle/VERSION."""
import glob
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import zipfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "tests"))
import stock  # noqa: E402

CACHE = os.path.join(stock.CACHE, "oracle")
VERSIONS = ("1.20.5", "2.2.1", "2.3.0")
DEFAULT = "2.2.1"


def class_path(version):
    """The oracle's classes and the jars they need; compiled once per distribution and source."""
    raw = stock.libraries(version)
    source = os.path.join(HERE, "FlinkOracle.java")
    with open(source, "rb") as f:
        mark = hashlib.sha256(f.read()).hexdigest()[:16]
    folder = os.path.join(CACHE, version)
    os.makedirs(folder, exist_ok=True)
    planner = os.path.join(folder, "flink-table-planner.jar")
    if not os.path.exists(planner):
        loader = glob.glob(os.path.join(raw, "lib", "flink-table-planner-loader-*.jar"))[0]
        with zipfile.ZipFile(loader) as z, tempfile.NamedTemporaryFile(dir=folder, delete=False) as half:
            half.write(z.read("flink-table-planner.jar"))
        os.rename(half.name, planner)
    jars = [planner] + [j for j in sorted(glob.glob(os.path.join(raw, "lib", "*.jar"))) if "planner-loader" not in j]
    path = ":".join(jars)
    classes = os.path.join(folder, "classes-" + mark)
    if not os.path.isdir(classes):
        half = tempfile.mkdtemp(dir=folder)
        subprocess.run(["javac", "-nowarn", "-proc:none", "-cp", path, "-d", half, source], check=True, stderr=subprocess.DEVNULL)
        os.rename(half, classes)
    return classes + ":" + path


class Judge:
    """A co-process that answers line by line."""

    def __init__(self, argv):
        self.child = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT)

    def ask(self, texts):
        """One answer a text, in order."""
        def write():
            for text in texts:
                self.child.stdin.write(json.dumps({"sql": text}).encode() + b"\n")
            self.child.stdin.flush()
        writer = threading.Thread(target=write)
        writer.start()
        answers = []
        for _ in texts:
            line = self.child.stdout.readline()
            if not line:
                raise RuntimeError(f"the judge ended at: {texts[len(answers)]}")
            answers.append(json.loads(line))
        writer.join()
        return answers

    def close(self):
        self.child.stdin.close()
        self.child.wait()


class Flink(Judge):
    def __init__(self, version, mode="parse"):
        options = ["-Xmx900m", "-XX:+UseSerialGC", "-Xshare:auto", "-Dlog4j2.level=OFF"]
        super().__init__(["java", *options, "-cp", class_path(version), "FlinkOracle", mode])


class Ours(Judge):
    def __init__(self, version, mode="parse"):
        super().__init__([os.path.join(os.environ.get("BUILD", "build"), "oracle", "ours"), mode, version])


def labels(version, texts, fresh=None, mode="parse"):
    """Flink's answers; asked once per version and list of texts."""
    digest = hashlib.sha256()
    with open(os.path.join(HERE, "FlinkOracle.java"), "rb") as f:
        digest.update(f.read())
    for text in texts:
        digest.update(text.encode("utf-8", "surrogatepass") + b"\0")
    path = os.path.join(CACHE, version, f"{mode}-" + digest.hexdigest()[:32] + ".jsonl")
    if os.path.exists(path) and not fresh:
        with open(path, encoding="utf-8") as f:
            kept = [json.loads(line) for line in f]
        if len(kept) == len(texts):
            return kept
    flink = Flink(version, mode)
    answers = flink.ask(texts)
    flink.close()
    with tempfile.NamedTemporaryFile("w", dir=os.path.dirname(path), delete=False, encoding="utf-8") as half:
        for answer in answers:
            half.write(json.dumps(answer) + "\n")
    os.rename(half.name, path)
    return answers


def known_classes():
    """Differences with a name: known.jsonl."""
    with open(os.path.join(HERE, "known.jsonl"), encoding="utf-8") as f:
        return [json.loads(line) for line in f if line.strip()]


def same_place(flink, ours):
    """Where Flink says, or the token behind it: its lookahead makes it point one early."""
    if "line" not in flink or not flink["line"]:
        return True
    if flink.get("eof"):
        return ours["end"]
    here = (flink["line"], flink["col"])
    return here == (ours["line"], ours["col"]) or here == (ours.get("pline"), ours.get("pcol"))


def short(text, n=160):
    text = re.sub(r"\s+", " ", text)
    return text if len(text) <= n else text[:n] + "..."
