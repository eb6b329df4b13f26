# SPDX-License-Identifier: Apache-2.0
"""A stock Flink, as its users have it: the distribution of the PyPI packages with Flink's own scripts, the SQL gateway
from Maven. Kept in ~/.cache/sluice/stock/VERSION. Used by the bench and as the oracle of the e2e tests; loopback only."""
import glob
import json
import os
import re
import shutil
import socket
import subprocess
import tarfile
import tempfile
import time
import urllib.error
import urllib.request
import zipfile

CACHE = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "sluice")
# The newest gateway that Maven has for a distribution.
GATEWAY = {"1.20.5": "1.20.3", "2.2.1": "2.2.1", "2.3.0": "2.3.0"}


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def pip_download(name, version):
    """Path of the wheel or sdist; downloaded once."""
    folder = os.path.join(CACHE, "dl")
    os.makedirs(folder, exist_ok=True)

    def there():
        spelled = name.replace("-", "[-_]")
        return sorted(glob.glob(f"{folder}/{spelled}-{version}[-.]*whl") + glob.glob(f"{folder}/{spelled}-{version}.tar.gz"))
    if not there():
        python = "/usr/bin/python3" if subprocess.run(["/usr/bin/python3", "-m", "pip", "--version"], capture_output=True).returncode == 0 else "python3"
        subprocess.run([python, "-m", "pip", "download", "-q", "--no-deps", "-d", folder, f"{name}=={version}"], check=True)
    return there()[-1]


def maven_jar(coordinate, folder):
    """Path of the jar of group:artifact:version in folder; fetched by mvn."""
    group, artifact, version = coordinate.split(":")
    path = os.path.join(folder, f"{artifact}-{version}.jar")
    if not os.path.exists(path):
        os.makedirs(folder, exist_ok=True)
        subprocess.run(["mvn", "-q", "-B", "dependency:copy", f"-Dartifact={coordinate}", f"-DoutputDirectory={folder}", "-Dmdep.useBaseVersion=true"],
                       check=True, stdout=subprocess.DEVNULL, cwd=tempfile.gettempdir())
    return path


def libraries(version):
    """A folder with lib, opt, plugins, bin of one release, unpacked from its PyPI package; made once."""
    top = os.path.join(CACHE, "flink-raw", version)
    if os.path.isdir(os.path.join(top, "lib")):
        return top
    os.makedirs(os.path.dirname(top), exist_ok=True)
    half = tempfile.mkdtemp(prefix=".half-", dir=os.path.dirname(top))
    package = pip_download("apache-flink-libraries", version)

    def keep(name, source):
        target = os.path.join(half, name)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with source as src, open(target, "wb") as dst:
            shutil.copyfileobj(src, dst, 1 << 20)
    if package.endswith(".whl"):
        with zipfile.ZipFile(package) as z:
            for name in z.namelist():
                match = re.match(r"pyflink/((?:lib|opt|plugins|bin)/.*[^/])$", name)
                if match:
                    keep(match[1], z.open(name))
    else:
        with tarfile.open(package) as t:
            for member in t:
                match = re.match(r"[^/]+/deps/((?:lib|opt|plugins|bin)/.*)$", member.name)
                if match and member.isfile():
                    keep(match[1], t.extractfile(member))
    shutil.rmtree(top, ignore_errors=True)
    os.rename(half, top)
    return top


def distribution(version):
    """A folder with lib, opt, plugins, bin, conf as Flink's own tarball has them."""
    top = os.path.join(CACHE, "stock", version)
    if os.path.exists(os.path.join(top, ".whole")):
        return top
    shutil.rmtree(top, ignore_errors=True)
    raw = libraries(version)
    for name in ("lib", "opt", "plugins", "bin"):
        shutil.copytree(os.path.join(raw, name), os.path.join(top, name), copy_function=os.link)
    with zipfile.ZipFile(pip_download("apache-flink", version)) as z:
        for name in z.namelist():
            match = re.match(r"pyflink/((?:bin|conf)/.*[^/])$", name)
            if match:
                target = os.path.join(top, match[1])
                os.makedirs(os.path.dirname(target), exist_ok=True)
                with z.open(name) as src, open(target, "wb") as dst:
                    shutil.copyfileobj(src, dst)
                if match[1].startswith("bin/") and name.endswith((".sh", "flink")):
                    os.chmod(target, 0o755)
    maven_jar(f"org.apache.flink:flink-sql-gateway:{GATEWAY[version]}", os.path.join(top, "opt"))
    os.makedirs(os.path.join(top, "log"), exist_ok=True)
    open(os.path.join(top, ".whole"), "w").close()
    return top


