# SPDX-License-Identifier: Apache-2.0
"""/metrics as Prometheus reads it, and that what happens is what it tells. Runs and rows are asked for in the group serve."""
import os
import re
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from server import Server


def metrics(server):
    """{name with labels: value}; each family is described once, in front of its values."""
    values, family, seen = {}, None, set()
    text = server.ask("GET", "/metrics")[2]
    assert text.endswith("\n")
    for line in text.splitlines():
        if line.startswith("# HELP "):
            family = line.split(" ")[2]
            assert family not in seen and len(line.split(" ")) > 3, line
            seen.add(family)
        elif line.startswith("# TYPE "):
            assert line.split(" ")[2] == family and line.split(" ")[3] in ("gauge", "counter", "histogram"), line
            assert line.endswith("counter") == family.endswith("_total"), line
        else:
            name, value = re.fullmatch(r"(\w+(?:\{\w+=\"[^\"]*\"\})?) ([0-9.]+)", line).groups()
            assert re.sub(r"\{.*|_bucket\{.*|_sum$|_count$", "", name).removesuffix("_bucket") == family and name not in values, line
            values[name] = float(value)
    return values


def wait(what):
    until = time.monotonic() + 20
    while not what():
        assert time.monotonic() < until
        time.sleep(0.02)


def test_what_happens_is_told(tmp_path):
    server = Server(tmp_path, env={"SLUICE_LIMIT_UPLOADS": "1"})
    first = metrics(server)
    assert (first["sluice_sessions"], first["sluice_session_operations"], first["sluice_spool_bytes"], first["sluice_runs_active"]) == (0, 0, 0, 0)
    assert {k for k in first if k.startswith("sluice_runs_health")} == {f'sluice_runs_health{{health="{h}"}}' for h in ("ok", "degraded", "unknown", "down")}
    assert {k for k in first if k.startswith("sluice_lane_depth")} == {f'sluice_lane_depth{{lane="{n}"}}' for n in ("quick", "work", "waits", "large", "uploads", "follow", "db")}
    sessions = [server.ask("POST", "/v1/sessions", {})[2]["sessionHandle"] for _ in range(3)]
    for statement in ("SET 'a' = 'b'", "SET 'c' = 'd'"):
        assert server.ask("POST", f"/v1/sessions/{sessions[0]}/statements", {"statement": statement})[0] == 200
    assert server.ask("DELETE", f"/v1/sessions/{sessions[2]}")[0] == 200
    wait(lambda: metrics(server)["sluice_session_statements"] == 0)
    now = metrics(server)
    assert (now["sluice_sessions"], now["sluice_session_operations"]) == (2, 2)
    commits = [v for k, v in now.items() if k.startswith("sluice_store_commit_seconds_bucket")]
    assert len(commits) == 8 and commits == sorted(commits) and commits[-1] == now["sluice_store_commit_seconds_count"]
    assert now["sluice_store_commit_seconds_count"] >= first["sluice_store_commit_seconds_count"] + 4  # one after the other: none shares a commit
    assert now["sluice_store_commit_seconds_sum"] > first["sluice_store_commit_seconds_sum"]
    assert now["sluice_requests_total"] > first["sluice_requests_total"] and now["sluice_sent_bytes_total"] > first["sluice_sent_bytes_total"]
    bodies = [server.raw(server.head("POST", f"/api/v1/artifacts?name={n}.jar", "Content-Length: 1000") + b"PK") for n in range(3)]
    wait(lambda: metrics(server)['sluice_lane_depth{lane="uploads"}'] == 2)
    assert metrics(server)["sluice_calls"] == 3
    for s in bodies:
        s.close()
    wait(lambda: metrics(server)["sluice_calls"] == 0)
    assert server.stop() == 0
