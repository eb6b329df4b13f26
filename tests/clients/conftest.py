# SPDX-License-Identifier: Apache-2.0
"""A Sluice server without tokens, as stock clients need it, and Flink's own gateway in front of the same cluster."""
import glob
import os
import sys

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, ".."), os.path.join(HERE, "..", "e2e")]
import harness  # noqa: E402
import stock  # noqa: E402
from server import Server  # noqa: E402


@pytest.fixture(scope="session")
def flink():
    return os.environ.get("E2E_FLINK", "2.2")


@pytest.fixture(scope="session")
def server(tmp_path_factory, flink):
    s = Server(tmp_path_factory.mktemp("clients"), "--no-auth", "--config", f"flink={flink}", env={"XDG_DATA_HOME": harness.flink_home(), "TZ": "UTC"})
    yield s
    assert s.stop() == 0
    mark = f"SLUICE_DATA={s.folder}/data\0"
    harness.wait_for(lambda: not harness.processes(mark), 20, "end of its JVMs")


@pytest.fixture(scope="session")
def ours(server):
    """Address of the server; its cluster is up."""
    base = f"http://127.0.0.1:{server.port}"
    session = stock.GatewaySession(base)
    session.execute("SHOW MODULES")
    session.close()
    return base


@pytest.fixture(scope="session")
def cluster(server, ours):
    """REST address of the cluster that the server has started."""
    return harness.local_cluster(f"{server.folder}/data")[0]


@pytest.fixture(scope="session")
def theirs(cluster, flink):
    """Address of the stock gateway."""
    lib = glob.glob(f"{harness.flink_home()}/sluice/flink/{flink}*/**/lib", recursive=True)[0]
    it = stock.StockGateway(harness.PATCH[flink], lib, int(cluster.rsplit(":", 1)[1]))
    yield f"http://127.0.0.1:{it.port}"
    it.stop()
