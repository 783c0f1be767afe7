"""Which moments the sides were read at, and what that means for the numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from forensics.model import TableName

Moments = Mapping[TableName, Mapping[str, Mapping[str, str]]]

_LATE = (
    "read from a later snapshot ({at}) than other tables: what was moved between them in the "
    "meantime may show as missing or added"
)
_SEVERAL = (
    "The tables of the {side} database were read from {number} snapshots ({when}), because the "
    "first did not last or the run was resumed. Rows that were moved from table to table in "
    "between can seem to be in neither or in both, and links to rows that came or went in between "
    "can seem broken."
)


def snapshots(moments: Moments) -> list[dict[str, Any]]:
    """The moments at which the tables of each side that is a database were read, in order."""
    found: dict[tuple[str, str, str], list[str]] = {}
    for name, read in moments.items():
        for side, moment in read.items():
            key = (side, moment["taken_at"], moment["snapshot"])
            found.setdefault(key, []).append(str(name))
    ordered = []
    for (side, taken_at, snapshot), tables in sorted(found.items()):
        ordered.append({"side": side, "snapshot": snapshot, "taken_at": taken_at, "tables": tables})
    return ordered


def late_notes(moments: Moments, taken: Sequence[Mapping[str, Any]]) -> dict[TableName, str]:
    """By table, a note where it was not read at the first moment of its side."""
    first: dict[str, str] = {}
    for moment in taken:
        first.setdefault(moment["side"], moment["taken_at"])
    found = {}
    for name, read in moments.items():
        for side, moment in read.items():
            if moment["taken_at"] != first[side]:
                found[name] = _LATE.format(at=moment["taken_at"])
    return found


def notes(taken: Sequence[Mapping[str, Any]]) -> list[str]:
    """What is to be known where a side was read at more than one moment."""
    said = []
    for side in ("backup", "live"):
        moments = [moment for moment in taken if moment["side"] == side]
        if len(moments) < 2:
            continue
        parts = [f"{len(moment['tables'])} at {moment['taken_at']}" for moment in moments]
        said.append(_SEVERAL.format(side=side, number=len(moments), when="; ".join(parts)))
    return said
