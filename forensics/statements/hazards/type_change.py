"""type-change: ALTER COLUMN … TYPE, where values change."""

from __future__ import annotations

from collections.abc import Iterator

from forensics.statements.kinds import Code, Danger, Reads
from forensics.statements.parts import Part
from forensics.statements.scope import Scope
from forensics.statements.widening import keeps_values

CODE = Code(
    "type-change",
    destroys=True,
    fails=True,
    words=(
        "changes a column's type: values may not fit, or lose what the new type has no room for"
    ),
)


def _read(part: Part, scope: Scope) -> Iterator[Danger]:
    if not keeps_values(part.node, part.table, scope):
        yield Danger(part.table, part.node.name, node=part.node)


READS: Reads = {"AT_AlterColumnType": _read}
