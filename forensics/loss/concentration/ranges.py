"""Bounds between which lost rows are dense, by Kulldorff's scan for a cluster."""

from __future__ import annotations

from typing import Any

import numpy as np

_TURNS = 4  # of moving one bound while the other stands
_WORTH = 1.15  # what a second bound has to add

Bounds = tuple[Any, Any]


def dense(
    lost: np.ndarray, rows: np.ndarray, of_lost: int, of_rows: int, rate: float
) -> list[Bounds]:
    """Return pairs of bounds, which belong to what is between them; None for none.

    Args:
        lost: values of lost rows, ascending, without NULL.
        rows: the same of a sample of all rows.
        of_lost, of_rows: how many rows these are of, those with NULL included.
        rate: which share of all rows is lost.
    """
    if len(lost) < 2 or not len(rows):
        return []
    return _Scan(lost, rows, of_lost, of_rows, rate).run()


class _Scan:
    """One column's values.

    A pair of bounds is a pair of places among the values of lost rows: a cluster begins and ends
    with one.
    """

    def __init__(
        self, lost: np.ndarray, rows: np.ndarray, of_lost: int, of_rows: int, rate: float
    ) -> None:
        self._values = np.unique(lost)
        self._of, self._rate = of_lost, rate
        self._all_rows = len(rows) / of_rows
        self._lost_upto = np.searchsorted(lost, self._values, "right")
        self._lost_below = np.searchsorted(lost, self._values, "left")
        self._rows_upto = np.searchsorted(rows, self._values, "right") / of_rows
        self._rows_below = np.searchsorted(rows, self._values, "left") / of_rows

    def run(self) -> list[Bounds]:
        last = len(self._values) - 1
        upto = self._scores(0, slice(None), open_below=True)
        since = self._scores(slice(None), last, open_above=True)
        end, start = int(np.argmax(upto)), int(np.argmax(since))
        found: list[Bounds] = [
            (None, self._values[end].item()),
            (self._values[start].item(), None),
        ]
        low, high = self._both()
        one_sided = max(upto[end], since[start])
        if self._scores(low, high) > _WORTH * one_sided:
            found.append((self._values[low].item(), self._values[high].item()))
        return found

    def _both(self) -> tuple[int, int]:
        """Two bounds: the widest gain, then each is moved to where it tells most."""
        gain_upto = self._lost_upto / self._of - self._rows_upto
        gain_below = self._lost_below / self._of - self._rows_below
        starts = _where_least(gain_below)
        high = int(np.argmax(gain_upto - gain_below[starts]))
        low = int(starts[high])
        for _ in range(_TURNS):
            before = low, high
            low = int(np.argmax(self._scores(slice(None, high + 1), high)))
            high = low + int(np.argmax(self._scores(low, slice(low, None))))
            if (low, high) == before:
                break
        return low, high

    def _scores(
        self, low: Any, high: Any, *, open_below: bool = False, open_above: bool = False
    ) -> Any:
        """How well bounds tell lost rows from others: the logarithm of their likelihood's ratio."""
        lost_below, rows_below = self._lost_below[low], self._rows_below[low]
        lost_upto, rows_upto = self._lost_upto[high], self._rows_upto[high]
        if open_below:
            lost_below, rows_below = 0, 0.0
        if open_above:
            lost_upto, rows_upto = self._lost_upto[-1], self._all_rows
        inside = (lost_upto - lost_below) / self._of
        # A sample may hold no row of a narrow range; those that are lost are rows, too.
        expected = np.clip(rows_upto - rows_below, inside * self._rate, 1.0)
        outside = np.clip(1.0 - inside, 0.0, 1.0)
        with np.errstate(divide="ignore", invalid="ignore"):
            score = inside * np.log(inside / expected)
            rest = outside * np.log(outside / np.clip(1.0 - expected, 1e-9, 1.0))
        found = np.nan_to_num(score) + np.nan_to_num(rest)
        return np.where(inside > expected, found, 0.0) * self._of


def _where_least(values: np.ndarray) -> np.ndarray:
    """For each place, where the least value up to it stands."""
    least = np.minimum.accumulate(values)
    places = np.where(values == least, np.arange(len(values)), 0)
    return np.maximum.accumulate(places)
