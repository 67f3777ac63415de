"""Captures made from others: what a network, a mirror port or a capture tool may do to one.

    make(KIND, CAPTURE, OUT, CHANCE)     False where KIND does not fit the capture

Reads pcap (any byte order and resolution), writes pcap with nanoseconds. Standard library only.
"""

import struct

import wire

ETHERNET = 1
SNAPLEN = 96
SHIFT_NS = 12_345 * 10**9 + 678_901_000


class Record:
    def __init__(self, time_ns, data, length):
        self.time_ns, self.data, self.length = time_ns, data, length

    def at(self, time_ns):
        return Record(time_ns, self.data, self.length)


def read(path):
    """(link type, records), None when it is not a whole pcap file."""
    content = path.read_bytes()
    magic = {
        b"\xd4\xc3\xb2\xa1": ("<", 1000),
        b"\xa1\xb2\xc3\xd4": (">", 1000),
        b"\x4d\x3c\xb2\xa1": ("<", 1),
        b"\xa1\xb2\x3c\x4d": (">", 1),
    }.get(content[:4])
    if magic is None or len(content) < 24:
        return None
    order, tick_ns = magic
    link = struct.unpack(order + "I", content[20:24])[0]
    records, at = [], 24
    while at < len(content):
        if at + 16 > len(content):
            return None
        seconds, fraction, captured, length = struct.unpack(order + "IIII", content[at : at + 16])
        if at + 16 + captured > len(content):
            return None
        data = content[at + 16 : at + 16 + captured]
        records.append(Record(seconds * 10**9 + fraction * tick_ns, data, length))
        at += 16 + captured
    return link, records


def write(path, link, records):
    out = [struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262144, link)]
    for r in records:
        seconds, nanoseconds = divmod(r.time_ns, 10**9)
        out += [struct.pack("<IIII", seconds, nanoseconds, len(r.data), r.length), r.data]
    path.write_bytes(b"".join(out))


# -------------------------------------------------------------------------------------- the kinds


def shift(records, _chance):
    """Another time of day."""
    return [r.at(r.time_ns + SHIFT_NS) for r in records]


def cut(records, _chance):
    """A snaplen."""
    return [Record(r.time_ns, r.data[:SNAPLEN], r.length) for r in records]


def drop(records, chance):
    """The capture misses one frame in twenty."""
    return [r for r in records if chance.random() > 0.05]


def mirror(records, chance):
    """One frame in ten is delivered twice."""
    out = []
    for i, r in enumerate(records):
        out.append(r)
        room = records[i + 1].time_ns - r.time_ns if i + 1 < len(records) else 2000
        if chance.random() < 0.1 and room >= 2000:
            out.append(r.at(r.time_ns + 1000))
    return out


def swap(records, chance):
    """Neighbours trade places, each in the other's time."""
    out = list(records)
    i = 0
    while i + 1 < len(out):
        if chance.random() < 0.05:
            a, b = out[i], out[i + 1]
            out[i], out[i + 1] = b.at(a.time_ns), a.at(b.time_ns)
            i += 1
        i += 1
    return out


def begin_late(records, chance):
    """The capture begins in the middle."""
    return records[chance.randrange(len(records) // 2 + 1) :]


def end_early(records, chance):
    return records[: len(records) - chance.randrange(len(records) // 2 + 1)]


def vlan(records, _chance):
    """An 802.1Q tag."""
    return [
        Record(r.time_ns, r.data[:12] + b"\x81\x00\x00\x07" + r.data[12:], r.length + 4)
        for r in records
    ]


def pppoe(records, _chance):
    """RFC 2516, IPv4 and IPv6; the rest stays."""
    out = []
    for r in records:
        protocol = {b"\x08\x00": 0x0021, b"\x86\xdd": 0x0057}.get(r.data[12:14])
        if protocol is None:
            out.append(r)
            continue
        head = struct.pack("!HBBHHH", 0x8864, 0x11, 0, 1, r.length - 14 + 2, protocol)
        out.append(Record(r.time_ns, r.data[:12] + head + r.data[14:], r.length + 8))
    return out


def gre(records, _chance):
    """RFC 2784: the packet inside IPv4."""
    outer = (bytes((198, 51, 100, 1)), bytes((198, 51, 100, 2)))
    out = []
    for r in records:
        if r.data[12:14] not in (b"\x08\x00", b"\x86\xdd"):
            out.append(r)
            continue
        inner = r.length - 14
        head = struct.pack("!BBHHHBBH", 0x45, 0, 24 + inner, 1, 0, 64, 47, 0) + outer[0] + outer[1]
        head = head[:10] + struct.pack("!H", wire.checksum(head)) + head[12:]
        data = r.data[:12] + b"\x08\x00" + head + b"\0\0" + r.data[12:14] + r.data[14:]
        out.append(Record(r.time_ns, data, r.length + 24))
    return out


def fragment(records, chance):
    """Whole IPv4 packets in two fragments, now and then in the wrong order."""
    out = []
    for r in records:
        ip = r.data[14:]
        fits = r.data[12:14] == b"\x08\x00" and len(ip) > 60 and ip[0] == 0x45
        if not fits or struct.unpack("!H", ip[6:8])[0] & 0x3FFF or len(r.data) != r.length:
            out.append(r)
            continue
        payload = ip[20 : struct.unpack("!H", ip[2:4])[0]]
        middle = len(payload) // 2 // 8 * 8
        parts = []
        for begin, part in ((0, payload[:middle]), (middle, payload[middle:])):
            field = begin // 8 | (0x2000 if begin == 0 else 0)
            number = len(out) % 65535 + 1
            head = ip[:2] + struct.pack("!HHH", 20 + len(part), number, field) + ip[8:10] + b"\0\0"
            head += ip[12:20]
            head = head[:10] + struct.pack("!H", wire.checksum(head)) + head[12:]
            data = r.data[:14] + head + part
            parts.append(Record(r.time_ns, data, len(data)))
        if chance.random() < 0.2:
            parts.reverse()
        out += parts
    return out


ANY_LINK = {f.__name__: f for f in (shift, cut, drop, mirror, swap, begin_late, end_early)}
ETHERNET_ONLY = {f.__name__: f for f in (vlan, pppoe, gre, fragment)}
KINDS = ANY_LINK | ETHERNET_ONLY


def make(kind, capture, out, chance):
    content = read(capture)
    if content is None or not content[1]:
        return False
    link, records = content
    if kind in ETHERNET_ONLY and link != ETHERNET:
        return False
    made = KINDS[kind](records, chance)
    if not made:
        return False
    write(out, link, made)
    return True
