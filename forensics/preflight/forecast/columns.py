"""What changes the shape of one table: the commands of ALTER TABLE."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from postgast import pg_query_pb2 as pb

from forensics.evidence import ddl
from forensics.evidence.migrations import Statement
from forensics.model import Column, ForeignKey, Key, TableName
from forensics.model import quote_identifier as q
from forensics.preflight.forecast import shapes
from forensics.preflight.forecast.expressions import Expressions
from forensics.preflight.forecast.standing import Standing
from forensics.statements.hazards import calls

# PostgreSQL drops, then changes types, then adds columns, then all else, in whatever order
# the commands are written.
_PASSES = {
    pb.AT_DropColumn: 0,
    pb.AT_DropConstraint: 0,
    pb.AT_AlterColumnType: 1,
    pb.AT_AddColumn: 2,
}
_INHERITED = (
    pb.AT_AddColumn,
    pb.AT_DropColumn,
    pb.AT_AlterColumnType,
    pb.AT_SetNotNull,
    pb.AT_DropNotNull,
)
_KEYS = (pb.CONSTR_PRIMARY, pb.CONSTR_UNIQUE)
_ACTIONS = {
    "c": "cascade",
    "n": "set null",
    "d": "set default",
    "r": "restrict",
}
_NUMBERS = ("smallint", "integer", "bigint", "numeric")


class Columns:
    """Takes changes of tables' columns and constraints as done.

    Args:
        standing: the tables as they would stand.
        expressions: what makes text of the statements' parts.
    """

    def __init__(self, standing: Standing, expressions: Expressions) -> None:
        self._standing = standing
        self._expressions = expressions
        self._commands: dict[int, Callable[[TableName, Any], None]] = {
            pb.AT_AddColumn: self._add_column,
            pb.AT_DropColumn: self._drop_column,
            pb.AT_AlterColumnType: self._change_type,
            pb.AT_SetNotNull: self._change_nullable,
            pb.AT_DropNotNull: self._change_nullable,
            pb.AT_AddConstraint: self._add_constraint,
            pb.AT_DropConstraint: self._drop_constraint,
            pb.AT_AlterConstraint: self._alter_constraint,
        }

    def alter(self, statement: Statement, node: Any) -> None:
        """ALTER TABLE, command by command, of each of a table's heirs too."""
        if node.objtype != pb.OBJECT_TABLE:
            return
        commands = [c.alter_table_cmd for c in node.cmds]
        commands.sort(key=_pass_of)
        for command in commands:
            take = self._commands.get(command.subtype)
            if take is None:
                continue
            names = self._standing.written(node.relation)
            if not (node.relation.inh and command.subtype in _INHERITED):
                names = names[:1]
            for name in names:
                take(name, command)

    def drop(self, name: TableName, column: str) -> None:
        """Drop a column, if it is there."""
        if column in self._standing.tables[name].columns:
            self._standing.edit(name, lambda table: shapes.without_column(table, column))
            self._rebuild(name, {})

    def rename(self, name: TableName, old: str, new: str) -> None:
        """Rename a column, if it is there."""
        standing = self._standing
        virtual = standing.tables[name]
        if old not in virtual.columns or new in virtual.columns:
            return
        listed = []
        for column in virtual.columns:
            listed.append(f"{q(old)} AS {q(new)}" if column == old else q(column))
        rows = f"SELECT {', '.join(listed)} FROM {virtual.relation} AS t"
        standing.replace_rows(name, rows)
        standing.edit(name, lambda t: shapes.with_column_renamed(t, old, new))
        for other in standing.tables:
            standing.edit(
                other,
                lambda t: shapes.with_parent_column_renamed(t, name, old, new),
            )

    def _rebuild(self, name: TableName, values: dict[str, str]) -> None:
        """Select a table's columns anew, some with other values."""
        virtual = self._standing.tables[name]
        listed = []
        for column in virtual.columns:
            held = q(column)
            listed.append(f"{values[column]} AS {held}" if column in values else held)
        rows = f"SELECT {', '.join(listed) or 'NULL'} FROM {virtual.relation}"
        self._standing.replace_rows(name, f"{rows} AS {q(name.table)}")

    # --- commands ---

    def _drop_column(self, name: TableName, command: Any) -> None:
        self.drop(name, command.name)

    def _change_type(self, name: TableName, command: Any) -> None:
        column = command.name
        if column not in self._standing.tables[name].columns:
            return
        definition = getattr(command, "def").column_def
        target = ddl.format_type(definition.type_name)
        value = f"{q(column)}::{target}"
        if definition.HasField("raw_default"):
            value = self._expressions.expression(definition.raw_default)
        self._rebuild(name, {column: value})
        self._standing.edit(name, lambda table: shapes.with_type(table, column, target))

    def _change_nullable(self, name: TableName, command: Any) -> None:
        column = command.name
        nullable = command.subtype == pb.AT_DropNotNull
        self._standing.edit(
            name,
            lambda table: shapes.with_nullable(table, column, nullable),
        )

    def _drop_constraint(self, name: TableName, command: Any) -> None:
        constraint = command.name
        self._standing.edit(
            name,
            lambda table: shapes.without_constraint(table, constraint),
        )

    def _alter_constraint(self, name: TableName, command: Any) -> None:
        altered = getattr(command, "def").atalter_constraint
        if altered.alter_enforceability:
            self._standing.edit(
                name,
                lambda table: shapes.with_enforced(table, altered.conname, altered.is_enforced),
            )

    def _add_constraint(self, name: TableName, command: Any) -> None:
        constraint = getattr(command, "def").constraint
        if constraint.contype == pb.CONSTR_FOREIGN:
            columns = tuple(k.string.sval for k in constraint.fk_attrs)
            self._add_foreign_key(name, constraint, columns)
        elif constraint.contype in _KEYS:
            columns = tuple(k.string.sval for k in constraint.keys)
            self._add_key(name, constraint, columns)
        if constraint.skip_validation:
            self._standing.unvalidated[name, constraint.conname] = constraint

    def _add_foreign_key(self, name: TableName, constraint: Any, columns: tuple[str, ...]) -> None:
        parent = self._standing.name(constraint.pktable)
        theirs = tuple(k.string.sval for k in constraint.pk_attrs)
        does = _ACTIONS.get(constraint.fk_del_action, "no action")
        key = ForeignKey(
            constraint.conname,
            columns,
            parent,
            theirs,
            does,
            tuple(k.string.sval for k in constraint.fk_del_set_cols),
            constraint.is_enforced,
            _ACTIONS.get(constraint.fk_upd_action, "no action"),
        )
        self._standing.edit(name, lambda table: shapes.with_foreign_key(table, key))

    def _add_key(self, name: TableName, constraint: Any, columns: tuple[str, ...]) -> None:
        if not columns:  # one that is made of an index names none
            return
        primary = constraint.contype == pb.CONSTR_PRIMARY
        ending = "pkey" if primary else "key"
        key = Key(
            constraint.conname or f"{name.table}_{ending}",
            columns,
            primary,
        )
        self._standing.edit(name, lambda table: shapes.with_key(table, key))

    def _add_column(self, name: TableName, command: Any) -> None:
        definition = getattr(command, "def").column_def
        column = definition.colname
        virtual = self._standing.tables[name]
        if column in virtual.columns:
            return
        constraints = {c.constraint.contype: c.constraint for c in definition.constraints}
        serial = definition.type_name.names[-1].string.sval.endswith("serial")
        kind = "bigint" if serial else ddl.format_type(definition.type_name)
        value = self._value(column, kind, serial, constraints)
        listed = [f"t.{q(c)}" for c in virtual.columns]
        listed.append(f"{value} AS {q(column)}")
        rows = f"SELECT {', '.join(listed)} FROM {virtual.relation} AS t"
        self._standing.replace_rows(name, rows)
        nullable = constraints.keys().isdisjoint((pb.CONSTR_NOTNULL, pb.CONSTR_PRIMARY))
        made = Column(column, kind, nullable)
        self._standing.edit(name, lambda table: shapes.with_column(table, made))
        for contype in _KEYS:
            if contype in constraints:
                self._add_key(name, constraints[contype], (column,))
        if pb.CONSTR_FOREIGN in constraints:
            self._add_foreign_key(name, constraints[pb.CONSTR_FOREIGN], (column,))

    def _value(
        self,
        column: str,
        kind: str,
        serial: bool,
        constraints: dict[int, Any],
    ) -> str:
        """What the rows that are there get in a new column."""
        if pb.CONSTR_GENERATED in constraints:
            return self._expressions.expression(constraints[pb.CONSTR_GENERATED].raw_expr)
        default = constraints.get(pb.CONSTR_DEFAULT)
        if default is not None and not calls(default.raw_expr):
            return self._expressions.expression(default.raw_expr)
        if default is not None or serial or pb.CONSTR_IDENTITY in constraints:
            return _some_value(kind)
        return self._standing.null(kind)


def _pass_of(command: Any) -> int:
    return _PASSES.get(command.subtype, len(_PASSES))


def _some_value(kind: str) -> str:
    """A value where only running it would tell which.

    Each row has its own where the type is one of keys; it is never NULL.
    """
    number = "row_number() OVER ()"
    if kind == "uuid":
        return f"lpad(to_hex({number}), 32, '0')::uuid"
    if kind in _NUMBERS:
        # More rows than a smallint counts would stop the counting.
        return f"({number})::{'bigint' if kind == 'smallint' else kind}"
    if kind.startswith(("timestamp", "date")):
        return f"now()::{kind}"
    if kind == "text" or kind.startswith("character"):
        return f"({number})::text"
    return "''"
