"""Ordinary life: what speaks against a destruction although a pattern holds."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from forensics.compare.overwritten.candidates import Ask, Candidate, stood
from forensics.compare.overwritten.columns import Cell, Only
from forensics.compare.overwritten.computed import double, time

_TOUCHED = re.compile(
    r"updat|modif|chang|touch|seen|last|latest|login|next|due|until|expir|sync|check", re.I
)
_COUNTED = re.compile(
    r"version|revision|lock|count|attempt|retr(y|ies)|views|hits|visits|seq|position|order|rank"
    r"|stock|quantity|balance|score|points",
    re.I,
)
_NEARLY = 0.95
_LEAST_SPREAD = 60  # seconds; a script that goes row by row is faster


def is_touched(cell: Cell) -> bool:
    """Whether a column is a time that moves with every change of its row."""
    return cell.kind == "time" and bool(_TOUCHED.search(cell.name))


@dataclass(frozen=True)
class Life:
    """Looks for evidence of ordinary life in the sampled rows of one column's pattern.

    Args:
        cells, apart: the table's columns.
        whole: whether the pattern holds in nearly all rows of the table.
    """

    cells: Sequence[Cell]
    apart: Sequence[Only]
    whole: bool

    def reason(self, cell: Cell, found: Candidate, ask: Ask) -> str:
        """Why a pattern is none of destruction, in words; "" where nothing says so.

        Args:
            cell: the column.
            found: its pattern.
            ask: runs a query over `picked`, the sampled rows that hold the pattern.
        """
        for reason in self._reasons(cell, found, ask):
            if reason:
                return reason
        return ""

    def _reasons(self, cell: Cell, found: Candidate, ask: Ask) -> Iterator[str]:
        yield self._forward(cell, found, ask)
        yield self._counted(cell, found, ask)
        if found.kind == "negated" and not self.whole:
            yield "a flag that was set in some rows and taken back in others"
        yield self._scattered(cell, ask)
        yield self._lives_on(cell, ask)

    def _forward(self, cell: Cell, found: Candidate, ask: Ask) -> str:
        if cell.kind != "time":
            return ""
        old, new = time(cell.old), time(cell.new)
        forward, beside, every = ask(
            f"SELECT count(*) FILTER ({new} > {old} OR {new} IS NULL), "
            f"{_changed_beside(found)}, count(*) FROM picked"
        )
        if found.pattern == "blanked" or forward < _NEARLY * every:
            return ""
        if _TOUCHED.search(cell.name) or found.kind == "days" or 2 * beside > every:
            return "times that moved forward"
        return ""

    def _counted(self, cell: Cell, found: Candidate, ask: Ask) -> str:
        if cell.kind not in ("whole", "number"):
            return ""
        counts = bool(_COUNTED.search(cell.name))
        if found.kind == "shifted" and (counts or not self.whole or cell.kind == "whole"):
            return "moved by one amount, as counters are"
        old, new = double(cell.old), double(cell.new)
        up, by_one, every = ask(
            f"SELECT count(*) FILTER ({new} > {old}), count(*) FILTER ({new} = {old} + 1), "
            "count(*) FROM picked"
        )
        if counts and up == every:
            return "a counter that grew"
        if by_one == every and not self.whole:
            return "counted on by one"
        return ""

    def _scattered(self, cell: Cell, ask: Ask) -> str:
        """Whether each row says another time at which it was written."""
        fields = []
        for one in self.cells:
            if one.kind == "time" and one != cell:
                fields.append((one.name, time(one.new), time(one.old)))
        for only in self.apart:
            if only.kind == "time" and only.field.startswith("x"):
                fields.append((only.name, time(only.field), "NULL::TIMESTAMP"))
        for name, at, was in fields:
            # Times that one statement moved or cut say nothing of when a row was written.
            later = f"FILTER ({at} > {was} OR ({at} IS NOT NULL AND {was} IS NULL))"
            away = f"coalesce({at} - {was}, {at} - TIMESTAMP '2000-01-01')"
            times, ways, spread, every = ask(
                f"SELECT count(DISTINCT {at}) {later}, count(DISTINCT {away}) {later}, "
                f"date_diff('second', min({at}) {later}, max({at}) {later}), count(*) FROM picked"
            )
            if min(times, ways) >= max(2, every / 2) and (spread or 0) >= _LEAST_SPREAD:
                return f"written at scattered times, as {name} says"
        return ""

    def _lives_on(self, cell: Cell, ask: Ask) -> str:
        """Whether the values stand in another column of the same row that was written too."""
        places = [(c.name, c.new, c.differs) for c in self.cells if c != cell]
        for only in self.apart:
            if only.field.startswith("x"):
                places.append((only.name, only.field, "true"))
        for name, field, written in places:
            there, every = ask(
                f"SELECT count(*) FILTER ({field} = {cell.old} AND {written}), count(*) FROM picked"
            )
            if every and there >= _NEARLY * every:
                return f"the values stand in {name} now"
        return ""


def sampled(cell: Cell, found: Candidate) -> str:
    """The condition of the sampled rows that tell whether it is life."""
    return f"{cell.differs} AND ({found.holds}) AND {stood(cell)}"


def _changed_beside(found: Candidate) -> str:
    """How many rows wrote the column anew that a value was copied from."""
    if found.source_field is None:
        return "0"
    other = f"n{found.source_field[1:]}"
    return f"count(*) FILTER ({found.source_field} IS DISTINCT FROM {other})"
