"""Puts wirelag's predictions to the test: for every rule a fault, the prediction from the packets
alone, the change, and what it really saved.

    predictions.py --wirelag PROGRAM --relay PROGRAM [--quick] [--only TEXT] [--explained]
                   [--markdown FILE] [--captures FOLDER]

Needs root and the packages of `scripts/install-deps lab`. Exit status 0 = enough predictions hold,
1 = too few, or less than 95 % of curl's times explained, 77 = skipped, with the reason. Enough are 80 %
inside their interval; with --quick, which also runs on machines that wake programs late, it is every one
within 15 % or one round trip.
"""

import argparse
import importlib.util
import os
import pathlib
import signal
import sys
import time
import traceback

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import namespaces  # noqa: E402
from options import program  # noqa: E402

_SKIPPED = 77
_PROGRAMS = ("unshare", "ip", "chrt", "nginx", "dnsmasq", "openssl")
_MORE_PROGRAMS = ("curl", "lighttpd", "apache2", "caddy", "redis-server", "redis-cli", "memcached", "psql",
                  "setpriv", "mariadbd", "mariadb")  # unless --quick
ENOUGH_INSIDE = 0.8


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--wirelag", required=True, type=program)
    parser.add_argument("--relay", required=True, type=program)
    parser.add_argument("--quick", action="store_true", help="a few scenarios, within 90 s")
    parser.add_argument("--only", help="scenarios whose rule or name contains this")
    parser.add_argument("--explained", action="store_true",
                        help="only how much of curl's own times the categories explain")
    parser.add_argument("--markdown", type=os.path.abspath, help="write the results to this file")
    parser.add_argument("--captures", type=os.path.abspath, help="keep the captures in this folder")
    return parser.parse_args()


def why_not(quick):
    reason = namespaces.why_not(_PROGRAMS + (() if quick else _MORE_PROGRAMS))
    for module in ("pycurl",) + (() if quick else ("psycopg2", "pymysql")):
        if reason is None and importlib.util.find_spec(module) is None:
            reason = f"{sys.executable} has no {module} (scripts/install-deps lab)"
    return reason


def chosen(options):
    import cache_scenarios
    import dns_scenarios
    import http_scenarios
    import server_scenarios
    import sql_scenarios
    import tcp_scenarios
    seen = set()
    for module in (dns_scenarios, tcp_scenarios, http_scenarios, server_scenarios,
                   cache_scenarios, sql_scenarios):
        for scenario in module.ALL:
            if options.only and options.only not in f"{scenario.rule} {type(scenario).__name__}":
                continue
            if options.quick and (not scenario.quick or type(scenario) in seen):
                continue
            seen.add(type(scenario))
            yield scenario


def line(result):
    s = result.scenario
    predicted = ("silent" if result.predicted_s is None else
                 "{:.1f} / {:.1f} / {:.1f}".format(*(1000 * p for p in result.predicted_s)))
    return (f"{'ok  ' if result.inside else 'OUT '} {s.rule:24} {type(s).__name__:20} "
            f"{s.setting():32} {s.tap:6} {1000 * result.before_s:7.1f} -> "
            f"{1000 * result.after_s:7.1f} predicted {predicted:24} measured "
            f"{1000 * result.measured_s:7.1f} +- {1000 * result.tolerance_s:.1f} ms"
            f"{'' if result.close else '   NOT CLOSE'}   {' '.join(result.others)}")


def test_all(laboratory, scenarios, note):
    """Their results; prints each and calls note(results). Those that could not be run are counted."""
    results, broken = [], 0
    for number, scenario in enumerate(scenarios):
        begin = time.monotonic()
        try:
            result = laboratory.put_to_the_test(number, scenario)
            if result is None:
                print(f"     {scenario.rule}: this wirelag does not have it", flush=True)
                continue
            results.append(result)
            print(f"{line(result)} ({time.monotonic() - begin:.1f} s)", flush=True)
            note(results)
        except Exception:  # the other scenarios are still worth trying
            broken += 1
            traceback.print_exc(file=sys.stdout)
            print(f"FAIL {scenario.rule} {type(scenario).__name__} {scenario.setting()}", flush=True)
    return results, broken


def enough(results, quick):
    if quick:
        return bool(results) and all(r.close for r in results)
    return sum(r.inside for r in results) >= ENOUGH_INSIDE * len(results)


def main():
    options = arguments()
    reason = why_not(options.quick)
    if reason:
        print(f"skipped: {reason}")
        return _SKIPPED
    namespaces.isolate()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    import document
    import explained
    from experiment import Laboratory
    from lab import Lab
    lab = Lab(options.relay)
    lab.build()
    if options.captures:
        os.makedirs(options.captures, exist_ok=True)
    laboratory = Laboratory(lab, options.wirelag, options.captures)
    rows = []
    if options.markdown or options.explained:
        for row, total_s, share in explained.measure(lab, laboratory.report):
            rows.append((row, total_s, share))
            print(f"{'ok  ' if share >= explained.ENOUGH else 'LOW '} {row.server:22} RTT "
                  f"{row.rtt_ms} ms {row.lost:5} {row.size:6} {1000 * total_s:8.1f} ms "
                  f"{100 * share:6.1f} % explained", flush=True)
    all_explained = all(share >= explained.ENOUGH for _, _, share in rows)
    if options.explained:
        return 0 if all_explained else 1

    def note(results):
        if options.markdown:
            document.write(options.markdown, results, rows)

    results, broken = test_all(laboratory, chosen(options), note)
    if results:
        print(document.summary(results))
    return 0 if broken == 0 and all_explained and enough(results, options.quick) else 1


sys.exit(main())
