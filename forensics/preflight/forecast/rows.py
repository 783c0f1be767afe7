"""Statements that change rows: DELETE, TRUNCATE, MERGE, UPDATE, INSERT."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from postgast import pg_query_pb2 as pb

from forensics.evidence.migrations import Statement
from forensics.model import TableName
from forensics.model import quote_identifier as q
from forensics.preflight.forecast.expressions import (
    Expressions,
    alias_of,
)
from forensics.preflight.forecast.hanging import (
    Deletion,
    Hanging,
    with_own,
)
from forensics.preflight.forecast.standing import Standing, Virtual


class Rows:
    """Takes statements that change rows as done.

    Args:
        standing: the tables as they would stand.
        expressions: what makes text of the statements' parts.
    """

    def __init__(self, standing: Standing, expressions: Expressions) -> None:
        self._standing = standing
        self._expressions = expressions

    def truncate(self, statement: Statement, node: Any) -> None:
        """TRUNCATE, with what its CASCADE reaches."""
        for hazard in self._standing.reader().read(statement):
            if hazard.table and hazard.table in self._standing.tables:
                self._standing.keep(hazard.table, "false")

    def delete(self, statement: Statement, node: Any) -> None:
        """DELETE, with what hangs on the rows."""
        names = self._standing.written(node.relation)
        condition = self._expressions.condition(node, node.using_clause)
        self._take(names, alias_of(node.relation), condition)

    def merge(self, statement: Statement, node: Any) -> None:
        """MERGE, as far as it deletes."""
        for clause in node.merge_when_clauses:
            if clause.merge_when_clause.command_type == pb.CMD_DELETE:
                names = self._standing.written(node.relation)
                condition = self._expressions.merged(node)
                self._take(names, alias_of(node.relation), condition)
                return

    def _take(self, names: Sequence[TableName], alias: str, given: str) -> None:
        """Take the rows that meet a condition out of tables, and what hangs on them with them."""
        for name in names:
            if self._standing.is_full(name):
                continue
            hanging = Deletion(self._standing, name, alias, given).hanging()
            condition = with_own(self._standing, name, alias, given)
            for one in hanging:
                if one.child != name:
                    self._let_go(one)
            self._standing.keep(name, f"({condition}) IS NOT TRUE", alias)

    def _let_go(self, one: Hanging) -> None:
        """Do to rows what their foreign key does to them when their parents go."""
        if self._standing.is_full(one.child):
            return
        if one.does == "cascade":
            self._standing.keep(one.child, f"({one.hit}) IS NOT TRUE", "c")
        elif one.does in ("set null", "set default"):
            virtual = self._standing.tables[one.child]
            values = dict.fromkeys(one.columns, "NULL")
            listed = _cases(virtual, "c", one.hit, values)
            self._standing.replace_rows(
                one.child,
                f"SELECT {listed} FROM {virtual.relation} AS c",
            )

    def update(self, statement: Statement, node: Any) -> None:
        """UPDATE, of each of a table's heirs too."""
        alias = alias_of(node.relation)
        values = {}
        for target in node.target_list:
            column = target.res_target.name
            values[column] = self._expressions.assigned(target.res_target)
        join, condition = "", ""
        if node.from_clause:
            join = self._new_values(node, values)
            condition = "new_values.hit"
            for number, column in enumerate(values):
                values[column] = f"new_values.n{number}"
        else:
            condition = self._expressions.condition(node, ())
        for name in self._standing.written(node.relation):
            if self._standing.is_full(name):
                continue
            virtual = self._standing.tables[name]
            listed = _cases(virtual, alias, condition, values)
            self._standing.replace_rows(
                name,
                f"SELECT {listed} FROM {virtual.relation} AS {alias}{join}",
            )

    def _new_values(self, node: Any, values: dict[str, str]) -> str:
        """The join of a row with the values that an UPDATE … FROM gives it."""
        where = self._expressions.where(node)
        news = ", ".join(f"{value} AS n{i}" for i, value in enumerate(values.values()))
        source = self._expressions.from_items(node.from_clause)
        found = f"SELECT {news}, true AS hit FROM {source} WHERE {where} LIMIT 1"
        return f" LEFT JOIN LATERAL ({found}) AS new_values ON true"

    def insert(self, statement: Statement, node: Any) -> None:
        """INSERT of what a SELECT or VALUES gives."""
        name = self._standing.name(node.relation)
        virtual = self._standing.tables.get(name)
        if virtual is None or not node.HasField("select_stmt"):
            return
        if self._standing.is_full(name, adding=True):
            return
        rows = self._expressions.query(node.select_stmt)
        if node.HasField("with_clause"):
            lead = self._expressions.with_clause(node)
            rows = f"{lead}SELECT * FROM ({rows}) AS new_rows"
        given = [c.res_target.name for c in node.cols] or list(virtual.columns)
        names = ", ".join(map(q, given))
        self._standing.replace_rows(
            name,
            f"SELECT {virtual.listed('t')} FROM {virtual.relation} AS t "
            f"UNION ALL SELECT {self._given(virtual, given)} FROM ({rows}) AS new_rows ({names})",
        )

    def _given(self, virtual: Virtual, given: Sequence[str]) -> str:
        """A table's columns, selected from new rows that have some of them."""
        listed = []
        for column in virtual.table.columns:
            if column.name not in given:
                listed.append("NULL")
                continue
            # A NULL or a literal that is selected has the type of the column that it goes to.
            kind = self._standing.null(column.type).removeprefix("NULL")
            cast = "" if kind == "::text" else kind
            listed.append(f"new_rows.{q(column.name)}{cast}")
        return ", ".join(listed)


def _cases(virtual: Virtual, alias: str, condition: str, values: dict[str, str]) -> str:
    """A table's columns as a SELECT lists them, some with other values where a condition holds."""
    listed = []
    for column in virtual.columns:
        held = f"{alias}.{q(column)}"
        if column in values:
            value = f"CASE WHEN {condition} THEN {values[column]} ELSE {held} END"
            listed.append(f"{value} AS {q(column)}")
        else:
            listed.append(held)
    return ", ".join(listed)
