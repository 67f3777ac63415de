"""One `wirelag run`: its configuration, its signals, and what it writes."""

import glob
import json
import os
import re
import signal
import subprocess
import time

import world

INTERVAL_S = 1

CONFIG = """
[appliance]
name = "live"
workers = {workers}
interval_s = {interval}

[eal]
hugepages = false
memory_mb = 128

[[port]]
name = "port"
device = "{device}"

[log]
summary = "{dir}/summary.log"
format = "both"
path_json = "{dir}/summary.jsonl"

[report]
directory = "{dir}"
"""


class Appliance:
    """A context: entering waits until it listens, leaving ends it whatever happened."""

    def __init__(self, program, directory, device, workers=2):
        self.directory = directory
        self.summary = os.path.join(directory, "summary.log")
        self.summary_json = os.path.join(directory, "summary.jsonl")
        self._program = program
        self._stderr = os.path.join(directory, "stderr")
        self._read = 0
        self.config = os.path.join(directory, "wirelag.toml")
        with open(self.config, "w") as f:
            f.write(CONFIG.format(workers=workers, interval=INTERVAL_S, device=device,
                                  dir=directory))

    def __enter__(self):
        with open(self._stderr, "w") as stderr:
            self.process = subprocess.Popen(["chrt", "--rr", "5", self._program, "run", "--config", self.config],
                                            stdin=subprocess.DEVNULL, stderr=stderr)
        self.wait_for(r"is listening", within_s=60)
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def messages(self):
        with open(self._stderr) as f:
            return f.read()

    def wait_for(self, pattern, within_s=20):
        """The next line on stderr that matches, after the one waited for before."""
        def find():
            match = re.compile(pattern).search(self.messages(), self._read)
            if match is None and self.process.poll() is not None:
                raise RuntimeError(f"wirelag ended with {self.process.returncode}: {self.messages()}")
            return match
        match = world.wait_until(find, f"'{pattern}' from wirelag", within_s)
        self._read = match.end()
        return match

    def send(self, which):
        self.process.send_signal(which)

    def report(self):
        """Asks for a report and returns it."""
        self.send(signal.SIGUSR1)
        return self._read_report()

    def stop(self):
        """SIGINT. Returns exit status, seconds until the end, and the last report."""
        begin = time.monotonic()
        self.send(signal.SIGINT)
        status = self.process.wait(60)
        return status, time.monotonic() - begin, self._read_report()

    def _read_report(self):
        names = self.wait_for(r"report written: (.*)").group(1).split(", ")
        with open(next(n for n in names if n.endswith(".json"))) as f:
            return json.load(f)


def text_lines(paths, kind):
    """The summary's lines of a kind as dictionaries: numbers as int, `time` as text."""
    lines = []
    for path in paths:
        with open(path) as f:
            for line in f:
                when, what, *fields = line.split(" ")
                if what == kind:
                    values = dict(field.rstrip("\n").split("=", 1) for field in fields)
                    lines.append({k: int(v) if re.fullmatch(r"-?\d+", v) else v
                                  for k, v in values.items()} | {"time": when})
    return lines


def json_lines(paths, kind):
    lines = []
    for path in paths:
        with open(path) as f:
            lines += [line for line in map(json.loads, f) if line["kind"] == kind]
    return lines


def reports_in(directory):
    return sorted(glob.glob(os.path.join(directory, "wirelag-live-*")))
