"""What the rehearsal of one option proved: its numbers, counted again on a database on which the option was carried out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from forensics.model import TableName

FULL_RESTORE, ROLL_BACK, REINSERT, BACKFILL = (
    "full restore",
    "roll back",
    "reinsert lost rows",
    "backfill",
)


class Tell(Protocol):
    """Is told how far a rehearsal is: which step, and where in it."""

    def __call__(self, step: str, place: str = "") -> None: ...


def silent(step: str, place: str = "") -> None:
    """Tell nobody."""


@dataclass(frozen=True)
class TableShare:
    """What an option does to one table: how many rows, and the keys of some of them."""

    name: TableName
    rows: int
    examples: tuple[dict[str, str | None], ...] = ()


@dataclass(frozen=True)
class Proof:
    """What came of rehearsing one option.

    Attributes:
        recovers, destroys: rows, as counted on the rehearsed database.
        seconds: how long carrying the option out took there.
        checks: what was looked at, a sentence each.
        problems: what does not hold, a sentence each; empty where the option's numbers are proved.
        notes: what else is to be known.
        statements: what was run, where it stands in none of the scripts.
    """

    recovers: int
    destroys: int
    seconds: float
    checks: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    statements: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether nothing speaks against the option's numbers."""
        return not self.problems


def failed(why: str) -> Proof:
    """The proof of an option whose rehearsal came to no end."""
    return Proof(0, 0, 0.0, problems=(why,))


def off(wanted: int, found: int, what: str) -> list[str]:
    """The problem that two numbers differ, or none.

    Args:
        what: what the option said it would do, such as "recovers".
    """
    return [] if wanted == found else [f"It {what} {found:,} rows, and {wanted:,} were said."]
