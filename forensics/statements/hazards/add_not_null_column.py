"""add-not-null-column: ADD COLUMN … NOT NULL without a default."""

from __future__ import annotations

from collections.abc import Iterator

from forensics.statements.kinds import Code, Danger, Reads
from forensics.statements.new_columns import NewColumn
from forensics.statements.parts import Part
from forensics.statements.scope import Scope

CODE = Code(
    "add-not-null-column",
    destroys=False,
    fails=True,
    words="adds a NOT NULL column without a default: fails where the table has rows",
)


def _read(part: Part, scope: Scope) -> Iterator[Danger]:
    column = NewColumn(part.node)
    if column.not_null and not column.filled:
        yield Danger(part.table, column.name, node=part.node)


READS: Reads = {"AT_AddColumn": _read}
