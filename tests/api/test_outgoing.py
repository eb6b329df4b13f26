# SPDX-License-Identifier: Apache-2.0
"""Where requests of ours go, by the address that a name has: on a machine of its own (namespaces), where a harmless name leads to a
link-local address at which a real server listens."""
import fcntl
import http.server
import json
import os
import socket
import struct
import subprocess
import sys
import threading

import pytest

ADDRESS = "169.254.7.7"


def inside(sluice, folder):
    """On the machine of its own: gives the link-local address to `lo`, names it, listens there, and lets Sluice have it as a target."""
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    for name, address in (("lo", "127.0.0.1"), ("lo:1", ADDRESS)):
        request = struct.pack("16sH2s4s8x", name.encode(), socket.AF_INET, b"", socket.inet_aton(address))
        fcntl.ioctl(s, 0x8916, request)  # SIOCSIFADDR
        fcntl.ioctl(s, 0x8914, struct.pack("16sH14x", name.encode(), 0x41))  # SIOCSIFFLAGS: up, running
    hosts = os.path.join(folder, "hosts")
    with open(hosts, "w", encoding="ascii") as f:
        f.write(f"127.0.0.1 localhost\n{ADDRESS} cluster.example\n")
    subprocess.run(["mount", "--bind", hosts, "/etc/hosts"], check=True)
    asked = []

    class Metadata(http.server.BaseHTTPRequestHandler):
        def log_message(self, *args):
            pass

        def do_GET(self):
            asked.append(self.path)
            self.send_error(404)
    server = http.server.ThreadingHTTPServer((ADDRESS, 0), Metadata)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    env = {k: v for k, v in os.environ.items() if not k.startswith("SLUICE_") and not k.lower().endswith("_proxy")}
    out = {}
    for let in ("false", "true"):
        env.update(SLUICE_DATA=os.path.join(folder, let), HOME=folder, XDG_CONFIG_HOME=folder, NO_COLOR="1", SLUICE_HTTP_LINK_LOCAL=let)

        def run(*argv):
            return subprocess.run([sluice, *argv], env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)
        for name in ("cluster.example", ADDRESS):
            url = f"http://{name}:{server.server_port}"
            added = run("target", "add", "t" + str(len(out)), "--url", url)
            tried = run("target", "test", "t" + str(len(out)))
            out[f"{name} {let}"] = {"added": added.returncode, "code": tried.returncode, "said": tried.stdout + tried.stderr, "asked": len(asked)}
            asked.clear()
        run("owner", "stop", "--yes")
    print(json.dumps(out))


def test_a_name_of_a_metadata_service_is_no_way_to_it(tmp_path):
    probe = subprocess.run(["unshare", "-rmn", "mount", "--bind", "/etc/hosts", "/etc/hosts"], capture_output=True, text=True, check=False)
    if probe.returncode != 0:
        pytest.skip("namespaces are not allowed here: " + probe.stderr.strip())
    sluice = os.path.abspath(os.environ.get("SLUICE_BIN", "build/sluice"))
    done = subprocess.run(["unshare", "-rmn", sys.executable, os.path.abspath(__file__), sluice, str(tmp_path)], capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stderr
    out = json.loads(done.stdout)
    for name in ("cluster.example", ADDRESS):
        no, yes = out[f"{name} false"], out[f"{name} true"]
        assert "address-refused" in no["said"] and ADDRESS in no["said"] and "http.link-local" in no["said"], no
        assert no["asked"] == 0, "it was asked all the same"
        assert yes["asked"] > 0 and "address-refused" not in yes["said"], yes


if __name__ == "__main__":
    inside(*sys.argv[1:])
