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


OUTER4 = (bytes((198, 51, 100, 1)), bytes((198, 51, 100, 2)))
OUTER6 = (b"\x20\x01\x0d\xb8" + bytes(11) + b"\x01", b"\x20\x01\x0d\xb8" + bytes(11) + b"\x02")
IP_TYPES = (b"\x08\x00", b"\x86\xdd")
CARRIED_IP, CARRIED_GRE, CARRIED_UDP = {b"\x08\x00": 4, b"\x86\xdd": 41}, 47, 17


def ipv4_header(protocol, length):
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + length, 1, 0, 64, protocol, 0) + b"".join(OUTER4)
    return head[:10] + struct.pack("!H", wire.checksum(head)) + head[12:]


def ipv6_header(protocol, length):
    return struct.pack("!IHBB", 6 << 28, length, protocol, 64) + b"".join(OUTER6)


def inside(record, ip, protocol, header, begin):
    """The record from byte `begin` on, behind `header`, in an IP packet of the record's own Ethernet."""
    length = len(header) + record.length - begin
    ethertype = b"\x86\xdd" if ip is ipv6_header else b"\x08\x00"
    head = record.data[:12] + ethertype + ip(protocol, length) + header
    return Record(record.time_ns, head + record.data[begin:], len(head) + record.length - begin)


def udp_header(port, length):
    return struct.pack("!HHHH", 50000, port, 8 + length, 0)


def of_ip(record, ip, protocol, header):
    """Like inside(), with what is an IP packet; the rest stays."""
    return inside(record, ip, protocol, header, 14) if record.data[12:14] in IP_TYPES else record


def gre(records, _chance):
    """RFC 2784: the packet inside IPv4."""
    return [of_ip(r, ipv4_header, CARRIED_GRE, b"\0\0" + r.data[12:14]) for r in records]


def ip_in_ipv6(records, _chance):
    """RFC 2473."""
    return [of_ip(r, ipv6_header, CARRIED_IP.get(r.data[12:14]), b"") for r in records]


def gtp_u(records, _chance):
    """3GPP TS 29.281: the packet inside UDP."""
    out = []
    for r in records:
        gtp = struct.pack("!BBHI", 0x30, 255, r.length - 14, 7)
        udp = udp_header(2152, len(gtp) + r.length - 14)
        out.append(of_ip(r, ipv4_header, CARRIED_UDP, udp + gtp))
    return out


def vxlan(records, _chance):
    """RFC 7348, over IPv6: the frame inside UDP."""
    header = struct.pack("!II", 0x08000000, 42 << 8)
    return [
        inside(r, ipv6_header, CARRIED_UDP, udp_header(4789, 8 + r.length) + header, 0)
        for r in records
    ]


def geneve(records, _chance):
    """RFC 8926, with an option: the frame inside UDP."""
    header = struct.pack("!BBHIHBBI", 2, 0, 0x6558, 42 << 8, 0x0102, 3, 1, 0)
    return [
        inside(r, ipv4_header, CARRIED_UDP, udp_header(6081, len(header) + r.length) + header, 0)
        for r in records
    ]


def erspan(records, _chance):
    """Type II: the frame inside GRE with a sequence number."""
    return [
        inside(r, ipv4_header, CARRIED_GRE, struct.pack("!HHIII", 0x1000, 0x88BE, i, 1 << 28, 0), 0)
        for i, r in enumerate(records)
    ]


def nested(records, chance):
    """Two tags around VXLAN around GRE."""
    return vlan(vlan(vxlan(gre(records, chance), chance), chance), chance)


def fragment_ipv6(records, chance):
    """IPv6 around the packet, in two fragments, now and then in the wrong order."""
    out = []
    for number, r in enumerate(records):
        protocol = CARRIED_IP.get(r.data[12:14])
        packet = r.data[14:]
        if protocol is None or len(packet) < 24 or len(r.data) != r.length:
            out.append(r)
            continue
        middle = len(packet) // 2 // 8 * 8
        parts = []
        for begin, part in ((0, packet[:middle]), (middle, packet[middle:])):
            head = struct.pack("!BBHI", protocol, 0, begin | (begin == 0), number)
            data = r.data[:12] + b"\x86\xdd" + ipv6_header(44, 8 + len(part)) + head + part
            parts.append(Record(r.time_ns, data, len(data)))
        if chance.random() < 0.2:
            parts.reverse()
        out += parts
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
ETHERNET_ONLY = {
    f.__name__: f
    for f in (
        *(vlan, pppoe, gre, ip_in_ipv6, gtp_u, vxlan, geneve, erspan, nested),
        *(fragment, fragment_ipv6),
    )
}
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
