"""The network the suite runs in: three network namespaces that nobody else sees.

    client -- cl0 [ switch: bridge br0 ] sv0 -- server
                     | cl0 is mirrored, both directions
                     +--> mon0 -- mon1   an af_packet port reads mon1, or
                     +--> dtap0          a TAP port that the appliance makes itself

The switch is the namespace of the test itself (tests/support/namespaces.py).
"""

import contextlib

import namespaces
from namespaces import inside, run

ADDRESS = {"client": ("10.77.0.1", "fd77::1"), "server": ("10.77.0.2", "fd77::2")}
MONITOR_END = "mon1"


def build():
    """Files, interfaces and addresses. Returns a folder for what the programs write."""
    namespaces.make_files()
    # The switch sends nothing of its own: every frame on the mirror came from a host.
    with open("/proc/sys/net/ipv6/conf/default/disable_ipv6", "w") as f:
        f.write("1")
    run("ip", "link", "add", "br0", "type", "bridge", "mcast_snooping", "0")
    run("ip", "link", "set", "br0", "up")
    for namespace, port in (("client", "cl0"), ("server", "sv0")):
        _add_host(namespace, port)
    run("ip", "link", "add", "mon0", "type", "veth", "peer", "name", MONITOR_END)
    for port in ("mon0", MONITOR_END):
        run("ip", "link", "set", port, "up", "promisc", "on")
    return namespaces.FILES


def _add_host(namespace, port):
    run("ip", "netns", "add", namespace)
    run("ip", "link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", namespace)
    # One segment a frame, as on a real wire.
    run(*inside(namespace, "ip", "link", "set", "eth0", "gso_max_segs", "1"))
    run("ip", "link", "set", port, "master", "br0", "up")
    run(*inside(namespace, "ip", "link", "set", "lo", "up"))
    run(*inside(namespace, "ip", "link", "set", "eth0", "up"))
    v4, v6 = ADDRESS[namespace]
    run(*inside(namespace, "ip", "address", "add", v4 + "/24", "dev", "eth0"))
    run(*inside(namespace, "ip", "address", "add", v6 + "/64", "dev", "eth0", "nodad"))


@contextlib.contextmanager
def mirrored_to(device):
    """Both directions of the client's port are copied to `device`."""
    run("tc", "qdisc", "add", "dev", "cl0", "clsact")
    try:
        for direction in ("ingress", "egress"):
            run("tc", "filter", "add", "dev", "cl0", direction, "protocol", "all",
                "u32", "match", "u32", "0", "0",
                "action", "mirred", "egress", "mirror", "dev", device)
        yield
    finally:
        run("tc", "qdisc", "del", "dev", "cl0", "clsact")


def can_mirror():
    try:
        with mirrored_to("mon0"):
            return True
    except RuntimeError:
        return False


def frames_counted(device, direction):
    """What the kernel counted on an interface of the switch, "rx" or "tx"."""
    with open("/proc/net/dev") as f:
        for line in f:
            name, _, numbers = line.partition(":")
            if name.strip() == device:
                fields = numbers.split()
                return int(fields[1 if direction == "rx" else 9])
    raise RuntimeError(f"no interface {device}")
