"""Whose rows a slice holds: the name of the one row of a parent that they refer to."""

from __future__ import annotations

from typing import Any

from forensics.loss.columns import stores
from forensics.loss.concentration.axes import axes
from forensics.loss.concentration.conditions import Condition
from forensics.loss.concentration.reading import UnfitError, ask
from forensics.loss.parents.labels import label_of
from forensics.loss.sql import literal
from forensics.loss.workspace import Workspace
from forensics.model import TableName

_MOST_ROWS = 1_000_000  # of a parent; of a larger one only the key is said


def named(work: Workspace, condition: Condition) -> dict[str, Any] | None:
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
    return {**nobody, **_label(work, parent.name, condition, (key, column))}


def _label(
    work: Workspace, parent: TableName, condition: Condition, names: tuple[str, str]
) -> dict[str, Any]:
    known = {axis.column: axis for axis in axes(work, parent)}
    if not known.keys() >= set(names):
        return {}
    columns = [known[name] for name in names]
    value = literal(str(condition.value))
    select = f"SELECT v1::VARCHAR FROM {{rows}} WHERE v0::VARCHAR = {value} LIMIT 2"
    try:
        rows = ask(work, parent, columns, select)
    except UnfitError:
        return {}
    if len(rows) != 1:
        return {}
    return {"column": names[1], "label": rows[0][0]}
