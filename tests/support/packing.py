"""Compressed files, made without any program.

    gzip_of(CONTENT)    one member
    zstd_of(CONTENT)    one frame (RFC 8878) of blocks that are stored as they are
"""

import gzip
import struct

MOST_BLOCK_BYTES = 128 * 1024


def gzip_of(content):
    return gzip.compress(content, mtime=0)


def zstd_of(content):
    window_of_1_mib = 10 << 3
    out = [b"\x28\xb5\x2f\xfd", bytes([0, window_of_1_mib])]
    for at in range(0, max(len(content), 1), MOST_BLOCK_BYTES):
        block = content[at : at + MOST_BLOCK_BYTES]
        last = at + MOST_BLOCK_BYTES >= len(content)
        out += [struct.pack("<I", int(last) | len(block) << 3)[:3], block]
    return b"".join(out)


PACKERS = {"gzip": gzip_of, "zstd": zstd_of}
