"""What the user says of a table: that it is a junction table, or that it is none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from forensics.errors import UsageError
from forensics.model import Catalog, Parent, Table, TableName

_Parents = tuple[Parent, ...]


def overridden(
    found: Mapping[TableName, _Parents], catalog: Catalog, wishes: Mapping[str, Any]
) -> dict[TableName, _Parents]:
    """Return the junction tables that were found, but for what the user said otherwise.

    Args:
        found: by table, its parents.
        catalog: the backup's.
        wishes: "are", by table the (column, parent table) pairs of its links;
            "are_not", tables that are none.

    Raises:
        UsageError: a table or column that is named is not there, or the parent has no
            key of one column.
    """
    tables = _by_spelling(catalog)
    kept = dict(found)
    for spelled in wishes.get("are_not", ()):
        if spelled not in tables:
            raise UsageError(
                f"--no-junction names {spelled}, and the backup has no such table.",
                "Write --no-junction TABLE.",
            )
        kept.pop(tables[spelled].name, None)
    for spelled, links in wishes.get("are", {}).items():
        if spelled not in tables:
            raise UsageError(
                f"--junction names {spelled}, and the backup has no such table.",
                "Write --junction TABLE=COLUMN:PARENT,COLUMN:PARENT.",
            )
        kept[tables[spelled].name] = _given_parents(spelled, links, tables)
    return dict(sorted(kept.items()))


def _by_spelling(catalog: Catalog) -> dict[str, Table]:
    """The tables of a catalogue by every way in which people spell their names."""
    found = {}
    for name, table in catalog.tables.items():
        for spelled in (name.table, f"{name.schema}.{name.table}", str(name)):
            found[spelled] = table
    return found


def _given_parents(
    spelled: str, links: Sequence[tuple[str, str]], tables: Mapping[str, Table]
) -> _Parents:
    parents = []
    for column, parent in links:
        there, key = _key_of(parent, tables)
        is_there = tables[spelled].column(column) is not None
        if not is_there or there is None or not key:
            raise UsageError(
                f"--junction {spelled}: column {column} cannot be held against table {parent}.",
                "Name a column of the table, and a parent whose primary key is one column; "
                "PARENT.KEY names another unique key of it.",
            )
        given = Parent(there.name, (column,), key, declared=False, evidence="given")
        parents.append(given)
    return tuple(parents)


def _key_of(
    spelled: str, tables: Mapping[str, Table]
) -> tuple[Table | None, tuple[str, ...] | None]:
    """The table that a user means, and the columns of its key, if that is one.

    `PARENT` means its primary key; `PARENT.KEY` and `PARENT(KEY)` a unique one.
    """
    if table := tables.get(spelled):
        key = table.primary_key
        return table, key.columns if key and len(key.columns) == 1 else None
    named, _, column = spelled.removesuffix(")").rpartition("(" if "(" in spelled else ".")
    table = tables.get(named)
    if table is None:
        return None, None
    for key in table.keys:
        if key.columns == (column,):
            return table, key.columns
    return table, None
