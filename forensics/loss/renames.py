"""Tables that live has under another name: a parent that was renamed is not gone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from forensics.errors import LiveError
from forensics.loss.workspace import Workspace
from forensics.model import Table, TableName

_ALIKE = 0.7  # of the columns of both
_CONTAINED = 0.5  # of the old keys
_KEPT = 0.5  # of the old columns, where the rows say the same in them


def renames(work: Workspace) -> dict[TableName, TableName]:
    """Return, by the name in the backup, what live calls a table that it has under another name.

    A table that is gone from live is another that is new there, where a foreign key that both sides have refers to the
    one here and to the other there, or where both have the same primary key and mostly the same columns, and half and
    more of the old keys stand in the new table. Where columns came or went since, half and more of the old rows do, with
    what the columns of both say.
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
    key = old.primary_key
    if key is None or not work.kept("backup", old.name) or not work.fields("backup", old.name, key.columns):
        return
    ours = {(c.name, c.type) for c in old.columns if not c.generated}
    candidates = []
    for table in work.live.catalog.roots:
        if table.name in work.backup.catalog.tables or table.primary_key is None or table.primary_key.columns != key.columns:
            continue
        theirs = {(c.name, c.type) for c in table.columns if not c.generated}
        common = ours & theirs
        said = [name for name, _ in sorted(common) if name not in key.columns]
        likeness = len(common) / max(len(ours | theirs), 1)
        if likeness >= _ALIKE:
            candidates.append((likeness, table, key.columns))
        elif said and len(common) >= _KEPT * len(ours):
            candidates.append((likeness, table, (*key.columns, *said)))
    for _, table, columns in sorted(candidates, key=lambda c: (-c[0], c[1].name)):
        if work.holds("live", table.name) and _holds_the_rows(work, old, table, columns, len(key.columns)):
            yield table


def _holds_the_rows(work: Workspace, old: Table, new: Table, columns: Sequence[str], width: int) -> bool:
    """Whether half and more of an old table's rows stand in a new one, as far as `columns` tell; the first `width` are the key."""
    kept, fields = work.kept("backup", old.name), work.fields("backup", old.name, columns) or []
    try:
        rows = work.read("live", new.name, columns)
    except LiveError:
        return False  # what may not be read is no evidence; comparing it says why
    on = [f"m.{f} {'=' if i < width else 'IS NOT DISTINCT FROM'} k.c{i}" for i, f in enumerate(fields)]
    all_, held = work.one(f"SELECT (SELECT count(*) FROM {kept}), (SELECT count(*) FROM {kept} m SEMI JOIN {rows} k ON {' AND '.join(on)})")
    return bool(all_) and held >= _CONTAINED * all_
