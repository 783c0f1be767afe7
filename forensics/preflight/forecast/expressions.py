"""Expressions and conditions of statements, as text over the tables as they would stand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import postgast
from postgast import pg_query_pb2 as pb

from forensics.evidence import ddl
from forensics.model import TableName
from forensics.model import quote_identifier as q
from forensics.preflight.forecast.standing import Standing
from forensics.statements.hazards import ranges, walk

_VERSION = 180000  # of the parse trees that are put together here


def alias_of(relation: Any) -> str:
    """What a statement calls its target table, quoted."""
    return q(relation.alias.aliasname or relation.relname)


class Expressions:
    """Turns parts of parsed statements into text, their tables replaced by what they would be.

    Args:
        standing: the tables.
    """

    def __init__(self, standing: Standing) -> None:
        self._standing = standing

    def expression(self, node: Any) -> str:
        """A parsed expression as text."""
        return ddl.expression_text(self._over_layers(node))

    def query(self, node: Any) -> str:
        """A parsed SELECT, or VALUES, as text."""
        tree = pb.ParseResult(version=_VERSION)
        tree.stmts.add().stmt.CopyFrom(self._over_layers(node))
        return str(postgast.deparse(tree))

    def from_items(self, items: Sequence[Any]) -> str:
        """FROM items as text."""
        tree = pb.ParseResult(version=_VERSION)
        select = tree.stmts.add().stmt.select_stmt
        select.target_list.add().res_target.val.a_const.ival.ival = 1
        for item in items:
            select.from_clause.add().CopyFrom(self._over_layers(item))
        return str(postgast.deparse(tree)).split(" FROM ", 1)[1]

    def with_clause(self, statement: Any) -> str:
        """A statement's WITH clause as text, a space at its end."""
        tree = pb.ParseResult(version=_VERSION)
        select = tree.stmts.add().stmt.select_stmt
        select.with_clause.CopyFrom(self._over_layers(statement.with_clause))
        select.target_list.add().res_target.val.a_const.ival.ival = 1
        return str(postgast.deparse(tree)).removesuffix("SELECT 1")

    def where(self, statement: Any) -> str:
        """A statement's WHERE as text; true where it has none."""
        if statement.HasField("where_clause"):
            return self.expression(statement.where_clause)
        return "true"

    def condition(self, statement: Any, using: Sequence[Any]) -> str:
        """The condition under which a DELETE or UPDATE takes a row.

        It is to be asked of the target table under its alias.
        """
        where = self.where(statement)
        if using:
            where = f"EXISTS (SELECT 1 FROM {self.from_items(using)} WHERE {where})"
        if statement.HasField("with_clause"):
            where = f"({self.with_clause(statement)}SELECT {where})"
        return where

    def assigned(self, target: Any) -> str:
        """The value that UPDATE gives a column; NULL where only running it could tell."""
        if target.val.HasField("set_to_default") or target.val.HasField("multi_assign_ref"):
            return "NULL"
        return self.expression(target.val)

    def merged(self, node: Any, column: str | None = None) -> str:
        """The condition under which a MERGE deletes a row of its target, or updates a column of it.

        The first of its WHENs that fits a row has it.
        """
        source = self.from_items([node.source_relation])
        on = self.expression(node.join_condition)
        matched = f"EXISTS (SELECT 1 FROM {source} WHERE ({on}) AND "
        unmatched = f"(NOT EXISTS (SELECT 1 FROM {source} WHERE {on}) AND "
        opening = {
            pb.MERGE_WHEN_MATCHED: matched,
            pb.MERGE_WHEN_NOT_MATCHED_BY_SOURCE: unmatched,
        }
        before = dict.fromkeys(opening, "")
        hits = []
        for clause in node.merge_when_clauses:
            when = clause.merge_when_clause
            kind = when.match_kind
            if kind not in opening:
                continue
            fits = "true"
            if when.HasField("condition"):
                fits = f"({self.expression(when.condition)})"
            if _does(when, column):
                hits.append(f"{opening[kind]}{fits}{before[kind]})")
            before[kind] += f" AND {fits} IS NOT TRUE"
        condition = " OR ".join(hits) or "false"
        if node.HasField("with_clause"):
            return f"({self.with_clause(node)}SELECT {condition})"
        return f"({condition})"

    # --- over the tables as they would stand ---

    def _over_layers(self, node: Any) -> Any:
        copy = type(node)()
        copy.CopyFrom(node)
        own = set()
        # The walk goes on in what an element has been turned into.
        for element in walk(copy):
            if element.DESCRIPTOR.name == "CommonTableExpr":
                own.add(element.ctename)
                self._only_read(element)
        for relation in ranges(copy):
            if relation.schemaname or relation.relname not in own:
                self._redirect(relation)
        return copy

    def _redirect(self, relation: Any) -> None:
        """Have a RangeVar lead to the table as it would stand."""
        standing = self._standing
        name = standing.name(relation)
        if name not in standing.tables:
            return
        family = standing.family(name, relation.inh)
        if not any(standing.tables[n].relation in standing.layers for n in family):
            relation.schemaname = name.schema
            return
        if not relation.alias.aliasname:
            relation.alias.aliasname = relation.relname
        relation.relname, relation.inh = standing.together(family), True
        relation.ClearField("schemaname")

    def _only_read(self, element: Any) -> None:
        """Turn what writes in a WITH clause into a SELECT of the rows that it would return."""
        kind = element.ctequery.WhichOneof("node")
        if kind == "insert_stmt":
            query = self._inserted(element)
        elif kind == "update_stmt":
            node = element.ctequery.update_stmt
            query = _returned(node, node.from_clause)
        elif kind == "delete_stmt":
            node = element.ctequery.delete_stmt
            query = _returned(node, node.using_clause)
        else:
            return
        element.ctequery.CopyFrom(query)

    def _inserted(self, element: Any) -> Any:
        """The rows of an INSERT; its common table expression takes the names of its columns."""
        node = element.ctequery.insert_stmt
        query = pb.Node()
        query.CopyFrom(node.select_stmt)
        named = [c.res_target.name for c in node.cols]
        if not named:
            named = list(self._columns(self._standing.name(node.relation)))
        if not element.aliascolnames:
            for column in named:
                element.aliascolnames.add().string.sval = column
        return query

    def _columns(self, name: TableName) -> tuple[str, ...]:
        virtual = self._standing.tables.get(name)
        return virtual.columns if virtual else ()


def _returned(node: Any, sources: Sequence[Any]) -> Any:
    """A SELECT of the rows that an UPDATE or a DELETE returns."""
    query = pb.Node()
    select = query.select_stmt
    select.from_clause.add().range_var.CopyFrom(node.relation)
    select.from_clause.extend(sources)
    if node.HasField("where_clause"):
        select.where_clause.CopyFrom(node.where_clause)
    if node.HasField("with_clause"):
        select.with_clause.CopyFrom(node.with_clause)
    if node.returning_clause.exprs:
        select.target_list.extend(node.returning_clause.exprs)
    else:
        select.target_list.add().res_target.val.a_const.isnull = True
    select.limit_option = pb.LIMIT_OPTION_DEFAULT
    select.op = pb.SETOP_NONE
    return query


def _does(when: Any, column: str | None) -> bool:
    """Whether a WHEN of a MERGE deletes, or updates a column."""
    if column is None:
        return bool(when.command_type == pb.CMD_DELETE)
    if when.command_type != pb.CMD_UPDATE:
        return False
    return any(t.res_target.name == column for t in when.target_list)
