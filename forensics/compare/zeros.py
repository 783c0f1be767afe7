"""Zeros below nothing: an INSERT dump writes -0 as a number, and restoring it makes 0 of it."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from forensics.compare.canonical import Writer, base_type
from forensics.evidence import arrays
from forensics.evidence.source import Segment
from forensics.model import Table

_FLOATS = ("real", "double precision")


class Zeros:
    """Takes the sign from zeros, on both sides alike.

    Attributes:
        columns: those whose zeros lose it.
        met: whether there was one.
    """

    def __init__(self, columns: tuple[str, ...]) -> None:
        self.columns = columns
        self.met = False

    @classmethod
    def of(cls, table: Table, segments: list[Segment], writer: Writer) -> Zeros:
        """What a table's rows in a backup call for."""
        found = []
        if any(segment.loses_signs for segment in segments):
            for column in table.columns:
                if base_type(writer.without_domains(column.type)) in _FLOATS:
                    found.append(column.name)
        return cls(tuple(found))

    def __call__(self, fields: pa.Array) -> pa.Array:
        """Return the fields of a column without `-0`."""
        signed = pc.equal(fields, arrays.text("-0", fields.type))
        if not pc.any(signed).as_py():
            return fields
        self.met = True
        return pc.if_else(signed, arrays.text("0", fields.type), fields)

    def notes(self) -> tuple[str, ...]:
        """What to say of a table where there was one."""
        if not self.met:
            return ()
        return (
            "-0 and 0 are held to be equal: the backup's rows are INSERTs, and whoever restores "
            "those gets 0",
        )


def bare_columns(table: Table, columns: Sequence[str], writer: Writer) -> list[str]:
    """The columns whose numbers other programs write with more zeros at their ends, or fewer."""
    found = []
    for column in table.columns:
        if column.name in columns and base_type(writer.without_domains(column.type)) == "numeric":
            found.append(column.name)
    return found


def bare(fields: pa.Array) -> pa.Array:
    """Return the fields of a column of numbers without the zeros at the ends of fractions."""
    if not pc.any(pc.match_substring(fields, ".")).as_py():
        return fields
    fields = pc.replace_substring_regex(fields, r"(\.\d*?)0+$", r"\1")
    return pc.replace_substring_regex(fields, r"\.$", "")
