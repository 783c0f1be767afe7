"""The backup's schema, made in the scratch database: what is run of a dump, and when."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from postgast import pg_query_pb2 as pb

from forensics.cause.replay.database import REACHING, Database
from forensics.cause.replay.owners import Owners
from forensics.cause.replay.trees import copied, deparsed
from forensics.errors import MigrationError
from forensics.evidence.ddl import first_search_path
from forensics.evidence.migrations import Statement, parse_statements
from forensics.model import TableName
from forensics.text import one_line

_DEFINITIONS = {
    "create_schema_stmt",
    "create_enum_stmt",
    "create_domain_stmt",
    "composite_type_stmt",
    "create_range_stmt",
    "define_stmt",
    "create_cast_stmt",
    "create_seq_stmt",
    "alter_seq_stmt",
    "create_function_stmt",
    "create_stmt",
    "alter_table_stmt",
    "view_stmt",
    "create_table_as_stmt",
    "index_stmt",
    "create_trig_stmt",
    "rule_stmt",
    "create_stats_stmt",
    "create_policy_stmt",
    "alter_domain_stmt",
    "alter_enum_stmt",
}
_LAST = {"index_stmt", "create_trig_stmt", "rule_stmt", "create_stats_stmt", "create_policy_stmt"}
_LAST_COMMANDS = {
    pb.AT_AddConstraint,
    pb.AT_ClusterOn,
    pb.AT_EnableTrig,
    pb.AT_EnableAlwaysTrig,
    pb.AT_EnableReplicaTrig,
    pb.AT_DisableTrig,
    pb.AT_EnableRule,
    pb.AT_EnableAlwaysRule,
    pb.AT_EnableReplicaRule,
    pb.AT_DisableRule,
    pb.AT_ReplicaIdentity,
}
# Commands about what a scratch server does not have: roles, tablespaces, access methods.
OWNERSHIP = {pb.AT_ChangeOwner, pb.AT_SetTableSpace, pb.AT_SetAccessMethod}
_SHOWN = 80  # characters of a statement in a note


class _Later(NamedTuple):
    """What is made once rows are there: as it stands, and without a look at the rows."""

    text: str
    unchecked: str


class Definitions:
    """Makes the backup's schema.

    Args:
        database: where it is made.
        owners: is told who owns what.

    Attributes:
        notes: what could not be made.
        unbuilt: by table, why it could not be made.
    """

    def __init__(self, database: Database, owners: Owners) -> None:
        self._database = database
        self._owners = owners
        self._last: list[_Later] = []
        self.notes: list[str] = []
        self.unbuilt: dict[TableName, str] = {}

    def build(self, statements: Iterable[str], extensions: Sequence[str]) -> None:
        """Make all but what is only possible or quicker once rows are there."""
        for name in extensions:
            self._make_extension(name)
        statements = list(statements)
        path = first_search_path(statements)
        self._database.attempt(f"SELECT pg_catalog.set_config('search_path', '{path}', false)")
        for text in statements:
            try:
                parsed = parse_statements(text.encode("utf-8"), "the backup")
            except MigrationError as error:
                self.notes.append(
                    "A statement of the backup's schema does not parse and is left out: "
                    f"{error.message}"
                )
                continue
            for statement in parsed:
                self._define(statement)

    def finish(self, *, checked: bool) -> None:
        """Make the constraints, indexes and triggers.

        Args:
            checked: check foreign keys against the rows.
        """
        for later in self._last:
            text = later.text if checked else later.unchecked
            self._note_refusal(later.text, self._database.attempt(text))
        self._last = []
        self._database.attempt("ANALYZE")

    def _make_extension(self, name: str) -> None:
        if name == "plpgsql":
            return
        if name in REACHING:
            self.notes.append(f"Extension {name} is left out: it reaches outside the server.")
            return
        words = self._database.make_extension(name)
        if words:
            self.notes.append(f"Extension {name} cannot be had in the scratch PostgreSQL: {words}.")

    def _define(self, statement: Statement) -> None:
        node = statement.node
        if statement.kind == "variable_set_stmt" and node.name == "search_path":
            # Dumps of before 2018 write names without a schema.
            self._database.attempt(statement.text)
            return
        self._owners.note(statement)
        if statement.kind not in _DEFINITIONS:
            return
        text = _fitting(statement)
        if statement.kind == "alter_table_stmt":
            commands = {item.alter_table_cmd.subtype for item in node.cmds}
            if commands & OWNERSHIP:
                return
            if commands & _LAST_COMMANDS or node.objtype == pb.OBJECT_INDEX:
                self._last.append(_Later(text, _unvalidated(statement)))
                return
        if statement.kind in _LAST:
            self._last.append(_Later(text, text))
            return
        words = self._database.attempt(text)
        if words and statement.kind == "create_stmt":
            name = TableName(node.relation.schemaname or "public", node.relation.relname)
            self.unbuilt[name] = words
            return
        self._note_refusal(text, words)

    def _note_refusal(self, text: str, words: str | None) -> None:
        if words:
            self.notes.append(f"Left out on the scratch PostgreSQL: {_short(text)}: {words}.")


def _fitting(statement: Statement) -> str:
    """The text of a definition, without the roles that the scratch server does not have."""
    if statement.kind == "create_schema_stmt":
        node = copied(statement.node)
        node.if_not_exists = True
        node.ClearField("authrole")
        return deparsed(statement.kind, node)
    if statement.kind == "create_policy_stmt":
        node = copied(statement.node)
        del node.roles[:]  # nobody reads there as one of them
        node.roles.add().role_spec.roletype = pb.ROLESPEC_PUBLIC
        return deparsed(statement.kind, node)
    return statement.text


def _unvalidated(statement: Statement) -> str:
    """ALTER TABLE, with new foreign keys that do not look at the rows that are there."""
    node = copied(statement.node)
    foreign = False
    for item in node.cmds:
        command = item.alter_table_cmd
        if command.subtype != pb.AT_AddConstraint:
            continue
        constraint: Any = getattr(command, "def").constraint
        if constraint.contype == pb.CONSTR_FOREIGN:
            constraint.skip_validation = True
            constraint.initially_valid = False
            foreign = True
    return deparsed(statement.kind, node) if foreign else statement.text


def _short(text: str) -> str:
    line = one_line(text)
    return line if len(line) <= _SHOWN else line[: _SHOWN - 1] + "…"
