"""long-lock: what holds a table's lock while it reads the table."""

from __future__ import annotations

from collections.abc import Iterator

from forensics.statements.kinds import Code, Danger, Reads
from forensics.statements.parts import Part
from forensics.statements.scope import Scope
from forensics.statements.tree import ranges

CODE = Code(
    "long-lock",
    destroys=False,
    fails=False,
    words="blocks readers or writers for as long as it takes to go through the table",
)


def _index(part: Part, scope: Scope) -> Iterator[Danger]:
    if not part.node.concurrent:
        yield Danger(part.table, columns=part.columns, node=part.node)


def _tables(part: Part, scope: Scope) -> Iterator[Danger]:
    for relation in ranges(part.node):
        yield Danger(scope.table(relation), node=part.node)


READS: Reads = {
    "index_stmt": _index,
    "reindex_stmt": _tables,
    "cluster_stmt": _tables,
    "refresh_mat_view_stmt": _tables,
    "lock_stmt": _tables,
}
