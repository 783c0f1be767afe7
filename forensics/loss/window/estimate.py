"""How many rows were written in a window, from when earlier rows were.

The interval is that of the counts in past windows themselves, from the 5th to the 95th
of 100: for n past windows and one to come, of like kind, the r-th smallest of the n is
exceeded with probability 1 - r/(n+1) whatever the distribution, and however rows come
in batches (Wilks 1941, "Determination of sample sizes for setting tolerance limits";
today: conformal prediction). Nothing assumes that rows are independent.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

FEW = 19  # with fewer, the interval from the least to the most holds less than 90 of 100
# Past windows, the latest first: enough for 5 and 95 of 100, few enough to be like
# today.
MOST = 60
_DAY = 86400
_PAST = 730  # days to look back for windows with the same days of rest
_SATURDAY = 5
_FESTIVE = ((1, 1), (12, 25))


@dataclass(frozen=True)
class Estimate:
    """How many rows were written in a window: a 90 % interval and its middle.

    Attributes:
        low, likely, high: the interval and its middle.
        windows: the number of past windows that it stands on.
        alike: whether those have days of rest at the same place.
    """

    low: int
    likely: int
    high: int
    windows: int
    alike: bool = False


def estimate(times: np.ndarray, start: float, seconds: float) -> Estimate | None:
    """Estimate how many rows were written in a window from when earlier rows were.

    Args:
        times: when rows were written, ascending, in seconds since 1970.
        start: the window's begin, in seconds since 1970.
        seconds: its length.

    Returns:
        None where the past is shorter than a window.
    """
    starts = past_windows(times, start, seconds)
    if not len(starts):
        return None
    alike = _with_same_rest(starts[:_PAST], start, seconds)
    enough = len(alike) >= FEW
    chosen = np.array(alike if enough else starts)[:MOST]
    counts = np.sort(np.searchsorted(times, chosen + seconds) - np.searchsorted(times, chosen))
    n = len(counts)
    low = lower_rank(n)
    high = min(math.ceil(0.95 * (n + 1)), n)
    likely = int(np.median(counts))
    return Estimate(int(counts[low - 1]), likely, int(counts[high - 1]), n, enough)


def lower_rank(number: int) -> int:
    """Which of so many sorted counts is the interval's lower end, counted from 1."""
    return max(math.floor(0.05 * (number + 1)), 1)


def past_windows(times: np.ndarray, start: float, seconds: float) -> np.ndarray:
    """The begins of past windows at the same hours before `start`, the latest first.

    They are of equal length, and none of them begins before the first of `times`.
    """
    if not len(times):
        return np.array([])
    first = max(1, math.ceil(seconds / _DAY))
    last = math.floor((start - times[0]) / _DAY)
    return start - _DAY * np.arange(first, last + 1)


def _with_same_rest(starts: np.ndarray, start: float, seconds: float) -> list[float]:
    """The past windows that have days of rest at the same place."""
    rest = _rest(start, seconds)
    return [begin for begin in starts if _rest(float(begin), seconds) == rest]


def _rest(start: float, seconds: float) -> list[bool]:
    """Which quarters of days of a window are days of rest.

    Those are Saturdays, Sundays, Christmas Day and New Year's Day.
    """
    quarter = _DAY / 4
    found = []
    for step in range(max(1, math.ceil(seconds / quarter))):
        day = datetime.fromtimestamp(start + step * _DAY / 4, UTC)
        found.append(day.weekday() >= _SATURDAY or (day.month, day.day) in _FESTIVE)
    return found
