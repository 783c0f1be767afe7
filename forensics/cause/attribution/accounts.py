"""What each statement did to each table: rows, values, and what became of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from forensics.cause.attribution.blame import Blame
from forensics.cause.attribution.incident import Step
from forensics.evidence.migrations import Statement
from forensics.model import Catalog, TableName


@dataclass
class Account:
    """What one statement did to one table, or to one column of it.

    Numbers are None where they are not known: the statement did not run in the replay, or its
    table could not be followed there.

    Attributes:
        step: the statement's place among those that ran in between.
        hazard: the code that says best what it did.
        rows: missing rows of the table, or missing values of the column, that it took.
        moved: how many of these stand elsewhere.
        moved_to: the tables or columns where they stand.
        changed: values that it overwrote, in rows that are still there.
        blanked: values that it wrote where NULL had been.
        counted: whether the replay counted, or the backup alone.
        left_over: whether it took whatever no other statement did.
    """

    step: int
    migration: str
    statement: Statement
    hazard: str
    name: TableName | None
    column: str | None = None
    rows: int | None = 0
    moved: int | None = 0
    changed: int | None = 0
    blanked: int | None = 0
    counted: Literal["replay", "backup"] = "replay"
    left_over: bool = False
    moved_to: list[str] = field(default_factory=list)

    def take(self, rows: int) -> None:
        """Add rows or values that it took."""
        self.rows = (self.rows or 0) + rows

    def take_from_backup(self, rows: int) -> None:
        """Add rows or values that were not counted in a replay."""
        self.take(rows)
        self.counted = "backup"

    def leave_unknown(self, *, rows: bool, values: bool) -> None:
        """Say of what was not counted that it is not known.

        Args:
            rows: whether there are rows left that it may have taken.
            values: whether there are changed ones that it may have written.
        """
        if rows and not self.rows:
            self.rows = None
        if self.rows != 0 and not self.moved:
            self.moved = None
        if values:
            self.changed = self.blanked = None

    def move(self, rows: int) -> None:
        """Note that so many of the rows stand elsewhere, where it is known how many do."""
        if self.moved is not None:
            self.moved = max(self.moved, rows)


class Accounts:
    """The accounts of all statements; one is opened when it is asked for.

    Args:
        steps: the statements.
        backup: the schema before them.
    """

    def __init__(self, steps: Sequence[Step], backup: Catalog) -> None:
        self._steps = steps
        self._blame = Blame(backup)
        self._accounts: dict[tuple[int, TableName | None, str | None], Account] = {}

    def of(self, number: int, name: TableName | None, column: str | None = None) -> Account:
        """The account of a step for a table, or for a column of it."""
        place = (number, name, column)
        if place not in self._accounts:
            step = self._steps[number - 1]
            code = self._blame.code(step, name, column)
            self._accounts[place] = Account(
                number, step.migration, step.statement, code, name, column
            )
        return self._accounts[place]

    def __iter__(self) -> Iterator[Account]:
        """In the order of steps, tables and columns."""
        return iter(sorted(self._accounts.values(), key=_place))


def _place(account: Account) -> tuple[int, TableName, str]:
    return account.step, account.name or TableName("", ""), account.column or ""
