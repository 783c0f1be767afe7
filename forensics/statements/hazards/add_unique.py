"""add-unique: UNIQUE, PRIMARY KEY, and unique indexes."""

from __future__ import annotations

from collections.abc import Iterator

from forensics.statements.kinds import Code, Danger, Reads
from forensics.statements.parts import Part
from forensics.statements.scope import Scope

CODE = Code(
    "add-unique",
    destroys=False,
    fails=True,
    words="fails where values repeat",
    inherited=False,
)


def _constraint(part: Part, scope: Scope) -> Iterator[Danger]:
    # One that takes over an index has nothing to check: the index did.
    if not part.node.indexname:
        yield Danger(part.table, part.column, part.columns, node=part.node)


def _index(part: Part, scope: Scope) -> Iterator[Danger]:
    if part.node.unique:
        yield Danger(part.table, part.column, part.columns, node=part.node)


READS: Reads = {
    "CONSTR_UNIQUE": _constraint,
    "CONSTR_PRIMARY": _constraint,
    "index_stmt": _index,
}
