"""TCP: lost SYNs, slow start."""

import contextlib

import servers
from clients import Browser, timed, url
from lab import Path
from scenario import Scenario


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


ALL = [
    SynLoss(rtt_ms=20), SynLoss(rtt_ms=80), SynAckLoss(rtt_ms=40, tap="server"),
    InitialWindow(rtt_ms=20, size="20k"), InitialWindow(rtt_ms=40, size="50k"),
    InitialWindow(rtt_ms=40, size="100k"), InitialWindow(rtt_ms=80, size="50k", tap="server"),
    InitialWindow(rtt_ms=40, size="150k"),
]
InitialWindow.quick = False
