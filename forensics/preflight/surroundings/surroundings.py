"""What stands around the tables of a database, as it would stand after some statements."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from postgast import pg_query_pb2 as pb

from forensics.evidence.live.source import LiveSource
from forensics.evidence.migrations import Statement
from forensics.model import TableName
from forensics.preflight.forecast import Standing
from forensics.preflight.surroundings import following, questions
from forensics.preflight.surroundings.dependents import Dependents
from forensics.preflight.surroundings.names import Names
from forensics.preflight.surroundings.questions import Beside, Dependent
from forensics.preflight.surroundings.refusals import Refusal, refusals
from forensics.preflight.surroundings.triggers import Triggers
from forensics.statements.hazards import Hazard, resolve

_OF_A_TABLE = (pb.OBJECT_RULE, pb.OBJECT_TRIGGER, pb.OBJECT_POLICY)
_STANDING = (
    pb.OBJECT_VIEW,
    pb.OBJECT_MATVIEW,
    pb.OBJECT_FUNCTION,
    pb.OBJECT_PROCEDURE,
    pb.OBJECT_ROUTINE,
)
_VIEWS = (pb.OBJECT_VIEW, pb.OBJECT_MATVIEW)


class Surroundings:
    """What stands around the tables of a database, as it would stand after some statements.

    Each thing is asked for once, when it is first needed; `advance` keeps what the statements
    have changed. Whatever is asked raises LiveError where live does not answer.

    Args:
        live: the database, under its snapshot.
    """

    def __init__(self, live: LiveSource) -> None:
        self._live = live
        self._dependents = Dependents(live)
        self._triggers = Triggers(live)
        self._names = Names(live)

    @cached_property
    def sizes(self) -> dict[TableName, int]:
        """As `table_bytes`."""
        return questions.table_bytes(self._live)

    @cached_property
    def functions(self) -> dict[str, list[str]]:
        """By name without schema, the CREATE FUNCTION of each function that may change rows."""
        return questions.functions(self._live)

    @cached_property
    def owned(self) -> list[tuple[str, TableName]]:
        """Every table with the role that owns it."""
        return questions.owned(self._live)

    @cached_property
    def of_extensions(self) -> list[tuple[str, TableName, str | None]]:
        """Extensions with their types' columns, and with the tables they made (column None)."""
        return questions.of_extensions(self._live)

    @cached_property
    def unvalidated(self) -> dict[tuple[TableName, str], Any]:
        """By table and name, the parsed constraints that are NOT VALID, foreign keys left out."""
        return questions.unvalidated(self._live)

    def standing_on(self, name: TableName, column: str | None = None) -> list[Dependent]:
        """The views, rules and functions that stand on a table or a column."""
        return self._dependents.standing_on(name, column)

    def set_off(self, name: TableName, event: str) -> list[Beside]:
        """The triggers and rules that an event sets off on a table."""
        return self._triggers.set_off(name, event)

    # --- statements ---

    def refusals(self, statement: Statement, standing: Standing) -> list[Refusal]:
        """Why a statement must fail, whatever rows there are.

        Args:
            standing: the tables before it.
        """
        return list(refusals(statement, standing, self._names))

    def advance(
        self,
        statement: Statement,
        hazards: Sequence[Hazard],
        standing: Standing,
    ) -> None:
        """Take a statement as done.

        Args:
            hazards: its own.
            standing: the tables before it.
        """
        following.advance(statement, standing, self._names)
        kind, node = statement.kind, statement.node
        if kind == "create_function_stmt":
            self.functions[_last(node.funcname)] = [statement.text]
        elif kind == "create_trig_stmt":
            definitions = self.functions.get(_last(node.funcname), ())
            self._triggers.create(standing.name(node.relation), node, definitions)
        elif kind == "drop_stmt":
            self._drop(node, standing)
        self._dependents.go_with(hazards)
        if kind == "do_stmt" and "drop" in statement.text.lower():
            # Which of them it drops is not followed; to hold that they are there would hide what
            # goes with the table.
            self._dependents.all_go()
        elif kind == "rename_stmt":
            self._rename(node, standing.name(node.relation))
        elif kind == "alter_table_stmt":
            self._triggers.switch(standing.name(node.relation), node.cmds)

    def _drop(self, node: Any, standing: Standing) -> None:
        kind = node.remove_type
        for item in node.objects:
            if kind in _OF_A_TABLE:
                self._drop_of_table(kind, item, standing)
            elif kind in _STANDING:
                names = _parts(item)
                there = self._dependents.names
                self._dependents.go(_resolve(names, standing, there))

    def _drop_of_table(self, kind: int, item: Any, standing: Standing) -> None:
        *names, own = _parts(item)
        name = _resolve(names, standing, set(standing.tables))
        if kind == pb.OBJECT_TRIGGER:
            self._triggers.drop(name, f"trigger {own}")
        elif kind == pb.OBJECT_POLICY:
            self._dependents.go_rule(name, f"policy {own}")
        else:
            self._triggers.drop(name, f"rule {own}")
            self._dependents.go_rule(name, f"rule {own}")

    def _rename(self, node: Any, name: TableName) -> None:
        if node.rename_type in _VIEWS:
            self._dependents.lose(name)
        elif node.rename_type == pb.OBJECT_TABLE:
            new = TableName(name.schema, node.newname)
            self._dependents.rename_table(name, new)
            self._triggers.rename_table(name, new)
        elif node.rename_type == pb.OBJECT_COLUMN:
            self._dependents.rename_column(name, node.subname, node.newname)


def _parts(item: Any) -> list[str]:
    """The parts of a name that a DROP lists."""
    return [n.string.sval for n in item.list.items or item.object_with_args.objname]


def _resolve(names: Sequence[str], standing: Standing, there: set[TableName]) -> TableName:
    schema = names[-2] if len(names) > 1 else ""
    return resolve(schema, names[-1], (standing.schema, *standing.path), there)


def _last(names: Sequence[Any]) -> str:
    return str(names[-1].string.sval)
