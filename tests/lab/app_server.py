"""An application server: so many workers, one request at a time each, and a queue of the kernel's.

    app_server.py PORT WORKERS BACKLOG SERVICE_MS

A request takes SERVICE_MS, or what its path says: /app/300 takes 300 ms. A connection carries one
request, as with servers that fork before they accept.
"""

import socket
import sys
import threading
import time

_PORT, _WORKERS, _BACKLOG = map(int, sys.argv[1:4])
_SERVICE_MS = float(sys.argv[4])
_ANSWER = (b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 12\r\n"
           b"Connection: close\r\n\r\n{\"ok\":true}\n")


def service_ms(request):
    last = request.split(b" ", 2)[1].rpartition(b"/")[2]
    return float(last) if last.isdigit() else _SERVICE_MS


def serve(listener):
    while True:
        connection, _ = listener.accept()
        with connection:
            request = b""
            while b"\r\n\r\n" not in request and (more := connection.recv(65536)):
                request += more
            if request:
                time.sleep(service_ms(request) / 1000)
                connection.sendall(_ANSWER)


def main():
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("0.0.0.0", _PORT))
    listener.listen(_BACKLOG)
    for _ in range(_WORKERS):
        threading.Thread(target=serve, args=(listener,)).start()


main()
