# SPDX-License-Identifier: Apache-2.0
"""The part `language` of `make bench`: lexer, parser and checks in one process each, on one core, beside Flink's own parser in a
warm JVM, sqlparser-rs, dt-sql-parser and sqlglot, in the same run and on the same files. Seconds are CPU seconds of the thread
that parses. The statements are those that Flink takes, of its published test jars and of our golden files, drawn with a seed."""
import glob
import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile

from measure import ROOT, Skipped, note, spread, table

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "language")
sys.path.insert(0, os.path.join(ROOT, "tests"))
sys.path.insert(0, os.path.join(ROOT, "tests", "oracle"))
import stock  # noqa: E402

CACHE = os.path.join(stock.CACHE, "bench")
SQLGLOT = ("sqlglot==30.30.0", "sqlglotc==30.30.0")
DT = {"dependencies": {"dt-sql-parser": "4.5.1", "esbuild": "*"}}


def kept(name, files, make):
    """A folder under the cache for what is built from these files; made once, whole or not at all."""
    digest = hashlib.sha256()
    for text in files:
        digest.update(text.encode())
    folder = os.path.join(CACHE, f"{name}-{digest.hexdigest()[:12]}")
    if not os.path.isdir(folder):
        os.makedirs(CACHE, exist_ok=True)
        half = tempfile.mkdtemp(prefix=f".{name}-", dir=CACHE)
        try:
            make(half)
            os.rename(half, folder)
        except (OSError, subprocess.CalledProcessError) as e:
            shutil.rmtree(half, ignore_errors=True)
            words = getattr(e, "stderr", None) or str(e)
            raise Skipped(f"{name} cannot be had: {words.strip().splitlines()[-1][:200] if words.strip() else e}") from None
    return folder


def run(*argv, **kw):
    return subprocess.run(argv, check=True, capture_output=True, text=True, **kw)


def text_of(*path):
    with open(os.path.join(HERE, *path), encoding="utf-8") as f:
        return f.read()


def flink_command(version):
    import oracle
    jars = oracle.class_path(version).split(":", 1)[1]

    def make(folder):
        run("javac", "-nowarn", "-proc:none", "-cp", jars, "-d", folder, os.path.join(HERE, "FlinkParse.java"))
    classes = kept(f"flink-{version}", [text_of("FlinkParse.java")], make)
    return ["java", "-Xmx1200m", "-XX:+UseSerialGC", "-Xshare:auto", "-Dlog4j2.level=OFF", "-cp", f"{classes}:{jars}", "FlinkParse"]


def sqlparser_command():
    def make(folder):
        shutil.copytree(os.path.join(HERE, "sqlparser-rs"), os.path.join(folder, "src"))
        run("cargo", "build", "-q", "--release", "--manifest-path", os.path.join(folder, "src", "Cargo.toml"), "--target-dir", os.path.join(folder, "target"))
    folder = kept("sqlparser-rs", [text_of("sqlparser-rs", "Cargo.toml"), text_of("sqlparser-rs", "src", "main.rs")], make)
    return [os.path.join(folder, "target", "release", "bench-sqlparser-rs")]


def sqlglot_command():
    def make(folder):
        run(sys.executable, "-m", "pip", "install", "-q", "--target", folder, *SQLGLOT)
    folder = kept("sqlglot", SQLGLOT, make)
    return ["env", f"PYTHONPATH={folder}", sys.executable, os.path.join(HERE, "sqlglot_parse.py")]


def dt_command():
    def make(folder):
        with open(os.path.join(folder, "package.json"), "w", encoding="utf-8") as f:
            json.dump(DT, f)
        run("npm", "install", "--silent", "--no-audit", "--no-fund", cwd=folder)
        shutil.copy(os.path.join(HERE, "dt_parse.mjs"), folder)
        run(os.path.join(folder, "node_modules", ".bin", "esbuild"), "dt_parse.mjs", "--bundle", "--platform=node", "--format=cjs", "--outfile=dt.cjs", cwd=folder)
    return ["node", os.path.join(kept("dt-sql-parser", [json.dumps(DT), text_of("dt_parse.mjs")], make), "dt.cjs")]


