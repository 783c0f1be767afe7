"""truncate-cascade: TRUNCATE … CASCADE, and the tables that it empties without naming them."""

from __future__ import annotations

from collections.abc import Iterator

from forensics.statements.kinds import Code, Danger, Reads
from forensics.statements.parts import Part
from forensics.statements.scope import Scope

CODE = Code(
    "truncate-cascade",
    destroys=True,
    fails=False,
    words="empties the tables that refer to the one that is named, too",
)


def _read(part: Part, scope: Scope) -> Iterator[Danger]:
    yield Danger(part.table, cascade=True, node=part.node)


READS: Reads = {"truncate_stmt cascade": _read}
