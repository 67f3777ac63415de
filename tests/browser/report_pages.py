#!/usr/bin/env python3
"""The HTML report in a real browser.

    report_pages.py WIRELAG TRAFFICGEN OUTPUT_DIR [--only CAPTURE]

Opens the reports of several captures from disk, headless, 1280 and 390 pixels wide, light and dark.
Fails on a message in the console, a request to anywhere, a horizontal overflow, text that is cut or
has too little contrast, a figure without words, a dead link, or markup that came from a packet.
Screenshots of every page, and a PDF of its printed form, stay in OUTPUT_DIR. Exit 77: no Chromium.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import time

import captures
import chromium

HERE = pathlib.Path(__file__).resolve().parent
WIDTHS = (1280, 390)
SCHEMES = ("light", "dark")
MAX_BYTES = 2_000_000  # of a page, whatever was captured


def report_of(wirelag, capture, path, marks):
    config = path.with_suffix(".toml")
    config.write_text(f"[report]\nmarks = {json.dumps(marks)}\n")
    done = subprocess.run(
        [wirelag, "replay", "--format", "html", "--config", config, "--output", path, capture],
        capture_output=True,
        text=True,
        timeout=300,
    )
    return [f"exit status {done.returncode}: {done.stderr}"] if done.returncode != 0 else []


def check(page, report, name, output, inspect):
    problems = []
    for width in WIDTHS:
        for scheme in SCHEMES:
            page.look(width, scheme)
            complaints, requests = page.load(report.as_uri())
            where = f"{width} px, {scheme}"
            problems += [f"{where}: console: {c}" for c in complaints]
            problems += [f"{where}: asked for {r}" for r in requests]
            problems += [f"{where}: {p}" for p in page.evaluate(inspect)]
            page.screenshot(output / f"{name}-{width}-{scheme}.png")
    page.look(WIDTHS[0], "dark", media="print")
    page.load(report.as_uri())
    page.pdf(output / f"{name}.pdf")
    return problems


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("wirelag")
    parser.add_argument("trafficgen")
    parser.add_argument("output", type=pathlib.Path)
    parser.add_argument("--only", action="append")
    options = parser.parse_args()
    if not chromium.find():
        print("skipped: no chromium; scripts/install-deps test installs it")
        return 77
    options.output = options.output.resolve()
    options.output.mkdir(parents=True, exist_ok=True)
    inspect = (HERE / "inspect.js").read_text()
    failed = 0
    with tempfile.TemporaryDirectory(prefix="wirelag-pages-") as scratch:
        scratch = pathlib.Path(scratch)
        with chromium.Chromium(scratch / "profile") as browser:
            page = browser.page()
            for name, capture in captures.make(scratch, options.trafficgen).items():
                if options.only and name not in options.only:
                    continue
                begin = time.monotonic()
                report = options.output / f"{name}.html"
                problems = report_of(options.wirelag, capture, report, captures.MARKS.get(name, ()))
                if not problems:
                    size = report.stat().st_size
                    if size > MAX_BYTES:
                        problems.append(f"{size} bytes, more than {MAX_BYTES}")
                    problems += check(page, report, name, options.output, inspect)
                failed += bool(problems)
                print(f"{'FAILED' if problems else 'passed'}  {name} ({time.monotonic() - begin:.1f} s)")
                for problem in problems:
                    print(f"        {problem}")
    print(f"screenshots: {options.output}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
