"""Where a loss is concentrated, in a sentence."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from forensics.text import percent

_BARE = re.compile(r"-?\d+(\.\d+)?\Z|true\Z|false\Z|•••\Z")
_TESTS = {
    "equal": "`{column}` = {value}",
    "null": "no `{column}`",
    "not null": "a `{column}`",
    "at most": "`{column}` up to {high}",
    "at least": "`{column}` from {low} on",
    "between": "`{column}` from {low} to {high}",
    "before": "`{column}` before {high}",
    "within": "`{column}` from {low} on and before {high}",
}


def concentration_of(entry: Mapping[str, Any]) -> str:
    """Say what most of a table's lost rows have in common.

    Args:
        entry: of the loss's `concentrated`, its values as they may be shown.
    """
    if entry["reason"] is not None:
        return f"where its loss is concentrated is not known: {entry['reason']}"
    of, rows, of_rows = entry["of"], entry["rows"], entry["of_rows"]
    who = f"{percent(rows, of_rows)} of the {of} rows ({rows:,} of {of_rows:,})"
    if rows == of_rows:
        who = f"all {rows:,} {of} rows"
    said = f"{who} have {_condition(entry)}"
    if entry["also"]:
        said += f" and {_condition(entry['also'])}"
    return f"{said}, {_of_the_table(entry)}"


def _condition(entry: Mapping[str, Any]) -> str:
    value = entry["value"]
    if value is not None and not _BARE.match(value):
        value = f"'{value}'"
    said = _TESTS[entry["test"]].format_map({**entry, "value": value})
    label = (entry["parent"] or {}).get("label")
    if label:
        said += f" ({label})"
    return said


def _of_the_table(entry: Mapping[str, Any]) -> str:
    """How much of the table that is, and how much of it was lost."""
    of, rows, table_rows = entry["of"], entry["rows"], entry["table_rows"]
    said = f"as have {percent(table_rows, entry['of_table_rows'])} of the table's rows"
    if rows == table_rows:
        return f"{said}; every one of these is {of}"
    return f"{said}; {percent(rows, table_rows)} of these are {of}"
