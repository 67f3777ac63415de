"""What the client does during a scenario, and what the report must therefore hold."""

import os
import sys

import curl
import namespaces
import world

NOBODY = "10.77.0.200"
_SENDERS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "senders.py")


def browse():
    """IPv4 and IPv6, names that come at once and late, kept alive, parallel, slow, encrypted.
    Every host name is used by one curl only. Returns what curl measured."""
    v4, v6 = world.ADDRESS["server"]
    namespaces.use_resolvers([v4])
    transfers = curl.fetch([f"http://keep.near.test/now/{i}" for i in range(3)] +
                           [f"http://keep.near.test/wait/50/{i}" for i in range(3)], "-4")
    transfers += curl.fetch([f"http://p{i}.far.test/wait/50/" for i in range(8)],
                            "-4", "--parallel", "--parallel-immediate")
    transfers += curl.fetch([f"http://slow{i}.near.test/slow/" for i in range(4)],
                            "-4", "--parallel", "--parallel-immediate")
    namespaces.use_resolvers([v6])
    transfers += curl.fetch([f"http://s{i}.far.test/wait/50/" for i in range(4)], "-6")
    transfers += curl.fetch([f"http://any{i}.near.test/now/" for i in range(2)])
    transfers += curl.fetch([f"https://{i}.tls13.near.test/now/" for i in range(5)], "-4")
    transfers += curl.fetch([f"https://{i}.tls12.near.test/now/" for i in range(5)],
                            "-6", "--tls-max", "1.2")
    return transfers


def start_slow_transfer(host):
    return curl.start([f"http://{host}/slow/"], "-4")


def _in_client(*words):
    namespaces.run(*namespaces.inside("client", *words))


def connect_to_nobody(count):
    """`count` SYNs that are never answered."""
    _in_client("ip", "neighbour", "replace", NOBODY, "lladdr", "02:00:00:00:00:99", "dev", "eth0")
    _in_client(sys.executable, _SENDERS, "connects", NOBODY, str(count))


def send_fragments(count):
    """`count` UDP datagrams over IPv6, each in three fragments."""
    _in_client(sys.executable, _SENDERS, "fragments", world.ADDRESS["server"][1], str(count))
