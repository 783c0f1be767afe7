"""A row's line of COPY text as an expression, for a server to make fingerprints of.

COPY writes what a type's output function gives, and so does `concat`; a cast to text does not. Its
escapes are made by `replace` where a type's text can call for one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

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
        fields.append(_Field.of(column, writer, alias))
    line = _joined(r"concat_ws(E'\t', {})", [field.written(field.escaped) for field in fields])
    doubtful = [field.text for field in fields if field.escaped != field.text]
    if len(doubtful) < 2:
        return line
    # Most rows call for no escape, which is asked once for all of their texts.
    plain = _joined(r"concat_ws(E'\t', {})", [field.written(field.text) for field in fields])
    texts = _joined("concat({})", doubtful)
    alike = f"octet_length({_escaped(texts)}) = octet_length({texts})"
    return f"CASE WHEN {alike} THEN {plain} ELSE {line} END"


def _joined(call: str, fields: Sequence[str]) -> str:
    """A call with some arguments, however many they are."""
    while len(fields) > _ARGUMENTS:
        some = [fields[at : at + _ARGUMENTS] for at in range(0, len(fields), _ARGUMENTS)]
        fields = [call.format(", ".join(one)) for one in some]
    return call.format(", ".join(fields))


@dataclass(frozen=True)
class _Field:
    """The expressions of a field's text, as it is and with COPY's escapes.

    `is_null` is the condition that it is NULL; "" where it cannot be.
    """

    text: str
    escaped: str
    is_null: str

    @classmethod
    def of(cls, column: Column, writer: Writer, alias: str) -> _Field:
        name = f"{alias}.{quote_identifier(column.name)}"
        base = base_type(writer.without_domains(column.type))
        # A composite whose attributes are all NULL "is null" and is none.
        is_null = f"num_nulls({name}) = 1"
        if base in _PLAIN or base in _TEXTS:
            is_null = f"{name} IS NULL"
        if not column.nullable:
            is_null = ""
        if base == "bytea":
            text = rf"concat(E'\\', {name})"  # one backslash, at its beginning
            return cls(text, text, is_null)
        if base in _PLAIN or base.startswith("interval "):
            text = f"concat({name})" if is_null else name
            return cls(text, text, is_null)
        text = name
        if base not in _TEXTS:
            text = f"concat({name})"
        return cls(text, _escaped(text), is_null)

    def written(self, text: str) -> str:
        """The field as it stands in a line, of that text where it is not NULL."""
        if not self.is_null:
            return text
        return f"CASE WHEN {self.is_null} THEN {_NULL} ELSE {text} END"


def _escaped(text: str) -> str:
    # A collation that holds different texts equal finds no character in one.
    text = f'({text} COLLATE "C")'
    for one, escape in _ESCAPES.items():
        text = f"replace({text}, E'{one}', E'{escape}')"
    return text
