# SPDX-License-Identifier: Apache-2.0
"""Jobs on Flinks that Sluice started, seen past Sluice: their JVMs by the process table, their REST by the ports these listen on."""
import glob
import json
import os
import signal
import time

import harness


def jvm(data, cluster, role):
    """pid of the JVM of a cluster's folder, by its command line; None when there is none."""
    for pid in harness.processes(f"SLUICE_DATA={data}\0"):
        line = harness.command_line(pid)
        entry = "TaskManagerRunner" if role == "taskmanager" else "ClusterEntrypoint"
        if f"/{cluster}/" in line and entry.lower() in line.lower() and not line.startswith(harness.BIN):
            return pid
    return None


class Job:
    def __init__(self, sluice, name, done):
        self.sluice, self.name, self.done = sluice, name, done
        self.cluster = harness.wait_for(self.find, 60, f"a Flink that knows {name}")

    def folders(self):
        return sorted(glob.glob(f"{self.sluice.data}/clusters/*-*"), key=os.path.getmtime)

    @staticmethod
    def port_of(folder):
        try:
            with open(f"{folder}/cluster.json", encoding="utf-8") as f:
                return int(json.load(f)["rest"].rsplit(":", 1)[1])
        except (OSError, ValueError):
            return 0

    def find(self):
        for folder in self.folders():
            try:
                if any(j["name"] == self.name for j in harness.get(f"http://127.0.0.1:{self.port_of(folder)}/jobs/overview", 3)["jobs"]):
                    return os.path.basename(folder)
            except OSError:
                continue
        return None

    def port(self):
        return self.port_of(f"{self.sluice.data}/clusters/{self.cluster}")

    def pid(self, role):
        return jvm(self.sluice.data, self.cluster, role)

    def pids(self):
        return [p for p in (self.pid("jobmanager"), self.pid("taskmanager")) if p]

    def kill(self, role):
        pid = self.pid(role)
        assert pid, f"no {role} of {self.cluster}"
        os.kill(pid, signal.SIGKILL)

    def sleep(self):
        self.stopped = self.pids()
        assert len(self.stopped) == 2
        for pid in self.stopped:
            os.kill(pid, signal.SIGSTOP)
        return time.monotonic()

    def wake(self):
        for pid in self.stopped:
            os.kill(pid, signal.SIGCONT)


def end(sluice, name):
    """Its runs are gone; whatever was done to them."""
    doc = sluice("job", "show", name, "-o", "json")
    if doc.rc == 0 and not json.loads(doc.out).get("ended"):
        sluice("job", "cancel", name, "--yes")
