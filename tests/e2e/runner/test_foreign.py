# SPDX-License-Identifier: Apache-2.0
"""A cluster that is not ours: the runner is not in lib/ but uploaded, and its classes are loaded child-first."""
import pytest

from flink_cluster import Cluster, homes
from results_server import ResultsServer
from runner_run import Run, jar


@pytest.fixture(params=sorted(homes()))
def foreign(request):
    cluster = Cluster(homes()[request.param], jar(), installed=False).ready()
    cluster.upload(jar().read_bytes())
    yield cluster
    cluster.stop()


def test_uploaded_runner(foreign):
    port = ResultsServer()
    for _ in range(2):
        result = port.result(2)
        r = Run(foreign, port, [
            {"action": "execute", "sql": "CREATE TABLE g (id BIGINT) WITH ('connector'='datagen','number-of-rows'='9')"},
            {"action": "select", "sql": "SELECT COUNT(*) AS n, MAP['k', ARRAY[1]] AS m FROM g", "token": result.token}])
        r.result = result
        r.go().finish()
        assert result.changes()[-1] == ("+U", 9, [("k", [1])]) and not result.insert_only
    port.close()
    assert not port.faults, port.faults
