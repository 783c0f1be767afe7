"""Tables that live has under another name, and keys that it has in another column: such a parent is not gone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from forensics.errors import LiveError
from forensics.loss.names import family
from forensics.loss.workspace import Workspace
from forensics.model import Parent, Table, TableName

_ALIKE = 0.7  # of the columns of both
_CONTAINED = 0.5  # of the old keys
_FORMER = re.compile(
    r"(^|_)(old|legacy|former|previous|prev|orig(inal)?|int(eger)?|num(eric)?)_", re.I
)
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
        named = next(
            (n for n in _by_reference(work, old.name) if n in new and n not in found.values()), None
        )
        if named is None:
            named = next(
                (
                    t.name
                    for t in _alike(work, old)
                    if t.name in new and t.name not in found.values()
                ),
                None,
            )
        if named is not None:
            found[old.name] = named
    return found


def rekeyed(work: Workspace, parents: Iterable[Parent]) -> dict[Parent, tuple[str, ...]]:
    """Return, by parent, the column of live that holds the keys of its rows, where they got new keys since.

    None of a parent's old keys is left in the column that held them, and a new column holds half and more of them, in rows
    that say the same besides; or a column whose name says that it holds what was the key.
    """
    found: dict[Parent, tuple[str, ...]] = {}
    for parent in dict.fromkeys(parents):
        name = work.live_name(parent.name)
        old = work.backup.catalog.tables.get(parent.name)
        live = work.table("live", name) if name else None
        if (
            live is None
            or old is None
            or len(parent.parent_columns) != 1
            or not work.holds("live", live.name)
        ):
            continue
        column = next(
            (old_key for old_key in old.columns if old_key.name == parent.parent_columns[0]), None
        )
        result = work.result(parent.name)
        whole = work.kept("backup", parent.name)
        if (
            column is None
            or whole is None
            or result is None
            or (result.missing or 0) < (result.backup_rows or 1)
        ):
            continue
        if _holds_the_keys(work, old, live, (column.name,), (column.name,)):
            continue
        said = [
            c.name
            for c in old.columns
            if c != column and not c.generated and (n := live.column(c.name)) and n.type == c.type
        ]
        kind = family(column.type, work.backup.catalog)
        for new in live.columns:
            if (
                new.generated
                or old.column(new.name) is not None
                or family(new.type, work.live.catalog) != kind
            ):
                continue
            told = [] if _FORMER.search(new.name) else said
            if (told or _FORMER.search(new.name)) and _holds_the_keys(
                work, old, live, (column.name, *told), (new.name, *told)
            ):
                found[parent] = (new.name,)
                break
    return found


def _by_reference(work: Workspace, old: TableName) -> Iterator[TableName]:
    for table in work.backup.catalog.roots:
        live = work.table("live", table.name)
        for key in table.foreign_keys:
            if live and key.parent == old:
                yield from (
                    k.parent
                    for k in live.foreign_keys
                    if k.columns == key.columns and k.parent != old
                )


def _alike(work: Workspace, old: Table) -> Iterator[Table]:
    """New tables that look like an old one and hold its keys, the likest first."""
    key = old.primary_key
    if (
        key is None
        or not work.kept("backup", old.name)
        or not work.fields("backup", old.name, key.columns)
    ):
        return
    ours = {(c.name, c.type) for c in old.columns if not c.generated}
    candidates = []
    for table in work.live.catalog.roots:
        if (
            table.name in work.backup.catalog.tables
            or table.primary_key is None
            or table.primary_key.columns != key.columns
        ):
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
        if work.holds("live", table.name) and _holds_the_keys(
            work, old, table, columns, columns, len(key.columns)
        ):
            yield table


def _holds_the_keys(
    work: Workspace,
    old: Table,
    new: Table,
    ours: Sequence[str],
    theirs: Sequence[str],
    width: int = 1,
) -> bool:
    """Whether half and more of an old table's rows stand in another, as far as columns tell; the first `width` are the key."""
    kept, fields = work.kept("backup", old.name), work.fields("backup", old.name, ours) or []
    if new.column(theirs[0]) is None:
        return False
    try:
        rows = work.read("live", new.name, theirs)
    except LiveError:
        return False  # what may not be read is no evidence; comparing it says why
    on = [
        f"m.{f} {'=' if i < width else 'IS NOT DISTINCT FROM'} k.c{i}" for i, f in enumerate(fields)
    ]
    all_, held = work.one(
        f"SELECT (SELECT count(*) FROM {kept}), (SELECT count(*) FROM {kept} m SEMI JOIN {rows} k ON {' AND '.join(on)})"
    )
    return bool(all_) and held >= _CONTAINED * all_
