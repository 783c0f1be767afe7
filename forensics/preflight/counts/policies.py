"""Rows that a policy will hide: they stay, and are nobody's loss; that is said."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from postgast import pg_query_pb2 as pb

from forensics.errors import LiveError
from forensics.model import TableName
from forensics.model import quote_identifier as q
from forensics.preflight.counts.view import View, class_of, words_of
from forensics.statements.hazards import walk

_ON = (pb.AT_EnableRowSecurity, pb.AT_ForceRowSecurity)
_READING = ("", "all", "select")
# What these say depends on who asks.
_ANYBODYS = ("FuncCall", "SQLValueFunction", "SubLink")


def hidden(view: View) -> Iterator[str]:
    """Say how many rows the statement at hand hides from roles that policies hold for."""
    kind, node = view.statement.kind, view.statement.node
    if kind == "alter_table_stmt" and any(c.alter_table_cmd.subtype in _ON for c in node.cmds):
        name = view.standing.name(node.relation)
        if name in view.tables and name not in view.standing.made:
            rows = view.rows(view.tables[name])
            yield (
                f"Row-level security on {name} leaves its {rows:,} rows where they are; roles that "
                "are not its owner see, change and delete only those that a policy lets them."
            )
    elif kind in ("create_policy_stmt", "alter_policy_stmt") and node.HasField("qual"):
        name = view.standing.name(node.table)
        if name in view.tables and getattr(node, "cmd_name", "") in _READING:
            yield _by_policy(view, node, name)


def _by_policy(view: View, node: Any, name: TableName) -> str:
    said = f"Policy {node.policy_name} of {name}"
    who = "from the roles that it is for"
    if any(part.DESCRIPTOR.name in _ANYBODYS for part in walk(node.qual)):
        return f"{said} may hide rows {who}; how many depends on who asks and was not counted."
    lets = view.expressions.expression(node.qual)
    source = f"{view.tables[name].relation} AS {q(name.table)}"
    try:
        rows = view.count(f"SELECT count(*) FROM {source} WHERE ({lets}) IS NOT TRUE")
    except LiveError as error:
        if class_of(error) not in ("22", "42"):
            raise
        return f"{said} may hide rows {who}; how many could not be counted: {words_of(error)}"
    return f"{said}, by itself, hides {rows:,} rows {who}; they stay where they are."
