# SPDX-License-Identifier: Apache-2.0
"""Statements to judge: Flink's published test jars (queries of plan tests, .q files, the strings of test classes that
look like SQL), and mutants of statements. Nothing is kept in the repository; the jars come from Maven Central by
coordinates, once."""
import html
import os
import random
import re
import struct
import subprocess
import tempfile
import zipfile

import oracle

JARS = {
    "1.20.5": ("flink-table-planner_2.12:1.20.4", "flink-sql-gateway:1.20.3"),
    "2.2.1": ("flink-table-planner_2.12:2.2.1", "flink-sql-gateway:2.2.1"),
    "2.3.0": ("flink-table-planner_2.12:2.3.0", "flink-sql-gateway:2.3.0"),
}
FIRST_WORDS = ("SELECT WITH INSERT CREATE ALTER DROP SHOW DESCRIBE DESC EXPLAIN USE SET RESET EXECUTE COMPILE VALUES TABLE CALL "
               "BEGIN END LOAD UNLOAD ADD REMOVE UPDATE DELETE TRUNCATE ANALYZE STOP REPLACE MERGE").split()
TOKEN = re.compile(r"""(?P<skip>\s+|--[^\n]*|//[^\n]*|/\*(?!\+).*?\*/)|(?P<sign>\{\s*(?:fn|d|t|ts)\b|[Uu]&"[^"]*"|END-EXEC)
                   |(?P<str>(?:[NnXxEe]|[Uu]&|_[\w:.-]*)?'(?:[^']|'')*')|(?P<word>[A-Za-z_$][\w$]*)|(?P<tick>`[^`]*`)
                   |(?P<num>\d+(?:\.\d*)?(?:[eE][+-]?\d+)?)|(?P<op><>|<=|>=|!=|=>|\|\||/\*\+|\*/|->|.)""", re.S | re.X)


def test_jar(name):
    """Path of the tests jar of an artifact of Flink; fetched once."""
    artifact, version = name.split(":")
    folder = os.path.join(oracle.CACHE, "jars")
    path = os.path.join(folder, f"{artifact}-{version}-tests.jar")
    if not os.path.exists(path):
        os.makedirs(folder, exist_ok=True)
        subprocess.run(["mvn", "-q", "-B", "dependency:copy", f"-Dartifact=org.apache.flink:{artifact}:{version}:jar:tests", f"-DoutputDirectory={folder}",
                        "-Dmdep.useBaseVersion=true"], check=True, stdout=subprocess.DEVNULL, cwd=tempfile.gettempdir())
    return path


def class_strings(data):
    """The string constants of a class file."""
    count, = struct.unpack_from(">H", data, 8)
    at, index, texts, strings = 10, 1, {}, []
    sizes = {3: 4, 4: 4, 5: 8, 6: 8, 7: 2, 8: 2, 9: 4, 10: 4, 11: 4, 12: 4, 15: 3, 16: 2, 17: 4, 18: 4, 19: 2, 20: 2}
    while index < count:
        tag = data[at]
        if tag == 1:
            n, = struct.unpack_from(">H", data, at + 1)
            texts[index] = data[at + 3:at + 3 + n]
            at += 3 + n
        else:
            if tag == 8:
                strings.append(struct.unpack_from(">H", data, at + 1)[0])
            at += 1 + sizes[tag]
        index += 2 if tag in (5, 6) else 1
    for ref in strings:
        try:
            yield texts[ref].decode("utf-8")
        except UnicodeDecodeError:
            pass


def looks_like_sql(text):
    word = re.match(r"\s*\(*\s*([A-Za-z]+)\s", text)
    return bool(word) and word[1].upper() in FIRST_WORDS and "\x01" not in text and len(text) < 4000


def cut_q(text):
    """Statements of a .q file: comments and the answers between them left out, cut at ';' at a line's end."""
    piece = []
    for line in text.split("\n"):
        if line.startswith(("#", "!", "[", "+", "|")) or (not piece and not looks_like_sql(line + " ")):
            piece = []
            continue
        piece.append(line)
        if line.rstrip().endswith(";"):
            yield "\n".join(piece).strip().rstrip(";")
            piece = []


def statements(version):
    """[(name, statement)] of one version's jars, each text once."""
    planner, gateway = (test_jar(name) for name in JARS[version])
    found = {}

    def add(group, texts):
        for text in texts:
            if text.strip():
                found.setdefault(text, group)
    with zipfile.ZipFile(planner) as z:
        for name in sorted(z.namelist()):
            if name.endswith(".xml"):
                add("plan tests", (html.unescape(t) if not cdata else t for cdata, t in
                                   re.findall(r'<Resource name="sql">\s*(<!\[CDATA\[)?(.*?)(?:\]\]>)?\s*</Resource>', z.read(name).decode("utf-8"), re.S)))
        for name in sorted(z.namelist()):
            if name.endswith(".class"):
                add("test classes", filter(looks_like_sql, class_strings(z.read(name))))
    with zipfile.ZipFile(gateway) as z:
        for name in sorted(z.namelist()):
            if name.endswith(".q"):
                add(".q files", cut_q(z.read(name).decode("utf-8")))
    return [(group, text) for text, group in found.items()]


def tokens(text):
    return [(m.lastgroup, m.start(), m.end()) for m in TOKEN.finditer(text) if m.lastgroup != "skip"]


def mutate(text, dice, words):
    """One change to one token; None when it changed nothing."""
    toks = tokens(text)
    if len(toks) < 3:
        return None
    kind, a, b = dice.choice(toks)
    tok = text[a:b]
    how = dice.randrange(12)
    if how < 2:
        return text[:a] + text[b:]
    if how == 2:
        return text[:b] + " " + tok + text[b:]
    if how == 3:
        _, c, d = dice.choice(toks)
        a, b, c, d = (a, b, c, d) if a < c else (c, d, a, b)
        return None if b > c else text[:a] + text[c:d] + text[b:c] + text[a:b] + text[d:]
    if how == 4:
        return text[:a].rstrip()
    if how == 5:
        return text[:a] + dice.choice(words) + " " + text[a:]
    if how == 6:
        return text[:a] + dice.choice(words) + text[b:]
    if how == 7:
        return text[:a] + dice.choice(["(", ")", ",", ";", "'", '"', "`", "=", "*", ".", "-", "<", "[", "]", "{", "?", ":"]) + text[a:]
    if how == 8 and kind == "str":
        return text[:b - 1] + text[b:] if dice.random() < 0.5 else text[:a] + '"' + text[a + 1:b - 1] + '"' + text[b:]
    if how <= 10 and len(tok) > 2 and kind == "word":
        k = dice.randrange(1, len(tok) - 1)
        return text[:a] + dice.choice([tok[:k] + tok[k + 1:], tok[:k] + tok[k - 1:], tok[:k] + tok[k + 1] + tok[k] + tok[k + 2:]]) + text[b:]
    _, c, d = dice.choice(toks)
    return text[:a] + text[c:d] + text[b:]


def vocabulary():
    """The words of all versions, from our own list."""
    with open(os.path.join(oracle.ROOT, "sqlparse", "keywords.txt"), encoding="utf-8") as f:
        return [line.split()[0] for line in f if line.strip() and not line.startswith("#")]


def mutants(texts, count, seed):
    dice, seen, words = random.Random(seed), set(texts), vocabulary()
    texts = [t for t in texts if len(t) < 1500]
    out = []
    while len(out) < count:
        made = mutate(dice.choice(texts), dice, words)
        if made and made.strip() and made not in seen:
            seen.add(made)
            out.append(made)
    return out
