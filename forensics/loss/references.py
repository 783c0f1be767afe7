"""References of ordinary tables that were overwritten: emptied, or made to name another row."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from forensics.documents import plain
from forensics.loss.junctions import declared_parents
from forensics.loss.workspace import Workspace
from forensics.model import Overwritten, Parent, TableName


def references(work: Workspace, junctions: Collection[TableName]) -> list[dict[str, Any]] | None:
    """Count the references that live no longer holds, by table and parent.

    Only those count that went with their parent's row or by a pattern that destroyed values:
    one that was moved to another parent by hand is a changed row.

    Args:
        work: the case, with its overwritten values.
        junctions: the junction tables, whose links are counted apart.

    Returns:
        One entry for each foreign key, declared or not, that lost some; None where overwritten
        values are not known.
    """
    entries = work.store.overwritten()
    if entries is None:
        return None
    destroyed: dict[TableName, dict[str, Overwritten]] = {}
    for entry in entries:
        if entry.destroyed and entry.name not in junctions:
            destroyed.setdefault(entry.name, {})[entry.column] = entry
    found = []
    for name, columns in sorted(destroyed.items()):
        for parent in _parents(work, name):
            column = next((column for column in parent.columns if column in columns), None)
            if column:
                found.append(_entry(work, name, parent, columns[column]))
    return found


def _parents(work: Workspace, name: TableName) -> list[Parent]:
    parents: dict[tuple[TableName, tuple[str, ...]], Parent] = {}
    for table in (work.table("backup", name), work.table("live", name)):
        if table:
            for parent in declared_parents(table):
                parents.setdefault((parent.name, parent.columns), parent)
    return [*parents.values(), *work.undeclared.get(name, ())]


def _entry(
    work: Workspace, name: TableName, parent: Parent, overwritten: Overwritten
) -> dict[str, Any]:
    number = work.number(name)
    ours = work.field("backup", name, overwritten.column)
    theirs = work.field("live", name, overwritten.column)
    keys = ", ".join(f"b.{field}" for field in work.fields("backup", name, parent.columns) or ())
    place = work.store.columns(name, "backup").index(overwritten.column)
    rows, emptied, hit = work.one(
        f"""
        SELECT count(*), count(*) FILTER (l.{theirs} IS NULL), count(DISTINCT ({keys}))
          FROM rows.overwritten_{number} o JOIN rows.backup_{number} b ON b.pair = o.pair
          JOIN rows.live_{number} l ON l.pair = o.pair
         WHERE o.place = {place} AND o.lost AND b.state = 'changed' AND l.state = 'changed'
           AND b.{ours} IS NOT NULL
        """
    )
    return {
        **plain(name),
        "columns": list(parent.columns),
        "parent": plain(parent.name),
        "declared": parent.declared,
        "rows": rows,
        "emptied": emptied,
        "repointed": rows - emptied,
        "affected": hit,
        "of": overwritten.of,
    }
