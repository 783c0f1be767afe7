"""Texts that are put together of constants: what EXECUTE runs is then known beforehand."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from forensics.evidence.ddl import identifier

_PLACE = re.compile(r"%(?:(?P<at>\d+)\$)?(?P<kind>[sIL%])")
_Texts = Sequence[str | None]


def text_of(node: Any) -> str | None:
    """The text that a parsed expression gives; None for what is only known when it runs."""
    kind = node.WhichOneof("node")
    if kind == "a_const":
        return _constant(node.a_const)
    if kind == "type_cast":
        names = [one.string.sval for one in node.type_cast.type_name.names]
        return text_of(node.type_cast.arg) if names[-1] in ("text", "varchar", "name") else None
    if kind == "a_expr":
        return _joined(node.a_expr)
    if kind == "func_call":
        return _called(node.func_call)
    return None


def _constant(node: Any) -> str | None:
    kind = node.WhichOneof("val")
    if kind == "sval":
        return str(node.sval.sval)
    if kind == "ival":
        return str(node.ival.ival)
    return None


def _joined(node: Any) -> str | None:
    if [name.string.sval for name in node.name] != ["||"]:
        return None
    left, right = text_of(node.lexpr), text_of(node.rexpr)
    if left is None or right is None:
        return None
    return left + right


def _called(node: Any) -> str | None:
    read = _FUNCTIONS.get(node.funcname[-1].string.sval)
    texts = [text_of(argument) for argument in node.args]
    if read is None or None in texts or node.func_variadic or not texts:
        return None
    return read(texts)


def _format(texts: _Texts) -> str | None:
    """`format`, as far as it needs no width; None where it lacks an argument."""
    pattern, *arguments = map(str, texts)
    found, end, following = "", 0, 0
    for place in _PLACE.finditer(pattern):
        found += pattern[end : place.start()]
        end = place.end()
        if place["kind"] == "%":
            found += "%"
            continue
        following = int(place["at"] or following + 1)
        if not 1 <= following <= len(arguments):
            return None
        found += _WRITTEN[place["kind"]](arguments[following - 1])
    rest = pattern[end:]
    return None if "%" in rest else found + rest


def _literal(text: str) -> str:
    quoted = "'" + text.replace("'", "''") + "'"
    if "\\" in text:
        quoted = " E" + quoted.replace("\\", "\\\\")
    return quoted


def _first(write: Callable[[str], str]) -> Callable[[_Texts], str | None]:
    return lambda texts: write(str(texts[0]))


_WRITTEN: dict[str, Callable[[str], str]] = {"s": str, "I": identifier, "L": _literal}
_FUNCTIONS: dict[str, Callable[[_Texts], str | None]] = {
    "format": _format,
    "concat": lambda texts: "".join(map(str, texts)),
    "quote_ident": _first(identifier),
    "quote_literal": _first(_literal),
    "lower": _first(str.lower),
    "upper": _first(str.upper),
}