def statements(version):
    """Statements that Flink takes: [text]."""
    import corpus
    import oracle
    texts = [text for _, text in corpus.statements(version)]
    for path in sorted(glob.glob(os.path.join(ROOT, "examples", "*.sql"))):
        with open(path, encoding="utf-8") as f:
            texts += [piece.strip() for piece in f.read().split(";\n") if piece.strip()]
    answers = oracle.labels(version, texts)
    taken = [text for text, answer in zip(texts, answers) if answer.get("ok") and answer.get("stage") == "grammar"]
    extra = os.environ.get("SLUICE_CORPORA", "")
    for path in sorted(glob.glob(os.path.join(extra, "*.jsonl"))) if extra else []:
        with open(path, encoding="utf-8") as f:
            more = [json.loads(line) for line in f]
        taken += [one["sql"] for one in more if one.get("label", {}).get("*", {}).get("ok")]
    return taken


def script(lines):
    """A script of so many lines as people write them: tables, views, jobs, comments, now and then a long query."""
    out = []
    n = 0
    while len(out) < lines:
        out += [f"-- source {n}",
                f"CREATE TABLE orders_{n} (",
                "  id BIGINT NOT NULL,", "  item STRING,", "  price DECIMAL(10, 2), -- in euros", "  ts TIMESTAMP(3),",
                "  WATERMARK FOR ts AS ts - INTERVAL '5' SECOND,", "  PRIMARY KEY (id) NOT ENFORCED",
                ") WITH (", "  'connector' = 'datagen',", "  'rows-per-second' = '10'", ");", "",
                f"CREATE TABLE totals_{n} (item STRING, window_end TIMESTAMP(3), n BIGINT, total DECIMAL(38, 2)) WITH ('connector' = 'print');", "",
                f"CREATE TEMPORARY VIEW dear_{n} AS",
                f"SELECT id, item, price, ts FROM orders_{n}", f"WHERE price > {n % 100} AND item LIKE 'a%' AND id BETWEEN 1 AND 1000;", "",
                f"INSERT INTO totals_{n}", "SELECT item, window_end, COUNT(*) AS n, SUM(price) AS total",
                f"FROM TABLE(TUMBLE(TABLE orders_{n}, DESCRIPTOR(ts), INTERVAL '1' MINUTE))",
                "GROUP BY item, window_start, window_end;", ""]
        n += 1
        block = len(out) // n
    # whole statements only, the rest is filled with comment lines
    while len(out) > lines:
        out = out[:-block]
    out += [f"-- line {i}" for i in range(lines - len(out))]
    return "\n".join(out) + "\n"


def passes(argv):
    done = subprocess.run(argv, capture_output=True, text=True, timeout=600)
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode or not lines:
        raise Skipped(f"{os.path.basename(argv[0])} ended with {done.returncode}: {done.stderr.strip()[-300:]}")
    return lines


