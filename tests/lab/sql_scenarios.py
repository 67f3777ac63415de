"""Databases: rows inserted one by one, statements in a loop, a missing index."""

import time

from scenario import Scenario
from sql_servers import MariaDb, Postgres


class SqlScenario(Scenario):
    def __init__(self, database=Postgres, **common):
        super().__init__(**common)
        self.database = database()

    def setting(self):
        return f"{super().setting()}, {self.database.name}"

    def servers(self, lab, changed):
        return self.database.running(lab, index=False)

    def visit(self, number, changed):
        connection = self.database.connect()
        begin = time.perf_counter()
        with connection.cursor() as cursor:
            self.ask(cursor, changed)
        waited = time.perf_counter() - begin
        connection.close()
        return waited

    def ask(self, cursor, changed):
        raise NotImplementedError


class Inserts(SqlScenario):
    rule = "db-serial-roundtrips"
    fault = "rows are inserted one by one"
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


class NPlusOne(SqlScenario):
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


class SlowStatement(SqlScenario):
    rule = "db-slow-fingerprint"
    fault = "a statement reads the whole table: no index"
    change = "CREATE INDEX"

    def servers(self, lab, changed):
        return self.database.running(lab, index=changed)

    def slow(self, cursor, kind):
        cursor.execute(f"SELECT sum(length({self.database.both_names})) FROM item i "
                       "JOIN item j USING (id) WHERE i.kind = %s", (kind,))
        cursor.fetchall()

    def ask(self, cursor, changed):
        for kind in range(5):
            self.slow(cursor, kind)


class SlowAmongFast(SlowStatement):
    fault = "one statement of a page reads the whole table, three others do not"

    def ask(self, cursor, changed):
        for statement, value in (("SELECT name FROM item WHERE id = %s", 7),
                                 ("SELECT kind FROM item WHERE id = %s", 8)):
            cursor.execute(statement, (value,))
            cursor.fetchall()
        self.slow(cursor, 9)
        cursor.execute("SELECT count(*) FROM item WHERE id < %s", (10,))
        cursor.fetchall()


ALL = [
    Inserts(rtt_ms=20), Inserts(rtt_ms=50, fresh=True),
    Inserts(MariaDb, rtt_ms=30, fresh=True),
    NPlusOne(rtt_ms=10), NPlusOne(rtt_ms=40, rows=10), NPlusOne(rtt_ms=20, tap="server"),
    NPlusOne(rtt_ms=5, rows=50, fresh=True), NPlusOne(rtt_ms=80, rows=6, fresh=True),
    NPlusOne(database=MariaDb, rtt_ms=20, fresh=True),
    NPlusOne(database=MariaDb, rtt_ms=50, rows=12, tap="server", fresh=True),
    SlowStatement(rtt_ms=10), SlowStatement(rtt_ms=40, tap="server", fresh=True),
    SlowAmongFast(rtt_ms=20, fresh=True), SlowStatement(MariaDb, rtt_ms=20),
]
