"""A database as it would stand after some statements."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from psycopg import sql

from forensics.evidence.migrations import Statement
from forensics.model import Catalog
from forensics.preflight.forecast.columns import Columns
from forensics.preflight.forecast.expressions import Expressions
from forensics.preflight.forecast.objects import Objects
from forensics.preflight.forecast.rows import Rows
from forensics.preflight.forecast.standing import Standing
from forensics.statements.hazards import Reader, what_runs

_WRITING = ("insert_stmt", "update_stmt", "delete_stmt", "merge_stmt")


class Forecast:
    """A database as it would stand after the statements that were taken as done.

    Args:
        catalog: the schema as it is.
        schema: where names without a schema lead.

    Attributes:
        standing: its tables.
        expressions: what makes text, over those tables, of parts of statements.
    """

    def __init__(self, catalog: Catalog, schema: str = "public") -> None:
        self.standing = Standing(catalog, schema)
        self.expressions = Expressions(self.standing)
        rows = Rows(self.standing, self.expressions)
        columns = Columns(self.standing, self.expressions)
        objects = Objects(self.standing, self.expressions, columns)
        self._handlers: dict[str, Callable[[Statement, Any], None]] = {
            "drop_stmt": objects.drop,
            "create_stmt": objects.create,
            "create_table_as_stmt": objects.create_as,
            "rename_stmt": objects.rename,
            "alter_object_schema_stmt": objects.set_schema,
            "alter_table_stmt": columns.alter,
            "truncate_stmt": rows.truncate,
            "delete_stmt": rows.delete,
            "merge_stmt": rows.merge,
            "update_stmt": rows.update,
            "insert_stmt": rows.insert,
            "variable_set_stmt": self._set,
            "select_stmt": self._select,
        }

    def reader(self, functions: Mapping[str, Sequence[str]] | None = None) -> Reader:
        """What reads hazards from the next statement."""
        return self.standing.reader(functions)

    def select(self, text: str) -> sql.SQL:
        """Return a SELECT over the tables, with the layers that it stands on."""
        return self.standing.layers.select(text)

    def advance(self, statement: Statement) -> None:
        """Take a statement as done."""
        statement = what_runs(statement)
        within = _writing_within(statement)
        # Statements in WITH see the same rows as the one around them: what adds rows comes first
        # here, what takes them last.
        for one in within:
            if one.kind == "insert_stmt":
                self.advance(one)
        handler = self._handlers.get(statement.kind)
        if handler:
            handler(statement, statement.node)
        for one in within:
            if one.kind != "insert_stmt":
                self.advance(one)

    def _set(self, statement: Statement, node: Any) -> None:
        """SET search_path."""
        if node.name == "search_path" and node.args:
            self.standing.look_in([a.a_const.sval.sval for a in node.args])

    def _select(self, statement: Statement, node: Any) -> None:
        """SELECT set_config('search_path', …)."""
        for target in node.target_list:
            call = target.res_target.val.func_call
            if not call.funcname or call.funcname[-1].string.sval != "set_config":
                continue
            if len(call.args) < 2:
                continue
            name, value = (a.a_const.sval.sval for a in call.args[:2])
            if name == "search_path":
                self.standing.look_in([part.strip().strip('"') for part in value.split(",")])


def _writing_within(statement: Statement) -> list[Statement]:
    """The statements in a WITH clause that write."""
    found: list[Statement] = []
    if not hasattr(statement.node, "with_clause"):
        return found
    for element in statement.node.with_clause.ctes:
        query = element.common_table_expr.ctequery
        kind = query.WhichOneof("node")
        if kind in _WRITING:
            node = getattr(query, kind)
            found.append(Statement(statement.text, statement.line, kind, node))
    return found
