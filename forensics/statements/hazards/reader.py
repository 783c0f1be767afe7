"""Reads hazards from statements, and from the statements within them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from forensics.errors import MigrationError
from forensics.evidence.migrations import Statement, parse_statements
from forensics.model import Catalog
from forensics.statements import plpgsql
from forensics.statements.hazards.hazard import Hazard
from forensics.statements.hazards.known import CODES, READERS
from forensics.statements.parts import parts_of
from forensics.statements.scope import Scope
from forensics.statements.tree import name_called, of_type, options, what_runs

_REACHES_HEIRS = ("delete_stmt", "update_stmt", "merge_stmt", "alter_table_stmt")
_WRITES = ("delete_stmt", "update_stmt", "insert_stmt", "merge_stmt")
_CALLERS = (*_WRITES, "select_stmt", "call_stmt", "create_table_as_stmt")
# How a migration notes itself, where its tool prints it as SQL.
_NOTING = ("delete-where", "update-where", "update-all")
_A_CALL = "a call of"
_A_FUNCTION = "function"


class Reader:
    """Reads hazards from statements, one at a time.

    Args:
        catalog: the schema before the statement, as far as it is known.
        schema: where names without a schema lead.
        path: the schemas in which they are looked for after that.
        functions: by name, the CREATE FUNCTION of each that bears it, where calls are to be read.
    """

    def __init__(
        self,
        catalog: Catalog,
        schema: str = "public",
        path: Sequence[str] = (),
        functions: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        self.scope = Scope(catalog, (schema, *path))
        self._functions = functions or {}
        self._calls: list[str] = []

    def read(self, statement: Statement) -> list[Hazard]:
        """Return the hazards of one statement."""
        statement = what_runs(statement)
        found = self._stated(statement)
        if self._functions and statement.kind in _CALLERS:
            found += self._called(statement)
        return found

    def defined(self, definition: str, within: str) -> list[Hazard]:
        """Return what running a function or a rule does.

        Args:
            definition: its CREATE FUNCTION or CREATE RULE, as `pg_get_functiondef` and
                `pg_get_ruledef` give it.
            within: what the hazards are said to stand in.

        What cannot be read is said to be dynamic SQL.
        """
        try:
            (statement,) = parse_statements(definition.encode("utf-8"), within)
        except MigrationError:  # of a server whose language this parser does not know
            return [Hazard("dynamic-sql", 1, definition, within=within)]
        if statement.kind == "rule_stmt":
            return list(_standing_in(within, self._parsed(statement, statement.node.actions)))
        return list(self._function(statement, within))

    # --- statements ------------------------------------------------------------------------------

    def _stated(self, statement: Statement) -> list[Hazard]:
        """What a statement says by itself, and what stands in its WITH."""
        if statement.kind == "do_stmt":
            return list(self._block(statement))
        if statement.kind == "create_function_stmt":
            name = statement.node.funcname[-1].string.sval
            return list(self._function(statement, f"{_A_FUNCTION} {name}"))
        found = list(self._of_parts(statement))
        if statement.kind in _REACHES_HEIRS and statement.node.relation.inh:
            found = list(self._with_inherited(found))
        return found + list(self._in_with(statement))

    def _of_parts(self, statement: Statement) -> Iterator[Hazard]:
        for part in parts_of(statement, self.scope):
            for code, read in READERS.get(part.kind, ()):
                for danger in read(part, self.scope):
                    if code in _NOTING and self.scope.is_history(danger.table):
                        continue
                    yield Hazard(
                        code,
                        statement.line,
                        statement.text,
                        danger.table,
                        danger.column or None,
                        danger.columns,
                        danger.cascade,
                        node=danger.node,
                    )

    def _with_inherited(self, hazards: Iterable[Hazard]) -> Iterator[Hazard]:
        """The same danger to the tables that inherit: an UPDATE of a table is one of theirs."""
        for hazard in hazards:
            yield hazard
            if hazard.table and CODES[hazard.code].inherited:
                for heir in self.scope.heirs(hazard.table):
                    yield replace(hazard, table=heir)

    def _in_with(self, statement: Statement) -> Iterator[Hazard]:
        """What statements in a WITH clause do that write."""
        if not hasattr(statement.node, "with_clause"):
            return
        for element in statement.node.with_clause.ctes:
            part = _part_as_statement(statement, element.common_table_expr.ctequery)
            if part.kind in _WRITES:
                yield from self._stated(part)

    def _parsed(self, statement: Statement, parts: Iterable[Any]) -> Iterator[Hazard]:
        """What statements do that were parsed as parts of another."""
        for part in parts:
            yield from self.read(_part_as_statement(statement, part))

    # --- functions and blocks --------------------------------------------------------------------

    def _called(self, statement: Statement) -> Iterator[Hazard]:
        """What a statement does by calling functions."""
        for call in of_type(statement.node, "FuncCall"):
            name = name_called(call)
            if name in self._calls:
                continue
            self._calls.append(name)
            for definition in self._functions.get(name, ()):
                for hazard in self.defined(definition, f"{_A_CALL} {name}"):
                    yield replace(hazard, line=statement.line)
            self._calls.pop()

    def _block(self, statement: Statement) -> Iterator[Hazard]:
        given = options(statement.node.args)
        language = "plpgsql"
        if "language" in given:
            language = given["language"].string.sval
        yield from self._code(statement, given["as"].string.sval, language, "a DO block")

    def _function(self, statement: Statement, within: str) -> Iterator[Hazard]:
        node = statement.node
        given = options(node.options)
        language = "sql"
        if "language" in given:
            language = given["language"].string.sval.lower()
        if node.HasField("sql_body"):  # BEGIN ATOMIC … END: parsed with the statement
            parts: list[Any] = []
            for listed in node.sql_body.list.items:
                parts += listed.list.items
            yield from _standing_in(within, self._parsed(statement, parts))
        elif "as" in given:
            body = given["as"].list.items[0].string.sval
            yield from self._code(statement, body, language, within)

    def _code(
        self, statement: Statement, body: str, language: str, within: str
    ) -> Iterator[Hazard]:
        queries = None
        if language == "plpgsql":
            queries = plpgsql.queries(statement, body)
        elif language == "sql":
            queries = [plpgsql.Query(1, body, of_expression=False)]
        if queries is None:
            yield Hazard("dynamic-sql", statement.line, statement.text, within=within)
            return
        before = statement.text[: max(statement.text.find(body), 0)]
        first = statement.line + before.count("\n")
        for query in queries:
            yield from self._query(query, first + query.line - 1, within)

    def _query(self, query: plpgsql.Query, line: int, within: str) -> Iterator[Hazard]:
        """What a query within code does, which stands in a line of the file."""
        text = plpgsql.constant(query.text) if query.dynamic else query.text
        statements = None
        if text is not None:
            with suppress(MigrationError):
                statements = parse_statements(text.encode("utf-8"), within)
        unread = statements is None
        # An expression of PL/pgSQL may be no statement: an assignment, or a condition.
        if query.dynamic or (unread and not query.of_expression):
            yield Hazard("dynamic-sql", line, query.text, within=within, known=not unread)
        for statement in statements or ():
            found = self.read(replace(statement, line=line))
            yield from _standing_in(within, found)


def _part_as_statement(statement: Statement, part: Any) -> Statement:
    """A statement that was parsed as part of another, in whose text and line it stands."""
    kind = part.WhichOneof("node")
    return Statement(statement.text, statement.line, kind, getattr(part, kind))


def _standing_in(within: str, found: Iterable[Hazard]) -> Iterator[Hazard]:
    """Say where hazards stand.

    Those of a function that is called there keep its name, but where nothing runs yet.
    """
    runs = not within.startswith(_A_FUNCTION)
    for hazard in found:
        called = hazard.within is not None and hazard.within.startswith(_A_CALL)
        if called and runs:
            yield hazard
        else:
            yield replace(hazard, within=within)
