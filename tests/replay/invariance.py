#!/usr/bin/env python3
"""The whole program, with its threads, rings and driver, says the same in every way it can be run:

    workers     the JSON report of --workers 1, 2 and 4 is the same, byte for byte
    compressed  and so it is when the file is compressed, with gzip and zstd in turn
    net_pcap    through DPDK's pcap driver, for a sample: the same report but for times, which have
                microseconds there

    invariance.py WIRELAG TESTS_DIR [--captures DIR]

The captures: those of tests/cases, and own/ and every eighth of public/ of DIR where it exists. What
holds for the reports themselves is tested on all of them in one process: properties/. A capture
that cannot be read must be refused the same way each time, in one sentence.
"""

import argparse
import concurrent.futures
import itertools
import json
import os
import pathlib
import re
import struct
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))
sys.path.insert(0, str(HERE.parent / "cases"))

import packing  # noqa: E402
import run_cases  # noqa: E402
import timeline  # noqa: E402

AT_ONCE = 2
WORKERS = (1, 2, 4)
NET_PCAP_SAMPLE = 40
PUBLIC_STEP = 8
TIMEOUT_S = 120
SKIPPED = 77

# net_pcap: each time may be off by less than 1 us, a difference of two by less than 2 us.
SLACK_NS = 2000
STOPS = "net_pcap does not read on after frame"
PCAPNG = b"\x0a\x0d\x0d\x0a"
DECIMAL = re.compile(r"[+-]?\d+\.\d+")


class Options:
    wirelag = ""
    config = HERE / "small_tables.toml"


def replay(capture, workers, via="file"):
    command = [Options.wirelag, "replay", "--format", "json", "--config", str(Options.config)]
    command += ["--workers", str(workers), "--via", via, str(capture)]
    return subprocess.run(command, capture_output=True, timeout=TIMEOUT_S)


# ------------------------------------------------------------------------------- the properties


def check_workers(capture):
    """(problems, report of one worker or None)"""
    runs = [replay(capture, workers) for workers in WORKERS]
    problems = []
    for workers, run in zip(WORKERS[1:], runs[1:]):
        if run.returncode != runs[0].returncode or run.stderr != runs[0].stderr:
            problems.append(
                f"{workers} workers: exit status {run.returncode} {run.stderr!r}, "
                f"one worker: {runs[0].returncode} {runs[0].stderr!r}"
            )
        elif run.stdout != runs[0].stdout:
            problems.append(f"{workers} workers: {first_difference(runs[0].stdout, run.stdout)}")
    if runs[0].returncode != 0:
        sentence = runs[0].stderr.decode()
        if not sentence.startswith("wirelag: ") or sentence.count("\n") != 1:
            problems.append(f"refused, but not in one sentence: {sentence!r}")
        return problems, None
    report = json.loads(runs[0].stdout)
    return problems + check_accounting(report), report


def check_compressed(capture, pack):
    """The compressed file has the name of the capture: it is told by what is in it."""
    with tempfile.TemporaryDirectory(prefix="wirelag-compressed-") as scratch:
        packed = pathlib.Path(scratch) / capture.name
        packed.write_bytes(pack(capture.read_bytes()))
        one, other = replay(capture, 1), replay(packed, 1)
    if other.returncode != 0 or one.stderr != other.stderr:
        return [f"compressed: exit status {other.returncode} {other.stderr!r}"]
    if one.stdout != other.stdout:
        return [f"compressed: {first_difference(one.stdout, other.stdout)}"]
    return []


def first_difference(one, other):
    for number, (a, b) in enumerate(zip(one.splitlines(), other.splitlines()), 1):
        if a != b:
            return f"line {number} of the JSON differs: {a[:200]!r} / {b[:200]!r}"
    return "one report is the beginning of the other"


def check_accounting(report):
    books = report["accounting"]
    total = books["analysed"] + sum(books["not_analysed"].values())
    if books["received"] == total == report["capture"]["packets"]:
        return []
    return [f"accounting: {books}, packets: {report['capture']['packets']}"]


def check_net_pcap(capture, report):
    run = replay(capture, 2, "net_pcap")
    if run.returncode == 1 and f"{STOPS} 0;" in run.stderr.decode():
        return []  # the driver read nothing: refused in one sentence
    if run.returncode != 0:
        return [f"net_pcap: exit status {run.returncode} {run.stderr.decode().strip()}"]
    other = json.loads(run.stdout)
    if STOPS in (other["capture"]["cut_short_reason"] or ""):
        return check_net_pcap_stop(capture, other)
    return [f"net_pcap: {line}" for line in unlike(report, other, "", 0)][:5]


def check_net_pcap_stop(capture, report):
    """The driver's libpcap refuses pcapng interfaces that differ: the report must say so, and where."""
    reason = report["capture"]["cut_short_reason"]
    print(f"{capture.name}: {reason}")
    if capture.read_bytes()[:4] != PCAPNG:
        return [f"net_pcap stopped in a file of one interface: {reason}"]
    if reason != f"{STOPS} {report['capture']['packets']}":
        return [f"net_pcap: {reason}, but {report['capture']['packets']} packets"]
    return check_accounting(report)


