"""A scenario: a fault, the change that wirelag recommends for it, and what a client does meanwhile.

Every method that depends on it is told whether the change has been made (`changed`).
"""

import contextlib
import statistics
import time

import clients
import lab as laboratory


class Scenario:
    rule = ""
    fault = ""   # what is wrong, a clause
    change = ""  # what was changed
    visits = 7
    quick = False  # part of the short run
    middle = staticmethod(statistics.median)  # of the visits' waits, as the prediction means it

    def __init__(self, rtt_ms=40, tap="client", fresh=False):
        """`fresh`: nobody looked at this setting while the rule was made or mended."""
        self.rtt_ms = rtt_ms
        self.tap = tap
        self.fresh = fresh

    def setting(self):
        """What tells this run from others of the scenario."""
        return f"RTT {self.rtt_ms} ms"

    def path(self, changed):
        return laboratory.Path(rtt_ms=self.rtt_ms, tap=self.tap)

    def servers(self, lab, changed):
        """A context in which the servers run and everything is set."""
        return contextlib.nullcontext()

    def visit(self, number, changed):
        """In the client's namespace: one user's visit. Returns the seconds it waited."""
        raise NotImplementedError

    def workload(self, changed):
        """In the client's namespace: all visits, one after another. Returns what each waited."""
        waits = []
        for number in range(self.visits):
            laboratory.become_client(number)
            waits.append(self.visit(number, changed))
        return waits

    def predicted(self, report):
        """(low, mid, high) in seconds; nothing when the rule did not fire."""
        for finding in report["findings"]:
            if finding["rule"] == self.rule:
                return tuple(finding["saving_ns"][k] / 1e9 for k in ("low", "mid", "high"))
        return None

    def run(self, lab, changed, capture):
        """Returns the waits of the visits; what passed the tap is in `capture`."""
        with self.servers(lab, changed), lab.path(self.path(changed), capture):
            waits = lab.client(self.workload, changed)
            time.sleep(3 * self.rtt_ms / 1000)  # the last connections close
            return waits


class SomeVisits:
    """Chance decides which of the visits have the fault: compared are means over all of them. What is
    saved per affected visit, as the finding has it, says nothing of a median over all."""
    middle = staticmethod(statistics.mean)

    def predicted(self, report):
        """Of all visits; the report counts the affected ones. The capture is shorter than an hour."""
        for finding in report["findings"]:
            if finding["rule"] == self.rule:
                saving = finding["saving_ns"]
                mean_s = finding["user_seconds_per_hour"] / self.visits
                return tuple(mean_s * saving[k] / saving["mid"] for k in ("low", "mid", "high"))
        return None


def page(browser, assets, kind="png", size="2k", path="/10k.html", scheme="http"):
    """A page and what it names, asked for when the page is there."""
    address = clients.url(path, scheme)
    browser.fetch(address)
    if assets:
        browser.fetch(*(clients.url(f"/{size}.{kind}?{i}", scheme) for i in range(assets)),
                      referer=address)
