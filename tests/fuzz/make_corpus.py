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
sys.path.insert(0, str(HERE.parent / "support"))

import packing  # noqa: E402

LINKS = {1: 0, 113: 1, 276: 2, 101: 3, 12: 3, 0: 4, 108: 5}  # LINKTYPE_ -> LinkType
MOST_FRAMES = 60
MOST_BYTES = 4096
DATABASES = ("redis", "memcached", "postgres", "mysql")


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


def database_talk(payloads):
    """The form of database_talk.hpp: a connection seen from its start."""
    return b"\0" + pieces(payloads, 255, lambda side, n: bytes([side, n]))


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
    for form, pack in packing.PACKERS.items():
        yield "packed_capture", f"{name}-{form}", b"\x40" + pack(capture.read_bytes())[:MOST_BYTES]
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
    database = next((d for d in DATABASES if name.startswith(d)), None)
    if database:
        yield database, name, database_talk(payloads)[:MOST_BYTES]
    elif first[:1] in b"\x16\x14\x17":
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
        "redis": [32, 33, 32, 33],
        "memcached": [34, 35, 34, 35],
        "postgres": [36, 37, 38, 39, 38, 39],
        "mysql": [40, 41, 42, 43, 44],
    }
    from_server = {7, 8, 9, 10, 11, 12, 13, 14, 15, 18, 19, 21, 27, 29, 30, 31, 33, 35, 37, 39, 40,
                   42, 44}
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


def sized(body, width, order="big", own=0):
    """`body` behind its length, to which `own` is added."""
    return (len(body) + own).to_bytes(width, order) + body


def redis_talks():
    def command(*words):
        return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words)

    yield "resp3", [
        (0, command(b"HELLO", b"3", b"AUTH", b"ann", b"secret")),
        (1, b"%2\r\n$6\r\nserver\r\n$5\r\nredis\r\n+proto\r\n:3\r\n"),
        (0, command(b"LRANGE", b"user:1:list", b"0", b"-1")),
        (1, b"|1\r\n+ttl\r\n:9\r\n*3\r\n_\r\n#t\r\n,1.5\r\n"),
    ]
    yield "pub-sub", [
        (0, command(b"SUBSCRIBE", b"a", b"b")),
        (1, b"*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n>3\r\n+subscribe\r\n+b\r\n:2\r\n"),
        (1, b"*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$2\r\nhi\r\n"),
        (0, command(b"UNSUBSCRIBE") + b"PING\r\n"),
    ]
    yield "multi", [
        (0, command(b"MULTI") + command(b"CLIENT", b"REPLY", b"SKIP") + command(b"GET", b"k")),
        (1, b"+OK\r\n+QUEUED\r\n"),
        (0, command(b"EXEC") + command(b"MONITOR") + b"get  inline\r\n"),
        (1, b"*1\r\n$-1\r\n+OK\r\n+1.5 [0 1:2] \"GET\"\r\n-ERR no\r\n"),
    ]


def memcached_talks():
    def binary(magic, opcode, status, extras=b"", key=b"", value=b"", opaque=7):
        return struct.pack(">BBHBBHIIQ", magic, opcode, len(key), len(extras), 0, status,
                           len(extras + key + value), opaque, 0) + extras + key + value

    yield "text", [
        (0, b"set user:1 0 0 5\r\nhello\r\nget user:1 b\r\nincr n 1 noreply\r\ngets c\r\n"),
        (1, b"STORED\r\nVALUE user:1 0 5\r\nhello\r\nEND\r\nEND\r\n"),
        (0, b"stats\r\nbogus\r\nquit\r\n"),
        (1, b"STAT pid 1\r\nEND\r\nCLIENT_ERROR bad\r\n"),
    ]
    yield "meta", [
        (0, b"mg k v q O5\r\nms k 2 q\r\nhi\r\nmd k\r\nmn\r\n"),
        (1, b"VA 2 O5\r\nhi\r\nHD\r\nMN\r\n"),
    ]
    yield "binary", [
        (0, binary(0x80, 0, 0, key=b"k") + binary(0x80, 0x11, 0, b"\0" * 8, b"k", b"v")),
        (1, binary(0x81, 0, 0, b"\0" * 4, value=b"v") + binary(0x81, 0x11, 1)),
        (0, binary(0x80, 0x10, 0) + binary(0x80, 0x21, 0, key=b"PLAIN", value=b"\0a\0b")),
        (1, binary(0x81, 0x10, 0, key=b"pid", value=b"1") + binary(0x81, 0x10, 0)),
    ]


