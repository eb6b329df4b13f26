# SPDX-License-Identifier: Apache-2.0
"""A session with a jar of its own: each statement loads its classes anew, and they go with it."""
import subprocess
import time

import harness

STATEMENTS = ["SELECT shout('a')", "EXPLAIN SELECT shout(CAST(x AS STRING)) FROM n", "SHOW FUNCTIONS LIKE 'shout'", "SELECT shout(CAST(x AS STRING)) FROM n", "SHOW USER FUNCTIONS",
              "INSERT INTO hole SELECT shout(CAST(x AS STRING)) FROM n", "CREATE TEMPORARY VIEW v AS SELECT shout(CAST(x AS STRING)) AS s FROM n", "SELECT s FROM v", "DROP TEMPORARY VIEW v", "SELECT shout('{}')"]


def used(jobmanager):
    """Bytes of the JobManager's metaspace, without what is only waiting to be given back: the first to ask makes Flink look anew."""
    rest, pid = jobmanager
    subprocess.run(["jcmd", str(pid), "GC.run"], check=True, stdout=subprocess.DEVNULL)
    where = f"{rest}/jobmanager/metrics?get=Status.JVM.Memory.Metaspace.Used"
    harness.get(where)
    time.sleep(1.5)
    return int(harness.get(where)[0]["value"])


def test_classes_of_a_jar_go_with_their_statement(session, jar, jobmanager):
    session.execute(f"ADD JAR '{jar}'")
    session.execute("CREATE TEMPORARY FUNCTION shout AS 'org.sluice.test.Shout'")
    session.execute("CREATE TABLE n (x INT) WITH ('connector'='datagen', 'number-of-rows'='3')")
    session.execute("CREATE TABLE hole (x STRING) WITH ('connector'='blackhole')")

    def go(rounds, first):
        for i in range(first, first + rounds):
            for sql in STATEMENTS:
                answer = session.execute(sql.format(i))
                assert sql != "SELECT shout('{}')" or answer[1] == [("INSERT", [f"{i}!"])]
    go(3, 0)
    before = used(jobmanager)
    rounds = 50 if harness.FULL else 6
    go(rounds, 1000)
    after = used(jobmanager)
    print(f"\n{10 * rounds} statements: metaspace {before / 1e6:.1f} MB before, {after / 1e6:.1f} MB after")
    assert after - before < 10e6
