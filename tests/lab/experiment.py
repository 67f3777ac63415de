"""BEFORE, prediction, AFTER: one scenario put to the test."""

import dataclasses
import json
import os
import random
import subprocess

#: Two runs of the same thing differ by so much: programs wake up late, once for every round trip.
FLOOR_S = 0.001
FLOOR_SHARE = 0.02
FLOOR_ROUND_TRIPS = 0.25
_RESAMPLES = 400


@dataclasses.dataclass
class Result:
    scenario: object
    before_s: float          # medians, or what the scenario compares
    after_s: float
    noise_s: float           # half of the central 95 % of the measured change
    predicted_s: tuple       # (low, mid, high); None: the rule did not fire
    others: list             # rules that fired beside it

    @property
    def measured_s(self):
        return self.before_s - self.after_s

    @property
    def tolerance_s(self):
        late_s = min(FLOOR_SHARE * abs(self.measured_s),
                     FLOOR_ROUND_TRIPS * self.scenario.rtt_ms / 1000)
        return max(FLOOR_S, late_s, self.noise_s)

    @property
    def inside(self):
        if self.predicted_s is None:
            return False
        low, _, high = self.predicted_s
        return low - self.tolerance_s <= self.measured_s <= high + self.tolerance_s

    @property
    def inside_without_tolerance(self):
        if self.predicted_s is None:
            return False
        low, _, high = self.predicted_s
        return low <= self.measured_s <= high

    @property
    def error_s(self):
        """Of the middle of the prediction."""
        return None if self.predicted_s is None else abs(self.predicted_s[1] - self.measured_s)

    @property
    def error_share(self):
        if self.error_s is None or abs(self.measured_s) < FLOOR_S:
            return None
        return self.error_s / abs(self.measured_s)

    @property
    def close(self):
        """Within 15 %, or one round trip."""
        if self.error_s is None:
            return False
        within_rtt = self.error_s <= self.scenario.rtt_ms / 1000
        return within_rtt or (self.error_share is not None and self.error_share <= 0.15)


def _noise(before, after, middle):
    """Resampled, the same in every run over the same waits."""
    chance = random.Random(1)
    changes = sorted(middle(chance.choices(before, k=len(before))) -
                     middle(chance.choices(after, k=len(after)))
                     for _ in range(_RESAMPLES))
    tail = int(0.025 * _RESAMPLES)
    return (changes[-1 - tail] - changes[tail]) / 2


class Laboratory:
    def __init__(self, lab, wirelag, keep=None):
        self._lab = lab
        self._wirelag = wirelag
        self._keep = keep  # folder for the captures; None: they are not kept

    def report(self, capture):
        done = subprocess.run([self._wirelag, "replay", "--format", "json", capture],
                              capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"wirelag replay: {done.stderr.strip()}")
        return json.loads(done.stdout)

    def put_to_the_test(self, number, scenario):
        """Nothing when this wirelag does not have the rule."""
        folder = self._keep or self._lab.directory
        captures = [os.path.join(folder, f"{number:02}-{scenario.rule}-{when}.pcap")
                    for when in ("before", "after")]
        before = scenario.run(self._lab, False, captures[0])
        report = self.report(captures[0])
        judged = report["findings"] + report["fine"] + report["not_judged"]
        if scenario.rule not in {f["rule"] for f in judged}:
            return None
        after = scenario.run(self._lab, True, captures[1])
        others = [f["rule"] for f in report["findings"] if f["rule"] != scenario.rule]
        middle = scenario.middle
        result = Result(scenario, middle(before), middle(after),
                        _noise(before, after, middle), scenario.predicted(report), others)
        if self._keep is None:
            for capture in captures:
                os.remove(capture)
        return result
