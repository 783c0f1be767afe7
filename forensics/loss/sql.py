"""Fragments of statements: lists of fields, and conditions on them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from forensics.model import quote_literal

literal = quote_literal


def literals(texts: Iterable[str]) -> str:
    """Return texts as a list of SQL literals."""
    return ", ".join(literal(text) for text in texts)


def listed(columns: Iterable[str], prefix: str = "") -> str:
    """Return a select list."""
    return ", ".join(prefix + column for column in columns)


def numbered(head: str, number: int) -> list[str]:
    """Return so many fields: `numbered("a.k", 2)` are a.k0 and a.k1."""
    return [f"{head}{place}" for place in range(number)]


def prefixed(alias: str, fields: Iterable[str]) -> list[str]:
    """Return fields of a relation that goes by another name in the statement."""
    return [f"{alias}.{field}" for field in fields]


def renamed(fields: Iterable[str], head: str) -> str:
    """Return a select list that gives fields numbered names: f3 AS k0, f5 AS k1."""
    return ", ".join(f"{field} AS {head}{place}" for place, field in enumerate(fields))


def present(fields: Iterable[str]) -> str:
    """Return the condition that none of the fields is NULL."""
    return " AND ".join(f"{field} IS NOT NULL" for field in fields)


def same(ours: Sequence[str], theirs: Sequence[str]) -> str:
    """Return the condition that two lists of fields are equal, none of them NULL."""
    return " AND ".join(f"{a} = {b}" for a, b in zip(ours, theirs, strict=True))


def alike(ours: Sequence[str], theirs: Sequence[str]) -> str:
    """Return the condition that two lists of fields say the same, NULL included."""
    pairs = zip(ours, theirs, strict=True)
    return " AND ".join(f"{a} IS NOT DISTINCT FROM {b}" for a, b in pairs)


def same_link(ours: Sequence[str], theirs: Sequence[str], width: int) -> str:
    """Return the condition that the first fields are equal, and the others alike."""
    conditions = [same(ours[:width], theirs[:width])]
    if len(ours) > width:
        conditions.append(alike(ours[width:], theirs[width:]))
    return " AND ".join(conditions)
