"""Parse trees, as libpg_query gives them: protobuf messages within messages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import postgast

from forensics.evidence.migrations import Statement
from forensics.model import Catalog, TableName

# Functions that give every row of a statement the same, or nothing but what they are given.
_STABLE = {
    "now",
    "current_timestamp",
    "jsonb_build_object",
    "jsonb_build_array",
    "array",
    "lower",
    "upper",
}


def walk(message: Any) -> Iterator[Any]:
    """Yield a protobuf message and all messages below it."""
    yield message
    for descriptor, value in message.ListFields():
        if descriptor.type != descriptor.TYPE_MESSAGE:
            continue
        if not descriptor.is_repeated:
            yield from walk(value)
            continue
        for item in value:
            yield from walk(item)


def of_type(message: Any, name: str) -> list[Any]:
    """All messages of one type at or below a message."""
    return [below for below in walk(message) if below.DESCRIPTOR.name == name]


def ranges(message: Any) -> list[Any]:
    """All RangeVars at or below a message: the tables that it names."""
    return of_type(message, "RangeVar")


def spoken_of(text: str, catalog: Catalog) -> set[TableName]:
    """The tables whose names a text holds that nobody could parse."""
    try:
        tokens = postgast.scan(text).tokens
    except postgast.PgQueryError:
        return set()
    body = text.encode("utf-8")
    said: set[str] = set()
    for token in tokens:
        word = body[token.start : token.end].decode("utf-8", "replace")
        if word.startswith('"'):
            said.add(word[1:-1].replace('""', '"'))
        else:
            said.add(word.lower())
    return {name for name in catalog.tables if name.table in said}


def calls(message: Any) -> bool:
    """Whether an expression calls a function: its value may then differ from row to row."""
    called = of_type(message, "FuncCall")
    return any(name_called(call) not in _STABLE for call in called)


def name_called(call: Any) -> str:
    """The name of the function that a FuncCall calls, without its schema."""
    return str(call.funcname[-1].string.sval)


def words(nodes: Iterable[Any]) -> list[str]:
    """The words of a list of String nodes: the parts of a name, or columns."""
    return [node.string.sval for node in nodes]


def options(nodes: Iterable[Any]) -> dict[str, Any]:
    """A list of DefElem nodes: by option, what it is set to."""
    return {node.def_elem.defname: node.def_elem.arg for node in nodes}


def what_runs(statement: Statement) -> Statement:
    """The statement that runs: of EXPLAIN ANALYZE, what it explains; of others, itself."""
    if statement.kind != "explain_stmt":
        return statement
    for option in statement.node.options:
        if option.def_elem.defname == "analyze" and not _is_off(option.def_elem.arg):
            query = statement.node.query
            kind = query.WhichOneof("node")
            return replace(statement, kind=kind, node=getattr(query, kind))
    return statement


def _is_off(value: Any) -> bool:
    if value.HasField("integer") and not value.integer.ival:
        return True
    return value.string.sval.lower() in ("off", "false")
