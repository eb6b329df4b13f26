#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The part of `make lint` that reads text: dependency order of the rooms, banned functions, layout, lengths, words that
must not be in the tree, a page for every slug. With --tap it speaks TAP (one test per check) for the test groups."""
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
os.chdir(ROOT)

# From the top down; the Makefile's ROOMS is the same list, and that is checked.
ROOMS = ["gateway/cli", "gateway/flinkgw", "gateway/api", "gateway/session", "gateway/jobs", "gateway/results", "gateway/target", "gateway/auth", "gateway/front",
         "runtime-image", "catalog", "catalog/maven", "store", "sqlparse", "sys", "base"]
# sqlparse is pure: it also builds to WebAssembly. base is freestanding.
NOT_FOR = {"sqlparse": {"sys"}}
BASE_SYSTEM_HEADERS = re.compile(r"#include <(unistd|fcntl|pthread|dirent|netdb|poll|signal|sys/(?!random)\w+|netinet/\w+|arpa/\w+|uv|curl/\w+|sqlite3)\.h>")
BANNED = ["sprintf", "vsprintf", "strcpy", "strcat", "strtok", "atoi", "atol", "gets", "alloca", "strncpy", "strncat", "localtime",
          "gmtime", "system", "popen", "tmpnam", "mktemp", "asctime", "ctime", "rand", "setjmp", "longjmp"]
BANNED_CALL = re.compile(r"(?<![\w.>])(" + "|".join(BANNED) + r")\s*\(")
PARTS = {"sqlparse/engine.h"}  # the tail of grammar.y, not a header
MAX_LINES = 1500
WORDS = [
    (r"\bTODO\b|\bFIXME\b|\bXXX\b|\bHACK\b", "work left undone"),
    (r"/home/\w+|/root/|/work/", "a path of one machine"),
    (r"\bissue #?\d+|\bissues? show\b|(?<![&\w])#\d{1,4}\b(?![0-9a-fA-F])", "an issue number"),
    (r"https?://(?!127\.0\.0\.1|localhost|www\.apache\.org/licenses|sluice\.example|\w+\.example)[\w.-]*(pypi|pythonhosted|maven\.org|npmjs|crates\.io|golang\.org|debian\.org)", "a registry's host"),
]
# Where a default of the configuration is a host.
HOSTS_ALLOWED = re.compile(r"^(runtime-image/|sys/|gateway/cli/config)")
TEXT = re.compile(r"\.(c|h|y|def|java|py|sh|mk|md|txt|sql|yaml|yml|json|1|5|7)$|(^|/)(Makefile|run|plants|trixie)$")


def files():
    out = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard"], capture_output=True, text=True, check=True).stdout
    return [f for f in out.splitlines() if not f.startswith("third_party/") and os.path.isfile(f)]


def read(path):
    with open(path, encoding="utf-8", errors="replace") as f:
        return f.read()


def strip_comments(text):
    """Comments and string literals become blanks; lines stay where they are."""
    pattern = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)
    return pattern.sub(lambda m: re.sub(r"[^\n]", " ", m[0]), text)


def room_of(path):
    best = ""
    for room in ROOMS:
        if path.startswith(room + "/") and len(room) > len(best):
            best = room
    return best


def check_rooms():
    make = re.search(r"^ROOMS := ((?:.*\\\n)*.*)$", read("Makefile"), re.M)[1].replace("\\\n", " ").split()
    if make != ROOMS:
        yield f"Makefile: ROOMS differs from tools/lint.py: {make}"
    for path in files():
        if not re.search(r"\.[chy]$", path):
            continue
        room = room_of(path)
        if path.startswith("gateway/") and not room:
            yield f"{path}: its folder is no room of ROOMS"
        if not room:
            continue
        for number, line in enumerate(read(path).splitlines(), 1):
            match = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
            if match:
                target = match[1]
                if "/" not in target:
                    yield f"{path}:{number}: includes are written from the root: \"{room}/{target}\""
                    continue
                other = room_of(target)
                if not other:
                    yield f"{path}:{number}: includes {target}, which is in no room"
                elif ROOMS.index(other) < ROOMS.index(room):
                    yield f"{path}:{number}: {room} may not know {other}, which lies above it"
                elif other in NOT_FOR.get(room, ()):
                    yield f"{path}:{number}: {room} takes nothing from {other}"
            if room == "base" and BASE_SYSTEM_HEADERS.match(line):
                yield f"{path}:{number}: base is freestanding: no files, sockets or threads"


def check_headers():
    seen = {}
    for path in files():
        if not path.endswith(".h") or not room_of(path) or path in PARTS:
            continue
        match = re.search(r"^#ifndef (SLUICE_\w+_H)\n#define (SLUICE_\w+_H)\n", read(path), re.M)
        if not match or match[1] != match[2]:
            yield f"{path}: no include guard SLUICE_..._H"
        elif match[1] in seen:
            yield f"{path}: has the include guard of {seen[match[1]]}"
        else:
            seen[match[1]] = path


def check_banned():
    for path in files():
        if not re.search(r"\.[chy]$", path):
            continue
        for number, line in enumerate(strip_comments(read(path)).splitlines(), 1):
            match = BANNED_CALL.search(line)
            if match:
                yield f"{path}:{number}: {match[1]}() is banned"


def check_spdx():
    for path in files():
        if re.search(r"\.([chy]|def|java|py|sh)$", path) and os.path.getsize(path):
            if "SPDX-License-Identifier: Apache-2.0" not in read(path)[:400]:
                yield f"{path}: no SPDX line at the top"


def check_length():
    for path in files():
        if re.search(r"\.([chy]|java|py|sh)$", path):
            count = read(path).count("\n")
            if count > MAX_LINES:
                yield f"{path}: {count} lines; the limit is {MAX_LINES}"
        if re.search(r"\.[chy]$", path):
            for number, line in enumerate(read(path).splitlines(), 1):
                if line != line.rstrip():
                    yield f"{path}:{number}: blanks at the end of the line"


def check_words():
    for path in files():
        if not TEXT.search(path) or path in ("tools/lint.py", "LICENSE", "tests/trixie") or path.startswith(("tests/golden/", "tests/fuzz/corpus/", "tests/unit/runtime-image/")):
            continue
        for number, line in enumerate(read(path).splitlines(), 1):
            for pattern, what in WORDS:
                match = re.search(pattern, line)
                if match and not (what == "a registry's host" and HOSTS_ALLOWED.match(path)):
                    if what == "an issue number" and re.search(r"\.(json|sql|css|ts|sh|mk)$|Makefile", path):
                        continue
                    yield f"{path}:{number}: {what}: {match[0]}"


def slugs():
    return re.findall(r'^SL_CODE\(\w+, "([a-z0-9-]+)", (\d+), "(\w{5})", (\d+)\)', read("base/codes.def"), re.M)


def check_codes():
    lines = [x for x in read("base/codes.def").splitlines() if x.startswith("SL_CODE(")]
    found = slugs()
    if len(lines) != len(found):
        yield "base/codes.def: a line is not in the form SL_CODE(NAME, \"slug\", http, \"sqlstate\", exit)"
    seen = set()
    for slug, http, _, status in found:
        if slug in seen:
            yield f"base/codes.def: '{slug}' is there twice"
        seen.add(slug)
        if not 400 <= int(http) <= 599 or int(status) not in (1, 2, 3, 4, 5, 6, 124, 130):
            yield f"base/codes.def: '{slug}' has HTTP {http}, exit {status}"
    if os.path.isdir("docs/errors"):
        for slug in sorted(seen):
            page = f"docs/errors/{slug}.md"
            if not os.path.exists(page):
                yield f"{page}: missing (every slug has a page)"
        for page in sorted(os.listdir("docs/errors")):
            if page.endswith(".md") and page not in ("README.md", "index.md") and page[:-3] not in seen:
                yield f"docs/errors/{page}: no such slug in base/codes.def"


def check_layout():
    tool = os.environ.get("CLANG_FORMAT") or "clang-format-14"
    paths = [f for f in files() if re.search(r"\.[ch]$", f)]
    for i in range(0, len(paths), 40):
        out = subprocess.run([tool, "--dry-run", "-Werror", *paths[i:i + 40]], capture_output=True, text=True)
        if out.returncode:
            bad = sorted(set(re.findall(r"^([^:\n]+):\d+:\d+: error", out.stderr, re.M)))
            for path in bad or [out.stderr.strip()[:200]]:
                yield f"{path}: not laid out as .clang-format says (make format)"


def check_markdown_links():
    for path in files():
        if not path.endswith(".md"):
            continue
        text = re.sub(r"```.*?```", "", read(path), flags=re.S)
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text):
            if re.match(r"[a-z]+:", target):
                continue
            if not os.path.exists(os.path.normpath(os.path.join(os.path.dirname(path), target))):
                yield f"{path}: link to {target}, which is not there"


CHECKS = [("rooms depend downwards only", check_rooms), ("include guards", check_headers), ("banned functions", check_banned),
          ("SPDX lines", check_spdx), ("lengths", check_length), ("words that must not be here", check_words),
          ("slugs and their pages", check_codes), ("layout", check_layout), ("links in the documents", check_markdown_links)]


def main():
    tap = "--tap" in sys.argv
    bad = 0
    if tap:
        print(f"1..{len(CHECKS)}")
    for number, (name, check) in enumerate(CHECKS, 1):
        found = list(check())
        bad += len(found)
        for line in found:
            print(("# " if tap else "lint: ") + line)
        if tap:
            print(f"{'not ok' if found else 'ok'} {number} - {name}", flush=True)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
