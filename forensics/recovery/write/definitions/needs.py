"""What is to return, and all that it needs besides."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from forensics.model import Catalog, Sequence, TableName
from forensics.recovery.write.definitions.types import type_text


@dataclass(frozen=True)
class Sides:
    """Both catalogues."""

    backup: Catalog
    live: Catalog


@dataclass(frozen=True)
class Needs:
    """What is to return, and what is made with it.

    Attributes:
        tables: with their partitions.
        types: types of the backup's own that have to be made.
        sequences: those that the tables own or draw from.
        schemas: those in which live has nothing.
        collations, functions: what the definitions of the tables name; functions by signature.
        extensions: those that may bring what else they name.
    """

    tables: frozenset[TableName]
    types: frozenset[str]
    sequences: frozenset[TableName]
    schemas: tuple[str, ...] = ()
    collations: frozenset[TableName] = frozenset()
    functions: frozenset[str] = frozenset()
    extensions: tuple[str, ...] = ()


def schemas_needed(live: Catalog, names: Iterable[TableName]) -> tuple[str, ...]:
    """The schemas of names in which live has nothing, as far as its tables and sequences tell."""
    needed = {name.schema for name in names}
    for table in live.tables:
        needed.discard(table.schema)
    for sequence in live.sequences:
        needed.discard(sequence.name.schema)
    return tuple(sorted(needed))


def sequences_needed(sides: Sides, tables: Iterable[TableName]) -> frozenset[TableName]:
    """Sequences that tables own or draw from, and that live does not have.

    Those of identity columns come by themselves.
    """
    wanted = {*tables}
    defaults = _defaults(sides.backup, wanted)
    there = {s.name for s in sides.live.sequences}
    needed: set[TableName] = set()
    for sequence in sides.backup.sequences:
        if sequence.owner and sequence.owner[0] in wanted:
            if not _of_identity(sides.backup, sequence):
                needed.add(sequence.name)
        elif drawn_from(sequence.name) in defaults:
            needed.add(sequence.name)
    return frozenset(needed - there)


def drawn_from(sequence: TableName) -> str:
    """What stands in the default of a column that draws from a sequence."""
    return f"'{type_text(sequence)}'"


def _defaults(backup: Catalog, tables: Iterable[TableName]) -> str:
    """All defaults of tables, as one text to look in."""
    found: list[str] = []
    for name in tables:
        for column in backup.tables[name].columns:
            found.append(column.default or "")
    return " ".join(found)


def _of_identity(backup: Catalog, sequence: Sequence) -> bool:
    if sequence.owner is None:
        return False
    table, name = sequence.owner
    column = backup.tables[table].column(name)
    return bool(column and column.identity)
