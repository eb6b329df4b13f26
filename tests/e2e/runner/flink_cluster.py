# SPDX-License-Identifier: Apache-2.0
"""A real Flink for tests: one JobManager, one TaskManager, loopback, free ports, plain `java`."""
import io
import json
import os
import pathlib
import random
import re
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
import zipfile

OPENS = [f"--add-opens=java.base/java.{p}=ALL-UNNAMED" for p in (
    "lang", "net", "io", "nio", "lang.reflect", "text", "time", "util", "util.concurrent",
    "util.concurrent.atomic", "util.concurrent.locks")] + ["--add-opens=java.base/sun.nio.ch=ALL-UNNAMED"]
QUICK = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto"]
TM_MEMORY = {
    "taskmanager.cpu.cores": "4.0", "taskmanager.memory.framework.heap.size": "128m",
    "taskmanager.memory.task.heap.size": "256m", "taskmanager.memory.framework.off-heap.size": "128m",
    "taskmanager.memory.task.off-heap.size": "0b", "taskmanager.memory.network.min": "192m",
    "taskmanager.memory.network.max": "192m", "taskmanager.memory.managed.size": "96m",
    "taskmanager.memory.jvm-metaspace.size": "256m", "taskmanager.memory.jvm-overhead.min": "64m",
    "taskmanager.memory.jvm-overhead.max": "64m"}


def homes():
    """Version -> folder with lib/, of the versions asked for that are on this machine."""
    wanted = os.environ.get("FLINK_VERSIONS", "2.2.1").split()
    root = pathlib.Path(os.environ.get("FLINK_RAW", pathlib.Path.home() / ".cache/sluice/flink-raw"))
    return {v: root / v for v in wanted}


GIVEN = set()


def free_port():
    """Below the ports that the kernel gives away by itself, or somebody's connection takes it before Flink does. No port twice."""
    while True:
        port = random.randrange(20000, 32000)
        if port in GIVEN:
            continue
        GIVEN.add(port)
        try:
            with socket.create_server(("127.0.0.1", port)):
                return port
        except OSError:
            continue


