"""Whether a column can change its type without a value that fails or loses something."""

from __future__ import annotations

import re
from typing import Any

from forensics.evidence import ddl
from forensics.model import TableName
from forensics.statements.scope import Scope
from forensics.statements.tree import words

_LENGTHS = re.compile(
    r"(?P<name>character varying|bit varying|numeric|character|timestamp|time|interval)"
    r"(?:\((?P<length>\d+)(?:,(?P<scale>\d+))?\))?"
    r"(?P<rest>.*)\Z"
)
_WIDER = {
    "smallint": {"integer", "bigint", "numeric"},
    "integer": {"bigint", "numeric", "double precision"},
    "bigint": {"numeric"},
    "real": {"double precision"},
}
_TEXTS = ("name", "uuid")
_AS_TEXT = ("character varying", "integer", "bigint")


def keeps_values(command: Any, table: TableName | None, scope: Scope) -> bool:
    """Whether ALTER COLUMN … TYPE leaves every value as it is."""
    definition = getattr(command, "def").column_def
    old = scope.column_type(table, command.name)
    new = ddl.format_type(definition.type_name)
    return widens(old, new) and _only_casts(definition.raw_default, command.name)


def widens(old: str | None, new: str) -> bool:
    """Whether every value of type `old` fits `new` and keeps what it says."""
    if old is None:
        return False
    if old == new or new in _WIDER.get(old, ()):
        return True
    if new == "text" and (old in _TEXTS or old.startswith(_AS_TEXT)):
        return True
    before, after = _LENGTHS.match(old), _LENGTHS.match(new)
    if before is None or after is None:
        return False
    if before["name"] != after["name"] or before["rest"] != after["rest"]:
        return False
    return _has_room(before, after)


def _has_room(before: re.Match[str], after: re.Match[str]) -> bool:
    """Whether a type with a length has room for what another length of it holds."""
    if after["length"] is None:
        return True
    if before["length"] is None or before["name"] == "character":
        return False
    scale_before, scale_after = int(before["scale"] or 0), int(after["scale"] or 0)
    whole_before = int(before["length"]) - scale_before
    whole_after = int(after["length"]) - scale_after
    return whole_after >= whole_before and scale_after >= scale_before


def _only_casts(using: Any, column: str) -> bool:
    """Whether the USING of a new type is the column itself, cast or not, or is not there."""
    while using.WhichOneof("node") == "type_cast":
        using = using.type_cast.arg
    kind = using.WhichOneof("node")
    if kind == "column_ref":
        return words(using.column_ref.fields)[-1] == column
    return kind is None
