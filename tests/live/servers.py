"""nginx, dnsmasq and what is behind them, in the server's namespace."""

import contextlib
import os
import re
import sys

import programs
import world
from namespaces import run

DNS_DELAY_MS = 40
SLOW_BYTES = 600_000
SLOW_RATE = 200_000  # bytes a second
_HTTP_UPSTREAM, _DNS_UPSTREAM = 9000, 5300

_NGINX = """
daemon off;
user root;
worker_processes 1;
pid {dir}/nginx.pid;
error_log {dir}/nginx.log;
events {{ worker_connections 256; }}
http {{
  access_log off;
  client_body_temp_path {dir}/body;
  proxy_temp_path {dir}/proxy;
  fastcgi_temp_path {dir}/fastcgi;
  uwsgi_temp_path {dir}/uwsgi;
  scgi_temp_path {dir}/scgi;
  server {{
    listen 80;
    listen [::]:80;
    listen 443 ssl;
    listen [::]:443 ssl;
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_certificate {dir}/certificate.pem;
    ssl_certificate_key {dir}/key.pem;
    location /now/ {{ return 200 "here\\n"; }}
    location /wait/ {{ proxy_pass http://127.0.0.1:{upstream}; }}
    location /slow/ {{ limit_rate {rate}; rewrite ^ /file break; root {dir}; }}
  }}
}}
"""


def _make_files(directory):
    with open(os.path.join(directory, "file"), "wb") as f:
        f.write(bytes(SLOW_BYTES))
    run("openssl", "req", "-x509", "-subj", "/CN=near.test", "-days", "2", "-nodes",
        "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
        "-keyout", os.path.join(directory, "key.pem"),
        "-out", os.path.join(directory, "certificate.pem"))
    with open(os.path.join(directory, "nginx.conf"), "w") as f:
        f.write(_NGINX.format(dir=directory, upstream=_HTTP_UPSTREAM, rate=SLOW_RATE))


@contextlib.contextmanager
def running(directory):
    """Every name below near.test is answered at once, below far.test after DNS_DELAY_MS."""
    _make_files(directory)
    v4, v6 = world.ADDRESS["server"]
    upstream = os.path.join(os.path.dirname(os.path.abspath(__file__)), "upstream.py")
    with contextlib.ExitStack() as stack:
        stack.enter_context(programs.running(
            "server", os.path.join(directory, "upstream.log"),
            [("tcp", _HTTP_UPSTREAM), ("udp", _DNS_UPSTREAM)], sys.executable, upstream,
            str(_HTTP_UPSTREAM), str(_DNS_UPSTREAM), str(DNS_DELAY_MS), v4, v6))
        stack.enter_context(programs.running(
            "server", os.path.join(directory, "nginx.out"), [("tcp", 80), ("tcp6", 443)],
            "nginx", "-e", os.path.join(directory, "nginx.log"),
            "-c", os.path.join(directory, "nginx.conf")))
        stack.enter_context(programs.running(
            "server", os.path.join(directory, "dnsmasq.log"), [("udp", 53), ("udp6", 53)],
            "dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts",
            "--user=root", "--pid-file=", "--log-facility=-", "--log-queries", "--cache-size=0",
            "--bind-interfaces", f"--listen-address={v4}", f"--listen-address={v6}",
            f"--address=/near.test/{v4}", f"--address=/near.test/{v6}",
            f"--server=/far.test/127.0.0.1#{_DNS_UPSTREAM}"))
        yield


def queries_answered(directory):
    """(type, name) of every query since the start, from dnsmasq's own log."""
    with open(os.path.join(directory, "dnsmasq.log")) as f:
        return re.findall(r" query\[(\w+)\] (\S+) from ", f.read())
