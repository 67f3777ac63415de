"""Servers with too much to do: full accept queues, saturation. Many clients at once."""

import socket
import threading
import time

import lab as laboratory
import servers
from scenario import Scenario, SomeVisits

_LOAD_S = 9  # the rule wants to see more than five windows of a second


def _ask(address, port):
    """One request on a connection of its own."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as s:
        s.settimeout(30)
        s.bind((address, 0))
        s.connect((laboratory.SERVER, port))
        s.sendall(b"GET /work HTTP/1.1\r\nHost: app\r\n\r\n")
        while s.recv(65536):
            pass


class AcceptOverflow(SomeVisits, Scenario):
    rule = "tcp-accept-overflow"
    fault = "clients come at once, the listener's backlog is 4; means, not medians"
    change = "backlog 128"
    bursts = 3

    def __init__(self, clients=24, **common):
        super().__init__(**common)
        self.clients = clients
        self.visits = self.bursts * clients

    def setting(self):
        return f"{super().setting()}, {self.clients} at once"

    def servers(self, lab, changed):
        return servers.app(lab, workers=1, backlog=128 if changed else 4, service_ms=20)

    def workload(self, changed):
        waits = []
        for burst in range(self.bursts):
            waits += self._burst(burst)
        return waits

    def _burst(self, burst):
        waits = []

        def one(number):
            begin = time.perf_counter()
            _ask(laboratory.client_address(burst * self.clients + number), servers.APP_PORT)
            waits.append(time.perf_counter() - begin)

        threads = [threading.Thread(target=one, args=(n,)) for n in range(self.clients)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        return waits


class Saturation(Scenario):
    rule = "srv-saturation-knee"
    fault = "more requests in flight than the application has workers"
    change = "twice the workers"

    def __init__(self, clients=24, workers=4, service_ms=20, **common):
        super().__init__(**common)
        self.clients, self.workers, self.service_ms = clients, workers, service_ms

    def setting(self):
        return f"{super().setting()}, {self.clients} clients, {self.workers} workers"

    def servers(self, lab, changed):
        return servers.app(lab, workers=self.workers * (2 if changed else 1), backlog=256,
                           service_ms=self.service_ms)

    def workload(self, changed):
        """A few seconds with one client, then all; the waits of the latter."""
        self._load(1, 3)
        return self._load(self.clients, _LOAD_S)

    def _load(self, clients, seconds):
        waits = []
        end = time.perf_counter() + seconds

        def one(number):
            while (begin := time.perf_counter()) < end:
                _ask(laboratory.client_address(number), servers.APP_PORT)
                waits.append(time.perf_counter() - begin)

        threads = [threading.Thread(target=one, args=(n,)) for n in range(clients)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        return waits


ALL = [
    AcceptOverflow(rtt_ms=10), AcceptOverflow(rtt_ms=40, clients=16),
    AcceptOverflow(rtt_ms=20, clients=32, tap="server", fresh=True),
    Saturation(rtt_ms=10), Saturation(rtt_ms=20, clients=16, workers=2),
]
