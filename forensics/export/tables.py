"""Which tables are meant: by name, with a schema or without, or by shell patterns."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

from forensics.errors import UnknownTableError
from forensics.model import TableName
from forensics.query.question import Named
from forensics.query.side import Side
from forensics.text import near_matches

_PATTERN = "*?["
_WITH_ROWS = ("table", "partitioned", "partition")


def chosen(side: Side, wanted: Sequence[str]) -> list[TableName]:
    """Return the tables that names and patterns choose, in order; no partition of another one.

    Raises:
        UnknownTableError: there is none of a name, or none that a pattern fits.
        UsageError: several bear a name.
    """
    found: dict[TableName, None] = {}
    for one in wanted:
        for name in _named(side, one):
            found[name] = None
    kept = []
    for name in found:
        if not any(parent in found for parent in above(side, name)):
            kept.append(name)
    return kept


def _named(side: Side, wanted: str) -> list[TableName]:
    is_pattern = any(letter in wanted for letter in _PATTERN)
    if is_pattern and (fitting := _fitting(side, wanted)):
        return fitting
    for name in side.tables:
        if wanted in (str(name), f"{name.schema}.{name.table}"):
            return [name]
    schema, _, table = wanted.rpartition(".")
    if one := side.find(schema, table) or side.find("", wanted):
        return [one]
    raise _unknown(side, wanted)


def _fitting(side: Side, pattern: str) -> list[TableName]:
    found = []
    for name in side.tables:
        kind = side.source.catalog.tables[name].kind
        if kind in _WITH_ROWS and _fits(name, pattern):
            found.append(name)
    return found


def _unknown(side: Side, wanted: str) -> UnknownTableError:
    """What there is to say of a table that there is not; its schema may be mistyped, too."""
    schema, _, table = wanted.rpartition(".")
    error = side.unknown(Named("", schema, table))
    if not schema or any(name.schema == schema for name in side.tables):
        return error
    known = [f"{name.schema}.{name.table}" for name in side.tables]
    return UnknownTableError(error.message, near_matches(wanted, known, error.hint or ""))


def _fits(name: TableName, pattern: str) -> bool:
    spellings = (name.table, str(name), f"{name.schema}.{name.table}")
    return any(fnmatchcase(spelling, pattern) for spelling in spellings)


def above(side: Side, name: TableName) -> list[TableName]:
    """Return the tables that a partition is a part of."""
    known = side.source.catalog.tables
    found: list[TableName] = []
    parent = known[name].parent
    while parent is not None and parent in known and parent not in found:
        found.append(parent)
        parent = known[parent].parent
    return found
