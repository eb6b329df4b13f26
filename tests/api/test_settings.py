# SPDX-License-Identifier: Apache-2.0
"""Settings do what they say, whichever way they come: flag, environment, file; sluice.yaml and a verb's own flag beside them."""
import json
import os
import subprocess

import pytest

from test_language import BIN


@pytest.fixture
def sluice(tmp_path):
    def call(*args, **env):
        base = {k: v for k, v in os.environ.items() if not k.startswith("SLUICE_")}
        base.update(XDG_CONFIG_HOME=str(tmp_path / "xdg"), XDG_DATA_HOME=str(tmp_path / "share"), HOME=str(tmp_path), NO_COLOR="1", **env)
        return subprocess.run([BIN, *args], env=base, cwd=tmp_path, capture_output=True, text=True, timeout=30, stdin=subprocess.DEVNULL, check=False)
    return call


@pytest.fixture
def settings_file(tmp_path):
    def write(text):
        (tmp_path / "xdg" / "sluice").mkdir(parents=True, exist_ok=True)
        (tmp_path / "xdg" / "sluice" / "config.yaml").write_text(text)
    return write


def test_a_limit_is_in_force_by_every_way(sluice, tmp_path, settings_file):
    (tmp_path / "w.sql").write_text("SELECT 1 +;\n" * 6)

    def errors(*flags, **env):
        return len(json.loads(sluice(*flags, "check", "--json", "w.sql", **env).stdout)["diagnostics"])
    assert errors() == 6
    settings_file("limit:\n  diagnostics: 4\n")
    assert errors() == 4
    assert errors(SLUICE_LIMIT_DIAGNOSTICS="3") == 3
    assert errors("--config", "limit.diagnostics=2", SLUICE_LIMIT_DIAGNOSTICS="3") == 2
    assert errors("--config=limit.diagnostics=1") == 1


def test_limits_of_script_and_statement(sluice, tmp_path):
    (tmp_path / "long.sql").write_text("SELECT '" + "x" * 3000 + "';\n")
    assert sluice("check", "long.sql").returncode == 0
    statement = sluice("check", "long.sql", "--config", "limit.statement-bytes=2 KiB")
    assert statement.returncode == 3 and "limit-exceeded" in statement.stderr + statement.stdout and "2 KiB" in statement.stderr + statement.stdout
    script = sluice("check", "long.sql", "--config", "limit.script-bytes=2 KiB")
    assert script.returncode == 3 and "limit-exceeded" in script.stderr and "2 KiB" in script.stderr, script.stderr


def test_the_flink_version(sluice, tmp_path, settings_file):
    """A verb's flag, then sluice.yaml, then the settings, then the default."""
    (tmp_path / "one").mkdir()
    for folder in (tmp_path, tmp_path / "one"):
        (folder / "s.sql").write_text("SELECT 1;\n")

    def flink(*args, **env):
        done = sluice("check", "--json", *args, **env)
        assert done.returncode == 0, done.stderr + done.stdout
        return json.loads(done.stdout)["files"][0]["flink"]
    assert flink("s.sql") == "2.2"
    settings_file("flink: 2.3\n")
    assert flink("s.sql") == "2.3"
    assert flink("s.sql", SLUICE_FLINK="2.1") == "2.1"
    (tmp_path / "one" / "sluice.yaml").write_text("flink: 1.20\n")
    assert flink("one/s.sql", SLUICE_FLINK="2.1") == "1.20"
    assert flink("--flink", "2.0", "one/s.sql") == "2.0"


def test_the_data_folder(sluice, tmp_path):
    for args, env in ((("--data", "here", "owner", "status"), {}), (("owner", "status", "--data=here"), {}), (("owner", "status"), {"SLUICE_DATA": str(tmp_path / "here")})):
        done = sluice(*args, **env)
        assert done.returncode == 0 and done.stdout.strip() == f"no owner runs for {tmp_path}/here", done.stdout + done.stderr
    assert sluice("owner", "status").stdout.strip() == f"no owner runs for {tmp_path}/share/sluice/data"


def test_what_is_wrong_is_said(sluice, settings_file):
    for args, code, words in (
            (("--config", "limit.diagnostic=2", "config"), 2, ("config-unknown", "limit.diagnostics")),
            (("--config", "limit.diagnostics=many", "config"), 2, ("config-value", "a whole number")),
            (("--config", "limit.diagnostics=0", "config"), 2, ("config-value", "1 to 1000000")),
            (("--config",), 2, ("usage", "--config wants a value")),
            (("--log-level", "loud", "version"), 2, ("config-value", "err, warn, info or debug"))):
        done = sluice(*args)
        assert done.returncode == code and all(w in done.stderr for w in words), (args, done.stderr)
    settings_file("limits: {a: 1}\n")
    done = sluice("check", "-")
    assert done.returncode == 2 and "config-unknown" in done.stderr and "config.yaml" in done.stderr, done.stderr
    assert sluice("run", "--", "--data").returncode == 2, "after -- it is a file"
