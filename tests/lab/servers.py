"""Servers of the lab, each a context manager: from when it listens until the end of the block."""

import contextlib
import functools
import os
import sys

import programs
from lab import RESOLVERS, SERVER
from namespaces import run

_HERE = os.path.dirname(os.path.abspath(__file__))
APP_PORT = 8080
NAME = "site.test"

_NGINX = """
daemon off;
user root;
worker_processes 1;
pid {dir}/nginx.pid;
error_log {dir}/nginx.log;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  types {{ text/html html; text/css css; image/png png; }}
  client_body_temp_path {dir}/body;
  proxy_temp_path {dir}/proxy;
  fastcgi_temp_path {dir}/fastcgi;
  uwsgi_temp_path {dir}/uwsgi;
  scgi_temp_path {dir}/scgi;
  proxy_cache_path {dir}/cache keys_zone=micro:1m;
  root {dir}/www;
  keepalive_timeout {keepalive_s};
  server {{
    listen 80{http2};
    listen 443 ssl{http2};
    ssl_protocols {tls};
    ssl_ecdh_curve {curve};
    ssl_session_tickets off;
    ssl_certificate {dir}/certificate.pem;
    ssl_certificate_key {dir}/key.pem;
    location /app/ {{ proxy_pass http://127.0.0.1:{app_port}; {cache} }}
  }}
}}
"""


@functools.cache
def make_files(directory):
    """A certificate, and www/<size>.{html,css,png} of some sizes."""
    for name in ("www", "no-certificates"):
        os.makedirs(f"{directory}/{name}", exist_ok=True)
    for kb in (10000, 50000):
        with open(f"{directory}/www/{kb}k.html", "wb") as f:
            f.write(b"." * (1000 * kb))
    for kb in (1, 2, 10, 20, 50, 100, 150, 500, 1000):
        for kind in ("html", "css", "png"):
            with open(f"{directory}/www/{kb}k.{kind}", "wb") as f:
                f.write(b"." * (1000 * kb))
    run("openssl", "req", "-x509", "-subj", f"/CN={NAME}", "-days", "2", "-nodes",
        "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
        "-keyout", f"{directory}/key.pem", "-out", f"{directory}/certificate.pem")


def nginx(lab, keepalive_s=75, http2=False, tls="TLSv1.2 TLSv1.3", curve="auto", micro_cache=False):
    make_files(lab.directory)
    cache = ("proxy_cache micro; proxy_cache_valid 200 60s; proxy_cache_key $host;"
             if micro_cache else "")
    with open(f"{lab.directory}/nginx.conf", "w") as f:
        f.write(_NGINX.format(dir=lab.directory, keepalive_s=keepalive_s, tls=tls, curve=curve,
                              http2=" http2" if http2 else "", app_port=APP_PORT, cache=cache))
    return programs.running("server", f"{lab.directory}/nginx.out", [("tcp", 80), ("tcp", 443)],
                            "nginx", "-e", f"{lab.directory}/nginx.log", "-c",
                            f"{lab.directory}/nginx.conf")


def app(lab, workers=1, backlog=128, service_ms=20):
    """app_server.py: what is behind nginx, or a server by itself."""
    return programs.running("server", f"{lab.directory}/app.out", [("tcp", APP_PORT)],
                            sys.executable, f"{_HERE}/app_server.py", str(APP_PORT), str(workers),
                            str(backlog), str(service_ms))


def _dnsmasq(lab, namespace, name, *options):
    return programs.running(
        namespace, f"{lab.directory}/dnsmasq-{name}.log", [("udp", 53)],
        "dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts",
        "--user=root", "--pid-file=", "--log-facility=-", "--bind-interfaces", *options)


def resolvers(lab):
    """Every name below test. is the server's address, at every resolver of the server's side."""
    return _dnsmasq(lab, "server", "server", "--cache-size=0", "--local-ttl=60",
                    *(f"--listen-address={r}" for r in RESOLVERS), f"--address=/test/{SERVER}")


def forwarder(lab, upstreams, *options, cache_size=0):
    """127.0.0.1 of the client asks those resolvers."""
    return _dnsmasq(lab, "client", "client", f"--cache-size={cache_size}",
                    "--listen-address=127.0.0.1", *(f"--server={u}" for u in upstreams), *options)


@contextlib.contextmanager
def all_of(*contexts):
    with contextlib.ExitStack() as stack:
        for context in contexts:
            stack.enter_context(context)
        yield
