"""delete-all: DELETE without WHERE."""

from __future__ import annotations

from collections.abc import Iterator

from forensics.statements.kinds import Code, Danger, Reads
from forensics.statements.parts import Part
from forensics.statements.scope import Scope

CODE = Code(
    "delete-all",
    destroys=True,
    fails=False,
    words="deletes every row: there is no WHERE",
)


def _read(part: Part, scope: Scope) -> Iterator[Danger]:
    if not part.node.HasField("where_clause"):
        yield Danger(part.table, node=part.node)


READS: Reads = {"delete_stmt": _read}
