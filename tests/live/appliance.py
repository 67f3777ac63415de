"""One `wirelag run`: its configuration, its signals, and what it writes."""

import json
import os
import re
import signal
import subprocess
import time

import namespaces

INTERVAL_S = 1

CONFIG = """
[appliance]
name = "live"
workers = 2
interval_s = {interval}

[eal]
hugepages = false
memory_mb = 128

[[port]]
name = "port"
device = "{device}"
sharding = "{sharding}"

[ring]
transaction_bytes = {ring}

[log]
summary = "{dir}/summary.log"
format = "both"
path_json = "{dir}/summary.jsonl"

[report]
directory = "{dir}"
marks_file = "{dir}/marks"
"""
LARGE_RING, SMALL_RING = 16 << 20, 256 << 10


def _prioritised(command):
    """What is measured should not be how busy the machine is. The appliance's cores rest when they
    are idle and share CPUs; with CPUs of their own they never rest and must not be real-time."""
    if len(os.sched_getaffinity(0)) < 4:
        return namespaces.real_time(5, command)
    return ["nice", "-n", "-20", *command]


class Appliance:
    """A context: entering waits until it listens, leaving ends it whatever happened."""

    def __init__(self, program, directory, device, sharding="auto", ring=LARGE_RING):
        self.summary = os.path.join(directory, "summary.log")
        self.summary_json = os.path.join(directory, "summary.jsonl")
        self._program = program
        self._stderr = os.path.join(directory, "stderr")
        self._read = 0
        self._config = os.path.join(directory, "wirelag.toml")
        with open(self._config, "w") as f:
            f.write(CONFIG.format(interval=INTERVAL_S, device=device, sharding=sharding, ring=ring,
                                  dir=directory))

    def __enter__(self):
        with open(self._stderr, "w") as stderr:
            self._process = subprocess.Popen(
                _prioritised([self._program, "run", "--config", self._config]),
                stdin=subprocess.DEVNULL, stderr=stderr)
        self.wait_for(r"is listening", within_s=60)
        return self

    def __exit__(self, *_):
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def messages(self):
        with open(self._stderr) as f:
            return f.read()

    def wait_for(self, pattern, within_s=30):
        """What matches next on stderr, after what was waited for before."""
        def find():
            ended = self._process.poll()
            match = re.compile(pattern).search(self.messages(), self._read)
            if match is None and ended is not None:
                raise RuntimeError(f"wirelag ended with {ended}: {self.messages()}")
            return match
        match = namespaces.wait_until(find, f"'{pattern}' from wirelag", within_s)
        self._read = match.end()
        return match

    def send(self, which):
        self._process.send_signal(which)

    def report(self):
        """Asks for a report and returns it."""
        self.send(signal.SIGUSR1)
        return self._read_report()

    def mark(self, words):
        """`wirelag mark`, while it runs."""
        subprocess.run([self._program, "mark", "-c", self._config, words], check=True,
                       stdout=subprocess.DEVNULL)

    def stop(self, which):
        """SIGINT or SIGTERM. Returns the exit status, the seconds it took, and the last report."""
        begin = time.monotonic()
        self.send(which)
        status = self._process.wait(60)
        return status, time.monotonic() - begin, self._read_report()

    def _read_report(self):
        names = self.wait_for(r"report written: (.*)\n").group(1).split(", ")
        with open(next(n for n in names if n.endswith(".json"))) as f:
            return json.load(f)


def text_lines(paths):
    """The appliance's lines of a summary log: numbers as int."""
    lines = []
    for path in paths:
        with open(path) as f:
            for line in f:
                when, kind, *fields = line.rstrip("\n").split(" ")
                if kind == "appliance":
                    values = dict(field.split("=", 1) for field in fields)
                    lines.append({k: int(v) if re.fullmatch(r"-?\d+", v) else v
                                  for k, v in values.items()} | {"time": when})
    return lines


def json_lines(paths):
    """The same of its JSON lines."""
    lines = []
    for path in paths:
        with open(path) as f:
            lines += [line for line in map(json.loads, f) if line["kind"] == "appliance"]
    return lines
