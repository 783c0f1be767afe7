"""Tables that live has under another name: a parent that was renamed is not gone."""

from __future__ import annotations

from collections.abc import Iterator

from forensics.errors import LiveError
from forensics.loss.workspace import Workspace, same
from forensics.model import Table, TableName

_ALIKE = 0.7  # of the columns of both
_CONTAINED = 0.5  # of the old keys


def renames(work: Workspace) -> dict[TableName, TableName]:
    """Return, by the name in the backup, what live calls a table that it has under another name.

    A table that is gone from live is another that is new there, where a foreign key that both sides have refers to the
    one here and to the other there, or where both have the same primary key and mostly the same columns, and half and
    more of the old keys stand in the new table.
    """
    gone = [t for t in work.backup.catalog.roots if work.table("live", t.name) is None]
    new = {t.name for t in work.live.catalog.roots if t.name not in work.backup.catalog.tables}
    found: dict[TableName, TableName] = {}
    for old in gone:
        named = next((n for n in _by_reference(work, old.name) if n in new and n not in found.values()), None)
        if named is None:
            named = next((t.name for t in _alike(work, old) if t.name in new and t.name not in found.values()), None)
        if named is not None:
            found[old.name] = named
    return found


def _by_reference(work: Workspace, old: TableName) -> Iterator[TableName]:
    for table in work.backup.catalog.roots:
        live = work.table("live", table.name)
        for key in table.foreign_keys:
            if live and key.parent == old:
                yield from (k.parent for k in live.foreign_keys if k.columns == key.columns and k.parent != old)


def _alike(work: Workspace, old: Table) -> Iterator[Table]:
    """New tables that look like an old one and hold its keys, the likest first."""
    ours, key = {(c.name, c.type) for c in old.columns}, old.primary_key
    kept = work.kept("backup", old.name)
    fields = work.fields("backup", old.name, key.columns) if key else None
    if key is None or not kept or not fields:
        return
    likeness = {}
    for table in work.live.catalog.roots:
        theirs = {(c.name, c.type) for c in table.columns}
        if table.name not in work.backup.catalog.tables and table.primary_key and table.primary_key.columns == key.columns:
            likeness[table.name] = len(ours & theirs) / max(len(ours | theirs), 1)
    for name in sorted((n for n, share in likeness.items() if share >= _ALIKE), key=lambda n: (-likeness[n], n)):
        if not work.holds("live", name):
            continue
        try:
            keys = work.read("live", name, key.columns)
        except LiveError:
            continue  # what may not be read is no evidence; comparing it says why
        on = same([f"m.{f}" for f in fields], [f"k.c{i}" for i in range(len(fields))])
        rows, held = work.one(f"SELECT (SELECT count(*) FROM {kept}), (SELECT count(*) FROM {kept} m SEMI JOIN {keys} k ON {on})")
        if rows and held >= _CONTAINED * rows:
            yield work.live.catalog.tables[name]
