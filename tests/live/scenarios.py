"""What is tried on live ports. Each scenario runs one appliance and says what must hold."""

import os
import signal

import comparison
import curl
import namespaces
import noise
import servers
import traffic
import world
from appliance import INTERVAL_S, SMALL_RING, Appliance, json_lines, text_lines

AF_PACKET = f"net_af_packet0,iface={world.MONITOR_END}"
TAP = "dtap0"


def watch(program, directory, servers_directory, checks, device, mirror, counted):
    """A client at work, every signal, and the books. `counted`: where the kernel counts what it
    hands to the port (interface, direction)."""
    with Appliance(program, directory, device) as appliance:
        before = world.frames_counted(*counted)
        queries_before = len(servers.queries_answered(servers_directory))
        with noise.Meter() as lateness, world.mirrored_to(mirror):
            transfers = traffic.browse()
            transfers += _report_while_transferring(appliance, checks)
            _rotate_logs(appliance, checks)
            transfers += curl.fetch(["http://after.near.test/now/"], "-4")
        handed_over = world.frames_counted(*counted) - before
        queries = servers.queries_answered(servers_directory)[queries_before:]
        status, seconds, report = appliance.stop(signal.SIGINT)
    checks.equal(status, 0, "SIGINT: exit status")
    checks.that(seconds < 10, f"SIGINT: the end after {seconds:.2f} s")
    _only_sentences(checks, appliance)
    checks.that("one queue per worker (kernel)" in appliance.messages(),
                "the port says that the kernel spreads the flows")
    _counts(checks, report, transfers, queries)
    _times(checks, report, transfers, lateness)
    _books(checks, appliance, report, handed_over)


def _report_while_transferring(appliance, checks):
    host = "during.near.test"
    seen = world.frames_counted("cl0", "tx")
    slow = traffic.start_slow_transfer(host)
    namespaces.wait_until(lambda: world.frames_counted("cl0", "tx") > seen + 20,
                          "the slow transfer")
    appliance.mark("noted while it runs")
    report = appliance.report()
    checks.equal([mark["what"] for mark in report["marks"]], ["noted while it runs"],
                 "a mark that was added while it runs")
    checks.that(slow.poll() is None, "SIGUSR1: the transfer goes on")
    checks.equal([(c["state"], c["payload_bytes"]["s2c"] > 0)
                  for c in report["tcp"]["connections"] if c["close"] == "open"],
                 [("complete", True)], "SIGUSR1: the open connection")
    checks.that(not any(x["host"] == host for x in report["http"]["transactions"]),
                "SIGUSR1: its request is not reported before it has ended")
    return curl.finish(slow)


def _rotate_logs(appliance, checks):
    for path in (appliance.summary, appliance.summary_json):
        os.rename(path, path + ".1")
    appliance.send(signal.SIGHUP)
    for path, lines in ((appliance.summary, text_lines), (appliance.summary_json, json_lines)):
        namespaces.wait_until(lambda: os.path.exists(path) and lines([path]),
                              f"lines in a new {path}")
        checks.that(True, f"SIGHUP: {os.path.basename(path)} is opened again")


def _counts(checks, report, transfers, queries):
    connections = report["tcp"]["connections"]
    plain = sum(t["url_effective"].startswith("http://") for t in transfers)
    checks.equal(len(connections), sum(t["num_connects"] for t in transfers), "connections")
    checks.equal(len(report["http"]["transactions"]), plain, "HTTP transactions")
    checks.equal(len(report["tls"]["handshakes"]), len(transfers) - plain, "TLS handshakes")
    checks.equal(sorted((x["qtype"], x["qname"]) for x in report["dns"]["transactions"]),
                 sorted(({"A": 1, "AAAA": 28}[kind], name) for kind, name in queries),
                 "DNS questions, as dnsmasq logged them")
    checks.that(all(c["state"] == "complete" and c["close"].startswith("fin") and
                    not c["one_sided"] for c in connections),
                "every connection complete, both directions, closed: no flow is split")
    checks.that(all(x["complete"] and x["status"] == 200 for x in report["http"]["transactions"]),
                "every HTTP transaction complete, status 200")
    checks.equal({(x["sni"].partition(".")[2], x["version"]) for x in report["tls"]["handshakes"]},
                 {("tls13.near.test", 0x0304), ("tls12.near.test", 0x0303)},
                 "TLS names and versions")
    checks.equal((report["visibility"]["missing_bytes"], report["visibility"]["transactions_lost"]),
                 (0, 0), "bytes and transactions missing")


