# SPDX-License-Identifier: Apache-2.0
"""sqlglot over a file of {"sql": ...} lines or over one script; a JSON line a pass, CPU seconds of the one thread."""
import json
import logging
import sys
import time

import sqlglot
from sqlglot import exp
from sqlglot.dialects import Hive
from sqlglot.errors import SqlglotError

logging.disable(logging.CRITICAL)
what, path, limit = sys.argv[1], sys.argv[2], float(sys.argv[3])
with open(path, encoding="utf-8") as f:
    texts = [f.read()] if what == "script" else [json.loads(line)["sql"] for line in f]
size = sum(len(t.encode()) for t in texts)
hive = Hive()
end = time.thread_time() + limit
done = 0
while done < 2 or time.thread_time() < end:
    done += 1
    start, taken, taken_bytes = time.thread_time(), 0, 0
    for text in texts:
        try:
            if what == "lex":
                taken += len(hive.tokenize(text))
            else:
                trees = sqlglot.parse(text, read="hive")
                if not any(isinstance(t, exp.Command) for t in trees):  # text that was only wrapped
                    taken += len(trees)
                    taken_bytes += len(text.encode())
        except SqlglotError:
            pass
    print(json.dumps({"seconds": time.thread_time() - start, "statements": len(texts), "taken": taken, "bytes": size, "takenBytes": taken_bytes}), flush=True)
