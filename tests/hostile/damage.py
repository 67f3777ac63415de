#!/usr/bin/env python3
"""Damages every capture there is: the cases', our own and, where present, those of other projects.

usage: damage.py PROGRAM TESTS_DIR CAPTURES_DIR [--seconds N] [--seed N]

--seconds N   in all (default 40; 0 = every variant)
--seed N      of the bit flips and of what a limited time picks (default 1)
"""
import argparse
import pathlib
import subprocess
import sys
import tempfile

SUFFIXES = {".pcap", ".pcapng", ".cap", ".trace", ".trc", ".dmp", ".pcap-ng", ".ntar"}


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("usage: ")[1])
    parser.add_argument("program")
    parser.add_argument("tests", type=pathlib.Path)
    parser.add_argument("captures", type=pathlib.Path)
    parser.add_argument("--seconds", default="40")
    parser.add_argument("--seed", default="1")
    arguments = parser.parse_args()
    cases = arguments.tests / "cases"
    with tempfile.TemporaryDirectory() as scratch:
        captures = []
        for timeline in sorted(cases.glob("*/timeline.txt")):
            captures.append(pathlib.Path(scratch) / f"{timeline.parent.name}.pcap")
            subprocess.run([sys.executable, arguments.tests / "support" / "timeline.py", timeline,
                            captures[-1]], check=True)
        for folder in (cases, arguments.captures):
            captures += sorted(p for p in folder.rglob("*") if p.suffix in SUFFIXES)
        if not arguments.captures.is_dir():
            print(f"without other projects' captures: {arguments.captures} is absent")
        return subprocess.run([arguments.program, arguments.seconds, arguments.seed, *captures],
                              check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
