"""A statement cut into the parts that hazards are read from, in the order in which they run.

DROP has a part for each object, ALTER TABLE for each of its commands, ADD COLUMN another for each
constraint of the column, UPDATE for each column that it sets. Other statements are one part.

A part's `kind` is a name from PostgreSQL's own parse tree, so that a hazard says what it reads in
the parser's terms:

    drop_stmt OBJECT_TABLE      DROP, RENAME and SET SCHEMA bear the type of the object
    AT_DropColumn               a command of ALTER TABLE
    CONSTR_FOREIGN              a constraint that is added to a table that exists
    new CONSTR_FOREIGN          a constraint of CREATE TABLE
    CONSTR_PRIMARY not null     what a primary key demands of its columns beside being unique
    truncate_stmt cascade       a table that TRUNCATE … CASCADE takes along
    delete_stmt                 any other statement, by its own name
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from postgast import pg_query_pb2 as pb

from forensics.evidence.migrations import Statement
from forensics.model import TableName
from forensics.statements.scope import Scope
from forensics.statements.tree import words

# Their objects may be tables; those of ALTER VIEW, SEQUENCE and INDEX hold no rows.
_TABLES = (pb.OBJECT_TABLE, pb.OBJECT_FOREIGN_TABLE)


@dataclass(frozen=True)
class Part:
    """One part of a statement.

    Attributes:
        kind: what it is, in the parse tree's words.
        node: the part of the parse tree.
        table: the table that it is about, where it is about one.
        columns: the columns that it sets or constrains.
        item: the object, of a DROP.
    """

    kind: str
    node: Any
    table: TableName | None = None
    columns: tuple[str, ...] = ()
    item: Any = None

    @property
    def column(self) -> str | None:
        """The column, where it is a single one."""
        return self.columns[0] if len(self.columns) == 1 else None

    @property
    def cascade(self) -> bool:
        """Whether it says CASCADE."""
        return bool(self.node.behavior == pb.DROP_CASCADE)


def parts_of(statement: Statement, scope: Scope) -> Iterator[Part]:
    """Cut a statement into its parts, in order."""
    cut = _CUTS.get(statement.kind)
    if cut is None:
        yield Part(statement.kind, statement.node)
        return
    yield from cut(statement.kind, statement.node, scope)


# --- objects --------------------------------------------------------------------------------------


def _dropped(kind: str, node: Any, scope: Scope) -> Iterator[Part]:
    kind = f"{kind} {pb.ObjectType.Name(node.remove_type)}"
    for item in node.objects:
        table = None
        if node.remove_type == pb.OBJECT_TABLE:
            table = scope.listed(item)
        yield Part(kind, node, table, item=item)


def _renamed(kind: str, node: Any, scope: Scope) -> Iterator[Part]:
    kind = f"{kind} {pb.ObjectType.Name(node.rename_type)}"
    yield Part(kind, node, scope.table(node.relation))


def _moved(kind: str, node: Any, scope: Scope) -> Iterator[Part]:
    kind = f"{kind} {pb.ObjectType.Name(node.object_type)}"
    yield Part(kind, node, scope.table(node.relation))


def _domain(kind: str, node: Any, scope: Scope) -> Iterator[Part]:
    """What a domain demands from now on is demanded of every column of it."""
    for table, column in scope.columns_of_domain(node.type_name):
        yield Part(kind, node, table, (column,))


# --- rows -----------------------------------------------------------------------------------------


def _truncated(kind: str, node: Any, scope: Scope) -> Iterator[Part]:
    named = []
    for relation in node.relations:
        table = scope.table(relation.range_var)
        named.append(table)
        if relation.range_var.inh:
            named += scope.heirs(table)
    for table in dict.fromkeys(named):
        yield Part(kind, node, table)
    if node.behavior == pb.DROP_CASCADE:
        for table in scope.referencing(named):
            yield Part(f"{kind} cascade", node, table)


def _of_one_table(kind: str, node: Any, scope: Scope) -> Iterator[Part]:
    yield Part(kind, node, scope.table(node.relation))


def _updated(kind: str, node: Any, scope: Scope) -> Iterator[Part]:
    for target in node.target_list:
        yield Part(kind, node, scope.table(node.relation), (target.res_target.name,))


def _inserted(kind: str, node: Any, scope: Scope) -> Iterator[Part]:
    """Of an INSERT, what it does to rows that are there: ON CONFLICT DO UPDATE."""
    for target in node.on_conflict_clause.target_list:
        yield Part(kind, node, scope.table(node.relation), (target.res_target.name,))


# --- a table's shape ------------------------------------------------------------------------------


def _altered(kind: str, node: Any, scope: Scope) -> Iterator[Part]:
    if node.objtype not in _TABLES:
        return
    table = scope.table(node.relation)
    for item in node.cmds:
        command = item.alter_table_cmd
        definition = getattr(command, "def")
        if command.subtype == pb.AT_AddConstraint:
            yield from _constraint(table, definition.constraint, ())
            continue
        yield Part(pb.AlterTableType.Name(command.subtype), command, table)
        if command.subtype == pb.AT_AddColumn:
            yield from _constraints_of_column(table, definition.column_def)


def _constraints_of_column(table: TableName, definition: Any) -> Iterator[Part]:
    for item in definition.constraints:
        # What these two demand of a new column is told from the column itself.
        if item.constraint.contype not in (pb.CONSTR_NOTNULL, pb.CONSTR_PRIMARY):
            yield from _constraint(table, item.constraint, (definition.colname,))


def _constraint(table: TableName, constraint: Any, own: tuple[str, ...]) -> Iterator[Part]:
    """The parts of a constraint; `own` is the column that it stands beside, if it does."""
    kind = pb.ConstrType.Name(constraint.contype)
    columns = own or _constrained(constraint)
    yield Part(kind, constraint, table, columns)
    if constraint.contype == pb.CONSTR_PRIMARY:
        yield Part(f"{kind} not null", constraint, table, columns)


def _constrained(constraint: Any) -> tuple[str, ...]:
    if constraint.contype == pb.CONSTR_FOREIGN:
        return tuple(words(constraint.fk_attrs))
    return tuple(words(constraint.keys))


def _created(kind: str, node: Any, scope: Scope) -> Iterator[Part]:
    table = scope.table(node.relation)
    yield Part(kind, node, table)
    for element in node.table_elts:
        if element.HasField("constraint"):
            yield _new_constraint(table, element.constraint, _constrained(element.constraint))
            continue
        for item in element.column_def.constraints:
            yield _new_constraint(table, item.constraint, (element.column_def.colname,))


def _new_constraint(table: TableName, constraint: Any, columns: tuple[str, ...]) -> Part:
    return Part(f"new {pb.ConstrType.Name(constraint.contype)}", constraint, table, columns)


def _indexed(kind: str, node: Any, scope: Scope) -> Iterator[Part]:
    columns = tuple(item.index_elem.name for item in node.index_params)
    yield Part(kind, node, scope.table(node.relation), columns)


_CUTS: dict[str, Callable[[str, Any, Scope], Iterator[Part]]] = {
    "drop_stmt": _dropped,
    "rename_stmt": _renamed,
    "alter_object_schema_stmt": _moved,
    "alter_domain_stmt": _domain,
    "truncate_stmt": _truncated,
    "delete_stmt": _of_one_table,
    "merge_stmt": _of_one_table,
    "update_stmt": _updated,
    "insert_stmt": _inserted,
    "alter_table_stmt": _altered,
    "create_stmt": _created,
    "index_stmt": _indexed,
}
