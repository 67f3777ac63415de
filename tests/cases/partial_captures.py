#!/usr/bin/env python3
"""Every case that has a finding, captured in part: what a rule cannot see it does not claim.

    partial_captures.py WIRELAG SOURCE_DIR

  one direction   only what clients sent, only what servers sent: no rule finds a saving that is sure, and
                  none says that all is fine
  midstream       without any SYN: a finding says that connections were open before the capture began, or
                  is sure of nothing; else the rule does not judge
"""

import json
import pathlib
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))

import timeline  # noqa: E402

_TCP, _UDP, _DNS_PORT = 6, 17, 53
_SYN, _ACK = 2, 16


def records_of(data):
    """A file's header, and its records with their headers."""
    at, records = 24, []
    while at < len(data):
        size = struct.unpack("<I", data[at + 8:at + 12])[0]
        records.append(data[at:at + 16 + size])
        at += 16 + size
    return data[:24], records


def ends_of(record):
    """(protocol, source, destination, TCP flags) of an Ethernet frame with IPv4; nothing of another."""
    frame = record[16:]
    if frame[12:14] != b"\x08\x00" or frame[23] not in (_TCP, _UDP):
        return None
    at = 14 + 4 * (frame[14] & 15)
    ports = struct.unpack(">HH", frame[at:at + 4])
    flags = frame[at + 13] if frame[23] == _TCP else 0
    return frame[23], (frame[26:30], ports[0]), (frame[30:34], ports[1]), flags


def servers_of(records):
    """Who was called: by SYN, by the port of DNS, else by whoever speaks first."""
    servers = set()
    for ends in filter(None, map(ends_of, records)):
        protocol, source, destination, flags = ends
        called = protocol == _TCP and flags & (_SYN | _ACK) == _SYN
        asked = protocol == _UDP and destination[1] == _DNS_PORT
        first = protocol == _TCP and source not in servers and destination not in servers
        if called or asked or first:
            servers.add(destination)
    return servers


def parts_of(records):
    servers = servers_of(records)
    ends = [(record, ends_of(record)) for record in records]
    yield "what clients sent", [r for r, e in ends if e is None or e[1] not in servers]
    yield "what servers sent", [r for r, e in ends if e is None or e[1] in servers]
    yield "midstream", [r for r, e in ends if e is None or not e[3] & _SYN]


def report_of(wirelag, capture, config):
    words = [wirelag, "replay", "--format", "json", *(["--config", config] if config else []), capture]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120)
    if done.returncode != 0:
        raise RuntimeError(f"exit status {done.returncode}: {done.stderr.strip()}")
    return json.loads(done.stdout)


def claims(report, rule, part):
    """What the rule says that it cannot know."""
    found = [f for f in report["findings"] if f["rule"] == rule]
    for finding in found:
        if finding["saving_ns"]["low"] == 0:
            continue
        why = finding["why_not_higher"]
        if part != "midstream" or not any("before the capture" in reason for reason in why):
            yield f"{rule} is sure of {finding['saving_ns']['low']} ns for {finding['scope']}: {why}"
    fine = not found and any(verdict["rule"] == rule for verdict in report["fine"])
    if fine:
        yield f"{rule} says that all is fine"


def check(wirelag, case, scratch):
    config = case / "config.toml"
    config = config if config.exists() else None
    whole = scratch / "whole.pcap"
    timeline.build(case / "timeline.txt", whole)
    rules = sorted({f["rule"] for f in report_of(wirelag, whole, config)["findings"]})
    header, records = records_of(whole.read_bytes())
    for part, kept in parts_of(records) if rules else ():
        capture = scratch / "part.pcap"
        capture.write_bytes(header + b"".join(kept))
        report = report_of(wirelag, capture, config)
        for rule in rules:
            for claim in claims(report, rule, part):
                yield f"{part}: {claim}"


def main():
    wirelag, source_dir = sys.argv[1], pathlib.Path(sys.argv[2])
    failed = seen = 0
    with tempfile.TemporaryDirectory(prefix="wirelag-partial-") as scratch:
        for case in sorted(source_dir.iterdir()):
            expected = case / "expected.json"
            if not (case / "timeline.txt").exists() or '"findings"' not in expected.read_text():
                continue
            seen += 1
            problems = list(check(wirelag, case, pathlib.Path(scratch)))
            failed += bool(problems)
            if problems:
                print("".join([f"FAILED {case.name}\n", *(f"    {p}\n" for p in problems)]), end="")
    print(f"{seen - failed} passed, {failed} failed")
    return 1 if failed or not seen else 0


if __name__ == "__main__":
    sys.exit(main())
