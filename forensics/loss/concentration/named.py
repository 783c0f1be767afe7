"""Whose rows a slice holds: the name of the one row of a parent that they refer to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from forensics.compare.canonical import Writer
from forensics.errors import BackupError
from forensics.loss.columns import stores
from forensics.loss.concentration.axes import Axis, axes
from forensics.loss.concentration.conditions import Condition
from forensics.loss.concentration.reading import UnfitError, ask
from forensics.loss.parents.labels import label_of
from forensics.loss.sql import literal
from forensics.loss.workspace import Workspace
from forensics.model import TableName

_MOST_ROWS = 1_000_000  # of a parent; of a larger one only the key is said


def named(work: Workspace, condition: Condition, writer: Writer) -> dict[str, Any] | None:
    """The parent's row that a condition's value refers to, or None.

    Returns:
        `schema`, `table`, `column` (the one by which people know its rows) and `label`, both None
        where there is none.
    """
    parent = condition.axis.parent
    if parent is None or condition.test != "equal":
        return None
    found = {"schema": parent.name.schema, "table": parent.name.table}
    nobody = {**found, "column": None, "label": None}
    table = work.table("backup", parent.name)
    result = work.results.get(parent.name)
    if table is None or not work.holds("backup", parent.name):
        return nobody
    if result is None or (result.backup_rows or 0) > _MOST_ROWS:
        return nobody
    column = label_of(table, work.backup.catalog)
    key = parent.parent_columns[0]
    if column is None or column == key or not stores(table, (key, column)):
        return nobody
    known = []
    for axis in axes(work, parent.name, writer):
        if axis.column in (key, column):
            known.append(axis)
    known.sort(key=lambda axis: axis.column != key)
    return {**nobody, **_label(work, parent.name, condition, known)}


def _label(
    work: Workspace, parent: TableName, condition: Condition, columns: Sequence[Axis]
) -> dict[str, Any]:
    """What people call a row; `columns` are its key and what they call it by."""
    if len(columns) != 2:
        return {}
    value = literal(str(condition.value))
    select = f"SELECT v1::VARCHAR FROM {{rows}} WHERE v0::VARCHAR = {value} LIMIT 2"
    try:
        rows = ask(work, parent, columns, select)
    except (UnfitError, BackupError):
        return {}
    if len(rows) != 1:
        return {}
    return {"column": columns[1].column, "label": rows[0][0]}
