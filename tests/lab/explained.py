"""How much of the time that `curl -w` reports the categories of wirelag's visits explain, for servers
that the scenarios do not use."""

import json
import os
import statistics
import subprocess
import sys

import lab as laboratory
import namespaces
import programs
import servers

_LIGHTTPD = """
server.document-root = "{dir}/www"
server.port = 81
server.errorlog = "{dir}/lighttpd.log"
mimetype.assign = ( ".html" => "text/html" )
"""
_APACHE = """
ServerName site.test
ServerRoot {dir}
PidFile {dir}/apache.pid
ErrorLog {dir}/apache.log
Listen 0.0.0.0:82
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
LoadModule mime_module /usr/lib/apache2/modules/mod_mime.so
TypesConfig /etc/mime.types
AddType text/html .html
DocumentRoot {dir}/www
"""
SIZES = ("1k", "20k", "100k", "1000k")
SERVERS = {"lighttpd": 81, "Apache httpd": 82, "python http.server": 83}
_FETCHES = 5


def _lighttpd(lab):
    with open(f"{lab.directory}/lighttpd.conf", "w") as f:
        f.write(_LIGHTTPD.format(dir=lab.directory))
    return programs.running("server", f"{lab.directory}/lighttpd.out", [("tcp", 81)], "lighttpd",
                            "-D", "-f", f"{lab.directory}/lighttpd.conf")


def _apache(lab):
    with open(f"{lab.directory}/apache.conf", "w") as f:
        f.write(_APACHE.format(dir=lab.directory))
    return programs.running("server", f"{lab.directory}/apache.out", [("tcp", 82)], "apache2",
                            "-X", "-f", f"{lab.directory}/apache.conf")


def _python(lab):
    return programs.running("server", f"{lab.directory}/python.out", [("tcp", 83)], sys.executable,
                            "-m", "http.server", "83", "--bind", "0.0.0.0", "--protocol",
                            "HTTP/1.1", "--directory", f"{lab.directory}/www")


def _fetch_all():
    """In the client's namespace: {(server, size): curl's times, by client address}."""
    totals = {}
    number = 0
    environment = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
    for name, port in SERVERS.items():
        for size in SIZES:
            for _ in range(_FETCHES):
                laboratory.become_client(number)
                done = subprocess.run(
                    ["curl", "-sS", "-4", "-o", "/dev/null", "--max-time", "60", "-w", "%{json}",
                     f"http://{name.split()[0].lower()}.test:{port}/{size}.html"],
                    capture_output=True, text=True, env=environment)
                if done.returncode != 0:
                    raise RuntimeError(f"curl: {done.stderr.strip()}")
                totals[laboratory.client_address(number)] = (
                    name, size, json.loads(done.stdout)["time_total"])
                number += 1
    return totals


def measure(lab, report_of, rtt_ms=30):
    """Yields (server, size, curl's median seconds, median share explained). `report_of`: a capture's
    report."""
    capture = f"{lab.directory}/explained.pcap"
    namespaces.use_resolvers(laboratory.RESOLVERS[:1])
    servers.make_files(lab.directory)
    with servers.all_of(servers.resolvers(lab), _lighttpd(lab), _apache(lab), _python(lab)):
        with lab.path(laboratory.Path(rtt_ms=rtt_ms), capture):
            totals = lab.client(_fetch_all)
    report = report_of(capture)
    os.remove(capture)
    shares = {}
    for visit in report["visits"]:
        name, size, total_s = totals[visit["client_ip"]]
        explained_ns = visit["wait_ns"] - visit["breakdown_ns"]["client"]
        shares.setdefault((name, size), []).append((total_s, explained_ns / 1e9 / total_s))
    for (name, size), values in shares.items():
        yield (name, size, statistics.median(t for t, _ in values),
               statistics.median(s for _, s in values))
