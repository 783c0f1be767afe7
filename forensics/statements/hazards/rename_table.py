"""rename-table: ALTER TABLE … RENAME, SET SCHEMA, and ALTER SCHEMA … RENAME."""

from __future__ import annotations

from collections.abc import Iterator

from forensics.statements.kinds import Code, Danger, Reads
from forensics.statements.parts import Part
from forensics.statements.scope import Scope

CODE = Code(
    "rename-table",
    destroys=False,
    fails=False,
    words="the table goes on under another name; code that runs still uses the old one",
    hides=True,
)


def _read(part: Part, scope: Scope) -> Iterator[Danger]:
    yield Danger(part.table, node=part.node)


def _schema(part: Part, scope: Scope) -> Iterator[Danger]:
    for table in scope.tables_in(part.node.subname):
        yield Danger(table, node=part.node)


READS: Reads = {
    "rename_stmt OBJECT_TABLE": _read,
    "rename_stmt OBJECT_SCHEMA": _schema,
    "alter_object_schema_stmt OBJECT_TABLE": _read,
}
