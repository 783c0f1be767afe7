"""Rows of live that name a parent which is not there, if no key forbids that."""

from __future__ import annotations

from forensics.loss.columns import spelled_alike, stores
from forensics.loss.junctions import Junction, referring_columns
from forensics.loss.names import family
from forensics.loss.sql import literal, numbered, present, same
from forensics.loss.workspace import Workspace
from forensics.model import Parent, Table, TableName

_NUMBERS = ("numeric", "real", "double precision")


def dangling(work: Workspace, junction: Junction) -> dict[TableName, int]:
    """Return, by parent table, how many of live's links name a row that is not there.

    Those of a table that was dropped all do, unless live has their column refer to
    another since.

    Raises:
        EvidenceError: live cannot be read.
    """
    found: dict[TableName, int] = {}
    live = work.table("live", junction.name)
    if live is None or not work.holds("live", live.name):
        return found
    for parent in junction.parents:
        if _is_forbidden(live, parent) or not stores(live, referring_columns(parent)):
            continue
        number = _count(work, live, parent)
        if number:
            found[parent.name] = found.get(parent.name, 0) + number
    return found


def _is_forbidden(live: Table, parent: Parent) -> bool:
    """Whether a foreign key of live says where the columns lead."""
    return any(key.columns == parent.columns for key in live.foreign_keys)


def _count(work: Workspace, live: Table, parent: Parent) -> int | None:
    """How many links lead nowhere; None where that cannot be looked at."""
    columns = referring_columns(parent)
    table = work.live_table(parent.name)
    if table is None and parent.name in work.live.catalog.tables:
        return None  # no table of rows that can be read
    keys: list[str] | None = []
    if table is not None:
        keys = _keys(work, table, parent) if _can_be_told(work, live, table, parent) else None
    if keys is None:
        return None
    width = len(parent.columns)
    fields = numbered("r.c", len(columns))[-width:]
    where = present(fields)
    if parent.when:
        where += f" AND r.c0 = {literal(parent.when[1])}"
    source = f"{work.read('live', live.name, columns)} r"
    for number, rows in enumerate(keys):
        on = same(fields, numbered(f"k{number}.c", width))
        source += f" ANTI JOIN {rows} k{number} ON {on}"
    return work.count(f"{source} WHERE {where}")


def _can_be_told(work: Workspace, live: Table, table: Table, parent: Parent) -> bool:
    """Whether equal text is what tells a link's row; where nobody declared it, it was."""
    if not parent.declared:
        return True
    catalog = work.live.catalog
    for name, other in zip(parent.columns, parent.parent_columns, strict=True):
        ours, theirs = live.column(name), table.column(other)
        if ours is None or theirs is None:
            return False
        kinds = {family(ours.type, catalog), family(theirs.type, catalog)}
        never_equal = len(kinds) == 2 and kinds.isdisjoint(_NUMBERS)
        if not never_equal and not spelled_alike(ours, theirs, catalog):
            return False
    return True


def _keys(work: Workspace, table: Table, parent: Parent) -> list[str] | None:
    """Working tables of the keys by which links may name the parent's rows in live.

    Those that it had, and where other columns hold these by now, the new ones too.
    """
    found = []
    for key in dict.fromkeys((parent.parent_columns, work.live_key(parent))):
        if stores(table, key):
            found.append(key)
    if not found or not work.holds("live", table.name):
        return None
    return [work.read("live", table.name, key) for key in found]
