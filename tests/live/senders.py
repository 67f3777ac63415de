"""Traffic that no well-behaved program makes. Runs in the client's namespace.

    senders.py connects IPV4 N    N connections to an address where nobody answers
    senders.py fragments IPV6 N   N datagrams that do not fit into a frame
"""

import resource
import socket
import sys

_PORT = 9  # discard (RFC 863)
_DATAGRAM_BYTES = 4000


def connects(address, count):
    resource.setrlimit(resource.RLIMIT_NOFILE, (count + 100, count + 100))
    waiting = []
    for _ in range(count):
        s = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        s.setblocking(False)
        s.connect_ex((address, _PORT))
        waiting.append(s)


def fragments(address, count):
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as s:
        for _ in range(count):
            s.sendto(bytes(_DATAGRAM_BYTES), (address, _PORT))


{"connects": connects, "fragments": fragments}[sys.argv[1]](sys.argv[2], int(sys.argv[3]))
