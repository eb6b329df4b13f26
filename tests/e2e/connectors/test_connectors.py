# SPDX-License-Identifier: Apache-2.0
"""Scripts that move rows between files, Kafka and PostgreSQL, on a real broker and a real server; what came out is
looked at without Flink wherever that is possible."""
import glob
import json
import os

import harness


def values(rows):
    return [[None if v is None else str(v) for v in one] for _, one in rows]


def states(done):
    return [job["state"] for job in done.result["jobs"]]


def json_lines(folder):
    lines = []
    for path in glob.glob(f"{folder}/**/*", recursive=True):
        if os.path.isfile(path) and not os.path.basename(path).startswith((".", "_")):
            with open(path, encoding="utf-8") as f:
                lines += [json.loads(line) for line in f]
    return lines


def test_csv_to_parquet_and_back(run, jars, out):
    """Batch: the SELECT sees what the INSERT before it has written, types and NULLs unharmed."""
    os.makedirs(f"{out}/in")
    with open(f"{out}/in/stations.csv", "w", encoding="utf-8") as f:
        for i in range(1, 501):
            f.write(f"{i},\"Station; {i}\",{i * 0.25},{'' if i % 5 == 0 else f'19{i % 90 + 10}-0{i % 9 + 1}-1{i % 10}'},{i}.{i % 100:02}\n")
    done = run("""-- files; in, files out
SET 'execution.runtime-mode' = 'batch';
SET 'table.dml-sync' = 'true';
SET 'pipeline.name' = 'stations to parquet';
CREATE TABLE stations_csv (id INT, name STRING, height DOUBLE, opened DATE, fee DECIMAL(9, 2))
WITH ('connector' = 'filesystem', 'path' = 'file://${out}/in', 'format' = 'csv', 'csv.null-literal' = '');
CREATE TABLE stations (id INT, name STRING, height DOUBLE, opened DATE, fee DECIMAL(9, 2))
WITH ('connector' = 'filesystem', 'path' = 'file://${out}/parquet', 'format' = 'parquet');
INSERT INTO stations SELECT * FROM stations_csv WHERE id > 100;
SELECT COUNT(*) AS n, COUNT(opened) AS dated, MAX(height) AS top, SUM(fee) AS fees, MIN(name) AS first_name FROM stations;
SELECT id, opened FROM stations WHERE id IN (101, 105) ORDER BY id;
""", *jars("parquet"), "--var", f"out={out}").ok()
    fees = sum(i * 100 + i % 100 for i in range(101, 501))
    assert values(done.rows(1)) == [["400", "320", "125.0", f"{fees // 100}.{fees % 100:02}", "Station; 101"]]
    assert values(done.rows(2)) == [["101", "1921-03-11", ], ["105", None]]
    assert states(done) == ["FINISHED"]
    written = [p for p in glob.glob(f"{out}/parquet/**/*", recursive=True) if os.path.isfile(p) and not os.path.basename(p).startswith((".", "_"))]
    assert written
    for path in written:
        with open(path, "rb") as f:
            data = f.read()
        assert data[:4] == data[-4:] == b"PAR1", path


