"""Lines of results, recorded together: a transaction each would cost more than comparing does."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

from forensics.errors import CaseError
from forensics.store import Record, record

_PATIENCE = 1.0  # seconds
_MANY = 1000


@contextmanager
def transaction(cursor: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """What is written within is in the case together, or not at all."""
    cursor.begin()
    try:
        yield
        cursor.commit()
    except BaseException:
        cursor.rollback()
        raise


class Ledger:
    """Results of tables of which no row is kept. They wait to be recorded, for a second at most.

    Args:
        cursor: of the case's connection, its own.
    """

    def __init__(self, cursor: duckdb.DuckDBPyConnection) -> None:
        self._cursor = cursor
        self._waiting: dict[int, Record] = {}
        self._since = 0.0
        self._busy = threading.Lock()

    def add(self, one: Record) -> None:
        """Have a result recorded, in place of what waits to be said of that table."""
        with self._busy:
            if not self._waiting:
                self._since = time.monotonic()
            self._waiting[one.number] = one

    def take_back(self, number: int) -> None:
        """Have nothing recorded of a table."""
        with self._busy:
            self._waiting.pop(number, None)

    @property
    def is_due(self) -> bool:
        """Whether what waits has waited long enough."""
        if not self._waiting:
            return False
        return len(self._waiting) >= _MANY or time.monotonic() - self._since >= _PATIENCE

    def write(self) -> None:
        """Record all that waits.

        Raises:
            CaseError: it cannot be written; none of it is recorded, and a later run finds it again.
        """
        with self._busy:
            if not self._waiting:
                return
            try:
                with transaction(self._cursor):
                    record(self._cursor, *self._waiting.values())
            except duckdb.Error as error:
                words = str(error).partition("\n")[0].rstrip(".")
                raise CaseError(
                    f"Results cannot be written into the case: {words}.",
                    "Is the disk full? Make room, and go on with --resume.",
                ) from error
            self._waiting.clear()

    def close(self) -> None:
        """Let go of the cursor."""
        self._cursor.close()
