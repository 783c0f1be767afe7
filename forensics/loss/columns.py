"""What a column says by its name and type: an order, a time, who did something."""

from __future__ import annotations

import re
from collections.abc import Iterable

from forensics.loss.names import family, words
from forensics.loss.sql import literal
from forensics.model import Catalog, Column, Table

_PLAIN = ("integer", "uuid", "date")
_TEXTS = ("text", "character varying")
_INTEGERS = ("smallint", "integer", "bigint")
_ORDER = re.compile(
    r"sort|order|position|pos\b|rank|idx|index|priority|weight|seq|ordinal|display",
    re.I,
)
_AUDIT = re.compile(
    r"(created|updated|modified|added|assigned|deleted|removed|joined|linked|granted"
    r"|attached|inserted|since|valid)|(_at|_on|At|On)$",
    re.I,
)
_MADE = re.compile(
    r"created|inserted|added|linked|assigned|attached|joined|granted|uploaded"
    r"|registered|posted|made|placed|ordered|booked|issued|^at$|since",
    re.I,
)
_TOUCHED = re.compile(r"updated|modified|changed|touched|seen|logged|recorded", re.I)
_DOING = re.compile(
    r"(_by|By)(_id|Id)?$|^(created|updated|added|granted|assigned|invited|deleted)_?by",
    re.I,
)

_DELETED = {"deleted", "delete", "deletion", "del", "removed", "trashed", "discarded", "revoked"}
_BESIDE_DELETED = {"is", "was", "at", "on", "date", "time", "flag", "soft", "timestamp"}


def has(table: Table, columns: Iterable[str]) -> bool:
    """Whether a table has all of these columns."""
    return all(table.column(name) is not None for name in columns)


def stores(table: Table, columns: Iterable[str]) -> bool:
    """Whether a table stores all of these columns, so that they can be copied out."""
    for name in columns:
        column = table.column(name)
        if column is None or column.generated:
            return False
    return True


def spelled_alike(ours: Column, theirs: Column, catalog: Catalog) -> bool:
    """Whether equal values of two columns are equal text, and no others are."""
    kind = family(ours.type, catalog)
    if kind != family(theirs.type, catalog):
        return False
    if kind == "text":
        # A fixed width is padded, and citext takes no account of case.
        return ours.type.startswith(_TEXTS) and theirs.type.startswith(_TEXTS)
    return kind in _PLAIN or kind in catalog.enums


def is_integer(column: Column) -> bool:
    """Whether a column holds whole numbers."""
    return column.type in _INTEGERS


def is_order(column: Column) -> bool:
    """Whether a column says at which place a link stands."""
    if not is_integer(column) or not _ORDER.search(column.name):
        return False
    return words(column.name)[-1:] != ("id",)


def is_audit(column: Column) -> bool:
    """Whether a column says when a row was made or touched."""
    is_time = column.type.startswith(("timestamp", "date"))
    return is_time and bool(_AUDIT.search(column.name))


def is_touched(column: Column) -> bool:
    """Whether a column says when a row was last written, which any rewriting changes."""
    return is_audit(column) and bool(_TOUCHED.search(column.name))


def is_mark(column: Column) -> bool:
    """Whether a column's name says that its row counts as deleted."""
    said = set(words(column.name)) - _BESIDE_DELETED
    return len(said) == 1 and said <= _DELETED and not is_doing(column.name)


def is_doing(column: str) -> bool:
    """Whether a column's name says who did something, like `added_by`."""
    return bool(_DOING.search(column))


def made_column(table: Table) -> str | None:
    """The column that says when a row was made, or None."""
    for column in table.columns:
        if is_audit(column) and not column.generated and _MADE.search(column.name):
            return column.name
    return None


def time_columns(table: Table) -> list[str]:
    """The columns that say when a row was made or last touched."""
    found = []
    for column in table.columns:
        if not is_audit(column) or column.generated:
            continue
        if _MADE.search(column.name) or _TOUCHED.search(column.name):
            found.append(column.name)
    return found


_UUID = "^[{(]?([0-9a-fA-F]{4}-?){8}[)}]?$"
_WHOLE = {"smallint": "SMALLINT", "integer": "INTEGER", "bigint": "BIGINT"}


def not_of_type(was: Column, now: Column, field: str) -> str | None:
    """The condition that a field's text is no value of live's type; None where nothing tells.

    Args:
        was, now: the column in the backup, and in live.
        field: what holds its value, in the keys of today.
    """
    if was.type == now.type:
        return None
    if now.type == "uuid":
        return f"NOT regexp_matches({field}, {literal(_UUID)})"
    if now.type in _WHOLE:
        return f"{field} IS NOT NULL AND TRY_CAST({field} AS {_WHOLE[now.type]}) IS NULL"
    return None
