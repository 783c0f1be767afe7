"""By which key of a parent the backup's links name its rows, where live declares another.

A column that held a text code holds the number of the same row by now: the foreign key of
live speaks of the number, the backup's rows of the code.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from forensics.errors import EvidenceError, is_lost
from forensics.loss.columns import has
from forensics.loss.names import family
from forensics.loss.workspace import Workspace
from forensics.model import Catalog, Column, Parent, Table, TableName

_Junctions = Mapping[TableName, tuple[Parent, ...]]
_MOSTLY = 0.5  # of the distinct values; the others may be orphans


def as_they_name(work: Workspace, found: _Junctions) -> dict[TableName, tuple[Parent, ...]]:
    """The junction tables, each undeclared parent by the key that the links' values are of."""
    every = {}
    for name, parents in found.items():
        table = work.backup.catalog.tables[name]
        every[name] = tuple(_by_its_key(work, table, parent) for parent in parents)
    return every


def _by_its_key(work: Workspace, table: Table, parent: Parent) -> Parent:
    """A parent of one column, by another key of it where the values are mostly of that."""
    there = work.backup.catalog.tables.get(parent.name)
    if parent.declared or there is None or len(parent.columns) != 1:
        return parent
    ours, key = table.column(parent.columns[0]), there.column(parent.parent_columns[0])
    if ours is None or key is None:
        return parent
    best, most = parent, _MOSTLY
    try:
        if _share(work, table, ours, there, key) >= _MOSTLY:
            return parent
        for other in single_keys(there):
            share = _share(work, table, ours, there, other)
            if share >= most:
                evidence = f"{share:.0%} of its values are {other.name} of {parent.name}"
                best = replace(parent, parent_columns=(other.name,), evidence=evidence)
                most = share
    except EvidenceError as error:
        if is_lost(error):
            raise
        return parent  # comparing the table said why
    return best


def single_keys(table: Table) -> Iterator[Column]:
    """The columns that are a unique key of a table each by itself."""
    for key in table.keys:
        column = table.column(key.columns[0])
        if len(key.columns) == 1 and column is not None and not column.generated:
            yield column


def _alike(catalog: Catalog, *columns: Column) -> bool:
    return len({family(column.type, catalog) for column in columns}) == 1


def _share(work: Workspace, table: Table, ours: Column, there: Table, key: Column) -> float:
    """Which share of a column's distinct values is keys of a table."""
    if not _alike(work.backup.catalog, ours, key):
        return 0.0
    if not work.holds("backup", table.name) or not work.holds("backup", there.name):
        return 0.0
    rows = work.read("backup", table.name, (ours.name,))
    keys = work.read("backup", there.name, (key.name,))
    known, all_ = work.one(
        f"""
        SELECT count(DISTINCT r.c0) FILTER (r.c0 IN (SELECT c0 FROM {keys})),
               count(DISTINCT r.c0)
          FROM {rows} r
        """
    )
    return known / all_ if all_ else 0.0


def names_otherwise(work: Workspace, parents: Sequence[Parent], live: Table) -> bool:
    """Whether a table of live names rows of a parent by other columns or another key."""
    return any(_named_otherwise(work, parent, live) for parent in parents)


def _named_otherwise(work: Workspace, parent: Parent, live: Table) -> bool:
    now = work.live_name(parent.name)
    stays = has(live, parent.columns)
    for key in live.foreign_keys:
        if key.parent != now or not key.parent_columns:
            continue
        if not stays:
            return True
        if key.columns == parent.columns and key.parent_columns != work.live_key(parent):
            return True
    return stays and bool(key_by_type(work, parent, live))


def key_by_type(work: Workspace, parent: Parent, live: Table) -> tuple[str, ...]:
    """The other key of a parent that a retyped column of live may hold; () where none is."""
    there = work.live_table(parent.name)
    if there is None or len(parent.columns) != 1:
        return ()
    column, key = live.column(parent.columns[0]), there.column(work.live_key(parent)[0])
    if column is None or key is None or _alike(work.live.catalog, column, key):
        return ()
    for other in single_keys(there):
        if _alike(work.live.catalog, column, other):
            return (other.name,)
    return ()
