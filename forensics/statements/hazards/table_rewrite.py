"""table-rewrite: what makes PostgreSQL write a whole table."""

from __future__ import annotations

from collections.abc import Iterator

from forensics.statements.kinds import Code, Danger, Reads
from forensics.statements.new_columns import NewColumn
from forensics.statements.parts import Part
from forensics.statements.scope import Scope
from forensics.statements.tree import options, ranges
from forensics.statements.widening import keeps_values

CODE = Code(
    "table-rewrite",
    destroys=False,
    fails=False,
    words="writes the whole table anew under an exclusive lock",
)


def _type(part: Part, scope: Scope) -> Iterator[Danger]:
    if not keeps_values(part.node, part.table, scope):
        yield Danger(part.table, part.node.name, node=part.node)


def _new_column(part: Part, scope: Scope) -> Iterator[Danger]:
    column = NewColumn(part.node)
    if column.rewrites:
        yield Danger(part.table, column.name, node=part.node)


def _storage(part: Part, scope: Scope) -> Iterator[Danger]:
    yield Danger(part.table, node=part.node)


def _vacuum(part: Part, scope: Scope) -> Iterator[Danger]:
    if "full" in options(part.node.options):
        for relation in ranges(part.node):
            yield Danger(scope.table(relation), node=part.node)


READS: Reads = {
    "AT_AlterColumnType": _type,
    "AT_AddColumn": _new_column,
    "AT_SetLogged": _storage,
    "AT_SetUnLogged": _storage,
    "AT_SetTableSpace": _storage,
    "AT_SetAccessMethod": _storage,
    "vacuum_stmt": _vacuum,
}
