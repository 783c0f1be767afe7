"""What a PL/pgSQL function or DO block says, by libpg_query's parser: the queries within, and what EXECUTE runs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import postgast

from forensics.evidence.migrations import Statement


def queries(statement: Statement, body: str) -> list[tuple[int, str, bool]] | None:
    """Return (line within the body, SQL text, whether it is an expression that EXECUTE runs); None where it does not parse.

    Args:
        statement: the CREATE FUNCTION, whose head says whether the body may return a value; or the DO.
        body: the code within.
    """
    try:
        return list(_queries(postgast.parse_plpgsql(_as_function(statement, body)), 1))
    except (postgast.PgQueryError, json.JSONDecodeError):
        return None


def _as_function(statement: Statement, body: str) -> str:
    """PL/pgSQL as a CREATE FUNCTION that the parser takes: the statement itself, or a wrap around a DO block or a trigger's body.

    What libpg_query 18 makes of a trigger function is no valid JSON; of the same body as a function of two records it is.
    """
    head = "f()", "void"
    if statement.kind == "create_function_stmt":
        returned = [n.string.sval for n in statement.node.return_type.names][-1:]
        if returned not in (["trigger"], ["event_trigger"]):
            return statement.text
        head = ("f(new record, old record)", "record") if returned == ["trigger"] else head
    tag = "forensics"
    while f"${tag}$" in body:
        tag += "_"
    return f"CREATE FUNCTION {head[0]} RETURNS {head[1]} LANGUAGE plpgsql AS ${tag}${body}${tag}$"


def _queries(tree: Any, line: int) -> Iterator[tuple[int, str, bool]]:
    if isinstance(tree, list):
        for item in tree:
            yield from _queries(item, line)
        return
    if not isinstance(tree, dict):
        return
    line = int(tree.get("lineno", line))
    for key, value in tree.items():
        if key in _EXECUTE and _EXECUTE[key] in value:
            yield (
                int(value.get("lineno", line)),
                value[_EXECUTE[key]]["PLpgSQL_expr"]["query"],
                True,
            )
            yield from _queries(value.get("body"), line)
        elif key == "PLpgSQL_expr":
            # A query (0), a condition (2) or an assignment (above): these two may call functions.
            query, mode = value["query"], value.get("parseMode", 0)
            called = query.split(":=", 1)[-1] if mode > 2 else query
            yield line, f"SELECT {called}" if mode else query, False
        elif key != "datums":
            yield from _queries(value, line)


# The statements that run a text, and the part of them that is the text.
_EXECUTE = {
    "PLpgSQL_stmt_dynexecute": "query",
    "PLpgSQL_stmt_dynfors": "query",
    "PLpgSQL_stmt_return_query": "dynquery",
}


def constant(expression: str) -> str | None:
    """The text of a string constant, or of format('…') without arguments; None for what is only known when it runs."""
    try:
        target = (
            postgast.parse(f"SELECT {expression}")
            .stmts[0]
            .stmt.select_stmt.target_list[0]
            .res_target.val
        )
    except (postgast.PgQueryError, IndexError):
        return None
    return (
        str(target.a_const.sval.sval)
        if target.HasField("a_const") and target.a_const.HasField("sval")
        else None
    )
