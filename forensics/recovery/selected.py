"""What belongs to the rows that were named: what comes back of it, what stays, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from forensics.recovery.narrow.belongings import Share
from forensics.recovery.stays import Stay


@dataclass(frozen=True)
class Selected:
    """What belongs to the rows that were named.

    Attributes:
        where, rows: what was asked for, as it was typed.
        shares: what comes back, table by table.
        left: what is lost and stays, and why: what belongs to it and cannot return, and rows of
            others.
        asked_for: whether rows come back of which no statement is known to have taken them.
    """

    where: tuple[str, ...]
    rows: tuple[str, ...]
    shares: tuple[Share, ...]
    left: tuple[Stay, ...]
    asked_for: bool

    def as_json(self) -> dict[str, Any]:
        """As `plan.json` has it."""
        return {
            "where": list(self.where),
            "rows": list(self.rows),
            "tables": [share.as_json() for share in self.shares],
            "left": [stay.as_json() for stay in self.left],
            "unexplained": self.asked_for,
        }
