"""HTTP and TLS: connections, handshakes, parallel requests, slow answers."""

import servers
from clients import Browser, timed, url
from scenario import Scenario, page


class LateConnection(Scenario):
    rule = "http-late-connection"
    fault = "a page's three images open two more connections when it has named them"
    change = "one HTTP/2 connection"
    quick = True

    def servers(self, lab, changed):
        return servers.nginx(lab, http2=changed)

    def visit(self, number, changed):
        return timed(page, Browser(http2=changed), 3)


class LateConnectionTls(LateConnection):
    """What is asked cannot be read: the connections and their handshakes are all there is to see."""
    fault = "the same within TLS"
    change = "one HTTP/2 connection, agreed on within TLS"
    quick = False

    def visit(self, number, changed):
        return timed(page, Browser(http2=changed), 3, scheme="https")


class ConnectionChurn(Scenario):
    rule = "tcp-connection-churn"
    fault = "nginx closes after every answer (keepalive_timeout 0)"
    change = "keepalive_timeout 75s"
    quick = True

    def __init__(self, requests=5, **common):
        super().__init__(**common)
        self.requests = requests

    def setting(self):
        return f"{super().setting()}, {self.requests} requests"

    def servers(self, lab, changed):
        return servers.nginx(lab, keepalive_s=75 if changed else 0)

    def visit(self, number, changed):
        return timed(self._one_after_another, Browser(connections=1))

    def _one_after_another(self, browser):
        for i in range(self.requests):
            browser.fetch(url(f"/1k.html?{i}"))


class ParallelLimit(Scenario):
    rule = "http-h1-parallel-limit"
    fault = "six HTTP/1.1 connections carry all images of a page"
    change = "one HTTP/2 connection"

    def __init__(self, images=24, **common):
        super().__init__(**common)
        self.images = images

    def setting(self):
        return f"{super().setting()}, {self.images} images"

    def servers(self, lab, changed):
        return servers.nginx(lab, http2=changed)

    def visit(self, number, changed):
        return timed(page, Browser(http2=changed), self.images, size="1k")


class SlowAnswer(Scenario):
    rule = "http-slow-ttfb"

    def __init__(self, think_ms=300, **common):
        super().__init__(**common)
        self.think_ms = think_ms

    def setting(self):
        return f"{super().setting()}, {self.think_ms} ms"

    def visit(self, number, changed):
        return timed(Browser().fetch, url(f"/app/{self.answers_in_ms(number, changed)}"))


class SlowAnswerMadeFast(SlowAnswer):
    fault = "the application thinks before it answers"
    change = "the application answers in 100 ms (the rule's target)"

    def answers_in_ms(self, number, changed):
        return 100 if changed else self.think_ms

    def servers(self, lab, changed):
        return servers.all_of(servers.app(lab), servers.nginx(lab))


class SlowAnswerCached(SlowAnswer):
    fault = "the application thinks before it answers"
    change = "nginx: proxy_cache micro"

    def answers_in_ms(self, number, changed):
        return self.think_ms

    def servers(self, lab, changed):
        return servers.all_of(servers.app(lab), servers.nginx(lab, micro_cache=changed))


class TlsRounds(Scenario):
    rule = "tls-extra-rtt"
    fault = "nginx speaks no more than TLS 1.2"
    change = "ssl_protocols TLSv1.2 TLSv1.3"
    quick = True

    def servers(self, lab, changed):
        return servers.nginx(lab, tls="TLSv1.2 TLSv1.3" if changed else "TLSv1.2")

    def visit(self, number, changed):
        return timed(Browser().fetch, url("/1k.html", "https"))


class TlsRetry(TlsRounds):
    fault = "nginx wants a key share that clients do not send first (HelloRetryRequest)"
    change = "ssl_ecdh_curve of nginx as it comes"
    quick = False

    def servers(self, lab, changed):
        return servers.nginx(lab, tls="TLSv1.3", curve="auto" if changed else "secp521r1")


ALL = [
    LateConnection(rtt_ms=20), LateConnection(rtt_ms=40, tap="server"), LateConnection(rtt_ms=100),
    LateConnectionTls(rtt_ms=40), LateConnectionTls(rtt_ms=80, tap="server"),
    LateConnectionTls(rtt_ms=20, tap="server", fresh=True), LateConnectionTls(rtt_ms=60, fresh=True),
    ConnectionChurn(rtt_ms=20, requests=5), ConnectionChurn(rtt_ms=40, requests=10),
    ConnectionChurn(rtt_ms=80, requests=3, tap="server"),
    ParallelLimit(rtt_ms=40, images=12), ParallelLimit(rtt_ms=40, images=24),
    ParallelLimit(rtt_ms=40, images=48), ParallelLimit(rtt_ms=100, images=24, tap="server"),
    SlowAnswerMadeFast(rtt_ms=20, think_ms=250), SlowAnswerMadeFast(rtt_ms=80, think_ms=400),
    SlowAnswerCached(rtt_ms=40, think_ms=300), SlowAnswerCached(rtt_ms=20, think_ms=700,
                                                                tap="server"),
    TlsRounds(rtt_ms=20), TlsRounds(rtt_ms=80), TlsRounds(rtt_ms=40, tap="server"),
    TlsRetry(rtt_ms=40), TlsRetry(rtt_ms=80),
]
