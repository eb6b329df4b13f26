# SPDX-License-Identifier: Apache-2.0
"""Real parts beside Flink: a Kafka broker (KRaft, one JVM), a PostgreSQL server and the jars of connectors. Each runs on
free loopback ports in a folder of its own and is gone after stop(). Jars come from Maven Central by mvn, once."""
import glob
import hashlib
import os
import pwd
import shutil
import subprocess
import tempfile

import harness
import stock

HERE = os.path.dirname(os.path.abspath(__file__))
JARS = os.path.join(harness.CACHE, "maven-jars")
KAFKA = "org.apache.kafka:kafka_2.13:3.9.1"
HADOOP = "org.apache.flink:flink-shaded-hadoop-2-uber:2.8.3-10.0"
DRIVER = "org.postgresql:postgresql:42.7.4"
JDBC_2 = ["org.apache.flink:flink-connector-jdbc-core:4.0.0-2.0", "org.apache.flink:flink-connector-jdbc-postgres:4.0.0-2.0", DRIVER]
PARQUET = ["org.apache.flink:flink-sql-parquet:2.3.0", HADOOP]
KAFKA_2 = ["org.apache.flink:flink-sql-connector-kafka:5.0.0-2.2"]
# The newest that Maven Central has for this Flink: for 1.20 Kafka's thin jar with its client, for 2.3 what was built for 2.2.
CONNECTORS = {
    "1.20": {"kafka": ["org.apache.flink:flink-connector-kafka:3.4.0-1.20", "org.apache.kafka:kafka-clients:3.4.0"],
             "jdbc": ["org.apache.flink:flink-connector-jdbc:3.3.0-1.20", DRIVER], "parquet": PARQUET},
    "2.2": {"kafka": KAFKA_2, "jdbc": JDBC_2, "parquet": PARQUET},
    "2.3": {"kafka": KAFKA_2, "jdbc": JDBC_2, "parquet": PARQUET},
}


def copy_dependencies(coordinates, folder, transitive):
    """One call of mvn for all of them; the folder is there only when all of it is."""
    if os.path.isdir(folder):
        return
    os.makedirs(os.path.dirname(folder), exist_ok=True)
    half = tempfile.mkdtemp(prefix=".half-", dir=os.path.dirname(folder))
    wanted = "".join("<dependency><groupId>{}</groupId><artifactId>{}</artifactId><version>{}</version></dependency>".format(*c.split(":")) for c in coordinates)
    with open(os.path.join(half, "pom.xml"), "w", encoding="utf-8") as f:
        f.write(f"<project><modelVersion>4.0.0</modelVersion><groupId>test</groupId><artifactId>jars</artifactId><version>1</version>"
                f"<packaging>pom</packaging><dependencies>{wanted}</dependencies></project>")
    try:
        done = subprocess.run(["mvn", "-q", "-B", "dependency:copy-dependencies", f"-DoutputDirectory={half}/jars", f"-DexcludeTransitive={'false' if transitive else 'true'}"],
                              cwd=half, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=900)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
        os.rename(os.path.join(half, "jars"), folder)
    except OSError:
        assert os.path.isdir(folder), "another one was quicker, or nobody was"
    finally:
        shutil.rmtree(half, ignore_errors=True)


def connector_jars(flink, *names):
    """Paths of the jars of connectors ("kafka", "jdbc", "parquet") for that Flink."""
    table = CONNECTORS[flink]
    wanted = list(dict.fromkeys(c for one in table.values() for c in one))
    folder = os.path.join(JARS, f"connectors-{flink}-{hashlib.sha256(' '.join(wanted).encode()).hexdigest()[:8]}")
    copy_dependencies(wanted, folder, False)
    return [os.path.join(folder, "{1}-{2}.jar".format(*c.split(":"))) for name in names for c in table[name]]


