"""rename-column: ALTER TABLE … RENAME COLUMN."""

from __future__ import annotations

from collections.abc import Iterator

from postgast import pg_query_pb2 as pb

from forensics.statements.kinds import Code, Danger, Reads
from forensics.statements.parts import Part
from forensics.statements.scope import Scope

CODE = Code(
    "rename-column",
    destroys=False,
    fails=False,
    words="the column goes on under another name; code that runs still uses the old one",
    hides=True,
)


def _read(part: Part, scope: Scope) -> Iterator[Danger]:
    if part.node.relation_type in (pb.OBJECT_TABLE, pb.OBJECT_FOREIGN_TABLE):
        yield Danger(part.table, part.node.subname, node=part.node)


READS: Reads = {"rename_stmt OBJECT_COLUMN": _read}
