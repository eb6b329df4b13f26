# SPDX-License-Identifier: Apache-2.0
"""What a person sees, whole, on a terminal: only figures (times, ids, counts) are masked. Steps end at column 64."""
import json
import os
import re
import subprocess
import sys

import pytest

import harness

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "connectors"))
import parts  # noqa: E402

EXAMPLES = os.path.join(harness.ROOT, "examples")
WARM = " warm      local Flink <flink> stays for 30 min; sluice owner stop ends it\n"


def masked(text, flink):
    """Times at the right become <time> (and must end at column 64), ids <run>, the Flink version <flink>."""
    lines = []
    for line in text.splitlines():
        step = re.fullmatch(r"( (?:check|resolve|start|submit|running|finished|prepare)\b.*?) {2,}(\d[\d.]* (?:ms|s|min \d+ s))(  failed)?", line)
        if step:
            assert len(line) - len(step[3] or "") == 64 or len(step[1]) > 52, f"the time does not end at column 64: {line!r}"
            line = f"{step[1]}  <time>{step[3] or ''}"
        line = re.sub(r"\brun [0-9a-f]{8}\b", "run <run>", line)
        line = re.sub(r"\bafter \d+\.\d s\b", "after <time>", line)
        line = re.sub(rf"\b{re.escape(flink)}(\.\d+)?\b", "<flink>", line)
        lines.append(line)
    return "\n".join(lines) + "\n"


def without_start(text):
    """A cold local Flink says that it starts (and the first time that it is prepared)."""
    return re.sub(r"^ (?:start|prepare) .*\n", "", text, flags=re.M)


def test_live_rows_and_ctrl_c(sluice, flink, mode):
    call = sluice.terminal("run", f"{EXAMPLES}/live.sql", "--flink", flink, "--mode", mode)
    call.wait_line(r"^ \+U \| (apple|pear|plum) +\| +[3-9]", 90)
    call.type("\x03")
    done = call.finish(40)
    assert done.rc == 130, str(done)
    said = without_start(masked(done.out, flink))
    rows = re.findall(r"^ (?:\+I|-U|\+U) \| (?:apple|pear|plum ) *\| +\d+$", said, re.M)
    assert len(rows) >= 5
    said = re.sub(r"(^ (?:\+I|-U|\+U) \| (?:apple|pear |plum ) \| +\d+\n)+", "<rows>\n", said, count=1, flags=re.M)
    said = said.replace(" running   its tasks         first", " running   all 2 tasks       first")  # a row was quicker than Flink's REST
    expected = f""" check     2 statements, no errors (Flink <flink>)  <time>
 resolve   datagen: in base local-<flink>  <time>
 submit    SELECT, line 8    run <run>  <time>
 running   all 2 tasks       first row after  <time>

 op | item  |  n
----+-------+----
<rows>
^C
 stopped   run <run>, {len(rows)} rows shown, job ended (it lived only for this terminal)
"""
    if mode == "session":
        assert said == expected + WARM
    else:
        said = re.sub(r"^ submit    live +application, run <run>  <time>\n", "", said, flags=re.M)
        assert said == expected


def test_bounded_script(sluice, flink):
    """The first command's rows and steps: what the quickstart says on a terminal."""
    out = os.path.join(sluice.work, "quick")
    call = sluice.terminal("run", f"{EXAMPLES}/quickstart.sql", "--flink", flink, "--var", f"out={out}")
    done = call.finish(180)
    assert done.rc == 0, str(done)
    said = re.sub(r"^ running .*\n", "", without_start(masked(done.out, flink)), flags=re.M)
    counts = "3 rows out" if flink == "1.20" else "6 rows in, 3 rows out"  # there a source in a chain tells nobody what it read
    assert said == f""" check     6 statements, no errors (Flink <flink>)  <time>
 resolve   filesystem, csv: in base local-<flink>  <time>
 submit    quickstart        run <run>  <time>
 finished  quickstart        {counts}  <time>
 submit    SELECT, line 23   run <run>  <time>

 item  | orders | revenue
-------+--------+---------
 apple |      3 |    4.20
 pear  |      2 |    3.10
 plum  |      1 |    0.90
(3 rows)

""" + WARM


