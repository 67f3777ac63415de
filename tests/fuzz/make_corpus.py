#!/usr/bin/env python3
"""Seeds for the fuzz targets, from the traffic of tests/cases.

usage: make_corpus.py CASES_DIR OUT_DIR        writes OUT_DIR/<target>/<name>

Every case's capture becomes a seed of the frame targets; what its connections and datagrams carry
becomes seeds of the protocols' targets. Standard library only.
"""
import pathlib
import struct
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
LINKS = {1: 0, 113: 1, 276: 2, 101: 3, 12: 3, 0: 4, 108: 5}  # LINKTYPE_ -> LinkType
MOST_FRAMES = 60
MOST_BYTES = 4096


def frames_of(capture):
    """(link type, nanoseconds, captured bytes, wire length) of each frame of a pcap file."""
    data = capture.read_bytes()
    magic = data[:4]
    order = "<" if magic[0] in (0xD4, 0x4D) else ">"
    scale = 1 if magic in (b"\x4d\x3c\xb2\xa1", b"\xa1\xb2\x3c\x4d") else 1000
    link = struct.unpack(order + "I", data[20:24])[0]
    at = 24
    while at + 16 <= len(data):
        seconds, fraction, captured, wire = struct.unpack(order + "4I", data[at : at + 16])
        frame = data[at + 16 : at + 16 + captured]
        at += 16 + captured
        if len(frame) == captured:
            yield link, seconds * 10**9 + fraction * scale, frame, wire


def frame_script(frames):
    """The form of raw_frames() in frame_script.hpp."""
    out = b""
    before = None
    for link, time_ns, frame, wire in frames[:MOST_FRAMES]:
        later_us = 0 if before is None else max(0, (time_ns - before) // 1000)
        how, by = (0, later_us) if later_us < 65536 else (2, min(65535, later_us // 1000))
        before = time_ns
        what = LINKS[link] | how << 3 | (0x40 if wire > len(frame) else 0)
        out += struct.pack("<BHH", what, by, len(frame)) + frame
    return out


def transport_of(link, frame):
    """(protocol, source port, destination port, payload) of a plain IPv4 or IPv6 frame, or None."""
    skip = {1: 14, 113: 16, 276: 20, 101: 0, 12: 0, 0: 4, 108: 4}[link]
    if link == 1 and frame[12:14] == b"\x81\x00":
        skip += 4
    ip = frame[skip:]
    if len(ip) < 40:
        return None
    if ip[0] >> 4 == 4:
        protocol, transport = ip[9], ip[(ip[0] & 15) * 4 : int.from_bytes(ip[2:4], "big")]
    elif ip[0] >> 4 == 6:
        protocol, transport = ip[6], ip[40 : 40 + int.from_bytes(ip[4:6], "big")]
    else:
        return None
    header = 8 if protocol == 17 else (transport[12] >> 4) * 4 if len(transport) > 12 else 0
    if protocol not in (6, 17) or len(transport) < header:
        return None
    source, destination = struct.unpack(">HH", transport[:4])
    return protocol, source, destination, transport[header:], transport[20:header]


def pieces(payloads, largest, head):
    """Each payload as pieces of at most `largest` bytes behind head(side, size)."""
    out = b""
    for side, payload in payloads:
        for at in range(0, len(payload), largest):
            piece = payload[at : at + largest]
            out += head(side, len(piece)) + piece
    return out


class Tls:
    """The form of targets/tls.cpp: the side changes with 254."""

    def __init__(self):
        self.side = 0

    def head(self, side, size):
        turn = b"" if side == self.side else b"\xfe"
        self.side = side
        return turn + bytes([size])


def seeds_of(name, capture):
    """(target, name, bytes)"""
    frames = list(frames_of(capture))
    script = frame_script(frames)
    for target in ("decode_frame", "worker_frames"):
        yield target, name, script
    yield "capture_file", name, capture.read_bytes()[:MOST_BYTES]
    payloads = []
    for number, (link, _, frame, _) in enumerate(frames):
        found = transport_of(link, frame)
        if found is None:
            continue
        protocol, source, destination, payload, options = found
        if protocol == 17 and payload:
            yield "dns_message", f"{name}-{number}", payload[:MOST_BYTES]
        if protocol == 6 and options:
            yield "tcp_options", f"{name}-{number}", options
        if protocol == 6 and payload:
            payloads.append((0 if destination < source else 1, payload))
            yield "classifier", f"{name}-{number}", payload[:80]
    if not payloads:
        return
    first = payloads[0][1]
    if first[:1] in b"\x16\x14\x17":
        yield "tls", name, pieces(payloads, 253, Tls().head)[:MOST_BYTES]
    elif b"HTTP" in first or b"GET" in first:
        yield "http_parser", name, pieces(payloads, 255, lambda s, n: bytes([s, n]))[:MOST_BYTES]
        for number, line in enumerate(b"".join(p for _, p in payloads).split(b"\r\n")[:40]):
            yield "http_head", f"{name}-{number}", line[:200]
    else:
        yield "dns_stream", name, pieces(payloads, 254, lambda s, n: bytes([n]))[:MOST_BYTES]


def segment_seeds():
    """Operations of frame_script.cpp (segments): handshake, phrases of both sides, FINs."""
    handshake, fin, say = 0 << 3, 3 << 3, 15 << 3
    client, server = 0, 4
    talks = {
        "http": [0, 7, 1, 8, 9, 10],
        "http-upgrade": [0, 13, 6],
        "http-early": [2, 11, 6, 15],
        "http-long": [5, 5, 16, 7, 6],
        "http-close": [3, 14, 31],
        "tls": [17, 19, 20, 21, 22, 22],
        "tls-pieces": [24, 25, 18, 23],
        "dns": [26, 27, 28, 29, 30],
    }
    from_server = {7, 8, 9, 10, 11, 12, 13, 14, 15, 18, 19, 21, 27, 29, 30, 31}
    for flow, (name, phrases) in enumerate(talks.items()):
        flow &= 3
        out = bytes([handshake | flow])
        for phrase in phrases:
            side = server if phrase in from_server else client
            out += bytes([say | side | flow, phrase])
        out += bytes([fin | client | flow, fin | server | flow])
        yield "worker_segments", name, out
        yield "worker_segments", name + "-hole", out[:3] + bytes([9 << 3 | flow, 10, 0]) + out[3:]
    yield "worker_segments", "dns-udp", bytes([11 << 3, 0x10, 11 << 3 | 4, 0x13, 11 << 3 | 4, 0x11])


def main():
    cases, out = map(pathlib.Path, sys.argv[1:])
    seeds = list(segment_seeds())
    with tempfile.TemporaryDirectory() as scratch:
        for timeline in sorted(cases.glob("*/timeline.txt")):
            capture = pathlib.Path(scratch) / "capture.pcap"
            subprocess.run(
                [sys.executable, HERE.parent / "support" / "timeline.py", timeline, capture],
                check=True,
            )
            seeds += seeds_of(timeline.parent.name, capture)
    for config in [*(HERE.parents[1] / "dpdk-config").glob("*.toml")]:
        seeds.append(("config", config.stem, config.read_bytes()))
    for capture in cases.glob("*/capture.pcapng"):
        seeds.append(("capture_file", capture.parent.name, capture.read_bytes()[:MOST_BYTES]))
    for target, name, data in seeds:
        folder = out / target
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)


if __name__ == "__main__":
    main()
