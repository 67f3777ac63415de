"""Says over TCP what it is told, word by word, and listens to the end.

    speak.py HOST PORT PAUSE_S WORD...      a word: text with \\r\\n, or hex:0a0b

Each word is one write, PAUSE_S after the one before. Ends when the other side closes, or has been silent
for a second after the last word.
"""

import contextlib
import socket
import sys
import time

_SILENCE_S = 1


def octets(word):
    if word.startswith("hex:"):
        return bytes.fromhex(word[4:])
    return word.encode("latin-1").decode("unicode_escape").encode("latin-1")


def main():
    host, port, pause_s, *words = sys.argv[1:]
    with socket.create_connection((host, int(port))) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.settimeout(_SILENCE_S)
        with contextlib.suppress(OSError):  # a reset or silence is an end like any other
            for word in words:
                connection.sendall(octets(word))
                time.sleep(float(pause_s))
            while connection.recv(65536):
                pass


main()
