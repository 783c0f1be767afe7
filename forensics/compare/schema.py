"""Schema drift: how the two sides' definitions of the same table differ."""

from __future__ import annotations

import re

from forensics.compare import canonical
from forensics.evidence.ddl import normal_expression
from forensics.model import Column, ColumnChange, Table

_BYTEA = re.compile(r"(E?)'((?:[^']|'')*)'::bytea")
_INSTANT = re.compile(r"'([^']*)'(::timestamp(?:\(\d\))? with time zone)")


def compared_columns(backup: Table, live: Table) -> tuple[str, ...]:
    """Return the columns that both sides store, in the backup's order; generated ones are worked out, not stored."""
    stored = {c.name for c in live.columns if not c.generated}
    return tuple(c.name for c in backup.columns if not c.generated and c.name in stored)


def drift(backup: Table, live: Table) -> list[ColumnChange]:
    """Return the differences between two definitions of a table, in the backup's column order, then live's.

    `values_missing` of a dropped column is left None: it is counted when the rows are read.
    """
    found: list[ColumnChange] = []
    name = backup.name
    for column in backup.columns:
        now = live.column(column.name)
        if now is None:
            found.append(ColumnChange(name, column.name, "dropped", column.type, None))
            continue
        if column.type != now.type:
            found.append(ColumnChange(name, column.name, "type", column.type, now.type))
        if column.nullable != now.nullable:
            found.append(
                ColumnChange(
                    name, column.name, "nullability", _nullability(column), _nullability(now)
                )
            )
        before, after = _expression(column.default), _expression(now.default)
        if before != after:
            found.append(ColumnChange(name, column.name, "default", before, after))
        if (before := _generation(column)) != (after := _generation(now)):
            found.append(ColumnChange(name, column.name, "generated", before, after))
    for column in live.columns:
        if backup.column(column.name) is None:
            found.append(ColumnChange(name, column.name, "added", None, column.type))
    return found


def _nullability(column: Column) -> str:
    return "NULL" if column.nullable else "NOT NULL"


def _generation(column: Column) -> str | None:
    if column.identity:
        return f"identity {column.identity}"
    return _expression(column.generated)


def _expression(text: str | None) -> str | None:
    """An expression in one spelling, its instants in UTC and its bytes in hex: a dump writes those as whoever dumped had them."""
    spelled = normal_expression(text)
    if spelled is None:
        return None
    spelled = _INSTANT.sub(lambda m: f"'{canonical.instant(m[1])}'{m[2]}", spelled)
    return _BYTEA.sub(lambda m: f"'{canonical.hexadecimal(_unquoted(m))}'::bytea", spelled)


def _unquoted(constant: re.Match[str]) -> str:
    text = constant[2].replace("''", "'")
    return text.replace("\\\\", "\\") if constant[1] else text
