"""The replay itself: migrations run one statement at a time, and what each of them took."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import pyarrow as pa
from psycopg import sql

from forensics.cause.replay.attempts import attempts
from forensics.cause.replay.database import Blocks, Database
from forensics.cause.replay.definitions import Definitions
from forensics.cause.replay.following import Effect, Following
from forensics.cause.replay.outcome import Outcome
from forensics.cause.replay.owners import Owners
from forensics.cause.replay.watched import Watched
from forensics.evidence.migrations import Migration, Statement
from forensics.model import Sequence as NumberSequence
from forensics.model import TableName
from forensics.scratch import Scratch

_TIMEOUT = "600s"


@dataclass(frozen=True)
class Step:
    """One statement of the replay.

    Attributes:
        number: its place in the replay, from 1.
        error: why it did not run, in the server's words.
        left_out: whether it was not even tried.
    """

    number: int
    migration: str
    statement: Statement
    seconds: float = 0.0
    error: str | None = None
    left_out: bool = False


class Replay:
    """A database of the scratch server in which migrations are run and losses are counted.

    Args:
        scratch: a running server.
        timeout: how long one statement may run, as PostgreSQL writes it; "0" is without limit.

    Attributes:
        steps: the statements that were run, in order.
        outcome: what became of the followed rows.
        committed: whether each migration could be.

    Raises:
        ScratchError: the server is not running.
    """

    def __init__(self, scratch: Scratch, timeout: str = _TIMEOUT) -> None:
        self._database = Database(scratch, timeout)
        self._owners = Owners()
        self._definitions = Definitions(self._database, self._owners)
        self._following = Following(self._database)
        self._notes: list[str] = []
        self.steps: list[Step] = []
        self.outcome = Outcome(self._database)
        self.committed = True
        self._since = 0  # the transaction before the first migration's

    @property
    def database(self) -> str:
        """The database's name."""
        return self._database.name

    @property
    def notes(self) -> list[str]:
        """What could not be done, as people read it."""
        return [*self._definitions.notes, *self._notes, *self.outcome.notes]

    @property
    def effects(self) -> list[Effect]:
        """What steps did to columns, in order."""
        return self._following.effects

    @property
    def unbuilt(self) -> dict[TableName, str]:
        """By table that could not be made, why."""
        return self._definitions.unbuilt

    def end_session(self) -> None:
        """Let go of the database, so that it can be copied; it stays until `close`."""
        self._database.end_session()

    def close(self) -> None:
        """End the session and remove the database."""
        self._database.close()

    def __enter__(self) -> Replay:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- the backup ------------------------------------------------------------------------------

    def build(self, statements: Iterable[str], extensions: Sequence[str]) -> None:
        """Make the backup's schema, without what is only possible or quicker once rows are there.

        Args:
            statements: SQL texts in the dump's order.
            extensions: names of the extensions that it uses.

        What cannot be made is noted, and left out.
        """
        self._definitions.build(statements, extensions)

    def has(self, name: TableName) -> bool:
        """Whether the table could be made."""
        return self._database.has(name)

    def columns_of(self, name: TableName) -> list[str]:
        """The columns that a table has now, in order; none where there is no such table."""
        return self._database.columns_of(name)

    def load(self, name: TableName, columns: Sequence[str], blocks: Blocks) -> str | None:
        """Fill a table with rows in COPY's text; return why it could not be done, or None."""
        return self._database.copy_in(sql.Identifier(*name), columns, blocks)

    def advance(self, sequences: Iterable[NumberSequence]) -> None:
        """Set sequences to where they stood; those that nobody knows begin anew."""
        for one in sequences:
            if one.last_value is not None:
                place = sql.Literal(one.name.sql), sql.Literal(one.last_value)
                query = sql.SQL("SELECT pg_catalog.setval({}::regclass, {}, {})")
                self._database.attempt(query.format(*place, sql.Literal(one.is_called)).as_string())

    def finish(self, *, checked: bool = False) -> None:
        """Make the constraints, indexes and triggers.

        Args:
            checked: check foreign keys against the rows; not where parents may have been left out.
        """
        self._definitions.finish(checked=checked)

    # --- the migrations --------------------------------------------------------------------------

    def watch(
        self,
        watched: Watched,
        missing: Iterable[bytes] | None = None,
        changed: Iterable[bytes] | None = None,
    ) -> str | None:
        """Follow rows of a table.

        Args:
            watched: which table, and by what its rows are known.
            missing: COPY text of rows (a number of your own, then `watched.columns`); None follows
                every row there is.
            changed: COPY text of the keys of changed rows, each with a mark for every column of
                `watched.changed`: one letter.

        Returns:
            Why that cannot be done, or None.
        """
        return self._following.watch(watched, missing, changed or ())

    def run(
        self,
        migrations: Sequence[Migration],
        schema: str,
        listener: Callable[[str], None] | None = None,
    ) -> None:
        """Run migrations in order, and count after each statement.

        Each runs in a transaction, each statement of it in a savepoint.

        Args:
            migrations: what to run.
            schema: the search path that they expect.
            listener: is told each migration's name.
        """
        self._since = self._database.number("SELECT pg_catalog.txid_current()")
        path = sql.SQL("SET search_path = {}").format(sql.Identifier(schema))
        for migration in migrations:
            if listener:
                listener(migration.name)
            self._database.execute(path)
            self._database.execute("BEGIN")
            for statement in migration.statements:
                self._step(migration.name, statement)
            self._commit(migration.name)
        self._following.finish()

    def written(self, name: TableName, columns: Sequence[str], most: int) -> pa.Table | None:
        """The rows of a table that the migrations wrote, as text; as `Outcome.written`."""
        return self.outcome.written(name, columns, self._since, most)

    def gone(self, watched: Watched) -> dict[int | None, int]:
        """How many followed rows are laid at each step; as `Outcome.gone`."""
        return self.outcome.gone(watched)

    def taken(self, watched: Watched) -> pa.Table:
        """The followed rows that a step took; as `Outcome.taken`."""
        return self.outcome.taken(watched)

    def _commit(self, migration: str) -> None:
        words = self._database.attempt("SET CONSTRAINTS ALL IMMEDIATE")
        words = words or self._database.attempt("COMMIT")
        if words:
            self._database.attempt("ROLLBACK")
            self._notes.append(f"{migration} could not be committed in the replay: {words}.")
            self.committed = False
            self._following.recount(len(self.steps))

    def _step(self, migration: str, statement: Statement) -> None:
        number = len(self.steps) + 1
        started = time.monotonic()
        texts = self._texts(statement)
        self._owners.note(statement)
        error = None
        if texts:
            self._following.note_shapes()
            error = self._try_all(texts)
        seconds = time.monotonic() - started
        self.steps.append(Step(number, migration, statement, seconds, error, not texts))
        if not texts:
            return
        self._following.recount(number)
        if statement.kind == "alter_enum_stmt":
            # A new label can be used once its transaction has ended.
            self._database.attempt("COMMIT")
            self._database.attempt("BEGIN")

    def _texts(self, statement: Statement) -> list[str]:
        if statement.kind != "drop_owned_stmt":
            return attempts(statement)
        return self._owners.drops(statement.node)

    def _try_all(self, texts: Sequence[str]) -> str | None:
        """Try a statement, then its parts; return the first refusal where a part was refused too.

        Part of it may still run: one command that the scratch server cannot follow does not hide
        the others.
        """
        whole, *parts = texts
        error = self._try(whole)
        if error is None or not parts:
            return error
        refusals = [self._try(part) for part in parts]
        return next(filter(None, refusals), None)

    def _try(self, text: str) -> str | None:
        self._database.execute("SAVEPOINT forensics_step")
        words = self._database.attempt(text)
        if words:
            self._database.execute("ROLLBACK TO SAVEPOINT forensics_step")
        else:
            self._database.execute("RELEASE SAVEPOINT forensics_step")
        return words
