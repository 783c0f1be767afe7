"""A place where live holds missing links, and what it keeps of their rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from forensics.loss.columns import is_order
from forensics.loss.junctions import Junction
from forensics.loss.missing import MissingRows
from forensics.loss.sql import listed
from forensics.model import Column, Parent, TableName


@dataclass(frozen=True)
class Place:
    """Where live holds links that are missing.

    Attributes:
        name: the table; column: its column, or None where a row of the table is the
            link.
        rows: missing rows laid to this place; each is laid to one place, so that they
            add up.
        held: missing rows whose link this place holds, those laid to another place too.
        order: "kept", "partly kept", "lost", or None where there was none.
        lost: the junction table's columns that the place has nothing for.
    """

    name: TableName
    column: str | None
    rows: int
    held: int
    order: str | None
    lost: tuple[str, ...]


@dataclass(frozen=True)
class Found:
    """What was found in one place.

    Attributes:
        name: the table; column: its column, or None where a row of the table is the
            link.
        matches: a working table (pair, spot) of the missing rows.
        holders: by parent, a working table (k0, …) of its rows that hold anything
            there.
        ordered: whether `spot` says in which order the place holds them.
        has: the table's columns, where a row of it is the link.
    """

    name: TableName
    column: str | None
    matches: str
    holders: Mapping[Parent, str]
    ordered: bool
    has: tuple[str, ...]


class Keeping:
    """Says what a place keeps of the rows of a junction table, beside the link itself.

    Args:
        missing: the missing rows.
        junction: their table.
    """

    def __init__(self, missing: MissingRows, junction: Junction) -> None:
        self._missing = missing
        self._junction = junction
        self._order_column = self._find_order()

    def _find_order(self) -> Column | None:
        for column in self._missing.table.columns:
            if is_order(column) and column.name not in self._junction.link_columns:
                return column
        return None

    def order(self, found: Found) -> str | None:
        """Whether a holder's value has its links in their order."""
        column = self._order_column
        if column is None:
            return None
        field = self._missing.work.field("backup", self._missing.name, column.name)
        if field is None:
            return None
        if found.column is None:
            return "kept" if column.name in found.has else "lost"
        if not found.ordered:
            return "lost"
        pairs, wrong = self._neighbours(found, field)
        if not wrong:
            return "kept"
        if wrong < pairs / 2:
            return "partly kept"
        return "lost"

    def _neighbours(self, found: Found, order: str) -> tuple[int, int]:
        """How many links come after another in their holder, and how many stand before it."""
        (holder,) = found.holders
        keys = self._missing.fields(holder.columns) or []
        pairs, wrong = self._missing.work.one(
            f"""
            SELECT count(*), count(*) FILTER (spot < earlier)
              FROM (SELECT x.spot,
                           lag(x.spot) OVER (
                               PARTITION BY {listed(keys, "m.")}
                               ORDER BY TRY_CAST(m.{order} AS HUGEINT), x.spot
                           ) AS earlier
                      FROM {found.matches} x
                      JOIN {self._missing.relation} m ON m.pair = x.pair)
             WHERE earlier IS NOT NULL
            """
        )
        return pairs, wrong

    def lost(self, found: Found) -> tuple[str, ...]:
        """The columns that the place has nothing for: surrogate key and links apart."""
        table = self._missing.table
        kept = {*self._junction.link_columns, *found.has}
        if table.primary_key:
            kept.update(table.primary_key.columns)
        if found.ordered and self._order_column:
            kept.add(self._order_column.name)
        names = []
        for column in table.columns:
            if column.name not in kept and not column.generated:
                names.append(column.name)
        return tuple(names)
