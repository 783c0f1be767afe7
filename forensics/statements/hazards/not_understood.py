"""not-understood: SQL that the parser does not know."""

from __future__ import annotations

from collections.abc import Iterator

from forensics.evidence.migrations import NOT_UNDERSTOOD
from forensics.statements.kinds import Code, Danger, Reads
from forensics.statements.parts import Part
from forensics.statements.scope import Scope

CODE = Code(
    "not-understood",
    destroys=False,
    fails=False,
    words=(
        "is SQL that the parser does not know: of a later PostgreSQL, of an extension, "
        "or mistyped; what it does is not known"
    ),
)


def _read(part: Part, scope: Scope) -> Iterator[Danger]:
    yield Danger(node=part.node)


READS: Reads = {NOT_UNDERSTOOD: _read}
