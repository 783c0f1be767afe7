"""Whether rows that meet a condition are lost more often than chance and ordinary life explain."""

from __future__ import annotations

import math
from dataclasses import dataclass

FEWEST = 20  # lost rows that make a pattern
_CHANCE = math.log(1e-4)  # that anything is said of rows that were lost at random
_COVERAGE = 0.25  # of the lost rows; fewer are no answer to where the loss is
_LIFT = 2.0
_RISK = 4.0  # how many times likelier than other rows those of a slice are lost
_NEARLY_ALL, _CLEAR_RISK = 0.9, 10.0  # then the slice may hold more than half of the table
_WIDEST = 0.9  # of the table


@dataclass(frozen=True)
class Tally:
    """Rows counted.

    Attributes:
        lost: lost rows that meet the condition.
        rows: rows that meet it.
        of_lost, of_rows: the same without the condition.
    """

    lost: int
    rows: int
    of_lost: int
    of_rows: int

    @property
    def share(self) -> float:
        """Of the lost rows."""
        return self.lost / self.of_lost if self.of_lost else 0.0

    @property
    def table_share(self) -> float:
        """Of the table's rows."""
        return self.rows / self.of_rows if self.of_rows else 0.0

    @property
    def lift(self) -> float:
        """How many times as many lost rows as there would be by chance."""
        return self.share / self.table_share if self.rows else 0.0

    @property
    def risk(self) -> float:
        """How many times likelier its rows are lost than others."""
        lost, rows = self.of_lost - self.lost, self.of_rows - self.rows
        if not self.rows or rows <= 0:
            return 0.0
        if not lost:
            return math.inf
        return (self.lost / self.rows) / (lost / rows)

    @property
    def evidence(self) -> float:
        """Against chance: the probability of so many lost rows is at most exp(-evidence).

        It is Chernoff's bound, which Hoeffding showed to hold without replacement too. Which of
        the two marks is drawn and which one counted makes no difference to the probability, so the
        better of both bounds holds.
        """
        if not self.lost or self.share <= self.table_share:
            return 0.0
        drawn = self.of_lost * _divergence(self.share, self.table_share)
        marked = self.rows * _divergence(self.lost / self.rows, self.of_lost / self.of_rows)
        return max(drawn, marked)

    def stands_out(self, slack: float = 1.0) -> bool:
        """Whether the condition tells lost rows from others well enough to be worth saying.

        Args:
            slack: below 1 for counts of samples, so that none is passed over.
        """
        if self.lost < FEWEST * slack or self.share < _COVERAGE * slack:
            return False
        if self.table_share > _WIDEST / slack or self.risk < _RISK * slack:
            return False
        if self.lift >= _LIFT * slack:
            return True
        return self.share >= _NEARLY_ALL * slack and self.risk >= _CLEAR_RISK * slack

    def beats_chance(self, tried: float, slack: float = 1.0) -> bool:
        """Whether it would hardly come about by chance.

        Args:
            tried: the logarithm of how many conditions might have been found.
            slack: as `stands_out` has it.
        """
        return self.evidence > (tried - _CHANCE) * slack


def tried(columns: int, rows: int) -> float:
    """The logarithm of how many conditions there are: values, bounds, pairs of bounds."""
    return math.log(max(columns, 1)) + 2 * math.log(max(rows, 2))


def _divergence(found: float, expected: float) -> float:
    """Kullback and Leibler's, of two shares."""
    total = 0.0
    for ours, theirs in ((found, expected), (1 - found, 1 - expected)):
        if ours > 0:
            total += ours * math.log(ours / theirs) if theirs > 0 else math.inf
    return total
