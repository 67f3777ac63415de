#!/usr/bin/env python3
"""The command line: what wirelag says and returns when something is wrong, or asked to stop.

    cli.py WIRELAG TESTS_DIR

Errors: exit status 1, nothing on stdout, one sentence on stderr that begins with "wirelag: " and
names the thing. Usage errors: exit status 2. Interrupted: 130.
"""

import json
import os
import pathlib
import signal
import stat
import struct
import subprocess
import sys
import tempfile
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))

import packing  # noqa: E402
import timeline  # noqa: E402
import wire  # noqa: E402

WIRELAG = ""
CAPTURE = ""
BOTH_WAYS = (("--via", "file"), ("--via", "net_pcap"))


def run(*arguments, **more):
    command = [WIRELAG, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, **more)


class CommandLine(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory(prefix="wirelag-cli-")
        self.addCleanup(scratch.cleanup)
        self.scratch = pathlib.Path(scratch.name)

    def write(self, name, content):
        path = self.scratch / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def assert_error(self, done, *named):
        """One sentence that names each of `named`."""
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertEqual(done.stdout, "")
        self.assertTrue(done.stderr.startswith("wirelag: "), done.stderr)
        self.assertTrue(done.stderr.endswith("\n"), done.stderr)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        for text in named:
            self.assertIn(str(text), done.stderr)


class Help(CommandLine):
    def test_help_and_version(self):
        for arguments in (["--help"], ["replay", "--help"], ["run", "--help"], ["--version"]):
            done = run(*arguments)
            self.assertEqual((done.returncode, done.stderr), (0, ""), arguments)
            self.assertIn("wirelag", done.stdout)

    def test_every_option_is_in_the_help(self):
        text = run("replay", "--help").stdout
        for form in ("pcapng", "snoop", "NetMon", "gzip", "zstd"):
            self.assertIn(form, text)
        for option in ("--workers", "--format", "--output", "--explain", "--rows", "--via"):
            self.assertIn(option, text)


class Marks(CommandLine):
    def setUp(self):
        super().setUp()
        self.marks = self.scratch / "marks"
        self.config = self.write("wirelag.toml", f'[report]\nmarks_file = "{self.marks}"\n')

    def mark(self, *words):
        return run("mark", "-c", self.config, *words)

    def test_a_mark_goes_to_the_file_and_into_the_next_report(self):
        done = self.mark("http2", "on")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertRegex(done.stdout, r"^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z http2 on\n$")
        again = self.mark("--at", "2018-04-11T04:13:20Z", "back\nagain")
        self.assertEqual(again.stdout, "2018-04-11T04:13:20.000000000Z back again\n")
        self.assertEqual(self.marks.read_text(), done.stdout + again.stdout)
        report = json.loads(run("replay", "-f", "json", "-c", self.config, CAPTURE).stdout)
        self.assertEqual([m["what"] for m in report["marks"]], ["back again", "http2 on"])

    def test_lines_by_hand(self):
        self.marks.write_text("# ours\n\n2018-04-11T04:13:20Z by hand")  # without an end
        self.assertEqual(self.mark("more").returncode, 0)
        report = json.loads(run("replay", "-f", "json", "-c", self.config, CAPTURE).stdout)
        self.assertEqual([m["what"] for m in report["marks"]], ["by hand", "more"])

    def test_lines_of_other_editors(self):
        self.marks.write_bytes(b"\xef\xbb\xbf2018-04-11T04:13:20Z first\r\n  # ours\r\n\r\n"
                               b"2018-04-11T04:13:21Z second\r\n")
        report = json.loads(run("replay", "-f", "json", "-c", self.config, CAPTURE).stdout)
        self.assertEqual([m["what"] for m in report["marks"]], ["first", "second"])

    def test_a_relative_file_is_beside_the_configuration(self):
        beside = self.write("beside.toml", '[report]\nmarks_file = "beside"\n')
        self.assertEqual(run("mark", "-c", beside, "x").returncode, 0)
        self.assertIn(" x\n", (self.scratch / "beside").read_text())
        report = json.loads(run("replay", "-f", "json", "-c", beside, CAPTURE).stdout)
        self.assertEqual([m["what"] for m in report["marks"]], ["x"])

    def test_what_is_no_regular_file(self):
        for make in (self.marks.mkdir, lambda: os.mkfifo(self.marks)):
            make()
            for done in (run("replay", "-c", self.config, CAPTURE), self.mark("x")):
                self.assert_error(done, str(self.marks), "regular file")
            (self.marks.rmdir if self.marks.is_dir() else self.marks.unlink)()

    def test_of_many_the_last_hundred_count(self):
        self.marks.write_text("".join(f"2018-04-11T04:13:20.{i:03}Z {i}\n" for i in range(140)))
        report = json.loads(run("replay", "-f", "json", "-c", self.config, CAPTURE).stdout)
        self.assertEqual([m["what"] for m in report["marks"]], [str(i) for i in range(40, 140)])

    def test_what_is_no_mark(self):
        self.marks.write_text("2018-04-11T04:13:20Z x\nyesterday\n")
        self.assert_error(run("replay", "-c", self.config, CAPTURE), f"{self.marks}:2", "expected")
        for at in ("yesterday", "", "2018-04-11T04:13:20Z junk", "2018-04-11T04:13:20Z "):
            self.assert_error(self.mark("--at", at, "x"), f"'{at}'", "UTC")
        self.assert_error(self.mark(" "), "words")
        self.assertEqual(self.mark().returncode, 2)

    def test_without_a_file(self):
        nothing = self.write("nothing.toml", "")
        self.assert_error(run("mark", "-c", nothing, "x"), "report.marks_file")
        away = self.write("away.toml", f'[report]\nmarks_file = "{self.scratch}/no/marks"\n')
        self.assert_error(run("mark", "-c", away, "x"), "no/marks")
        self.assertEqual(run("replay", "-c", away, CAPTURE).returncode, 0)


class Usage(CommandLine):
    def test_bad_usage_is_status_2(self):
        for arguments in (
            [],
            ["no-such-command"],
            ["replay"],
            ["replay", "--no-such-option", CAPTURE],
            ["replay", "--workers", "0", CAPTURE],
            ["replay", "--workers", "many", CAPTURE],
            ["replay", "--format", "xml", CAPTURE],
            ["replay", "--via", "carrier-pigeon", CAPTURE],
            ["replay", "--explain", "0", CAPTURE],
            ["replay", CAPTURE, CAPTURE],
            ["run"],
        ):
            self.assert_usage(run(*arguments))

    def assert_usage(self, done, *named):
        """One sentence that names each of `named` and the way to the help."""
        self.assertEqual((done.returncode, done.stdout), (2, ""), done.args)
        self.assertRegex(done.stderr, r"\Awirelag: [^\n]+ \(wirelag( [a-z-]+)? --help\)\n\Z")
        for text in named:
            self.assertIn(text, done.stderr)

    def test_a_usage_error_names_what_is_wrong_and_what_is_possible(self):
        commands = ("replay", "run", "check-config")
        self.assert_usage(run(), *commands)
        self.assert_usage(run("no-such-command"), "'no-such-command'", *commands)
        self.assert_usage(run("--no-such-option"), "'--no-such-option'", *commands)
        self.assert_usage(run("replay", "--format", "xml", CAPTURE), "'xml'", "text|json")
        self.assert_usage(run("replay", "--via", "smoke", CAPTURE), "'smoke'", "file|net_pcap")
        self.assert_usage(run("replay", CAPTURE, "one-more"), "one-more")


class BadCaptures(CommandLine):
    def refused(self, path, *named, **more):
        for via in BOTH_WAYS:
            for form in ("text", "json"):
                done = run("replay", *via, "--format", form, path, **more)
                self.assert_error(done, path, *named)

    def test_missing(self):
        self.refused(self.scratch / "nowhere.pcap", "does not exist")

    def test_unreadable(self):
        path = self.write("secret.pcap", pathlib.Path(CAPTURE).read_bytes())
        path.chmod(0)
        nobody = {"user": 65534} if os.geteuid() == 0 else {}  # root may read every file
        self.refused(path, "cannot be read", **nobody)

    def test_empty(self):
        self.refused(self.write("empty.pcap", b""), "empty")

    def test_directory(self):
        self.refused(self.scratch, "directory")

    def test_device(self):
        self.refused("/dev/null", "not a regular file")

    def test_pipe(self):
        path = self.scratch / "pipe"
        os.mkfifo(path)
        self.refused(path, "not a regular file", "write the capture to a file first")

    def test_stdin(self):
        for via in BOTH_WAYS:
            self.assert_error(run("replay", *via, "-"), "stdin", "write it to a file first")

    def test_other_file(self):
        self.refused(self.write("notes.pcap", "not a capture at all\n" * 100), "not a capture file")

    def test_compressed_in_another_way(self):
        for form, magic in (("xz", b"\xfd7zXZ\0"), ("bzip2", b"BZh9"), ("lz4", b"\x04\x22\x4d\x18")):
            self.refused(self.write("trace.pcap.gz", magic + bytes(60)), form, "unpack it first")

    def test_only_a_magic_number(self):
        self.refused(self.write("header.pcap", pathlib.Path(CAPTURE).read_bytes()[:10]), "header")

    def test_damaged_pcapng(self):
        head = struct.pack("<IIIHHqI", 0x0A0D0D0A, 28, 0x1A2B3C4D, 9, 9, -1, 28)
        self.refused(self.write("future.pcapng", head))

    def test_unsupported_link_type_is_counted_by_name(self):
        content = bytearray(pathlib.Path(CAPTURE).read_bytes())
        content[20:24] = struct.pack("<I", 189)  # LINKTYPE_USB_LINUX
        path = self.write("usb.pcap", bytes(content))
        done = run("replay", "--format", "json", path)
        frames = len(frame_ends(bytes(content)))
        self.assertEqual(done.returncode, 0)
        self.assertEqual(
            done.stderr,
            f"wirelag: {frames} frames of link type usb_linux are counted only: it is not understood\n",
        )
        report = json.loads(done.stdout)
        self.assertEqual(report["capture"]["link_types_unsupported"], {"usb_linux": frames})
        self.assertEqual(report["accounting"]["not_analysed"], {"link_type_unsupported": frames})
        self.assertIn("usb_linux", run("replay", path).stdout)

    def test_a_name_that_looks_like_driver_arguments(self):
        content = pathlib.Path(CAPTURE).read_bytes()
        path = self.write("a,tx_pcap=b 100%.pcap", content)
        for via in BOTH_WAYS:
            done = run("replay", *via, "--format", "json", path)
            self.assertEqual((done.returncode, done.stderr), (0, ""), via)
            self.assertEqual(json.loads(done.stdout)["capture"]["name"], path.name)

    def test_header_without_frames_is_a_report(self):
        path = self.write("nothing.pcap", pathlib.Path(CAPTURE).read_bytes()[:24])
        for via in BOTH_WAYS:
            done = run("replay", *via, "--format", "json", path)
            self.assertEqual((done.returncode, done.stderr), (0, ""), via)
            report = json.loads(done.stdout)
            self.assertEqual(report["capture"]["packets"], 0)
            self.assertIsNone(report["capture"]["first_time_ns"])

    def test_cut_anywhere_is_a_report_that_says_so(self):
        content = pathlib.Path(CAPTURE).read_bytes()
        whole = frame_ends(content)
        # Around the ends of the first frames, of the record header and of the frame within.
        for size in sorted({24} | {end + n for end in [24, *whole[:3]] for n in (0, 1, 15, 16, 17)}):
            path = self.write("cut.pcap", content[:size])
            done = run("replay", "--format", "json", path)
            complete = sum(end <= size for end in whole)
            nothing_read = complete == 0 and size != 24
            said = r"wirelag: no packet of '.*cut\.pcap' could be read: [^\n]+\n" if nothing_read else ""
            self.assertEqual(done.returncode, 0, size)
            self.assertRegex(done.stderr, rf"\A{said}\Z", size)
            capture = json.loads(done.stdout)["capture"]
            self.assertEqual(capture["packets"], complete, size)
            self.assertEqual(capture["cut_short"], size != 24 and size not in whole, size)


class CompressedCaptures(CommandLine):
    """By gzip and zstd, which are read as they are. The name of the file tells nothing."""

    def test_the_report_is_that_of_the_capture(self):
        content = pathlib.Path(CAPTURE).read_bytes()
        for form in ("text", "json", "html", "har"):
            whole = run("replay", "--format", form, self.write("trace.pcap", content))
            for pack in packing.PACKERS.values():
                for workers in (1, 3):
                    path = self.write("trace.pcap", pack(content))
                    done = run("replay", "--format", form, "--workers", workers, path)
                    self.assertEqual((done.returncode, done.stderr), (0, ""))
                    self.assertEqual(done.stdout, whole.stdout)

    def test_cut_or_damaged_is_a_report_that_says_so(self):
        content = pathlib.Path(CAPTURE).read_bytes()
        packed = packing.gzip_of(content)
        wrong = packed[:-8] + bytes([packed[-8] ^ 1]) + packed[-7:]
        for capture, *said in (
            (packed[:-9], f"at byte {len(packed) - 9} its gzip data is cut off"),
            (wrong, "at byte ", "its gzip data has another checksum (CRC32)"),
            (packing.zstd_of(content)[:-9], "its zstd data is cut off"),
        ):
            done = run("replay", "--format", "json", self.write("cut.pcap.gz", capture))
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            report = json.loads(done.stdout)["capture"]
            self.assertGreater(report["packets"], 0)
            self.assertTrue(report["cut_short"])
            for text in (f"the file cannot be read on after frame {report['packets']}: ", *said):
                self.assertIn(text, report["cut_short_reason"])

    def test_nothing_to_be_read(self):
        once = packing.gzip_of(pathlib.Path(CAPTURE).read_bytes())
        for content, *said in (
            (b"\x1f\x8b\x08\0" + b"\xff" * 60, "cannot be read", "at byte ", "damaged"),
            (once[:20], "cannot be read", "at byte 20 ", "cut off"),
            (packing.gzip_of(b"notes\n" * 100), "gzip", "not a capture"),
            (packing.zstd_of(b""), "zstd", "nothing is in it"),
            (packing.zstd_of(once), "twice", "gzip inside zstd", "unpack it first"),
        ):
            path = self.write("trace.pcap.gz", content)
            self.assert_error(run("replay", path), path, *said)

    def test_net_pcap_does_not_unpack(self):
        content = pathlib.Path(CAPTURE).read_bytes()
        for form, pack in packing.PACKERS.items():
            done = run("replay", "--via", "net_pcap", self.write("trace.pcap", pack(content)))
            self.assert_error(done, form, "net_pcap", "unpack it first", "without --via")


class Configuration(CommandLine):
    def test_missing(self):
        path = self.scratch / "nowhere.toml"
        self.assert_error(run("replay", "--config", path, CAPTURE), path)
        self.assert_error(run("check-config", path), path)
        self.assert_error(run("run", "--config", path), path)

    def test_errors_name_file_line_key_and_expectation(self):
        for content, line, *named in (
            ("# sizes\n[tcp]\nconections = 5\n", 3, "conections", "connections"),
            ("[tcp]\nconnections = \"many\"\n", 2, "connections", "many", "expected"),
            ("[tcp]\nconnections = -1\n", 2, "connections", "-1", "expected"),
            ("[gate]\n\nmin_effect_ms = true\n", 3, "min_effect_ms", "true", "expected"),
            ("[no-such-table]\nx = 1\n", 1, "no-such-table"),
            ("[tcp\n", 1),
        ):
            path = self.write("wirelag.toml", content)
            for arguments in (["replay", "--config", path, CAPTURE], ["check-config", path]):
                done = run(*arguments)
                self.assert_error(done, path, *named)
                self.assertRegex(done.stderr, rf"line {line}\b|:{line}:", content)

    def test_a_replay_keeps_as_many_transactions_as_configured_and_says_so(self):
        path = self.write("few.toml", "[report]\nreplay_transactions = 1\n")
        report = json.loads(run("replay", "--format", "json", "--config", path, CAPTURE).stdout)
        self.assertEqual(len(report["tcp"]["connections"]), 1)
        self.assertGreater(report["visibility"]["transactions_lost"], 0)

    def test_the_effective_configuration_is_a_configuration(self):
        printed = run("check-config", self.write("empty.toml", ""))
        self.assertEqual((printed.returncode, printed.stderr), (0, ""))
        again = run("check-config", self.write("printed.toml", printed.stdout))
        self.assertEqual((again.returncode, again.stdout), (0, printed.stdout))


class Output(CommandLine):
    def test_file_appears_whole_and_alone(self):
        path = self.scratch / "report.json"
        path.write_text("what was there before")
        done = run("replay", "--format", "json", "--output", path, CAPTURE)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))
        self.assertEqual(path.read_text(), run("replay", "--format", "json", CAPTURE).stdout)
        self.assertEqual([p.name for p in self.scratch.iterdir()], ["report.json"])

    def test_nothing_is_left_of_a_report_that_cannot_be_made(self):
        path = self.scratch / "report.txt"
        path.write_text("what was there before")
        self.assert_error(run("replay", "--output", path, self.scratch / "nowhere.pcap"))
        self.assertEqual(path.read_text(), "what was there before")
        self.assertEqual(len(list(self.scratch.iterdir())), 1)

    def test_missing_directory(self):
        path = self.scratch / "no" / "report.txt"
        self.assert_error(run("replay", "--output", path, CAPTURE), path)

    def test_directory(self):
        self.assert_error(run("replay", "--output", self.scratch, CAPTURE), self.scratch)

    def test_device_is_written_to_and_not_replaced(self):
        done = run("replay", "--output", "/dev/null", CAPTURE)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))
        self.assertTrue(stat.S_ISCHR(os.stat("/dev/null").st_mode))
        self.assertFalse(os.path.exists("/dev/null.part"))

    @unittest.skipUnless(os.path.exists("/dev/full"), "needs /dev/full")
    def test_full_device(self):
        self.assert_error(run("replay", "--output", "/dev/full", CAPTURE), "/dev/full", "No space")
        with open("/dev/full", "w") as full:
            done = subprocess.run(
                [WIRELAG, "replay", CAPTURE], stdout=full, stderr=subprocess.PIPE, text=True
            )
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stderr.count("\n"), 1)
        self.assertTrue(done.stderr.startswith("wirelag: "), done.stderr)

    def test_dash_is_stdout(self):
        self.assertEqual(run("replay", "-o", "-", CAPTURE).stdout, run("replay", CAPTURE).stdout)

    def test_explain(self):
        done = run("replay", "--explain", 1, CAPTURE)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("SYN, ACK", done.stdout)

    def test_explain_out_of_range(self):
        self.assert_error(run("replay", "--explain", 99, CAPTURE), "--explain 99")