def test_json_events(sluice, flink, mode):
    """One event a line, the members of each in this order; the last is always `result`."""
    out = os.path.join(sluice.work, f"quick-{mode}")
    done = sluice("run", f"{EXAMPLES}/quickstart.sql", "--flink", flink, "--mode", mode, "--var", f"out={out}", "--json").ok()
    lines = [re.sub(r'"ms":[\d.]+', '"ms":0', re.sub(r"\b[0-9a-f]{32}\b", "<id>", line)) for line in done.out.splitlines()]
    assert done.err == ""

    def has(start):
        found = [line for line in lines if line.startswith(start)]
        assert found, f"no line starts with {start}\n" + "\n".join(lines)
        return found[-1]
    has('{"event":"step","step":"check","state":"done","ms":0,"statements":6,"errors":0,"warnings":0')
    if mode == "session":
        has('{"event":"step","step":"submit","state":"done","ms":0,"job":"quickstart","run":"<id>","statement":5')
    has('{"event":"columns","result":1,"columns":[{"name":"item","type":"STRING"},{"name":"orders","type":"BIGINT"},{"name":"revenue","type":"DECIMAL(38, 2)"}]')
    rows = [line for line in lines if line.startswith('{"event":"row"')]
    assert rows == ['{"event":"row","result":1,"kind":"+I","values":["apple","3","4.20"]}', '{"event":"row","result":1,"kind":"+I","values":["pear","2","3.10"]}',
                    '{"event":"row","result":1,"kind":"+I","values":["plum","1","0.90"]}']
    assert lines[-1] == ('{"event":"result","ok":true,"exit":0,"ms":0,"jobs":[{"job":"quickstart","run":"<id>","state":"FINISHED"}],'
                         '"results":[{"result":1,"rows":3,"state":"complete"}]}')
    ids = {e["run"] for e in done.events if e.get("job") == "quickstart"} | {done.result["jobs"][0]["run"]}
    assert len(ids) == 1
    assert all(json.loads(line)["event"] for line in lines)


