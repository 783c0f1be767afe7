"""Rows counted by the conditions that they meet, all at once: each row is a number's bits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from forensics.errors import BackupError
from forensics.loss.concentration.axes import Axis
from forensics.loss.concentration.chosen import Masks
from forensics.loss.concentration.conditions import Condition
from forensics.loss.concentration.reading import kept
from forensics.loss.workspace import SideName, Workspace
from forensics.model import TableName


class Counts:
    """How many rows of a table meet which of some conditions.

    Args:
        work: the run's workspace.
        name: the table.
        axes: the columns that the conditions are about.
        conditions: what is counted.

    Attributes:
        base: of the backup's rows, once they are counted.
    """

    def __init__(
        self,
        work: Workspace,
        name: TableName,
        axes: Sequence[Axis],
        conditions: Sequence[Condition],
    ) -> None:
        self._work, self._name = work, name
        self._axes, self._conditions = axes, conditions
        self.base: Masks = {}
        self._counted: Sequence[tuple[Any, ...]] = ()

    def select(self, columns: Sequence[Axis] | None = None) -> str:
        """The query that counts a relation's rows, and finds what is next to each bound.

        Args:
            columns: those of the relation, v0, v1, …; the conditions' where none are given.
        """
        columns = columns or self._axes
        asked = [f"{self._mask(columns)} AS mask", "count(*) AS rows"]
        for place, condition in enumerate(self._conditions):
            field = f"v{columns.index(condition.axis)}"
            low, high = condition.edges(field)
            asked.append(f"max({field}) FILTER (WHERE {low}) AS b{place}")
            asked.append(f"min({field}) FILTER (WHERE {high}) AS a{place}")
        return f"SELECT {', '.join(asked)} FROM {{rows}} GROUP BY mask"

    def take(self, counted: Sequence[tuple[Any, ...]], expected: int) -> None:
        """Take what `select` counted.

        Args:
            counted: its rows.
            expected: how many rows the comparison found.

        Raises:
            BackupError: there are not as many.
        """
        self.base = {mask: rows for mask, rows, *_ in counted}
        total = sum(self.base.values())
        if total != expected:
            raise BackupError(
                f"The backup holds {total:,} rows of {self._name} now; {expected:,} were compared."
            )
        self._counted = counted

    def beyond(self, condition: Condition, also: Condition | None = None) -> tuple[Any, Any]:
        """The backup's next values below and above a condition's bounds.

        Args:
            condition: which.
            also: what the rows meet besides, with which these values are.
        """
        place = self._conditions.index(condition)
        within = 0
        if also is not None:
            within = 1 << self._conditions.index(also)
        below, above = [], []
        for mask, _, *edges in self._counted:
            if mask & within == within:
                below.append(edges[2 * place])
                above.append(edges[2 * place + 1])
        return max(_known(below), default=None), min(_known(above), default=None)

    def of_kept(self, side: SideName, where: str = "true") -> Masks:
        """The same of the rows that a case keeps of a side."""
        relation = kept(self._work, side, self._name, self._axes)
        if relation is None:
            return {}
        found = dict(
            self._work.ask(
                f"SELECT {self._mask(self._axes)} AS mask, count(*) FROM {relation}"
                f" WHERE {where} GROUP BY mask"
            )
        )
        for mask, rows in found.items():
            if side == "backup" and rows > self.base.get(mask, 0):
                raise BackupError(f"Rows of {self._name} are kept otherwise than they are read.")
        return found

    def of_live(self) -> Masks:
        """The same of live's rows: the backup's, without those that differ, and with live's."""
        found = dict(self.base)
        for mask, rows in self.of_kept("backup").items():
            found[mask] -= rows
        for mask, rows in self.of_kept("live").items():
            found[mask] = found.get(mask, 0) + rows
        return found

    def only(self, some: Sequence[Condition], *counted: Masks) -> list[Masks]:
        """Counts by some of the conditions alone, in their order."""
        places = [self._conditions.index(condition) for condition in some]
        return [_picked(masks, places) for masks in counted]

    def _mask(self, columns: Sequence[Axis]) -> str:
        bits = []
        for place, condition in enumerate(self._conditions):
            met = condition.sql(f"v{columns.index(condition.axis)}")
            bits.append(f"({met})::BIGINT * {1 << place}")
        return " + ".join(bits)


def _known(values: Sequence[Any]) -> list[Any]:
    return [value for value in values if value is not None]


def _picked(masks: Masks, places: Sequence[int]) -> Masks:
    found: dict[int, int] = {}
    for mask, rows in masks.items():
        picked = sum((mask >> place & 1) << bit for bit, place in enumerate(places))
        found[picked] = found.get(picked, 0) + rows
    return found
