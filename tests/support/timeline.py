#!/usr/bin/env python3
"""Hand-made traffic: a small text file, one line per frame, becomes a capture.

    timeline.py TIMELINE CAPTURE.pcap        standard library only

A line that begins with a letter declares something, one that begins with a time is a frame:

    link ethernet                    or raw_ip, linux_sll, linux_sll2, bsd_null
    vlan 7                           802.1Q tag on every frame; "vlan 100 7": a service tag first
    mpls 100 16                      these labels on every frame
    pppoe 5                          every frame is of this PPPoE session
    snaplen 96                       of every frame
    clock                            TCP timestamps (RFC 7323) on every segment, 1 tick = 1 ms
    mirror 0.000020                  every frame is delivered twice, this much later
    cut_file 30                      the file lacks its last 30 bytes
    C 10.0.0.1:40000                 an endpoint: any word of letters and digits
    bytes NAME PAYLOAD               a payload to be referred to
    bytes NAME client_hello sni=a.example version=1.3 alpn=h2 padding=0
    bytes NAME server_hello version=1.3
    bytes NAME alert description=40  and the other TLS records of messages.py

    TIME FROM>TO WHAT                TIME in seconds; "+0.010" = after the frame before
    0.000 C>S SYN mss=1460 ts=100        flags: SYN, FIN, RST, PSH, ACK, joined by commas
    0.040 S>C SYN,ACK ts=7:100           ts=value:echo
    0.050 C>S data "GET / HTTP/1.1\\r\\n"  payload, with ACK and PSH; after other flags too
    0.000 C>S handshake server=0.030 client=0.010        SYN, SYN-ACK, ACK
    0.000 U>R dns query id=1 A example.org               over UDP, or TCP after a handshake
    0.010 R>U dns response id=1 A example.org CNAME:b.example 192.0.2.1 rcode=NOERROR tc ttl=60
    0.000 C>S udp PAYLOAD
    0.000 frame hex:ffff...              a whole frame as it is
    PAYLOAD: "text", hex:0a0b.0c, fill:1460 (x's), NAME, NAME[0:100], one after the other

Sequence and acknowledgement numbers are kept per pair of endpoints. They are given relative to the
initial ones, as analysers print them. Overrides and modifiers, after WHAT:

    seq=1 ack=1      this number instead        seq=next+1460  counted from the one in turn
    isn=5000         (SYN) initial sequence number: another connection begins
    win=0            window, unscaled           mss=, ws=, sack: options
    lost             captured, but never received: the receiver does not acknowledge it
    drop             not captured, but sent and received
    dup=0.000020     the capture delivers the frame a second time, this much later
    cut=60           this frame's snaplen
    0.300 C>S resend 4      frame 4 of the capture once more: same sequence number and payload

Frames are written in order of time; those of one instant in order of the file.
"""

import re
import struct
import sys
from dataclasses import dataclass, field

import messages
import wire

START_NS = 1_700_000_000 * 10**9  # time 0 of every timeline
WORD = re.compile(r'"(?:[^"\\]|\\.)*"|\S+')
OPTION = re.compile(r"[a-z_]+=")
SLICE = re.compile(r"(\w+)\[(-?\d*):(-?\d*)\]$")
BARE_MODIFIERS = {"sack", "lost", "drop", "tc"}


class TimelineError(Exception):
    """What is wrong, without the line number."""


def seconds_to_ns(text):
    whole, _, fraction = text.partition(".")
    if not re.fullmatch(r"\d+", whole) or not re.fullmatch(r"\d{0,9}", fraction):
        raise TimelineError(f"'{text}' is not a time in seconds")
    return int(whole) * 10**9 + int(fraction.ljust(9, "0"))


