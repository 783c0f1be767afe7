"""What of the lost links comes back: by the plan where there is one, else by loss alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from forensics.model import TableName

Stage = Mapping[str, Any] | None


@dataclass(frozen=True)
class Outlook:
    """Lost links by what can be done about them.

    Attributes:
        restorable: those that can be put back as live stands.
        freed: those that are blocked today and come back with their parents; None where
            there is no plan to tell, so that they are among the blocked.
        blocked: those that stay blocked, or without a plan are so today.
        conflicting: those that collide with a key or another rule of live.
        by_table: by junction table, how many are freed.
    """

    restorable: int
    freed: int | None
    blocked: int
    conflicting: int
    by_table: Mapping[tuple[str, str], int]

    @property
    def returns(self) -> int:
        """How many can be put back, those included that their parents free."""
        return self.restorable + (self.freed or 0)

    @property
    def stays(self) -> int:
        """How many cannot."""
        return self.blocked + self.conflicting


def outlook(loss: Stage, recovery: Stage) -> Outlook | None:
    """Return what comes back, or None where the links were not classified.

    Args:
        loss, recovery: what those stages found, in the contract's JSON.
    """
    if not loss:
        return None
    totals = loss["totals"]
    if totals["blocked"] is None:
        return None
    by_table = _freed(loss, recovery)
    freed = None if by_table is None else sum(by_table.values())
    return Outlook(
        totals["restorable"],
        freed,
        totals["blocked"] - (freed or 0),
        totals["conflicting"],
        by_table or {},
    )


def _freed(loss: Mapping[str, Any], recovery: Stage) -> dict[tuple[str, str], int] | None:
    """By junction table, the links that a plan frees; None where no plan tells."""
    tables = (recovery or {}).get("tables")
    if tables is None or any("freed" not in table for table in tables):
        return None
    known = {(entry["schema"], entry["table"]) for entry in loss["junctions"]}
    found = {}
    for table in tables:
        name = (table["schema"], table["table"])
        if name in known and table["freed"]:
            found[name] = table["freed"]
    return found


def astray(loss: Stage, hit: Iterable[TableName]) -> set[tuple[str, str]]:
    """The junction tables whose rows are there, while their links lead elsewhere or nowhere.

    Args:
        loss: what that stage found.
        hit: the tables that lost rows. Links that led nowhere before are no loss.
    """
    parents = set()
    for name in hit:
        parents |= {name.table, f"{name.schema}.{name.table}"}
    found = set()
    for entry in (loss or {}).get("junctions", ()):
        lead_nowhere = parents.intersection(entry.get("dangling") or ())
        if entry.get("overwritten") or lead_nowhere:
            found.add((entry["schema"], entry["table"]))
    return found
