# SPDX-License-Identifier: Apache-2.0
"""Rows and kinds equal those of the stock SQL gateway, which is asked the same (same_cases.py) on the same cluster: streaming
and batch, parallelism 1 and 4. `make test` asks each question in one of its forms, in turn; `make test-all` in all of them."""
import collections
import csv
import http.client
import io
import itertools
import json
import os
import re

import pytest

import harness
import same_cases as cases
import stock

FUNCTIONS = {"opaque": "shop.Functions$Opaque", "person": "shop.Functions$Person"}
EXPLAINED = {"I": "+I", "UB": "-U", "UA": "+U", "D": "-D"}


def slug(text):
    return re.sub(r"\W+", "-", text).strip("-")


def in_turn(things, name, forms):
    """Every thing in all its forms; all but one of them, another one for each thing, are left to `make test-all`."""
    for i, thing in enumerate(things):
        mine = [f for f in forms if not hasattr(thing, "runtimes") or f[0] in thing.runtimes]
        for n, form in enumerate(mine):
            marks = [] if n == i % len(mine) else [pytest.mark.full]
            yield pytest.param(thing, *form, id=f"{slug(name(thing))}-{'-'.join(map(str, form))}", marks=marks)


FORMS = [("streaming", 4), ("batch", 4), ("streaming", 1), ("batch", 1)]


@pytest.fixture(scope="module")
def folder(sluice):
    path = os.path.join(sluice.folder, "same")
    cases.write_files(path)
    return path


@pytest.fixture(scope="module")
def gateway(sluice, flink, flink_lib):
    sluice.run("SELECT 1;", "--flink", flink).ok()  # the local cluster is up now
    port = None
    for pid in sluice.jvms():
        for one in harness.listening_ports([pid]):
            try:
                if harness.get(f"http://127.0.0.1:{one}/overview", 3)["slots-total"] > 0:
                    port = one
            except (OSError, http.client.HTTPException, ValueError, KeyError):  # the results port, RPC, blobs
                continue
    assert port, "no REST port of the local cluster was found"
    it = stock.StockGateway(harness.PATCH[flink], flink_lib, port)
    yield it
    it.stop()


class Both:
    """Asks us and the stock gateway."""

    def __init__(self, sluice, flink, gateway, jar):
        self.sluice, self.flink, self.gateway, self.jar = sluice, flink, gateway, jar
        self.sessions = {}

    def ours(self, settings, prepare, query):
        text = "".join(f"SET '{k}' = '{v}';\n" for k, v in settings.items()) + "".join(t + ";\n" for t in prepare) + query + ";\n"
        more = ["--jar", self.jar] if self.jar else []
        return self.sluice("run", self.sluice.script(text), "--flink", self.flink, "--mode", "session", "-o", "csv", "--changelog", "on", "--null", "<null>", *more)

    def our_rows(self, settings, prepare, query):
        done = self.ours(settings, prepare, query).ok()
        lines = list(csv.reader(io.StringIO(done.out, newline="")))
        return lines[0][1:], [(line[0], line[1:]) for line in lines[1:]]

    def session(self, settings):
        """One session for each set of settings: made once, as its tables are."""
        key = json.dumps(settings, sort_keys=True)
        if key not in self.sessions:
            session = self.sessions[key] = self.gateway.session()
            session.made = set()
            if self.jar:
                session.execute(f"ADD JAR '{self.jar}'")
            for k, v in settings.items():
                session.execute(f"SET '{k}' = '{v}'")
        return self.sessions[key]

    def their(self, settings, prepare, query):
        session = self.session(settings)
        for statement in prepare:
            if statement not in session.made:
                session.execute(statement)
                session.made.add(statement)
        return session.execute(query, "PLAIN_TEXT")

    def their_rows(self, settings, prepare, query):
        columns, rows = self.their(settings, prepare, query)
        return [c["name"] for c in columns], [(harness.KINDS[kind], ["<null>" if v is None else str(v) for v in fields]) for kind, fields in rows]

    def their_kinds(self, settings, prepare, query):
        """The kinds that the plan announces for its end."""
        _, rows = self.their(settings, prepare, "EXPLAIN CHANGELOG_MODE " + query)
        text = rows[0][1][0]
        modes = re.findall(r"changelogMode=\[([A-Z,]+)\]", text[text.index("== Optimized Physical Plan =="):])
        found = {EXPLAINED[one] for one in modes[0].split(",")} if modes else {"+I"}
        return found | ({"-U"} if "+U" in found else set())  # a reader asks for it, a plan without one leaves it out

    def compare(self, how, settings, prepare, query):
        parallel = settings["parallelism.default"] != "1"
        my_columns, mine = self.our_rows(settings, prepare, query)
        their_columns, theirs = self.their_rows(settings, prepare, query)
        assert my_columns == their_columns, "column names"
        if how == "nothing":
            assert mine == theirs == []
            return
        assert theirs, "the stock gateway gave no row: the test shows nothing"
        if settings["execution.runtime-mode"] == "batch":
            if how == "ordered":
                assert mine == theirs
            assert harness.normal(mine) == harness.normal(theirs)
        elif how == "ordered" or (how.startswith(("stream", "mix")) and not parallel):
            assert mine == theirs
        elif how in ("sum", "mix"):
            assert added_up(mine) == added_up(theirs)
            announced = self.their_kinds(settings, prepare, query)
            assert {kind for kind, _ in mine} <= announced, (announced, collections.Counter(kind for kind, _ in mine))
        else:
            assert harness.normal(mine) == harness.normal(theirs)
            if how.startswith("stream"):
                width = int((how.split() + ["1"])[1])
                for key in {tuple(row[:width]) for _, row in theirs}:
                    assert [r for r in mine if tuple(r[1][:width]) == key] == [r for r in theirs if tuple(r[1][:width]) == key]


