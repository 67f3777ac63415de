"""Phase by phase: what curl measured in the client against what wirelag reports from the wire."""

TOLERANCE_S = 0.002
TOLERANCE_SHARE = 0.2


class Phase:
    def __init__(self, transfer, name, curl_s, wirelag_ns):
        self.transfer = transfer
        self.name = name
        self.curl_s = curl_s
        self.wirelag_s = None if wirelag_ns is None else wirelag_ns / 1e9

    def error_s(self):
        return abs(self.curl_s - self.wirelag_s)

    def agrees(self):
        return self.wirelag_s is not None and self.error_s() <= max(
            TOLERANCE_S, TOLERANCE_SHARE * self.curl_s)

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
    connection = only([c for c in report["tcp"]["connections"]
                       if (c["client"]["ip"], c["client"]["port"]) ==
                       (t["local_ip"], t["local_port"])], f"the connection of {name}")
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
