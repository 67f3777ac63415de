"""The lab: two hosts and the path between them.

    namespace "client" -- lab0 (TUN) == lab-relay == lab0 (TUN) -- namespace "server"
      10.88.1.0/24                                     10.88.2.0/24

Every address of both networks exists. A visit has a client address of its own, so that visits need no
pauses between them to be told apart. Both kernels use Reno and remember no paths: slow start begins
the same way every time. The client's programs, the servers and the relay run before everything else on
the machine (real-time priority), where that is allowed.
"""

import contextlib
import ctypes
import dataclasses
import multiprocessing
import os
import subprocess

import namespaces
from namespaces import inside, run

CLIENT_NET, SERVER_NET = "10.88.1", "10.88.2"
SERVER = f"{SERVER_NET}.1"
#: Addresses of resolvers, near to far; how far is the path's to say.
RESOLVERS = [f"{SERVER_NET}.{n}" for n in (53, 54, 55)]
_PRIORITY_RELAY, _PRIORITY_CLIENT = 20, 8
_CLONE_NEWNET = 0x40000000


@dataclasses.dataclass
class Path:
    """What the relay does. rtt_ms is both ways together."""
    rtt_ms: float = 40
    losses: tuple = ()
    rate_mbit: float = 0
    queue_bytes: int = 0
    farther_ms: dict = dataclasses.field(default_factory=dict)  # server address: more RTT
    tap: str = "client"

    def options(self):
        words = ["--delay-ms", str(self.rtt_ms / 2), "--rate-mbit", str(self.rate_mbit),
                 "--queue-bytes", str(self.queue_bytes), "--tap", self.tap]
        for loss in self.losses:
            words += ["--loss", loss]
        for address, more_ms in self.farther_ms.items():
            words += ["--farther", f"{address}={more_ms / 2}"]
        return words


class Lab:
    def __init__(self, relay):
        self.directory = namespaces.FILES
        self._relay = relay

    def build(self):
        namespaces.make_files()
        for namespace, ours, other in (("client", CLIENT_NET, SERVER_NET),
                                       ("server", SERVER_NET, CLIENT_NET)):
            run("ip", "netns", "add", namespace)
            for words in (["link", "set", "lo", "up"],
                          ["tuntap", "add", "lab0", "mode", "tun"],
                          ["link", "set", "lab0", "up", "txqueuelen", "10000"],
                          ["address", "add", f"{ours}.1", "dev", "lab0"],
                          ["route", "add", "local", f"{ours}.0/24", "dev", "lo"],
                          ["route", "add", f"{other}.0/24", "dev", "lab0", "src", f"{ours}.1"]):
                run(*inside(namespace, "ip", *words))
            for key, value in (("tcp_congestion_control", "reno"), ("tcp_no_metrics_save", 1),
                               ("ping_group_range", "0 0")):
                self.sysctl(namespace, f"net/ipv4/{key}", value)

    def sysctl(self, namespace, key, value):
        run(*inside(namespace, "sh", "-c", f"echo '{value}' > /proc/sys/{key}"))

    @contextlib.contextmanager
    def path(self, path, capture=""):
        """The relay at work. When it has ended, `capture` is whole."""
        process = subprocess.Popen(
            namespaces.real_time(_PRIORITY_RELAY,
                                 [self._relay, *path.options(), "--capture", capture]),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        try:
            if process.stdout.readline() != "ready\n":
                raise RuntimeError("the relay did not start")
            yield
        finally:
            process.terminate()
            status = process.wait(20)
        if status != 0:
            raise RuntimeError(f"the relay ended with {status}")

    def initial_window(self, segments):
        """Of the server's connections: `ip route ... initcwnd`."""
        run(*inside("server", "ip", "route", "replace", f"{CLIENT_NET}.0/24", "dev", "lab0",
                    "src", SERVER, "initcwnd", str(segments)))

    def client(self, function, *arguments):
        """What the function returns, called in a process of the client's namespace."""
        context = multiprocessing.get_context("fork")
        ours, theirs = context.Pipe(False)
        process = context.Process(target=_call_inside, args=(theirs, "client", function, arguments))
        process.start()
        theirs.close()
        try:
            ok, result = ours.recv()
        except EOFError:
            raise RuntimeError(f"the client ended while it called {function}") from None
        process.join()
        if not ok:
            raise RuntimeError(result)
        return result


def _call_inside(pipe, namespace, function, arguments):
    with open(f"/run/netns/{namespace}") as f:
        if ctypes.CDLL(None, use_errno=True).setns(f.fileno(), _CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "setns")
    with contextlib.suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(_PRIORITY_CLIENT))
    try:
        pipe.send((True, function(*arguments)))
    except Exception as error:  # it is raised again in the lab
        pipe.send((False, f"{type(error).__name__}: {error}"))
    pipe.close()


def client_address(number):
    return f"{CLIENT_NET}.{2 + number % 250}"


def become_client(number):
    """What this namespace sends from now on comes from that client's address."""
    run("ip", "route", "replace", f"{SERVER_NET}.0/24", "dev", "lab0", "src",
        client_address(number))
