"""Tables that a role may not read, and what to ask for: one statement a schema, not one a table."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from forensics.model import TableName, quote_identifier
from forensics.text import counted, listed

_NAMED = 3
_SELECT = re.compile(r"GRANT SELECT ON TABLE .+ TO (.+);")


def unread(remedies: Mapping[TableName, str]) -> Iterator[str]:
    """Yield what cannot be read whole and what to ask for, in sentences.

    Args:
        remedies: by table, the statement that lets it be read.
    """
    by_statement: dict[str, list[TableName]] = {}
    for name, remedy in remedies.items():
        by_statement.setdefault(_wide(name, remedy), []).append(name)
    for statement, names in by_statement.items():
        if len(names) == 1:
            [name] = names
            yield f"Table {name} cannot be read whole. Ask for: {remedies[name]}"
            continue
        said = listed([str(name) for name in names[:_NAMED]])
        if len(names) > _NAMED:
            said = f"{', '.join(map(str, names[:_NAMED]))}, …"
        yield f"{counted(len(names), 'table')} cannot be read ({said}). Ask for: {statement}"


def _wide(name: TableName, remedy: str) -> str:
    """The statement for all tables of a schema, where there is one."""
    reader = _SELECT.fullmatch(remedy)
    if reader is None:
        return remedy
    return f"GRANT SELECT ON ALL TABLES IN SCHEMA {quote_identifier(name.schema)} TO {reader[1]};"
