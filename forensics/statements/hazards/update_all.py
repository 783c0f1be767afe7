"""update-all: UPDATE without WHERE."""

from __future__ import annotations

from collections.abc import Iterator

from forensics.statements.kinds import Code, Danger, Reads
from forensics.statements.parts import Part
from forensics.statements.scope import Scope

CODE = Code(
    "update-all",
    destroys=True,
    fails=False,
    words="overwrites a column in every row: there is no WHERE",
)


def _read(part: Part, scope: Scope) -> Iterator[Danger]:
    if not part.node.HasField("where_clause"):
        yield Danger(part.table, part.column, node=part.node)


READS: Reads = {"update_stmt": _read}
