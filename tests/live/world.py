"""The network the suite runs in: three network namespaces that nobody else sees.

    client -- cl0 [ switch: bridge br0 ] sv0 -- server
                     | cl0 is mirrored, both directions
                     +--> mon0 -- mon1   an af_packet port reads mon1, or
                     +--> dtap0          a TAP port that the appliance makes itself

The switch is the namespace of the test itself. `isolate()` starts the test again in a mount,
network and PID namespace of its own: whatever ends the test, even SIGKILL, ends every process in it
and takes the interfaces, mounts and files along. Nothing on the host is touched.
"""

import contextlib
import functools
import os
import subprocess
import sys
import time

ADDRESS = {"client": ("10.77.0.1", "fd77::1"), "server": ("10.77.0.2", "fd77::2")}
MONITOR_END = "mon1"
_FILES = "/run/wirelag-live"
_INSIDE = "WIRELAG_LIVE_TEST_INSIDE"
_UNSHARE = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"]


def can_isolate():
    return subprocess.run([*_UNSHARE, "true"], capture_output=True).returncode == 0


def isolate():
    """Returns inside the namespaces; outside it never returns."""
    if _INSIDE in os.environ:
        return
    os.environ[_INSIDE] = "1"
    os.execvp(_UNSHARE[0], [*_UNSHARE, sys.executable, *sys.argv])


def run(*words):
    done = subprocess.run(words, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(words)}: {done.stderr.strip()}")
    return done.stdout


def inside(namespace, *words):
    return ["ip", "netns", "exec", namespace, *words]


@functools.cache
def _may_be_real_time():
    return subprocess.run(["chrt", "--fifo", "1", "true"], capture_output=True).returncode == 0


def real_time(priority, command):
    """Runs before everything that has no priority, where that is allowed. What uses it must rest
    when idle."""
    return ["chrt", "--fifo", str(priority), *command] if _may_be_real_time() else list(command)


def build():
    """Files, interfaces and addresses. Returns a folder for what the programs write."""
    run("mount", "-t", "tmpfs", "none", "/run")
    os.mkdir("/run/netns")
    os.mkdir(_FILES)
    _make_resolver_file()
    # The switch sends nothing of its own: every frame on the mirror came from a host.
    with open("/proc/sys/net/ipv6/conf/default/disable_ipv6", "w") as f:
        f.write("1")
    run("ip", "link", "set", "lo", "up")
    run("ip", "link", "add", "br0", "type", "bridge", "mcast_snooping", "0")
    run("ip", "link", "set", "br0", "up")
    for namespace, port in (("client", "cl0"), ("server", "sv0")):
        _add_host(namespace, port)
    run("ip", "link", "add", "mon0", "type", "veth", "peer", "name", MONITOR_END)
    for port in ("mon0", MONITOR_END):
        run("ip", "link", "set", port, "up", "promisc", "on")
    return _FILES


def _make_resolver_file():
    """What use_resolver() writes to lies over the host's file."""
    ours = os.path.join(_FILES, "resolv.conf")
    open(ours, "w").close()
    target = os.path.realpath("/etc/resolv.conf")
    if target.startswith("/run/"):  # systemd-resolved's, which the tmpfs hides
        os.makedirs(os.path.dirname(target), exist_ok=True)
        open(target, "w").close()
    run("mount", "--bind", ours, target)


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


def use_resolver(address):
    with open("/etc/resolv.conf", "w") as f:
        f.write(f"nameserver {address}\noptions timeout:10 attempts:1\n")


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


def wait_until(condition, what, within_s=20):
    deadline = time.monotonic() + within_s
    while not (result := condition()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {within_s} s: {what}")
        time.sleep(0.01)
    return result
