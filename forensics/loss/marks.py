"""Rows that are there and count as deleted: `deleted_at` is set, `is_deleted` is true.

A link that live holds only in such a row is not alive: whoever lost it does not have it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from forensics.loss.columns import is_integer, is_mark
from forensics.loss.sql import literals
from forensics.loss.workspace import SideName, Workspace
from forensics.model import Column, Table, TableName

_NOT = ("", "0", "n", "no", "f", "false")
_TEXTS = ("text", "character", '"char"')
_TIMES = ("timestamp", "date")


def marks_of(table: Table) -> tuple[str, ...]:
    """The columns of a table that say that a row counts as deleted."""
    found = []
    for column in table.columns:
        if is_mark(column) and not column.generated and _test(column, ""):
            found.append(column.name)
    return tuple(found)


def dead(table: Table | None, fields: Mapping[str, str | None]) -> str:
    """The condition that a row counts as deleted.

    Args:
        table: what it is a row of.
        fields: by mark, the field that holds it; None where none does.
    """
    tests = []
    for name, field in fields.items():
        column = table.column(name) if table else None
        if column is not None and field is not None:
            tests.append(_test(column, field))
    return f"coalesce({' OR '.join(tests)}, false)" if tests else "false"


def kept_dead(work: Workspace, side: SideName, name: TableName, alias: str = "") -> str:
    """The condition that a row of a side, as it lies in the case, counts as deleted.

    Args:
        work: the run's workspace.
        side: whose row it is.
        name: its table.
        alias: what the row goes by in the statement.
    """
    table = work.table(side, name)
    fields: dict[str, str | None] = {}
    for mark in marks_of(table) if table else ():
        field = work.field(side, name, mark)
        fields[mark] = field and f"{alias}{field}"
    return dead(table, fields)


def read_with_dead(work: Workspace, name: TableName, columns: Sequence[str]) -> str:
    """A relation (c0, …, dead) of all of live's rows of a table.

    Raises:
        EvidenceError: live cannot be read.
    """
    table = work.live.catalog.tables[name]
    marks = marks_of(table)
    taken = tuple(dict.fromkeys((*columns, *marks)))
    fields = {mark: f"c{taken.index(mark)}" for mark in marks}
    rows = work.read("live", name, taken)
    return f"(SELECT *, {dead(table, fields)} AS dead FROM {rows})"


def _test(column: Column, field: str) -> str:
    if column.type == "boolean":
        return f"{field} = 't'"
    if column.type.startswith(_TIMES):
        return f"({field} IS NOT NULL AND {field} <> 'infinity')"
    if is_integer(column):
        return f"{field} <> '0'"
    if column.type.startswith(_TEXTS):
        return f"lower(trim({field})) NOT IN ({literals(_NOT)})"
    return ""
