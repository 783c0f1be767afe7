"""delete-where: DELETE with WHERE, and MERGE that deletes."""

from __future__ import annotations

from collections.abc import Iterator

from postgast import pg_query_pb2 as pb

from forensics.statements.kinds import Code, Danger, Reads
from forensics.statements.parts import Part
from forensics.statements.scope import Scope

CODE = Code(
    "delete-where",
    destroys=True,
    fails=False,
    words="deletes rows",
)


def _read(part: Part, scope: Scope) -> Iterator[Danger]:
    if part.node.HasField("where_clause"):
        yield Danger(part.table, node=part.node)


def _merge(part: Part, scope: Scope) -> Iterator[Danger]:
    for clause in part.node.merge_when_clauses:
        if clause.merge_when_clause.command_type == pb.CMD_DELETE:
            yield Danger(part.table, node=part.node)
            return


READS: Reads = {"delete_stmt": _read, "merge_stmt": _merge}