@dataclass
class Side:
    """One end of a TCP connection; numbers are absolute."""

    isn: int
    next_seq: int
    expected: int  # the acknowledgement it sends: the next byte it waits for
    early: list = field(default_factory=list)  # (begin, end) received beyond `expected`
    echo: int = 0  # the peer's latest TSval

    def receive(self, begin, end):
        self.early.append((begin, end))
        for low, high in sorted(self.early):
            if low <= self.expected < high:
                self.expected = high
        self.early = [r for r in self.early if r[1] > self.expected]


@dataclass
class Sent:
    """What a frame carried, for `resend`."""

    source: str
    flags: int
    seq: int
    payload: bytes


@dataclass
class Record:
    time_ns: int
    order: int
    frame: bytes
    cut: int
    sent: Sent = None


class Words:
    """What stands behind WHAT: payload pieces, key=value and bare modifiers."""

    def __init__(self, words):
        self.pieces, self.values, self.bare = [], {}, set()
        for word in words:
            if OPTION.match(word):
                key, _, value = word.partition("=")
                self.values[key] = value
            elif word in BARE_MODIFIERS:
                self.bare.add(word)
            else:
                self.pieces.append(word)

    def take(self, key, default=None, convert=int):
        value = self.values.pop(key, None)
        return default if value is None else convert(value)


