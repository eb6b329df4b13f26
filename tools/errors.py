#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The pages of the errors say what base/codes.def says: title, example, cure, exit code, HTTP status, SQLSTATE; and every
slug that a rule of Flink's errors gives is one of them. Prints what is wrong; part of `make lint`."""
import os
import re
import sys

os.chdir(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CODE = re.compile(r'SL_CODE\((\w+), "([\w-]+)", (\d+), "(\w+)", (\d+)\)')


def main():
    codes = {m[1]: m for m in map(CODE.match, open("base/codes.def", encoding="utf-8")) if m}
    wrong = []
    for m in codes.values():
        page = f"docs/errors/{m[2]}.md"
        if not os.path.exists(page):
            wrong.append(f"{page}: missing")
            continue
        text = open(page, encoding="utf-8").read()
        for want in (f"# {m[2]}\n", "\n## Example\n", "\n## Cure\n",
                     f"\nExit code {m[5]}, HTTP {m[3]}, SQLSTATE {m[4]}.\n"):
            if want not in text:
                wrong.append(f"{page}: lacks '{want.strip()}'")
        if len(text) < 150:
            wrong.append(f"{page}: says nothing")
    for name in re.findall(r"^FE\((\w+),", open("gateway/target/flink_errors.def", encoding="utf-8").read(), re.M):
        if name not in codes:
            wrong.append(f"gateway/target/flink_errors.def: no code {name}")
    for line in wrong:
        print("lint:", line)
    return bool(wrong)


sys.exit(main())
