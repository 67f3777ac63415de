#!/usr/bin/env python3
"""Generates traffic and holds `wirelag replay --format json` against what really happened.

usage: truth.py TRAFFICGEN WIRELAG [--connections N] [--seed N] [--loss X] [--syn-flood N] [--table N]
                [--workers LIST] [--show N] [--keep DIR]

Every connection, request, TLS hello and DNS query of the generator must be in the report, once, with exactly
its times, counts and states; what the packets cannot tell must be null. Prints how many of each were compared
and every disagreement by field, with the first --show of them in full. Exits 1 when there is one.

Two things cannot be exact, because the packets do not say them:
- Why data was sent again. What brought nothing new is counted exactly (`resent`), and so is `spurious`; the
  split into rto (with tail_probe), fast and out_of_order must be the sender's own for CLASS_SHARE of them.
  The generator has no class `fin`: each is one of its resends by the timer or one of its spurious ones.
- A SYN-ACK sent by the timer and one sent for a repeated SYN, within a millisecond and with the same time
  stamp, look like a copy by the mirror: `handshake` counts both.
"""
import argparse
import collections
import csv
import json
import pathlib
import subprocess
import sys
import tempfile


FLOOD_TARGET = "203.0.113.80"  # of trafficgen's SYN flood; the mix has no such server
CLASS_SHARE = 0.98


def rows(prefix, kind):
    with open(f"{prefix}.{kind}.csv", newline="") as f:
        return list(csv.DictReader(f))


def number(text):
    return None if text == "" else int(text)


def since(row, first, last):
    a, b = number(row[first]), number(row[last])
    return None if a is None or b is None else b - a


def endpoints(value):
    return (value["client"]["ip"], value["client"]["port"], value["server"]["ip"], value["server"]["port"])


def who(row, other="server"):
    return (row["client_ip"], int(row["client_port"]), row[f"{other}_ip"], int(row[f"{other}_port"]))


class Comparison:
    def __init__(self, name):
        self.name, self.compared, self.wrong, self.fields = name, 0, [], collections.Counter()

    def run(self, expected, reported):
        """Both: {key: {field: value}}."""
        for key, fields in expected.items():
            self.compared += 1
            found = reported.pop(key, None)
            if found is None:
                self.differ(key, "missing", "in the report", None)
                continue
            for field, value in fields.items():
                if found[field] != value:
                    self.differ(key, field, value, found[field])
        for key in reported:
            self.differ(key, "extra", None, "in the report")

    def differ(self, key, field, expected, got):
        self.fields[field] += 1
        self.wrong.append(f"{self.name} {key}: {field}: expected {expected}, got {got}")


def tcp_truth(row):
    out = {"state": row["state"], "close": row["close"], "syn_wait_ns": number(row["syn_wait_ns"]),
           "rtt_probe_server_ns": number(row["server_half_ns"]), "synack_wait_ns": number(row["synack_wait_ns"]),
           "rtt_probe_client_ns": number(row["client_half_ns"]), "connect_time_ns": number(row["connect_ns"]),
           "handshake_ambiguous": row["ambiguous"] == "1", "start_time_ns": number(row["first_ns"])}
    for d in ("c2s", "s2c"):
        out[f"{d} packets"] = int(row[f"{d}_packets"])
        out[f"{d} payload"] = int(row[f"{d}_payload_bytes"])
        out[f"{d} missing"] = int(row[f"{d}_missing_bytes"])
        out[f"{d} resent"] = sum(int(row[f"{d}_{kind}"]) for kind in ("rto", "fast", "out_of_order"))
        for kind in ("handshake", "spurious"):
            out[f"{d} {kind}"] = int(row[f"{d}_{kind}"])
        out[f"{d} others"] = 0
    return out


def tcp_report(c):
    out = {k: c[k] for k in ("state", "close", "syn_wait_ns", "rtt_probe_server_ns", "synack_wait_ns",
                             "rtt_probe_client_ns", "connect_time_ns", "handshake_ambiguous", "start_time_ns")}
    for d in ("c2s", "s2c"):
        resent = c["retransmissions"][d] or collections.Counter()  # null: nothing of this side was seen
        out[f"{d} packets"], out[f"{d} payload"] = c["packets"][d] or 0, c["payload_bytes"][d] or 0
        out[f"{d} missing"] = c["missing_bytes"][d] or 0
        out[f"{d} resent"] = sum(resent[kind] for kind in ("rto", "tail_probe", "fast", "out_of_order"))
        out[f"{d} spurious"], out[f"{d} fin"] = resent["spurious"], resent["fin"]
        out[f"{d} handshake"] = resent["handshake"]
        out[f"{d} others"] = resent["keep_alive"] + resent["zero_window_probe"] + resent["mirror_duplicate"]
    return out


def without_fins(expected, reported):
    """Takes the repeated FINs out of what the generator counts as resent or spurious."""
    for key in expected.keys() & reported.keys():
        for d in ("c2s", "s2c"):
            fins, spurious = reported[key][f"{d} fin"], f"{d} spurious"
            useless = min(fins, max(0, expected[key][spurious] - reported[key][spurious]))
            expected[key][spurious] -= useless
            expected[key][f"{d} resent"] -= fins - useless
    return expected, reported


