"""The rule by which a pattern is taken for a destruction. docs/overwritten.md states it."""

from __future__ import annotations

from dataclasses import dataclass

from forensics.model import Pattern

_LEAST = 3  # rows of a small table
_SIMPLE = ("blanked", "constant", "copied", "computed")


@dataclass(frozen=True)
class Counted:
    """What was counted of a pattern.

    Attributes:
        rows: that hold it.
        lost: those of them in which a value stood.
        of: the table's changed rows.
        table_rows: the rows that both sides hold.
        varied: whether more than one value was lost.
    """

    pattern: Pattern
    rows: int
    lost: int
    of: int
    table_rows: int
    varied: bool


@dataclass(frozen=True)
class Rule:
    """How many rows, and which share of a table's changed ones, make a destruction."""

    rows: int
    share: float

    def holds(self, found: Counted) -> bool:
        """Whether a pattern destroyed what was there, unless it is ordinary life."""
        if found.pattern == "mixed" or not found.lost:
            return False
        # Rows in which nothing stood are no evidence against.
        changed = found.of - (found.rows - found.lost)
        if found.lost >= self.rows:
            return found.lost >= self.share * changed
        return self._small(found)

    def _small(self, found: Counted) -> bool:
        """Whether a small table was wiped: each changed row, most rows, and several values."""
        if found.pattern not in _SIMPLE or not found.varied or found.rows < found.of:
            return False
        return found.lost >= _LEAST and 2 * found.lost >= found.table_rows
