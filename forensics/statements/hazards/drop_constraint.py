"""drop-constraint: ALTER TABLE … DROP CONSTRAINT."""

from __future__ import annotations

from collections.abc import Iterator

from forensics.statements.kinds import Code, Danger, Reads
from forensics.statements.parts import Part
from forensics.statements.scope import Scope

CODE = Code(
    "drop-constraint",
    destroys=False,
    fails=False,
    words="drops a constraint: what it kept out can now be written",
)


def _read(part: Part, scope: Scope) -> Iterator[Danger]:
    named = (part.node.name,)
    yield Danger(part.table, columns=named, cascade=part.cascade, node=part.node)


READS: Reads = {"AT_DropConstraint": _read}
