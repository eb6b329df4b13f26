#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the services of a connector's manifest anew, asked of its jars: tools/harvest/connectors.py --flink FOLDER FILE.yaml...
FOLDER holds unpacked Flinks, one a version (1.20.5/lib/...). Of a file everything above "services:" is kept; the jars named
there are fetched by `sluice artifact resolve`, a JVM with each Flink's lib/ and those jars loads their factories
(HarvestConnectors.java), and what they say is written below, one line an option. Needs Java and python3-yaml."""
import argparse
import json
import os
import re
import subprocess
import sys

import yaml

HERE = os.path.dirname(os.path.abspath(__file__))
VERSIONS = ("1.20", "2.2", "2.3")
KINDS = {"source": "connector", "sink": "connector", "decode": "format", "encode": "format", "row": "format", "bulk": "format",
         "catalog": "catalog", "module": "module", "model": "model", "filesystem": "filesystem"}


def fetch(sluice, coordinates, alone):
    """Paths of the jars, with what their POMs ask for unless they are to be taken alone."""
    more = ["--exclude", "*:*"] if alone else []
    out = subprocess.run([sluice, "artifact", "resolve", "--fetch", *more, *coordinates], stdout=subprocess.PIPE, text=True, check=True).stdout
    return [line.split("\t")[1] for line in out.splitlines() if line]


def rows_of(args, head, version):
    flinks = [name for name in os.listdir(args.flink) if name.startswith(version + ".")]
    flink = os.path.join(args.flink, flinks[0])
    if head.get("distribution"):
        jars = ["-"]
    else:
        jars = []
        for how in ("fat", "plugin", "thin"):
            named = (head.get(how) or {}).get(version)
            jars += fetch(args.sluice, named, how != "thin") if named else []
        if jars and head.get("also"):
            jars += fetch(args.sluice, head["also"], True)
    if not jars:
        return []
    command = [*args.java.split(), os.path.join(HERE, "HarvestConnectors.java"), flink, *jars]
    return [json.loads(line) for line in subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()]


def kinds_of(row):
    return list(dict.fromkeys(KINDS[role] for role in row["roles"])) if "broken" not in row and row.get("name") else []


def gather(args, head):
    """(kind, name) -> version -> what its factories say together."""
    services = {}
    for version in VERSIONS:
        for row in rows_of(args, head, version):
            if "broken" in row:
                print(f"  {version}: {row['class']}: {row['broken']}", file=sys.stderr)
            for kind in kinds_of(row):
                one = services.setdefault((kind, row["name"]), {}).setdefault(version, {"roles": [], "prefixes": set(), "options": {}, "rows": 0, "checks": False})
                one["roles"] += [r for r in row["roles"] if KINDS[r] == kind and r not in one["roles"]]
                one["prefixes"] |= {p for p in row.get("prefixes", []) if p not in ("key.", "value.") and not p.startswith("table.")} if kind == "connector" else set()
                one["checks"] |= row["refuses"] if "refuses" in row else bool(row.get("checks"))
                if row.get("said"):
                    print(f"  {version}: {row['name']} says of a key that nobody knows: {row['said']}", file=sys.stderr)
                for what in ("required", "optional"):
                    for option in row.get(what, []):
                        known = one["options"].setdefault(option["key"], dict(option, needed=0))
                        known["needed"] += what == "required"
                        known["words"] = list(dict.fromkeys(known.get("words", []) + option.get("words", [])))
                one["rows"] += 1
    return services


def flow(value):
    if isinstance(value, list):
        return "[" + ", ".join(flow(v) for v in value) + "]"
    return value if re.fullmatch(r"[A-Za-z][\w./-]*", value) and value.lower() not in ("true", "false", "null", "yes", "no", "on", "off", "y", "n") else json.dumps(value, ensure_ascii=False)


def option_lines(versions):
    """One line for each form an option has in some versions."""
    keys = sorted({key for one in versions.values() for key in one["options"]})
    for key in keys:
        forms = {}
        for version, one in versions.items():
            option = one["options"].get(key)
            if option:
                form = {"key": key, "type": option["type"], "default": option.get("default"), "words": option.get("words"), "fallback": option.get("fallback"),
                        "required": option["needed"] == one["rows"]}
                forms.setdefault(json.dumps(form), (form, [], []))
                forms[json.dumps(form)][1].append(version)
                forms[json.dumps(form)][2].append(option.get("help"))
        for form, of, helps in forms.values():
            parts = [f"key: {flow(form['key'])}", f"type: {form['type']}"]
            parts += ["required: true"] if form["required"] else []
            parts += [f"default: {flow(form['default'])}"] if form["default"] is not None else []
            parts += [f"words: {flow(form['words'])}"] if form["words"] else []
            parts += [f"fallback: {flow(form['fallback'])}"] if form["fallback"] else []
            parts += [f"flink: {flow(of)}"] if len(of) < len(versions) else []
            parts += [f"help: {flow(helps[-1])}"] if helps[-1] else []
            yield "      - {" + ", ".join(parts) + "}\n"


def write(path, head_text, services):
    text = head_text + "# What follows is asked of the jars by `make harvest-connectors`; the descriptions are theirs (Apache License 2.0).\nservices:\n"
    for (kind, name), versions in sorted(services.items()):
        roles = list(dict.fromkeys(role for one in versions.values() for role in one["roles"]))
        keys = {key for one in versions.values() for key in one["options"]}
        # below a prefix that options with '#' stand for, not any key is right
        prefixes = sorted(p for p in set().union(*(one["prefixes"] for one in versions.values())) if not any(key.startswith(p + "#") for key in keys))
        text += f"  - name: {flow(name)}\n    kind: {kind}\n    roles: {flow(roles)}\n    flink: {flow(list(versions))}\n"
        text += f"    prefixes: {flow(prefixes)}\n" if prefixes else ""
        text += "" if all(one["checks"] for one in versions.values()) else "    open: true\n"
        lines = "".join(option_lines(versions))
        text += "    options:\n" + lines if lines else ""
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--flink", required=True)
    parser.add_argument("--sluice", default="build/sluice")
    parser.add_argument("--java", default="java")
    parser.add_argument("files", nargs="+")
    args = parser.parse_args()
    for path in args.files:
        text = open(path, encoding="utf-8").read()
        head = re.split(r"^(?:# What follows is asked|services:)", text, flags=re.M)[0]
        print(path, file=sys.stderr)
        services = gather(args, yaml.safe_load(head))
        write(path, head, services)


if __name__ == "__main__":
    main()
