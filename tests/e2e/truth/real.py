# SPDX-License-Identifier: Apache-2.0
"""Flinks that Sluice did not start: a JobManager and a TaskManager of a plain Flink, each of which can be killed, started
again on the same port, and put to sleep."""
import os
import signal
import sys

import harness
import stock

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "runner"))
import flink_cluster  # noqa: E402

RUNNER = os.path.join(os.path.dirname(harness.BIN), "sluice-runner.jar")


class Foreign(flink_cluster.Cluster):
    """Jobs restart at once when a TaskManager is lost, and its loss is known after 8 s."""

    def __init__(self, version, slots=4, more=None):
        self.more = {"heartbeat.interval": "2 s", "heartbeat.timeout": "8 s", "slot.request.timeout": "60 s", "metrics.fetcher.update-interval": "1 s", **(more or {})}
        self.commands = {}
        super().__init__(stock.libraries(harness.PATCH[version]), RUNNER, slots=slots)

    def _java(self, name, heap, args):
        if name == "jm":  # the first one: the configuration is complete but for ours
            with open(self.dir / "conf/config.yaml", "a", encoding="utf-8") as f:
                f.write("".join(f"{k}: {v}\n" for k, v in self.more.items()))
        self.commands[name] = (heap, args)
        return super()._java(name, heap, args)

    def kill(self, name):
        child = getattr(self, name)
        child.kill()
        child.wait()

    def again(self, name):
        """Starts a killed one with the command it had; its log goes on."""
        heap, args = self.commands[name]
        setattr(self, name, super()._java(name, heap, args))

    def signal(self, number, *names):
        for name in names:
            getattr(self, name).send_signal(number)

    def sleep(self):
        self.signal(signal.SIGSTOP, "jm", "tm")

    def wake(self):
        self.signal(signal.SIGCONT, "jm", "tm")

    def stop(self):
        self.wake_all()
        super().stop()

    def wake_all(self):
        for name in ("jm", "tm"):
            child = getattr(self, name)
            if child.poll() is None:
                child.send_signal(signal.SIGCONT)


def asleep(pid):
    """Stopped by a signal, or not there at all: it does nothing."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as f:
            return f.read().rsplit(")", 1)[1].split()[0] in "TtZX"
    except OSError:
        return True


def rss(pid):
    with open(f"/proc/{pid}/statm", encoding="ascii") as f:
        return int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


