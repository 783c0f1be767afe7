"""Copies to rehearse on: of live, with the rows that matter, and of the whole backup.

Live's schema comes from its own `pg_dump`, its rows through the same read-only snapshot. The
backup is built from its own statements, through the kit's reader. Whatever of a dump is
executed, its functions included, is executed by a role that may do nothing beyond its own
database: a dump is untrusted input.
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
from psycopg import sql

from forensics.cause.replay import Replay
from forensics.errors import RecoveryError
from forensics.evidence import Source
from forensics.evidence.live.source import LiveSource
from forensics.model import Catalog, Table, TableName
from forensics.recovery.proof import Tell, silent
from forensics.recovery.rehearse.session import (
    Session,
    advice,
    complaints,
    copy_rows,
    hand_over,
    psql,
    words_of,
)
from forensics.recovery.write.definitions import definitions
from forensics.scratch import Scratch

_NOTES = 5
# A trigger may fire whatever the session says, and a constraint that was never validated may
# be broken by rows that are there: pg_restore too makes both after the rows.
_AFTER_ROWS = re.compile(
    r"\bNOT VALID\s*;?\s*\Z"
    r"|^CREATE (?:CONSTRAINT |EVENT )?TRIGGER\b"
    r"|^ALTER (?:TABLE (?:ONLY )?\S.*|EVENT TRIGGER \S.*) (?:ENABLE|DISABLE)\b",
    re.M,
)


@contextmanager
def a_database(
    scratch: Scratch,
    template: str | None = None,
    owner: str | None = None,
) -> Iterator[str]:
    """A new database of a name of its own, for a while.

    Args:
        scratch: the server.
        template: a database that nobody is connected to, to copy; None makes an empty one.
        owner: the role that it is to belong to.
    """
    name = f"rehearsal_{secrets.token_hex(4)}"
    scratch.create(name, template, owner)
    try:
        yield name
    finally:
        scratch.drop(name)


def _stored(table: Table) -> tuple[str, ...]:
    """The columns of a table that hold values of their own."""
    return tuple(c.name for c in table.columns if not c.generated)


# --- live -----------------------------------------------------------------------------------------


class LiveCopy:
    """Live's schema, and the rows of some of its tables, in a scratch database.

    It belongs to the role that may do nothing else.

    Attributes:
        scratch, database: where it is.
        notes: what it could not have of live.
        lacking: the tables among them that were wished for, a sentence each.
    """

    def __init__(self, scratch: Scratch, database: str, source: LiveSource) -> None:
        self.scratch, self.database = scratch, database
        self._source = source
        self.notes: list[str] = []
        self.lacking: list[str] = []

    def make(
        self,
        tables: Collection[TableName],
        needed: Collection[TableName],
        roles: Iterable[str],
        tell: Tell = silent,
    ) -> None:
        """Build the schema as far as it goes, and fill tables.

        Args:
            tables: the tables to fill.
            needed: those of them without which nothing can be rehearsed.
            roles: roles that the scripts name.
            tell: is told how far it is.

        Raises:
            RecoveryError: a table that is needed cannot be made, or its rows do not go in.
            LiveError: live could not be read.
        """
        tell("copying live's schema")
        early, late = self._schema()
        refused = self._restore(early)
        with self._session() as session:
            _make_roles(session, roles)
            # Foreign keys: not every parent is copied.
            session.execute("SET session_replication_role = replica")
            for n, name in enumerate(sorted(tables), 1):
                tell("copying live's rows", f"{name}, table {n} of {len(tables)}")
                try:
                    _expect_table(session, name, refused)
                    self._fill(session, name)
                except RecoveryError as error:
                    if name in needed:
                        raise
                    self.lacking.append(str(error))
        refused += self._restore(late)
        with self._session() as session:
            hand_over(session)
        for words in refused[:_NOTES]:
            self.notes.append(
                f"The scratch PostgreSQL could not make a part of live's schema: {words}."
            )

    def _session(self) -> Session:
        return psycopg.connect(self.scratch.dsn(self.database), autocommit=True)

    def _schema(self) -> tuple[list[str], list[str]]:
        """The statements that are run before the rows, and those after them."""
        statements = list(self._source.statements())
        if not statements:
            raise RecoveryError(
                f"No pg_dump at hand can read the schema of {self._source.shown_dsn}, "
                "and the rehearsal needs it.",
                "Install a pg_dump of the server's version or a later one, "
                "or point FORENSICS_PGBIN to one.",
            )
        early: list[str] = []
        late: list[str] = []
        for statement in statements:
            if _AFTER_ROWS.search(statement):
                late.append(statement)
            else:
                early.append(statement)
        return early, late

    def _restore(self, statements: Sequence[str]) -> list[str]:
        """Build a part of the schema as far as it goes; return what was said against it."""
        whole = "".join(f"{statement.rstrip(';')};\n" for statement in statements)
        text = whole.encode("utf-8", "surrogateescape")
        done = psql(self.scratch, self.database, "-f", "-", text=text)
        return list(complaints(done.stderr))

    def _fill(self, session: Session, name: TableName) -> None:
        columns = _stored(self._source.catalog.tables[name])
        try:
            copy_rows(session, name.sql, columns, self._rows(name, columns))
        except psycopg.Error as error:
            broken = error.diag.constraint_name
            is_check = isinstance(error, psycopg.errors.CheckViolation)
            if is_check and self._without(session, name, broken):
                self._fill(session, name)
                return
            words = words_of(error)
            raise RecoveryError(
                f"The rows of {name} do not go into the scratch PostgreSQL: {words}.",
                advice(words),
            ) from error

    def _rows(self, name: TableName, columns: tuple[str, ...]) -> Iterator[bytes]:
        for segment in self._source.segments(name, columns):
            for block in segment.blocks():
                yield bytes(block)

    def _without(self, session: Session, name: TableName, check: str | None) -> bool:
        """Take away a check that refuses rows which live holds.

        Returns:
            Whether that was possible.
        """
        drop = sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}")
        table = sql.SQL(name.sql)  # type: ignore[arg-type]
        try:
            session.execute(drop.format(table, sql.Identifier(check or "")))
        except psycopg.Error:
            return False
        self.notes.append(
            f"Check {check} of {name} was left aside: it refuses rows that live holds, "
            "because it reads what the copy has not."
        )
        return True


def _make_roles(session: Session, roles: Iterable[str]) -> None:
    """Make the roles that are not there."""
    there = {role for (role,) in session.execute("SELECT rolname FROM pg_roles")}
    for role in sorted(set(roles) - there):
        session.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(role)))


def _expect_table(session: Session, name: TableName, refused: Sequence[str]) -> None:
    """Make sure that a table could be made.

    Raises:
        RecoveryError: it could not.
    """
    found = session.execute("SELECT to_regclass(%s)", [name.sql]).fetchone()
    if found != (None,):
        return
    why = refused[0] if refused else "its definition failed"
    raise RecoveryError(
        f"Table {name} cannot be made on the scratch PostgreSQL: {why}.",
        "It may need an extension that the scratch server lacks. "
        "Point FORENSICS_PGBIN to an installation that has it.",
    )


# --- the backup -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class BackupCopy:
    """The backup, restored into a scratch database.

    Attributes:
        scratch, database: where it is. Nobody is connected to it.
        backup: what was restored, open.
        seconds: how long restoring it took.
        short: what went wrong with tables, a sentence each: they or their rows are not there.
        notes: what else could not be made.
    """

    scratch: Scratch
    database: str
    backup: Source
    seconds: float
    short: tuple[str, ...]
    notes: tuple[str, ...]


@contextmanager
def backup_copy(
    scratch: Scratch,
    backup: Source,
    ddl: Sequence[str],
    tables: Collection[TableName] | None = None,
    tell: Tell = silent,
) -> Iterator[BackupCopy]:
    """Restore a backup through the kit's own reader.

    Definitions are made first, then rows go in by COPY, then keys, indexes and foreign keys
    are made.

    Args:
        scratch: the server.
        backup: the backup, open.
        ddl: its statements; empty where it is a database that no pg_dump could read.
        tables: whose rows are wanted; None for all, and then foreign keys are checked against
            them.
        tell: is told how far it is.

    Raises:
        ScratchError: the database cannot be made.
        BackupError: the backup's rows cannot be read.
    """
    catalog = backup.catalog
    names = [table.name for table in catalog.roots]
    chosen = names
    if tables is not None:
        chosen = [name for name in names if name in tables]
    statements = list(ddl)
    if not statements:
        made = definitions((), catalog, Catalog(), names).statements
        statements = [definition.sql for definition in made]
    with Replay(scratch, timeout="0") as copy:
        started = time.monotonic()
        tell("restoring the backup's definitions")
        copy.build(statements, catalog.extensions)
        short: list[str] = []
        for n, name in enumerate(chosen, 1):
            tell("restoring the backup's rows", f"{name}, table {n} of {len(chosen)}")
            short += _fill_from(backup, copy, name)
        tell("restoring the backup's keys, indexes and foreign keys")
        copy.finish(checked=tables is None)
        seconds = time.monotonic() - started
        copy.end_session()
        notes = tuple(copy.notes[:_NOTES])
        yield BackupCopy(scratch, copy.database, backup, seconds, tuple(short), notes)


def _fill_from(backup: Source, copy: Replay, name: TableName) -> Iterator[str]:
    """Put a table's rows in; yield what went wrong, a sentence each."""
    if not copy.has(name):
        why = copy.unbuilt.get(name, "its definition failed")
        yield f"Table {name} cannot be made: {why}."
        return
    for segment in backup.segments(name, _stored(backup.catalog.tables[name])):
        words = copy.load(name, segment.columns, segment.blocks())
        if words:
            yield f"Rows of {name} do not go in: {words}. {advice(words) or ''}".rstrip()