@pytest.mark.skipif(os.geteuid() != 0, reason="hides /usr/lib/jvm in a mount namespace: needs root")
def test_no_java(own_sluice, flink):
    bare = os.path.join(own_sluice.folder, "bin")
    os.makedirs(bare)
    path = own_sluice.script("SELECT 1;\n")
    hidden = "mount -t tmpfs none /usr/lib/jvm && exec env -u JAVA_HOME PATH=\"$0\" \"$@\""
    done = subprocess.run(["unshare", "-m", "sh", "-c", hidden, bare, harness.BIN, "run", path, "--flink", flink], env=own_sluice.env, cwd=own_sluice.work,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
    assert done.returncode == 6 and done.stdout == "", done
    assert masked(without_start(done.stderr), flink) == f""" check     1 statement, no errors (Flink <flink>)  <time>
error[java-missing]: Flink needs Java 11, 17 or 21; none was found
  looked at: JAVA_HOME (not set), PATH (no java), /usr/lib/jvm (no Java)
  = hint: sudo apt-get install -y openjdk-17-jre-headless      check and explain: sluice doctor
"""
    own_sluice.stop()


def test_rows_that_cannot_come_back(sluice, flink, mode):
    sluice.script("SELECT 1;\n", "q.sql")
    sluice.run("SET 'execution.runtime-mode' = 'batch';\nSELECT 1;\n", "--flink", flink).ok()
    call = sluice.terminal("run", "q.sql", "--flink", flink, "--mode", mode, "--results-address", "127.0.0.2:9")
    done = call.finish(120)
    assert done.rc == 4, str(done)
    said = without_start(masked(done.out, flink))
    if mode == "application":  # its submission may have been taken already when main() tries to connect
        said, n = re.subn(r"^ submit    q +application(, run <run>  <time>|  <time>  failed)\n", "", said, flags=re.M)
        assert n == 1, str(done)
    submit = " submit    SELECT, line 1  <time>  failed\n" if mode == "session" else ""
    assert said == f""" check     1 statement, no errors (Flink <flink>)  <time>
{submit}error[results-unreachable]: TaskManagers of 'local' cannot connect to this machine for rows (127.0.0.2:9, refused after <time>)
  you are behind NAT or a firewall; jobs can be started, SELECTs cannot send their rows here
  = hint: run the server in the cluster   helm install sluice … ; sluice --server https://sluice.example run q.sql
          or give a reachable address     --results-address HOST:PORT
          SHOW, DESCRIBE and EXPLAIN work without it
""" + (WARM if mode == "session" else "")
    if mode == "session":
        assert float(re.search(r"(\d+\.\d) (ms|s)  failed", done.out)[1]) < 3000


def test_answers_where_rows_cannot_come_back(sluice, flink, mode):
    path = sluice.script("CREATE TABLE t (a INT) WITH ('connector' = 'datagen');\nSHOW TABLES;\nDESCRIBE t;\n")
    done = sluice("run", path, "--flink", flink, "--mode", mode, "--results-address", "127.0.0.2:9", "-o", "csv").ok()
    assert done.out.splitlines()[:3] == ["table name", "t", "name,type,null,key,extras,watermark"] and done.out.count("table name") == 1, str(done)


def test_a_job_that_only_writes_needs_no_way_back(sluice, flink):
    """In application mode its runner cannot report: the cluster is asked."""
    path = sluice.script("CREATE TABLE t (a INT) WITH ('connector' = 'datagen', 'number-of-rows' = '30');\nCREATE TABLE h (a INT) WITH ('connector' = 'blackhole');\nINSERT INTO h SELECT * FROM t;\n")
    done = sluice("run", path, "--flink", flink, "--mode", "application", "--results-address", "127.0.0.2:9").ok()
    assert re.search(r"^ finished  script\d+", done.err, re.M), done.err


WINDOW = """-- how often each letter came in a second
CREATE TABLE orders (item STRING, at AS PROCTIME())
WITH ('connector' = 'datagen', 'rows-per-second' = '10', 'fields.item.length' = '1');

CREATE TABLE item_window (w TIMESTAMP(3), item STRING, n BIGINT, PRIMARY KEY (w, item) NOT ENFORCED) WITH (
  'connector' = 'jdbc', 'url' = 'jdbc:postgresql://127.0.0.1:${port}/shop',
  'table-name' = 'item_window',
  'username' = '${db.user}', 'password' = '${db_password}'
);

INSERT INTO item_window
SELECT window_start, item, COUNT(*) FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(at), INTERVAL '1' SECOND)) GROUP BY window_start, window_end, item;
"""


def test_wrong_password(sluice, flink, mode):
    """The job starts and dies: PostgreSQL's word, at the line of the script that holds the user."""
    server = parts.Postgres()
    try:
        server.start()
        server.sql("CREATE TABLE item_window (w timestamp(3), item varchar, n bigint, PRIMARY KEY (w, item))")
        jars = [x for jar in parts.connector_jars(flink, "jdbc") for x in ("--jar", jar)]
        path = sluice.script(WINDOW.replace("DESCRIPTOR(at)", "DESCRIPTOR(`at`)").replace("item STRING, at AS", "item STRING, `at` AS"), "window.sql")
        secret = "Wr0ng-and-never-shown"
        more = ["-D", "table.exec.sink.require-on-conflict=false"] if flink == "2.3" else []
        call = sluice.terminal("run", path, "--name", "item-window", "--flink", flink, "--mode", mode, "--var", f"port={server.port}", "--var", "db.user=etl",
                               "--var", f"db_password={secret}", *more, *jars)
        done = call.finish(180)
    finally:
        server.stop()
    assert done.rc == 1, str(done)
    assert secret not in done.out
    said = without_start(masked(done.out, flink))
    said = re.sub(r"^ (resolve|submit|running) .*\n", "", said, flags=re.M)
    assert said == f""" check     3 statements, no errors (Flink <flink>)  <time>
 failed    item-window after <time>
error[pg-bad-password]: PostgreSQL refused user 'etl' at 127.0.0.1:{server.port}
  --> {path}:8:3
   |
 8 |   'username' = '${{db.user}}', 'password' = '${{db_password}}',
   |   ^^^^^^^^^^
   = hint: correct 'username' and 'password'; to try them: psql -h 127.0.0.1 -p {server.port} -U etl
   = PostgreSQL: FATAL: password authentication failed for user "etl"   (--stack for the Java chain)
""".replace("'${db_password}',\n", "'${db_password}'\n") + (WARM if mode == "session" else "")
