"""A row's line of COPY text as an expression, for a server to make fingerprints of.

COPY writes what a type's output function gives, and so does `concat`; a cast to text does not. Its
escapes are made by `replace` where a type's text can call for one.
"""

from __future__ import annotations

from collections.abc import Sequence

from forensics.compare.canonical import Writer, base_type
from forensics.model import Column, Table, quote_identifier

_ARGUMENTS = 90  # a function takes a hundred
# Types whose text holds nothing that COPY escapes.
_PLAIN = frozenset(
    (
        *("smallint", "integer", "bigint", "oid", "numeric", "real", "double precision"),
        *("boolean", "uuid", "date", "interval", "money", "inet", "cidr", "macaddr", "macaddr8"),
        *("timestamp without time zone", "timestamp with time zone", "bit", "bit varying"),
        *("time without time zone", "time with time zone", "pg_lsn", "xid", "xid8", "cid", "tid"),
    )
)
_TEXTS = frozenset(("text", "character varying"))
# As COPY has them, the backslash first: all others bring one in.
_ESCAPES = {r"\\": r"\\\\"} | {rf"\{letter}": rf"\\{letter}" for letter in "ntrbfv"}
_NULL = r"E'\\N'"


def line_of(table: Table, columns: Sequence[str], writer: Writer, alias: str) -> str:
    """The expression of a row's line, without a line feed.

    Args:
        table: as live has it.
        columns: what the line holds, in order.
        writer: of live's text: it knows the domains.
        alias: of the table, in the statement.
    """
    fields = []
    for name in columns:
        column = table.column(name)
        assert column is not None, name
        fields.append(_field(column, writer, alias))
    while len(fields) > _ARGUMENTS:
        fields = [_joined(fields[at : at + _ARGUMENTS]) for at in range(0, len(fields), _ARGUMENTS)]
    return _joined(fields)


def _joined(fields: Sequence[str]) -> str:
    return rf"pg_catalog.concat_ws(E'\t', {', '.join(fields)})"


def _field(column: Column, writer: Writer, alias: str) -> str:
    name = f"{alias}.{quote_identifier(column.name)}"
    base = base_type(writer.without_domains(column.type))
    is_plain = base in _PLAIN or base.startswith("interval ")
    text = name
    if base == "bytea":
        text = rf"pg_catalog.concat(E'\\', {name})"  # one backslash, at its beginning
    elif not is_plain:
        whole = f"pg_catalog.concat({name})"
        text = _escaped(name if base in _TEXTS else whole)
    if not column.nullable:
        return text
    if is_plain:
        text = f"pg_catalog.concat({name})"
    if is_plain or base in _TEXTS:
        return f"CASE WHEN {name} IS NULL THEN {_NULL} ELSE {text} END"
    # A composite whose attributes are all NULL "is null" and is none.
    return f"CASE WHEN pg_catalog.num_nulls({name}) = 0 THEN {text} ELSE {_NULL} END"


def _escaped(text: str) -> str:
    for one, escape in _ESCAPES.items():
        text = f"pg_catalog.replace({text}, E'{one}', E'{escape}')"
    return text
