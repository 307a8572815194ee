"""How Airflow's connections to SQLite wait for each other, instead of failing.

`[database] sql_alchemy_connect_args` names CONNECT_ARGS. Airflow creates a backfill's runs and a
data set's events behind a savepoint: reads first, writes then. If another process has written in
between, SQLite refuses the write at once ("database is locked"), however long one would wait: what
was read is not true any more. Here whoever sets a savepoint has the write lock before reading.
"""

import sqlite3
from typing import Any, Self


class WaitingCursor(sqlite3.Cursor):
    """Takes the write lock before the first savepoint of a transaction."""

    def execute(self, sql: str, parameters: Any = ()) -> Self:
        if sql.startswith("SAVEPOINT") and not self.connection.in_transaction:
            super().execute("BEGIN IMMEDIATE")
        return super().execute(sql, parameters)


class WaitingConnection(sqlite3.Connection):
    def cursor(self, factory: Any = WaitingCursor) -> Any:
        return super().cursor(factory)


CONNECT_ARGS = {
    "factory": WaitingConnection,
    "timeout": 20.0,  # seconds; the driver's 5 are few where two cores run jobs beside Airflow
}