class Timeline:
    def __init__(self):
        self.link = "ethernet"
        self.vlans = []
        self.labels = []
        self.session = None
        self.snaplen = 262144
        self.clock = False
        self.mirror_ns = None
        self.cut_file = 0
        self.endpoints = {}
        self.payloads = {}
        self.sides = {}  # (from, to) -> Side of `from`
        self.records = []
        self.time_ns = 0
        self.connections = 0
        self.packets = 0

    # ------------------------------------------------------------------------------- reading

    def read(self, text):
        for number, line in enumerate(text.splitlines(), 1):
            words = WORD.findall(line)
            if not words or words[0].startswith("#"):
                continue
            try:
                if re.match(r"[+\d]", words[0]) and words[0].count(":") == 0:
                    self.frame_line(words)
                else:
                    self.declaration(words[0], words[1:])
            except (TimelineError, KeyError, ValueError, IndexError) as error:
                raise TimelineError(f"line {number}: {error} in: {line.strip()}") from error

    def declaration(self, word, rest):
        if word == "link":
            self.link = rest[0]
            wire.LINK_TYPES[self.link]  # must be known
        elif word in ("snaplen", "cut_file"):
            setattr(self, word, int(rest[0]))
        elif word == "vlan":
            self.vlans = [int(tag) for tag in rest]
        elif word == "mpls":
            self.labels = [int(label) for label in rest]
        elif word == "pppoe":
            self.session = int(rest[0])
        elif word == "clock":
            self.clock = True
        elif word == "mirror":
            self.mirror_ns = seconds_to_ns(rest[0])
        elif word == "bytes":
            self.payloads[rest[0]] = self.define(rest[1:])
        elif len(rest) == 1 and ":" in rest[0]:
            self.endpoints[word] = wire.endpoint(rest[0])
        else:
            raise TimelineError(f"'{word}' is neither a declaration nor an endpoint")

    def define(self, words):
        make = {
            "client_hello": messages.client_hello,
            "server_hello": messages.server_hello,
            "change_cipher_spec": messages.change_cipher_spec,
            "application_data": messages.application_data,
            "handshake_message": messages.handshake_message,
            "encrypted_handshake": messages.encrypted_handshake,
            "alert": messages.alert,
        }.get(words[0])
        if make is None:
            return self.payload(words)
        values = dict(word.split("=") for word in words[1:])
        return make(**{k: int(v) if v.isdigit() else v for k, v in values.items()})

    def payload(self, pieces):
        out = b""
        for piece in pieces:
            part = SLICE.match(piece)
            if piece.startswith('"'):
                out += piece[1:-1].encode("latin-1").decode("unicode_escape").encode("latin-1")
            elif piece.startswith("hex:"):
                out += bytes.fromhex(piece[4:].replace(".", " "))
            elif piece.startswith("fill:"):
                out += b"x" * int(piece[5:])
            elif part:
                low, high = (int(n) if n else None for n in part.groups()[1:])
                out += self.payloads[part[1]][low:high]
            else:
                out += self.payloads[piece]
        return out

    def frame_line(self, words):
        relative = words[0].startswith("+")
        self.time_ns = seconds_to_ns(words[0].lstrip("+")) + (self.time_ns if relative else 0)
        if words[1] == "frame":
            self.capture(self.payload(words[2:]), Words([]))
            return
        source, _, destination = words[1].partition(">")
        self.endpoints[source], self.endpoints[destination]  # must be declared
        what, rest = words[2], words[3:]
        if what == "dns":
            self.dns(source, destination, rest)
        elif what == "udp":
            more = Words(rest)
            self.send_udp(source, destination, self.payload(more.pieces), more)
        elif what == "handshake":
            self.handshake(source, destination, Words(rest))
        elif what == "resend":
            self.resend(source, destination, int(rest[0]), Words(rest[1:]))
        else:
            self.segment(source, destination, what, Words(rest))

    # ------------------------------------------------------------------------------- sending

    def dns(self, source, destination, words):
        more = Words(words[1:])
        kind, name, *answers = more.pieces
        message = messages.dns_message(
            words[0] == "response",
            more.take("id", 0, lambda text: int(text, 0)),
            kind,
            name,
            answers,
            more.take("rcode", "NOERROR", str),
            "tc" in more.bare,
            more.take("ttl", 60),
        )
        if (source, destination) in self.sides:
            framed = messages.with_length(2, message)
            self.send_tcp(source, destination, wire.PSH | wire.ACK, framed, more)
        else:
            self.send_udp(source, destination, message, more)

    def handshake(self, source, destination, more):
        server = more.take("server", convert=seconds_to_ns)
        client = more.take("client", convert=seconds_to_ns)
        begin_ns = self.time_ns
        self.send_tcp(source, destination, wire.SYN, b"", Words(["mss=1460", "sack"]))
        self.time_ns = begin_ns + server
        self.send_tcp(destination, source, wire.SYN | wire.ACK, b"", Words(["mss=1460", "sack"]))
        self.time_ns = begin_ns + server + client
        self.send_tcp(source, destination, wire.ACK, b"", more)

    def segment(self, source, destination, what, more):
        flags = wire.PSH | wire.ACK
        if what != "data":
            flags = sum(wire.FLAGS[flag] for flag in what.split(","))
            if more.pieces and more.pieces.pop(0) != "data":
                raise TimelineError("payload without the word 'data'")
        self.send_tcp(source, destination, flags, self.payload(more.pieces), more)

    def resend(self, source, destination, number, more):
        captured = sorted(self.records, key=lambda r: (r.time_ns, r.order))
        sent = captured[number - 1].sent
        if sent is None or sent.source != source:
            raise TimelineError(f"frame {number} is no segment of {source}")
        side = self.sides[source, destination]
        more.values.setdefault("seq", str(sent.seq - side.isn))
        self.send_tcp(source, destination, sent.flags, sent.payload, more)

    def open(self, source, destination, isn=None):
        """Both sides of a connection, new. A segment without SYN before it has number 1."""
        isns = [isn or self.new_isn(), self.new_isn()]
        self.sides[source, destination] = Side(isns[0], isns[0], expected=isns[1] + 1)
        self.sides[destination, source] = Side(isns[1], isns[1], expected=isns[0] + 1)

    def new_isn(self):
        self.connections += 1
        return 1000 * self.connections

    def send_tcp(self, source, destination, flags, payload, more):
        isn = more.take("isn")
        if isn is not None or (source, destination) not in self.sides:
            self.open(source, destination, isn)
        me, peer = self.sides[source, destination], self.sides[destination, source]

        begin = me.isn if flags & wire.SYN else max(me.next_seq, me.isn + 1)
        begin = self.sequence(more.take("seq", "next", str), me.isn, begin)
        end = begin + len(payload) + bool(flags & wire.SYN) + bool(flags & wire.FIN)
        ack = peer.isn + more.take("ack", me.expected - peer.isn) if flags & wire.ACK else 0
        stamp_ms, options = self.tcp_options(me, flags, more)
        window = more.take("win", 65535)
        me.next_seq = max(me.next_seq, end)
        if "lost" not in more.bare:
            peer.receive(begin, end)
            peer.echo = stamp_ms

        a, b = self.endpoints[source], self.endpoints[destination]
        segment = wire.tcp_segment(a, b, begin, ack, flags, window, options, payload)
        sent = Sent(source, flags, begin, payload)
        self.capture(self.around(a[0], b[0], wire.TCP, segment), more, sent)

    @staticmethod
    def sequence(text, isn, following):
        if text.startswith("next"):
            return following + int(text[4:] or 0)
        return isn + int(text)

    def tcp_options(self, me, flags, more):
        """The sender's clock in milliseconds, and the options of the segment."""
        options = b""
        mss, scale = more.take("mss"), more.take("ws")
        if mss is not None:
            options += struct.pack("!BBH", 2, 4, mss)
        if "sack" in more.bare:
            options += struct.pack("!BBBB", 1, 1, 4, 2)
        stamp = more.take("ts", convert=str)
        clock = self.time_ns // 10**6 + 1
        if stamp is not None or self.clock:
            value, _, echo = (stamp or "").partition(":")
            clock = int(value) if value else clock
            echo = int(echo) if echo else (me.echo if flags & wire.ACK else 0)
            options += struct.pack("!BBBBII", 1, 1, 8, 10, clock, echo)
        if scale is not None:
            options += struct.pack("!BBBB", 1, 3, 3, scale)
        return clock, options

    def send_udp(self, source, destination, payload, more):
        a, b = self.endpoints[source], self.endpoints[destination]
        datagram = wire.udp_datagram(a, b, payload)
        self.capture(self.around(a[0], b[0], wire.UDP, datagram), more)

    def around(self, source, destination, protocol, payload):
        self.packets += 1
        packet = wire.ip_packet(source, destination, protocol, payload, self.packets & 0xFFFF)
        return wire.link_frame(
            self.link, packet, source, destination, self.vlans, self.labels, self.session
        )

    def capture(self, frame, more, sent=None):
        cut = more.take("cut", self.snaplen)
        copy_ns = more.take("dup", self.mirror_ns, seconds_to_ns)
        if more.values:
            raise TimelineError(f"not understood: {', '.join(more.values)}")
        if "drop" in more.bare:
            return
        times = [self.time_ns] if copy_ns is None else [self.time_ns, self.time_ns + copy_ns]
        for time_ns in times:
            self.records.append(Record(time_ns, len(self.records), frame, cut, sent))

    # ------------------------------------------------------------------------------- writing

    def pcap(self):
        captured = sorted(self.records, key=lambda r: (r.time_ns, r.order))
        records = [(START_NS + r.time_ns, r.frame[: r.cut], len(r.frame)) for r in captured]
        content = wire.pcap_file(self.link, records, self.snaplen)
        return content[: len(content) - self.cut_file]


def build(timeline_path, capture_path):
    timeline = Timeline()
    with open(timeline_path, encoding="utf-8") as file:
        try:
            timeline.read(file.read())
        except TimelineError as error:
            raise TimelineError(f"{timeline_path}: {error}") from error
    with open(capture_path, "wb") as file:
        file.write(timeline.pcap())


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: timeline.py TIMELINE CAPTURE.pcap")
    try:
        build(sys.argv[1], sys.argv[2])
    except TimelineError as problem:
        sys.exit(f"timeline.py: {problem}")
