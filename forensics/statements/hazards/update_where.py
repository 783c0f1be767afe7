"""update-where: UPDATE with WHERE, ON CONFLICT DO UPDATE, and MERGE that updates."""

from __future__ import annotations

from collections.abc import Iterator

from postgast import pg_query_pb2 as pb

from forensics.statements.kinds import Code, Danger, Reads
from forensics.statements.parts import Part
from forensics.statements.scope import Scope

CODE = Code(
    "update-where",
    destroys=True,
    fails=False,
    words="overwrites values of a column",
)


def _read(part: Part, scope: Scope) -> Iterator[Danger]:
    if part.node.HasField("where_clause"):
        yield Danger(part.table, part.column, node=part.node)


def _conflict(part: Part, scope: Scope) -> Iterator[Danger]:
    if part.node.on_conflict_clause.action == pb.ONCONFLICT_UPDATE:
        yield Danger(part.table, part.column, node=part.node)


def _merge(part: Part, scope: Scope) -> Iterator[Danger]:
    columns: list[str] = []
    for clause in part.node.merge_when_clauses:
        when = clause.merge_when_clause
        if when.command_type == pb.CMD_UPDATE:
            columns += [target.res_target.name for target in when.target_list]
    for column in dict.fromkeys(columns):
        yield Danger(part.table, column, node=part.node)


READS: Reads = {
    "update_stmt": _read,
    "insert_stmt": _conflict,
    "merge_stmt": _merge,
}
