# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the e2e groups. E2E_FLINK names the Flink version, E2E_MODE the mode; tests/run starts pytest once for each."""
import os
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import harness  # noqa: E402


def pytest_configure(config):
    config.addinivalue_line("markers", "smoke: also on the Flink versions that are not the default")
    config.addinivalue_line("markers", "full: only in `make test-all`")


def pytest_collection_modifyitems(config, items):
    for item in items:
        if item.get_closest_marker("full") and not harness.FULL:
            item.add_marker(pytest.mark.skip(reason="runs in make test-all"))


@pytest.fixture(scope="session")
def flink():
    return os.environ.get("E2E_FLINK", "2.2")


@pytest.fixture(scope="session")
def mode():
    return os.environ.get("E2E_MODE", "session")


@pytest.fixture(scope="session")
def sluice(flink):
    """The data folder of the session: its local Flink stays warm between tests and is gone at the end."""
    it = harness.Sluice()
    try:
        it("flink", "install", flink, timeout=900).ok()
        yield it
    finally:
        try:
            if os.path.isdir(it.data):
                it.stop()
        finally:
            if os.environ.get("E2E_KEEP") != "1":
                it.remove()


@pytest.fixture
def own_sluice(request):
    """A data folder of one test, for tests that kill and break things."""
    it = harness.Sluice("own")
    try:
        yield it
    finally:
        if os.environ.get("E2E_KEEP") != "1":
            it.remove()


@pytest.fixture(scope="session")
def run(sluice, flink, mode):
    """Runs a script text in the mode and on the Flink of this session."""
    def go(text, *args, **kw):
        return sluice.run(text, "--flink", flink, "--mode", mode, *args, **kw)
    return go


@pytest.fixture(scope="session")
def flink_lib(sluice, flink):
    """The lib folder of the installed Flink, to compile against."""
    import glob
    found = glob.glob(f"{sluice.env['XDG_DATA_HOME']}/sluice/flink/{flink}*/**/lib", recursive=True)
    assert found, "no lib folder in the Flink installation"
    return found[0]


@pytest.fixture(scope="session")
def udf_jar(sluice, flink_lib):
    """A jar with three functions: scalar, table and aggregate."""
    source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "udf", "Functions.java")
    out = os.path.join(sluice.folder, "udf")
    os.makedirs(out, exist_ok=True)
    subprocess.run(["javac", "--release", "11", "-nowarn", "-cp", f"{flink_lib}/*", "-d", out, source], check=True)
    jar = os.path.join(sluice.folder, "udfs.jar")
    subprocess.run(["jar", "cf", jar, "-C", out, "."], check=True)
    return jar