def _times(checks, report, transfers, lateness):
    phases = list(comparison.phases(transfers, report))
    print(comparison.table(phases))
    late = (f"processes run {1000 * lateness.usual_s:.2f} ms late, "
            f"{1000 * lateness.most_s:.1f} ms at most")
    if lateness.usual_s > comparison.TOO_LATE_S:
        checks.skip(f"times beside curl's: too busy to compare, {late}")
        return
    print(f"      {late}")
    agreeing = [p for p in phases if p.agrees(lateness.usual_s)]
    for p in phases:
        if p not in agreeing:
            print(f"      differs: {p}")
    checks.that(len(agreeing) >= comparison.ENOUGH_OF_ALL * len(phases),
                f"{len(agreeing)} of {len(phases)} times agree with curl's")
    checks.equal(comparison.differing_kinds(phases, lateness.usual_s), [],
                 "kinds of times that never or hardly ever agree with curl's")
    at_least_s = servers.DNS_DELAY_MS / 1000 - comparison.READINGS * lateness.usual_s
    far = sorted(p.wirelag_s or 0 for p in phases
                 if p.name == "lookup" and ".far.test/" in p.transfer)
    checks.that(far[len(far) // 2] >= at_least_s, "a look-up takes as long as its resolver waits")
    checks.that(all(row.agrees(lateness.usual_s) for row in comparison.medians(phases)),
                "the median of every phase agrees with curl's")


def _books(checks, appliance, report, handed_over):
    """Lines, reports and the kernel count the same frames."""
    paths = [appliance.summary + ".1", appliance.summary]
    lines = text_lines(paths)
    books = report["accounting"]
    reasons = {"not_analysed." + k: n for k, n in books["not_analysed"].items() if n != 0}
    sums = {k: sum(line.get(k, 0) for line in lines)
            for k in {"received", "analysed", *reasons}}
    checks.equal(sums, {"received": books["received"], "analysed": books["analysed"], **reasons},
                 "frames of all intervals and in the report")
    checks.that(all(_balanced(line) for line in lines) and
                books["received"] == books["analysed"] + sum(books["not_analysed"].values()),
                "received = analysed + named reasons in every line and in the report")
    last = lines[-1]
    checks.equal(books["received"] + last["port_rx_missed_total"], handed_over,
                 "frames the kernel handed over")
    checks.equal(sum(line.get("http_requests", 0) for line in lines),
                 len(report["http"]["transactions"]), "HTTP requests of all intervals")
    keys = ("received", "analysed", "http_requests")
    checks.that([[x.get(k) for k in keys] for x in lines] ==
                [[x.get(k) for k in keys] for x in json_lines(
                    [appliance.summary_json + ".1", appliance.summary_json])],
                f"the same {len(lines)} lines as text and as JSON")
    # One more for the report in between, and one shorter one at the end.
    whole = [x for x in lines if x.get("interval_ms", 0) >= 900 * INTERVAL_S]
    checks.that(len(lines) - len(whole) <= 4, f"{len(whole)} whole intervals in {len(lines)} lines")
    least, most = last["worker_frames_min_total"], last["worker_frames_max_total"]
    checks.that(least > 0, f"both queues got frames: {least} and {most}")


def _only_sentences(checks, appliance):
    others = [x for x in appliance.messages().splitlines() if not x.startswith("wirelag: ")]
    checks.equal(others, [], "on stderr beside wirelag's sentences")


def _balanced(line):
    return line["received"] == line["analysed"] + sum(
        n for k, n in line.items() if k.startswith("not_analysed."))


def dispatch(program, directory, checks):
    """A port without sharding, more open connections than the ring to the control core holds, and
    fragments: the software dispatcher spreads them, nothing is lost at the end."""
    count, datagrams = 3000, 10
    with Appliance(program, directory, AF_PACKET, "dispatcher", SMALL_RING) as appliance:
        with world.mirrored_to("mon0"):
            transfers = curl.fetch(["http://dispatched.near.test/now/"], "-6")
            traffic.connect_to_nobody(count)
            traffic.send_fragments(datagrams)
        during = appliance.report()
        status, _, report = appliance.stop(signal.SIGTERM)
    _only_sentences(checks, appliance)
    checks.that("software dispatcher (as configured)" in appliance.messages(),
                "the port says who dispatches")
    checks.equal(status, 0, "SIGTERM: exit status")
    expected = count + len(transfers)
    checks.equal(len(report["tcp"]["connections"]), expected, "connections, most of them open")
    checks.equal(report["visibility"]["transactions_lost"], 0, "transactions lost at the end")
    checks.equal(len(during["tcp"]["connections"]), expected, "connections when asked in between")
    lines = text_lines([appliance.summary])
    checks.equal(sum(line.get("datagrams_rebuilt", 0) for line in lines), datagrams,
                 "datagrams rebuilt from fragments")
    checks.that(all(_balanced(line) for line in lines),
                "received = analysed + named reasons in every line")
    checks.that(lines[-1]["worker_frames_min_total"] > expected / 3,
                f"both workers got frames: {lines[-1]['worker_frames_min_total']} and "
                f"{lines[-1]['worker_frames_max_total']}")