def http(method, url, body=None, timeout=120):
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(url, data=data, method=method, headers={"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=timeout) as answer:
        return json.loads(answer.read() or b"{}")


def wait_for(condition, seconds, what):
    end = time.monotonic() + seconds
    while True:
        try:
            value = condition()
            if value:
                return value
        except (OSError, urllib.error.URLError, ValueError, KeyError):
            pass
        if time.monotonic() > end:
            raise AssertionError(f"{what}: not within {seconds} s")
        time.sleep(0.05)


class StockCluster:
    """start-cluster.sh and sql-gateway.sh, unchanged scripts with a configuration of our own: free ports, loopback, own folders."""

    def __init__(self, version, slots=4, extra=None):
        self.home = distribution(version)
        self.version = version
        self.folder = tempfile.mkdtemp(prefix="sluice-stock-")
        self.conf = os.path.join(self.folder, "conf")
        self.port, self.gateway_port = free_port(), free_port()
        shutil.copytree(os.path.join(self.home, "conf"), self.conf)
        lines = {"jobmanager.rpc.address": "127.0.0.1", "jobmanager.rpc.port": free_port(), "jobmanager.bind-host": "127.0.0.1",
                 "jobmanager.memory.process.size": "1600m", "taskmanager.memory.process.size": "1728m", "taskmanager.bind-host": "127.0.0.1",
                 "taskmanager.host": "127.0.0.1", "taskmanager.numberOfTaskSlots": slots, "parallelism.default": 1, "rest.address": "127.0.0.1",
                 "rest.bind-address": "127.0.0.1", "rest.port": self.port, "blob.server.port": free_port(), "io.tmp.dirs": self.folder,
                 "sql-gateway.endpoint.rest.address": "127.0.0.1", "sql-gateway.endpoint.rest.port": self.gateway_port, "execution.target": "remote"}
        lines.update(extra or {})
        old = os.path.join(self.conf, "config.yaml")
        keep = re.search(r"^env:\n(?:[ \t].*\n)+", open(old, encoding="utf-8").read(), re.M)
        with open(old, "w", encoding="utf-8") as f:
            f.write(keep[0] if keep else "")
            for key, value in lines.items():
                f.write(f"{key}: {value}\n")
        for name in ("masters", "workers"):
            with open(os.path.join(self.conf, name), "w", encoding="utf-8") as f:
                f.write("localhost\n")
        self.env = dict(os.environ, FLINK_CONF_DIR=self.conf, FLINK_LOG_DIR=self.folder, FLINK_PID_DIR=self.folder, FLINK_SSH_OPTS="")

    def script(self, name, *args, **kw):
        return subprocess.run([os.path.join(self.home, "bin", name), *args], env=self.env, cwd=self.folder, capture_output=True, text=True, stdin=subprocess.DEVNULL, **kw)

    def start_cluster(self):
        # What start-cluster.sh does for a localhost cluster, without its ssh.
        self.script("jobmanager.sh", "start", check=True)
        self.script("taskmanager.sh", "start", check=True)

    def wait_cluster(self):
        wait_for(lambda: http("GET", self.rest("/overview"))["slots-total"] > 0, 240, "stock cluster")

    def start_gateway(self):
        self.script("sql-gateway.sh", "start", check=True)

    def wait_gateway(self):
        wait_for(lambda: http("GET", self.gateway("/v1/info")), 240, "stock SQL gateway")

    def rest(self, path):
        return f"http://127.0.0.1:{self.port}{path}"

    def gateway(self, path):
        return f"http://127.0.0.1:{self.gateway_port}{path}"

    def pids(self):
        found = []
        for path in glob.glob("/proc/[0-9]*/environ"):
            try:
                if f"FLINK_PID_DIR={self.folder}\0".encode() in open(path, "rb").read():
                    found.append(int(path.split("/")[2]))
            except OSError:
                pass
        return [p for p in found if p != os.getpid()]

    def stop(self):
        for pid in self.pids():
            try:
                os.kill(pid, 15)
            except OSError:
                pass
        end = time.monotonic() + 10
        while self.pids() and time.monotonic() < end:
            time.sleep(0.1)
        for pid in self.pids():
            try:
                os.kill(pid, 9)
            except OSError:
                pass
        shutil.rmtree(self.folder, ignore_errors=True)


class StockGateway:
    """The gateway alone, in front of a cluster that somebody else started (here: the one under test)."""

    def __init__(self, version, lib, rest_port):
        self.folder = tempfile.mkdtemp(prefix="sluice-gateway-")
        self.port = free_port()
        jar = maven_jar(f"org.apache.flink:flink-sql-gateway:{GATEWAY[version]}", os.path.join(CACHE, "stock", "gateway"))
        conf = os.path.join(self.folder, "conf")
        os.makedirs(conf)
        with open(os.path.join(conf, "config.yaml"), "w", encoding="utf-8") as f:
            f.write(f"rest.address: 127.0.0.1\nrest.port: {rest_port}\nexecution.target: remote\nio.tmp.dirs: {self.folder}\n")
        opens = [f"--add-opens=java.base/java.{p}=ALL-UNNAMED" for p in ("lang", "net", "io", "nio", "lang.reflect", "text", "time", "util", "util.concurrent", "util.concurrent.atomic", "util.concurrent.locks")]
        path = ":".join(sorted(glob.glob(os.path.join(lib, "*.jar"))) + [jar])
        self.log = open(os.path.join(self.folder, "log"), "wb")
        self.child = subprocess.Popen(["java", *opens, "-Xmx640m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", path, "org.apache.flink.table.gateway.SqlGateway",
                                       "-Dsql-gateway.endpoint.rest.address=127.0.0.1", f"-Dsql-gateway.endpoint.rest.port={self.port}"],
                                      env=dict(os.environ, FLINK_CONF_DIR=conf), cwd=self.folder, stdin=subprocess.DEVNULL, stdout=self.log, stderr=subprocess.STDOUT)
        wait_for(lambda: http("GET", f"http://127.0.0.1:{self.port}/v1/info"), 240, "stock SQL gateway")

    def session(self):
        return GatewaySession(f"http://127.0.0.1:{self.port}")

    def stop(self):
        self.child.terminate()
        try:
            self.child.wait(10)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)


class GatewaySession:
    """A session of the stock SQL gateway; select() gives (columns, [(kind, fields)]) as it hands them out."""

    def __init__(self, base):
        self.base = base
        self.handle = http("POST", f"{base}/v2/sessions", {"properties": {}})["sessionHandle"]

    def start(self, sql):
        return http("POST", f"{self.base}/v2/sessions/{self.handle}/statements", {"statement": sql})["operationHandle"]

    def execute(self, sql, form="JSON"):
        """Runs one statement to its end; returns (columns, rows)."""
        operation = self.start(sql)
        columns, rows = None, []
        url = f"/v2/sessions/{self.handle}/operations/{operation}/result/0?rowFormat={form}"
        end = time.monotonic() + 300
        while url:
            assert time.monotonic() < end, f"the stock gateway gave no end in 300 s: {sql}"
            try:
                answer = http("GET", self.base + url)
            except urllib.error.HTTPError as e:
                raise AssertionError(e.read().decode("utf-8", "replace")[-3000:]) from None
            kind = answer.get("resultType")
            if kind == "NOT_READY":
                time.sleep(0.02)
                continue
            results = answer.get("results") or {}
            columns = columns or results.get("columns")
            rows += [(r.get("kind"), r.get("fields")) for r in results.get("data") or []]
            url = None if kind == "EOS" else answer.get("nextResultUri")
            if kind == "PAYLOAD" and not results.get("data"):
                time.sleep(0.01)
        return columns, rows

    def close(self):
        try:
            http("DELETE", f"{self.base}/v2/sessions/{self.handle}")
        except OSError:
            pass


if __name__ == "__main__":
    import sys
    for one in sys.argv[1:]:
        print(libraries(one))