def test_one_job_three_sinks(run, jars, variables, kafka, postgres, out, cell):
    """A statement set to Kafka, PostgreSQL and files: one job, every row in each of them."""
    postgres.sql(f"CREATE TABLE per_shelf_{cell} (shelf int PRIMARY KEY, n bigint, kilos double precision)")
    done = run("""SET 'pipeline.name' = 'three; sinks';
CREATE TABLE parcels (id BIGINT, shelf INT, kilos DOUBLE)
WITH ('connector' = 'datagen', 'number-of-rows' = '2000', 'rows-per-second' = '100000', 'fields.id.kind' = 'sequence', 'fields.id.start' = '1', 'fields.id.end' = '2000',
      'fields.shelf.min' = '0', 'fields.shelf.max' = '4', 'fields.kilos.min' = '0', 'fields.kilos.max' = '30');
CREATE TABLE log_of (id BIGINT, shelf INT, kilos DOUBLE)
WITH ('connector' = 'kafka', 'topic' = 'parcels-${cell}', 'properties.bootstrap.servers' = '${kafka}', 'format' = 'csv');
CREATE TABLE per_shelf (shelf INT, n BIGINT, kilos DOUBLE, PRIMARY KEY (shelf) NOT ENFORCED)
WITH ('connector' = 'jdbc', 'url' = '${pg}', 'table-name' = 'per_shelf_${cell}', 'username' = '${pg_user}', 'password' = '${pg_password}');
CREATE TABLE top_shelf (id BIGINT, kilos DOUBLE) WITH ('connector' = 'filesystem', 'path' = 'file://${out}/top', 'format' = 'json');
EXECUTE STATEMENT SET
BEGIN
  INSERT INTO log_of SELECT id, shelf, kilos FROM parcels; -- to Kafka;
  INSERT INTO per_shelf SELECT shelf, COUNT(*), SUM(kilos) FROM parcels GROUP BY shelf;
  INSERT INTO top_shelf SELECT id, kilos FROM parcels WHERE shelf = 4;
END;
""", *jars("kafka", "jdbc"), *variables).ok()
    assert states(done) == ["FINISHED"]
    sent = [value.split(",") for _, value in kafka.read(f"parcels-{cell}")]
    assert sorted(int(p[0]) for p in sent) == list(range(1, 2001))
    stored = postgres.sql(f"SELECT shelf, n FROM per_shelf_{cell} ORDER BY shelf")
    assert [[int(x) for x in one] for one in stored] == [[s, sum(int(p[1]) == s for p in sent)] for s in range(5)]
    assert sorted(one["id"] for one in json_lines(f"{out}/top")) == sorted(int(p[0]) for p in sent if p[1] == "4")


def test_kafka_rows(run, jars, variables, kafka, cell):
    """Bounded reading ends by itself with every record and its offset; endless reading ends with --rows."""
    kafka.write(f"visits-{cell}", [json.dumps({"who": who, "page": page, "at": f"2026-02-01 10:00:0{i}"}) for i, (who, page) in
                                   enumerate([("Ada", "/a"), ("李明", "/b;c"), ("Ada", None), ("Zoë", "/ü"), ("Ada", "/a")])])
    table = """CREATE TABLE visits (who STRING, page STRING, `at` TIMESTAMP(3), `offset` BIGINT METADATA VIRTUAL)
WITH ('connector' = 'kafka', 'topic' = 'visits-${cell}', 'properties.bootstrap.servers' = '${kafka}', 'scan.startup.mode' = 'earliest-offset', 'format' = 'json'%s);
"""
    done = run(table % ", 'scan.bounded.mode' = 'latest-offset'" + "SELECT `offset`, who, page, `at` FROM visits;\nSELECT who, COUNT(*) AS n FROM visits GROUP BY who;\n", *jars("kafka"), *variables).ok()
    assert values(done.rows(1)) == [["0", "Ada", "/a", "2026-02-01T10:00:00.000"], ["1", "李明", "/b;c", "2026-02-01T10:00:01.000"], ["2", "Ada", None, "2026-02-01T10:00:02.000"],
                                    ["3", "Zoë", "/ü", "2026-02-01T10:00:03.000"], ["4", "Ada", "/a", "2026-02-01T10:00:04.000"]]
    assert harness.normal([r for r in done.rows(2) if r[1][0] == "Ada"]) == harness.normal([("+I", ["Ada", "1"]), ("-U", ["Ada", "1"]), ("+U", ["Ada", "2"]), ("-U", ["Ada", "2"]), ("+U", ["Ada", "3"])])
    done = run(table % "" + "SELECT who FROM visits;\n", *jars("kafka"), *variables, "--rows", "4").ok()
    assert values(done.rows()) == [["Ada"], ["李明"], ["Ada"], ["Zoë"]]


