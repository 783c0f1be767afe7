"""Which columns tell a table's rows apart on both sides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from forensics.errors import UsageError
from forensics.model import Key, KeySource, Table


@dataclass(frozen=True)
class Choice:
    """The key to compare by, where it comes from, and what there is to say about it.

    `lent` is whether only live declares it, and the backup cannot say: it may repeat
    it.
    """

    columns: tuple[str, ...]
    source: KeySource
    notes: tuple[str, ...] = ()
    lent: bool = False


def choose(
    backup: Table, live: Table, common: Sequence[str], given: Sequence[str] | None = None
) -> Choice:
    """Choose the key of a table that both sides have.

    A key is used where both sides declare it: only then is it known that neither side
    repeats it. The primary key comes first, then unique constraints whose columns
    cannot be NULL (or whose NULLs are not distinct), the one with the fewest columns
    first. Otherwise rows are compared as a multiset of whole rows.

    Args:
        backup, live: the table on either side.
        common: the columns that are compared, in order.
        given: the key that the user asked for.

    Raises:
        UsageError: a given column is not on both sides.
    """
    if given:
        return _given(backup, common, given)
    ours = _usable(backup, common)
    theirs = [set(columns) for columns in _usable(live, common)]
    primary = backup.primary_key
    if primary and primary.columns in ours and set(primary.columns) in theirs:
        return Choice(primary.columns, "primary key")
    for columns in sorted(ours, key=_fewest_first):
        if set(columns) in theirs:
            return Choice(columns, "unique")
    return Choice((), "all columns", _undeclared(backup, live, common))


def _given(table: Table, common: Sequence[str], given: Sequence[str]) -> Choice:
    for column in given:
        if column not in common:
            raise UsageError(
                f"Table {table.name} has no column {column} on both sides to be a key.",
                f"Columns that can be: {', '.join(common)}.",
            )
    return Choice(tuple(given), "given")


def _fewest_first(columns: tuple[str, ...]) -> tuple[int, tuple[str, ...]]:
    return len(columns), columns


def _undeclared(backup: Table, live: Table, common: Sequence[str]) -> tuple[str, ...]:
    """What to say where one side has a primary key that the other does not declare."""
    known, lacking, whose = backup.primary_key, "live", "the backup's"
    if known is None:
        known, lacking, whose = live.primary_key, "the backup", "live's"
    if known is None:
        return ()
    note = (
        f"{lacking} does not declare {whose} primary key ({', '.join(known.columns)}): "
        "whole rows are compared, so a row that was updated counts as missing and added"
    )
    if set(known.columns) <= set(common):
        note += f"; --key {backup.name}={','.join(known.columns)} compares by it"
    return (note,)


def _usable(table: Table, common: Sequence[str]) -> list[tuple[str, ...]]:
    """The keys whose columns are all compared and cannot be NULL twice."""
    return [key.columns for key in table.keys if _is_usable(key, table, common)]


def _is_usable(key: Key, table: Table, common: Sequence[str]) -> bool:
    for name in key.columns:
        column = table.column(name)
        if column is None or name not in common:
            return False
        if column.nullable and key.nulls_distinct and not key.primary:
            return False
    return True