def classes(prefix, report):
    """How many resends have the class that their sender says, and how many there are."""
    truth = {who(r): r for r in rows(prefix, "tcp")}
    agreed = resends = 0
    for c in report["tcp"]["connections"]:
        row = truth.get(endpoints(c))
        for d in ("c2s", "s2c") if row else ():
            got = c["retransmissions"][d] or collections.Counter()
            for kind, count in (("rto", got["rto"] + got["tail_probe"] + got["fin"]), ("fast", got["fast"]),
                                ("out_of_order", got["out_of_order"])):
                resends += int(row[f"{d}_{kind}"])
                agreed += min(int(row[f"{d}_{kind}"]), count)
    return agreed, resends


def http_truth(row):
    return {"request_time_ns": number(row["request_first_ns"]),
            "request_ns": since(row, "request_first_ns", "request_whole_ns"),
            "server_wait_ns": since(row, "request_whole_ns", "response_first_ns"),
            "transfer_ns": since(row, "response_first_ns", "response_whole_ns")}


def tls_truth(row):
    return {"sni": row["sni"], "version": int(row["version"]) if row["server_hello_whole_ns"] else None,
            "hello_ns": since(row, "client_hello_whole_ns", "server_hello_whole_ns")}


def dns_truth(row):
    answered = row["response_ns"] != ""
    return {"latency_ns": since(row, "first_query_ns", "response_ns"),
            "resolver_ns": since(row, "last_query_ns", "response_ns") if answered else None,
            "queries": int(row["queries"]), "answered": answered}


def dns_report(t):
    return {"latency_ns": t["latency_ns"], "resolver_ns": t["resolver_ns"], "queries": len(t["query_frames"]),
            "answered": t["outcome"] in ("answered", "nodata")}


def unique(pairs):
    out = {}
    for key, value in pairs:
        while key in out:
            key = (*key, "again")
        out[key] = value
    return out


def compare(prefix, report):
    tcp, http, tls, dns = (Comparison(n) for n in ("tcp", "http", "tls", "dns"))
    tcp.run(*without_fins({who(r): tcp_truth(r) for r in rows(prefix, "tcp")},
                          unique((endpoints(c), tcp_report(c)) for c in report["tcp"]["connections"]
                                 if c["server"]["ip"] != FLOOD_TARGET)))
    http.run({(*who(r), r["target"]): http_truth(r) for r in rows(prefix, "http")},
             unique(((*endpoints(t), t["target"]), t) for t in report["http"]["transactions"]))
    tls.run({who(r): tls_truth(r) for r in rows(prefix, "tls")},
            unique((endpoints(t), t) for t in report["tls"]["handshakes"]))
    dns.run({(*who(r, "resolver"), r["qname"], int(r["qtype"]), int(r["id"])): dns_truth(r)
             for r in rows(prefix, "dns")},
            unique(((*endpoints(t), t["qname"], t["qtype"], t["id"]), dns_report(t))
                   for t in report["dns"]["transactions"]))
    return [tcp, http, tls, dns]


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("trafficgen")
    p.add_argument("wirelag")
    p.add_argument("--connections", type=int, default=4000)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--loss", type=float, default=0.01)
    p.add_argument("--syn-flood", type=int, default=0)
    p.add_argument("--table", type=int, help="tcp.connections, when not the default")
    p.add_argument("--workers", default="1,2", help="one replay for each")
    p.add_argument("--show", type=int, default=10)
    p.add_argument("--keep", type=pathlib.Path, help="leave capture, truth and reports in this directory")
    args = p.parse_args()
    failed = False
    with tempfile.TemporaryDirectory() as scratch:
        place = args.keep or pathlib.Path(scratch)
        place.mkdir(parents=True, exist_ok=True)
        capture, prefix = place / "mix.pcap", place / "mix"
        subprocess.run([args.trafficgen, "mix", "--output", capture, "--truth", prefix, "--seed", str(args.seed),
                        "--connections", str(args.connections), "--loss", str(args.loss),
                        "--syn-flood", str(args.syn_flood)], check=True)
        config = []
        if args.table:
            (place / "table.toml").write_text(f"[tcp]\nconnections = {args.table}\n")
            config = ["--config", place / "table.toml"]
        for workers in args.workers.split(","):
            out = place / f"report-{workers}.json"
            subprocess.run([args.wirelag, "replay", "--format", "json", "--workers", workers, "--output", out, *config,
                            capture], check=True, stderr=subprocess.DEVNULL)
            with open(out) as f:
                report = json.load(f)
            for c in compare(prefix, report):
                print(f"workers {workers}: {c.name}: {c.compared} compared, {len(c.wrong)} disagreements",
                      dict(c.fields) if c.wrong else "")
                for line in c.wrong[:args.show]:
                    print("   ", line)
                failed = failed or bool(c.wrong) or c.compared == 0
            agreed, resends = classes(prefix, report)
            print(f"workers {workers}: resends: {agreed} of {resends} with the sender's class")
            failed = failed or agreed < CLASS_SHARE * resends
            flood = [c["state"] for c in report["tcp"]["connections"] if c["server"]["ip"] == FLOOD_TARGET]
            unanswered = flood.count("syn_unanswered")
            print(f"workers {workers}: SYN flood: {unanswered} of {args.syn_flood} reported as unanswered")
            failed = failed or len(flood) != args.syn_flood or unanswered != args.syn_flood
    sys.exit(failed)


if __name__ == "__main__":
    main()
