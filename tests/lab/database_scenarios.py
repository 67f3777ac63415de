"""Databases and caches: commands one by one, statements in a loop, a missing index."""

import contextlib
import os
import socket
import time

import programs
from lab import CLIENT_NET, SERVER
from namespaces import inside, run
from scenario import Scenario

_REDIS, _MEMCACHED, _POSTGRES = 6379, 11211, 5432
_BIN = "/usr/lib/postgresql/15/bin"


def redis(lab):
    return programs.running("server", f"{lab.directory}/redis.out", [("tcp", _REDIS)],
                            "redis-server", "--bind", "0.0.0.0", "--protected-mode", "no",
                            "--save", "", "--appendonly", "no", "--dir", lab.directory)


def memcached(lab):
    return programs.running("server", f"{lab.directory}/memcached.out", [("tcp", _MEMCACHED)],
                            "memcached", "-u", "root", "-l", "0.0.0.0")


@contextlib.contextmanager
def postgres(lab, index):
    """A table `item` of 200,000 rows; `index`: on the column that is asked for."""
    data = f"{lab.directory}/postgres"
    as_user = ["setpriv", "--reuid", "postgres", "--regid", "postgres", "--init-groups"]
    if not os.path.exists(data):
        os.mkdir(data)
        run("chown", "postgres", data)
        run(*as_user, f"{_BIN}/initdb", "-D", data, "-A", "trust", "-U", "postgres", "--no-sync")
        with open(f"{data}/pg_hba.conf", "a") as f:
            f.write(f"host all all {CLIENT_NET}.0/24 trust\n")
    log = f"{lab.directory}/postgres.out"
    with programs.running("server", log, [("tcp", _POSTGRES)], *as_user, f"{_BIN}/postgres", "-D",
                          data, "-c", "listen_addresses=*", "-k", "/tmp", "-c", "fsync=off",
                          "-c", "max_parallel_workers_per_gather=0"):
        for statement in ("DROP TABLE IF EXISTS item",
                          "CREATE TABLE item AS SELECT n AS id, n % 1000 AS kind, "
                          "repeat('x', 100) AS name FROM generate_series(1, 200000) n",
                          "CREATE INDEX ON item (id)",
                          "CREATE INDEX ON item (kind)" if index else "SELECT 1", "ANALYZE item"):
            run(*inside("server", "psql", "-h", "/tmp", "-U", "postgres", "-qc", statement))
        yield


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


class PostgresScenario(Scenario):
    def servers(self, lab, changed):
        return postgres(lab, index=False)

    def visit(self, number, changed):
        import psycopg2
        connection = psycopg2.connect(host=SERVER, user="postgres", sslmode="disable",
                                      gssencmode="disable")
        connection.autocommit = True
        begin = time.perf_counter()
        with connection.cursor() as cursor:
            self.ask(cursor, changed)
        waited = time.perf_counter() - begin
        connection.close()
        return waited


class PostgresInserts(PostgresScenario):
    rule = "db-serial-roundtrips"
    fault = "PostgreSQL rows are inserted one by one"
    change = "one INSERT of many rows"
    rows = 15

    def setting(self):
        return f"{super().setting()}, {self.rows} rows"

    def ask(self, cursor, changed):
        rows = [(1000000 + i, i, "new") for i in range(self.rows)]
        if changed:
            cursor.execute("INSERT INTO item VALUES " + ", ".join(["(%s, %s, %s)"] * self.rows),
                           sum(rows, ()))
            return
        for row in rows:
            cursor.execute("INSERT INTO item VALUES (%s, %s, %s)", row)


class NPlusOne(PostgresScenario):
    rule = "db-n-plus-one"
    fault = "one SELECT per row of a list"
    change = "one SELECT with IN (...)"

    def __init__(self, rows=20, **common):
        super().__init__(**common)
        self.rows = rows

    def setting(self):
        return f"{super().setting()}, {self.rows} rows"

    def ask(self, cursor, changed):
        ids = [1000 + i for i in range(self.rows)]
        if changed:
            cursor.execute("SELECT id, name FROM item WHERE id IN %s", (tuple(ids),))
            cursor.fetchall()
            return
        for i in ids:
            cursor.execute("SELECT id, name FROM item WHERE id = %s", (i,))
            cursor.fetchall()


class SlowStatement(PostgresScenario):
    rule = "db-slow-fingerprint"
    fault = "a statement reads the whole table: no index"
    change = "CREATE INDEX"

    def servers(self, lab, changed):
        return postgres(lab, index=changed)

    def ask(self, cursor, changed):
        for kind in range(5):
            cursor.execute("SELECT sum(length(i.name || j.name)) FROM item i JOIN item j USING (id) "
                           "WHERE i.kind = %s", (kind,))
            cursor.fetchall()


class SlowAmongFast(SlowStatement):
    fault = "one statement of a page reads the whole table, three others do not"

    def ask(self, cursor, changed):
        for statement, value in (("SELECT name FROM item WHERE id = %s", 7),
                                 ("SELECT kind FROM item WHERE id = %s", 8),
                                 ("SELECT sum(length(i.name || j.name)) FROM item i JOIN item j "
                                  "USING (id) WHERE i.kind = %s", 9),
                                 ("SELECT count(*) FROM item WHERE id < %s", 10)):
            cursor.execute(statement, (value,))
            cursor.fetchall()


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
    MemcachedSerial(rtt_ms=30, commands=12), PostgresInserts(rtt_ms=20),
    RedisSerial(rtt_ms=60, commands=25, fresh=True),
    MemcachedSerial(rtt_ms=10, commands=30, tap="server", fresh=True),
    PostgresInserts(rtt_ms=50, fresh=True),
    NPlusOne(rtt_ms=10), NPlusOne(rtt_ms=40, rows=10), NPlusOne(rtt_ms=20, tap="server"),
    NPlusOne(rtt_ms=5, rows=50, fresh=True), NPlusOne(rtt_ms=80, rows=6, fresh=True),
    SlowStatement(rtt_ms=10), SlowStatement(rtt_ms=40, tap="server", fresh=True),
    SlowAmongFast(rtt_ms=20, fresh=True), RedisKeys(rtt_ms=20, fresh=True),
]
