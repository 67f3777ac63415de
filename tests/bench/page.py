"""docs/performance.md, out of what scripts/bench has measured here, and on other machines (ELSEWHERE)."""
import json

from host import ROOT, machine, versions
from targets import target_rows

PARTS = ["steady", "worker", "threads", "replay", "dpdk", "costs"]
ELSEWHERE = ROOT / "docs/performance-elsewhere.json"  # {machine: {part: its results}}
STAGES = ["touch", "decode", "find", "tcp", "worker", "live"]


def table(header, rows):
    return "\n".join(["| " + " | ".join(header) + " |", "|" + "---|" * len(header)] +
                     ["| " + " | ".join(str(c) for c in row) + " |" for row in rows]) + "\n"


def steady_section(r):
    text = "## What does not depend on load\nInstructions per packet of one worker, all trackers on, counted by callgrind " \
           "(`scripts/instructions`; CI holds the committed figures within 2 %):\n\n"
    text += table(["traffic", "instructions"], [(f"{k}: {v['what']}", f"{v['instructions_per_packet']:.0f}")
                                                for k, v in r["instructions"].items()])
    text += f"\nResident memory grows by {r['bytes_per_flow']:.0f} bytes for each live TCP connection (100 k against 50 k " \
            "connections after their opening and a few data segments, index included). The tables, as `wirelag " \
            "check-config` computes them before the start:\n\n"
    return text + table(["entry", "bytes"], [(b["what"], b["bytes"]) for b in r["budget"] if b["bytes"] < 100_000])


def worker_section(r):
    text = "## The worker alone\nFrames in memory, one core, nanoseconds of CPU time (TSC cycles) per packet. Every stage " \
           "does what the one before does and one thing more: `touch` reads the frame's first line, `decode` adds link " \
           "layer to transport, `find` the flow table and seven cache lines of each flow (what is left of `tcp` when nothing " \
           "is tracked), `tcp` the connections, `worker` all protocols (a replay), `live` the summaries of `wirelag run`. `flows`: so many connections " \
           "that are all alive, measured once each is open and has sent something both ways; their protocol is unknown, and " \
           "looked for in the first segment of each side only (tcp.classify_segments = 1; 8 by default). `flood`: measured once it has filled the table of 262144, so that " \
           "every SYN puts another one out.\n\n"
    text += table(["traffic", *STAGES, "million packets/s"],
                  [(name, *(f"{row[s]['ns_per_packet']:.1f} ({row[s]['cycles_per_packet']:.0f})" if s in row else "" for s in STAGES),
                    f"{1e3 / row['worker']['ns_per_packet']:.2f}") for name, row in r["rows"].items()])
    base = r["rows"].get("flows 1000")
    if base:
        ratios = [f"{name.split()[1]}: {row['worker']['ns_per_packet'] / base['worker']['ns_per_packet']:.2f}x"
                  for name, row in r["rows"].items() if name.startswith("flows") and name != "flows 1000"]
        text += f"\nCost against 1000 live flows: {', '.join(ratios)}.\n"
    return text + "".join(f"\nNot run: {name}: {why}.\n" for name, why in r["skipped"].items())


def threads_section(r):
    counts = list(next(iter(r["mpps"].values())))
    cpus = r.get("cpus", r["cores"])
    cores = f"{r['cores']} cores" + (f", {cpus} hardware threads" if cpus > r["cores"] else "")
    rows = [(name, *(f"{row[n]:.2f} ({row[n] / row['1']:.2f}x)" for n in counts)) for name, row in r["mpps"].items()]
    return "## Workers side by side\nMillion packets per second of wall time, all workers together, frames in memory, each " \
           f"worker with traffic of its own, on a core of its own while there are any ({cores}):\n\n" + table(["traffic", *counts], rows)


def replay_section(r):
    rows, text = [], "## Replay of a capture\nWhole processes on one core, the file in the page cache. The ratio is wirelag's " \
                     "packets per CPU second divided by the tool's on the same capture. capinfos and tcpdump only read.\n\n"
    for name, row in r["rows"].items():
        own = r["rows"]["wirelag replay (tenth)" if "(tenth)" in name else "wirelag replay"]
        speed = row["packets"] / row["cpu_s"]
        rows.append((f"`{name}`" + (" (failed)" if row["failed"] else ""), row["packets"], f"{row['cpu_s']:.2f}",
                     f"{row['wall_s']:.2f}", f"{speed / 1e6:.3f}", f"{row['rss_mib']:.0f}",
                     "" if row["failed"] else f"{own['packets'] / own['cpu_s'] / speed:.2f}x"))
    text += table(["tool", "packets", "CPU s", "wall s", "million packets/CPU s", "peak MiB", "wirelag is"], rows)
    return text + (f"\nNot installed: {', '.join(r['missing'])}.\n" if r["missing"] else "")


def dpdk_section(r):
    text = "## Through DPDK\nMillion packets per second of one polling lcore, ordinary pages. A file that repeats without end " \
           "makes every segment a resend, which costs more than data in order. `wirelag run` polls and analyses on " \
           "one lcore; a replay's lcore also makes the report.\n\n"
    number = lambda n: "-" if not n else f"{n / 1e6:.2f}"  # noqa: E731
    rows = [(name, number(row.get("testpmd")), number(row.get("wirelag")),
             "-" if not row.get("testpmd") or not row.get("wirelag") else f"{row['wirelag'] / row['testpmd']:.2f}")
            for name, row in r["rows"].items()]
    return text + table(["source", "testpmd rxonly", "wirelag run", "share"], rows) + r.get("missing", "")


