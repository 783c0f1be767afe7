"""What the user gave, as the kit takes it."""

from __future__ import annotations

from collections.abc import Sequence

from forensics.errors import UsageError


def keys(given: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Read --key TABLE=COLUMN,COLUMN, by table.

    Raises:
        UsageError: one names no table or no columns.
    """
    found = {}
    for text in given:
        table, _, columns = text.partition("=")
        if not table or not columns:
            raise UsageError(
                f"--key {text} does not name a table and its columns.",
                "Write --key TABLE=COLUMN,COLUMN.",
            )
        found[table] = tuple(column.strip() for column in columns.split(","))
    return found


def junctions(given: Sequence[str]) -> dict[str, tuple[tuple[str, str], ...]]:
    """Read --junction TABLE=COLUMN:PARENT,COLUMN:PARENT, by table.

    Raises:
        UsageError: one names no links.
    """
    found = {}
    for text in given:
        table, _, links = text.partition("=")
        pairs = [_link(link) for link in links.split(",")]
        if len(pairs) < 2 or ("", "") in pairs:
            raise UsageError(
                f"--junction {text} does not name a table's links.",
                "Write --junction TABLE=COLUMN:PARENT,COLUMN:PARENT.",
            )
        found[table] = tuple(pairs)
    return found


def _link(text: str) -> tuple[str, str]:
    """A column and its parent; two empty texts where one of them is not given."""
    column, _, parent = text.strip().partition(":")
    if not column or not parent:
        return "", ""
    return column, parent
