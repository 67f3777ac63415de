"""Behind the servers: an HTTP and a DNS server that take their time, because the kernel may have no
netem. nginx passes /wait/MS/... on to the first, dnsmasq names below far.test to the second.

    upstream.py HTTP_PORT DNS_PORT DNS_DELAY_MS IPV4 IPV6
"""

import http.server
import ipaddress
import socketserver
import struct
import sys
import threading
import time


class SlowPages(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        time.sleep(int(self.path.split("/")[2]) / 1000)
        body = b"done\n"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Pages(http.server.ThreadingHTTPServer):
    request_queue_size = 64


class SlowNames(socketserver.BaseRequestHandler):
    delay_s = 0.0
    addresses = {}  # by query type: 1 = A, 28 = AAAA

    def handle(self):
        query, socket = self.request
        time.sleep(self.delay_s)
        end = query.index(b"\0", 12) + 5
        address = self.addresses.get(struct.unpack("!H", query[end - 4:end - 2])[0])
        record = b""
        if address:
            record = (b"\xc0\x0c" + query[end - 4:end] + struct.pack("!IH", 60, len(address)) +
                      address)
        header = query[:2] + struct.pack("!HHHHH", 0x8180, 1, 1 if record else 0, 0, 0)
        socket.sendto(header + query[12:end] + record, self.client_address)


def main():
    http_port, dns_port, delay_ms = map(int, sys.argv[1:4])
    SlowNames.delay_s = delay_ms / 1000
    SlowNames.addresses = {1: ipaddress.ip_address(sys.argv[4]).packed,
                           28: ipaddress.ip_address(sys.argv[5]).packed}
    pages = Pages(("127.0.0.1", http_port), SlowPages)
    names = socketserver.ThreadingUDPServer(("127.0.0.1", dns_port), SlowNames)
    threading.Thread(target=names.serve_forever, daemon=True).start()
    pages.serve_forever()


main()
