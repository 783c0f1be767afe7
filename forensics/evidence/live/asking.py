"""A session that takes one question after another, as text and without parameters."""

from __future__ import annotations

from typing import IO, Any

import psycopg
from psycopg.rows import dict_row, scalar_row

from forensics.evidence.live import readers
from forensics.evidence.live.refusals import CONFLICT

Rows = list[dict[str, Any]]


class Asking:
    """Asks, and brings what a server answers; whatever goes wrong is a `psycopg.Error`.

    Statements are sent as they stand: a percent sign in one is that, whatever encoding the session
    has.

    Args:
        connection: that nobody else uses, open and without a transaction of the driver's own.
    """

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection
        self._ended_by: psycopg.Error | None = None

    @property
    def info(self) -> psycopg.ConnectionInfo:
        """Whom it reached."""
        return self._connection.info

    def run(self, statement: str) -> None:
        """Run a statement whose answer is of no use."""
        self._asked(statement, dict_row)

    def rows(self, statement: str) -> Rows:
        """Return the rows of a SELECT, each by the names of its columns."""
        found: Rows = self._asked(statement, dict_row).fetchall()
        return found

    def scalar(self, statement: str) -> Any:
        """Return the one value of a SELECT's one row."""
        [found] = self._asked(statement, scalar_row).fetchall()
        return found

    def copy(self, statement: str, into: IO[bytes]) -> None:
        """Run a COPY … TO STDOUT and write its rows to a file."""
        self._expect_session()
        try:
            with (
                self._connection.cursor() as cursor,
                cursor.copy(statement.encode("utf-8")) as copied,
            ):
                for piece in copied:
                    into.write(piece)
        except psycopg.Error as error:
            self._ended_by = error
            raise

    def end(self) -> None:
        """Close it; it may be lost already."""
        readers.end(self._connection)

    def _asked(self, statement: str, shape: Any) -> psycopg.Cursor[Any]:
        self._expect_session()
        cursor = self._connection.cursor(row_factory=shape)
        try:
            return cursor.execute(statement.encode("utf-8"))
        except psycopg.Error as error:
            self._ended_by = error
            raise

    def _expect_session(self) -> None:
        """Refuse what is asked of a session that is gone.

        Who asks next has to hear, too, that a standby ended it: it may go on with a later snapshot.
        """
        if not self._connection.closed:
            return
        if self._ended_by and self._ended_by.sqlstate == CONFLICT:
            raise self._ended_by
        raise psycopg.OperationalError("the connection was lost")