class Cluster:
    def __init__(self, home, jar, application=None, slots=16, installed=True):
        """application: arguments of the runner, whose main() the JobManager then runs itself. installed: the jar is
        in the class path; else it must be uploaded, and Flink's own class loading order is left as it is."""
        self.home, self.jar = pathlib.Path(home), pathlib.Path(jar)
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="sluice-runner-"))
        (self.dir / "conf").mkdir()
        (self.dir / "upload").mkdir()
        self.port = free_port()
        conf = {
            "jobmanager.rpc.address": "127.0.0.1", "jobmanager.rpc.port": free_port(),
            "jobmanager.bind-host": "127.0.0.1", "taskmanager.bind-host": "127.0.0.1",
            "taskmanager.host": "127.0.0.1", "rest.address": "127.0.0.1", "rest.bind-address": "127.0.0.1",
            "rest.port": self.port, "taskmanager.numberOfTaskSlots": slots, "parallelism.default": 1,
            "classloader.resolve-order": "parent-first" if installed else "child-first", "web.upload.dir": str(self.dir / "upload"),
            "web.refresh-interval": 100, "cluster.intercept-user-system-exit": "THROW",
            "cluster.registration.error-delay": 300, "task.cancellation.timeout": 8000,
            "task.cancellation.interval": 1000, "io.tmp.dirs": str(self.dir),
            "jobmanager.memory.process.size": "1g"}
        self.conf = conf
        (self.dir / "conf/config.yaml").write_text("".join(f"{k}: {json.dumps(v)}\n" for k, v in conf.items()))
        self.extra = self.dir / "classes"  # what a test adds to the class path
        self.extra.mkdir()
        self.cp = f"{self.home}/lib/*:{self.extra}/" + (f":{self.jar}" if installed else "")
        session = "org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint"
        single = "org.apache.flink.container.entrypoint.StandaloneApplicationClusterEntryPoint"
        if application is None:
            main = [session]
        else:
            main = [single]
        args = main + ["--configDir", str(self.dir / "conf")]
        if application is not None:
            args += ["--job-classname", "org.sluice.runner.Runner", "-D", "execution.shutdown-on-application-finish=false"
                     ] + application
        self.jm = self._java("jm", ["-Xmx640m", "-XX:MaxMetaspaceSize=384m"], args)
        self.tm = self._java("tm", ["-Xmx384m", "-XX:MaxDirectMemorySize=320m", "-XX:MaxMetaspaceSize=256m"], [
            "org.apache.flink.runtime.taskexecutor.TaskManagerRunner", "--configDir", str(self.dir / "conf"),
            "-D", "taskmanager.resource-id=tm1"] + [a for k, v in TM_MEMORY.items() for a in ("-D", f"{k}={v}")])
        self.jar_id = None

    def _java(self, name, heap, args):
        log = open(self.dir / f"{name}.log", "wb")
        env = {**os.environ, "FLINK_CONF_DIR": str(self.dir / "conf"), "FLINK_LIB_DIR": str(self.home / "lib")}
        (self.dir / "log4j.properties").write_text(
            "rootLogger.level=INFO\nrootLogger.appenderRef.a.ref=A\nappender.a.name=A\nappender.a.type=CONSOLE\n"
            "appender.a.layout.type=PatternLayout\nappender.a.layout.pattern=%d{HH:mm:ss,SSS} %-5p %c - %m%n\n")
        return subprocess.Popen(
            ["java"] + OPENS + QUICK + heap + [f"-Dlog4j.configurationFile=file:{self.dir}/log4j.properties", "-cp",
                                               self.cp] + args,
            stdout=log, stderr=subprocess.STDOUT, env=env, cwd=self.dir)

    def ready(self, seconds=240):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            assert self.jm.poll() is None and self.tm.poll() is None, self.log("jm")[-3000:]
            try:
                if self.get("/overview")["slots-total"] > 0:
                    break
            except OSError:
                pass
            time.sleep(0.2)
        else:
            raise AssertionError("Flink did not start: " + self.log("jm")[-3000:])
        return self

    def upload(self, jar=None):
        """Without a jar an empty one: the entry class is in the class path."""
        body = io.BytesIO(jar or b"")
        if jar is None:
            with zipfile.ZipFile(body, "w") as z:
                z.writestr("META-INF/MANIFEST.MF", "Manifest-Version: 1.0\n\n")
        edge = secrets.token_hex(8)
        data = (f"--{edge}\r\nContent-Disposition: form-data; name=\"jarfile\"; filename=\"tiny.jar\"\r\n"
                "Content-Type: application/x-java-archive\r\n\r\n").encode() + body.getvalue() + f"\r\n--{edge}--\r\n".encode()
        request = urllib.request.Request(self.url("/jars/upload"), data, {
            "Content-Type": f"multipart/form-data; boundary={edge}"})
        with urllib.request.urlopen(request, timeout=30) as r:
            self.jar_id = json.load(r)["filename"].rsplit("/", 1)[1]

    def run(self, args, job_id=None, timeout=300):
        """Status and body of one run of main()."""
        if self.jar_id is None:
            self.upload()
        body = {"entryClass": "org.sluice.runner.Runner", "programArgsList": args}
        if job_id:
            body["jobId"] = job_id
        request = urllib.request.Request(self.url(f"/jars/{self.jar_id}/run"), json.dumps(body).encode(), {
            "Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=timeout) as r:
                return r.status, json.load(r)
        except urllib.error.HTTPError as e:
            return e.code, json.loads(e.read())

    def url(self, path):
        return f"http://127.0.0.1:{self.port}{path}"

    def get(self, path):
        with urllib.request.urlopen(self.url(path), timeout=30) as r:
            return json.load(r)

    def state(self, job_id):
        return self.get(f"/jobs/{job_id}/status")["status"]

    def wait_state(self, job_id, wanted, seconds=90):
        end = time.monotonic() + seconds
        state = None
        while time.monotonic() < end:
            state = self.state(job_id)
            if state in wanted:
                return state
            time.sleep(0.03)
        raise AssertionError(f"job {job_id} is {state}, not {wanted}: {self.cause(job_id)}")

    def cancel(self, job_id):
        request = urllib.request.Request(self.url(f"/jobs/{job_id}?mode=cancel"), method="PATCH")
        urllib.request.urlopen(request, timeout=30).close()

    def cause(self, job_id):
        return json.dumps(self.get(f"/jobs/{job_id}/exceptions"))

    def log(self, name):
        return (self.dir / f"{name}.log").read_text(errors="replace")

    def stop(self):
        for p in (self.tm, self.jm):
            if p.poll() is None:
                p.terminate()
        for p in (self.tm, self.jm):
            try:
                p.wait(30)
            except subprocess.TimeoutExpired:
                p.kill()
                p.wait()
        if os.environ.get("KEEP_LOGS"):
            print("logs in", self.dir)
        else:
            shutil.rmtree(self.dir, ignore_errors=True)


def slots_free(cluster):
    return cluster.get("/overview")["slots-available"]


def chain_text(failure):
    return re.sub(r"\s+", " ", " <- ".join(f"{c['class']}: {c['message']}" for c in failure["chain"]))
