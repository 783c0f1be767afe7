"""How many rows were written in the window and are in neither side."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from forensics.loss.columns import made_column
from forensics.loss.junctions import junction_of
from forensics.loss.missing import missing_rows
from forensics.loss.sql import listed, numbered, renamed, same
from forensics.loss.window.estimate import FEW, MOST, estimate, lower_rank, past_windows
from forensics.loss.workspace import Workspace
from forensics.model import Parent, TableName

_WIPED = 0.95


@dataclass(frozen=True)
class Window:
    """The time from backup to incident: begin, in seconds since 1970, and length."""

    start: float
    seconds: float

    @property
    def end(self) -> float:
        """Its end, in seconds since 1970."""
        return self.start + self.seconds

    def holds(self, field: str) -> str:
        """The condition that a field's time is within it."""
        return f"{_epoch(field)} >= {self.start} AND {_epoch(field)} < {self.end}"


@dataclass(frozen=True)
class _Bounds:
    """How many rows: a 90 % interval and its middle, and what it stands on in words."""

    low: int
    likely: int
    high: int
    basis: str

    def less(self, seen: int) -> _Bounds:
        """Take off rows that are seen after all."""
        if not seen:
            return self
        return _Bounds(
            max(self.low - seen, 0),
            max(self.likely - seen, 0),
            max(self.high - seen, 0),
            f"{self.basis}; {seen:,} rows that survived are taken off",
        )

    def raised(self, low: int, trace: str) -> _Bounds:
        """Raise the lower bound, if it is lower."""
        if low <= self.low:
            return self
        said = f"{trace} raise the lower bound from {self.low:,} to {low:,}"
        return _Bounds(low, max(self.likely, low), max(self.high, low), f"{self.basis}; {said}")

    def surviving(self, share: float) -> _Bounds:
        """What is unseen of a table that survives, of which only a share went."""
        said = (
            "the table survives: only what was written and removed again in between is unseen, "
            f"at the rate at which its older rows went ({share:.1%})"
        )
        likely, high = round(self.likely * share), math.ceil(self.high * share)
        return _Bounds(0, likely, high, f"{said}; {self.basis}")

    def plain(self) -> dict[str, Any]:
        """As the contract's JSON has it."""
        return {"low": self.low, "likely": self.likely, "high": self.high, "basis": self.basis}


def not_known(basis: str) -> dict[str, Any]:
    """What the contract's JSON has where nothing can be said."""
    return {"low": 0, "likely": None, "high": None, "basis": basis}


@dataclass(frozen=True)
class _Written:
    """When the backup's rows were written.

    Attributes:
        relation: a working table (s, and the link's columns c0, c1, …).
        source: where the times are from, in words.
    """

    relation: str
    source: str


