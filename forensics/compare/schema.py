"""Schema drift: how the two sides' definitions of the same table differ."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from forensics.compare import spellings
from forensics.evidence.ddl import normal_expression
from forensics.model import ChangeKind, Column, ColumnChange, Table

_BYTEA = re.compile(r"(E?)'((?:[^']|'')*)'::bytea")
_INSTANT = re.compile(r"'([^']*)'(::timestamp(?:\(\d\))? with time zone)")


def stored_columns(table: Table) -> tuple[str, ...]:
    """Return the columns that a table stores; generated ones are worked out, not stored."""
    return tuple(c.name for c in table.columns if not c.generated)


def compared_columns(backup: Table, live: Table) -> tuple[str, ...]:
    """Return the columns that both sides store, in the backup's order."""
    theirs = set(stored_columns(live))
    return tuple(c for c in stored_columns(backup) if c in theirs)


def changed_types(backup: Table, live: Table, columns: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Return those of some columns whose type differs between the sides, with both types."""
    found: dict[str, tuple[str, str]] = {}
    if backup.columns == live.columns:
        return found
    for column in columns:
        was, now = type_of(backup, column), type_of(live, column)
        if was != now:
            found[column] = was, now
    return found


def type_of(table: Table, column: str) -> str:
    """Return a column's type, or "" where there is no such column."""
    found = table.column(column)
    if found is None:
        return ""
    return found.type


def drift(backup: Table, live: Table) -> list[ColumnChange]:
    """Return the differences between two definitions of a table.

    They are in the backup's column order, then live's. `values_missing` of a dropped
    column is left None: it is counted when the rows are read.
    """
    found: list[ColumnChange] = []
    if backup.columns == live.columns:
        return found
    for column in backup.columns:
        now = live.column(column.name)
        if now is None:
            found.append(ColumnChange(backup.name, column.name, "dropped", column.type, None))
        else:
            found += _changes(backup, column, now)
    for column in live.columns:
        if backup.column(column.name) is None:
            found.append(ColumnChange(backup.name, column.name, "added", None, column.type))
    return found


def _changes(table: Table, was: Column, now: Column) -> list[ColumnChange]:
    """The differences between two definitions of one column."""
    found = []
    for change, property_of in _PROPERTIES:
        before, after = property_of(was), property_of(now)
        if before != after:
            found.append(ColumnChange(table.name, was.name, change, before, after))
    return found


def _type(column: Column) -> str:
    return column.type


def _nullability(column: Column) -> str:
    return "NULL" if column.nullable else "NOT NULL"


def _default(column: Column) -> str | None:
    return _expression(column.default)


def _generation(column: Column) -> str | None:
    if column.identity:
        return f"identity {column.identity}"
    return _expression(column.generated)


# In the order in which their changes are told.
_PROPERTIES: tuple[tuple[ChangeKind, Callable[[Column], str | None]], ...] = (
    ("type", _type),
    ("nullability", _nullability),
    ("default", _default),
    ("generated", _generation),
)


def _expression(text: str | None) -> str | None:
    """An expression in one spelling, its instants in UTC and its bytes in hex.

    A dump writes those as whoever dumped had them.
    """
    spelled = normal_expression(text)
    if spelled is None:
        return None
    return _BYTEA.sub(_in_hex, _INSTANT.sub(_in_utc, spelled))


def _in_utc(constant: re.Match[str]) -> str:
    return f"'{spellings.instant(constant[1])}'{constant[2]}"


def _in_hex(constant: re.Match[str]) -> str:
    text = constant[2].replace("''", "'")
    if constant[1]:
        text = text.replace("\\\\", "\\")
    return f"'{spellings.hexadecimal(text)}'::bytea"
