"""The relay between two namespaces: the delay it adds beyond what it was told, and what it loses.

    relay_test.py LAB-RELAY

Needs root. Exit status 0 = all held, 1 = something did not, 77 = skipped, with the reason.
"""

import pathlib
import socket
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import namespaces  # noqa: E402
import programs  # noqa: E402
from lab import Lab, Path, RESOLVERS, SERVER  # noqa: E402

_ECHO_PORT = 7
_SKIPPED = 77
#: Waking up two programs and the relay on both ways; a machine that is busy with other things.
MOST_ADDED_MS = 2.0
failed = 0


def check(holds, what):
    global failed
    print(f"{'ok  ' if holds else 'FAIL'}  {what}", flush=True)
    failed += not holds


def echo_times_ms(address, count, bytes_each=64):
    """Round trips of datagrams one after another; None for one that was lost."""
    times = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(0.5)
        for i in range(count):
            begin = time.perf_counter()
            s.sendto(i.to_bytes(4, "big") + bytes(bytes_each - 4), (address, _ECHO_PORT))
            try:
                while int.from_bytes(s.recv(2048)[:4], "big") != i:
                    pass
                times.append(1000 * (time.perf_counter() - begin))
            except TimeoutError:
                times.append(None)
    return times


def train_ms(address, count, bytes_each):
    """How long the answers to `count` datagrams, sent at once, take to come in."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(2)
        for _ in range(count):
            s.sendto(bytes(bytes_each), (address, _ECHO_PORT))
        s.recv(2048)
        first = time.perf_counter()
        for _ in range(count - 1):
            s.recv(2048)
        return 1000 * (time.perf_counter() - first)


def median(values):
    return sorted(values)[len(values) // 2]


def measure(lab):
    for rtt_ms in (2, 20, 100):
        with lab.path(Path(rtt_ms=rtt_ms)):
            times = lab.client(echo_times_ms, SERVER, 31)
        added = median(times) - rtt_ms
        print(f"      RTT {rtt_ms} ms: median {median(times):.3f} ms, least {min(times):.3f}, "
              f"most {max(times):.3f}")
        check(min(times) >= rtt_ms, f"nothing comes sooner than {rtt_ms} ms")
        check(added < MOST_ADDED_MS, f"the relay and both hosts add {added:.3f} ms at the median")
    far = Path(rtt_ms=10, farther_ms={RESOLVERS[0]: 30})
    with lab.path(far):
        near_ms = min(lab.client(echo_times_ms, SERVER, 9))
        far_ms = min(lab.client(echo_times_ms, RESOLVERS[0], 9))
    check(29 < far_ms - near_ms < 32, f"an address 30 ms farther: {far_ms - near_ms:.2f} ms")
    with lab.path(Path(rtt_ms=10, rate_mbit=2)):  # 1028 bytes of IP in 4.112 ms
        train = median([lab.client(train_ms, SERVER, 11, 1000) for _ in range(5)])
    check(40.5 < train < 45, f"10 datagrams of 1028 bytes through 2 Mbit/s: {train:.2f} ms (41.1)")
    losses = ("c2s:any:packets=2-3", "s2c:any:packets=4")  # the answers to 2 and 3 never left
    with lab.path(Path(rtt_ms=10, losses=losses)):
        times = lab.client(echo_times_ms, SERVER, 8)
    lost = [i for i, t in enumerate(times) if t is None]
    check(lost == [1, 2, 5], f"lost are the ones that were named: {lost}")


def echo_server():
    for address in (SERVER, RESOLVERS[0]):
        threading.Thread(target=_echo, args=(address,)).start()


def _echo(address):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind((address, _ECHO_PORT))
        while True:
            data, sender = s.recvfrom(2048)
            s.sendto(data, sender)


def main():
    if sys.argv[1] == "echo":
        return echo_server()
    reason = namespaces.why_not(("unshare", "ip", "chrt"))
    if reason:
        print(f"skipped: {reason}")
        return _SKIPPED
    relay = str(pathlib.Path(sys.argv[1]).resolve())
    namespaces.isolate()
    lab = Lab(relay)
    lab.build()
    with programs.running("server", f"{lab.directory}/echo.log", [("udp", _ECHO_PORT)],
                          sys.executable, str(pathlib.Path(__file__).resolve()), "echo"):
        measure(lab)
    return 1 if failed else 0


sys.exit(main())
