#!/usr/bin/env python3
"""Every rule of src/advise/rules.def in four situations, each as a capture of its own.

    rule_situations.py WIRELAG SOURCE_DIR PAGE [--update]

A rule has a case SOURCE_DIR/rule-<id> whose timeline has a part for each situation; a line "#: NAME" heads it:

  fault          the rule fires, once, and names the server (resolver, path) and a flow of it
  twin           the same traffic without the fault: nothing is found
  overlapped     the fault, at a client that meanwhile waits longer for what is under "beside": it is found, and
                 wirelag says of it that it saves 0. Without "beside" it would save something
  one direction  what run_cases.py adds to the whole; here the fault's frames are taken apart instead:
                 what clients sent, what servers sent. No rule is sure of a saving, and none says that all
                 is fine
  midstream      the fault's frames without any SYN: likewise, or the finding says why it is less sure; and
                 it is never sure of more than with the beginning

What wirelag said is PAGE (docs/rules.md); the test fails when it says something else. --update writes it.
"""

import json
import pathlib
import re
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))

import partial_captures  # noqa: E402
import timeline  # noqa: E402

#: Nothing that a user waits for: found with a saving of 0.
_LOAD_ONLY = {"dns-redundant-fanout"}
#: Round trips of the two captures differ by the client's noise.
_NOISE = 1.01
_PARTS = ("what clients sent", "what servers sent", "midstream")

_INTRO = """\
# Every rule in four situations

Written by `tests/cases/rule_situations.py --update` from what wirelag says about the captures of
`tests/cases/rule-*`, and held to it by the test `rule-situations`, which also fails when a rule of
`src/advise/rules.def` lacks a situation. Savings are low .. high, in ms.

- **fault**: it fires and names the flow; **twin**: the same traffic without the fault.
- **overlapped**: the fault, while the same client waits longer for something else. Alone it would save what the
  first column says.
- **one direction**: of the fault, only what clients sent / only what servers sent. **midstream**: the fault
  without any SYN.

| rule | fault | twin | overlapped | one direction | midstream |
|---|---|---|---|---|---|
"""


class Case:
    """The situations of one rule, by name: lines of a timeline."""

    def __init__(self, folder):
        self.rule = folder.name.removeprefix("rule-")
        config = folder / "config.toml"
        self.config = config if config.exists() else None
        self.head, *parts = (folder / "timeline.txt").read_text().split("\n#: ")
        self.parts = dict(part.split("\n", 1) for part in parts)
        expected = json.loads((folder / "expected.json").read_text())["findings"]["contains"]
        self.scope = expected[0]["scope"]

    def missing(self):
        wanted = ["fault", "twin", "overlapped", "one direction"]
        if self.rule not in _LOAD_ONLY:
            wanted.append("beside")
        return [name for name in wanted if not self.parts.get(name, "").strip()]

    def capture(self, *names):
        """(header, records)"""
        made = timeline.Timeline()
        made.read("\n".join([self.head, *(self.parts.get(name, "") for name in names)]))
        return partial_captures.records_of(made.pcap())


class Heard:
    """What wirelag says of one rule in one report."""

    def __init__(self, report, rule):
        self.report, self.rule = report, rule
        self.findings = [f for f in report["findings"] if f["rule"] == rule]
        verdicts = [v for v in report["fine"] + report["not_judged"] if v["rule"] == rule]
        self.verdict = verdicts[0] if verdicts else None

    def saves_nothing(self, scope):
        """What is said of a fault at `scope` that was found and saves 0; None where nothing is."""
        said = (v["title"] for v in self.report["fine"] if v["rule"] == self.rule and v["looked_at"] == scope)
        return next((title for title in said if "saves 0 ms" in title), None)

    def outcome(self):
        return self.verdict["outcome"].replace("_", " ") if self.verdict else "nothing"

    def words(self, with_flow=False):
        if not self.findings:
            return self.outcome()
        finding = self.findings[0]
        saving = finding["saving_ns"]
        text = "load only, saves 0 ms" if finding["capacity_only"] else (
            f"saves {saving['low'] / 1e6:.1f} .. {saving['high'] / 1e6:.1f}")
        if not with_flow:
            why = finding["why_not_higher"]
            return f"{text} ({next((reason for reason in why if 'capture' in reason), why[0])})"
        return f"{text} at `{finding['scope']}`, {self.flow(finding['evidence'][0])}"

    def flow(self, evidence):
        where = ", ".join(map(str, evidence["frames"]))
        if evidence["connection"] is None:
            return f"frames {where}"
        return f"connection {evidence['connection']}, frames {where}"


