#!/usr/bin/env python3
"""What the tables of docs/testing.md say holds something must be there.

    testing_page.py SOURCE_DIR TESTS.json      TESTS.json: meson's list, meson-info/intro-tests.json

Of each row's last column every `word` is looked for: a path (what stands behind it are its arguments), a test
`Suite.name` or `Suite.*`, a test of meson, a case or the beginning of some (`redis-`), a property, a rule.
"""

import json
import pathlib
import re
import sys

SECTIONS = ("What must be exact", "What the report must do")
TEST = re.compile(r"^TEST(?:_F|_P)?\(\s*(\w+),\s*(\w+)\)", re.M)
WORD = re.compile(r"`([^`]+)`")


class Known:
    """Names of everything that may hold something."""

    def __init__(self, root, meson_tests):
        sources = list((root / "tests").rglob("*.cpp"))
        pairs = [pair for source in sources for pair in TEST.findall(source.read_text())]
        suites = {suite for suite, _ in pairs}
        rules = re.findall(r"^\| `([\w-]+)`", (root / "docs/rules.md").read_text(), re.M)
        properties = [name for source in (root / "tests/replay/properties").glob("*.cpp")
                      for name in re.findall(r'^    \{"([a-z ]+)", *"', source.read_text(), re.M)]
        self.root = root
        self.cases = {path.parent.name for path in (root / "tests/cases").glob("*/expected.json")}
        self.names = self.cases | suites | set(rules) | set(properties) | {source.name for source in sources}
        self.names |= {f"{suite}.{name}" for suite, name in pairs} | {f"{suite}.*" for suite in suites}
        self.names |= {test["name"] for test in json.loads(meson_tests.read_text())}

    def has(self, word):
        if "/" in word:
            return (self.root / word.split()[0]).exists()
        if word.endswith("-"):
            return any(case.startswith(word) for case in self.cases)
        return word in self.names


def last_columns(page, section):
    """(number of the line, text) for every row of the section's table."""
    inside = False
    for number, line in enumerate(page.splitlines(), 1):
        if line.startswith("## "):
            inside = line == f"## {section}"
        elif inside and line.startswith("| "):
            yield number, line.rstrip(" |").rsplit(" | ", 1)[-1]


def main():
    root, meson_tests = map(pathlib.Path, sys.argv[1:])
    known = Known(root, meson_tests)
    page = (root / "docs/testing.md").read_text()
    checked, problems = 0, []
    for section in SECTIONS:
        rows = list(last_columns(page, section))[1:]  # without the heading
        if not rows:
            problems.append(f"docs/testing.md has no table '{section}'")
        for number, text in rows:
            words = WORD.findall(text)
            if not words:
                problems.append(f"docs/testing.md:{number}: held by nothing")
            checked += len(words)
            problems += [f"docs/testing.md:{number}: there is no {word}" for word in words if not known.has(word)]
    print("\n".join(problems) or f"{checked} names, all there")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
