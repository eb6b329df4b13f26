# SPDX-License-Identifier: Apache-2.0
"""A terminal with a screen, for programs that draw: a tmux server of its own with one window."""
import os
import shutil
import subprocess
import tempfile
import time


class Screen:
    def __init__(self, argv, env, columns=150, lines=60):
        self.folder = tempfile.mkdtemp(prefix="screen-", dir="/tmp")  # the path of a socket has to be short
        self.base = ["tmux", "-S", f"{self.folder}/socket", "-f", "/dev/null"]
        settings = ["set-option", "-g", "history-limit", "20000", ";", "set-option", "-g", "default-terminal", "screen", ";", "set-option", "-g", "remain-on-exit", "on", ";", "set-option", "-g", "status", "off", ";"]
        self.tmux("start-server", ";", *settings, "new-session", "-d", "-x", str(columns), "-y", str(lines), *argv, env=env)

    def tmux(self, *argv, env=None):
        env = dict(env or os.environ)
        env.pop("TMUX", None)
        return subprocess.run([*self.base, *argv], env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30, check=True).stdout

    def type(self, text, *keys):
        """Types the text as it is, then presses the keys (Enter, C-c ...)."""
        if text:
            self.tmux("send-keys", "-l", "--", text[:-1] + "\\;" if text.endswith(";") else text)  # a ";" at the end is tmux's own
        if keys:
            self.tmux("send-keys", *keys)

    def lines(self, history=True):
        """What stands on the screen, with all that has left it upwards; blanks at the ends of lines apart."""
        text = self.tmux("capture-pane", "-p", *(["-S", "-"] if history else []))
        return [line.rstrip() for line in text.split("\n") if line.strip()]

    def wait(self, condition, seconds, what, history=True):
        end = time.monotonic() + seconds
        while not condition(self.lines(history)):
            if time.monotonic() > end:
                raise AssertionError(f"{what}: not within {seconds} s:\n" + "\n".join(self.lines()[-60:]))
            time.sleep(0.1)

    def ended(self):
        return self.tmux("display-message", "-p", "#{pane_dead}").strip() == "1"

    def close(self):
        self.tmux("kill-server")
        shutil.rmtree(self.folder, ignore_errors=True)
