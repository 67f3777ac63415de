"""What was asked of wirelag's speed and memory, beside what scripts/bench has measured on this machine."""


def ratio_to(tool, own="wirelag replay"):
    """Packets per CPU second of wirelag, divided by the tool's on the same capture."""
    def value(results):
        rows = results["replay"]["rows"]
        speed = lambda row: row["packets"] / row["cpu_s"]  # noqa: E731
        return speed(rows[own]) / speed(rows[tool])
    return value


def share_of_testpmd(source):
    def value(results):
        row = results["dpdk"]["rows"][source]
        return row["wirelag"] / row["testpmd"]
    return value


def mpps(traffic, stage="worker"):
    return lambda results: 1e3 / results["worker"]["rows"][traffic][stage]["ns_per_packet"]


def slower_than_1000_flows(traffic):
    def value(results):
        rows = results["worker"]["rows"]
        return rows[traffic]["worker"]["ns_per_packet"] / rows["flows 1000"]["worker"]["ns_per_packet"]
    return value


def budget(entry):
    return lambda results: next(b["bytes"] for b in results["steady"]["budget"] if b["what"] == entry)


def peak_to_tcptrace(results):
    rows = results["replay"]["rows"]
    return rows["wirelag replay"]["rss_mib"] / rows["tcptrace -n -l -r"]["rss_mib"]


def two_workers(traffic):
    return lambda results: results["threads"]["mpps"][traffic]["2"] / results["threads"]["mpps"][traffic]["1"]


# what, unit, must, aim, which way is better, measured, floor: the same loop with the work taken out
TARGETS = [
    ("replay of the mix: packets per CPU second against `tcptrace -n -l -r`", "x", 10, 14, "more", ratio_to("tcptrace -n -l -r"), None),
    ("the same against `ndpiReader -q`", "x", 14, 20, "more", ratio_to("ndpiReader -q"), None),
    ("the same on a tenth against `tshark -T fields`", "x", 45, 100, "more",
     ratio_to("tshark -T fields (tenth)", "wirelag replay (tenth)"), None),
    ("the same through `net_pcap`, of rx-only on that file", "of the floor", 0.70, 0.80, "more",
     share_of_testpmd("net_pcap, the mix (wirelag replay --via net_pcap)"), None),
    ("worker alone, the mix", "M packets/s", 8, 12, "more", mpps("mix"), mpps("mix", "find")),
    ("worker alone, small segments of 100,000 live flows", "M packets/s", 15, 25, "more", mpps("flows 100000"), mpps("flows 100000", "find")),
    ("`wirelag run`, `net_pcap infinite_rx=1`, small frames, of testpmd rxonly", "of the floor", 0.55, 0.75, "more",
     share_of_testpmd("net_pcap infinite_rx, small frames"), None),
    ("cost per packet at 100,000 live flows against 1000", "x", 1.5, 1.25, "less", slower_than_1000_flows("flows 100000"), None),
    ("at 1,000,000", "x", 2, 1.5, "less", slower_than_1000_flows("flows 1000000"), None),
    ("at 10,000,000", "x", 3, 2, "less", slower_than_1000_flows("flows 10000000"), None),
    ("memory per live TCP flow", "bytes", 256, 160, "less", lambda r: r["steady"]["bytes_per_flow"], None),
    ("memory per pending DNS query", "bytes", 96, 64, "less", budget("pending DNS queries"), None),
    ("peak memory of the replay of the mix, of tcptrace's", "of it", 0.25, None, "less", peak_to_tcptrace, None),
    ("the same in itself", "MiB", None, 150, "less", lambda r: r["replay"]["rows"]["wirelag replay"]["rss_mib"], None),
    ("a SYN of a flood, summaries of a live run included", "ns", 200, 110, "less", lambda r: r["worker"]["rows"]["flood"]["live"]["ns_per_packet"], None),
    ("two workers on two cores against one, the mix", "x", 1.7, 1.9, "more", two_workers("mix"), None),
    ("the same, 100,000 live flows", "x", 1.7, 1.9, "more", two_workers("flows 100000"), None),
]
NEAR_FLOOR = 1.3


def verdict(value, must, aim, better, floor):
    good = lambda target: target is not None and (value >= target if better == "more" else value <= target)  # noqa: E731
    if good(aim):
        return "aim"
    if good(must):
        return "must"
    if floor is not None and floor / value <= NEAR_FLOOR:
        return f"no; {floor / value:.2f} times its floor"
    return "no"


def shown(value, unit=""):
    if value is None:
        return ""
    return f"{value:.0f} {unit}".strip() if abs(value) >= 100 else f"{value:.3g} {unit}".strip()


def target_rows(results):
    for what, unit, must, aim, better, measure, floor_of in TARGETS:
        try:
            value = measure(results)
            floor = floor_of(results) if floor_of else None
        except (KeyError, TypeError, ZeroDivisionError, StopIteration):  # not measured, or a tool is missing
            yield what, shown(must), shown(aim), "not measured", "", ""
            continue
        yield what, shown(must), shown(aim), shown(value, unit), shown(floor), verdict(value, must, aim, better, floor)
