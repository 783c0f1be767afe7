"""Counts hazards one by one, and keeps what was found."""

from __future__ import annotations

from collections.abc import Iterator

from forensics.errors import LiveError
from forensics.evidence.live.source import LiveSource
from forensics.evidence.migrations import Migration, Statement
from forensics.preflight.counts.beside import beside
from forensics.preflight.counts.checks import check
from forensics.preflight.counts.conversions import broken_by, widenings
from forensics.preflight.counts.policies import hidden
from forensics.preflight.counts.successors import Successors
from forensics.preflight.counts.view import Asking, Finding, View, class_of, words_of
from forensics.preflight.forecast import Forecast
from forensics.preflight.output import Forewarning, in_function
from forensics.preflight.surroundings import ABSENT, Surroundings
from forensics.statements.hazards import CODES, Hazard

# Classes of SQLSTATEs by which a question could not be answered as it was asked: a value, a
# constraint, a transaction that only reads, a name or the syntax.
# A limit of the server's is one, too.
_NOT_COUNTED = ("22", "23", "25", "42", "54")
_TOO_MANY = "not counted: too many statements before it change the table's rows"
_NO_PERMISSION = "42501"


class Counts:
    """Counts hazards one by one, and keeps what was found.

    Args:
        live: the database, under its snapshot.
        forecast: the tables as they would stand before the statement at hand.
        around: what stands around them.
        notes: takes what could not be counted, and why.

    Attributes:
        found: the hazards, counted.
    """

    def __init__(
        self,
        live: LiveSource,
        forecast: Forecast,
        around: Surroundings,
        notes: list[str],
    ) -> None:
        self.found: list[Forewarning] = []
        self._live = live
        self._forecast = forecast
        self._around = around
        self._notes = notes
        self._asking = Asking(live, forecast)
        self._successors = Successors(live.catalog.tables)

    def begin(self, migration: Migration, statement: Statement) -> None:
        """From now on `statement` is at hand."""
        self._migration = migration
        self._view = View(self._asking, self._forecast, self._around, statement)
        self._first = len(self.found)

    def take(self, hazard: Hazard) -> None:
        """Count one hazard of the statement at hand.

        Raises:
            LiveError: the connection was lost, or live refuses to be read.
        """
        made = hazard.table in self._forecast.standing.made
        if made and hazard.code in ("long-lock", "table-rewrite"):
            return
        words = CODES[hazard.code].words
        if hazard.table in self._forecast.standing.unfollowed:
            self._warn(self._migration, Finding(hazard, None, f"{words}; {_TOO_MANY}"))
            return
        if in_function(hazard):
            says = f"{words}, when {hazard.within} is called"
            self._warn(self._migration, Finding(hazard, None, says))
            return
        self._warn_of(hazard, check(self._view, hazard))

    def take_broken_keys(self) -> None:
        """Say which foreign keys a new type breaks that takes nothing from a column's values.

        Raises:
            LiveError: the connection was lost, or live refuses to be read.
        """
        for hazard in widenings(self._view, self.found[self._first :]):
            self._warn_of(hazard, broken_by(self._view, hazard))

    def _warn_of(self, hazard: Hazard, findings: Iterator[Finding]) -> None:
        words = CODES[hazard.code].words
        try:
            for finding in findings:
                self._warn(self._migration, finding)
        except LiveError as error:
            if error.sqlstate == _NO_PERMISSION or class_of(error) not in _NOT_COUNTED:
                raise
            why = words_of(error)
            line = f"{self._migration.path}, line {hazard.line}"
            self._notes.append(f"{line}: {hazard.code} could not be counted: {why}")
            says = f"{words}; how many could not be counted: {why}"
            self._warn(self._migration, Finding(hazard, None, says))

    def take_what_runs_beside(self) -> None:
        """Say what triggers and rules may destroy that the statement at hand sets off."""
        of_statement = self.found[self._first :]
        for finding in beside(self._view, of_statement):
            self._warn(self._migration, finding)

    def take_refusals(self) -> None:
        """Say why the statement at hand must fail, where that is not said yet."""
        statement = self._view.statement
        said = any(warning.fails for warning in self.found[self._first :])
        for refusal in self._around.refusals(statement, self._forecast.standing):
            if refusal.code == ABSENT and said:
                continue
            hazard = Hazard(
                refusal.code,
                statement.line,
                statement.text,
                refusal.table,
                refusal.column,
                node=statement.node,
            )
            self._warn(self._migration, Finding(hazard, 0, refusal.says, fails=True))

    def take_policies(self) -> None:
        """Say which rows the statement at hand hides.

        Raises:
            LiveError: the connection was lost, or live refuses to be read.
        """
        for sentence in hidden(self._view):
            place = f"{self._migration.path}, line {self._view.statement.line}"
            self._notes.append(f"{place}: {sentence}")

    def advance(self) -> None:
        """Take the statement at hand as done."""
        standing = self._forecast.standing
        statement = self._view.statement
        standing.tables.changes()
        self._forecast.advance(statement)
        gone, come = standing.tables.changes()
        self._successors.note(self._migration, statement, gone, come)

    def compare_with_successors(self) -> None:
        """Say how many rows of a table that was dropped are not in the one that has its name.

        Raises:
            LiveError: the connection was lost, or live refuses to be read.
        """
        tables = self._forecast.standing.tables
        for migration, finding in self._successors.compare(self._asking, tables, self._notes):
            self._warn(migration, finding)

    def note_what_was_not_followed(self) -> None:
        """Say of which tables not every statement was followed."""
        for name in sorted(self._forecast.standing.full):
            self._notes.append(
                f"Many statements change the rows of {name}: "
                "those after the first are counted without what all before them do, or not at all."
            )

    def _warn(self, migration: Migration, finding: Finding) -> None:
        hazard = finding.hazard
        destroys = finding.destroys
        if destroys is None:
            # What the migrations themselves made holds nothing that anybody would miss.
            made = hazard.table in self._forecast.standing.made
            destroys = hazard.destroys and not finding.fails and not made
        rows, size = self._size(hazard)
        self.found.append(
            Forewarning(
                migration.name,
                str(migration.path),
                hazard,
                finding.rows,
                finding.fails,
                destroys,
                finding.says or CODES[hazard.code].words,
                rows,
                size,
            )
        )

    def _size(self, hazard: Hazard) -> tuple[int | None, int | None]:
        """How many rows and bytes the table of a hazard has, as far as live knows."""
        catalog = self._live.catalog
        table = catalog.tables.get(hazard.table) if hazard.table else None
        if table is None:
            return None, None
        rows = table.rows_estimate if table.rows_estimate >= 0 else None
        return rows, self._around.sizes.get(catalog.root(table.name))
