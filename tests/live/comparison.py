"""Phase by phase: what curl measured in the client against what wirelag reports from the wire.

A wrong number is wrong every time; a process that was held up differs now and then. So the times of one
kind (the same phase of like transfers) are judged together."""

TOLERANCE_S = 0.002
TOLERANCE_SHARE = 0.2
#: A phase has two ends, each of which either clock may see late (noise.py).
READINGS = 4
#: Later than this, and the phases of 20 ms that the network has cannot be compared.
TOO_LATE_S = 0.005
#: What curl's time has in it beside the network: a thread and the resolver's files; keys and certificates.
COMPUTING_S = {"lookup": 0.006, "tls": 0.01}
#: Of one kind, and of all.
ENOUGH_OF_A_KIND, ENOUGH_OF_ALL = 0.25, 0.8


class Phase:
    def __init__(self, transfer, name, curl_s, wirelag_ns):
        self.transfer = transfer
        self.name = name
        self.curl_s = curl_s
        self.wirelag_s = None if wirelag_ns is None else wirelag_ns / 1e9

    def kind(self):
        """The phase, and what transfers with the same scheme, domain and first word of the path share."""
        scheme, host, path = split_url(self.transfer)
        return f"{self.name} of {scheme}://*.{host.partition('.')[2]}/{path.split('/')[1]}"

    def difference_s(self):
        return abs(self.curl_s - (self.wirelag_s or 0))

    def agrees(self, late_s):
        """`late_s`: how late a process usually runs here. What curl computes makes its time longer only."""
        if self.wirelag_s is None:
            return False
        computing_s = COMPUTING_S.get(self.name, 0) if self.curl_s > self.wirelag_s else 0
        return self.difference_s() <= READINGS * late_s + max(
            computing_s, TOLERANCE_S, TOLERANCE_SHARE * self.curl_s)

    def __str__(self):
        seen = "nothing" if self.wirelag_s is None else f"{1000 * self.wirelag_s:.2f} ms"
        return f"{self.transfer} {self.name}: curl {1000 * self.curl_s:.2f} ms, wirelag {seen}"


def split_url(url):
    scheme, _, rest = url.partition("://")
    host, _, path = rest.partition("/")
    return scheme, host, "/" + path


def only(items, what):
    if len(items) != 1:
        raise LookupError(f"{len(items)} of {what} in the report, expected one")
    return items[0]


def phases(transfers, report):
    """Fails with LookupError when a transfer, its connection or its lookup is not there once."""
    for t in transfers:
        yield from _phases_of(t, report)


def _phases_of(t, report):
    scheme, host, path = split_url(t["url_effective"])
    name = f"{scheme}://{host}{path}"
    # The kernel may use a port again at once, to another server.
    ends = [(t[f"{end}_ip"], t[f"{end}_port"]) for end in ("local", "remote")]
    connection = only([c for c in report["tcp"]["connections"]
                       if [(c[end]["ip"], c[end]["port"]) for end in ("client", "server")] == ends],
                      f"the connection of {name}")
    if t["num_connects"] > 0:
        lookup = only([x for x in report["dns"]["lookups"] if x["qname"] == host], host)
        yield Phase(name, "lookup", t["time_namelookup"], lookup["wait_ns"])
        yield Phase(name, "connect", t["time_connect"] - t["time_namelookup"],
                    connection["connect_time_ns"])
    if scheme == "https":
        handshake = only([x for x in report["tls"]["handshakes"] if x["sni"] == host],
                         f"TLS with {host}")
        yield Phase(name, "tls", t["time_appconnect"] - t["time_connect"],
                    handshake["handshake_ns"])
        return
    exchange = only([x for x in report["http"]["transactions"]
                     if (x["host"], x["target"]) == (host, path)], name)
    yield Phase(name, "wait", t["time_starttransfer"] - t["time_pretransfer"],
                exchange["request_ns"] + exchange["server_wait_ns"])
    yield Phase(name, "transfer", t["time_total"] - t["time_starttransfer"],
                exchange["transfer_ns"])
    yield Phase(name, "total", t["time_total"] - t["time_pretransfer"], exchange["total_ns"])


def differing_kinds(all_phases, late_s):
    """The kinds that differ too often for chance, in words."""
    agreeing = {}
    for p in all_phases:
        agreeing.setdefault(p.kind(), []).append(p.agrees(late_s))
    return [f"{sum(those)} of {len(those)} times of kind {kind}" for kind, those in agreeing.items()
            if sum(those) < ENOUGH_OF_A_KIND * len(those)]


def _median(values):
    return sorted(values)[len(values) // 2]


def medians(all_phases):
    """One Phase for each name: the median of curl's times and of wirelag's."""
    for name in dict.fromkeys(p.name for p in all_phases):
        same = [p for p in all_phases if p.name == name]
        yield Phase(f"{len(same)}", name, _median([p.curl_s for p in same]),
                    1e9 * _median([p.wirelag_s or 0 for p in same]))


def table(all_phases):
    rows = [f"      {'phase':10}{'n':>4}{'curl median':>14}{'wirelag median':>16}"
            f"{'largest difference':>20}   ms"]
    for row in medians(all_phases):
        largest = max(p.difference_s() for p in all_phases if p.name == row.name)
        rows.append(f"      {row.name:10}{row.transfer:>4}{1000 * row.curl_s:14.2f}"
                    f"{1000 * row.wirelag_s:16.2f}{1000 * largest:20.2f}")
    return "\n".join(rows)
