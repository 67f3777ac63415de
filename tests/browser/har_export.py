#!/usr/bin/env python3
"""The HAR export against the rules of HAR 1.2 and against the JSON report of the same capture.

    har_export.py WIRELAG TRAFFICGEN
"""

import json
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest
import urllib.parse

import captures

WIRELAG = TRAFFICGEN = ""

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z")  # ISO 8601
REQUEST = {"method": str, "url": str, "httpVersion": str, "cookies": list, "headers": list,
           "queryString": list, "headersSize": int, "bodySize": int}
RESPONSE = {"status": int, "statusText": str, "httpVersion": str, "cookies": list, "headers": list,
            "content": dict, "redirectURL": str, "headersSize": int, "bodySize": int}
OPTIONAL = ("blocked", "dns", "connect", "ssl")  # may be -1
REQUIRED = ("send", "wait", "receive")  # never negative
NS = 1e-6  # a nanosecond in milliseconds


def replay(form, capture):
    done = subprocess.run([WIRELAG, "replay", "--format", form, capture], capture_output=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


class Har(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory(prefix="wirelag-har-")
        made = captures.make(pathlib.Path(cls.scratch.name), TRAFFICGEN)
        cls.both = {name: (replay("har", c)["log"], replay("json", c)) for name, c in made.items()}

    @classmethod
    def tearDownClass(cls):
        cls.scratch.cleanup()

    def each(self):
        for name, (log, report) in self.both.items():
            with self.subTest(name):
                yield log, report

    def entries(self):
        for log, _ in self.each():
            yield from log["entries"]

    def assert_members(self, value, members):
        for member, kind in members.items():
            self.assertIsInstance(value[member], kind, member)

    def test_the_log_has_what_the_specification_asks_for(self):
        for log, _ in self.each():
            self.assertEqual(log["version"], "1.2")
            self.assert_members(log["creator"], {"name": str, "version": str})
            ids = [p["id"] for p in log["pages"]]
            self.assertEqual(len(ids), len(set(ids)))
            for page in log["pages"]:
                self.assert_members(page, {"title": str, "pageTimings": dict})
                self.assertRegex(page["startedDateTime"], TIME)
            self.assertLessEqual({e["pageref"] for e in log["entries"]}, set(ids))

    def test_an_entry_has_what_the_specification_asks_for(self):
        for entry in self.entries():
            self.assertRegex(entry["startedDateTime"], TIME)
            self.assert_members(entry, {"request": dict, "response": dict, "cache": dict, "timings": dict})
            self.assert_members(entry["request"], REQUEST)
            self.assert_members(entry["response"], RESPONSE)
            self.assert_members(entry["response"]["content"], {"size": int, "mimeType": str})
            for pair in entry["request"]["headers"] + entry["response"]["headers"] + entry["request"]["queryString"]:
                self.assert_members(pair, {"name": str, "value": str})

    def test_urls_are_absolute_and_well_formed(self):
        for entry in self.entries():
            url = urllib.parse.urlsplit(entry["request"]["url"])
            self.assertIn(url.scheme, ("http", "https"))
            self.assertTrue(url.netloc)
            self.assertRegex(entry["request"]["url"], r"\A[!-~]+\Z")
            self.assertNotRegex(entry["request"]["url"], r'[<>"\\^`{|}]')

    def test_phases_add_up_to_the_time(self):
        for entry in self.entries():
            timings = entry["timings"]
            for phase in REQUIRED:
                self.assertGreaterEqual(timings[phase], 0)
            for phase in OPTIONAL:
                self.assertTrue(timings[phase] == -1 or timings[phase] >= 0, phase)
            known = [timings[p] for p in ("blocked", "dns", "connect", *REQUIRED) if timings[p] != -1]
            self.assertAlmostEqual(sum(known), entry["time"], delta=3 * NS)
            if timings["ssl"] != -1:  # within connect
                self.assertLessEqual(timings["ssl"], timings["connect"])

    def test_every_request_of_a_visit_is_there_with_its_phases(self):
        for log, report in self.each():
            of_page = {}
            for entry in log["entries"]:
                if "_request_frames" in entry:
                    of_page.setdefault(entry["pageref"], []).append(entry)
            for visit in report["visits"]:
                entries = of_page.get(f"visit_{visit['id']}", [])
                self.assertEqual(len(entries), len(visit["requests"]))
                for entry, index in zip(entries, visit["requests"]):
                    self.same(entry, report["http"]["transactions"][index], report)

    def same(self, entry, request, report):
        self.assertEqual(entry["request"]["method"], request["method"])
        self.assertEqual(entry["response"]["status"], request["status"] or 0)
        self.assertEqual(entry["connection"], str(request["connection"]))
        if request["server_wait_ns"] is not None and not request["early_response"]:
            self.assertAlmostEqual(entry["timings"]["send"], request["request_ns"] * NS, delta=NS)
            self.assertAlmostEqual(entry["timings"]["wait"], request["server_wait_ns"] * NS, delta=NS)
        if request["transfer_ns"] is not None:
            self.assertAlmostEqual(entry["timings"]["receive"], request["transfer_ns"] * NS, delta=NS)
        connection = report["tcp"]["connections"][request["connection"] - 1]
        if entry["timings"]["connect"] != -1 and entry["timings"]["ssl"] == -1:
            self.assertAlmostEqual(entry["timings"]["connect"], connection["connect_time_ns"] * NS, delta=NS)

    def test_the_origin(self):
        log, _ = self.both["origin"]
        self.assertEqual([p["title"] for p in log["pages"]], ["mirror.azure.cn for 10.11.29.131"])
        first = log["entries"][0]
        self.assertEqual(first["request"]["url"], "http://mirror.azure.cn/")
        self.assertAlmostEqual(first["timings"]["dns"], 3.748760, delta=NS)
        self.assertAlmostEqual(first["timings"]["connect"], 6.061628, delta=NS)
        self.assertEqual(first["serverIPAddress"], "139.217.146.62")
        self.assertTrue(all(e["timings"]["dns"] == -1 for e in log["entries"][1:]))
        self.assertEqual(first["startedDateTime"], "2018-04-11T04:13:20.000000000Z")


if __name__ == "__main__":
    WIRELAG, TRAFFICGEN = sys.argv[1:3]
    unittest.main(argv=sys.argv[:1])
