"""Tables one above the other, and partitions that return to a table that is there."""

from __future__ import annotations

from collections.abc import Iterator, Set
from dataclasses import dataclass

from forensics.model import Catalog, TableName


def above(catalog: Catalog, name: TableName) -> Iterator[TableName]:
    """A table and those that it is a partition of, one above the other."""
    one: TableName | None = name
    while one is not None:
        table = catalog.tables.get(one)
        if table is None:
            return
        yield one
        one = table.parent


@dataclass(frozen=True)
class Partitions:
    """Partitions that return to a table that is there.

    They are attached when they are whole, because PostgreSQL would otherwise make keys and
    indexes of its own for them.

    Attributes:
        tops: those whose parent is there.
        inner: these, and all that returns below them.
        over: the tables that stand above them, and are there.
    """

    tops: frozenset[TableName]
    inner: frozenset[TableName]
    over: frozenset[TableName]


def partitions(backup: Catalog, wanted: Set[TableName]) -> Partitions:
    """Find the partitions among the tables that return."""
    tops: set[TableName] = set()
    over: set[TableName] = set()
    for name in wanted:
        parent = backup.tables[name].parent
        if parent and parent not in wanted:
            tops.add(name)
            over.update(above(backup, name))
    inner: set[TableName] = set()
    for name in wanted:
        if not tops.isdisjoint(above(backup, name)):
            inner.add(name)
    return Partitions(frozenset(tops), frozenset(inner), frozenset(over - wanted))