def test_kafka_to_postgres(sluice, flink, mode, jars, variables, kafka, postgres, cell):
    """A window per item from a topic into a table, detached; the counts of `job show` are those of the topic; cancel."""
    kafka.write(f"orders-{cell}", [json.dumps({"item": "pear" if i % 3 else "plum", "price": i, "ts": f"2026-02-01 10:{i // 60:02}:{i % 60:02}"}) for i in range(0, 240)])
    postgres.sql(f"CREATE TABLE per_minute_{cell} (at timestamp(3), item varchar, n bigint, total numeric(20, 2), PRIMARY KEY (at, item))")
    name = f"per-minute-{cell}"
    path = sluice.script("""SET 'execution.checkpointing.interval' = '1 s';
SET 'table.exec.sink.require-on-conflict' = 'false';
CREATE TABLE orders (item STRING, price DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts)
WITH ('connector' = 'kafka', 'topic' = 'orders-${cell}', 'properties.bootstrap.servers' = '${kafka}', 'scan.startup.mode' = 'earliest-offset', 'format' = 'json');
CREATE TABLE per_minute (`at` TIMESTAMP(3), item STRING, n BIGINT, total DECIMAL(20, 2), PRIMARY KEY (`at`, item) NOT ENFORCED)
WITH ('connector' = 'jdbc', 'url' = '${pg}', 'table-name' = 'per_minute_${cell}', 'username' = '${pg_user}', 'password' = '${pg_password}');
INSERT INTO per_minute
SELECT window_start, item, COUNT(*), SUM(price) FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(ts), INTERVAL '1' MINUTE)) GROUP BY window_start, window_end, item;
""", f"{name}.sql")
    sluice("run", path, "-d", "--name", name, "--flink", flink, "--mode", mode, *jars("kafka", "jdbc"), *variables).ok()
    try:
        # The fourth minute stays open: no later record moves the watermark past it.
        harness.wait_for(lambda: len(postgres.sql(f"SELECT 1 FROM per_minute_{cell}")) >= 6, 90, "three minutes of two items")
        got = postgres.sql(f"SELECT to_char(at, 'HH24:MI'), item, n, total FROM per_minute_{cell} ORDER BY 1, 2")
        expected = []
        for minute in range(3):
            for item in ("pear", "plum"):
                prices = [i for i in range(minute * 60, minute * 60 + 60) if ("pear" if i % 3 else "plum") == item]
                expected.append([f"10:{minute:02}", item, str(len(prices)), f"{sum(prices)}.00"])
        assert got == expected
        assert "RUNNING" in json.dumps(sluice.job(name))
    finally:
        sluice("job", "cancel", name, "--yes").ok()
    assert "CANCELED" in json.dumps(sluice.job(name))


def test_lookup_join_and_database_rows(run, jars, variables, kafka, postgres, cell):
    """A table of PostgreSQL as a bounded source and as the other side of a lookup join; a function of a jar beside the connectors."""
    postgres.sql(f"CREATE TABLE people_{cell} (id int PRIMARY KEY, name varchar, born date, note text);"
                 f"INSERT INTO people_{cell} VALUES (1, 'Ada', '1815-12-10', NULL), (2, '李明', '1990-01-02', 'x;y'), (3, 'Zoë', NULL, '')")
    kafka.write(f"clicks-{cell}", [json.dumps({"person": p}) for p in (1, 9, 2)])
    done = run("""CREATE TABLE people (id INT, name STRING, born DATE, note STRING, PRIMARY KEY (id) NOT ENFORCED)
WITH ('connector' = 'jdbc', 'url' = '${pg}', 'table-name' = 'people_${cell}', 'username' = '${pg_user}', 'password' = '${pg_password}');
CREATE TABLE clicks (person INT, p AS PROCTIME())
WITH ('connector' = 'kafka', 'topic' = 'clicks-${cell}', 'properties.bootstrap.servers' = '${kafka}', 'scan.startup.mode' = 'earliest-offset',
      'scan.bounded.mode' = 'latest-offset', 'format' = 'json');
SELECT * FROM people;
SELECT c.person, q.name FROM clicks AS c LEFT JOIN people FOR SYSTEM_TIME AS OF c.p AS q ON c.person = q.id;
""", *jars("kafka", "jdbc"), *variables).ok()
    assert sorted(values(done.rows(1))) == [["1", "Ada", "1815-12-10", None], ["2", "李明", "1990-01-02", "x;y"], ["3", "Zoë", None, ""]]
    assert values(done.rows(2)) == [["1", "Ada"], ["9", None], ["2", "李明"]]


