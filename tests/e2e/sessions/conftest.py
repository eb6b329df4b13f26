# SPDX-License-Identifier: Apache-2.0
"""One server without tokens and its local Flink for all tests of this folder, and jars that are made here."""
import glob
import os
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import harness  # noqa: E402
import stock  # noqa: E402
from server import Server  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
# The newest that Maven Central has for each Flink; plain files want Hadoop's classes, too.
PAIMON = {"1.20": "org.apache.paimon:paimon-flink-1.20:1.3.1", "2.2": "org.apache.paimon:paimon-flink-2.0:1.4.2", "2.3": "org.apache.paimon:paimon-flink-2.0:1.4.2"}
HADOOP = "org.apache.flink:flink-shaded-hadoop-2-uber:2.8.3-10.0"


@pytest.fixture(scope="session")
def server(tmp_path_factory, flink):
    s = Server(tmp_path_factory.mktemp("sessions"), "--no-auth", "--config", f"flink={flink}", env={"XDG_DATA_HOME": harness.flink_home(), "TZ": "UTC"})
    yield s
    assert s.stop() == 0
    mark = f"SLUICE_DATA={s.folder}/data\0"
    harness.wait_for(lambda: not harness.processes(mark), 20, "end of its JVMs")


@pytest.fixture(scope="session")
def base(server):
    """Its address; its Flink is up."""
    address = f"http://127.0.0.1:{server.port}"
    session = stock.GatewaySession(address)
    session.execute("SHOW MODULES")
    session.close()
    return address


@pytest.fixture
def session(base):
    it = stock.GatewaySession(base)
    yield it
    it.close()


@pytest.fixture(scope="session")
def jobmanager(server, base):
    """(REST address, pid) of the JobManager that the server has started."""
    return harness.local_cluster(f"{server.folder}/data")


@pytest.fixture(scope="session")
def jar(base, flink, tmp_path_factory):
    """A catalog that counts and a function."""
    folder = tmp_path_factory.mktemp("jar")
    lib = glob.glob(f"{harness.flink_home()}/sluice/flink/{flink}*/**/lib", recursive=True)[0]
    subprocess.run(["javac", "--release", "11", "-nowarn", "-proc:none", "-cp", f"{lib}/*", "-d", folder / "out", *glob.glob(f"{HERE}/java/*.java")], check=True)
    services = folder / "out" / "META-INF" / "services"
    services.mkdir(parents=True)
    (services / "org.apache.flink.table.factories.Factory").write_text("org.sluice.test.CountingCatalog\n")
    subprocess.run(["jar", "cf", folder / "test.jar", "-C", folder / "out", "."], check=True)
    return folder / "test.jar"


@pytest.fixture(scope="session")
def paimon(flink):
    """Paimon and what it needs, from Maven Central, once."""
    folder = os.path.join(harness.CACHE, "maven-jars")
    return [stock.maven_jar(one, folder) for one in (PAIMON[flink], HADOOP)]
