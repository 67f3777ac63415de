#!/usr/bin/env python3
"""Runs wirelag over every case and compares its report with the case's expectation.

    run_cases.py WIRELAG SOURCE_DIR [--via file|net_pcap] [--workers N] [--only NAME]

A case is a folder of SOURCE_DIR with README.md, expected.json (../support/report_match.py) and
capture.pcap(ng) or timeline.txt (../support/timeline.py). net_pcap keeps microseconds: there every
time and duration may be 2 us off. It gives every frame a time: a case whose expectation says
"only_via": "file" is left out there.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))

import report_match  # noqa: E402
import timeline  # noqa: E402

NET_PCAP_SLACK_NS = 2000


def capture_of(case, scratch):
    for name in ("capture.pcapng", "capture.pcap"):
        if (case / name).exists():
            return case / name
    path = pathlib.Path(scratch) / f"{case.name}.pcap"
    timeline.build(case / "timeline.txt", path)
    return path


def run(wirelag, capture, options, case):
    command = [wirelag, "replay", "--format", "json", "--via", options.via]
    command += ["--workers", str(options.workers)]
    if (case / "config.toml").exists():
        command += ["--config", str(case / "config.toml")]
    return subprocess.run([*command, str(capture)], capture_output=True, text=True, timeout=120)


def check(case, options, scratch):
    """Lines that say what is wrong; none when the case passes."""
    if not (case / "README.md").exists():
        return ["README.md is missing"]
    try:
        expected = json.loads((case / "expected.json").read_text())
        if expected.pop("only_via", options.via) != options.via:
            return []
        capture = capture_of(case, scratch)
    except (OSError, ValueError, timeline.TimelineError) as problem:
        return [str(problem)]
    done = run(options.wirelag, capture, options, case)
    if done.returncode != 0:
        return [f"exit status {done.returncode}: {done.stderr.strip()}"]
    if done.stderr:
        return [f"stderr is not empty: {done.stderr.strip()}"]
    slack_ns = NET_PCAP_SLACK_NS if options.via == "net_pcap" else 0
    return report_match.Matcher(slack_ns).differences(expected, json.loads(done.stdout))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("wirelag")
    parser.add_argument("source_dir", type=pathlib.Path)
    parser.add_argument("--via", choices=("file", "net_pcap"), default="file")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--only", help="run the cases whose name contains this")
    options = parser.parse_args()

    passed = failed = 0
    with tempfile.TemporaryDirectory(prefix="wirelag-cases-") as scratch:
        for case in sorted(path for path in options.source_dir.iterdir() if path.is_dir()):
            if case.name.startswith(("_", ".")) or (options.only and options.only not in case.name):
                continue
            problems = check(case, options, scratch)
            passed, failed = passed + (not problems), failed + bool(problems)
            if problems:
                print(f"FAILED {case.name}")
                print("".join(f"    {line}\n" for line in problems), end="")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
