"""detach-partition: ALTER TABLE … DETACH PARTITION."""

from __future__ import annotations

from collections.abc import Iterator

from forensics.statements.kinds import Code, Danger, Reads
from forensics.statements.parts import Part
from forensics.statements.scope import Scope

CODE = Code(
    "detach-partition",
    destroys=False,
    fails=False,
    words="the partition's rows are no rows of the table any more",
    hides=True,
    inherited=False,
)


def _read(part: Part, scope: Scope) -> Iterator[Danger]:
    yield Danger(part.table, node=part.node)


READS: Reads = {"AT_DetachPartition": _read}
