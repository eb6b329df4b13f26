#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the seeds of fuzz_frames into tests/fuzz/corpus/frames: one valid stream per kind of frame and type."""
import os
import struct
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "e2e", "results"))
import wire as w  # noqa: E402  the peer of the tests


def result(name, sql, t, *values):
    cols = [("c", sql, t)]
    return name, w.columns(cols) + w.rows(0, [w.row(cols, [v], i % 4) for i, v in enumerate(values)]) + w.finish(len(values))


SEEDS = [
    ("hello", w.hello(w.SINK, "0123456789abcdef" * 4, 3)),
    ("probe", w.hello(w.PROBE)),
    ("runner", w.frame(w.TASK_GET) + w.frame(w.BEGIN, struct.pack(">I", 1)) + w.frame(w.DONE, struct.pack(">I", 1) + w.text("0" * 32))
     + w.frame(w.FAILED, struct.pack(">I", 2) + w.text('{"chain":[]}') + w.text("at x")) + w.frame(w.END, b"\1") + w.frame(w.HEARTBEAT)),
    ("sink-error", w.frame(w.SINK_ERROR, w.text("cell-too-large") + w.text("too large") + w.text("c"))),
    result("ints", "INT", w.INT, 1, -1, None),
    result("small", "TINYINT", w.TINYINT, 1),
    result("bigint", "BIGINT", w.BIGINT, 1 << 62),
    result("double", "DOUBLE", w.DOUBLE, "1.0E10", "NaN", "-Infinity"),
    result("decimal", "DECIMAL(10, 2)", w.DECIMAL(10, 2), "1.50", "-100.00", "0.00"),
    result("string", "STRING", w.STRING, "a\"\\\n\x01", "ünï"),
    result("bytes", "BYTES", w.BYTES, b"\0\xff"),
    result("date", "DATE", w.DATE, 0, -719162),
    result("time", "TIME(3)", w.TIME(3), 43963120),
    result("timestamp", "TIMESTAMP(9)", w.TIMESTAMP(9), (0, 1), (-1, 999999)),
    result("ltz", "TIMESTAMP_LTZ(3)", w.TIMESTAMP(3, True), (1577836800120, 0)),
    result("months", "INTERVAL YEAR TO MONTH", w.MONTHS, -5),
    result("millis", "INTERVAL DAY TO SECOND", w.MILLIS, 123456789),
    result("array", "ARRAY<INT>", w.ARRAY(w.INT), [1, None], []),
    result("map", "MAP<STRING, INT>", w.MAP(w.STRING, w.INT), [("k", 1), (None, None)]),
    result("intmap", "MAP<INT, BOOLEAN>", w.MAP(w.INT, w.BOOLEAN), [(1, 1)]),
    result("multiset", "MULTISET<STRING>", w.MULTISET(w.STRING), [("e", 2)]),
    result("row", "ROW<a INT, b STRING>", w.ROW(("a", w.INT), ("b", w.STRING)), (1, "x"), (None, None)),
    result("structured", "T", w.ROW(("a", w.INT), code=23), (1,)),
    result("other", "VARIANT", w.OTHER("VARIANT"), w.Text("{}"), None),
    result("deep", "ARRAY<MAP<STRING, ROW<a ARRAY<TIMESTAMP_LTZ(3)>>>>", w.ARRAY(w.MAP(w.STRING, w.ROW(("a", w.ARRAY(w.TIMESTAMP(3, True)))))),
           [[("k", ([(0, 0)],))]]),
]

folder = os.path.join(HERE, "corpus", "frames")
os.makedirs(folder, exist_ok=True)
for name, data in SEEDS:
    with open(os.path.join(folder, name), "wb") as f:
        f.write(data)
