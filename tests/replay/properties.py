#!/usr/bin/env python3
"""Runs the property tests (properties/) over the captures of tests/cases, and over own/ and public/
of a folder of captures where it is there.

    properties.py PROPERTIES TESTS_DIR CAPTURES_DIR
"""

import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))
sys.path.insert(0, str(HERE.parent / "cases"))

import run_cases  # noqa: E402


def main():
    program, tests_dir, captures = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
    with tempfile.TemporaryDirectory(prefix="wirelag-properties-") as scratch:
        cases = sorted(p for p in (tests_dir / "cases").iterdir() if (p / "expected.json").exists())
        found = [run_cases.capture_of(case, scratch) for case in cases]
        command = [program, "--known", HERE / "properties/known.txt"]
        command += [*found, captures / "own", captures / "public"]
        return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
