"""drop-and-create: a table of the name of one that the file dropped."""

from __future__ import annotations

from postgast import pg_query_pb2 as pb

from forensics.evidence.migrations import Statement
from forensics.model import TableName
from forensics.statements.kinds import Code, Reads
from forensics.statements.scope import Scope

CODE = Code(
    "drop-and-create",
    destroys=True,
    fails=False,
    words="drops a table and makes one of the same name: what is not copied is gone",
    of_new_tables=True,
)

# It takes two statements: whoever reads a whole file asks for the names that its statements give.
READS: Reads = {}


def name_given(statement: Statement, scope: Scope) -> TableName | None:
    """The name that a statement gives to a table, new or renamed; None for others."""
    node = statement.node
    if statement.kind == "create_stmt":
        return scope.table(node.relation)
    if statement.kind == "rename_stmt" and node.rename_type == pb.OBJECT_TABLE:
        return TableName(scope.table(node.relation).schema, node.newname)
    return None