def postgres_talks():
    def message(kind, body=b""):
        return kind + sized(body, 4, own=4)

    def startup(code, body=b""):
        return sized(code.to_bytes(4, "big") + body, 4, own=4)

    login = startup(0x30000, b"user\0ann\0database\0shop\0\0")
    ready = message(b"Z", b"I")
    yield "simple", [
        (0, startup(80877103)), (1, b"N"), (0, login),
        (1, message(b"R", b"\0\0\0\5salt")), (0, message(b"p", b"md5\0")),
        (1, message(b"R", bytes(4)) + message(b"S", b"a\0b\0") + ready),
        (0, message(b"Q", b"SELECT a FROM b WHERE c = 'd'\0")),
        (1, message(b"T", bytes(8)) + message(b"D", bytes(8)) + message(b"C", b"SELECT 1\0") + ready),
        (0, message(b"Q", b"oops\0")),
        (1, message(b"E", b"SERROR\0C42601\0Mno\0\0") + message(b"Z", b"E")), (0, message(b"X")),
    ]
    parse = message(b"P", b"s1\0INSERT INTO t VALUES ($1)\0\0\0")
    bind = message(b"B", b"\0s1\0\0\0\0\1\0\0\0\1x\0\0")
    execute = message(b"E", bytes(5))
    yield "extended", [
        (0, login), (1, message(b"R", bytes(4)) + ready),
        (0, parse + bind + execute + message(b"H")), (1, message(b"1") + message(b"2")),
        (0, bind + execute + message(b"S") + bind + execute + message(b"S")),
        (1, message(b"C", b"INSERT 0 1\0") + ready + message(b"2") + message(b"s") + ready),
        (0, message(b"C", b"Ss1\0") + message(b"S")), (1, message(b"3") + ready),
    ]
    yield "copy", [
        (0, login), (1, message(b"R", bytes(4)) + ready), (0, message(b"Q", b"COPY t FROM STDIN\0")),
        (1, message(b"G", bytes(3))), (0, message(b"d", b"1\n") + message(b"c")),
        (1, message(b"C", b"COPY 1\0") + ready), (0, message(b"F", bytes(8))),
        (1, message(b"V", bytes(4)) + ready),
    ]


def mysql_talks():
    def packet(sequence, body):
        return len(body).to_bytes(3, "little") + bytes([sequence]) + body

    def greeting(flags):
        return packet(0, b"\x0a8.0.36\0" + bytes(4) + b"saltsalt\0" + struct.pack("<H", flags & 0xFFFF)
                      + b"\xff\2\0" + struct.pack("<H", flags >> 16) + bytes(40))

    def login(flags):
        return packet(1, struct.pack("<I", flags) + bytes(28) + b"ann\0\6s3cretshop\0")

    ok, eof = b"\0\0\0\2\0\0\0", b"\xfe\0\0\2\0"
    column = b"\3def" + bytes(20)
    old, new = 0x8208, 0x1008208
    begin = [(1, greeting(old)), (0, login(old)), (1, packet(2, ok))]
    rows = packet(1, b"\1") + packet(2, column) + packet(3, eof) + packet(4, b"\1x") + packet(5, eof)
    yield "query", begin + [
        (0, packet(0, b"\3SELECT a FROM b WHERE c = 1")), (1, rows),
        (0, packet(0, b"\x0e")), (1, packet(1, ok)),
        (0, packet(0, b"\3oops")), (1, packet(1, b"\xff\x28\4#42000no")), (0, packet(0, b"\1")),
    ]
    yield "prepared", begin + [
        (0, packet(0, b"\x16SELECT ? + ?")),
        (1, packet(1, b"\0\1\0\0\0\1\0\2\0\0\0\0") + packet(2, column) + packet(3, column)
         + packet(4, eof) + packet(5, column) + packet(6, eof)),
        (0, packet(0, b"\x17\1\0\0\0" + bytes(6))), (1, rows), (0, packet(0, b"\x19\1\0\0\0")),
    ]
    yield "file", [(1, greeting(new)), (0, login(new)), (1, packet(2, ok))] + [
        (0, packet(0, b"\3LOAD DATA LOCAL INFILE 'f' INTO TABLE t")), (1, packet(1, b"\xfbf")),
        (0, packet(2, b"1,2\n") + packet(3, b"")), (1, packet(4, ok)),
        (0, packet(0, b"\3CALL p()")), (1, packet(1, b"\0\0\0\x0a\0\0\0") + packet(2, ok)),
    ]
    yield "tls", [(1, greeting(old | 0x800)), (0, packet(1, struct.pack("<I", old | 0x800) + bytes(28)))]
    yield "switch", begin[:2] + [
        (1, packet(2, b"\xfemysql_native_password\0salt")), (0, packet(3, b"secret")),
        (1, packet(4, ok)), (0, packet(0, b"\x11ann\0\1xshop\0")), (1, packet(1, ok)),
    ]