def unlike(one, other, path, slack_ns):
    """Where two reports differ, but for times."""
    if isinstance(one, dict) and isinstance(other, dict):
        if one.keys() != other.keys():
            return [f"{path}: {sorted(one.keys() ^ other.keys())}"]
        packets = sum(one["packets"].values()) if isinstance(one.get("packets"), dict) else 0
        found = []
        for key in one:
            slack = slack_ns
            if key.endswith("_ns"):
                slack = SLACK_NS
            if key in ("time_lost_ns", "zero_window"):  # sums over many packets
                slack = SLACK_NS * max(packets, 1)
            found += unlike(one[key], other[key], f"{path}.{key}", slack)
        return found
    if isinstance(one, list) and isinstance(other, list):
        if len(one) != len(other):
            return [f"{path}: {len(one)} / {len(other)} members"]
        pairs = enumerate(zip(one, other))
        return [line for n, (a, b) in pairs for line in unlike(a, b, f"{path}[{n}]", slack_ns)]
    if isinstance(one, str) and isinstance(other, str):
        one, other = DECIMAL.sub("#", one), DECIMAL.sub("#", other)
    if isinstance(one, float) and isinstance(other, float):
        slack_ns = max(slack_ns, 1e-4, 1e-4 * abs(one))  # user_seconds_per_hour, requests_per_second
    numbers = isinstance(one, (int, float)) and isinstance(other, (int, float))
    if one == other or (numbers and abs(one - other) <= slack_ns):
        return []
    return [f"{path}: {one} / {other}"]


# --------------------------------------------------------------------------------- the captures


def captures_of_cases(cases_dir, scratch):
    cases = sorted(path for path in cases_dir.iterdir() if (path / "expected.json").exists())
    return [pathlib.Path(run_cases.capture_of(case, scratch)) for case in cases]


def captures_in(directory):
    if directory is None or not directory.is_dir():
        print(f"captures of {directory or '--captures'}: not there, skipped")
        return []
    found = sorted((directory / "own").glob("*"))
    found += sorted((directory / "public").glob("*"))[::PUBLIC_STEP]
    print(f"captures of {directory}: {len(found)}")
    return found


def beyond_net_pcap(capture, report):
    """Why the driver cannot replay a capture faithfully; empty when it can."""
    if report["capture"]["frames_without_time"]:
        return "frames without a time, which libpcap reads as times of 0"
    content = capture.read_bytes()
    layout = {b"\xd4\xc3": "<", b"\x4d\x3c": "<", b"\xa1\xb2": ">"}.get(content[:2])
    if layout is None:
        return ""
    ticks = 10**9 if b"\x3c" in content[:4] else 10**6
    at = 24
    while at + 16 <= len(content):
        _, fraction, captured, length = struct.unpack(f"{layout}IIII", content[at : at + 16])
        if max(captured, length) > 0xFFFF:
            return "a frame longer than the driver's 16 bits"
        if fraction >= ticks:
            return "a time that is none"
        at += 16 + captured
    return ""


def sample(reports):
    """Captures of every link type in turn, and of mixed ones, the same ones every time."""
    by_links = {}
    for capture in sorted(reports):
        reason = beyond_net_pcap(capture, reports[capture])
        if reason:
            print(f"{capture.name}: not through net_pcap: {reason}")
            continue
        links = reports[capture]["capture"]["link_types"]
        by_links.setdefault(links[0] if len(links) == 1 else "mixed", []).append(capture)
    chosen = []
    while by_links and len(chosen) < NET_PCAP_SAMPLE:
        for links in sorted(by_links):
            group = by_links[links]
            chosen.append(group.pop(len(group) // 2))
            if not group:
                del by_links[links]
    return chosen[:NET_PCAP_SAMPLE]


def in_parallel(work, items):
    """(item, result) of each, as they come."""
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        futures = {pool.submit(work, item): item for item in items}
        for future in concurrent.futures.as_completed(futures):
            yield futures[future], future.result()


def guarded(work):
    """`work`, with a run that hangs as a problem."""

    def run(*arguments):
        try:
            return work(*arguments)
        except subprocess.TimeoutExpired as problem:
            return [f"still running after {problem.timeout:.0f} s"], None

    return run


def main():
    parser = argparse.ArgumentParser(description="Properties of every capture's report.")
    parser.add_argument("wirelag")
    parser.add_argument("tests_dir", type=pathlib.Path)
    parser.add_argument("--captures", type=pathlib.Path)
    arguments = parser.parse_args()
    Options.wirelag = os.path.abspath(arguments.wirelag)

    failed = []

    def note(capture, problems):
        if problems:
            failed.append(capture)
            print(f"FAILED {capture.name}")
            print("".join(f"    {line}\n" for line in problems), end="")

    with tempfile.TemporaryDirectory(prefix="wirelag-invariance-") as scratch:
        captures = captures_of_cases(arguments.tests_dir / "cases", scratch)
        captures += captures_in(arguments.captures)
        if not captures:
            print("no capture at all: nothing to check")
            return SKIPPED
        reports = {}
        for capture, (problems, report) in in_parallel(guarded(check_workers), captures):
            note(capture, problems)
            if report is not None:
                reports[capture] = report
        packers = itertools.cycle(packing.PACKERS.values())
        packed = dict(zip(sorted(reports), packers))

        def compressed(capture):
            return check_compressed(capture, packed[capture]), None

        for capture, (problems, _) in in_parallel(guarded(compressed), packed):
            note(capture, problems)
        chosen = sample(reports)

        def through_net_pcap(capture):
            return check_net_pcap(capture, reports[capture]), None

        for capture, (problems, _) in in_parallel(guarded(through_net_pcap), chosen):
            note(capture, problems)
    refused = len(captures) - len(reports)
    print(
        f"{len(captures)} captures ({refused} refused), {len(chosen)} of them through net_pcap: "
        f"{len(failed)} failed"
    )
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except timeline.TimelineError as error:
        sys.exit(f"invariance.py: {error}")
