"""DNS messages and TLS handshake records for timelines. Standard library only."""

import hashlib
import ipaddress
import struct

DNS_TYPES = {"A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "PTR": 12, "TXT": 16, "AAAA": 28, "HTTPS": 65}
RCODES = {"NOERROR": 0, "FORMERR": 1, "SERVFAIL": 2, "NXDOMAIN": 3, "NOTIMP": 4, "REFUSED": 5}
TLS_VERSIONS = {"1.0": 0x0301, "1.1": 0x0302, "1.2": 0x0303, "1.3": 0x0304}


# ------------------------------------------------------------------------------------------ DNS


def dns_name(text):
    labels = [label for label in text.rstrip(".").split(".") if label]
    return b"".join(bytes([len(label)]) + label.encode("ascii") for label in labels) + b"\0"


def dns_record(owner, data, ttl):
    """`data`: an address, or TYPE:VALUE."""
    kind, colon, value = data.partition(":")
    if colon and kind in DNS_TYPES:
        rdata = dns_name(value)
    else:
        address = ipaddress.ip_address(data)
        kind, rdata = ("A" if address.version == 4 else "AAAA"), address.packed
    return owner + struct.pack("!HHIH", DNS_TYPES[kind], 1, ttl, len(rdata)) + rdata


def dns_message(response, number, kind, name, answers=(), rcode="NOERROR", truncated=False, ttl=60):
    """A chain of CNAMEs: each record is owned by the target of the one before."""
    flags = 0x0100 | (0x8080 if response else 0) | (0x0200 if truncated else 0) | RCODES[rcode]
    message = struct.pack("!HHHHHH", number, flags, 1, len(answers), 0, 0)
    message += dns_name(name) + struct.pack("!HH", DNS_TYPES[kind], 1)
    owner = name
    for answer in answers:
        message += dns_record(dns_name(owner), answer, ttl)
        if answer.startswith("CNAME:"):
            owner = answer.partition(":")[2]
    return message


# ------------------------------------------------------------------------------------------ TLS


def with_length(size, data):
    return len(data).to_bytes(size, "big") + data


def record(kind, data, version=0x0303):
    return struct.pack("!BH", kind, version) + with_length(2, data)


def extension(number, data):
    return struct.pack("!H", number) + with_length(2, data)


def client_hello(sni=None, version="1.3", alpn=None, padding=0, psk=False, early_data=False):
    """`padding`: bytes of the padding extension (RFC 7685), to make the hello long. `psk`: a key of
    an earlier session is offered; `early_data`: and 0-RTT data follows."""
    extensions = b""
    if sni:
        extensions += extension(0, with_length(2, b"\0" + with_length(2, sni.encode("ascii"))))
    if alpn:
        names = b"".join(with_length(1, name.encode("ascii")) for name in alpn.split(","))
        extensions += extension(16, with_length(2, names))
    if version == "1.3":
        extensions += extension(43, with_length(1, struct.pack("!HH", 0x0304, 0x0303)))
    if padding:
        extensions += extension(21, bytes(padding))
    if early_data:
        extensions += extension(42, b"")
    if psk:
        extensions += extension(41, bytes(40))
    suites = struct.pack("!HHH", 0x1301, 0xC02F, 0x009C)
    body = struct.pack("!H", 0x0303) + bytes(range(32)) + with_length(1, bytes(range(32)))
    body += with_length(2, suites) + with_length(1, b"\0") + with_length(2, extensions)
    return record(22, b"\x01" + with_length(3, body), 0x0301)


def server_hello(version="1.3", cipher=0x1301, psk=False, retry=False):
    """`psk`: the offered key is taken. `retry`: it is a HelloRetryRequest."""
    extensions = extension(43, struct.pack("!H", 0x0304)) if version == "1.3" else b""
    if psk:
        extensions += extension(41, bytes(2))
    wire_version = min(TLS_VERSIONS[version], 0x0303)
    # RFC 8446 section 4.1.3: the retry's random is this hash
    random = hashlib.sha256(b"HelloRetryRequest").digest() if retry else bytes(range(32, 64))
    body = struct.pack("!H", wire_version) + random + with_length(1, bytes(range(32)))
    body += struct.pack("!HB", cipher, 0) + with_length(2, extensions)
    return record(22, b"\x02" + with_length(3, body))


def handshake_message(kind, size=0):
    """Another message in clear text, its content zeros: certificate is 11, server_hello_done 14."""
    return record(22, bytes([kind]) + with_length(3, bytes(size)))


def encrypted_handshake(size=40):
    """TLS 1.2 and older: what a Finished looks like."""
    return record(22, b"\xa5" * size)


def alert(description, level=2):
    return record(21, bytes([level, description]))


def change_cipher_spec():
    return record(20, b"\x01")


def application_data(size=64):
    """Opaque: in TLS 1.3 this is also what the encrypted part of the handshake looks like."""
    return record(23, bytes(size))
