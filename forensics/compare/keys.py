"""Which columns tell a table's rows apart on both sides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from forensics.errors import UsageError
from forensics.model import KeySource, Table


@dataclass(frozen=True)
class Choice:
    """The key to compare by, where it comes from, and what there is to say about it."""

    columns: tuple[str, ...]
    source: KeySource
    notes: tuple[str, ...] = ()


def choose(
    backup: Table, live: Table, common: Sequence[str], given: Sequence[str] | None = None
) -> Choice:
    """Choose the key of a table that both sides have.

    A key is used where both sides declare it: only then is it known that neither side repeats it. The primary key
    comes first, then unique constraints whose columns cannot be NULL (or whose NULLs are not distinct), the one with
    the fewest columns first. Otherwise rows are compared as a multiset of whole rows.

    Args:
        backup, live: the table on either side.
        common: the columns that are compared, in order.
        given: the key that the user asked for.

    Raises:
        UsageError: a given column is not on both sides.
    """
    if given:
        for column in given:
            if column not in common:
                raise UsageError(
                    f"Table {backup.name} has no column {column} on both sides to be a key.",
                    f"Columns that can be: {', '.join(common)}.",
                )
        return Choice(tuple(given), "given")
    usable = [_usable(backup, common), _usable(live, common)]
    primary = backup.primary_key
    if primary and primary.columns in usable[0] and set(primary.columns) in map(set, usable[1]):
        return Choice(primary.columns, "primary key")
    for columns in sorted(usable[0], key=lambda c: (len(c), c)):
        if set(columns) in map(set, usable[1]):
            return Choice(columns, "unique")
    for known, lacking, whose in (
        (primary, "live", "the backup's"),
        (live.primary_key, "the backup", "live's"),
    ):
        if known:
            note = (
                f"{lacking} does not declare {whose} primary key ({', '.join(known.columns)}): whole rows are compared, "
                "so a row that was updated counts as missing and added"
            )
            asked = (
                f"; --key {backup.name}={','.join(known.columns)} compares by it"
                if set(known.columns) <= set(common)
                else ""
            )
            return Choice((), "all columns", (note + asked,))
    return Choice((), "all columns")


def _usable(table: Table, common: Sequence[str]) -> list[tuple[str, ...]]:
    found = []
    for key in table.keys:
        columns = [table.column(c) for c in key.columns]
        whole = all(
            c is not None
            and c.name in common
            and (key.primary or not c.nullable or not key.nulls_distinct)
            for c in columns
        )
        if whole:
            found.append(key.columns)
    return found
