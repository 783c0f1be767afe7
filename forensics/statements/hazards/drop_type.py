"""drop-type: DROP TYPE and DROP DOMAIN."""

from __future__ import annotations

from collections.abc import Iterator

from forensics.statements.kinds import Code, Danger, Reads
from forensics.statements.parts import Part
from forensics.statements.scope import Scope

CODE = Code(
    "drop-type",
    destroys=True,
    fails=True,
    words="drops a type; with CASCADE, every column of that type",
)


def _read(part: Part, scope: Scope) -> Iterator[Danger]:
    used = False
    for table, column in scope.columns_of_type(part.item.type_name):
        used = True
        yield Danger(table, column, cascade=part.cascade, node=part.node)
    if not used:
        yield Danger(cascade=part.cascade, node=part.node)


READS: Reads = {
    "drop_stmt OBJECT_TYPE": _read,
    "drop_stmt OBJECT_DOMAIN": _read,
}
