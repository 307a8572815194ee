"""Airflow's transactions on SQLite wait for each other."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scripts.sqlite import CONNECT_ARGS

Connect = Callable[..., sqlite3.Connection]


@pytest.fixture
def connect(tmp_path: Path) -> Connect:
    """Connections to one database with an empty table of numbers, as Airflow sets them up."""

    def new(**arguments: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = sqlite3.connect(tmp_path / "airflow.db", **arguments)
        connection.execute("PRAGMA journal_mode=WAL")
        return connection

    with new() as first:
        first.execute("CREATE TABLE numbers (number INTEGER)")
    return new


def read_then_write(mine: sqlite3.Connection, other: sqlite3.Connection) -> None:
    """What Airflow does behind a savepoint, while another process writes."""
    cursor = mine.cursor()
    cursor.execute("SAVEPOINT one")
    cursor.execute("SELECT count(*) FROM numbers")
    found = cursor.fetchone()[0]
    try:
        with other:
            other.execute("INSERT INTO numbers VALUES (100)")
    except sqlite3.OperationalError:  # it would have to wait
        other.rollback()
    cursor.execute("INSERT INTO numbers VALUES (?)", (found,))
    cursor.execute("RELEASE one")
    mine.commit()


def test_who_has_read_behind_a_savepoint_can_write(connect: Connect) -> None:
    mine, other = connect(**CONNECT_ARGS), connect(timeout=0)
    read_then_write(mine, other)
    assert other.execute("SELECT number FROM numbers").fetchall() == [(0,)]


def test_the_drivers_own_connection_cannot(connect: Connect) -> None:
    with pytest.raises(sqlite3.OperationalError, match="database is locked"):
        read_then_write(connect(), connect(timeout=0))


def test_a_savepoint_inside_a_transaction_belongs_to_it(connect: Connect) -> None:
    mine, other = connect(**CONNECT_ARGS), connect(timeout=0)
    cursor = mine.cursor()
    cursor.execute("INSERT INTO numbers VALUES (1)")
    cursor.execute("SAVEPOINT one")
    cursor.execute("INSERT INTO numbers VALUES (2)")
    cursor.execute("ROLLBACK TO one")
    mine.commit()
    assert other.execute("SELECT number FROM numbers").fetchall() == [(1,)]
