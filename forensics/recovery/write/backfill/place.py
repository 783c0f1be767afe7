"""Where a junction table's links can go."""

from __future__ import annotations

from dataclasses import dataclass

from forensics.model import Column, Parent, quote_identifier
from forensics.recovery.choose.selection import Target

_EMPTY_LISTS = ("'[]'", "'{}'", "ARRAY[]")


@dataclass(frozen=True)
class Place:
    """Where a junction table's links can go.

    Attributes:
        target: the junction table.
        owner: the parent that has the column; `other` is what the links lead to.
        column: the array or JSON column, and `cover` a column for one of the links, or None.
        order: the junction's columns that put links in order, the first counting most; `flag`
            marks the primary one.
        links: how many links are written; at the most so many where live was not `asked` which
            rows have some already.
    """

    target: Target
    owner: Parent
    other: Parent
    column: Column
    cover: Column | None
    order: tuple[str, ...]
    flag: str | None
    links: int
    asked: bool = False

    @property
    def empty(self) -> str | None:
        """The column's default where that is an empty list: such a value counts as none."""
        default = self.column.default or ""
        if default.split("::")[0].strip() in _EMPTY_LISTS:
            return default
        return None

    @property
    def length(self) -> str:
        """The SQL for how many links the column of row `t` holds."""
        column = f"t.{quote_identifier(self.column.name)}"
        if self.column.type.endswith("[]"):
            return f"cardinality({column})"
        return f"{self.column.type}_array_length({column})"

    def unfilled(self, blank: str | None = None) -> str:
        """The condition that owner `t` has no list.

        That is none, or the one that its column has by default.

        Args:
            blank: a condition that holds where it held NULL.
        """
        column = f"t.{quote_identifier(self.column.name)}"
        if not self.empty:
            return f"{column} IS NULL"
        empty = f"{column} = {self.empty}"
        if self.column.type == "json":
            empty = f"{column}::text = ({self.empty})::text"
        if blank is None:
            return empty
        return f"CASE WHEN {blank} THEN {column} IS NULL ELSE {empty} END"

    def list_of(self, link: str, order: str) -> str:
        """The SQL that makes a list of links, as the type of the column."""
        kind = self.column.type
        if kind.endswith("[]"):
            return f"array_agg({link} ORDER BY {order})::{kind}"
        return f"jsonb_agg(to_jsonb({link}) ORDER BY {order})::{kind}"