class Rule:
    def __init__(self, wirelag, folder, scratch):
        self.wirelag, self.scratch = wirelag, scratch
        self.case = Case(folder)
        self.problems = []

    def hear(self, header, records):
        path = self.scratch / "situation.pcap"
        path.write_bytes(header + b"".join(records))
        report = partial_captures.report_of(self.wirelag, path, self.case.config)
        return Heard(report, self.case.rule)

    def must(self, holds, text):
        if not holds:
            self.problems.append(text)

    def saves(self, heard):
        if self.case.rule in _LOAD_ONLY:
            return heard.findings[0]["capacity_only"]
        return heard.findings[0]["saving_ns"]["high"] > 0

    def fault(self):
        heard = self.hear(*self.case.capture("fault"))
        self.must(len(heard.findings) == 1, f"fault: {len(heard.findings)} findings, {heard.outcome()}")
        if not heard.findings:
            return heard
        finding = heard.findings[0]
        self.must(finding["scope"] == self.case.scope, f"fault: found at {finding['scope']}")
        self.must(self.saves(heard), f"fault: {finding['saving_ns']}")
        self.must(names_a_flow(heard.report, finding), f"fault: evidence {finding['evidence'][:1]}")
        return heard

    def twin(self):
        heard = self.hear(*self.case.capture("twin"))
        self.must(not heard.findings, f"twin: {heard.words()}")
        self.must(heard.outcome() in ("fine", "not applicable"), f"twin: {heard.outcome()}")
        return heard

    def overlapped(self):
        alone = self.hear(*self.case.capture("overlapped"))
        self.must(len(alone.findings) == 1 and self.saves(alone), f"overlapped, alone: {alone.words()}")
        heard = self.hear(*self.case.capture("overlapped", "beside"))
        scope = alone.findings[0]["scope"] if alone.findings else None
        heard.findings = [f for f in heard.findings if f["scope"] == scope]
        for finding in heard.findings:
            nothing = finding["capacity_only"] and finding["saving_ns"]["high"] == 0
            self.must(nothing, f"overlapped: {finding['saving_ns']}")
        if heard.findings:
            return heard.words()
        said = heard.saves_nothing(scope)
        self.must(said, f"overlapped: not said to save 0 at {scope}: {heard.verdict}")
        return said or heard.outcome()

    def partial(self, whole):
        header, records = self.case.capture("fault")
        heard = {part: self.hear(header, kept) for part, kept in partial_captures.parts_of(records)}
        for part, said in heard.items():
            for claim in partial_captures.claims(said.report, self.case.rule, part):
                self.problems.append(f"{part}: {claim}")
            for finding in said.findings if whole.findings else ():
                sure_ns = whole.findings[0]["saving_ns"]["low"]
                self.must(finding["saving_ns"]["low"] <= sure_ns * _NOISE,
                          f"{part}: surer than with all of it: {finding['saving_ns']}")
        return heard

    def row(self):
        fault, twin, overlapped = self.fault(), self.twin(), self.overlapped()
        partial = self.partial(fault)
        sides = [partial[part].words() for part in _PARTS[:2]]
        one = sides[0] if sides[0] == sides[1] else " / ".join(sides)
        cells = [f"`{self.case.rule}`", fault.words(with_flow=True), twin.words(), overlapped, one,
                 partial["midstream"].words()]
        return "| " + " | ".join(cells) + " |\n"


def names_a_flow(report, finding):
    """Frames, and of what is about a server a connection to it."""
    evidence = finding["evidence"][0]
    if not evidence["frames"]:
        return False
    if not finding["scope"].startswith("tcp/"):
        return True
    server = next(c["server"] for c in report["tcp"]["connections"] if c["id"] == evidence["connection"])
    return finding["scope"].split()[0] == f"tcp/{server['ip']}:{server['port']}"


def rules_of(root):
    symbols = re.findall(r"^X\((\w+)\)", (root / "src/advise/rules.def").read_text(), re.M)
    return [symbol.replace("_", "-") for symbol in symbols]


def checked(wirelag, cases, rule, scratch):
    """(the page's row, what is wrong)"""
    folder = cases / f"rule-{rule}"
    if not folder.is_dir():
        return "", [f"{folder.name} is missing"]
    situations = Rule(wirelag, folder, scratch)
    missing = situations.case.missing()
    if missing:
        return "", [f"no situation '{name}'" for name in missing]
    return situations.row(), situations.problems


def main():
    wirelag, cases, page = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
    failed, rows = 0, []
    with tempfile.TemporaryDirectory(prefix="wirelag-situations-") as scratch:
        rules = rules_of(cases.parent.parent)
        for rule in rules:
            row, problems = checked(wirelag, cases, rule, pathlib.Path(scratch))
            rows.append(row)
            failed += bool(problems)
            print("".join([f"FAILED {rule}\n", *(f"    {p}\n" for p in problems)]) if problems else "", end="")
    said = _INTRO + "".join(rows)
    if "--update" in sys.argv:
        page.write_text(said)
    elif said != page.read_text():
        failed += 1
        print(f"FAILED {page.name} says something else: rule_situations.py --update")
    print(f"{len(rules)} rules, {failed} failed")
    return 1 if failed or not rules else 0


if __name__ == "__main__":
    sys.exit(main())