def warm(lines):
    """The later passes: of a JVM's first ones most is compilation."""
    return lines[len(lines) * 2 // 3:] if len(lines) > 3 else lines[1:] or lines


def rates(lines, what):
    """[(per second)] of passes."""
    return [line[what] / line["seconds"] for line in lines if line["seconds"] > 0]


def go(args):
    ours = [os.path.join(os.path.dirname(args.bin), "bench", "language")]
    short = ".".join(args.flink.split(".")[:2])
    seconds = args.seconds
    tools = [("Sluice", lambda: ours)]
    for name, get in (("Flink's parser, warm JVM", lambda: flink_command(args.flink)), ("sqlparser-rs (generic)", sqlparser_command),
                      ("sqlglot (hive)", sqlglot_command), ("dt-sql-parser", dt_command)):
        tools.append((name, get))
    folder = tempfile.mkdtemp(prefix="sluice-bench-language-")
    try:
        taken = statements(args.flink)
        dice = random.Random(7)
        dice.shuffle(taken)
        files = {}
        for name, count in (("many", 10000), ("few", 1000)):
            files[name] = os.path.join(folder, name + ".jsonl")
            with open(files[name], "w", encoding="utf-8") as f:
                f.writelines(json.dumps({"sql": taken[i % len(taken)]}, ensure_ascii=False) + "\n" for i in range(count))
        size = sum(len(t.encode()) for t in taken[:10000]) / min(len(taken), 10000)
        note(f"{len(taken):,} distinct statements that Flink {args.flink} takes, {size:.0f} bytes each on average; 10,000 drawn (1,000 for sqlglot and dt-sql-parser). "
             "CPU seconds of one thread.")
        commands = {}
        for name, get in tools:
            try:
                commands[name] = get()
            except Skipped as e:
                note(f"{name}: {e}")
        slow = {"sqlglot (hive)", "dt-sql-parser"}

        def measured(name, what, path, extra=()):
            argv = [*commands[name], what, path, str(seconds * (4 if "JVM" in name else 1)), *extra]
            return passes(argv)

        rows, base = [], None
        for name in commands:
            if "JVM" in name:
                continue  # its tokens are made inside the parser
            lines = warm(measured(name, "lex", files["few" if name in slow else "many"], [short] if name == "Sluice" else ()))
            rate = [r / 1e6 for r in rates(lines, "bytes")]
            base = base or rate
            rows.append([name, spread(rate, "{:.1f}"), ratio(base, rate)])
        table("Lexing", ["", "MB/s (min / median / max)", "Sluice is so many times quicker"], rows)

        rows, base = [], None
        for name in commands:
            whole = measured(name, "parse", files["few" if name in slow else "many"], [short] if name == "Sluice" else ())
            lines = warm(whole)
            share = lines[-1]["taken"] / lines[-1]["statements"]
            # per statement taken, and its bytes: one that a tool refuses early costs it little
            bytes_key = "takenBytes" if "takenBytes" in lines[-1] else "bytes"
            per = [line["taken"] / line["seconds"] for line in lines]
            mega = [line[bytes_key] / line["seconds"] / 1e6 for line in lines]
            base = base or per
            rows.append([name, spread(per, "{:,.0f}"), spread(mega, "{:.1f}"), f"{share * 100:.0f} %", ratio(base, per)])
            if "JVM" in name:
                first = whole[:1]
                rows.append(["  its first pass", f"{rates(first, 'taken')[0]:,.0f}", f"{rates(first, 'bytes')[0] / 1e6:.1f}", "", ratio(base, rates(first, "taken"))])
        table("Parsing with a tree", ["", "statements/s (min / median / max)", "MB/s", "taken", "Sluice is so many times quicker"], rows)

        rows = []
        for count in (100, 1000, 10000):
            path = os.path.join(folder, f"{count}.sql")
            with open(path, "w", encoding="utf-8") as f:
                f.write(script(count))
            base = None
            for name in commands:
                if count > 1000 and name in slow:
                    continue
                argv = [*commands[name], "check" if name == "Sluice" else "script", path, str(seconds / 2 * (4 if "JVM" in name else 1))]
                try:
                    whole = passes(argv + ([short] if name == "Sluice" else []))
                except (Skipped, subprocess.TimeoutExpired) as e:
                    rows.append([f"{count:,} lines", name, f"no answer: {str(e)[:60]}", "", ""])
                    continue
                lines = warm(whole)
                ms = [line["seconds"] * 1000 for line in lines]
                base = base or ms
                what = "full check" if name == "Sluice" else "syntax only"
                refused = "" if lines[-1]["taken"] else ", refused"
                rows.append([f"{count:,} lines", f"{name} ({what}{refused})", spread(ms, "{:.3f}"), f"{whole[0]['seconds'] * 1000:.3f}", "-" if refused else ratio(ms, base)])
                if "arena" in lines[-1]:
                    note(f"{count:,} lines: {lines[-1]['bytes']:,} bytes, {lines[-1]['statements']} statements, {lines[-1]['arena'] / lines[-1]['bytes']:.1f} bytes of memory per byte of input.")
        for count in (1000, 10000):
            lines = warm(passes([*commands["Sluice"], "complete", os.path.join(folder, f"{count}.sql"), str(seconds / 4), short]))
            note(f"Completion behind half a column's name in the middle of {count:,} lines: {spread([line['seconds'] * 1000 for line in lines], '{:.3f}')} ms, {lines[-1]['taken']} items.")
        table("A whole script in one process", ["script", "", "ms (min / median / max)", "first pass, ms", "Sluice is so many times quicker"], rows)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def ratio(mine, theirs):
    """Median of `mine` over the median of `theirs`."""
    import statistics
    return f"{statistics.median(mine) / statistics.median(theirs):.1f}"
