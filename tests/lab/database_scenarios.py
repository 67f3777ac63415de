"""Databases and caches: commands one by one, statements in a loop, a missing index."""

import contextlib
import os
import socket
import time

import programs
from lab import CLIENT_NET, SERVER
from namespaces import inside, run
from scenario import Scenario

_REDIS, _POSTGRES = 6379, 5432
_BIN = "/usr/lib/postgresql/15/bin"


def redis(lab):
    return programs.running("server", f"{lab.directory}/redis.out", [("tcp", _REDIS)],
                            "redis-server", "--bind", "0.0.0.0", "--protected-mode", "no",
                            "--save", "", "--appendonly", "no", "--dir", lab.directory)


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
    fault = "GETs are sent one by one"
    change = "one pipeline"

    def __init__(self, commands=20, **common):
        super().__init__(**common)
        self.commands = commands

    def setting(self):
        return f"{super().setting()}, {self.commands} commands"

    def servers(self, lab, changed):
        return redis(lab)

    def visit(self, number, changed):
        begin = time.perf_counter()
        with socket.create_connection((SERVER, _REDIS)) as s:
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            commands = [b"*2\r\n$3\r\nGET\r\n$4\r\nk%03d\r\n" % i for i in range(self.commands)]
            if changed:
                s.sendall(b"".join(commands))
                self._read(s, self.commands)
            else:
                for command in commands:
                    s.sendall(command)
                    self._read(s, 1)
        return time.perf_counter() - begin

    @staticmethod
    def _read(s, answers):
        left = answers * len(b"$-1\r\n")
        while left:
            left -= len(s.recv(left))


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


ALL = [
    RedisSerial(rtt_ms=10), RedisSerial(rtt_ms=40, commands=10),
    RedisSerial(rtt_ms=20, tap="server"),
    NPlusOne(rtt_ms=10), NPlusOne(rtt_ms=40, rows=10), NPlusOne(rtt_ms=20, tap="server"),
    SlowStatement(rtt_ms=10),
]
