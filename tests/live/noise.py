"""How late this machine lets a process run that wants to: what the times of two processes are worth
beside each other. curl's clock is read when curl runs, wirelag's when a worker does.

    noise.py     sleeps a millisecond at a time until its input ends, then prints how late it woke up:
                 the 95th percentile and the most, in nanoseconds
"""

import pathlib
import select
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import namespaces  # noqa: E402

_SLEEP_NS = 1_000_000


class Meter:
    """A context: what went on inside. As urgent as the appliance, so it waits for what that waits for."""

    def __enter__(self):
        self._process = subprocess.Popen(namespaces.real_time(5, [sys.executable, __file__]),
                                         stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        return self

    def __exit__(self, *_):
        output, _ = self._process.communicate()
        usual_ns, most_ns = map(int, output.split())
        #: 19 of 20 times it was no later than this.
        self.usual_s, self.most_s = usual_ns / 1e9, most_ns / 1e9


def _measure():
    late_ns = [0]
    while not select.select([sys.stdin], [], [], 0)[0]:
        due = time.monotonic_ns() + _SLEEP_NS
        time.sleep(_SLEEP_NS / 1e9)
        late_ns.append(time.monotonic_ns() - due)
    late_ns.sort()
    print(late_ns[int(0.95 * (len(late_ns) - 1))], late_ns[-1])


if __name__ == "__main__":
    _measure()
