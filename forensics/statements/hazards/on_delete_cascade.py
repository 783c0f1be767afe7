"""on-delete-cascade: a foreign key with ON DELETE CASCADE."""

from __future__ import annotations

from collections.abc import Iterator

from forensics.statements.kinds import Code, Danger, Reads
from forensics.statements.parts import Part
from forensics.statements.scope import Scope

CODE = Code(
    "on-delete-cascade",
    destroys=False,
    fails=False,
    words="from now on, deleting a parent row deletes rows of this table",
    inherited=False,
    of_new_tables=True,
)
# What PostgreSQL's parser calls ON DELETE CASCADE.
_CASCADE = "c"


def _read(part: Part, scope: Scope) -> Iterator[Danger]:
    if part.node.fk_del_action != _CASCADE or not part.node.is_enforced:
        return
    for key in scope.foreign_keys(part.table):
        if key.columns == part.columns and key.deletes:
            return
    yield Danger(part.table, part.column, part.columns, node=part.node)


READS: Reads = {"CONSTR_FOREIGN": _read, "new CONSTR_FOREIGN": _read}