def added_up(rows):
    """What a changelog leaves. Nothing is taken back before it was there."""
    left = collections.Counter()
    for kind, values in rows:
        row = json.dumps(values, ensure_ascii=False)
        left[row] += 1 if kind in ("+I", "+U") else -1
        assert left[row] >= 0, f"{kind} {row}, which was not there"
    return +left


@pytest.fixture(scope="module")
def both(sluice, flink, gateway):
    return Both(sluice, flink, gateway, None)


@pytest.fixture(scope="module")
def with_functions(sluice, flink, gateway, udf_jar):
    return Both(sluice, flink, gateway, udf_jar)


def settings_of(runtime, parallelism, more=()):
    return {"execution.runtime-mode": runtime, "parallelism.default": str(parallelism), "table.local-time-zone": "Asia/Kolkata", **dict(more)}


def known(flink, thing):
    if [int(x) for x in flink.split(".")] < [int(x) for x in thing.since.split(".")]:
        pytest.skip(f"Flink {thing.since} and later")


@pytest.mark.parametrize("shape,runtime,parallelism", in_turn(cases.SHAPES, lambda s: s.name, FORMS))
def test_shape(both, flink, folder, shape, runtime, parallelism):
    known(flink, shape)
    both.compare(shape.how, settings_of(runtime, parallelism, shape.settings), list(cases.tables_of(folder, shape.sql)), shape.sql)


@pytest.mark.parametrize("one,runtime,parallelism", in_turn(cases.TYPES, lambda t: t.name, FORMS))
def test_type(both, flink, folder, one, runtime, parallelism):
    """Alone and nested, beside NULLs."""
    known(flink, one)
    both.compare("exact", settings_of(runtime, parallelism), list(cases.tables_of(folder, "nums")), cases.type_query(one))


@pytest.mark.parametrize("sql,columns,rows,since", cases.BEYOND, ids=["raw", "class-of-a-function", "structured"])
def test_types_beyond_stock(with_functions, flink, folder, sql, columns, rows, since):
    """RAW and structured values: the gateway fails to write them down, ours come as text."""
    known(flink, cases.case("", "", "", since=since))
    for runtime, parallelism in FORMS:
        settings = settings_of(runtime, parallelism)
        prepare = list(cases.tables_of(folder, sql)) + [f"CREATE TEMPORARY FUNCTION {name} AS '{of}'" for name, of in FUNCTIONS.items()]
        assert with_functions.our_rows(settings, prepare, sql) == (columns, [("+I", row) for row in rows])
    with pytest.raises(AssertionError):
        with_functions.their_rows(settings, prepare, sql)


@pytest.mark.parametrize("one,runtime,parallelism", in_turn(cases.MULTISETS, lambda t: t.name, FORMS))
def test_multiset(both, one, runtime, parallelism):
    both.compare("exact", settings_of(runtime, parallelism), [], cases.multiset_query(one))


@pytest.mark.parametrize("query,runtime", itertools.product(["FOLDED", "NULLS"], ["streaming", "batch"]))
def test_constants(both, query, runtime):
    both.compare("exact", settings_of(runtime, 1), [], getattr(cases, query))


@pytest.mark.parametrize("shape,runtime,parallelism", in_turn(cases.REFUSED, lambda s: s.name, FORMS))
def test_refused(both, flink, folder, shape, runtime, parallelism):
    """What Flink does not do for its own gateway it does not do for us; rows that came before stay what they were."""
    settings, prepare = settings_of(runtime, parallelism), list(cases.tables_of(folder, shape.sql))
    with pytest.raises(AssertionError, match="org.apache.flink"):
        both.their_rows(settings, prepare, shape.sql)
    done = both.ours(settings, prepare, shape.sql)
    assert done.rc in (1, 3), str(done)
    assert re.search(r"^error\[", done.err, re.M) and not re.search(r"\borg\.apache\.", done.err.splitlines()[0]), done.err
