"""TCP: lost SYNs, slow start, lost segments, Nagle's algorithm."""

import contextlib
import socket
import time

import servers
from clients import Browser, timed, url
from lab import SERVER, Path
from scenario import Scenario, SomeVisits


class SynLoss(Scenario):
    rule = "tcp-syn-loss"
    fault = "the path loses the first SYN of every connection"
    change = "a path that loses none"
    visits = 5
    quick = True

    def path(self, changed):
        return Path(rtt_ms=self.rtt_ms, tap=self.tap,
                    losses=() if changed else ("c2s:syn:packets=1",))

    def servers(self, lab, changed):
        return servers.nginx(lab)

    def visit(self, number, changed):
        return timed(Browser().fetch, url("/1k.html"))


class SynAckLoss(SynLoss):
    fault = "the path loses the first SYN-ACK of every connection"

    def path(self, changed):
        return Path(rtt_ms=self.rtt_ms, tap=self.tap,
                    losses=() if changed else ("s2c:syn-ack:packets=1",))


class InitialWindow(Scenario):
    rule = "tcp-initcwnd-rounds"
    fault = "a response on a new connection needs several flights"
    change = "ip route ... initcwnd 20"

    def __init__(self, size="50k", **common):
        super().__init__(**common)
        self.size = size

    def setting(self):
        return f"{super().setting()}, {self.size}B"

    @contextlib.contextmanager
    def servers(self, lab, changed):
        lab.initial_window(20 if changed else 10)
        try:
            with servers.nginx(lab):
                yield
        finally:
            lab.initial_window(10)

    def visit(self, number, changed):
        return timed(Browser().fetch, url(f"/{self.size}.html"))


class InitialWindowByChance(SomeVisits, InitialWindow):
    """100 kB are 70 segments, just what flights of 10, 20 and 40 hold, or 71 when the header leaves in a
    segment of its own: then it takes one flight more."""
    fault = ("a response on a new connection needs a flight more in about half of the visits; means, "
             "not medians")
    visits = 20


class IdleRestart(Scenario):
    rule = "tcp-idle-restart"
    fault = "a warm connection begins slow start again after a pause"
    change = "tcp_slow_start_after_idle=0"
    visits = 5

    def __init__(self, size="150k", **common):
        super().__init__(**common)
        self.size = size

    def setting(self):
        return f"{super().setting()}, {self.size}B"

    @contextlib.contextmanager
    def servers(self, lab, changed):
        key = "net/ipv4/tcp_slow_start_after_idle"
        lab.sysctl("server", key, 0 if changed else 1)
        try:
            with servers.nginx(lab):
                yield
        finally:
            lab.sysctl("server", key, 1)

    def visit(self, number, changed):
        """The pause ends one visit and begins another: that one is timed."""
        browser = Browser(connections=1)
        browser.fetch(url(f"/{self.size}.html?1"))
        time.sleep(1.3)
        return timed(browser.fetch, url(f"/{self.size}.html?2"))


class TailLoss(Scenario):
    rule = "tcp-tail-rto"
    fault = "the path loses the last segment of a response"
    change = "a path that loses none"

    def __init__(self, size="10k", segment=8, **common):
        """`segment`: the number of the last one; nginx sends a header apart from a large body."""
        super().__init__(**common)
        self.size = size
        self.segment = segment

    def setting(self):
        return f"{super().setting()}, {self.size}B"

    def path(self, changed):
        return Path(rtt_ms=self.rtt_ms, tap=self.tap,
                    losses=() if changed else (f"s2c:data:packets={self.segment}",))

    def servers(self, lab, changed):
        return servers.nginx(lab)

    def visit(self, number, changed):
        return timed(Browser().fetch, url(f"/{self.size}.html"))


class PathLoss(TailLoss):
    rule = "tcp-path-loss"
    fault = "the path loses the first segment of a response's last flight"
    visits = 30  # the rule wants a thousand segments

    def __init__(self, **common):
        # 50 kB are flights of 10, 20 and 5 segments.
        super().__init__(size="50k", segment=31, **common)


class RandomPathLoss(SomeVisits, PathLoss):
    """Some visits lose nothing and others more than one segment."""
    fault = "the path loses 2 % of the segments to the client; means, not medians"
    visits = 60

    def path(self, changed):
        return Path(rtt_ms=self.rtt_ms, tap=self.tap,
                    losses=() if changed else ("s2c:data:share=0.02:seed=7",))


class NagleDelayedAck(Scenario):
    rule = "tcp-nagle-delack"
    fault = "every request is written in two pieces"
    change = "TCP_NODELAY"

    def __init__(self, requests=10, **common):
        super().__init__(**common)
        self.requests = requests

    def setting(self):
        return f"{super().setting()}, {self.requests} requests"

    def servers(self, lab, changed):
        return servers.nginx(lab)

    def visit(self, number, changed):
        begin = time.perf_counter()
        with socket.create_connection((SERVER, 80)) as s:
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1 if changed else 0)
            for i in range(self.requests):
                s.sendall(b"GET /1k.html?%d HTTP/1.1\r\n" % i)
                s.sendall(b"Host: site.test\r\n\r\n")
                answer = b""
                while b"\r\n\r\n" not in answer or len(answer.partition(b"\r\n\r\n")[2]) < 1000:
                    answer += s.recv(65536)
        return time.perf_counter() - begin


ALL = [
    IdleRestart(rtt_ms=40), IdleRestart(rtt_ms=80, tap="server"),
    IdleRestart(rtt_ms=20, size="100k", fresh=True), IdleRestart(rtt_ms=60, size="500k", fresh=True),
    TailLoss(rtt_ms=20), TailLoss(rtt_ms=40, tap="server"), TailLoss(rtt_ms=80),
    TailLoss(rtt_ms=10, size="1k", segment=1, tap="server"),
    TailLoss(rtt_ms=60, size="20k", segment=14, fresh=True),
    TailLoss(rtt_ms=100, size="20k", segment=14, tap="server", fresh=True),
    PathLoss(rtt_ms=40), PathLoss(rtt_ms=80, tap="server"), PathLoss(rtt_ms=20, fresh=True),
    RandomPathLoss(rtt_ms=30, fresh=True),
    NagleDelayedAck(rtt_ms=10), NagleDelayedAck(rtt_ms=40, tap="server"),
    NagleDelayedAck(rtt_ms=20, requests=4, fresh=True),
    NagleDelayedAck(rtt_ms=80, requests=5, fresh=True),
    SynLoss(rtt_ms=20), SynLoss(rtt_ms=80), SynAckLoss(rtt_ms=40, tap="server"),
    InitialWindow(rtt_ms=20, size="20k"), InitialWindow(rtt_ms=40, size="50k"),
    InitialWindowByChance(rtt_ms=40, size="100k"), InitialWindow(rtt_ms=80, size="50k", tap="server"),
    InitialWindow(rtt_ms=40, size="150k"),
]
InitialWindow.quick = False
