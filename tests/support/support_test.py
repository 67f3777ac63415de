#!/usr/bin/env python3
"""The tools of the tests: a matcher that lets everything pass would make every case pass, and a
timeline that builds wrong frames would test nothing."""

import pathlib
import struct
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import report_match  # noqa: E402
import timeline  # noqa: E402
import wire  # noqa: E402


class Matching(unittest.TestCase):
    REPORT = {"n": 1, "t_ns": 5000, "none": None, "list": [{"a": 1, "b": 2}, {"a": 3}], "text": "abc"}

    def differs(self, want, slack_ns=0):
        return report_match.Matcher(slack_ns).differences(want, self.REPORT)

    def test_what_matches(self):
        for want in (
            {},
            {"n": 1, "none": None},
            {"list": [{"a": 1}, {}]},
            {"list": {"contains": [{"a": 3}], "lacks": [{"a": 2}]}},
            {"t_ns": {"about": 4000, "tolerance": 1000}},
            {"text": {"text": "b"}, "n": {"not": 2}},
        ):
            self.assertEqual(self.differs(want), [], want)

    def test_what_does_not(self):
        for want in (
            {"n": 2},
            {"n": None},
            {"n": True},
            {"none": 0},
            {"missing": None},
            {"list": [{"a": 1}]},
            {"list": [{"a": 3}, {"a": 1}]},
            {"list": {"contains": [{"a": 2}]}},
            {"list": {"lacks": [{"b": 2}]}},
            {"list": {"a": 1}},
            {"t_ns": {"about": 3999, "tolerance": 1000}},
            {"none": {"about": 0, "tolerance": 1000}},
            {"text": {"text": "d"}},
            {"n": {"not": 1}},
        ):
            self.assertNotEqual(self.differs(want), [], want)

    def test_slack_is_for_times_only(self):
        self.assertEqual(self.differs({"t_ns": 4001}, slack_ns=1000), [])
        self.assertEqual(len(self.differs({"t_ns": 3999}, slack_ns=1000)), 1)
        self.assertEqual(len(self.differs({"n": 2}, slack_ns=1000)), 1)

    def test_a_difference_names_its_place(self):
        self.assertEqual(self.differs({"list": [{"a": 1}, {"a": 4}]}), ["list[1].a: want 4, got 3"])


def frames_of(text):
    """(time in ns since the timeline's beginning, frame, length on the wire) of each record."""
    made = timeline.Timeline()
    made.read("C 10.0.0.1:40000\nS 10.0.0.2:80\nU 10.0.0.1:5000\nR 10.0.0.3:53\n" + text)
    content = made.pcap()
    at, frames = 24, []
    while at < len(content):
        seconds, nanoseconds, captured, length = struct.unpack_from("<IIII", content, at)
        time_ns = seconds * 10**9 + nanoseconds - timeline.START_NS
        frames.append((time_ns, content[at + 16 : at + 16 + captured], length))
        at += 16 + captured
    return frames


def tcp_of(frame):
    """(sequence number, acknowledgement, flags, payload) of an Ethernet frame."""
    seq, ack, offset, flags = struct.unpack_from("!IIBB", frame, 38)
    return seq, ack, flags, frame[34 + (offset >> 4) * 4 :]


class Building(unittest.TestCase):
    def test_numbers_follow_each_other(self):
        frames = frames_of(
            "0.0 C>S handshake server=0.030 client=0.010\n"
            '0.1 C>S data "abc"\n'
            "0.2 S>C data fill:10 lost\n"
            "0.3 C>S ACK\n"
            "0.4 S>C resend 5\n"
            "0.5 C>S FIN,ACK\n"
        )
        segments = [tcp_of(frame) for _, frame, _ in frames]
        c, s = segments[0][0], segments[1][0]
        self.assertEqual(
            [(seq, ack) for seq, ack, _, _ in segments],
            [(c, 0), (s, c + 1), (c + 1, s + 1), (c + 1, s + 1), (s + 1, c + 4), (c + 4, s + 1)]
            + [(s + 1, c + 4), (c + 4, s + 11)],
        )
        self.assertEqual([time_ns for time_ns, _, _ in frames[:3]], [0, 30_000_000, 40_000_000])
        self.assertEqual(segments[6][3], b"x" * 10)

    def test_checksums_are_valid(self):
        for _, frame, _ in frames_of("0.0 C>S SYN mss=1460 ts=1\n0.1 U>R dns query id=1 A a.b\n"):
            ip, rest = frame[14:34], frame[34:]
            pseudo = ip[12:20] + struct.pack("!BBH", 0, ip[9], len(rest))
            self.assertEqual(wire.checksum(ip), 0)
            self.assertEqual(wire.checksum(pseudo + rest), 0)

    def test_drop_dup_cut(self):
        frames = frames_of('0.0 C>S data "abc" drop\n0.1 C>S data "de" dup=0.5\n0.2 C>S ACK cut=20\n')
        self.assertEqual([t // 10**6 for t, _, _ in frames], [100, 200, 600])
        self.assertEqual(tcp_of(frames[0][1])[0] % 1000, 4)
        self.assertEqual(frames[0][1], frames[2][1])
        self.assertEqual((len(frames[1][1]), frames[1][2]), (20, 54))

    def test_mistakes_name_their_line(self):
        for line in (
            "0.0 C>X SYN",
            "0.0 C>S SYM",
            "0.0 C>S SYN mtu=1500",
            "zero C>S SYN",
            "0.0 C>S data nothing",
            "link carrier_pigeon",
            "0.0 C>S resend 7",
        ):
            with self.assertRaises(timeline.TimelineError) as caught:
                frames_of("\n" + line)
            self.assertIn("line 6: ", str(caught.exception))


if __name__ == "__main__":
    unittest.main()
