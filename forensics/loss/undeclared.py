"""References that no key declares, of tables that links and rows are followed to.

Worked out once a run and kept in the case, so that recovery follows what loss followed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from forensics.errors import EvidenceError, is_lost
from forensics.loss.inference import NamedAfter
from forensics.loss.junctions import parent_of, plain_parent
from forensics.loss.workspace import Workspace
from forensics.model import Catalog, Parent, Table, TableName
from forensics.store import Store

_BY_NAME = "its name and type"


def find_undeclared(work: Workspace) -> dict[TableName, tuple[Parent, ...]]:
    """The undeclared references of the backup's tables of which rows differ; kept in the case."""
    wanted = []
    for name, result in sorted(work.results.items()):
        if result.missing or result.changed:
            wanted.append(name)
    named = NamedAfter(work.backup.catalog)
    found = _by_name(work.backup.catalog, wanted, named)
    for name in wanted:
        table = work.table("backup", name)
        if table is not None:
            more = tuple(_by_values(work, named, table))
            if more:
                found[name] = (*found.get(name, ()), *more)
    facts = []
    for name, parents in found.items():
        ends = [plain_parent(parent) for parent in parents]
        facts.append({"name": name, "parents": ends})
    work.store.put("undeclared", facts)
    return found


def undeclared(store: Store) -> dict[TableName, tuple[Parent, ...]]:
    """What a case knows of undeclared references, by table; by names alone without loss."""
    facts = store.get("undeclared")
    if facts is None:
        backup = store.catalogs()[0]
        return _by_name(backup, backup.tables, NamedAfter(backup))
    found: dict[TableName, tuple[Parent, ...]] = {}
    for fact in facts:
        found[TableName(**fact["name"])] = tuple(map(parent_of, fact["parents"]))
    return found


def _by_name(
    catalog: Catalog, names: Iterable[TableName], named: NamedAfter
) -> dict[TableName, tuple[Parent, ...]]:
    found = {}
    for name in names:
        parents = tuple(_of_table(named, catalog, name))
        if parents:
            found[name] = parents
    return found


def _of_table(named: NamedAfter, catalog: Catalog, name: TableName) -> Iterator[Parent]:
    table = catalog.tables.get(name)
    for column, other in named.of(table) if table else ():
        key = other.primary_key
        if key and len(key.columns) == 1:
            yield Parent(other.name, (column,), key.columns, False, _BY_NAME)


def _by_values(work: Workspace, named: NamedAfter, table: Table) -> list[Parent]:
    """What a table's columns refer to by all of their values."""
    try:
        return list(named.glued(work, table))
    except EvidenceError as error:
        if is_lost(error):
            raise
        return []  # a damaged backup: comparing the table said so already
