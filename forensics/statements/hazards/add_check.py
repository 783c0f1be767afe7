"""add-check: a CHECK constraint, added or validated."""

from __future__ import annotations

from collections.abc import Iterator

from forensics.statements.kinds import Code, Danger, Reads
from forensics.statements.parts import Part
from forensics.statements.scope import Scope

CODE = Code(
    "add-check",
    destroys=False,
    fails=True,
    words="fails where a row does not meet the condition",
)
# What PostgreSQL's parser calls ALTER DOMAIN … ADD CONSTRAINT.
_ADD_CONSTRAINT = "C"


def _constraint(part: Part, scope: Scope) -> Iterator[Danger]:
    if not part.node.skip_validation:
        yield Danger(part.table, columns=part.columns, node=part.node)


def _validated(part: Part, scope: Scope) -> Iterator[Danger]:
    """What is not known as a foreign key is taken for a condition."""
    if scope.foreign_key(part.table, part.node.name) is None:
        yield Danger(part.table, node=part.node)


def _domain(part: Part, scope: Scope) -> Iterator[Danger]:
    constraint = getattr(part.node, "def").constraint
    if part.node.subtype == _ADD_CONSTRAINT and not constraint.skip_validation:
        yield Danger(part.table, part.column, part.columns, node=constraint)


READS: Reads = {
    "CONSTR_CHECK": _constraint,
    "AT_ValidateConstraint": _validated,
    "alter_domain_stmt": _domain,
}
