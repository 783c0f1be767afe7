"""Conditions that rows meet: a value, a bound, two bounds, NULL."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from forensics.loss.concentration.axes import Axis
from forensics.loss.sql import literal

Test = Literal["equal", "null", "not null", "at most", "at least", "between"]

_WITHOUT_END = {"at most": "before", "between": "within"}
_FAR = {True: "infinity", False: "-infinity"}
_MINUTE = 60_000_000  # microseconds
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_STEPS = (
    {"month": 1, "day": 1, "hour": 0, "minute": 0, "second": 0, "microsecond": 0},
    {"day": 1, "hour": 0, "minute": 0, "second": 0, "microsecond": 0},
    {"hour": 0, "minute": 0, "second": 0, "microsecond": 0},
    {"minute": 0, "second": 0, "microsecond": 0},
    {"second": 0, "microsecond": 0},
    {"microsecond": 0},
)


@dataclass(frozen=True)
class Condition:
    """What rows have in common.

    Attributes:
        axis: the column.
        test: what is asked of it.
        value: of "equal".
        low, high: the bounds, which belong to it.
    """

    axis: Axis
    test: Test
    value: Any = None
    low: Any = None
    high: Any = None

    def sql(self, field: str) -> str:
        """The condition, of a field that holds the column; never NULL."""
        if self.test == "null":
            return f"{field} IS NULL"
        if self.test == "not null":
            return f"{field} IS NOT NULL"
        if self.test == "equal":
            return f"{field} IS NOT DISTINCT FROM {_literal(self.value)}"
        asked = []
        if self.low is not None:
            asked.append(f"{field} >= {_literal(self.low)}")
        if self.high is not None:
            asked.append(f"{field} <= {_literal(self.high)}")
        return f"coalesce({' AND '.join(asked)}, false)"

    def edges(self, field: str) -> tuple[str, str]:
        """Conditions of what lies below the lower bound, and above the upper one."""
        below = above = "false"
        if self.low is not None:
            below = f"{field} < {_literal(self.low)}"
        if self.high is not None:
            above = f"{field} > {_literal(self.high)}"
        return below, above

    @property
    def simplicity(self) -> float:
        """Which of two conditions that say the same is said: the smaller first."""
        if self.axis.parent and self.test == "equal":
            return 0.0
        if self.test in ("equal", "null"):
            return 1.0
        if self.test == "not null":
            return 1.5
        order = 3.0
        if self.axis.is_time:
            order = 2.0
        if self.test == "between":
            order += 0.5
        return order

    def plain(self, below: Any, above: Any) -> dict[str, Any]:
        """The condition as the case and its JSON have it.

        Args:
            below, above: the next values of the whole table beyond the bounds, or None.

        Returns:
            Bounds of times are the roundest that leave the rows as they are; `high` is then the
            first moment outside, and the test is "before" or "within". `rounded`: whether the
            bounds are whole minutes.
        """
        low, high = self.low, self.high
        test: str = self.test
        if self.axis.is_time and low is not None:
            low = _roundest(below, low)
        if self.axis.is_time and high is not None and above is not None:
            high = _roundest(high, above)
            test = _WITHOUT_END[test]
        bounds = [bound for bound in (low, high) if bound is not None]
        return {
            "column": self.axis.column,
            "test": test,
            "value": self._text(self.value),
            "low": self._text(low),
            "high": self._text(high),
            "rounded": self.axis.is_time and all(bound % _MINUTE == 0 for bound in bounds),
        }

    def _text(self, value: Any) -> str | None:
        """A value as people write it."""
        if value is None:
            return None
        if not self.axis.is_time:
            return str(value)
        at = _moment(value)
        if at is None:
            return _FAR[value > 0]
        zone = "+00" if self.axis.zoned else ""
        if at.microsecond:
            return f"{at:%Y-%m-%d %H:%M:%S.%f}{zone}"
        if at.second:
            return f"{at:%Y-%m-%d %H:%M:%S}{zone}"
        if zone or at.hour or at.minute:
            return f"{at:%Y-%m-%d %H:%M}{zone}"
        return f"{at:%Y-%m-%d}"


def _literal(value: Any) -> str:
    if isinstance(value, str):
        return literal(value)
    if isinstance(value, float):
        return f"'{value!r}'::DOUBLE"
    return f"{int(value)}::BIGINT"


def _roundest(after: Any, upto: Any) -> Any:
    """The roundest moment after one and up to another, in microseconds; the latter at worst."""
    moment = _moment(upto)
    if moment is None:
        return upto
    for step in _STEPS:
        rounded = moment.replace(**step)  # type: ignore[arg-type]
        found = (rounded - _EPOCH) // timedelta(microseconds=1)
        if after is None or found > after:
            return found
    return upto


def _moment(microseconds: Any) -> datetime | None:
    try:
        return _EPOCH + timedelta(microseconds=int(microseconds))
    except OverflowError:
        return None
