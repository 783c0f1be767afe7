"""Rows of live that name a parent which is not there, if no key forbids that."""

from __future__ import annotations

from forensics.loss.columns import stores
from forensics.loss.junctions import Junction, referring_columns
from forensics.loss.sql import literal, numbered, present, same
from forensics.loss.workspace import Workspace
from forensics.model import Parent, Table, TableName


def dangling(work: Workspace, junction: Junction) -> dict[TableName, int]:
    """Return, by parent table, how many of live's links name a row that is not there.

    Raises:
        EvidenceError: live cannot be read.
    """
    found: dict[TableName, int] = {}
    live = work.table("live", junction.name)
    if live is None:
        return found
    for parent in junction.parents:
        table = work.live_table(parent.name)
        if parent.declared or table is None or not _readable(work, live, table, parent):
            continue
        number = _count(work, live, table, parent)
        if number:
            found[parent.name] = found.get(parent.name, 0) + number
    return found


def _readable(work: Workspace, live: Table, table: Table, parent: Parent) -> bool:
    if not stores(live, referring_columns(parent)) or not stores(table, parent.parent_columns):
        return False
    return work.holds("live", table.name) and work.holds("live", live.name)


def _count(work: Workspace, live: Table, table: Table, parent: Parent) -> int:
    columns = referring_columns(parent)
    rows = work.read("live", live.name, columns)
    keys = work.read("live", table.name, parent.parent_columns)
    width = len(parent.columns)
    fields = numbered("r.c", len(columns))[-width:]
    where = present(fields)
    if parent.when:
        where += f" AND r.c0 = {literal(parent.when[1])}"
    on = same(fields, numbered("k.c", width))
    return work.count(f"{rows} r ANTI JOIN {keys} k ON {on} WHERE {where}")
