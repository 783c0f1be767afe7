"""Keys whose order is the same on both sides: how a server and how DuckDB order them.

Correctness does not depend on it. A server says whether the edges of ranges ascend for it, and
rows that stand in another range there make ranges differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from forensics.compare.canonical import Writer, base_type
from forensics.model import Table

_NUMBER = "TRY_CAST({} AS BIGINT)"
_TIME = "TRY_CAST(replace({}, '+00', '') AS TIMESTAMP)"
_BYTES = "copy_value({})"
# By type, what orders the text of its values as the type does, in DuckDB.
_OURS = {
    "smallint": _NUMBER,
    "integer": _NUMBER,
    "bigint": _NUMBER,
    "oid": _NUMBER,
    "numeric": "TRY_CAST({} AS DECIMAL(38, 12))",
    "date": "TRY_CAST({} AS DATE)",
    "timestamp without time zone": _TIME,
    "timestamp with time zone": _TIME,
    "uuid": "{}",
    "boolean": "{}",
    "text": _BYTES,
    "character varying": _BYTES,
}
# What a value is sent as.
_SENT = {"character varying": "text"}


@dataclass(frozen=True)
class KeyColumn:
    """One column of a key.

    Attributes:
        name: the column's.
        place: where it stands in a comparable line.
        type: as which the server is given its values.
        ours: what orders a field of it in DuckDB, which stands where the braces are.
    """

    name: str
    place: int
    type: str
    ours: str


def ordered(
    table: Table, key: Sequence[str], columns: Sequence[str], writer: Writer
) -> list[KeyColumn] | str:
    """The columns of a key, or why it has no order that is the same on both sides.

    Args:
        table: as live has it.
        key: its columns.
        columns: of a comparable line.
        writer: of live's text.
    """
    found = []
    for name in key:
        column = table.column(name)
        assert column is not None, name
        base = base_type(writer.without_domains(column.type))
        if base not in _OURS:
            return f"its key ({', '.join(key)}) is of a type whose order is not known here"
        if column.nullable:
            return f"its key ({', '.join(key)}) may be NULL"
        sent = _SENT.get(base, base)
        found.append(KeyColumn(name, columns.index(name), sent, _OURS[base]))
    return found
