# SPDX-License-Identifier: Apache-2.0
"""Scripts with the verdict of Flink's planner on each statement that may lie beside the repository (semantic.jsonl in ../shared/corpora, or in
$SLUICE_CORPORA): nothing valid is called wrong, mistakes of names and shapes are found at their place, and one mistake is said once. Connectors are told of at CREATE, where Flink
is still content: what is said of them is held against scripts that Flink takes to their end.
Skipped where the file is absent; the product's own cases are tests/golden/semantic, through tests/unit/catalog/semantic.c."""
import bisect
import json
import os
import subprocess

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BIN = os.path.abspath(os.environ.get("SLUICE_BIN", os.path.join(ROOT, "build", "sluice")))
GIVEN = os.path.join(os.environ.get("SLUICE_CORPORA", os.path.join(os.path.dirname(ROOT), "shared", "corpora")), "semantic.jsonl")
pytestmark = pytest.mark.skipif(not os.path.exists(GIVEN), reason="no semantic.jsonl beside the repository")

# What Flink says of names and shapes; the rest are options, connectors and plans.
NAMES = ("not found", "Unknown", "unknown", "No match found", "Ambiguous", "ambiguous", "uplicate", "not being grouped", "Aggregate expression", "umber of", "same number",
         "Cannot apply", "did you mean", "values of type", "Cannot find table", "must have", "does not exist in")


def results(record, version):
    found = record["results"]
    full = {"1.20": "1.20.5", "2.2": "2.2.1", "2.3": "2.3.0"}[version]
    return found.get(full) or (found.get("2") if version[0] == "2" else None) or found.get("*")


def given(version):
    with open(GIVEN, encoding="utf-8") as f:
        # a set over several statements is one to us; variables are not Flink's
        return [r for r in map(json.loads, f) if results(r, version) and not any("BEGIN STATEMENT SET" in s or "${" in s for s in r["statements"])]


def checked(records, version, folder, level):
    """Of each record the errors by statement: [(line, column, end column, message)], lines counted in the statement."""
    starts = {}
    for i, record in enumerate(records):
        text, at = "", []
        for sql in record["statements"]:
            at.append(text.count("\n") + 1)
            text += sql.rstrip().rstrip(";") + "\n;\n"
        starts[f"{i}.sql"] = at
        (folder / f"{i}.sql").write_text(text, encoding="utf-8")
    done = subprocess.run([BIN, "check", "--json", "--flink", version, "--level", level, *starts], cwd=folder, capture_output=True, text=True, timeout=120,
                          env=dict(os.environ, SLUICE_DATA=str(folder / "data"), HOME=str(folder)))
    errors = [{} for _ in records]
    for d in json.loads(done.stdout)["diagnostics"]:
        if d["severity"] == "error":
            at = starts[d["file"]]
            number = bisect.bisect_right(at, d["line"])
            errors[int(d["file"][:-4])].setdefault(number, []).append((d["line"] - at[number - 1] + 1, d["column"], d["endColumn"], d["message"]))
    return errors


def at_place(verdict, error):
    line, column, end, _ = error
    if (verdict["line"], verdict.get("eline", verdict["line"])) != (line, line):
        return verdict["line"] <= line <= verdict.get("eline", verdict["line"])
    return verdict["col"] <= column <= verdict["ecol"] or column <= verdict["col"] < end


@pytest.mark.parametrize("version", ["1.20", "2.2", "2.3"])
def test_as_the_planner_says(version, tmp_path):
    called_wrong, missed, misplaced, followers, mistakes, placed = [], [], [], [], 0, 0
    records = given(version)
    for record, errors in zip(records, checked(records, version, tmp_path, "script")):
        verdicts = results(record, version)
        before = False  # what comes behind a mistake may follow from it
        for number, verdict in enumerate(verdicts, 1):
            said = errors.get(number, [])
            if verdict.get("ok"):
                if said:
                    called_wrong.append((record["id"], number, said))
            elif not before and any(n in verdict.get("msg", "") + verdict.get("root", "") for n in NAMES):
                mistakes += 1
                if not said:
                    missed.append((record["id"], number, verdict["msg"]))
                elif "line" in verdict:
                    placed += 1
                    if not any(at_place(verdict, e) for e in said):
                        misplaced.append((record["id"], number, said, verdict))
            before = before or not verdict.get("ok")
        if record.get("change") and sum(map(len, errors.values())) > 1:
            followers.append((record["id"], errors))
    print(f"Flink {version}: {mistakes} mistakes, {len(missed)} missed, {len(misplaced)} of {placed} elsewhere")
    for one in missed + misplaced:
        print("  ", one)
    assert not called_wrong
    assert not followers
    assert mistakes > 80
    assert len(missed) <= mistakes / 10
    assert len(misplaced) <= placed / 10


@pytest.mark.parametrize("version", ["1.20", "2.2", "2.3"])
def test_what_flink_takes_to_its_end_has_no_error_at_any_level(version, tmp_path):
    taken = [r for r in given(version) if all(v.get("ok") for v in results(r, version))]
    assert len(taken) > 50
    wrong = [(r["id"], errors) for r, errors in zip(taken, checked(taken, version, tmp_path, "full")) if errors]
    assert not wrong
