"""What a PL/pgSQL function or DO block says, by libpg_query's parser.

That is the queries within it, and the texts that its EXECUTE runs.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import postgast

from forensics.evidence.migrations import Statement
from forensics.statements import constants
from forensics.statements.tree import words

# The statements that run a text, and the part of them that is the text.
_EXECUTE = {
    "PLpgSQL_stmt_dynexecute": "query",
    "PLpgSQL_stmt_dynfors": "query",
    "PLpgSQL_stmt_return_query": "dynquery",
}
# How the parser marks an expression that is a whole query; others are conditions or assignments.
_QUERY, _LAST_CONDITION = 0, 2


class Query(NamedTuple):
    """A query within code: its line there, and its SQL, or the expression that EXECUTE runs.

    One `of_expression` stands where PL/pgSQL has expressions, and may be no statement.
    """

    line: int
    text: str
    dynamic: bool = False
    of_expression: bool = True


def queries(statement: Statement, body: str) -> list[Query] | None:
    """Return the queries of a body; None where it does not parse.

    Args:
        statement: the CREATE FUNCTION, whose head says whether the body may return a value; or
            the DO.
        body: the code within.
    """
    try:
        tree = postgast.parse_plpgsql(_as_function(statement, body))
    except (postgast.PgQueryError, json.JSONDecodeError):
        return None
    return list(_queries(tree, 1))


def _as_function(statement: Statement, body: str) -> str:
    """PL/pgSQL as a CREATE FUNCTION that the parser takes.

    That is the statement itself, or a wrap around a DO block or a trigger's body. What libpg_query
    18 makes of a trigger function is no valid JSON; of the same body as a function of two records
    it is.
    """
    head, returned = "f()", "void"
    if statement.kind == "create_function_stmt":
        type_name = words(statement.node.return_type.names)[-1:]
        if type_name not in (["trigger"], ["event_trigger"]):
            return statement.text
        if type_name == ["trigger"]:
            head, returned = "f(new record, old record)", "record"
    tag = "forensics"
    while f"${tag}$" in body:
        tag += "_"
    return f"CREATE FUNCTION {head} RETURNS {returned} LANGUAGE plpgsql AS ${tag}${body}${tag}$"


def _queries(tree: Any, line: int) -> Iterator[Query]:
    if isinstance(tree, list):
        for item in tree:
            yield from _queries(item, line)
        return
    if not isinstance(tree, dict):
        return
    line = int(tree.get("lineno", line))
    for key, value in tree.items():
        if key in _EXECUTE and _EXECUTE[key] in value:
            text = value[_EXECUTE[key]]["PLpgSQL_expr"]["query"]
            yield Query(int(value.get("lineno", line)), text, dynamic=True)
            yield from _queries(value.get("body"), line)
        elif key == "PLpgSQL_expr":
            yield Query(line, _as_query(value))
        elif key != "datums":
            yield from _queries(value, line)


def _as_query(expression: Mapping[str, Any]) -> str:
    """An expression as a query: conditions and assignments may call functions too."""
    text, mode = str(expression["query"]), expression.get("parseMode", _QUERY)
    if mode == _QUERY:
        return text
    if mode > _LAST_CONDITION:
        text = text.split(":=", 1)[-1]
    return f"SELECT {text}"


def constant(expression: str) -> str | None:
    """The text of an expression that is made of constants: by ||, format, concat or quoting.

    None for what is only known when it runs.
    """
    try:
        tree = postgast.parse(f"SELECT {expression}")
        target = tree.stmts[0].stmt.select_stmt.target_list[0].res_target.val
    except (postgast.PgQueryError, IndexError):
        return None
    return constants.text_of(target)
