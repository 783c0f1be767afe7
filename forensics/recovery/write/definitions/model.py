"""What makes some tables again, as the rest of the kit takes it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from forensics.model import TableName

Part = Literal["before", "after"]
ExtraKind = Literal["FUNCTION", "COLLATION", "EXTENSION"]


@dataclass(frozen=True)
class Definition:
    """One statement, without its semicolon.

    Attributes:
        part: whether it goes before the rows or after them.
        roles: the roles it names; it is passed over where one is not there.
        path: the search path that its unqualified names need, or "".
        lenient: it is tried, and a row in its way is a warning: a foreign key of a table that
            was not dropped.
        unless: an SQL condition under which it is passed over, because what it makes is there;
            or "".
    """

    sql: str
    part: Part
    roles: tuple[str, ...] = ()
    path: str = ""
    lenient: bool = False
    unless: str = ""


@dataclass(frozen=True)
class Incoming:
    """A foreign key by which a table that was not dropped referred to one that was."""

    table: TableName
    constraint: str


@dataclass(frozen=True)
class Extra:
    """Something else than a table that a table's definition names.

    Whether live has it, a catalogue of ours does not say.

    Attributes:
        kind, name: what DROP needs.
        there: an SQL condition that holds where it is there.
        of_rows: it is a function that takes rows of a returning table, and so goes with it.
    """

    kind: ExtraKind
    name: str
    there: str
    of_rows: bool = False


@dataclass(frozen=True)
class Definitions:
    """The statements for some tables.

    Attributes:
        statements: in order.
        made: the types that are made, as (kind, name), and what is made besides where it is not
            there: in the order of making, because either may stand on the other.
        sequences, schemas: what else is made besides tables, as SQL names; schemas only where
            they are not there.
        incoming: foreign keys of other tables that are tried again.
        views: views of the backup that stood on the tables; they are not made again.
        defaults: columns of other tables that draw from a returning sequence again.
        unvalidated: constraints that the backup had not validated either.
        lacks: in what the tables come back otherwise than the backup had them, a sentence each.
        without: the same as names: (table, a column that lost its default, or a foreign key).
    """

    statements: tuple[Definition, ...]
    made: tuple[tuple[str, str] | Extra, ...] = ()
    sequences: tuple[str, ...] = ()
    schemas: tuple[str, ...] = ()
    incoming: tuple[Incoming, ...] = ()
    views: tuple[str, ...] = ()
    defaults: tuple[tuple[TableName, str], ...] = ()
    unvalidated: frozenset[str] = frozenset()
    lacks: tuple[str, ...] = ()
    without: frozenset[tuple[TableName, str]] = frozenset()

    @property
    def extras(self) -> tuple[Extra, ...]:
        """What is made besides where it is not there."""
        return tuple(m for m in self.made if isinstance(m, Extra))

    @property
    def types(self) -> frozenset[str]:
        """The names of the types that are made."""
        return frozenset(m[1] for m in self.made if not isinstance(m, Extra))

    def of(self, part: Part) -> Iterator[Definition]:
        """The statements of one part."""
        for definition in self.statements:
            if definition.part == part:
                yield definition
