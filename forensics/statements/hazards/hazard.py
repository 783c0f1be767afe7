"""One danger of one statement, and which of several says best what happened to a table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from forensics.model import TableName
from forensics.statements.hazards.known import CODES


@dataclass(frozen=True)
class Hazard:
    """One danger of one statement.

    Attributes:
        code: its kind, one of `CODES`.
        line: where it stands, from 1.
        sql: the statement.
        table: the table that it is a danger to; None where the text does not say.
        column: the column that it is a danger to, where it is a single one.
        columns: the columns of the key or the constraint.
        cascade: whether the statement says CASCADE.
        within: the DO block, the function or the call of one that it stands in; what stands in a
            function runs only when that is called.
        node: the part of the parse tree that makes it one.
        known: of dynamic SQL, whether its text can be read all the same.
    """

    code: str
    line: int
    sql: str
    table: TableName | None = None
    column: str | None = None
    columns: tuple[str, ...] = ()
    cascade: bool = False
    within: str | None = None
    node: Any = field(default=None, repr=False, compare=False)
    known: bool = False

    @property
    def destroys(self) -> bool:
        """Whether hazards of this kind can destroy rows or values."""
        return CODES[self.code].destroys


def destructive(
    hazards: Iterable[Hazard], table: TableName, column: str | None = None
) -> Hazard | None:
    """The hazard that best says how rows of a table, or a column's values, were destroyed."""
    about = [hazard for hazard in hazards if hazard.table == table]
    fitting = []
    for hazard in about:
        code = CODES[hazard.code]
        if hazard.column == column and (code.destroys or code.hides):
            fitting.append(hazard)
    if column is not None and not fitting:
        fitting = [hazard for hazard in about if hazard.column is None and hazard.destroys]
    order = list(CODES)
    return min(fitting, key=lambda hazard: order.index(hazard.code), default=None)