def above_noise(difference, unit):
    return f"{difference:.0f} {unit}" if difference > 0 else "lost in what the rounds differ by"


def costs_section(r):
    return "## Other costs\n" + table(["what", "figure"], [
        ("dispatcher to worker: copy into the ring and out of it", above_noise(r["ring_ns"], "ns per packet, beside decoding")),
        ("control core: keeping a transaction for the report", above_noise(r["dataset_ns_per_transaction"], "ns each")),
        ("start of `wirelag replay` to its report on an almost empty capture", f"{r['start_ms']:.0f} ms")])


SECTIONS = {"steady": steady_section, "worker": worker_section, "threads": threads_section, "replay": replay_section,
            "dpdk": dpdk_section, "costs": costs_section}


def elsewhere():
    return json.loads(ELSEWHERE.read_text()) if ELSEWHERE.exists() else {}


def measured(results, part):
    """[(machine, what the part found)]: this machine, None, comes first."""
    return [(where, r[part]) for where, r in [(None, results), *elsewhere().items()] if part in r]


def targets_section(results):
    return "\n## What was asked, and what is reached\nOn this machine, one core where no number of workers is said. *floor*: the same loop with the work taken out (stage " \
           "`find` below: decoding, the flow table and the flows' memory). That a flood keeps established flows and " \
           "measured handshakes is held by `Flood.*` (tests/hostile).\n\n" + \
           table(["what", "must", "aim", "measured", "floor", "reached"], target_rows(results))


def plots(results, directory):
    """SVG files for (a) and (b); returns {part: file name}."""
    try:
        import matplotlib
    except ImportError:
        return {}
    matplotlib.use("Agg")
    matplotlib.rcParams["svg.hashsalt"] = "wirelag"
    from matplotlib import pyplot
    made = {}
    if measured(results, "worker"):
        rows = measured(results, "worker")[0][1]["rows"]
        figure, axes = pyplot.subplots(figsize=(8, 3.6))
        below = [0.0] * len(rows)
        for stage, last in zip(STAGES, [None, *STAGES]):
            if not all(stage in row for row in rows.values()):
                continue
            part = [max(row[stage]["ns_per_packet"] - (row[last]["ns_per_packet"] if last else 0), 0) for row in rows.values()]
            axes.bar(list(rows), part, bottom=below, label=stage)
            below = [b + p for b, p in zip(below, part)]
        axes.set_ylabel("ns per packet")
        axes.tick_params(axis="x", labelrotation=20)
        axes.legend()
        made["worker"] = "performance-worker.svg"
        figure.savefig(directory / made["worker"], bbox_inches="tight", metadata={"Date": None})
    curves = max((r for _, r in measured(results, "threads")), key=lambda r: r["cores"], default=None)
    if curves:
        figure, axes = pyplot.subplots(figsize=(8, 3.6))
        for name, row in curves["mpps"].items():
            axes.plot([int(n) for n in row], [v / row["1"] for v in row.values()], marker="o", label=name)
        most = max(int(n) for n in next(iter(curves["mpps"].values())))
        axes.plot([1, most], [1, most], linestyle=":", color="grey", label="in proportion")
        axes.set_xlabel("workers")
        axes.set_ylabel("throughput of one")
        axes.legend()
        made["threads"] = "performance-threads.svg"
        figure.savefig(directory / made["threads"], bbox_inches="tight", metadata={"Date": None})
    if "replay" in results:
        rows = {n: r for n, r in results["replay"]["rows"].items()}
        figure, axes = pyplot.subplots(figsize=(8, 3.6))
        axes.barh(list(rows)[::-1], [r["packets"] / r["cpu_s"] / 1e6 for r in rows.values()][::-1])
        axes.set_xlabel("million packets per CPU second")
        made["replay"] = "performance-replay.svg"
        figure.savefig(directory / made["replay"], bbox_inches="tight", metadata={"Date": None})
    return made


def write_page(results, directory):
    made = plots(results, directory)
    text = "# Performance\nWritten by `scripts/bench`; every figure comes from it. Medians of interleaved rounds in one " \
           f"go.\n\n- Machine: {machine()}\n- Versions: {versions()}\n- Traffic: `trafficgen` (tests/support/traffic), the same bytes every time\n"
    text += targets_section(results)
    for part in PARTS:
        found = measured(results, part)
        if not found:
            text += f"\nNot measured yet: `scripts/bench --part {part}`.\n"
            continue
        for n, (where, r) in enumerate(found):
            section = SECTIONS[part](r)
            text += "\n" + (section if n == 0 else "On another machine:\n" + section[section.index("\n| "):])
            if part != "steady":
                on = f", on another machine: {where}" if where else ""
                text += f"\n({r['rounds']} rounds, {r['measured']}, wirelag {r.get('wirelag', '?')}{on})\n"
        if part in made:
            text += f"\n![{part}]({made[part]})\n"
    (directory / "performance.md").write_text(text)
    print(f"wrote {directory / 'performance.md'}")