class Interrupted(CommandLine):
    """A long replay, stopped in the middle, ends with a report of what was read."""

    def setUp(self):
        super().setUp()
        self.long = self.scratch / "long.pcap"
        repeat_frames(CAPTURE, self.long, 150 << 20)

    def interrupt(self, *options, signal_number=signal.SIGINT):
        command = [WIRELAG, "replay", "--format", "json", *options, str(self.long)]
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as running:
            wait_until_read(running, self.long, at_least=1 << 20)
            running.send_signal(signal_number)
            stdout, stderr = running.communicate(timeout=60)
        self.assertEqual((running.returncode, stderr), (130, ""), options)
        report = json.loads(stdout)
        self.assertTrue(report["capture"]["cut_short"])
        self.assertIn("signal", report["capture"]["cut_short_reason"])
        books = report["accounting"]
        self.assertEqual(
            books["received"], books["analysed"] + sum(books["not_analysed"].values())
        )
        self.assertEqual(books["received"], report["capture"]["packets"])

    def test_one_worker(self):
        self.interrupt()

    def test_several_workers(self):
        self.interrupt("--workers", "3")

    def test_net_pcap(self):
        self.interrupt("--via", "net_pcap")

    def test_compressed(self):
        self.long.write_bytes(packing.zstd_of(self.long.read_bytes()))
        self.interrupt()

    def test_terminated(self):
        self.interrupt(signal_number=signal.SIGTERM)