def database_seeds():
    """The form of database_talk.hpp, and of targets/sql.cpp."""
    talks = {"redis": redis_talks(), "memcached": memcached_talks(), "postgres": postgres_talks(),
             "mysql": mysql_talks()}
    for database, conversations in talks.items():
        for name, payloads in conversations:
            seed = database_talk(payloads)
            yield database, name, seed
            yield database, name + "-midstream", b"\1" + seed[1:]
            yield database, name + "-hole", seed + b"\5\x10\0" + seed[1:]
    for number, sql in enumerate((
        "SELECT * FROM users WHERE id IN (1, 2,3) AND name='O''Hara' -- by name",
        "INSERT INTO t (a, b) VALUES (1, 'x'), (2, E'\\'y'); COMMIT /* done /* really */ */",
        "UPDATE \"T\" SET a = $1, b = $tag$ it's $tag$ WHERE c > -1.5e-3",
        "SELECT `a`, \"text\" FROM b # comment\nWHERE c = 0x1f AND d = X'00'",
    )):
        for dialect in (0, 1):
            yield "sql", f"{number}-{dialect}", bytes([dialect, 10]) + sql.encode()


def packed_seeds():
    """The form of targets/packed_capture.cpp: the length of a piece, then the file."""
    gzip_of, zstd_of = packing.gzip_of, packing.zstd_of
    skipped = b"\x51\x2a\x4d\x18\x03\0\0\0abc"
    raw = 101  # LINKTYPE_RAW
    capture = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, raw)
    capture += struct.pack("<IIII", 1, 2, 4, 4) + b"abcd"
    # Blocks: one byte many times, then stored; a window that nothing needs; two that are too large.
    repeated = b"\x28\xb5\x2f\xfd\0\x58\x82\0\x04z" + b"\x21\0\0abcd"
    for number, file in enumerate((
        gzip_of(b"") + gzip_of(capture[:30]) + gzip_of(capture[30:]) + bytes(9),
        gzip_of(capture) + b"junk",
        b"\x1f\x8b\x08\x1c" + bytes(6) + b"\x04\0ABCDname\0comment\0" + gzip_of(capture)[10:],
        skipped + zstd_of(capture[:30]) + skipped + zstd_of(capture[30:]),
        repeated,
        b"\x28\xb5\x2f\xfd\0\x88" + zstd_of(capture)[6:],
        b"\x28\xb5\x2f\xfd\0\x90" + zstd_of(capture)[6:],
        gzip_of(zstd_of(capture)),
    )):
        for piece in (0, 7):
            yield "packed_capture", f"packed-{number}-{piece}", bytes([piece]) + file


def main():
    cases, out = map(pathlib.Path, sys.argv[1:])
    seeds = [*segment_seeds(), *database_seeds()]
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
    seeds += packed_seeds()
    for target, name, data in seeds:
        folder = out / target
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)


if __name__ == "__main__":
    main()
