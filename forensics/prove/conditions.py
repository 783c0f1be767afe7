"""What is asked of a backup, beside being whole."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from forensics.compare.options import matching
from forensics.errors import UsageError
from forensics.model import TableName

_AGE = re.compile(r"\s*(\d{1,6}(?:\.\d+)?)\s*(min|m|h|d|w)\s*")
_UNITS = {"min": "minutes", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


@dataclass(frozen=True)
class Conditions:
    """What is asked of a backup.

    Attributes:
        max_age: how old it may be.
        backup_at: when it was taken, where it does not say.
        expect_tables: of how many tables it has to hold rows or know that there are none.
        expect: tables that it has to hold.
        max_missing: how many percent of any table's rows live may lack.
        without: shell patterns of tables that it leaves out, or whose rows it does, on purpose.
        tolerate: shell patterns of tables whose rows come and go: they are counted, not judged.
    """

    max_age: timedelta | None = None
    backup_at: datetime | None = None
    expect_tables: int | None = None
    expect: tuple[str, ...] = ()
    max_missing: float | None = None
    without: tuple[str, ...] = ()
    tolerate: tuple[str, ...] = ()

    def leaves_out(self, name: TableName) -> bool:
        """Whether the backup may do without a table or its rows."""
        return bool(self.without) and matching(name, (), self.without)

    def tolerates(self, name: TableName) -> bool:
        """Whether any number of a table's rows may come and go."""
        return bool(self.tolerate) and matching(name, (), self.tolerate)

    def as_json(self) -> dict[str, Any]:
        """The conditions, for the proof."""
        age = self.max_age
        return {
            "max_age_seconds": None if age is None else round(age.total_seconds()),
            "backup_at": None if self.backup_at is None else self.backup_at.isoformat(),
            "expect_tables": self.expect_tables,
            "expect": list(self.expect),
            "max_missing_percent": _whole(self.max_missing),
            "without": list(self.without),
            "tolerate": list(self.tolerate),
        }


def conditions(
    *,
    max_age: str | timedelta | None = None,
    backup_at: datetime | None = None,
    expect_tables: int | None = None,
    expect: tuple[str, ...] | list[str] = (),
    max_missing: float | None = None,
    without: tuple[str, ...] | list[str] = (),
    tolerate: tuple[str, ...] | list[str] = (),
) -> Conditions:
    """Return conditions as people give them.

    Args:
        max_age: like "26h", "2d", "90min" or "1w".
        backup_at: UTC where it has no zone.
        expect_tables, expect, max_missing, without, tolerate: as `Conditions` has them.

    Raises:
        UsageError: one of them asks for nothing that can be.
    """
    if isinstance(max_age, str):
        max_age = age(max_age)
    if max_missing is not None and not 0 <= max_missing <= 100:
        raise UsageError(
            f"{max_missing:g} is no share of a table's rows.",
            "--max-missing takes percent, from 0 to 100.",
        )
    if expect_tables is not None and expect_tables < 1:
        raise UsageError(
            "A backup of no table proves nothing.", "--expect-tables takes a number from 1 on."
        )
    if backup_at is not None and backup_at.tzinfo is None:
        backup_at = backup_at.replace(tzinfo=UTC)
    for given in (expect, without, tolerate):
        if isinstance(given, str):
            raise UsageError(
                f"{given} is one name where a list of tables is meant.", f'Give ["{given}"].'
            )
    return Conditions(
        max_age=max_age,
        backup_at=backup_at,
        expect_tables=expect_tables,
        expect=tuple(expect),
        max_missing=max_missing,
        without=tuple(without),
        tolerate=tuple(tolerate),
    )


def _whole(number: float | None) -> float | None:
    """A number, without a fraction where it has none: as every writer of JSON has it."""
    if number is not None and number == int(number):
        return int(number)
    return number


def age(text: str) -> timedelta:
    """Read an age: 90min, 26h, 2d, 1w.

    Raises:
        UsageError: it is none, or nothing could be so young.
    """
    found = _AGE.fullmatch(text)
    if found is None or not float(found[1]):
        raise UsageError(f"{text} is no age.", "Write it like 26h, 2d, 90min or 1w.")
    return timedelta(**{_UNITS[found[2]]: float(found[1])})
