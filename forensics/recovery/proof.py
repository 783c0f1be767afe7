"""What rehearsals prove: results, frozen, that the plan and the report are made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from forensics.model import TableName

FULL_RESTORE = "full restore"
ROLL_BACK = "roll back"
REINSERT = "reinsert lost rows"
BACKFILL = "backfill"
OVERWRITTEN = "restore overwritten values"


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

    Its numbers were counted again on a database on which the option was carried out.

    Attributes:
        recovers, destroys: rows, as counted on the rehearsed database; None where it came to no
            end.
        seconds: how long carrying the option out took there.
        checks: what was looked at, a sentence each.
        problems: what does not hold, a sentence each; empty where the option's numbers are
            proved.
        notes: what else is to be known.
        statements: what was run, where it stands in none of the scripts.
        lacks: what the option was to do and did not, a sentence each. Its numbers may hold all
            the same; verified it is not.
    """

    recovers: int | None
    destroys: int | None
    seconds: float | None
    checks: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    statements: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether nothing speaks against the option's numbers."""
        return not self.problems

    @property
    def verified(self) -> bool:
        """Whether it did all that the option says."""
        return not self.problems and not self.lacks


def failed(why: str) -> Proof:
    """The proof of an option whose rehearsal came to no end."""
    return Proof(None, None, None, problems=(why,))


def off(wanted: int, found: int, what: str) -> list[str]:
    """The problem that two numbers differ, or none.

    Args:
        wanted: what the option said.
        found: what was counted.
        what: what the option said it would do, such as "recovers".
    """
    if wanted == found:
        return []
    return [f"It {what} {found:,} rows, and {wanted:,} were said."]


@dataclass(frozen=True)
class Rehearsal:
    """What came of `recovery.sql` and `undo.sql` on a copy of live.

    Attributes:
        lost_before, lost_after: lost rows before the recovery and after it.
        blocked: how many of them cannot return, for whatever reason.
        idempotent: running `recovery.sql` again changed nothing.
        undo_restores: after `undo.sql` every table and the schema were as before.
        constraints_valid: every constraint of the tables that were written to holds and is
            validated.
        unchanged: nothing but the recovered rows differed.
        seconds: how long `recovery.sql` ran.
        undo_seconds: how long `undo.sql` ran.
        values: how many values of dropped columns came back.
        overwritten: how many overwritten values came back.
        problems: what went wrong, a sentence each; empty where the rehearsal holds.
        notes: what the copy could not have of live.
    """

    lost_before: int
    lost_after: int
    blocked: int
    idempotent: bool
    undo_restores: bool
    constraints_valid: bool
    unchanged: bool
    seconds: float
    undo_seconds: float
    values: int = 0
    overwritten: int = 0
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether everything went as it should."""
        return not self.problems

    @property
    def proof(self) -> Proof:
        """The same, as the proof of the option."""
        back = self.lost_before - self.lost_after
        return Proof(back, 0, self.seconds, self._checks(back), self.problems, self.notes)

    @property
    def proof_of_values(self) -> Proof:
        """The same, as the proof of the option that brings overwritten values back."""
        found = f"{self.overwritten:,} overwritten values stood in their rows afterwards"
        if self.unchanged:
            found += ", and nothing else had changed"
        checks = (f"{found}.", *self._checks(0)[1:])
        return Proof(self.overwritten, 0, self.seconds, checks, self.problems, self.notes)

    def _checks(self, back: int) -> tuple[str, ...]:
        """What was looked at and held, a sentence each."""
        found = f"{back:,} of {self.lost_before:,} lost rows stood in their tables afterwards"
        if self.unchanged:
            found += ", and nothing else had changed"
        checks = [f"{found}."]
        if self.idempotent:
            checks.append("A second run changed nothing.")
        if self.constraints_valid:
            checks.append("Every constraint held.")
        if self.undo_restores:
            checks.append("After undo.sql every table and the schema were as before.")
        return tuple(checks)


@dataclass(frozen=True)
class Trial:
    """What came of trying one migration.

    Attributes:
        name: the safer migration; `original` the one that it stands in for.
        rows, values, links: how much it kept: parked or copied rows, values of columns, links
            in their new place.
        lost: rows, values and links that stand nowhere afterwards.
        schema_equal: whether the schema is the original's, but for the archive; None where the
            original fails. Everything is None where the migration was written and not tried.
        seconds: how long it ran.
        problems: what went wrong, a sentence each; empty where the trial holds.
        notes: what else is to be known.
    """

    name: str
    original: str
    rows: int | None
    values: int | None
    links: int | None
    lost: int | None
    schema_equal: bool | None
    seconds: float | None
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether nothing was lost and the schema is as it should be."""
        return not self.problems
