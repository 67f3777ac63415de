"""How much of the time that `curl -w` reports the categories of wirelag's visits explain, for servers,
sizes and paths that the scenarios do not use."""

import dataclasses
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
Listen 0.0.0.0:482
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
LoadModule mime_module /usr/lib/apache2/modules/mod_mime.so
LoadModule ssl_module /usr/lib/apache2/modules/mod_ssl.so
TypesConfig /etc/mime.types
AddType text/html .html
DocumentRoot {dir}/www
<VirtualHost *:482>
  SSLEngine on
  SSLCertificateFile {dir}/certificate.pem
  SSLCertificateKeyFile {dir}/key.pem
</VirtualHost>
"""
_CADDY = """
{{
  admin off
  auto_https off
}}
http://:84 {{
  bind {server}
  root * {dir}/www
  file_server
}}
https://:484, https://caddy.test:484 {{
  bind {server}
  root * {dir}/www
  file_server
  tls {dir}/certificate.pem {dir}/key.pem {{
    protocols tls1.2 tls1.2
  }}
}}
"""
ENOUGH = 0.95


@dataclasses.dataclass(frozen=True)
class Row:
    """Some downloads of one file, a fresh connection each."""
    server: str
    port: int
    size: str
    rtt_ms: float = 30
    lost: str = ""  # share of the segments to the client
    fetches: int = 5
    http2: bool = False

    @property
    def tls(self):
        return self.port > 443

    @property
    def url(self):
        name = self.server.split()[0].strip(",").lower()
        return f"{'https' if self.tls else 'http'}://{name}.test:{self.port}/{self.size}.html"


_SMALL = ("1k", "20k", "100k", "1000k")
_CLEAR = {"lighttpd": 81, "Apache httpd": 82, "python http.server": 83, "Caddy": 84}
_TLS = {"Apache httpd, TLS 1.3": 482, "Caddy, TLS 1.2": 484}
ROWS = [
    *(Row(server, port, size) for server, port in _CLEAR.items() for size in _SMALL),
    *(Row(server, port, size) for server, port in _TLS.items() for size in _SMALL),
    *(Row("lighttpd", 81, size, rtt_ms=10, fetches=2) for size in ("10000k", "50000k")),
    Row("Apache httpd, TLS 1.3", 482, "50000k", rtt_ms=10, fetches=2),
    *(Row("lighttpd", 81, size, rtt_ms=80, lost="0.01") for size in ("20k", "1000k")),
    *(Row("Apache httpd, TLS 1.3", 482, size, rtt_ms=80, lost="0.01") for size in ("20k", "1000k")),
    *(Row("Caddy, TLS 1.2, HTTP/2", 484, size, http2=True) for size in ("1k", "100k", "1000k")),
    Row("Caddy, TLS 1.2, HTTP/2", 484, "1000k", rtt_ms=80, lost="0.01", http2=True),
]


def _configured(lab, name, text):
    path = f"{lab.directory}/{name}.conf"
    with open(path, "w") as f:
        f.write(text.format(dir=lab.directory, server=laboratory.SERVER))
    return path


def _running(lab, name, ports, *command):
    return programs.running("server", f"{lab.directory}/{name}.out", [("tcp", p) for p in ports],
                            *command)


def _servers(lab):
    lighttpd = _configured(lab, "lighttpd", _LIGHTTPD)
    apache = _configured(lab, "apache", _APACHE)
    caddy = _configured(lab, "caddy", _CADDY)
    return servers.all_of(
        servers.resolvers(lab),
        _running(lab, "lighttpd", [81], "lighttpd", "-D", "-f", lighttpd),
        _running(lab, "apache", [82, 482], "apache2", "-X", "-f", apache),
        _running(lab, "python", [83], sys.executable, "-m", "http.server", "83", "--bind", "0.0.0.0",
                 "--protocol", "HTTP/1.1", "--directory", f"{lab.directory}/www"),
        _running(lab, "caddy", [84, 484], "env", f"HOME={lab.directory}", "caddy", "run", "--config",
                 caddy, "--adapter", "caddyfile"))


def _fetch_all(rows, first):
    """In the client's namespace: {client address: (row, seconds that curl took)}, from the `first` client on."""
    totals = {}
    environment = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
    for row in rows:
        for _ in range(row.fetches):
            number = first + len(totals)
            laboratory.become_client(number)
            # --insecure: it reads no certificates of the system, which takes longer than the rest.
            done = subprocess.run(
                ["curl", "-sS", "-4", "--http2" if row.http2 else "--http1.1", "--insecure", "-o",
                 "/dev/null", "--max-time", "60", "-w", "%{json}", row.url],
                capture_output=True, text=True, env=environment)
            if done.returncode != 0:
                raise RuntimeError(f"curl {row.url}: {done.stderr.strip()}")
            totals[laboratory.client_address(number)] = (row, json.loads(done.stdout)["time_total"])
    return totals


def measure(lab, report_of):
    """Yields (row, curl's median seconds, median share explained). `report_of`: a capture's report."""
    capture = f"{lab.directory}/explained.pcap"
    namespaces.use_resolvers(laboratory.RESOLVERS[:1])
    servers.make_files(lab.directory)
    paths = dict.fromkeys((row.rtt_ms, row.lost) for row in ROWS)
    clients = 0  # an address serves once: what an earlier path left behind is no one's
    with _servers(lab):
        for rtt_ms, lost in paths:
            rows = [row for row in ROWS if (row.rtt_ms, row.lost) == (rtt_ms, lost)]
            losses = (f"s2c:data:share={lost}:seed=11",) if lost else ()
            with lab.path(laboratory.Path(rtt_ms=rtt_ms, losses=losses), capture):
                totals = lab.client(_fetch_all, rows, clients)
                clients += len(totals)
            report = report_of(capture)
            os.remove(capture)
            yield from _shares(report, totals)


def _shares(report, totals):
    shares = {}
    for visit in report["visits"]:
        if visit["client_ip"] not in totals:
            continue
        row, total_s = totals[visit["client_ip"]]
        explained_ns = visit["wait_ns"] - visit["breakdown_ns"]["client"]
        shares.setdefault(row, []).append((total_s, explained_ns / 1e9 / total_s))
    for row, values in shares.items():
        yield (row, statistics.median(t for t, _ in values), statistics.median(s for _, s in values))