# ------------------------------------------------------------------------------------- helpers


def frame_ends(content):
    """Where each frame of a pcap file ends."""
    ends = []
    at = 24
    while at < len(content):
        at += 16 + struct.unpack("<I", content[at + 8 : at + 12])[0]
        ends.append(at)
    return ends


def repeat_frames(capture, path, size):
    """A pcap file of about `size` bytes: the capture's frames over and over, time going on."""
    content = pathlib.Path(capture).read_bytes()
    link = {number: name for name, number in wire.LINK_TYPES.items()}[content[20]]
    records = []
    begin = 24
    for end in frame_ends(content):
        seconds, nanoseconds = struct.unpack("<II", content[begin : begin + 8])
        frame = content[begin + 16 : end]
        records.append((seconds * 10**9 + nanoseconds, frame, len(frame)))
        begin = end
    span_ns = records[-1][0] - records[0][0] + 10**6
    batch_ns = 1000 * span_ns
    with open(path, "wb") as file:
        file.write(wire.pcap_file(link, []))
        written = round_number = 0
        while written < size:
            batch = [
                (time_ns + round_number * batch_ns + turn * span_ns, frame, length)
                for turn in range(1000)
                for time_ns, frame, length in records
            ]
            written += file.write(wire.pcap_file(link, batch)[24:])
            round_number += 1


def wait_until_read(running, path, at_least):
    """Until the process has the file open and has read so many bytes of it."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if running.poll() is not None:
            raise AssertionError("the replay ended before it could be interrupted")
        fds = pathlib.Path(f"/proc/{running.pid}/fd")
        try:
            for fd in fds.iterdir():
                if os.readlink(fd) != str(path):
                    continue
                if int((fds.parent / "io").read_text().split()[1]) >= at_least:  # rchar
                    return
        except OSError:
            pass  # closed meanwhile
        time.sleep(0.002)
    raise AssertionError("the replay did not begin to read")


def main():
    global WIRELAG, CAPTURE
    if len(sys.argv) < 3:
        sys.exit("usage: cli.py WIRELAG TESTS_DIR [unittest arguments]")
    WIRELAG = os.path.abspath(sys.argv[1])
    with tempfile.TemporaryDirectory(prefix="wirelag-cli-") as scratch:
        CAPTURE = os.path.join(scratch, "capture.pcap")
        timeline.build(
            pathlib.Path(sys.argv[2]) / "cases" / "http-late-connection" / "timeline.txt", CAPTURE
        )
        unittest.main(argv=[sys.argv[0], *sys.argv[3:]], verbosity=1)


if __name__ == "__main__":
    main()
