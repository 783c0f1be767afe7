"""truncate: TRUNCATE."""

from __future__ import annotations

from collections.abc import Iterator

from forensics.statements.kinds import Code, Danger, Reads
from forensics.statements.parts import Part
from forensics.statements.scope import Scope

CODE = Code(
    "truncate",
    destroys=True,
    fails=False,
    words="empties a table",
)


def _read(part: Part, scope: Scope) -> Iterator[Danger]:
    yield Danger(part.table, cascade=part.cascade, node=part.node)


READS: Reads = {"truncate_stmt": _read}
