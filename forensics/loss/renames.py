"""Tables that live has under another name, and keys that it has in another column.

A parent whose table or key is only called otherwise is not gone.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from forensics.errors import LiveError, is_lost
from forensics.loss.names import family
from forensics.loss.sql import numbered, prefixed, same_link
from forensics.loss.workspace import Workspace
from forensics.model import Column, Key, Parent, Table, TableName

_ALIKE = 0.7  # of the columns of both
_CONTAINED = 0.5  # of the old keys
_FORMER = re.compile(
    r"(^|_)(old|legacy|former|previous|prev|orig(inal)?|int(eger)?|num(eric)?)_",
    re.I,
)
_KEPT = 0.5  # of the old columns, where the rows say the same in them


# --- tables -------------------------------------------------------------------------------------


def renames(work: Workspace) -> dict[TableName, TableName]:
    """Return, by the backup's name, what live calls a table by another name.

    A table that is gone from live is another that is new there, where a foreign key
    that both sides have refers to the one here and to the other there, or where both
    have the same primary key and mostly the same columns, and half and more of the old
    keys stand in the new table. Where columns came or went since, half and more of the
    old rows do, with what the columns of both say.
    """
    gone = [table for table in work.backup.catalog.roots if not work.table("live", table.name)]
    known = work.backup.catalog.tables
    new = {table.name for table in work.live.catalog.roots if table.name not in known}
    found: dict[TableName, TableName] = {}
    for old in gone:
        free = new.difference(found.values())
        named = _first_of(_by_reference(work, old.name), free)
        if named is None:
            named = _first_of(_alike(work, old), free)
        if named is not None:
            found[old.name] = named
    return found


def _first_of(names: Iterable[TableName], free: Collection[TableName]) -> TableName | None:
    for name in names:
        if name in free:
            return name
    return None


def _by_reference(work: Workspace, old: TableName) -> Iterator[TableName]:
    """What live's tables refer to where the backup's refer to the old table."""
    for table in work.backup.catalog.roots:
        live = work.table("live", table.name)
        if live is None:
            continue
        for key in table.foreign_keys:
            if key.parent != old:
                continue
            for other in live.foreign_keys:
                if other.columns == key.columns and other.parent != old:
                    yield other.parent


@dataclass(frozen=True)
class _Candidate:
    """A new table that looks like an old one, and what tells its rows, key first."""

    likeness: float
    table: Table
    columns: tuple[str, ...]

    @property
    def rank(self) -> tuple[float, TableName]:
        return (-self.likeness, self.table.name)


def _alike(work: Workspace, old: Table) -> Iterator[TableName]:
    """New tables that look like an old one and hold its keys, the likest first."""
    key = old.primary_key
    if key is None or not work.kept("backup", old.name):
        return
    if not work.fields("backup", old.name, key.columns):
        return
    candidates = []
    for table in work.live.catalog.roots:
        if table.name in work.backup.catalog.tables:
            continue
        if candidate := _candidate(old, key, table):
            candidates.append(candidate)
    candidates.sort(key=lambda candidate: candidate.rank)
    for candidate in candidates:
        name, columns = candidate.table.name, candidate.columns
        if not work.holds("live", name):
            continue
        kept = _Kept(old, columns, len(key.columns))
        if _holds(work, kept, candidate.table, columns):
            yield name


def _candidate(old: Table, key: Key, table: Table) -> _Candidate | None:
    if table.primary_key is None or table.primary_key.columns != key.columns:
        return None
    ours, theirs = _stored(old), _stored(table)
    common = ours & theirs
    likeness = len(common) / max(len(ours | theirs), 1)
    if likeness >= _ALIKE:
        return _Candidate(likeness, table, key.columns)
    said = [name for name, _ in sorted(common) if name not in key.columns]
    if said and len(common) >= _KEPT * len(ours):
        return _Candidate(likeness, table, (*key.columns, *said))
    return None


def _stored(table: Table) -> set[tuple[str, str]]:
    """Names and types of the columns that a table stores."""
    return {(column.name, column.type) for column in table.columns if not column.generated}


# --- keys ---------------------------------------------------------------------------------------


def rekeyed(work: Workspace, parents: Iterable[Parent]) -> dict[Parent, tuple[str, ...]]:
    """Return, by parent, the column of live that holds the keys that its rows had.

    None of a parent's old keys is left in the column that held them, and a new column
    holds half and more of them, in rows that say the same besides; or a column whose
    name says that it holds what was the key.
    """
    found: dict[Parent, tuple[str, ...]] = {}
    for parent in dict.fromkeys(parents):
        old = work.backup.catalog.tables.get(parent.name)
        live = work.live_table(parent.name)
        if live is None or old is None or len(parent.parent_columns) != 1:
            continue
        if not work.holds("live", live.name):
            continue
        column = old.column(parent.parent_columns[0])
        if column is None or not _all_missing(work, parent.name):
            continue
        key = _new_column(work, old, live, column)
        if key is not None:
            found[parent] = (key,)
    return found


def _all_missing(work: Workspace, name: TableName) -> bool:
    """Whether no row of a table that was compared is left in live."""
    result = work.result(name)
    if result is None or work.kept("backup", name) is None:
        return False
    return (result.missing or 0) >= (result.backup_rows or 1)


def _new_column(work: Workspace, old: Table, live: Table, column: Column) -> str | None:
    """The new column of live that holds what was an old table's key, or None."""
    name = column.name
    if _holds(work, _Kept(old, (name,)), live, (name,)):
        return None
    said = _said_by_both(old, live, column)
    kind = family(column.type, work.backup.catalog)
    for new in live.columns:
        if new.generated or old.column(new.name) is not None:
            continue
        if family(new.type, work.live.catalog) != kind:
            continue
        is_former = bool(_FORMER.search(new.name))
        told = [] if is_former else said
        if not told and not is_former:
            continue
        if _holds(work, _Kept(old, (name, *told)), live, (new.name, *told)):
            return new.name
    return None


def _said_by_both(old: Table, live: Table, key: Column) -> list[str]:
    found = []
    for column in old.columns:
        if column == key or column.generated:
            continue
        now = live.column(column.name)
        if now is not None and now.type == column.type:
            found.append(column.name)
    return found


# --- rows ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Kept:
    """Columns of an old table's rows in the case; the first `width` are its key."""

    table: Table
    columns: Sequence[str]
    width: int = 1


def _holds(work: Workspace, old: _Kept, new: Table, theirs: Sequence[str]) -> bool:
    """Whether another table has half and more of an old one's rows, by these columns."""
    kept = work.kept("backup", old.table.name)
    fields = work.fields("backup", old.table.name, old.columns) or []
    if new.column(theirs[0]) is None:
        return False
    try:
        rows = work.read("live", new.name, theirs)
    except LiveError as error:
        if is_lost(error):
            raise
        return False  # what may not be read is no evidence; comparing it says why
    on = same_link(prefixed("m", fields), numbered("k.c", len(fields)), old.width)
    all_, held = work.one(
        f"""
        SELECT (SELECT count(*) FROM {kept}),
               (SELECT count(*) FROM {kept} m SEMI JOIN {rows} k ON {on})
        """
    )
    return bool(all_) and held >= _CONTAINED * all_
