"""drop-schema: DROP SCHEMA."""

from __future__ import annotations

from collections.abc import Iterator

from forensics.model import TableName
from forensics.statements.kinds import Code, Danger, Reads
from forensics.statements.parts import Part
from forensics.statements.scope import Scope

CODE = Code(
    "drop-schema",
    destroys=True,
    fails=True,
    words="drops a schema; with CASCADE, every table in it",
)


def _read(part: Part, scope: Scope) -> Iterator[Danger]:
    schema = part.item.string.sval
    tables = []
    if part.cascade:
        tables = scope.tables_in(schema)
    for table in tables or [TableName(schema, "*")]:
        yield Danger(table, cascade=part.cascade, node=part.node)


READS: Reads = {"drop_stmt OBJECT_SCHEMA": _read}
