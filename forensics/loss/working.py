"""Statements on a case and its working tables, by several threads at once.

Each thread has a cursor of its own. The working tables lie in a database in memory, which
spills, and which all cursors see; the tables of one cursor alone others would not.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import duckdb

from forensics.compare.feeding import VALUE_MACRO

_DATABASE = "working"


class WorkingTables:
    """Runs statements, and keeps answers of queries in tables.

    Args:
        connection: the case's, open for writing.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self._of_thread = threading.local()
        self._cursors: list[duckdb.DuckDBPyConnection] = []
        self._names = itertools.count()
        self.run("SET preserve_insertion_order = false")
        self.run(f"ATTACH OR REPLACE ':memory:' AS {_DATABASE}")

    @property
    def db(self) -> duckdb.DuckDBPyConnection:
        """The cursor of the thread that asks for it."""
        found: duckdb.DuckDBPyConnection | None = getattr(self._of_thread, "cursor", None)
        if found is None:
            found = self._of_thread.cursor = self._connection.cursor()
            self._cursors.append(found)
            found.execute(VALUE_MACRO)
        return found

    def close(self) -> None:
        """Let go of the tables and of all cursors; no other thread is at work any more."""
        with suppress(duckdb.Error):  # the case is closed soon, and takes them with it
            self.run(f"DETACH {_DATABASE}")
        for cursor in self._cursors:
            cursor.close()

    def run(self, statement: str, values: Sequence[Any] = ()) -> None:
        """Run a statement."""
        self.db.execute(statement, list(values))

    def ask(self, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return all rows of a small answer."""
        return list(self.db.execute(statement, list(values)).fetchall())

    def one(self, statement: str, values: Sequence[Any] = ()) -> tuple[Any, ...]:
        """Return the only row of an answer."""
        return self.ask(statement, values)[0]

    def count(self, relation: str) -> int:
        """Return how many rows a relation has."""
        (number,) = self.one(f"SELECT count(*) FROM {relation}")
        return int(number)

    def temp(self, select: str) -> str:
        """Keep a query's answer in a working table and return the table's name."""
        return self.temp_counted(select)[0]

    def temp_counted(self, select: str) -> tuple[str, int]:
        """Keep a query's answer in a working table; return its name, and how many rows it has."""
        name = self.new_name()
        (rows,) = self.one(f"CREATE TABLE {name} AS {select}")
        return name, int(rows)

    def new_name(self) -> str:
        """A name for a working table that is to be made."""
        return f"{_DATABASE}.work_{next(self._names)}"

    def drop(self, *names: str) -> None:
        """Drop working tables."""
        for name in names:
            self.run(f"DROP TABLE IF EXISTS {name}")
