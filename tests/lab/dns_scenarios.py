"""Names: slow, silent and spare resolvers."""

import contextlib

import namespaces
import servers
from clients import Browser, timed, url
from lab import RESOLVERS, Path
from scenario import Scenario


class NameScenario(Scenario):
    """`farther_ms`: how much farther than the server each resolver is."""
    farther_ms = (0, 0, 0)

    def path(self, changed):
        return Path(rtt_ms=self.rtt_ms, tap=self.tap,
                    farther_ms=dict(zip(RESOLVERS, self.farther_ms)),
                    losses=self.losses(changed))

    def losses(self, changed):
        return ()

    def visit(self, number, changed):
        return timed(Browser().fetch, url("/1k.html", host=f"v{number}.site.test"))


class SlowResolver(NameScenario):
    rule = "dns-slow-resolver"
    fault = "every other lookup goes to a resolver that is farther (options rotate)"
    change = "the nearer one alone"
    visits = 10

    def __init__(self, farther_ms=60, **common):
        super().__init__(**common)
        self.farther_ms = (0, farther_ms)

    def setting(self):
        return f"{super().setting()}, resolver {self.farther_ms[1]} ms farther"

    @contextlib.contextmanager
    def servers(self, lab, changed):
        namespaces.use_resolvers(RESOLVERS[:1] if changed else RESOLVERS[1:2])
        with servers.resolvers(lab), servers.nginx(lab):
            yield


class SlowResolverKnown(SlowResolver):
    """Half of the visits ask the near one: wirelag can tell what it would take."""
    fault = "half of the visits ask a resolver that is farther"
    quick = True

    def workload(self, changed):
        waits = super().workload(changed)
        return waits[::2]  # those of the far one

    def visit(self, number, changed):
        near = changed or number % 2 == 1
        namespaces.use_resolvers([RESOLVERS[0 if near else 1]])
        return timed(Browser().fetch, url("/1k.html", host="www.site.test"))


class SlowResolverAlone(SlowResolver):
    fault = "the only resolver that is asked is far"
    change = "a near one"


class SlowResolverCached(SlowResolver):
    fault = "the only resolver that is asked is far"
    change = "dnsmasq on the client, cache-size=1000"

    @contextlib.contextmanager
    def servers(self, lab, changed):
        namespaces.use_resolvers(["127.0.0.1"])
        with servers.resolvers(lab), servers.nginx(lab), \
                servers.forwarder(lab, RESOLVERS[1:2], cache_size=1000 if changed else 0):
            yield

    def visit(self, number, changed):
        return timed(Browser().fetch, url("/1k.html", host="www.site.test"))

    def workload(self, changed):
        return super().workload(changed)[1:]  # the first fills the cache


class SilentResolver(NameScenario):
    rule = "dns-timeout-retry"
    change = "the silent one removed"
    visits = 3

    def __init__(self, timeout_s=1, **common):
        super().__init__(**common)
        self.timeout_s = timeout_s

    @property
    def fault(self):
        return f"the first resolver is silent (options timeout:{self.timeout_s})"

    def setting(self):
        return f"{super().setting()}, timeout {self.timeout_s} s"

    def losses(self, changed):
        return (f"c2s:any:share=1:to={RESOLVERS[0]}",)

    @contextlib.contextmanager
    def servers(self, lab, changed):
        namespaces.use_resolvers(RESOLVERS[1:2] if changed else RESOLVERS[:2],
                                 f"timeout:{self.timeout_s} attempts:2")
        with servers.resolvers(lab), servers.nginx(lab):
            yield


class FanOut(NameScenario):
    rule = "dns-redundant-fanout"
    fault = "dnsmasq asks three resolvers at once (--all-servers)"
    change = "one after another, the fastest first (the default)"
    farther_ms = (0, 1, 30)
    visits = 15

    @contextlib.contextmanager
    def servers(self, lab, changed):
        namespaces.use_resolvers(["127.0.0.1"])
        options = [] if changed else ["--all-servers"]
        with servers.resolvers(lab), servers.nginx(lab), \
                servers.forwarder(lab, RESOLVERS, *options):
            yield


class FanOutToSlow(FanOut):
    """The warning: what keeping the slow one alone would cost."""
    change = "the slow one alone (what the finding warns of)"

    @contextlib.contextmanager
    def servers(self, lab, changed):
        namespaces.use_resolvers(["127.0.0.1"])
        with servers.resolvers(lab), servers.nginx(lab):
            with (servers.forwarder(lab, RESOLVERS[2:]) if changed else
                  servers.forwarder(lab, RESOLVERS, "--all-servers")):
                yield

    def predicted(self, report):
        for finding in report["findings"]:
            if finding["rule"] == self.rule:
                for what_if in finding["what_if"]:
                    if what_if["what"] == f"only {RESOLVERS[2]}":
                        return (-what_if["change_ns"] / 1e9,) * 3
        return None


ALL = [
    SlowResolverKnown(rtt_ms=20, farther_ms=40), SlowResolverKnown(rtt_ms=40, farther_ms=80),
    SlowResolverAlone(rtt_ms=20, farther_ms=60), SlowResolverCached(rtt_ms=20, farther_ms=60),
    SilentResolver(rtt_ms=20, timeout_s=1), SilentResolver(rtt_ms=40, timeout_s=2),
    SilentResolver(rtt_ms=20, timeout_s=5),
    FanOut(rtt_ms=10), FanOut(rtt_ms=40), FanOutToSlow(rtt_ms=10), FanOutToSlow(rtt_ms=40),
]
