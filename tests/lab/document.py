"""docs/predictions.md, from the results."""

import datetime
import os
import platform
import re
import statistics
import subprocess

_HEAD = """# Predictions, put to the test

<!-- scripts/predictions writes this file. -->

What wirelag says a change saves is worth what it is worth when the change is made. For every rule the lab
(`tests/lab`) runs a fault between real servers and clients, has wirelag predict from the captured packets
alone, makes the change that the finding recommends, runs the same again and compares.

- Two network namespaces, joined by `lab-relay`, a packet-level relay with distance, bottleneck, queue and
  loss in either direction, and a tap at one of its ends. Both kernels use Reno and keep no metrics of paths.
- *before*, *after*: the median wait of a visit, measured by the client. *measured*: their difference.
- *predicted*: low / mid / high of the finding's saving, widened by how much round trips of the capture vary
  (docs/architecture.md). *silent*: the rule did not fire; that counts as wrong.
- *inside*: the measured change lies in [low, high], give or take (*±*) the largest of 1 ms, 2 % of the change
  but at most a quarter of a round trip (the client's program wakes up late once for every round trip, and the
  tap does not see that), and half of the central 95 % of the measured change over resampled visits.
- *error*: of mid, in ms and in % of the measured change.
- *(fresh)*: nobody looked at this setting while the rule was made or mended. The others are in-sample.
"""


def _ms(seconds):
    return f"{1000 * seconds:.1f}"


def _row(result):
    s = result.scenario
    if result.predicted_s is None:
        predicted, error = "silent", "-"
    else:
        predicted = " / ".join(_ms(p) for p in result.predicted_s)
        share = result.error_share
        error = _ms(result.error_s) + ("" if share is None else f" ({100 * share:.0f} %)")
    fresh = " (fresh)" if s.fresh else ""
    return (f"| {s.fault}; {s.setting()}; tap at the {s.tap}{fresh} | {s.change} | {_ms(result.before_s)} | "
            f"{_ms(result.after_s)} | {predicted} | {_ms(result.measured_s)} ± "
            f"{_ms(result.tolerance_s)} | {'yes' if result.inside else '**no**'} | {error} |")


def summary(results):
    inside = sum(r.inside for r in results)
    strictly = sum(r.inside_without_tolerance for r in results)
    errors = [r.error_s for r in results if r.error_s is not None]
    shares = [r.error_share for r in results if r.error_share is not None]
    rtts = [1000 * r.error_s / r.scenario.rtt_ms for r in results if r.error_s is not None]
    close = sum(r.close for r in results)
    if not shares:
        return f"{inside} of {len(results)} inside."
    return (f"{inside} of {len(results)} inside ({100 * inside / len(results):.0f} %; wanted: 80 %), "
            f"{strictly} without the tolerance. "
            f"Error of mid: median {_ms(statistics.median(errors))} ms, "
            f"{100 * statistics.median(shares):.1f} % of the change, "
            f"{statistics.median(rtts):.2f} round trips; at most 15 % or one round trip in {close} of "
            f"{len(results)} (wanted: at the median).")


def _summaries(results):
    yield summary(results)
    fresh = [r for r in results if r.scenario.fresh]
    if fresh:
        yield f"\nOf these, the fresh ones: {summary(fresh)}"


def _tables(results):
    for rule in dict.fromkeys(r.scenario.rule for r in results):
        yield f"\n### {rule}\n"
        yield ("| fault, setting | change | before ms | after ms | predicted saving ms | measured ms | "
               "inside | error ms |")
        yield "|---|---|---|---|---|---|---|---|"
        yield from (_row(r) for r in results if r.scenario.rule == rule)


def _explained(rows):
    yield "\n## Time explained\n"
    yield ("Of the time that `curl -w` reports for a transfer (`time_total`, lookup to last byte), the share "
           "that\nwirelag's categories explain: all but `client`. Servers, sizes and paths that no scenario above "
           "uses, a fresh\nconnection each. Wanted: 95 %; the lab's run fails below. Within TLS the answer ends with the "
           "server's last byte before\nthe client left (docs/metrics.md, \"Answers that cannot be read\").\n")
    yield "| server | RTT ms | lost | response | curl, median ms | explained |"
    yield "|---|---|---|---|---|---|"
    for row, total_s, share in rows:
        lost = f"{100 * float(row.lost):.0f} %" if row.lost else "-"
        yield (f"| {row.server} | {row.rtt_ms} | {lost} | {row.size}B | {_ms(total_s)} | "
               f"{100 * share:.1f} % |")


def _version(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    match = re.search(r"\d+\.\d+[\w.+~-]*", done.stdout + done.stderr)
    return match.group() if match else "?"


def _machine():
    yield "\n## Machine\n"
    yield (f"{os.cpu_count()} cores, Linux {platform.release()}, {datetime.date.today()}; "
           "one-minute load "
           f"{os.getloadavg()[0]:.1f} at the end (shared with other work). Debian packages: "
           + ", ".join(f"{name} {_version(*command)}" for name, command in (
               ("nginx", ("nginx", "-v")), ("dnsmasq", ("dnsmasq", "--version")),
               ("curl", ("curl", "--version")), ("Redis", ("redis-server", "--version")),
               ("PostgreSQL", ("psql", "--version")), ("MariaDB", ("mariadbd", "--version")),
               ("lighttpd", ("lighttpd", "-v")), ("Apache httpd", ("apache2", "-v")),
               ("Caddy", ("caddy", "version")))) + ".")


def write(path, results, explained):
    """`explained`: rows of explained.measure()."""
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "notes.md")) as f:
        notes = f.read()
    lines = [_HEAD, *_summaries(results), *_tables(results), *_explained(explained), "",
             notes.rstrip(), *_machine()]
    with open(path, "w") as f:
        f.write("\n".join(lines) + "\n")
