"""The appliance on live ports of a small network (world.py): what it reports beside what curl,
dnsmasq and the kernel measured and counted.

    live_test.py WIRELAG [SCENARIO...]     af_packet, tap, dispatch, refusals; default: all

Needs root. Exit status 0 = all held, 1 = something did not, 77 = skipped, with the reason.
"""

import os
import pathlib
import signal
import sys
import time
import traceback

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import namespaces  # noqa: E402
import refusals  # noqa: E402
import scenarios  # noqa: E402
import servers  # noqa: E402
import world  # noqa: E402

_SKIPPED = 77
_PROGRAMS = ("unshare", "ip", "tc", "chrt", "nginx", "dnsmasq", "curl", "openssl")


class Checks:
    def __init__(self):
        self.failed = 0
        self.skipped = 0

    def that(self, holds, what):
        print(f"{'ok  ' if holds else 'FAIL'}  {what}", flush=True)
        self.failed += not holds

    def skip(self, why):
        print(f"skip  {why}", flush=True)
        self.skipped += 1

    def equal(self, value, expected, what):
        short = expected if len(str(expected)) < 200 else f"{len(expected)} of them"
        self.that(value == expected,
                  f"{what}: {short}" if value == expected else
                  f"{what}: {value}, expected {expected}")


def run_all(program, chosen, directory, checks):
    def watch(name, *port):
        return scenarios.watch(program, own(name), directory, checks, *port)

    def own(name):
        path = os.path.join(directory, name)
        os.mkdir(path)
        return path

    all_of_them = {
        "af_packet": lambda: watch("af_packet", scenarios.AF_PACKET + ",qpairs=2", "mon0",
                                   (world.MONITOR_END, "rx")),
        "tap": lambda: watch("tap", f"net_tap0,iface={scenarios.TAP}", scenarios.TAP,
                             (scenarios.TAP, "tx")),
        "dispatch": lambda: scenarios.dispatch(program, own("dispatch"), checks),
        "refusals": lambda: refusals.try_all(program, own("refusals"), checks),
    }
    for name in chosen or all_of_them:
        print(f"\n{name}", flush=True)
        begin = time.monotonic()
        try:
            all_of_them[name]()
        except Exception:  # the other scenarios are still worth trying
            traceback.print_exc(file=sys.stdout)
            checks.that(False, f"{name} could not be finished")
        print(f"      {time.monotonic() - begin:.1f} s")


def main():
    reason = namespaces.why_not(_PROGRAMS)
    if reason:
        print(f"skipped: {reason}")
        return _SKIPPED
    namespaces.isolate()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    program = os.path.abspath(sys.argv[1])
    checks = Checks()
    directory = world.build()
    if not world.can_mirror():
        print("skipped: this kernel has no tc filter u32 with action mirred")
        return _SKIPPED
    with servers.running(directory):
        run_all(program, sys.argv[2:], directory, checks)
    skipped = f", {checks.skipped} skipped" if checks.skipped else ""
    print(f"\n{checks.failed} checks failed{skipped}" if checks.failed else
          f"\nall checks hold{skipped}")
    return 1 if checks.failed else 0


if __name__ == "__main__":
    sys.exit(main())
