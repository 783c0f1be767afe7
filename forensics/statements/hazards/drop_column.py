"""drop-column: ALTER TABLE … DROP COLUMN."""

from __future__ import annotations

from collections.abc import Iterator

from forensics.statements.kinds import Code, Danger, Reads
from forensics.statements.parts import Part
from forensics.statements.scope import Scope

CODE = Code(
    "drop-column",
    destroys=True,
    fails=False,
    words="drops a column with all its values",
)


def _read(part: Part, scope: Scope) -> Iterator[Danger]:
    yield Danger(part.table, part.node.name, cascade=part.cascade, node=part.node)


READS: Reads = {"AT_DropColumn": _read}
