"""Frames as bytes: Ethernet, Linux cooked, BSD null or raw IP around IPv4 or IPv6 around TCP or UDP,
with valid lengths and checksums, and the pcap file (nanoseconds) to put them in.

Used by timeline.py; standard library only.
"""

import ipaddress
import struct

# LINKTYPE numbers of https://www.tcpdump.org/linktypes.html
LINK_TYPES = {"bsd_null": 0, "ethernet": 1, "raw_ip": 101, "linux_sll": 113, "linux_sll2": 276}

TCP, UDP = 6, 17
FIN, SYN, RST, PSH, ACK = 0x01, 0x02, 0x04, 0x08, 0x10
FLAGS = {"FIN": FIN, "SYN": SYN, "RST": RST, "PSH": PSH, "ACK": ACK, "URG": 0x20}

ETHERTYPE = {4: 0x0800, 6: 0x86DD}


def checksum(data):
    """RFC 1071."""
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def pseudo_header(source, destination, protocol, length):
    if source.version == 4:
        return source.packed + destination.packed + struct.pack("!BBH", 0, protocol, length)
    return source.packed + destination.packed + struct.pack("!IHBB", length, 0, 0, protocol)


def tcp_segment(source, destination, seq, ack, flags, window, options, payload):
    """`source` and `destination` are (address, port)."""
    options += b"\0" * (-len(options) % 4)
    head = struct.pack(
        "!HHIIBBHHH",
        source[1],
        destination[1],
        seq % 2**32,
        ack % 2**32,
        (5 + len(options) // 4) << 4,
        flags,
        window,
        0,
        0,
    )
    segment = head + options + payload
    summed = checksum(pseudo_header(source[0], destination[0], TCP, len(segment)) + segment)
    return segment[:16] + struct.pack("!H", summed) + segment[18:]


def udp_datagram(source, destination, payload):
    head = struct.pack("!HHHH", source[1], destination[1], 8 + len(payload), 0)
    datagram = head + payload
    summed = checksum(pseudo_header(source[0], destination[0], UDP, len(datagram)) + datagram)
    return datagram[:6] + struct.pack("!H", summed or 0xFFFF) + datagram[8:]


def ip_packet(source, destination, protocol, payload, identification):
    if source.version == 6:
        head = struct.pack("!IHBB", 6 << 28, len(payload), protocol, 64)
        return head + source.packed + destination.packed + payload
    head = struct.pack(
        "!BBHHHBBH", 0x45, 0, 20 + len(payload), identification, 0x4000, 64, protocol, 0
    )
    head += source.packed + destination.packed
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + payload


def mac(address):
    """A locally administered address that tells hosts apart."""
    return b"\x02\x00" + address.packed[-4:]


def below_ip(version, length, vlans, labels, session):
    """What stands between the addresses of an Ethernet frame and an IP packet of this length."""
    tags = b""
    for depth, vlan in enumerate(vlans, 1):  # 802.1ad: all but the innermost are service tags
        tags += struct.pack("!HH", 0x8100 if depth == len(vlans) else 0x88A8, vlan)
    if session is not None:
        protocol = {4: 0x0021, 6: 0x0057}[version]
        return tags + struct.pack("!HBBHHH", 0x8864, 0x11, 0, session, length + 2, protocol)
    if not labels:
        return tags + struct.pack("!H", ETHERTYPE[version])
    stack = b"".join(
        struct.pack("!I", label << 12 | (depth == len(labels)) << 8 | 64)
        for depth, label in enumerate(labels, 1)
    )
    return tags + struct.pack("!H", 0x8847) + stack


def link_frame(link, packet, source, destination, vlans=(), labels=(), session=None):
    ethertype = ETHERTYPE[source.version]
    if link == "ethernet":
        between = below_ip(source.version, len(packet), vlans, labels, session)
        return mac(destination) + mac(source) + between + packet
    if link == "linux_sll":
        return struct.pack("!HHH6s2xH", 0, 1, 6, mac(source), ethertype) + packet
    if link == "linux_sll2":
        return struct.pack("!HxxIHBB6s2x", ethertype, 2, 1, 0, 6, mac(source)) + packet
    if link == "bsd_null":
        family = {4: 2, 6: 30}[source.version]  # AF_INET, AF_INET6 of macOS; in the file's order
        return struct.pack("<I", family) + packet
    assert link == "raw_ip", link
    return packet


def endpoint(text):
    """"192.0.2.1:80" or "[2001:db8::1]:80" -> (address, port)."""
    address, _, port = text.rpartition(":")
    return ipaddress.ip_address(address.strip("[]")), int(port)


def pcap_file(link, records, snaplen=262144):
    """`records`: (time_ns, frame, length on the wire), in the order they are written."""
    out = [struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, snaplen, LINK_TYPES[link])]
    for time_ns, frame, wire_length in records:
        seconds, nanoseconds = divmod(time_ns, 10**9)
        captured = frame[:snaplen]
        out.append(struct.pack("<IIII", seconds, nanoseconds, len(captured), wire_length))
        out.append(captured)
    return b"".join(out)
