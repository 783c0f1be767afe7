"""Which of several conditions are said: those that hold most of the loss, each for itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from forensics.loss.concentration.conditions import Condition
from forensics.loss.concentration.evidence import FEWEST, Tally, tried

_MOST = 3  # that are said of one loss
_REST = 0.2  # of the lost rows; what holds fewer of those that are left is not said beside others
_TOGETHER = 0.5  # of the lost rows
_ALIKE = 0.9  # evidence within this of the best is as good: the simplest is said
_BOTH_KEEP, _BOTH_LEAVE = (
    0.95,
    0.67,
)  # what a second condition keeps of the lost rows, and of others

Masks = Mapping[int, int]


@dataclass(frozen=True)
class Chosen:
    """A slice that is said.

    Attributes:
        condition: what its rows meet.
        also: what they meet besides, or None.
        tally: exact counts.
    """

    condition: Condition
    also: Condition | None
    tally: Tally


def chosen(conditions: Sequence[Condition], lost: Masks, rows: Masks, columns: int) -> list[Chosen]:
    """Return the slices that hold most of a loss, the largest first; none where there are none.

    Args:
        conditions: what may be said.
        lost, rows: how many lost rows, and rows of the table, meet which of the conditions: the
            bits of a number.
        columns: how many columns there were to choose from.
    """
    return _Choice(conditions, lost, rows, columns).run()


class _Choice:
    def __init__(
        self, conditions: Sequence[Condition], lost: Masks, rows: Masks, columns: int
    ) -> None:
        self._conditions = conditions
        self._lost, self._rows = lost, rows
        self._tried = tried(columns, sum(rows.values()))

    def run(self) -> list[Chosen]:
        everything = self._tally(0, 0)
        said: list[int] = []
        left = everything.of_lost
        while len(said) < _MOST and left >= max(FEWEST, _REST * everything.of_lost):
            best = self._best(_bits(said), everything.of_lost)
            if best is None:
                break
            said.append(best)
            left = self._tally(0, _bits(said)).of_lost
        if left > (1 - _TOGETHER) * everything.of_lost:
            return []
        found = [self._narrowed(place) for place in said]
        found.sort(key=lambda one: -one.tally.lost)
        return found

    def _best(self, without: int, of_lost: int) -> int | None:
        """The condition that tells most of the rows that meet none of others."""
        good = []
        for place, condition in enumerate(self._conditions):
            if without >> place & 1:
                continue
            tally = self._tally(1 << place, without)
            enough = tally.lost >= _REST * of_lost
            if enough and tally.stands_out() and tally.beats_chance(self._tried):
                good.append((tally.evidence, condition.simplicity, place))
        if not good:
            return None
        most = max(evidence for evidence, _, _ in good)
        alike = [one for one in good if one[0] >= _ALIKE * most]
        return min(alike, key=lambda one: (one[1], -one[0], one[2]))[2]

    def _narrowed(self, place: int) -> Chosen:
        """A slice, and what else nearly all of its lost rows meet, and few of the others."""
        bit = 1 << place
        whole = self._tally(bit, 0)
        best = None
        for other, condition in enumerate(self._conditions):
            if condition.axis == self._conditions[place].axis:
                continue
            both = self._tally(bit | 1 << other, 0)
            within = Tally(both.lost, both.rows, whole.lost, whole.rows)
            if within.share < _BOTH_KEEP or within.table_share > _BOTH_LEAVE:
                continue
            if within.beats_chance(self._tried) and (best is None or both.rows < best[0].rows):
                best = both, condition
        if best is None:
            return Chosen(self._conditions[place], None, whole)
        return Chosen(self._conditions[place], best[1], best[0])

    def _tally(self, wanted: int, without: int) -> Tally:
        """Count rows that meet all that are wanted, of those that meet none of others."""
        found = []
        for masks in (self._lost, self._rows):
            met = of = 0
            for mask, number in masks.items():
                if mask & without:
                    continue
                of += number
                if mask & wanted == wanted:
                    met += number
            found.append((met, of))
        (lost, of_lost), (rows, of_rows) = found
        return Tally(lost, rows, of_lost, of_rows)


def _bits(places: Sequence[int]) -> int:
    return sum(1 << place for place in places)
