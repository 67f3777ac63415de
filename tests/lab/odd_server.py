"""A server that answers in all the ways that HTTP/1.1 allows, one connection at a time for each thread.

    odd_server.py PORT

The path says how: see ANSWERS. CONNECT opens a tunnel to a peer that sends everything back.
"""

import socket
import sys
import threading
import time

_OK = b"HTTP/1.1 200 OK\r\n"
_PAUSE_S = 0.03
#: What is written, write by write, _PAUSE_S apart.
ANSWERS = {
    b"/plain": [_OK + b"Content-Length: 5\r\n\r\nhello"],
    b"/hints": [b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n",
                _OK + b"Content-Length: 2\r\n\r\nhi"],
    b"/processing": [b"HTTP/1.1 102 Processing\r\n\r\n", b"HTTP/1.1 102 Processing\r\n\r\n",
                     _OK + b"Content-Length: 0\r\n\r\n"],
    b"/chunks": [_OK + b"Transfer-Encoding: chunked\r\n\r\n", b"5\r\nhello\r\n",
                 b"6;name=value\r\n world\r\n", b"0\r\nX-Trailer: yes\r\n\r\n"],
    b"/chunk-in-pieces": [_OK + b"Transfer-Encoding: chunked\r\n\r\n1", b"0\r", b"\n0123456789",
                          b"abcdef\r\n0\r\n", b"\r\n"],
    b"/head-in-pieces": [b"HTTP/1.", b"1 200 O", b"K\r\nContent-Le", b"ngth: 3\r\n\r", b"\nabc"],
    b"/nothing": [b"HTTP/1.1 204 No Content\r\n\r\n"],
    b"/same": [b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5000\r\n\r\n"],
    b"/bare-lines": [b"HTTP/1.1 200 OK\nContent-Length: 4\n\nbare"],
    b"/blank-before": [b"\r\n" + _OK + b"Content-Length: 1\r\n\r\nx"],
    b"/both-lengths": [_OK + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"
                       b"4\r\nfour\r\n0\r\n\r\n"],
    b"/until-close": [_OK + b"Connection: close\r\n\r\n", b"one ", b"two"],
    b"/http-1.0": [b"HTTP/1.0 200 OK\r\n\r\nold"],
    b"/upgrade": [b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n"],
}
_CLOSES = {b"/until-close", b"/http-1.0"}
_TUNNEL = b"HTTP/1.1 200 Connection established\r\n\r\n"


def body_length(head):
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


def echo(connection, already):
    """`already`: what came with the request."""
    data = already or connection.recv(65536)
    while data:
        connection.sendall(data)
        data = connection.recv(65536)


def serve(connection):
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    waiting = b""
    while True:
        while b"\r\n\r\n" not in waiting:
            more = connection.recv(65536)
            if not more:
                return
            waiting += more
        head, _, waiting = waiting.partition(b"\r\n\r\n")
        method, target = head.split(b" ")[:2]
        if b"100-continue" in head.lower():
            connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        length = body_length(head)
        while len(waiting) < length:
            waiting += connection.recv(65536)
        waiting = waiting[length:]
        if method == b"CONNECT":
            connection.sendall(_TUNNEL)
            return echo(connection, waiting)
        path = target.partition(b"?")[0]
        for piece in ANSWERS.get(path, ANSWERS[b"/plain"]):
            if method == b"HEAD":
                piece = piece.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
            time.sleep(_PAUSE_S)
            connection.sendall(piece)
            if method == b"HEAD":
                break
        if path == b"/upgrade":
            return echo(connection, waiting)
        if path in _CLOSES:
            return


def attend(connection):
    with connection:
        serve(connection)


def main():
    with socket.create_server(("0.0.0.0", int(sys.argv[1]))) as listener:
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=attend, args=(connection,), daemon=True).start()


main()