def test_functions_beside_connectors(run, jars, variables, udf_jar, kafka, cell):
    """ADD JAR, a view and functions of it, rows from Kafka."""
    kafka.write(f"words-{cell}", ['{"w": "ab"}', '{"w": "x;y"}'])
    done = run(f"""ADD JAR 'file://{udf_jar}';
CREATE TEMPORARY FUNCTION shout AS 'shop.Functions$Shout';
CREATE TEMPORARY FUNCTION letters AS 'shop.Functions$Letters' LANGUAGE JAVA;
""" + """CREATE TABLE words (w STRING)
WITH ('connector' = 'kafka', 'topic' = 'words-${cell}', 'properties.bootstrap.servers' = '${kafka}', 'scan.startup.mode' = 'earliest-offset', 'scan.bounded.mode' = 'latest-offset', 'format' = 'json');
CREATE TEMPORARY VIEW loud AS SELECT shout(w) AS s, l.letter FROM words, LATERAL TABLE(letters(w)) AS l(letter, nr);
SELECT * FROM loud;
""", *jars("kafka"), *variables).ok()
    assert values(done.rows()) == [["AB!", "a"], ["AB!", "b"], ["X;Y!", "x"], ["X;Y!", ";"], ["X;Y!", "y"]]


def test_a_dozen_statements(sluice, flink, mode, jars, variables, kafka, cell):
    """SETs in front, a name with ; and ", a column with a blank, EXPLAIN between; an endless job into upsert-kafka."""
    name = f"dozen-{cell}"
    path = sluice.script("""SET 'execution.checkpointing.interval' = '1 s';
SET 'execution.checkpointing.mode' = 'EXACTLY_ONCE';
SET 'parallelism.default' = '2';
SET 'table.exec.mini-batch.enabled' = 'true';
SET 'table.exec.mini-batch.allow-latency' = '300 ms';
SET 'table.exec.mini-batch.size' = '500';
SET 'pipeline.name' = 'dozen; "quoted" name';
CREATE TABLE meter (k INT, v DOUBLE, `serial no` STRING)
WITH ('connector' = 'datagen', 'rows-per-second' = '100', 'fields.k.min' = '0', 'fields.k.max' = '4', 'fields.v.min' = '0', 'fields.v.max' = '1', 'fields.serial no.length' = '3');
CREATE TABLE sums (k INT, n BIGINT, s DOUBLE, PRIMARY KEY (k) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = 'sums-${cell}', 'properties.bootstrap.servers' = '${kafka}', 'key.format' = 'json', 'value.format' = 'json');
CREATE TEMPORARY VIEW summed AS SELECT k, COUNT(*) AS n, SUM(v) AS s /* here; too */ FROM meter GROUP BY k;
EXPLAIN PLAN FOR SELECT * FROM summed;
INSERT INTO sums SELECT k, n, s FROM summed; -- the end;
""", f"{name}.sql")
    done = sluice("run", path, "-d", "--name", name, "--flink", flink, "--mode", mode, *jars("kafka"), *variables).ok()
    assert "GroupAggregate" in done.out, str(done)
    try:
        shown = sluice.job(name)
        assert "RUNNING" in json.dumps(shown), shown

        def all_keys():
            records = kafka.read(f"sums-{cell}")
            return records if {key for key, _ in records} == {'{"k":%d}' % i for i in range(5)} else None
        records = harness.wait_for(all_keys, 60, "all keys in the topic")
        assert all(json.loads(value)["n"] > 0 for _, value in records)
    finally:
        sluice("job", "cancel", name, "--yes").ok()
    assert "CANCELED" in json.dumps(sluice.job(name))
