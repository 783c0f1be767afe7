"""What a row holds, as cells of a workbook: numbers and times as such where nothing is lost."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime

from forensics.model import Catalog, TableName

DIGITS = 15  # what a spreadsheet keeps of a number

_NUMBERS = ("smallint", "integer", "bigint", "numeric", "real", "double precision")
_WHOLE = re.compile(r"-?(?:0|[1-9][0-9]*)\Z")
_DECIMAL = re.compile(r"-?(?:0|[1-9][0-9]*)\.[0-9]+\Z")
_OFFSET = re.compile(r"[+-]\d\d\Z")
_FIRST = date(1900, 3, 1)  # spreadsheets count days wrongly before

Cell = int | float | datetime | date | str
Read = Callable[[str], Cell]


def readers(catalog: Catalog, name: TableName) -> Mapping[str, Read]:
    """For each column of a table that holds numbers or times, how one of its texts is read.

    Args:
        catalog: the schema of the rows.
        name: the table.
    """
    table = catalog.tables.get(name)
    found: dict[str, Read] = {}
    for column in table.columns if table else ():
        read = reader(column.type)
        if read:
            found[column.name] = read
    return found


def reader(kind: str) -> Read | None:
    """How a text of a type is read, or None where it stays text.

    Args:
        kind: the type, as `format_type` prints it.
    """
    if kind.endswith("[]"):
        return None
    if kind.startswith(_NUMBERS):
        return number
    if kind == "date":
        return _day
    if kind.startswith("timestamp"):
        return _moment
    return None


def number(text: str) -> Cell:
    """A number where a spreadsheet keeps all of it; else its text."""
    digits = sum(character.isdigit() for character in text)
    if digits > DIGITS:
        return text
    if _WHOLE.match(text):
        return int(text)
    if _DECIMAL.match(text):
        return float(text)
    return text


def _day(text: str) -> Cell:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return text
    if found < _FIRST:
        return text
    return found


def _moment(text: str) -> Cell:
    """A time, in UTC where it has a zone; finer than a thousandth of a second, its text."""
    if _OFFSET.search(text[10:]):
        text_with_minutes = f"{text}:00"
    else:
        text_with_minutes = text
    try:
        found = datetime.fromisoformat(text_with_minutes)
    except ValueError:
        return text
    if found.microsecond % 1000 or found.date() < _FIRST:
        return text
    if found.tzinfo:
        return found.astimezone(UTC)
    return found
