"""What refers to what: declared references, and those that inference knows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from forensics.loss.inference import NamedAfter
from forensics.loss.junctions import parent_of
from forensics.loss.undeclared import undeclared
from forensics.model import Catalog, ForeignKey, Parent, Table, TableName
from forensics.store import Store


@dataclass(frozen=True)
class Edge:
    """Columns of one table that name rows of another.

    Attributes:
        declared: whether a foreign key says so.
        when: the column and the value by which a row says that it means this parent.
    """

    child: TableName
    columns: tuple[str, ...]
    parent: TableName
    parent_columns: tuple[str, ...]
    declared: bool = True
    when: tuple[str, str] | None = None

    @property
    def needs(self) -> tuple[str, ...]:
        """The columns of the child that are looked at."""
        if self.when:
            return (*self.columns, self.when[0])
        return self.columns


def edges(store: Store) -> tuple[Edge, ...]:
    """Return every reference between the backup's tables, declared ones first."""
    backup, live = store.catalogs()
    ends = _ends(store)
    inferred = undeclared(store)
    named = NamedAfter(backup)
    found: dict[tuple[object, ...], Edge] = {}
    for table in backup.roots:
        own = list(_declared(table, backup))
        if table.name in live.tables:
            own += _declared(live.tables[table.name], backup)
        guessed = [*ends.get(table.name, ()), *inferred.get(table.name, ())]
        guessed += _by_name(named, table)
        own += _inferred(table, guessed, {edge.columns for edge in own}, backup)
        for edge in own:
            if _holds(edge, backup):
                found.setdefault((edge.child, edge.columns, edge.parent, edge.when), edge)
    return tuple(found.values())


def _declared(table: Table, backup: Catalog) -> Iterator[Edge]:
    for key in table.foreign_keys:
        parent = backup.root(key.parent)
        yield Edge(table.name, key.columns, parent, _referenced(key, backup, parent))


def _referenced(key: ForeignKey, backup: Catalog, parent: TableName) -> tuple[str, ...]:
    """The parent's columns: a dump may leave them out where they are its primary key."""
    table = backup.tables.get(parent)
    if key.parent_columns or table is None or table.primary_key is None:
        return key.parent_columns
    return table.primary_key.columns


def _ends(store: Store) -> dict[TableName, list[Parent]]:
    """What junction tables link, as `loss` found it, references to several tables among it."""
    found = {}
    for entry in store.get("junctions") or ():
        found[TableName(**entry["name"])] = [*map(parent_of, entry["parents"])]
    return found


def _by_name(named: NamedAfter, table: Table) -> Iterator[Parent]:
    """What columns of a table refer to of which no row differs, so that nobody asked before."""
    for column, other in named.of(table):
        key = other.primary_key
        if key and len(key.columns) == 1:
            yield Parent(other.name, (column,), key.columns, declared=False)


def _inferred(
    table: Table, guessed: list[Parent], known: set[tuple[str, ...]], backup: Catalog
) -> Iterator[Edge]:
    """The undeclared references of a table, of each column what was found first."""
    plain = set(known)  # columns that mean one table whatever else stands in the row
    by_kind: set[tuple[str, ...]] = set()
    for end in guessed:
        if end.columns in plain or (end.when is None and end.columns in by_kind):
            continue
        if end.when is None:
            plain.add(end.columns)
        else:
            by_kind.add(end.columns)
        parent = backup.root(end.name)
        yield Edge(table.name, end.columns, parent, end.parent_columns, False, end.when)


def _holds(edge: Edge, backup: Catalog) -> bool:
    """Whether both tables have the columns that a reference names."""
    child, parent = backup.tables.get(edge.child), backup.tables.get(edge.parent)
    if child is None or parent is None or not edge.parent_columns:
        return False
    if len(edge.columns) != len(edge.parent_columns):
        return False
    there = all(child.column(name) for name in edge.needs)
    return there and all(parent.column(name) for name in edge.parent_columns)
