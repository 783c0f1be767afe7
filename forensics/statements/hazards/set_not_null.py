"""set-not-null: NOT NULL for a column that is there."""

from __future__ import annotations

from collections.abc import Iterator

from forensics.statements.kinds import Code, Danger, Reads
from forensics.statements.parts import Part
from forensics.statements.scope import Scope

CODE = Code(
    "set-not-null",
    destroys=False,
    fails=True,
    words="fails where the column holds NULL",
)
# What PostgreSQL's parser calls ALTER DOMAIN … SET NOT NULL.
_SET_NOT_NULL = "O"


def _column(part: Part, scope: Scope) -> Iterator[Danger]:
    yield Danger(part.table, part.node.name, node=part.node)


def _constraint(part: Part, scope: Scope) -> Iterator[Danger]:
    if not part.node.skip_validation:
        for column in part.columns:
            yield Danger(part.table, column, node=part.node)


def _primary_key(part: Part, scope: Scope) -> Iterator[Danger]:
    if not part.node.indexname:
        for column in part.columns:
            yield Danger(part.table, column, part.columns, node=part.node)


def _domain(part: Part, scope: Scope) -> Iterator[Danger]:
    constraint = getattr(part.node, "def").constraint
    if part.node.subtype == _SET_NOT_NULL and not constraint.skip_validation:
        yield Danger(part.table, part.column, part.columns, node=constraint)


READS: Reads = {
    "AT_SetNotNull": _column,
    "CONSTR_NOTNULL": _constraint,
    "CONSTR_PRIMARY not null": _primary_key,
    "alter_domain_stmt": _domain,
}
