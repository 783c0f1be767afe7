"""Names, types and expressions in the one spelling in which two catalogues can be compared.

Names and types come out as PostgreSQL prints them with an empty search path; expressions as the
deparser does.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import postgast
from postgast import pg_query_pb2 as pb

from forensics.evidence.names import unquoted
from forensics.model import quote_identifier

# The grammar's names of built-in types, and how format_type prints them (typmods go where the
# braces stand).
_BUILT_IN = {
    "bool": "boolean",
    "int2": "smallint",
    "int4": "integer",
    "int8": "bigint",
    "float4": "real",
    "float8": "double precision",
    "numeric": "numeric{}",
    "bpchar": "character{}",
    "varchar": "character varying{}",
    "bit": "bit{}",
    "varbit": "bit varying{}",
    "time": "time{} without time zone",
    "timetz": "time{} with time zone",
    "timestamp": "timestamp{} without time zone",
    "timestamptz": "timestamp{} with time zone",
}
_INTERVAL_FIELDS = {
    4: "year",
    2: "month",
    8: "day",
    1024: "hour",
    2048: "minute",
    4096: "second",
    6: "year to month",
    1032: "day to hour",
    3080: "day to minute",
    7176: "day to second",
    3072: "hour to minute",
    7168: "hour to second",
    6144: "minute to second",
}
_FULL_INTERVAL = 0x7FFF
_SAFE = re.compile(r"[a-z_][a-z0-9_]*\Z")
# No keyword at all, or one that is a name everywhere.
_FREE_WORDS = (0, pb.UNRESERVED_KEYWORD)
_QUALIFIED = re.compile(r'("(?:[^"]|"")+"|[^".\s(]+)\.("(?:[^"]|"")+"|[^".\s(\[]+)')
_PARSER_VERSION = 180000


# --- names ----------------------------------------------------------------------------------------


@lru_cache(maxsize=65536)
def identifier(name: str) -> str:
    """Return a name as PostgreSQL itself prints it.

    It is quoted where it is no plain word, or a keyword (`"order"`).
    """
    if _SAFE.match(name) and postgast.scan(name).tokens[0].keyword_kind in _FREE_WORDS:
        return name
    return quote_identifier(name)


# --- types ----------------------------------------------------------------------------------------


def normal_type(text: str) -> str:
    """Return a type that `format_type` printed with the names quoted that `identifier` quotes.

    Servers differ in their keywords.
    """
    match = _QUALIFIED.match(text)
    if match is None:
        return text
    schema, name = _quoted_again(match[1]), _quoted_again(match[2])
    return f"{schema}.{name}{text[match.end() :]}"


def _quoted_again(name: str) -> str:
    if name.startswith('"'):
        return identifier(unquoted(name))
    return name


def format_type(type_name: Any) -> str:
    """Return a parsed TypeName as PostgreSQL's `format_type` prints it.

    That is with an empty search path.
    """
    names = [node.string.sval for node in type_name.names]
    modifiers = list(type_name.typmods)
    if len(names) == 2 and names[0] != "pg_catalog":
        text = f"{identifier(names[0])}.{identifier(names[1])}{_modifier(modifiers)}"
    else:
        text = _without_schema(names[-1], modifiers)
    if type_name.array_bounds:
        text += "[]"
    return text


def _without_schema(name: str, modifiers: list[Any]) -> str:
    """A built-in type, or one that the dump's search path finds."""
    if name == "interval":
        return _interval(modifiers)
    if name == "bpchar" and not modifiers:
        return "bpchar"
    if name in _BUILT_IN:
        return _BUILT_IN[name].replace("{}", _modifier(modifiers))
    # Only "char" needs its quotes, though json is a keyword now.
    if name == "char" or not _SAFE.match(name):
        name = quote_identifier(name)
    return name + _modifier(modifiers)


def _modifier(modifiers: list[Any]) -> str:
    if not modifiers:
        return ""
    return f"({','.join(map(_spelled, modifiers))})"


def _spelled(modifier: Any) -> str:
    if modifier.HasField("a_const") and modifier.a_const.HasField("ival"):
        return str(modifier.a_const.ival.ival)  # nearly all are; the deparser says the same
    return expression_text(modifier)


def _interval(modifiers: list[Any]) -> str:
    text = "interval"
    if not modifiers:
        return text
    fields = _integer(modifiers[0])
    if fields != _FULL_INTERVAL:
        text = f"interval {_INTERVAL_FIELDS.get(fields, '')}".rstrip()
    if len(modifiers) > 1:
        text += f"({_integer(modifiers[1])})"
    return text


def _integer(node: Any) -> int:
    return int(node.a_const.ival.ival)


# --- expressions ----------------------------------------------------------------------------------


def expression_text(expression: Any) -> str:
    """Return a parsed expression as text, in the deparser's one spelling."""
    tree = pb.ParseResult(version=_PARSER_VERSION)
    target = tree.stmts.add().stmt.select_stmt.target_list.add().res_target
    target.val.CopyFrom(expression)
    return str(postgast.deparse(tree)).removeprefix("SELECT ")


def normal_expression(text: str | None) -> str | None:
    """Return an expression's text in the spelling of `expression_text`.

    It stays as it is where it does not parse.
    """
    if text is None:
        return None
    try:
        tree = postgast.parse(f"SELECT {text}")
        target = tree.stmts[0].stmt.select_stmt.target_list[0].res_target
        return expression_text(target.val)
    except (postgast.PgQueryError, IndexError):
        return text
