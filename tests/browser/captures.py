"""The captures whose reports the browser opens: usual ones, an empty one, a big and a hostile one."""

import pathlib
import subprocess
import sys

TESTS = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TESTS / "support"))

import timeline  # noqa: E402
import wire  # noqa: E402

CASES = ("dns-search-list", "syn-lost", "transfer-slow-start", "tls12-full-resumed-refused",
         "redis-pipeline", "not-analysed")

# The operator's marks in the reports of some captures.
MARKS = {"saturated": ("2023-11-14T22:13:26Z eight clients <i>instead</i> of one",
                       "2023-11-14T22:13:28Z one more worker (srv-saturation-knee), which did not help",
                       "2030-01-01T00:00:00Z nothing captured by then"),
         "transfer-slow-start": ("2023-11-14T22:13:20Z initcwnd 20: tcp-initcwnd-rounds",
                                 "2030-01-01T00:00:00Z db-n-plus-one: one statement")}

# What would be markup, break out of an attribute, turn the text around or fill the page.
MARKUP = "<script>alert(1)</script><img src=x onerror=alert(2)>\\\"'></td></section>&lt;b&gt;"
HOSTILE = f"""
A 10.0.0.1:40000
B 10.0.0.1:40001
U 10.0.0.1:5000
R 192.0.2.53:53
S 192.0.2.1:80
0.000 U>R dns query id=1 A <svg/onload=alert(3)>.example
0.030 R>U dns response id=1 A <svg/onload=alert(3)>.example 192.0.2.1
0.031 A>S handshake server=0.039 client=0.001
0.072 A>S data "GET /{MARKUP} HTTP/1.1\\r\\nHost: {MARKUP}\\r\\nReferer: javascript:alert(4)\\r\\n\\r\\n"
0.500 S>A data "HTTP/1.1 200 OK\\r\\nContent-Type: {MARKUP}\\r\\nContent-Length: 100\\r\\n\\r\\n" fill:100
0.501 A>S ACK
0.502 B>S handshake server=0.039 client=0.001
0.543 B>S data "GET /" fill:3000 hex:e280ae.e2808b.0107.ff.80 " HTTP/1.1\\r\\nHost: " fill:900 "\\r\\n\\r\\n"
0.600 S>B data "HTTP/1.1 200 OK\\r\\nContent-Length: 100\\r\\n\\r\\n" fill:100
0.601 B>S ACK
"""


def from_timeline(text, path):
    source = path.with_suffix(".txt")
    source.write_text(text)
    timeline.build(source, path)
    return path


def saturated():
    """Eight seconds of a server with one worker of 50 ms; from the fifth on eight clients ask at once."""
    lines = ["S 192.0.2.9:80"]
    clients = [f"C{i}" for i in range(8)]
    lines += [f"{c} 10.0.1.{i + 1}:4{i:03}" for i, c in enumerate(clients)]
    lines += [f"0.{i:02}0 {c}>S handshake server=0.001 client=0.000100" for i, c in enumerate(clients)]
    free_at = 0.5

    def ask(client, at):
        nonlocal free_at
        free_at = max(free_at, at) + 0.05
        lines.append(f'{at:.6f} {client}>S data "GET /work HTTP/1.1\\r\\nHost: busy.example\\r\\n\\r\\n"')
        lines.append(f'{free_at:.6f} S>{client} data "HTTP/1.1 200 OK\\r\\nContent-Length: 9\\r\\n\\r\\n" fill:9')
        return free_at + 0.001

    next_at = {c: 1.0 for c in clients}
    while min(next_at.values()) < 13.0:
        client = min(next_at, key=next_at.get)
        at = next_at[client]
        if at < 6.0:
            next_at = {c: at + 0.2 for c in clients}  # one at a time
            ask(clients[0], at)
        else:
            next_at[client] = ask(client, at)
    return "\n".join(lines)


def make(scratch, trafficgen):
    """name -> capture file"""
    captures = {"origin": TESTS / "cases" / "mirror-azure-cn" / "capture.pcapng"}
    for name in CASES:
        path = scratch / f"{name}.pcap"
        timeline.build(TESTS / "cases" / name / "timeline.txt", path)
        captures[name] = path
    captures["empty"] = scratch / "empty.pcap"
    captures["empty"].write_bytes(wire.pcap_file("ethernet", []))
    captures["hostile"] = from_timeline(HOSTILE, scratch / "<b>'hostile' &.pcap")
    captures["saturated"] = from_timeline(saturated(), scratch / "saturated.pcap")
    captures["big"] = scratch / "big.pcap"
    subprocess.run([trafficgen, "mix", "--connections", "3000", "--output", captures["big"]], check=True,
                   stdout=subprocess.DEVNULL)
    return captures
