"""Caches: commands one by one, and one that walks everything. sql_scenarios.py: databases."""

import contextlib
import socket
import time

import programs
from lab import SERVER
from namespaces import inside, run
from scenario import Scenario

_REDIS, _MEMCACHED = 6379, 11211


def redis(lab):
    return programs.running("server", f"{lab.directory}/redis.out", [("tcp", _REDIS)],
                            "redis-server", "--bind", "0.0.0.0", "--protected-mode", "no",
                            "--save", "", "--appendonly", "no", "--dir", lab.directory)


def memcached(lab):
    return programs.running("server", f"{lab.directory}/memcached.out", [("tcp", _MEMCACHED)],
                            "memcached", "-u", "root", "-l", "0.0.0.0")


class RedisSerial(Scenario):
    rule = "db-serial-roundtrips"
    fault = "Redis GETs are sent one by one"
    change = "one pipeline"
    port = _REDIS

    def __init__(self, commands=20, **common):
        super().__init__(**common)
        self.commands = commands

    def setting(self):
        return f"{super().setting()}, {self.commands} commands"

    def servers(self, lab, changed):
        return redis(lab)

    def visit(self, number, changed):
        begin = time.perf_counter()
        with socket.create_connection((SERVER, self.port)) as s:
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if changed:
                self.all_together(s)
            else:
                for i in range(self.commands):
                    s.sendall(b"*2\r\n$3\r\nGET\r\n$4\r\nk%03d\r\n" % i)
                    _read(s, len(b"$-1\r\n"))
        return time.perf_counter() - begin

    def all_together(self, s):
        s.sendall(b"".join(b"*2\r\n$3\r\nGET\r\n$4\r\nk%03d\r\n" % i
                           for i in range(self.commands)))
        _read(s, self.commands * len(b"$-1\r\n"))


def _read(s, left):
    while left:
        left -= len(s.recv(left))


class MemcachedSerial(RedisSerial):
    fault = "memcached gets are sent one by one"
    change = "one get of many keys"
    port = _MEMCACHED

    def servers(self, lab, changed):
        return memcached(lab)

    def visit(self, number, changed):
        begin = time.perf_counter()
        with socket.create_connection((SERVER, self.port)) as s:
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            keys = [b"k%03d" % i for i in range(self.commands)]
            for request in ([b" ".join(keys)] if changed else keys):
                s.sendall(b"get " + request + b"\r\n")
                _read(s, len(b"END\r\n"))
        return time.perf_counter() - begin


class RedisKeys(Scenario):
    rule = "db-slow-fingerprint"
    fault = "KEYS walks 300,000 keys"
    change = "a set that names them: SMEMBERS"

    @contextlib.contextmanager
    def servers(self, lab, changed):
        with redis(lab):
            run(*inside("server", "redis-cli", "EVAL",
                        "for i = 1, 300000 do redis.call('SET', 'other:' .. i, 'x') end "
                        "for i = 1, 20 do redis.call('SET', 'user:' .. i, 'x') "
                        "redis.call('SADD', 'users', 'user:' .. i) end return 'OK'", "0"))
            yield

    def visit(self, number, changed):
        begin = time.perf_counter()
        with socket.create_connection((SERVER, _REDIS)) as s:
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            s.sendall(b"*2\r\n$3\r\nGET\r\n$6\r\nuser:1\r\n")
            _read(s, len(b"$1\r\nx\r\n"))
            s.sendall(b"*2\r\n$8\r\nSMEMBERS\r\n$5\r\nusers\r\n" if changed else
                      b"*2\r\n$4\r\nKEYS\r\n$6\r\nuser:*\r\n")
            # *20 and, of user:1 to user:20, length and text
            _read(s, len(b"*20\r\n") + 9 * len(b"$6\r\nuser:1\r\n") + 11 * len(b"$7\r\nuser:10\r\n"))
        return time.perf_counter() - begin


ALL = [
    RedisSerial(rtt_ms=10), RedisSerial(rtt_ms=40, commands=10),
    RedisSerial(rtt_ms=20, tap="server"), RedisSerial(rtt_ms=5, commands=50),
    MemcachedSerial(rtt_ms=30, commands=12),
    RedisSerial(rtt_ms=60, commands=25, fresh=True),
    MemcachedSerial(rtt_ms=10, commands=30, tap="server", fresh=True),
    RedisKeys(rtt_ms=20, fresh=True),
]
