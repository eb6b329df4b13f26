# SPDX-License-Identifier: Apache-2.0
"""Statements from the description in flink.bnf: random, bounded, the same for the same seed."""
import os
import re

PIECE = re.compile(r"""\s*(?:([a-z][a-z0-9_]*)(?=[\s\]})|]|$)|('(?:[^']|'')*')|([\[\](){}|])|([^\s\[\](){}|']+(?:'(?:[^']|'')*')?))""")


class Grammar:
    """Of the files given, a later rule of a name instead of an earlier one; rules are named texts of such a file."""

    def __init__(self, *files, **rules):
        self.rules = rules
        for file in files or ("flink.bnf",):
            with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), file), encoding="utf-8") as f:
                text = re.sub(r"(?m)^#.*$", "", f.read())
            for name, body in re.findall(r"(?ms)^([a-z][a-z0-9_]*) =(.*?)(?=^[a-z][a-z0-9_]* =|\Z)", text):
                self.rules[name] = body
        for name, body in list(self.rules.items()):
            pieces = [m.groups() for m in PIECE.finditer(body) if m.group().strip()]
            self.rules[name], at = self.choice(name, pieces, 0)
            assert at == len(pieces), (name, pieces[at:at + 3])
        self.low = {}
        for _ in range(60):
            for name, tree in self.rules.items():
                self.low[name] = self.least(tree)
        self.kept = {}

    def choice(self, name, pieces, at):
        options, items = [], []
        while at < len(pieces):
            rule, literal, sign, word = pieces[at]
            at += 1
            if sign == "|":
                options.append(("seq", items))
                items = []
            elif sign in ("[", "(", "{"):
                inner, at = self.choice(name, pieces, at)
                items.append(({"[": "maybe", "(": "one", "{": "many"}[sign], inner))
            elif sign:
                break
            elif rule:
                # a rule of that name, or the small letters themselves
                items.append(("rule", rule) if rule in self.rules else ("text", rule))
            elif literal:
                # '(' is a sign, 'a' a string of SQL: what is no sign keeps its quotes
                inside = literal[1:-1]
                items.append(("text", inside if inside and not re.search(r"\w", inside) and inside != "!" or inside.startswith("{") else literal))
            else:
                items.append(("text", word))
        options.append(("seq", items))
        return ("or", options), at

    def least(self, tree):
        kind, arg = tree
        if kind == "text" or kind in ("maybe", "many"):
            return 0
        if kind == "rule":
            return 1 + self.low.get(arg, 99)
        if kind == "one":
            return self.least(arg)
        found = [self.least(x) for x in arg]
        return (min(found) if kind == "or" else max(found)) if found else 0

    def write(self, tree, depth, dice, out):
        kind, arg = tree
        if kind == "text":
            out.append(arg)
        elif kind == "rule":
            self.write(self.rules[arg], depth - 1, dice, out)
        elif kind == "one":
            self.write(arg, depth, dice, out)
        elif kind == "maybe":
            if depth > 0 and dice.random() < 0.35:
                self.write(arg, depth, dice, out)
        elif kind == "many":
            while depth > 0 and dice.random() < 0.3:
                self.write(arg, depth - 1, dice, out)
        elif kind == "seq":
            for one in arg:
                self.write(one, depth, dice, out)
        else:
            if id(arg) not in self.kept:
                self.kept[id(arg)] = [self.least(x) for x in arg]
            low = self.kept[id(arg)]
            fits = [x for x, least in zip(arg, low) if least < depth] or [arg[low.index(min(low))]]
            self.write(dice.choice(fits), depth, dice, out)

    def statement(self, dice, rule="stmt", depth=None):
        out = []
        self.write(("rule", rule), depth or dice.choice((6, 8, 10, 12, 14, 17)), dice, out)
        text = ""
        for word in out:
            text += word if not text or (word in (".", ")") and dice.random() < 0.5) or text[-1] == "." else " " + word
        return text
