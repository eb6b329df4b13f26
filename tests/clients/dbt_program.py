# SPDX-License-Identifier: Apache-2.0
"""What dbt's adapter for Flink does before a gateway, through its own modules, unchanged: its client (flink.sqlgateway) and the cursor above it. Of dbt
itself only its logger is needed; dbt is not here, since the dbt of that adapter does not load in the Pythons of today. One line for each thing seen.
    dbt_program.py FOLDER_OF_THE_ADAPTER HOST PORT NAME FOLDER"""
import contextlib
import io
import re
import sys
import time
import types


class AdapterLogger:
    def __init__(self, name):
        self.name = name

    def debug(self, *args):
        pass

    info = warning = error = debug


def package(name, *path, **names):
    module = types.ModuleType(name)
    module.__path__ = list(path)
    module.__dict__.update(names)
    sys.modules[name] = module


top, host, port, name, folder = sys.argv[1:]
sys.path.insert(0, top)
package("dbt", f"{top}/dbt")
package("dbt.events", AdapterLogger=AdapterLogger)
package("dbt.adapters", f"{top}/dbt/adapters")
package("dbt.adapters.flink", f"{top}/dbt/adapters/flink")
from dbt.adapters.flink.handler import FlinkHandler  # noqa: E402
from flink.sqlgateway.client import FlinkSqlGatewayClient  # noqa: E402
from flink.sqlgateway.session import SqlGatewaySession  # noqa: E402

out = sys.stdout


def say(*what):
    text = " ".join(map(str, what))
    text = re.sub(r"\b[0-9a-f]{8}-[0-9a-f-]{27}\b", "<handle>", re.sub(r"\b[0-9a-f]{32}\b", "<job>", text))
    text = re.sub(r"savepoint-[0-9a-f]{6}-[0-9a-f]{12}", "<savepoint>", text).replace(folder, "<folder>").replace(name, "<name>")
    print(text, file=out, flush=True)


def line_of(error):
    """The errors of an answer as the client prints them; the line that tells the cause."""
    told = error.args[1] if len(error.args) > 1 else str(error)
    return told["errors"][-1].rsplit("Caused by: ", 1)[-1].split("\n")[0] if isinstance(told, dict) else told


def run(what, sql, bindings=None, one=False, sort=False):
    cursor = handler.cursor()
    try:
        cursor.execute(sql, bindings)
        head = cursor.description
        rows = [cursor.fetchone()] if one else cursor.fetchall()
    except Exception as error:  # the client knows no other
        say(what, "error:", line_of(error))
        return None
    say(what, head, sorted(rows) if sort else rows)
    return rows


with contextlib.redirect_stdout(io.StringIO()):  # the client prints what it is answered
    session = FlinkSqlGatewayClient.create_session(host=host, port=int(port), session_name="dbt")
    handler = FlinkHandler(session)
    run("source", "\n/** drop_statement('DROP TABLE IF EXISTS `numbers`') */\nCREATE TABLE numbers /** mode('streaming')*/ (\n `id` INT, `word` STRING\n)\nwith ( 'connector' = 'datagen', 'rows-per-second' = '20', 'fields.id.min' = '5', 'fields.id.max' = '5', 'fields.word.length' = '3'\n);\n")
    run("source again", "/** drop_statement('DROP TABLE IF EXISTS `numbers`') */ CREATE TABLE numbers /** mode('streaming')*/ (`id` INT, `word` STRING) with ('connector' = 'datagen', 'rows-per-second' = '20', 'fields.id.min' = '5', 'fields.id.max' = '5');")
    run("seed", f"create table if not exists seed (id INT, word STRING, price DECIMAL(10, 2)) with ('connector' = 'filesystem', 'path' = 'file://{folder}/seed', 'format' = 'csv')")
    run("seed rows", "insert into seed (id, word, price) values ({}, {}, {}), ({}, {}, {})", [1, "one", 1.5, 2, "two;2", 2])
    for _ in range(300):  # the job of an INSERT is not waited for
        with contextlib.suppress(Exception):
            cursor = handler.cursor()
            cursor.execute("select count(*) from seed")
            if cursor.fetchall() == [(2,)]:
                break
        time.sleep(0.2)
    run("read", "select id, word, price from seed", sort=True)
    run("read one", "show current catalog", one=True)
    run("read some", "select /** fetch_max('3') */ /** mode('streaming') */ id from numbers")
    run("read a while", "select /** fetch_timeout_ms('3000') */ /** mode('streaming') */ /** fetch_max('10') */ id from numbers")
    run("test that passes", "select /** test_query('true') */\n count(*) as failures, count(*) <> 0 as should_warn, count(*) <> 0 as should_error from (select * from seed where id is null) dbt_internal_test")
    run("test of a stream", "select /** test_query('true') */ /** mode('streaming') */ /** fetch_max('4') */\n count(*) as failures, count(*) <> 0 as should_warn, count(*) <> 0 as should_error from (select * from seed where id is null) dbt_internal_test")
    run("view", "/** drop_statement('drop view if exists `v`') */\ncreate view /* the view */ v  as (\n select id, word from seed\n);")
    run("view again", "/** drop_statement('drop view if exists `v`') */\ncreate view /* the view */ v  as (\n select word from seed\n);")
    run("read the view", "select * from v", sort=True)
    model = (f"/** upgrade_mode('%s') */ /** job_state('%s') */\n/** execution_config('pipeline.name={name};state.savepoints.dir=file://{folder}/savepoints') */\n"
             "/** drop_statement('drop table if exists `model_1`') */\ncreate table model_1 /** mode('streaming')*/\nwith ( 'connector' = 'blackhole')\nas (\n select id, count(*) as n from numbers group by id\n);")
    run("model", model % ("stateless", "running"))

    def job():
        cursor = handler.cursor()
        cursor.execute("SHOW JOBS")
        return [row[2] for row in cursor.fetchall() if row[1] == name]

    def until(state):
        end = time.monotonic() + 60
        while state not in job() and time.monotonic() < end:
            time.sleep(0.1)
        say("jobs of that name", sorted(job()))
        time.sleep(1)  # a savepoint needs all its tasks
    until("RUNNING")
    run("model with its state", model % ("savepoint", "running"))
    until("RUNNING")
    run("model suspended", model % ("stateless", "suspended"))
    say("jobs of that name", sorted(set(job())))
    for what, sql in (("no such table", "select * from nope"), ("no SQL", "selec 1"), ("drop twice", "drop table nope"), ("show", "show current catalog")):
        run(what, sql)
    operation = FlinkSqlGatewayClient.execute_statement(session, "select id from numbers", {"execution.runtime-mode": "streaming"})
    say("status", handler.cursor()._wait_till_finished(operation), "close", operation.close())
    handler = FlinkHandler(SqlGatewaySession(session.config, "00000000-0000-4000-8000-000000000000"))
    run("a session that is gone", "select 1")