class Unseen:
    """Estimates the rows of one junction table that are in neither side.

    Args:
        work: the run's workspace.
        name: the junction table; parents: its parents.
        window: the incident window.
    """

    def __init__(
        self, work: Workspace, name: TableName, parents: Sequence[Parent], window: Window
    ) -> None:
        self._work = work
        self._name = name
        self._table = work.backup.catalog.tables[name]
        self._junction = junction_of(self._table, parents)
        self._window = window

    def run(self) -> dict[str, Any]:
        """Return the interval and its basis, as the contract's JSON has them.

        Raises:
            EvidenceError: a side cannot be read.
        """
        written = self._written()
        if written is None:
            return not_known(
                "cannot be estimated: no time of its rows or of their parents is known"
            )
        bounds = self._by_the_past(written)
        if bounds is None:
            return not_known("cannot be estimated: its past is shorter than the window")
        result = self._work.results[self._name]
        if result.state == "compared":
            share = 0.0
            if result.backup_rows:
                share = (result.missing or 0) / result.backup_rows
            if share < _WIPED:
                return bounds.surviving(share).plain()
            bounds = bounds.less(self._survivors())
        low, trace = self._traces(written)
        return bounds.raised(low, trace).plain()

    def _by_the_past(self, written: _Written) -> _Bounds | None:
        """How many rows were written, by windows before; None without any."""
        start, seconds = self._window.start, self._window.seconds
        answer = self._work.db.execute(
            f"SELECT s FROM {written.relation} WHERE s IS NOT NULL ORDER BY s"
        )
        times = np.asarray(answer.fetchnumpy()["s"], dtype=float)
        found = estimate(times[times < start], start, seconds)
        if found is None:
            return None
        days = "whatever the day of the week"
        if found.alike:
            days = "with days of rest at the same place"
        few = ""
        if found.windows < FEW:
            few = "; so few that the interval holds less than 90 of 100"
        basis = (
            f"{found.windows} windows of {_length(seconds)} at the same hours before the backup, "
            f"{days}{few}: {written.source}"
        )
        return _Bounds(found.low, found.likely, found.high, basis)

    # --- when rows were written -------------------------------------------------------------

    def _written(self) -> _Written | None:
        """When the backup's rows were written, or None where nothing says it."""
        made = made_column(self._table)
        if made is None:
            return self._written_by_parents()
        columns = self._junction.link_columns
        rows = self._rows((made, *columns))
        heads = renamed(numbered("c", len(columns) + 1)[1:], "c")
        times = self._work.temp(
            f"""
            SELECT {_epoch("c0")} AS s, {heads} FROM {rows}
             WHERE isfinite(TRY_CAST(c0 AS TIMESTAMP))
            """
        )
        return _Written(times, f"the rows' own {made}")

    def _written_by_parents(self) -> _Written | None:
        """When the younger of the parents that a row links was written."""
        columns = self._junction.link_columns
        joins = ""
        ages = []
        named = []
        for number, (parent, made) in enumerate(self._dated_parents()):
            if made is None:
                continue
            keys = self._work.read("backup", parent.name, (*parent.parent_columns, made))
            alias = f"p{number}"
            width = len(parent.columns)
            fields = [f"m.c{columns.index(column)}" for column in parent.columns]
            joins += f" JOIN {keys} {alias} ON {same(fields, numbered(f'{alias}.c', width))}"
            ages.append(_epoch(f"{alias}.c{width}"))
            named.append(f"{parent.name}.{made}")
        if not ages:
            return None
        source = (
            "the rows have no time of their own, that of the younger parent stands for it "
            f"({', '.join(named)})"
        )
        times = self._work.temp(
            f"""
            SELECT greatest({listed(ages)}) AS s, m.*
              FROM {self._rows(columns)} m {joins}
            """
        )
        return _Written(times, source)

    def _dated_parents(self) -> list[tuple[Parent, str | None]]:
        """The parent at each end of the link, and its column of when a row was made.

        None where it has none, where an end means several parents, or where it cannot
        be read.
        """
        found = []
        for end in self._junction.link:
            parent = end.parents[0]
            table = self._work.table("backup", parent.name)
            made = made_column(table) if table else None
            if len(end.parents) > 1 or not self._work.holds("backup", parent.name):
                made = None
            found.append((parent, made))
        return found

    def _rows(self, columns: Sequence[str]) -> str:
        """All rows of the backup's table; those of a dropped table lie in the case."""
        missing = missing_rows(self._work, self._name)
        if missing and self._work.results[self._name].state == "dropped":
            fields = missing.fields(columns)
            if fields:
                return f"(SELECT {renamed(fields, 'c')} FROM {missing.relation})"
        return self._work.read("backup", self._name, columns)

    def _survivors(self) -> int:
        """Rows that were written within the window and are in live."""
        made = made_column(self._table)
        if made is None:
            return 0
        return self._added(self._name, made)

    def _added(self, name: TableName, made: str) -> int:
        """Rows of a table that only live has and that were made in the window."""
        kept = self._work.kept("live", name)
        field = self._work.field("live", name, made)
        if kept is None or field is None:
            return 0
        within = self._window.holds(field)
        return self._work.count(f"{kept} WHERE state = 'added' AND {within}")

    # --- traces -----------------------------------------------------------------------------

    def _traces(self, written: _Written) -> tuple[int, str]:
        """A lower bound from parents that are new since the backup, and which those are."""
        best = (0, "")
        for parent, made in self._dated_parents():
            if made is None:
                continue
            bound = self._trace(parent, made, written)
            if bound > best[0]:
                best = (bound, f"parents in {parent.name} that are new since the backup")
        return best

    def _trace(self, parent: Parent, made: str, written: _Written) -> int:
        """How many of the parents that were made in the window had surely got a link.

        As many as parents of past windows had: of those that were made in each, the
        share that had a link by its end.
        """
        new = self._added(parent.name, made)
        if not new:
            return 0
        born, linked = self._born_and_linked(parent, made, written)
        window = self._window
        shares = []
        for begin in past_windows(born, window.start, window.seconds)[:MOST]:
            first, last = np.searchsorted(born, [begin, begin + window.seconds])
            if last > first:
                in_time = linked[first:last] < begin + window.seconds
                shares.append(float(np.mean(in_time)))
        if len(shares) < FEW:
            return 0
        shares.sort()
        return math.floor(new * shares[lower_rank(len(shares)) - 1])

    def _born_and_linked(
        self, parent: Parent, made: str, written: _Written
    ) -> tuple[np.ndarray, np.ndarray]:
        """When each of a parent's rows was made, ascending, and first linked.

        Infinity stands for a row that has none.
        """
        columns = self._junction.link_columns
        width = len(parent.columns)
        keys = self._work.read("backup", parent.name, (*parent.parent_columns, made))
        mine = [f"c{columns.index(column)}" for column in parent.columns]
        first = self._work.temp(
            f"""
            SELECT {listed(mine)}, min(s) AS s FROM {written.relation}
             GROUP BY {listed(mine)}
            """
        )
        on = same(numbered("p.c", width), [f"l.{field}" for field in mine])
        found = self._work.db.execute(
            f"""
            SELECT {_epoch(f"p.c{width}")} AS made, l.s AS linked
              FROM {keys} p LEFT JOIN {first} l ON {on}
             WHERE p.c{width} IS NOT NULL
            """
        ).fetchnumpy()
        self._work.drop(first)
        born: np.ndarray = np.ma.filled(np.ma.asarray(found["made"], dtype=float), np.nan)
        seen: np.ndarray = np.ma.filled(np.ma.asarray(found["linked"], dtype=float), np.inf)
        order = np.argsort(born)
        born, seen = born[order], seen[order]
        known = ~np.isnan(born)
        return born[known], seen[known]


def _epoch(field: str) -> str:
    """Seconds since 1970 of a time's text; one without a zone is taken as UTC."""
    return f"epoch(TRY_CAST({field} AS TIMESTAMP))"


def _length(seconds: float) -> str:
    hours, minutes = divmod(round(seconds / 60), 60)
    parts = []
    if hours:
        parts.append(f"{hours:,} h")
    if minutes:
        parts.append(f"{minutes} min")
    return " ".join(parts) or "less than a minute"
