"""The transaction that holds the snapshot: questions are asked in it, and it is replaced where it
does not last.

A standby that has to replay ends the transaction that holds the snapshot. Then a later one is taken
for what is left, on the same server and no other, and whoever reads is told which was read
(`Segment.snapshot`). A server that was restarted, or that ended the session for another reason, is
not gone back to: it may hold something else by then.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from itertools import count
from typing import IO, Any

import psycopg
from psycopg import sql

from forensics.errors import EvidenceError, LiveError, OutdatedError
from forensics.evidence.live.asking import Rows
from forensics.evidence.live.connection import Connections, Server
from forensics.evidence.live.readers import Failure
from forensics.evidence.live.refusals import (
    CONFLICT,
    failure_of,
    hint_of,
    of_the_transaction,
)
from forensics.evidence.live.sql_files import query
from forensics.evidence.source import Snapshot
from forensics.model import quote_identifier

RENEWALS = 5  # tries to take one snapshot
_WAIT = 0.2  # seconds, longer with each try


class HeldSnapshot:
    """A snapshot, and the transaction that holds it. Threads may ask at the same time.

    Args:
        connections: where to open it.
        tell: takes a sentence that people should know.

    Attributes:
        current: the snapshot.
        server: who answered first.

    Raises:
        LiveError: the database cannot be reached, refuses, or has no snapshot to give.
    """

    def __init__(self, connections: Connections, tell: Callable[[str], None]) -> None:
        self._connections = connections
        self._tell = tell
        self._asking = threading.RLock()
        self._setback: OutdatedError | None = None
        self._session, self.server = connections.open_transaction()
        self.current = Snapshot(self.server.snapshot, self.server.taken_at)

    # --- questions --------------------------------------------------------------------------------

    def ask(self, name: str) -> Rows:
        """Return the answer to `queries/NAME.sql`.

        Raises:
            LiveError: there is none.
        """
        try:
            with self._asking:
                return self._session.rows(query(name))
        except psycopg.Error as error:
            why = failure_of(error)
            message = f"The {self._connections} does not answer the question '{name}': {why.words}."
            if why.state == CONFLICT:
                raise self.outdated(message, CONFLICT) from error
            raise LiveError(message, hint_of(why.state), why.state) from error

    def ask_freely(self, question: sql.Composed | sql.SQL, search_path: str) -> Rows:
        """Run one SELECT, in which unqualified names lie in the schema `search_path`.

        Raises:
            LiveError: the server refused; the transaction goes on.
        """
        path = sql.Literal(quote_identifier(search_path) if search_path else "")
        setting = sql.SQL("SELECT pg_catalog.set_config('search_path', {}, true)").format(path)
        try:
            with self.savepoint():
                self._session.run(setting.as_string(None))
                return self._session.rows(question.as_string(None))
        except psycopg.Error as error:
            why = failure_of(error)
            message = f"The {self._connections} refuses a question: {why.words}."
            if why.state == CONFLICT:
                raise self.outdated(message, CONFLICT) from error
            raise LiveError(message, None, why.state) from error

    def scalars(self, *statements: str) -> list[Any]:
        """Return the one value that each of some SELECTs answers with.

        Raises:
            psycopg.Error: the server refused, and the transaction goes on; or it is lost.
        """
        found = []
        with self.savepoint():
            for statement in statements:
                found.append(self._session.scalar(statement))
        return found

    def copy(self, statement: str, into: IO[bytes]) -> None:
        """Run a COPY … TO STDOUT and write its rows to a file.

        Raises:
            psycopg.Error: the server refused, and the transaction goes on; or it is lost.
        """
        with self.savepoint():
            self._session.copy(statement, into)

    @contextlib.contextmanager
    def savepoint(self) -> Iterator[None]:
        """What is done within is undone, and with it the locks it took: nobody waits for them until
        all is compared."""
        with self._asking:
            self._session.run("SAVEPOINT asking")
            try:
                yield
            finally:
                with contextlib.suppress(psycopg.Error):
                    self._go_back()

    def _go_back(self) -> None:
        back = "ROLLBACK TO SAVEPOINT asking"
        try:
            self._session.run(back)
        except psycopg.errors.QueryCanceled:
            # The time that a question was given ended within this one; now it holds no more.
            self._session.run(back)
        self._session.run("RELEASE SAVEPOINT asking")

    # --- where it does not last -------------------------------------------------------------------

    def outdated(self, message: str, state: str | None) -> OutdatedError:
        """Build the error for what can be tried again, and keep it for `unsettled`."""
        hint = "Go on with --resume."
        if state == CONFLICT:
            hint = hint_of(CONFLICT) or hint
        self._setback = OutdatedError(message, hint, state, self._connections.role)
        return self._setback

    def unsettled(self) -> OutdatedError | None:
        """`Source.unsettled`."""
        found, self._setback = self._setback, None
        if found:
            return found
        loss = self._loss()
        if loss is None:
            return None
        if loss.state != CONFLICT:
            raise self._gone(loss.words, loss.state)
        return self.outdated(
            f"The snapshot of the {self._connections.role} database is gone: {loss.words}.",
            CONFLICT,
        )

    def recovers(self, error: EvidenceError, look_again: Callable[[], None]) -> bool:
        """`Source.recovers`; `look_again` is called under a new snapshot, before others read it."""
        if not isinstance(error, LiveError):
            return False
        loss = self._loss()
        if loss is None:
            if not isinstance(error, OutdatedError) or error.role != self._connections.role:
                return False
            if error.sqlstate == CONFLICT:
                return True  # the query was in the way, and not the snapshot
            self._renew("a table was rewritten", look_again)
            return True
        if loss.state != CONFLICT:
            raise self._gone(loss.words, loss.state) from error
        self._renew(loss.words, look_again)
        return True

    def _loss(self) -> Failure | None:
        """Why the transaction is gone, or None where it stands."""
        with self._asking:
            try:
                self._session.run("SELECT 1")
            except psycopg.Error as error:
                return of_the_transaction(failure_of(error))
        return None

    def _gone(self, words: str, state: str | None) -> LiveError:
        return LiveError(
            f"The {self._connections} was lost: {words}. What was compared is kept.",
            "Go on with --resume when it answers again; "
            "what is left is then read from a new snapshot.",
            state,
        )

    def _renew(self, why: str, look_again: Callable[[], None]) -> None:
        """Take a later snapshot, on the same server, for whatever is left to read."""
        with self._asking:
            self._session.end()
            server = self._open_again(look_again)
            self.current = Snapshot(server.snapshot, server.taken_at)
            self._tell(
                f"The snapshot of the {self._connections.role} database is gone ({why}). "
                f"What is left is read from one of {server.taken_at:%H:%M:%S %Z}."
            )

    def _open_again(self, look_again: Callable[[], None]) -> Server:
        first = (self.server.server, self.server.standby)
        for attempt in count(1):
            try:
                self._session, server = self._connections.open_transaction()
                same = (server.server, server.standby) == first
                if same:
                    look_again()
                    return server
            except OutdatedError:
                if attempt == RENEWALS:
                    raise
                self._session.end()
                time.sleep(_WAIT * attempt)
            except LiveError as error:
                raise self._gone(error.message.rstrip("."), error.sqlstate) from error
            else:
                self._session.end()
                raise self._gone("it was restarted, or another server answers for it", None)
        raise AssertionError("count() has no end")

    def close(self) -> None:
        """End the transaction."""
        self._session.end()
