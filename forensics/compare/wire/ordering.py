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
# Values of which a beginning is sent: as what, and what it stands for.
_CUT = {
    "text": ("text", "{}"),
    "character varying": ("text", "{}"),
    "uuid": ("text", "rpad({}, 32, '0')::uuid"),
}
Key = tuple[str, ...]


@dataclass(frozen=True)
class KeyColumn:
    """One column of a key.

    Attributes:
        name: the column's.
        place: where it stands in a comparable line.
        ours: what orders a field of it in DuckDB, which stands where the braces are.
        type: as which the server is given its values.
        value: what makes the value of what it is given.
        is_cut: whether a beginning of a value orders as if the least there is followed.
    """

    name: str
    place: int
    ours: str
    type: str
    value: str = "{}"
    is_cut: bool = False


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
        sent, value = _CUT.get(base, (base, "{}"))
        place = columns.index(name)
        found.append(KeyColumn(name, place, _OURS[base], sent, value, base in _CUT))
    return found


def edge_between(before: Key, after: Key, columns: Sequence[KeyColumn]) -> Key:
    """The shortest key that is greater than one and not greater than the next, where it is known.

    Args:
        before, after: keys that follow each other, and differ.
        columns: the key's.
    """
    found: list[str] = []
    parted = False
    for column, low, high in zip(columns, before, after, strict=True):
        if column.value != "{}":
            low, high = low.replace("-", ""), high.replace("-", "")
        value = high
        if column.is_cut and parted:
            value = ""
        elif column.is_cut and low != high:
            same = 0
            while same < min(len(low), len(high)) and low[same] == high[same]:
                same += 1
            value = high[: same + 1]
        parted = parted or low != high
        found.append(value)
    return tuple(found)
