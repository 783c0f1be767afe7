"""A dump's statements, one by one, as PostgreSQL's own parser reads them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import postgast
from postgast import pg_query_pb2 as pb

from forensics.evidence.ddl import first_search_path
from forensics.model import TableName
from forensics.recovery.write.definitions.model import Definition, Part

_LEADING_COMMENTS = re.compile(r"\A(?:\s+|--[^\n]*(?:\n|\Z))+")
_BOUND = re.compile(r"(?:FOR VALUES\b.*|DEFAULT)\Z", re.S)
_ROLE = re.compile(r'rolename: "((?:[^"\\]|\\.)*)"')
_NAMING_ROLES = (
    pb.GrantStmt,
    pb.AlterTableStmt,
    pb.AlterOwnerStmt,
    pb.CreatePolicyStmt,
)


@dataclass(frozen=True)
class Statement:
    """One statement of a dump.

    Attributes:
        sql: its text, without remarks before it and without its semicolon.
        kind: what it is, as the parser calls it.
        node: its parse tree.
        path: the search path that holds where it stands, or "".
    """

    sql: str
    kind: str
    node: Any
    path: str

    @property
    def commands(self) -> list[Any]:
        """What ALTER TABLE is to do."""
        return [c.alter_table_cmd for c in self.node.cmds]

    def name(self, relation: Any) -> TableName:
        """The name of a relation in it."""
        return TableName(relation.schemaname or self.path or "public", relation.relname)

    def named(self, words: Sequence[Any]) -> TableName:
        """A name in it that the parser gives word by word."""
        name = words[-1].string.sval
        if len(words) > 1:
            return TableName(words[-2].string.sval, name)
        return TableName(self.path or "public", name)

    def define(
        self,
        part: Part,
        *,
        sql: str = "",
        lenient: bool = False,
        unless: str = "",
    ) -> Definition:
        """Take it, or `sql` in its place."""
        return Definition(sql or self.sql, part, self._roles(), self.path, lenient, unless)

    def attach(self, unless: str = "") -> Definition:
        """Take it as the last step of a partition, when that is whole."""
        return Definition(self.sql, "before", path=self.path, unless=unless)

    def _roles(self) -> tuple[str, ...]:
        """The roles that it names: an owner, grantees, those of a policy."""
        if not isinstance(self.node, _NAMING_ROLES):
            return ()
        return tuple(sorted(set(_ROLE.findall(str(self.node)))))


def statements(ddl: Iterable[str]) -> Iterator[Statement]:
    """Yield every single statement that parses."""
    ddl = list(ddl)
    path = first_search_path(ddl)
    for text in ddl:
        try:
            tree = postgast.parse(text)
        except postgast.PgQueryError:
            continue  # the catalogue lists it among its unparsed texts
        encoded = text.encode("utf-8")
        for raw in tree.stmts:
            kind = raw.stmt.WhichOneof("node")
            node = getattr(raw.stmt, kind)
            if kind == "variable_set_stmt" and node.name == "search_path" and node.args:
                path = node.args[0].a_const.sval.sval
            else:
                yield Statement(_text(raw, encoded), kind, node, path)


def _text(raw: Any, encoded: bytes) -> str:
    """The text of one of several statements; the parser counts bytes."""
    end = len(encoded)
    if raw.stmt_len:
        end = raw.stmt_location + raw.stmt_len
    text = encoded[raw.stmt_location : end].decode("utf-8")
    return _LEADING_COMMENTS.sub("", text).strip().rstrip(";").rstrip()


def detail(command: Any) -> Any:
    """What a command of ALTER TABLE carries: the name of that field is a keyword here."""
    return getattr(command, "def")


def type_made(statement: Statement) -> TableName | None:
    """The type that a statement makes, or None where it makes none."""
    match statement.kind:
        case "create_range_stmt" | "create_enum_stmt":
            return statement.named(statement.node.type_name)
        case "create_domain_stmt":
            return statement.named(statement.node.domainname)
        case "composite_type_stmt":
            return statement.name(statement.node.typevar)
        case _:
            return None


def attached(ddl: Sequence[str]) -> dict[TableName, str]:
    """By partition, the statement that makes it in its place.

    Only of those that a dump makes first and attaches afterwards.
    """
    found: dict[TableName, str] = {}
    attaching = (s for s in ddl if "ATTACH PARTITION" in s)
    for statement in statements(attaching):
        if statement.kind != "alter_table_stmt" or statement.node.objtype != pb.OBJECT_TABLE:
            continue
        bound = _BOUND.search(statement.sql)
        for command in statement.commands:
            if bound and command.subtype == pb.AT_AttachPartition:
                name = statement.name(detail(command).partition_cmd.name)
                parent = statement.name(statement.node.relation)
                found[name] = f"CREATE TABLE {name.sql} PARTITION OF {parent.sql} {bound[0]}"
    return found
