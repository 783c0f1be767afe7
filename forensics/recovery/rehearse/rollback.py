"""The roll back, rehearsed: the schema change is undone on a copy of live, and rows counted.

Afterwards the migrations may run once more, to see whether they make the schema again.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import psycopg

from forensics.compare.schema import drift
from forensics.evidence.live.source import LiveSource
from forensics.evidence.migrations import Migration
from forensics.model import Catalog, Table, TableName
from forensics.recovery.choose.price import few
from forensics.recovery.proof import Proof, Tell, off, silent
from forensics.recovery.queries import filled
from forensics.recovery.rehearse.copies import LiveCopy
from forensics.recovery.rehearse.images import Images, Shape
from forensics.recovery.rehearse.session import (
    Session,
    one,
    pinned_session,
    run,
    run_migration,
    words_of,
)
from forensics.recovery.relations import rows_of
from forensics.recovery.write.rollback import Step, Undoing
from forensics.text import counted

_NOTES = 8


@dataclass(frozen=True)
class Again:
    """Migrations that are to make the schema once more.

    They run in order; `schema` is where names without a schema lead.
    """

    migrations: tuple[Migration, ...]
    schema: str


def rehearse_rollback(
    copy: LiveCopy,
    catalogs: tuple[Catalog, Catalog],
    undo: Undoing,
    said: tuple[int, int],
    again: Again | None = None,
    tell: Tell = silent,
) -> Proof:
    """Undo the schema change on a copy of live.

    Args:
        copy: live's schema, with the rows of `undo.rows`; it is changed.
        catalogs: the backup's and live's.
        undo: what undoes the change.
        said: how many rows the option says that it destroys, and how many that go besides are
            the accident's own.
        again: migrations to run afterwards; None runs none.
        tell: is told how far it is.
    """
    return _Rehearsal(copy, catalogs, undo, tell).run(said, again)


@dataclass(frozen=True)
class _Taken:
    """What undoing the change took.

    Attributes:
        now: the tables that are there.
        gone: rows of tables that went; `lost` those of others that lost a value.
        back: rows of tables that returned.
        seconds: how long it took.
    """

    now: Shape
    gone: int
    lost: int
    back: int
    seconds: float


class _Rehearsal:
    def __init__(
        self,
        copy: LiveCopy,
        catalogs: tuple[Catalog, Catalog],
        undo: Undoing,
        tell: Tell,
    ) -> None:
        self._scratch, self._database = copy.scratch, copy.database
        self._backup, self._live = catalogs
        self._undo, self._tell = undo, tell
        self._notes: list[str] = []
        self._lacks: list[str] = []
        self._done: list[str] = []

    def run(self, said: tuple[int, int], again: Again | None) -> Proof:
        with pinned_session(self._scratch, self._database) as session:
            taken = self._take_all(session)
        destroys = taken.gone + taken.lost - said[1]
        checks = self._checks(taken)
        if again is not None and again.migrations:
            checks.append(self._again(again))
        return Proof(
            taken.back,
            destroys,
            round(taken.seconds, 3),
            tuple(checks),
            (*off(0, taken.back, "recovers"), *off(said[0], destroys, "destroys")),
            _shown(self._notes),
            tuple(self._done),
            _shown(self._lacks),
        )

    def _take_all(self, session: Session) -> _Taken:
        """Undo the change, and count the rows that it takes."""
        change = self._undo.change
        self._tell("counting the rows that a roll back takes")
        held = {name: self._rows(session, name) for name in change.new}
        images = Images(session, self._live, change)
        self._tell("undoing the schema change on the copy")
        session.execute("BEGIN")
        session.execute("SET LOCAL check_function_bodies = off")
        seconds = self._take(session, self._undo.steps)
        now = _shape(session)
        gone = back = 0
        for name, rows in held.items():
            if name not in now:
                gone += rows
        lost = images.lost(now)
        seconds += self._take(session, self._undo.last)
        session.execute("COMMIT")
        for name in change.again:
            if name in now:
                back += self._rows(session, name)
        return _Taken(now, gone, lost, back, seconds)

    def _take(self, session: Session, steps: Sequence[Step]) -> float:
        """Run steps, and keep which are refused. Return the seconds that it took."""
        started = time.monotonic()
        for step in steps:
            text, words = self._first_that_goes(session, step)
            if text is not None:
                self._done.append(text)
            if words:
                self._lacks.append(f"{step.what} ({words}).")
            elif text is None:
                self._notes.append(f"{step.what}.")
        return time.monotonic() - started

    def _first_that_goes(self, session: Session, step: Step) -> tuple[str | None, str]:
        """Run a step's texts, each in a savepoint, until one is not refused.

        Returns:
            That one, or None; and what was said against the first that was refused, or "".
        """
        words = ""
        for text in step.texts:
            session.execute("SAVEPOINT step")
            try:
                run(session, text)
            except psycopg.Error as error:
                words = words or words_of(error)
                session.execute("ROLLBACK TO SAVEPOINT step")
                continue
            session.execute("RELEASE SAVEPOINT step")
            return text, words
        return None, words

    def _rows(self, session: Session, name: TableName) -> int:
        table = self._live.tables.get(name) or self._backup.tables[name]
        return one(session, f"SELECT count(*) FROM {rows_of(table)}")

    # --- afterwards -----------------------------------------------------------------------

    def _checks(self, taken: _Taken) -> list[str]:
        """What was looked at, a sentence each."""
        change = self._undo.change
        went = {*change.new} - taken.now.keys()
        returned = {*change.again} & taken.now.keys()
        checks = [
            f"{counted(len(went), 'new table')} {_were(len(went))} gone with "
            f"{counted(taken.gone, 'row')}, and {counted(taken.lost, 'row')} of others had "
            "lost a value.",
            f"{counted(len(returned), 'dropped table')} {_were(len(returned))} there again, "
            f"with {counted(taken.back, 'row')}.",
        ]
        odd = list(self._differences(self._backup))
        if odd:
            self._lacks.append(f"Not as in the backup afterwards: {few(odd)}.")
        else:
            checks.append("Tables, columns, types, NOT NULL and defaults were the backup's again.")
        return checks

    def _differences(self, wanted: Catalog) -> Iterator[str]:
        """What of the tables that the case knows is not as in a catalogue."""
        with LiveSource(self._scratch.dsn(self._database), role="rehearsed") as source:
            now = source.catalog.tables
        change = self._undo.change
        both = self._backup.tables.keys() & self._live.tables.keys()
        for name in sorted({*change.new, *change.again, *both}):
            yield from _differs(name, wanted.tables.get(name), now.get(name))

    def _again(self, again: Again) -> str:
        """Run the migrations once more; say what came of it."""
        for migration in again.migrations:
            self._tell("running the migrations again", migration.name)
            text = migration.applied.decode("utf-8-sig")
            words = run_migration(self._scratch, self._database, text, again.schema)
            if words:
                return f"{migration.name} does not run again afterwards: {words}."
        odd = list(self._differences(self._live))
        if odd:
            return (
                "The migrations ran again afterwards, and what they make is not live's schema: "
                f"{few(odd)}."
            )
        return "The migrations ran again afterwards, and made live's tables and columns again."


def _shown(said: Sequence[str]) -> tuple[str, ...]:
    """Some sentences, and how many there are besides."""
    if len(said) <= _NOTES:
        return tuple(said)
    return (*said[:_NOTES], f"And {len(said) - _NOTES} more like these.")


def _differs(name: TableName, ours: Table | None, theirs: Table | None) -> Iterator[str]:
    """What of a table is not as in a catalogue."""
    if ours is None or theirs is None:
        if ours is not theirs:
            yield f"table {name}"
    elif ours.kind in ("table", "partitioned"):
        for change in drift(ours, theirs):
            yield f"{name}.{change.column} ({change.change})"


def _shape(session: Session) -> Shape:
    """The tables of the open transaction, each with its columns and their types."""
    found: Shape = {}
    there = run(session, filled("rehearse", "tables")).fetchall()
    for schema, table, column, kind in there:
        columns = found.setdefault(TableName(schema, table), {})
        if column is not None:
            columns[column] = kind
    return found


def _were(number: int) -> str:
    return "was" if number == 1 else "were"
