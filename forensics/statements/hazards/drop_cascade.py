"""drop-cascade: CASCADE, and what takes objects that it does not name."""

from __future__ import annotations

from collections.abc import Iterator

from forensics.statements.kinds import Code, Danger, Reads
from forensics.statements.parts import Part
from forensics.statements.scope import Scope

CODE = Code(
    "drop-cascade",
    destroys=True,
    fails=False,
    words="CASCADE takes whatever depends on the object, named or not",
)


def _table(part: Part, scope: Scope) -> Iterator[Danger]:
    """References to the table go, and whole tables that inherit from it."""
    if not part.cascade or part.table is None:
        return
    yield Danger(part.table, cascade=True, node=part.node)
    named = [scope.listed(item) for item in part.node.objects]
    for heir in scope.heirs(part.table):
        if heir not in named:
            yield Danger(heir, cascade=True, node=part.node)


def _object(part: Part, scope: Scope) -> Iterator[Danger]:
    if part.cascade:
        yield Danger(cascade=True, node=part.node)


def _owner(part: Part, scope: Scope) -> Iterator[Danger]:
    """An extension or a role takes what belongs to it, with CASCADE and without."""
    yield Danger(cascade=part.cascade, node=part.node)


def _database(part: Part, scope: Scope) -> Iterator[Danger]:
    yield Danger(cascade=True, node=part.node)


def _column(part: Part, scope: Scope) -> Iterator[Danger]:
    if part.cascade:
        yield Danger(part.table, part.node.name, cascade=True, node=part.node)


def _constraint(part: Part, scope: Scope) -> Iterator[Danger]:
    if part.cascade:
        yield Danger(part.table, columns=(part.node.name,), cascade=True, node=part.node)


READS: Reads = {
    "drop_stmt OBJECT_TABLE": _table,
    "drop_stmt OBJECT_FUNCTION": _object,
    "drop_stmt OBJECT_SEQUENCE": _object,
    "drop_stmt OBJECT_VIEW": _object,
    "drop_stmt OBJECT_EXTENSION": _owner,
    "drop_owned_stmt": _owner,
    "dropdb_stmt": _database,
    "AT_DropColumn": _column,
    "AT_DropConstraint": _constraint,
}
