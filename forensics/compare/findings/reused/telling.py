"""The columns whose values tell a table's rows apart, beside the key itself."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from forensics.model import Column, Table

_SPEAKING = re.compile(
    r"text\b|character|bpchar|\S*citext|uuid|bytea|inet|cidr|macaddr|timestamp|date\b"
)
_TIMES = ("timestamp", "date")
_MADE = re.compile(r"created|inserted|registered|added|uploaded|made_|(^|_)born|issued", re.I)
_TOUCHED = re.compile(
    r"updat|modif|chang|touch|seen|last|latest|login|next|due|until|expir|sync|check|(^|_)to(_|$)",
    re.I,
)
_ORDER = re.compile(r"sort|order|position|pos$|rank|idx|index$|priority|weight|seq|ordinal", re.I)
_REFERS = re.compile(r"_id$|[a-z]I[dD]$|_(no|code|key|ref)$")
_WHOLE_NUMBERS = ("smallint", "integer", "bigint")
_NUMBERS = re.compile("|".join((*_WHOLE_NUMBERS, "numeric")))
_IDS = re.compile(rf"{_NUMBERS.pattern}|uuid|text|(\S*\.)?citext|character( varying)?(\(\d+\))?")


@dataclass(frozen=True)
class Telling:
    """Columns whose values tell rows apart.

    Attributes:
        columns: which.
        declared: whether a key of both sides says so; else only the values do.
    """

    columns: tuple[str, ...]
    declared: bool


def declared(
    ours: Table, theirs: Table, key: tuple[str, ...], compared: Iterable[str]
) -> list[Telling]:
    """The unique keys of both sides, without the key that rows were compared by.

    What refers to other rows, or only says their order, does not tell which row it is.
    """
    beside = set(key) | _referring(ours) | _referring(theirs)
    common = set(compared)
    known = {frozenset(other.columns) for other in theirs.keys}
    found = []
    for own in ours.keys:
        columns = set(own.columns)
        if columns == set(key) or frozenset(columns) not in known or not columns <= common:
            continue
        if columns <= beside or any(_is_order(ours.column(name)) for name in columns):
            continue
        found.append(Telling(own.columns, True))
    return found


def speaking(
    ours: Table, theirs: Table, key: tuple[str, ...], compared: Iterable[str]
) -> list[str]:
    """The columns whose values may tell rows apart though no key says so."""
    beside = set(key) | _referring(ours) | _referring(theirs)
    found = []
    for name in compared:
        was, now = ours.column(name), theirs.column(name)
        if name in beside or was is None or now is None:
            continue
        if was.type.startswith(_TIMES) and _TOUCHED.search(name):
            continue
        if _SPEAKING.match(was.type) and _SPEAKING.match(now.type):
            found.append(name)
    return found


def named_by(ours: Table, theirs: Table, key: tuple[str, ...], compared: Iterable[str]) -> set[str]:
    """The columns that say what a row is of: references, words, codes."""
    referring = (_referring(ours) & _referring(theirs)) - set(key)
    for name in compared:
        if name not in key and _REFERS.search(name):
            referring.add(name)
    return referring.union(speaking(ours, theirs, key, compared))


def times(ours: Table, compared: Iterable[str], made: bool) -> list[str]:
    """The columns that say when a row was made, or other times that no update moves."""
    found = []
    for name in compared:
        column = ours.column(name)
        if column is None or not column.type.startswith(_TIMES) or "[" in column.type:
            continue
        if _TOUCHED.search(name):
            continue
        if bool(_MADE.search(name)) == made:
            found.append(name)
    return found


def is_surrogate(table: Table, key: tuple[str, ...]) -> bool:
    """Whether a key is of numbers that say nothing of the row, and not of references alone."""
    return _is_of(table, key, _NUMBERS)


def is_opaque(table: Table, key: tuple[str, ...]) -> bool:
    """Whether a key is of ids, codes or numbers, and not of references alone."""
    return _is_of(table, key, _IDS)


def _is_of(table: Table, key: tuple[str, ...], types: re.Pattern[str]) -> bool:
    if not key or set(key) <= _referring(table):
        return False
    for name in key:
        column = table.column(name)
        if column is None or not types.fullmatch(column.type):
            return False
    return True


def _referring(table: Table) -> set[str]:
    found: set[str] = set()
    for key in table.foreign_keys:
        found.update(key.columns)
    return found


def _is_order(column: Column | None) -> bool:
    if column is None or column.type not in _WHOLE_NUMBERS:
        return False
    return bool(_ORDER.search(column.name))
