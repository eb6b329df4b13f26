# SPDX-License-Identifier: Apache-2.0
"""The statement scripts of the gateway's own tests, as they are published, with the output that they expect. What Flink's own gateway does
not answer so before this cluster (test-only connectors and catalogs, plans) must be as that gateway has it. Only in test-all."""
import os
import re
import subprocess
import tempfile
import time
import zipfile

import pytest

import harness
import stock
from test_gateway import ask

FOLDER = os.path.join(stock.CACHE, "oracle", "jars")
# Documented differences (docs/sessions.md): what a session was given is shown, not the server's configuration; what is refused.
OTHERWISE = re.compile(r"set|compile .*|execute plan .*|explain plan .*", re.I | re.S)


def published(version):
    """The published test jar of the gateway."""
    gateway = stock.GATEWAY[version]
    path = os.path.join(FOLDER, f"flink-sql-gateway-{gateway}-tests.jar")
    if not os.path.exists(path):
        os.makedirs(FOLDER, exist_ok=True)
        subprocess.run(["mvn", "-q", "-B", "dependency:copy", f"-Dartifact=org.apache.flink:flink-sql-gateway:{gateway}:jar:tests", f"-DoutputDirectory={FOLDER}",
                        "-Dmdep.useBaseVersion=true"], check=True, stdout=subprocess.DEVNULL, cwd=tempfile.gettempdir())
    return path


def scripts(version):
    """{name: [(statement, expected text, "ok" | "info" | "error")]}"""
    found = {}
    with zipfile.ZipFile(published(version)) as jar:
        for name in sorted(n for n in jar.namelist() if re.fullmatch(r"sql/\w+\.q", n)):
            text = "\n".join(line for line in jar.read(name).decode().split("\n") if not line.startswith("#"))
            blocks = re.findall(r"(.*?)\n!output\n(.*?)\n?!(ok|info|error)\n", text + "\n", re.S)
            found[os.path.basename(name)] = [(sql.strip().removesuffix(";"), want, end) for sql, want, end in blocks]
    return found


def cells(text):
    """A drawn table as lists of cells, without blanks around them; anything else as its lines."""
    lines = text.strip("\n").split("\n")
    if not lines[0].startswith("+--"):
        return [line.rstrip() for line in lines if line.strip()]
    return [[c.strip() for c in line.strip("|").split("|")] for line in lines if line.startswith("|")]


def plain(value):
    text = re.sub(r"\b[0-9a-f]{32}\b", "<job>", value)
    return re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "<handle>", text)


def shown(base, session, sql):
    """What the tests' printer makes of an answer: (cells or lines, "ok" | "info" | "error")."""
    status, body = ask(base, "POST", f"/v3/sessions/{session}/statements", {"statement": sql})
    assert status == 200, body
    path = f"/v3/sessions/{session}/operations/{body['operationHandle']}/result/0?rowFormat=PLAIN_TEXT"
    columns, rows, query, job, deadline = [], [], False, False, time.monotonic() + 120
    while path:
        assert time.monotonic() < deadline, f"no end: {sql}"
        status, page = ask(base, "GET", path)
        if status != 200:
            text = page["errors"][-1].rsplit("Caused by: ", 1)[-1].split("\n\tat ")[0]
            return [plain(line.rstrip()) for line in text.split("\n") if line.strip()], "error"
        path = page.get("nextResultUri")
        if page["resultType"] == "NOT_READY":
            time.sleep(0.02)
            continue
        columns = [c["name"] for c in page["results"]["columns"]]
        query, job = page["isQueryResult"], page.get("jobID") and not page["isQueryResult"]
        rows += [[r["kind"], *(("<NULL>" if query else "") if f is None else f for f in r["fields"])] for r in page["results"]["data"]]
    if job:
        return ["Job ID:"], "info"
    if columns == ["result"] and len(rows) == 1 and ("\n" in rows[0][1]):
        return [plain(line.rstrip()) for line in rows[0][1].split("\n") if line.strip()], "ok"
    kinds = {"INSERT": "+I", "UPDATE_BEFORE": "-U", "UPDATE_AFTER": "+U", "DELETE": "-D"}
    streaming = query and ask(base, "GET", f"/v3/sessions/{session}")[1]["properties"].get("execution.runtime-mode", "streaming").lower() != "batch"
    head = ["op", *columns] if streaming else columns
    if not rows:
        return ["Empty set"], "ok"
    return [head, *([kinds[r[0]], *(f.strip() for f in r[1:])] if streaming else [plain(f.strip()) for f in r[1:]] for r in rows)], "ok"


