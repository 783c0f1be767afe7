"""drop-table: DROP TABLE."""

from __future__ import annotations

from collections.abc import Iterator

from forensics.statements.kinds import Code, Danger, Reads
from forensics.statements.parts import Part
from forensics.statements.scope import Scope

CODE = Code(
    "drop-table",
    destroys=True,
    fails=False,
    words="drops a table with all its rows",
)


def _read(part: Part, scope: Scope) -> Iterator[Danger]:
    yield Danger(part.table, cascade=part.cascade, node=part.node)


READS: Reads = {"drop_stmt OBJECT_TABLE": _read}
