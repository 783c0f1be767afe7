"""Follows rows: puts them apart, and looks for them again after each statement."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import psycopg
from psycopg import sql

from forensics.cause.replay.changes import Changes
from forensics.cause.replay.database import Database, listed, query_of, words_of
from forensics.cause.replay.watched import (
    NUMBER,
    REPEATS,
    TAKEN,
    Shape,
    Watched,
    aliased,
    image,
    own,
    own_columns,
    owned,
    same,
)
from forensics.model import TableName

_NEVER = sql.SQL("false")
_AND = sql.SQL(" AND ")


@dataclass(frozen=True)
class Effect:
    """What one step did to one column of a table.

    Attributes:
        step: the step's number; 0 before the first.
        values: values of a dropped column that went; below zero, that came.
    """

    step: int
    name: TableName
    column: str
    values: int


class Following:
    """The tables whose rows are followed.

    Attributes:
        effects: what steps did to columns, in order.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._changes = Changes(database)
        self._watched: list[Watched] = []
        self.effects: list[Effect] = []

    # --- what is followed ------------------------------------------------------------------------

    def watch(
        self, watched: Watched, missing: Iterable[bytes] | None, changed: Iterable[bytes]
    ) -> str | None:
        """Follow rows of a table; as `Replay.watch`."""
        watched.number = len(self._watched)
        (shape,) = self._shapes([watched])
        numbers = shape.numbers
        for column in (*watched.columns, *watched.key):
            if column not in numbers:
                return f"the scratch database has no column {column}"
        if not shape.named:
            return "the scratch database has no such table"
        watched.oid, watched.places, watched.shape = shape.oid, numbers, shape
        try:
            words = self._keep_apart(watched, missing, changed)
        except psycopg.Error as error:
            words = words_of(error)
        if words:
            return words
        self._watched.append(watched)
        for column in watched.values:
            watched.held[column] = self._held(watched, column)
        self._lay_rows(watched, watched.names(), 0)
        return None

    def _keep_apart(
        self, watched: Watched, missing: Iterable[bytes] | None, changed: Iterable[bytes]
    ) -> str | None:
        self._database.execute(
            query_of("keep").format(
                keep=watched.keep,
                number=NUMBER,
                taken=TAKEN,
                repeats=REPEATS,
                columns=aliased(watched.columns),
                table=sql.Identifier(*watched.name),
            )
        )
        if missing is None:
            self._database.execute(
                sql.SQL(
                    "INSERT INTO {} SELECT row_number() OVER (), NULL, NULL, {} FROM {}"
                ).format(watched.keep, listed(watched.columns), watched.rows)
            )
        else:
            words = self._database.copy_in(watched.keep, own_columns(watched), missing)
            if words:
                return words
        if watched.changed:
            words = self._changes.keep(watched, changed)
            if words:
                return words
        if not watched.key:
            self._note_repeats(watched)
        return None

    def _note_repeats(self, watched: Watched) -> None:
        """For rows without a key: how often their like is in the table."""
        self._database.execute(
            query_of("repeats").format(
                keep=watched.keep,
                repeats=REPEATS,
                image=image("t", watched.columns),
                rows=watched.rows,
                own=image("w", owned(watched.columns)),
            )
        )

    # --- after each statement --------------------------------------------------------------------

    def note_shapes(self) -> None:
        """Note how the tables stand, before a statement."""
        for watched, shape in self._standing():
            watched.shape = shape

    def recount(self, step: int) -> None:
        """Look at the tables that do not stand as they did, and lay what went at a step."""
        for watched, shape in self._standing():
            if shape != watched.shape:
                before, watched.shape = watched.shape, shape
                self._look(watched, before, step)

    def finish(self) -> None:
        """Look once more at what can only be told at the end."""
        for watched in self._watched:
            if watched.changed:
                self._changes.finish(watched)

    def _standing(self) -> Iterator[tuple[Watched, Shape]]:
        return zip(self._watched, self._shapes(self._watched), strict=True)

    def _shapes(self, watched: Iterable[Watched]) -> list[Shape]:
        names, oids = [], []
        for one in watched:
            names.append(one.name.sql)
            oids.append(one.oid)
        asked = {"names": names, "oids": oids}
        found = self._database.execute(query_of("shapes"), asked).fetchall()
        return [Shape.of(row) for row in found]

    def _look(self, watched: Watched, before: Shape, step: int) -> None:
        """Look for a table's followed rows, values and changes, as it stands now."""
        self._lay_rows(watched, watched.names(), step)
        for column in watched.values:
            self._count_values(watched, column, step)
        if watched.changed:
            self._changes.look(watched, before, step)

    def _lay_rows(self, watched: Watched, names: Mapping[str, str], step: int) -> None:
        """Lay the followed rows that went at a step; those that came back are at none."""
        there = _there(watched, names)
        self._database.execute(
            sql.SQL("UPDATE {} w SET {} = {} WHERE {} IS NULL AND NOT ({})").format(
                watched.keep, TAKEN, sql.Literal(step), TAKEN, there
            )
        )
        self._database.execute(
            sql.SQL("UPDATE {} w SET {} = NULL WHERE {} IS NOT NULL AND {}").format(
                watched.keep, TAKEN, TAKEN, there
            )
        )

    def _count_values(self, watched: Watched, column: str, step: int) -> None:
        there = 0
        if watched.shape.named and column in watched.shape.numbers:
            there = self._held(watched, column)
        before = watched.held[column]
        if there != before:
            self.effects.append(Effect(step, watched.name, column, before - there))
            watched.held[column] = there

    def _held(self, watched: Watched, column: str) -> int:
        """How many values a column holds now."""
        query = sql.SQL("SELECT count({}) FROM {}").format(sql.Identifier(column), watched.rows)
        return self._database.number(query)


def _there(watched: Watched, names: Mapping[str, str]) -> sql.Composable:
    """The condition that followed row `w` is in the table now."""
    if not watched.shape.named or any(k not in names for k in watched.key):
        return _NEVER
    if watched.key:
        pairs = []
        for column in watched.key:
            now, kept = sql.Identifier("t", names[column]), sql.Identifier("w", own(column))
            pairs.append(same(now, kept))
        exists = sql.SQL("EXISTS (SELECT 1 FROM {} t WHERE {})")
        return exists.format(watched.rows, _AND.join(pairs))
    columns = [c for c in watched.columns if c in names]
    if not columns and watched.columns:
        return _NEVER
    return query_of("like_is_there").format(
        number=NUMBER,
        repeats=REPEATS,
        own=image("x", owned(columns)),
        keep=watched.keep,
        image=image("t", [names[c] for c in columns]),
        rows=watched.rows,
    )
