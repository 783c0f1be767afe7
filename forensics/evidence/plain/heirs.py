"""In what order INSERTs without column names hold the values of a table that inherits.

They follow the table that was dumped. Its definition in the dump may not: a column that a parent
got after its heirs were made is the heir's last one, and among the first once it is made anew.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from forensics.evidence.plain.inserts import Value
from forensics.model import Column, Table

_INTEGERS = ("smallint", "integer", "bigint", "oid")
_FRACTIONS = ("numeric", "real", "double precision")
_INTEGER = re.compile(r"-?\d+\Z")
_NO_NUMBERS = ("NaN", "Infinity", "-Infinity")
# What the text of a value begins with, by the beginning of its type.
_BEGINNINGS = {
    "date": re.compile(r"\d{4,}-\d\d-\d\d(?: BC)?\Z|-?infinity\Z"),
    "timestamp": re.compile(r"\d{4,}-\d\d-\d\d \d\d:|-?infinity\Z"),
    "time": re.compile(r"\d\d:\d\d"),
    "uuid": re.compile(r"[0-9a-f]{8}-"),
    "json": re.compile(r"\s*[\[{\"tfn\d-]"),
    "bytea": re.compile(r"\\x"),
    "inet": re.compile(r"[0-9a-f.:]+(?:/|\Z)"),
    "interval": re.compile(r"-?\d|@|P"),
}


def order(
    own: Table, inherited: int, other: Table | None, rows: Sequence[Sequence[Value]]
) -> tuple[str, ...] | None:
    """Return the columns that values stand in, or None where that cannot be known.

    Args:
        own: the table as the dump defines it.
        inherited: how many of its columns are its parents'; they come first.
        other: the table as live has it, if it does.
        rows: the first rows of the dump.
    """
    names = tuple(column.name for column in own.columns)
    theirs = _order_of(other, own)
    if theirs is not None:
        fitting = _fitting(own, {names, theirs}, rows)
        if fitting:
            return _only(fitting)
    return _only(_fitting(own, {names, *_altered(names, inherited)}, rows))


def _order_of(other: Table | None, own: Table) -> tuple[str, ...] | None:
    """The order of a table's columns in live; None where live has not all of them."""
    if other is None:
        return None
    names = tuple(column.name for column in other.columns if own.column(column.name))
    if len(names) < len(own.columns):
        return None
    return names


def _altered(names: tuple[str, ...], inherited: int) -> Iterator[tuple[str, ...]]:
    """The orders that a table may have whose parents got columns after it was made."""
    for first in range(inherited):
        yield names[:first] + names[inherited:] + names[first:inherited]


def _fitting(
    own: Table, orders: Iterable[tuple[str, ...]], rows: Sequence[Sequence[Value]]
) -> list[tuple[str, ...]]:
    """Those of some orders in which every row may be of the columns' types."""
    known = {column.name: column for column in own.columns}
    found: list[tuple[str, ...]] = []
    for names in orders:
        columns = [known[name] for name in names]
        if all(_fits(columns, row) for row in rows):
            found.append(names)
    return found


def _only(found: Sequence[tuple[str, ...]]) -> tuple[str, ...] | None:
    if len(found) == 1:
        return found[0]
    return None


def _fits(columns: Sequence[Column], row: Sequence[Value]) -> bool:
    """Whether a row's values may be of these columns; of another number none can be told from."""
    if len(columns) != len(row):
        return True
    return all(_may_be(column, value) for column, value in zip(columns, row, strict=True))


def _may_be(column: Column, value: Value) -> bool:
    """Whether pg_dump may have written a value for a column: numbers are bare, the rest quoted."""
    if value.text is None:
        return column.nullable
    if value.quoted:
        return _may_be_quoted(column.type, value.text)
    return value.text.upper() == "DEFAULT" or _may_be_bare(column.type, value.text)


def _may_be_bare(kind: str, text: str) -> bool:
    if kind in _INTEGERS:
        return bool(_INTEGER.match(text))
    if kind == "boolean":
        return text in ("t", "f")
    return kind.startswith(_FRACTIONS) and not kind.endswith("[]") and text not in ("t", "f")


def _may_be_quoted(kind: str, text: str) -> bool:
    if kind.endswith("[]"):
        return text.startswith(("{", "["))
    if kind in _INTEGERS or kind == "boolean":
        return False
    if kind.startswith(_FRACTIONS):
        return text in _NO_NUMBERS
    for beginning, pattern in _BEGINNINGS.items():
        if kind.startswith(beginning):
            return bool(pattern.match(text))
    return True
