"""Databases of the lab: how each is started, asked, and what its SQL calls joining two texts.

All have a table `item`, of as many rows as it takes that reading it whole is slow; with `index` one on the
column `kind` too.
"""

import contextlib
import os

import programs
from lab import CLIENT_NET, SERVER
from namespaces import inside, run

def _item(rows, index):
    yield "DROP TABLE IF EXISTS item"
    yield f"CREATE TABLE item AS SELECT n AS id, n % 1000 AS kind, repeat('x', 100) AS name FROM {rows} n"
    yield "CREATE INDEX by_id ON item (id)"
    if index:
        yield "CREATE INDEX by_kind ON item (kind)"


class Postgres:
    name = "PostgreSQL"
    both_names = "i.name || j.name"
    _ROWS = 200_000
    _PORT = 5432
    _BIN = "/usr/lib/postgresql/15/bin"

    @contextlib.contextmanager
    def running(self, lab, index):
        data = f"{lab.directory}/postgres"
        as_user = ["setpriv", "--reuid", "postgres", "--regid", "postgres", "--init-groups"]
        if not os.path.exists(data):
            os.mkdir(data)
            run("chown", "postgres", data)
            run(*as_user, f"{self._BIN}/initdb", "-D", data, "-A", "trust", "-U", "postgres", "--no-sync")
            with open(f"{data}/pg_hba.conf", "a") as f:
                f.write(f"host all all {CLIENT_NET}.0/24 trust\n")
        with programs.running("server", f"{lab.directory}/postgres.out", [("tcp", self._PORT)], *as_user,
                              f"{self._BIN}/postgres", "-D", data, "-c", "listen_addresses=*", "-k", "/tmp",
                              "-c", "fsync=off", "-c", "max_parallel_workers_per_gather=0"):
            for statement in (*_item(f"generate_series(1, {self._ROWS})", index), "ANALYZE item"):
                run(*inside("server", "psql", "-h", "/tmp", "-U", "postgres", "-qc", statement))
            yield

    def connect(self):
        import psycopg2
        connection = psycopg2.connect(host=SERVER, user="postgres", sslmode="disable",
                                      gssencmode="disable")
        connection.autocommit = True
        return connection


class MariaDb:
    name = "MariaDB"
    both_names = "concat(i.name, j.name)"
    _ROWS = 600_000
    _PORT = 3306

    @contextlib.contextmanager
    def running(self, lab, index):
        data, socket = f"{lab.directory}/mariadb", "/tmp/wirelag-lab-mariadb.sock"
        small = "--innodb-log-file-size=16M"
        if not os.path.exists(data):
            run("mariadb-install-db", "--no-defaults", "--user=mysql", f"--datadir={data}", small,
                "--skip-test-db", "--auth-root-authentication-method=normal")
        with programs.running("server", f"{lab.directory}/mariadb.out", [("tcp", self._PORT)],
                              "mariadbd", "--no-defaults", "--user=mysql", f"--datadir={data}", small,
                              f"--socket={socket}", "--bind-address=0.0.0.0", "--skip-name-resolve",
                              "--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=256M",
                              f"--pid-file={data}/pid"):
            for statement in (f"CREATE USER IF NOT EXISTS lab@'{CLIENT_NET}.%'",
                              "CREATE DATABASE IF NOT EXISTS lab",
                              f"GRANT ALL ON lab.* TO lab@'{CLIENT_NET}.%'",
                              *(f"USE lab; {s}" for s in _item("(SELECT seq AS n FROM "
                                                               f"seq_1_to_{self._ROWS})", index)),
                              "ANALYZE TABLE lab.item"):
                run(*inside("server", "mariadb", "--no-defaults", "-u", "root", f"--socket={socket}",
                            "-e", statement))
            yield

    def connect(self):
        import pymysql
        return pymysql.connect(host=SERVER, user="lab", database="lab", autocommit=True)