class Kafka:
    """One broker that makes topics on first use."""

    def __init__(self):
        self.jars = os.path.join(JARS, KAFKA.split(":")[1] + "-" + KAFKA.split(":")[2])
        copy_dependencies([KAFKA, "org.slf4j:slf4j-reload4j:1.7.36"], self.jars, True)
        self.folder = tempfile.mkdtemp(prefix="sluice-kafka-")
        port, control = stock.free_port(), stock.free_port()
        self.address = f"127.0.0.1:{port}"
        self.config = os.path.join(self.folder, "server.properties")
        with open(self.config, "w", encoding="utf-8") as f:
            f.write(f"""process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{control}
listeners=PLAINTEXT://{self.address},CONTROLLER://127.0.0.1:{control}
advertised.listeners=PLAINTEXT://{self.address}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs={self.folder}/logs
num.partitions=1
offsets.topic.num.partitions=1
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
auto.create.topics.enable=true
""")
        with open(os.path.join(self.folder, "log4j.properties"), "w", encoding="utf-8") as f:
            f.write("log4j.rootLogger=WARN, o\nlog4j.appender.o=org.apache.log4j.ConsoleAppender\nlog4j.appender.o.layout=org.apache.log4j.SimpleLayout\n")
        self.child = None

    def java(self, *args, heap="256m"):
        return ["java", f"-Xmx{heap}", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", f"-Dlog4j.configuration=file:{self.folder}/log4j.properties", "-cp", f"{self.folder}:{self.jars}/*", *args]

    def start(self):
        subprocess.run(["javac", "-nowarn", "-cp", f"{self.jars}/*", "-d", self.folder, os.path.join(HERE, "KafkaTopic.java")], check=True, stdin=subprocess.DEVNULL, timeout=180)
        subprocess.run(self.java("kafka.tools.StorageTool", "format", "-t", "MkU3OEVBNTcwNTJENDM2Qg", "-c", self.config), check=True, capture_output=True,
                       stdin=subprocess.DEVNULL, timeout=180)
        self.log = open(os.path.join(self.folder, "log"), "wb")
        self.child = subprocess.Popen(self.java("kafka.Kafka", self.config, heap="400m"), stdin=subprocess.DEVNULL, stdout=self.log, stderr=subprocess.STDOUT, cwd=self.folder)

        def listens():
            assert self.child.poll() is None, "the broker has ended:\n" + self.said()
            return int(self.address.split(":")[1]) in harness.listening_ports([self.child.pid])
        harness.wait_for(listens, 180, "the broker's port")
        # A broker that takes connections may not have a leader yet: it is there when it has written and read.
        self.write("sluice-probe", ["there"])
        assert self.read("sluice-probe") == [(None, "there")]
        return self

    def said(self):
        with open(self.log.name, encoding="utf-8", errors="replace") as f:
            return f.read()[-3000:]

    def topic(self, verb, topic, text=""):
        try:
            done = subprocess.run(self.java("KafkaTopic", verb, self.address, topic), input=text, capture_output=True, text=True, timeout=150)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{verb} {topic}: no end in 150 s\n--- broker\n{self.said()}") from None
        assert done.returncode == 0, f"{done.stderr[-3000:]}\n--- broker\n{self.said()}"
        return done.stdout

    def write(self, topic, values):
        self.topic("write", topic, "".join(v + "\n" for v in values))

    def read(self, topic):
        """[(key, value)] of every record so far."""
        return [tuple(None if x == "(none)" else x for x in line.split("\t")) for line in self.topic("read", topic).splitlines()]

    def stop(self):
        if self.child:
            self.child.terminate()
            try:
                self.child.wait(15)
            except subprocess.TimeoutExpired:
                self.child.kill()
                self.child.wait()
            self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def postgres_bin():
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"), key=lambda p: float(p.split("/")[4]))
    if found:
        return os.path.dirname(found[-1])
    path = shutil.which("initdb")
    assert path, "no PostgreSQL server: tools/setup.sh install test"
    return os.path.dirname(os.path.realpath(path))


class Postgres:
    """A server that wants passwords (SCRAM), with one user `etl` and one database `shop`. Root hands it to the user `postgres`."""

    user, password, database = "etl", "Pa'ss$1", "shop"

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="sluice-pg-")
        self.port = stock.free_port()
        self.bin = postgres_bin()
        self.log = os.path.join(self.folder, "log")
        self.as_user = []
        if os.geteuid() == 0:
            who = pwd.getpwnam("postgres")
            self.as_user = ["setpriv", f"--reuid={who.pw_uid}", f"--regid={who.pw_gid}", "--clear-groups", "env", "-u", "TMPDIR", f"HOME={self.folder}"]
            os.chown(self.folder, who.pw_uid, who.pw_gid)

    def tool(self, name, *args, **kw):
        done = subprocess.run([*self.as_user, os.path.join(self.bin, name), *args], cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120, **kw)
        assert done.returncode == 0, done.stdout
        return done.stdout

    def start(self):
        data = os.path.join(self.folder, "data")
        secret = os.path.join(self.folder, "secret")
        with open(secret, "w", encoding="utf-8") as f:
            f.write(self.password + "\n")
        os.chmod(secret, 0o644)
        self.tool("initdb", "-D", data, "-U", self.user, "--pwfile", secret, "-A", "scram-sha-256", "-E", "UTF8", "--locale=C", "--no-sync")
        # Its own log goes to a file: a pipe would be held open by the server.
        with open(os.path.join(data, "postgresql.conf"), "a", encoding="utf-8") as f:
            f.write(f"\nlisten_addresses = '127.0.0.1'\nport = {self.port}\nunix_socket_directories = '{self.folder}'\nfsync = off\nmax_connections = 60\ntimezone = 'UTC'\nlog_timezone = 'UTC'\n")
        subprocess.run([*self.as_user, os.path.join(self.bin, "pg_ctl"), "-D", data, "-w", "-t", "60", "-l", self.log, "start"], cwd=self.folder, check=True,
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=90)
        self.sql(f"CREATE DATABASE {self.database}", database="postgres")
        return self

    def sql(self, text, database=None):
        """Rows of the last statement as lists of texts (None for NULL)."""
        env = dict(os.environ, PGPASSWORD=self.password)
        done = subprocess.run([os.path.join(self.bin, "psql"), "-X", "-q", "-A", "-t", "-F", "\t", "-P", "null=(null)", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", str(self.port), "-U", self.user,
                               "-d", database or self.database, "-c", text], env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return [[None if v == "(null)" else v for v in line.split("\t")] for line in done.stdout.splitlines()]

    def stop(self):
        data = os.path.join(self.folder, "data")
        if os.path.exists(os.path.join(data, "postmaster.pid")):
            subprocess.run([*self.as_user, os.path.join(self.bin, "pg_ctl"), "-D", data, "-m", "immediate", "-w", "stop"], cwd=self.folder, stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
        shutil.rmtree(self.folder, ignore_errors=True)
