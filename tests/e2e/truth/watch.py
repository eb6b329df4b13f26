# SPDX-License-Identifier: Apache-2.0
"""What was told beside what was so. `Watch` polls `sluice job show -o json` and, past Sluice and every proxy, the real
JobManager and the process table; `judge` then compares the two, moment by moment:
- RUNNING and ok is only told while the job's tasks all run, or at most LAG after they did;
- FAILED, FINISHED, CANCELED is only told when the real Flink has said it, and FAILED with evidence;
- an answer of `job show` never hangs, whatever the cluster does."""
import http.client
import json
import subprocess
import threading
import time
import urllib.error
import urllib.request

import harness
import real

LAG = 15 * harness.PATIENCE      # seconds from a thing being so to its being told; 5 s between looks, and their time limit
ANSWER = 5 * harness.PATIENCE    # seconds that `job show` itself may take
ENDS = ("FAILED", "FINISHED", "CANCELED")


def rest(port, path, timeout=3):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=timeout) as answer:
        return json.loads(answer.read())


class Truth:
    """One moment: what the real Flink says of the job. state "" = it says nothing."""

    def __init__(self, at, state, runs):
        self.at, self.state, self.runs = at, state, runs

    def __str__(self):
        return f"{self.state or '-'}{' all tasks run' if self.runs else ''}"


class Told:
    """One answer of job show: asked at `asked`, there at `at`."""

    def __init__(self, asked, at, rc, doc, err):
        self.asked, self.at, self.rc, self.doc, self.err = asked, at, rc, doc, err

    def __getitem__(self, key):
        return self.doc.get(key, "")

    @property
    def well(self):
        return self["state"] == "RUNNING" and self["health"] == "ok"

    def __str__(self):
        why = self.doc.get("why")
        return f"{self['state']} {self['health']} {self['sight']}{' (' + json.dumps(why, ensure_ascii=False) + ')' if why else ''}" if self.doc else f"exit {self.rc}: {self.err[:200]}"


class Watch:
    def __init__(self, sluice, job, port, pids=lambda: [], evidence=()):
        """port(): of the real REST, whose newest job of this name is the job. pids(): processes without which nothing runs;
        one asleep is nothing running. evidence: words that may be told without Flink having said them (FAILED by the exit
        code of a JVM)."""
        self.sluice, self.job, self.port, self.pids, self.evidence = sluice, job, port, pids, evidence
        self.truth, self.told, self.marks, self.closing = [], [], [], False
        self.start = time.monotonic()
        self.threads = [threading.Thread(target=f, daemon=True) for f in (self.observe, self.listen)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, kind, value, trace):
        self.closing = True
        for thread in self.threads:
            thread.join(ANSWER + 10)
        if kind is None:
            self.judge()
        elif issubclass(kind, AssertionError):
            raise AssertionError(f"{value}\n{self.timeline()}") from None

    def look(self):
        """The truth of this moment."""
        if any(real.asleep(pid) for pid in self.pids()):
            return "", False
        try:
            jobs = [j for j in rest(self.port(), "/jobs/overview")["jobs"] if j["name"] == self.job]
        except (OSError, ValueError, urllib.error.URLError, http.client.HTTPException):
            return "", False
        if not jobs:
            return "", False
        job = max(jobs, key=lambda j: j["start-time"])
        tasks = job["tasks"]
        return job["state"], job["state"] == "RUNNING" and tasks["total"] > 0 and tasks["running"] + tasks["finished"] == tasks["total"]

    def observe(self):
        while not self.closing:
            state, runs = self.look()
            self.truth.append(Truth(time.monotonic(), state, runs))
            time.sleep(0.2)

    def listen(self):
        while not self.closing:
            asked = time.monotonic()
            try:
                child = subprocess.run([harness.BIN, "job", "show", self.job, "-o", "json"], env=self.sluice.env, cwd=self.sluice.work, stdin=subprocess.DEVNULL,
                                       capture_output=True, text=True, timeout=ANSWER * 4)
                rc, out, err = child.returncode, child.stdout, child.stderr
            except subprocess.TimeoutExpired:
                rc, out, err = -1, "", "no answer"
            self.told.append(Told(asked, time.monotonic(), rc, json.loads(out) if rc == 0 else {}, err))
            time.sleep(0.3)

    def mark(self, text):
        """A line of the timeline: what the test does now."""
        self.marks.append((time.monotonic(), text))
        return time.monotonic()

    def until(self, condition, seconds, what):
        """The first answer asked from now on that fits; condition(Told). seconds: of a quiet machine."""
        n = len(self.told)

        def found():
            return next((t for t in self.told[n:] if t.doc and condition(t)), None)
        t = harness.wait_for(found, seconds, what)
        self.mark(f"told: {what}")
        return t

    def really(self, condition, seconds, what):
        n = len(self.truth)
        return harness.wait_for(lambda: next((t for t in self.truth[n:] if condition(t)), None), seconds, what)

    def stay(self, seconds):
        time.sleep(seconds)

    def judge(self):
        wrong = []
        for t in self.told:
            if t.rc != 0:
                wrong.append((t.at, f"job show gave exit {t.rc}: {t.err[:300]}"))
            elif t.at - t.asked > ANSWER:
                wrong.append((t.at, f"job show took {t.at - t.asked:.1f} s"))
            elif t.well and t.asked - self.start > LAG and not any(x.runs for x in self.truth if t.asked - LAG <= x.at <= t.at + 1):
                wrong.append((t.at, f"told RUNNING and ok, and nothing was running for {LAG} s"))
            elif t["state"] in ENDS and t["state"] not in self.evidence and not any(x.state == t["state"] for x in self.truth if x.at <= t.at + 1):
                wrong.append((t.at, f"told {t['state']}, which the real Flink never said"))
            elif t["state"] == "FAILED" and not (t["evidence"] or t["error"] or t["cause"]):
                wrong.append((t.at, "told FAILED without evidence"))
        assert not wrong, "\n".join(f"{at - self.start:6.1f} s  {text}" for at, text in wrong[:10]) + "\n" + self.timeline()

    def timeline(self):
        """Both sides and the test's own deeds, where they change."""
        lines = [(at, f"          -- {text}") for at, text in self.marks]
        for name, moments in (("is  ", self.truth), ("told", self.told)):
            last = None
            for m in moments:
                if str(m) != last:
                    last = str(m)
                    lines.append((m.at, f"{name}  {last}"))
        return "\n".join(f"{at - self.start:6.1f} s  {text}" for at, text in sorted(lines))
