"""A table whose rows are followed, how it stands, and how SQL speaks of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from psycopg import sql

from forensics.cause.replay.database import SCHEMA
from forensics.model import TableName

# Columns of our own beside a table's; a column of the table that is called so gets another name.
_NUMBER, _TAKEN, _REPEATS, _MARKS = "number", "taken by", "repeats", "marks"
_OWN = (_NUMBER, _TAKEN, _REPEATS, _MARKS)
NUMBER = sql.Identifier(_NUMBER)
TAKEN = sql.Identifier(_TAKEN)
REPEATS = sql.Identifier(_REPEATS)
MARKS = sql.Identifier(_MARKS)


@dataclass(frozen=True)
class Shape:
    """How a table stands: two that are equal have the same rows and the same columns.

    Attributes:
        oid: the table's; None where none bears the name, nor the one that bore it is left.
        kind: its letter in `pg_class`.
        table: what it is called.
        named: whether it bears the name that is asked for.
        written: by file, how many rows the transaction wrote.
        columns: number, name and type of each.
    """

    oid: int | None
    kind: str | None
    table: TableName | None
    named: bool
    written: tuple[str, ...]
    columns: tuple[tuple[int, str, str], ...]

    @classmethod
    def of(cls, row: dict[str, Any]) -> Shape:
        """The shape that a row of `shapes.sql` says."""
        columns = [tuple(column) for column in row["columns"] or ()]
        table = None
        if row["oid"] is not None:
            table = TableName(row["schema"], row["table"])
        written = tuple(row["written"] or ())
        return cls(row["oid"], row["kind"], table, row["named"], written, tuple(columns))

    @property
    def names(self) -> dict[int, str]:
        """By number, the name of each column."""
        return {number: name for number, name, _ in self.columns}

    @property
    def types(self) -> dict[str, str]:
        """By name, the type of each column."""
        return {name: kind for _, name, kind in self.columns}

    @property
    def numbers(self) -> dict[str, int]:
        """By name, the number of each column."""
        return {name: number for number, name, _ in self.columns}


NOWHERE = Shape(None, None, None, False, (), ())


@dataclass
class Watched:
    """A table whose rows are followed.

    Attributes:
        name: the table, as it was called in the backup.
        key: the columns that tell its rows apart; () for a table without such.
        columns: the columns of the rows that are followed.
        values: columns whose values are counted too, because live does not have them any more.
        changed: the columns whose values are compared with themselves, where live's differ.
        number: its place among those that are followed.
        oid: the very table, whatever it is called later.
        places: by column, its number in that table.
        held: by column of `values`, the values that are left.
        types: by column, its type at first.
        away: by column of `changed` whose name another column has, or none, the step since which.
        blind: whether changed rows cannot be told apart as it stands.
        unseen: changed rows that were not there at first.
        zoned: the columns of `changed` that a cast changed by a time zone nobody knows.
        shape: how it stood when it was looked at last.
    """

    name: TableName
    key: tuple[str, ...]
    columns: tuple[str, ...]
    values: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    number: int = 0
    oid: int | None = None
    places: dict[str, int] = field(default_factory=dict)
    held: dict[str, int] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)
    away: dict[str, int] = field(default_factory=dict)
    blind: bool = False
    unseen: int = 0
    zoned: set[str] = field(default_factory=set)
    shape: Shape = NOWHERE

    @property
    def keep(self) -> sql.Identifier:
        """The table that holds the followed rows."""
        return sql.Identifier(SCHEMA, f"missing_{self.number}")

    @property
    def shadow(self) -> sql.Identifier:
        """The table that holds the changed rows as they were."""
        return sql.Identifier(SCHEMA, f"changed_{self.number}")

    @property
    def wanted(self) -> sql.Identifier:
        """The table that holds the keys of the changed rows."""
        return sql.Identifier(SCHEMA, f"keys_{self.number}")

    @property
    def rows(self) -> sql.Composed:
        """Its rows, for FROM: without tables that inherit from it, with its partitions."""
        table = sql.Identifier(*(self.shape.table or self.name))
        if self.shape.kind == "p":
            return sql.Composed([table])
        return sql.SQL("ONLY {}").format(table)

    def names(self) -> dict[str, str]:
        """What the backup's columns are called now; those that are gone are left out.

        In the same table by their number, in another of its name by their own.
        """
        current = self.shape.names
        if self.shape.oid != self.oid:
            return {name: name for name in current.values()}
        return {c: current[n] for c, n in self.places.items() if n in current}


def own(column: str) -> str:
    """A followed table's column as it is called in our tables, where it cannot clash with ours.

    63 bytes hold any name's end.
    """
    return column if column not in _OWN else column + " "


def owned(columns: Iterable[str]) -> list[str]:
    """A followed table's columns, as they are called in our tables."""
    return [own(column) for column in columns]


def own_columns(watched: Watched) -> list[str]:
    """The columns of `watched.keep` into which followed rows are copied."""
    return [_NUMBER, *owned(watched.columns)]


def marked_columns(watched: Watched) -> list[str]:
    """The columns of `watched.wanted` into which keys of changed rows are copied."""
    return [*owned(watched.key), _MARKS]


def aliased(columns: Sequence[str]) -> sql.Composed:
    """Columns of a table, under the names that they have in ours."""
    pairs = []
    for column in columns:
        name, ours = sql.Identifier(column), sql.Identifier(own(column))
        pairs.append(sql.SQL("{} AS {}").format(name, ours))
    return sql.SQL(", ").join(pairs)


def same(one: sql.Identifier, other: sql.Identifier) -> sql.Composed:
    """Whether two values are the same, in a way that can be hashed; NULL is the same as NULL."""
    text = "coalesce('v' || {}::text, 'n') = coalesce('v' || {}::text, 'n')"
    return sql.SQL(text).format(one, other)


def image(alias: str, columns: Iterable[str]) -> sql.Composed:
    """A whole row as one text that tells NULL from the empty string."""
    texts = [sql.SQL("{}::text").format(sql.Identifier(alias, c)) for c in columns]
    return sql.SQL("ROW({})::text").format(sql.SQL(", ").join(texts))