def apart(line):
    """Without what differs by itself: the two folders, and the numbers of a plan's nodes, which count up in a JVM."""
    return re.sub(r"\[\d+\]|\"id\" : \d+", "<node>", re.sub(r"(ours|theirs)/", "", line))


def uncounted(line):
    """As the tests have a plan: without the numbers of its nodes."""
    return re.sub(r'(?<=\[)\d+(?=\])|(?<="id" : )\d+', "", line) if isinstance(line, str) else line


def same(got, want, sql):
    """Rows of a query have no order; of an error the first line counts."""
    if got[1] != want[1]:
        return False
    if got[1] == "error":  # the tests write 0 for the line of a place
        return got[0][:1] == want[0][:1] or [re.sub(r" at line \d+,", " at line 0,", line) for line in got[0][:1]] == want[0][:1]
    if got[0][:1] and got[0][0][:1] == ["op"] and want[0][:1] and want[0][0][:1] != ["op"] and sql.lower().startswith("execute"):
        got = [row[1:] for row in got[0]], got[1]  # to the tests an EXECUTE is no query, and has no kinds of rows
    if re.match(r"\s*(select|execute\s+select|values|with)\b", sql, re.I):
        return got[0][:1] == want[0][:1] and sorted(got[0][1:], key=str) == sorted(want[0][1:], key=str)
    return got[0] == want[0] or [uncounted(line) for line in got[0]] == want[0]


@pytest.mark.skipif(not harness.FULL, reason="in test-all")
def test_the_gateways_own_scripts(ours, theirs, flink, tmp_path):
    wrong, counts = [], {"expected": 0, "as stock": 0, "left out": 0}
    for name, blocks in scripts(harness.PATCH[flink]).items():
        sessions = [ask(base, "POST", "/v3/sessions", {"properties": {}})[1]["sessionHandle"] for base in (ours, theirs)]
        for sql, expected, end in blocks:
            texts = []
            for i, where in enumerate(("ours", "theirs")):
                folder = tmp_path / where / name
                folder.mkdir(parents=True, exist_ok=True)
                texts.append(re.sub(r"\$VAR_(\w+)", lambda m, folder=folder: str(folder / m[1]), sql))
            if OTHERWISE.fullmatch(sql):
                counts["left out"] += 1
                continue
            got, reference = shown(ours, sessions[0], texts[0]), shown(theirs, sessions[1], texts[1])
            want = ([plain(line) for line in cells(expected)] if not expected.startswith("+--") else cells(expected), end)
            if same(got, want, sql):
                counts["expected"] += 1
                continue
            got, reference = (([apart(str(line)) for line in x[0]], x[1]) for x in (got, reference))
            if same(got, reference, sql):
                counts["as stock"] += 1
                print(f"as stock, not as expected: {name}: {sql[:120]!r}")
            else:
                wrong.append(f"{name}: {sql[:300]}\n  expected: {want}\n  stock: {reference}\n  sluice: {got}")
        for base, session in zip((ours, theirs), sessions):
            ask(base, "DELETE", f"/v3/sessions/{session}")
    print(f"{counts}, {len(wrong)} otherwise")
    assert not wrong, f"{counts}, {len(wrong)} otherwise:\n" + "\n".join(wrong)
