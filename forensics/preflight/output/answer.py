"""What a preflight answers: hazards with their numbers, and what a rehearsal took."""

from __future__ import annotations

from dataclasses import dataclass

from forensics.model import TableName
from forensics.statements.hazards import UNREAD, Hazard


@dataclass(frozen=True)
class Forewarning:
    """A hazard, counted.

    Attributes:
        migration, path: where it stands.
        rows: what it would destroy, or what stands in its way; None where that could not be
            counted.
        fails: whether the statement would fail on the data as it is.
        destroys: whether `rows` would be destroyed.
        says: what it would do, in a sentence.
        table_rows, table_bytes: how large the table is, for what goes through it or holds it
            up; None where unknown.
    """

    migration: str
    path: str
    hazard: Hazard
    rows: int | None = None
    fails: bool = False
    destroys: bool = False
    says: str = ""
    table_rows: int | None = None
    table_bytes: int | None = None

    @property
    def uncounted(self) -> bool:
        """Whether it may destroy something, and nobody counted what."""
        if self.rows is not None or self.fails or in_function(self.hazard):
            return False
        return self.destroys or self.hazard.code in UNREAD

    @property
    def sentence(self) -> str:
        """What it would do, with the table's name."""
        table = self.hazard.table
        if table is None or str(table) in self.says:
            return self.says
        return f"{table}: {self.says}"


@dataclass(frozen=True)
class Rehearsed:
    """One statement of a rehearsal.

    Attributes:
        migration, line, sql: where it stands, and what it says.
        seconds: how long it took.
        error: why it failed, or None.
        took: what it took from which table.
        understood: whether the parser knows it; where not, that the scratch server does not know
            it either is no failure of the migration.
    """

    migration: str
    line: int
    sql: str
    seconds: float
    error: str | None
    took: dict[str, int]
    understood: bool = True


@dataclass(frozen=True)
class Flight:
    """The answer of a preflight.

    Attributes:
        hazards: in the order in which they would come true.
        migrations: the names of those that were looked at.
        notes: what could not be looked at, and why.
        rehearsal: what the statements did on a copy; None without one.
        followed: the tables whose rows were followed in the rehearsal.
    """

    hazards: tuple[Forewarning, ...]
    migrations: tuple[str, ...]
    notes: tuple[str, ...] = ()
    rehearsal: tuple[Rehearsed, ...] | None = None
    followed: frozenset[TableName] = frozenset()

    @property
    def destroys(self) -> bool:
        """Whether a row or a value would be destroyed, by count or in the rehearsal."""
        if any(h.destroys and h.rows for h in self.hazards):
            return True
        return any(step.took for step in self.rehearsal or ())

    @property
    def uncounted(self) -> bool:
        """Whether something that may destroy was neither counted nor seen in the rehearsal."""
        seen = frozenset() if self._stopped else self.followed
        for warning in self.hazards:
            if warning.uncounted and warning.hazard.table not in seen:
                return True
        return False

    @property
    def fails(self) -> bool:
        """Whether a statement would fail on the data as it is."""
        return self._stopped or any(h.fails for h in self.hazards)

    @property
    def _stopped(self) -> bool:
        """Whether a statement failed in the rehearsal."""
        return any(step.error and step.understood for step in self.rehearsal or ())


def in_function(hazard: Hazard) -> bool:
    """Whether it stands in a function that the migration makes.

    Nothing happens before that is called.
    """
    return (hazard.within or "").startswith("function")


def level(warning: Forewarning) -> str:
    """How loud a warning is.

    Returns:
        "error" where data would go or the statement would fail, "warning" where that is open,
        else "note".
    """
    if warning.fails or (warning.destroys and warning.rows):
        return "error"
    hazard = warning.hazard
    may_destroy = hazard.destroys or hazard.code in UNREAD
    return "warning" if may_destroy and warning.rows is None else "note"
