"""add-foreign-key: a foreign key, added or validated."""

from __future__ import annotations

from collections.abc import Iterator

from forensics.statements.kinds import Code, Danger, Reads
from forensics.statements.parts import Part
from forensics.statements.scope import Scope

CODE = Code(
    "add-foreign-key",
    destroys=False,
    fails=True,
    words="fails where a value refers to no row",
    inherited=False,
)


def _constraint(part: Part, scope: Scope) -> Iterator[Danger]:
    if not part.node.skip_validation:
        yield Danger(part.table, part.column, part.columns, node=part.node)


def _validated(part: Part, scope: Scope) -> Iterator[Danger]:
    key = scope.foreign_key(part.table, part.node.name)
    if key is not None:
        column = key.columns[0] if len(key.columns) == 1 else None
        yield Danger(part.table, column, key.columns, node=part.node)


READS: Reads = {
    "CONSTR_FOREIGN": _constraint,
    "AT_ValidateConstraint": _validated,
}
