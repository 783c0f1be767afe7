"""What narrows a choice to the rows that belong to some: `recovery.narrow` works it out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import duckdb

from forensics.model import TableName
from forensics.recovery.choose.classes import Classes
from forensics.recovery.choose.targets import Scope, Target


class Narrowing(Protocol):
    """Knows which rows of the case belong to those that were named."""

    @property
    def said(self) -> tuple[str, ...]:
        """What was asked for, as it was typed."""

    def begin(self, cursor: duckdb.DuckDBPyConnection, scope: Scope) -> Scope:
        """Work out what belongs together; return what is to come back of it."""

    def leave_out(self, classes: Classes, targets: Sequence[Target]) -> None:
        """Set aside all rows but those that belong to it, and those that these need."""

    def keeps(self, targets: Sequence[Target]) -> frozenset[TableName]:
        """The dropped tables among some targets that are made again."""

    def belonging(self, number: int) -> str:
        """The query for which pairs of a table's kept rows belong to it."""
