"""Who owned what: the scratch server has none of the roles, so that DROP OWNED is said by name."""

from __future__ import annotations

import itertools
from typing import Any

from postgast import pg_query_pb2 as pb

from forensics.evidence.migrations import Statement
from forensics.model import quote_identifier

# What a role may own that holds rows or stands on them.
_KINDS = {
    pb.OBJECT_TABLE: "TABLE",
    pb.OBJECT_FOREIGN_TABLE: "FOREIGN TABLE",
    pb.OBJECT_VIEW: "VIEW",
    pb.OBJECT_MATVIEW: "MATERIALIZED VIEW",
    pb.OBJECT_SEQUENCE: "SEQUENCE",
}
_SCHEMA = "SCHEMA"


class Owners:
    """The owners of tables, views, sequences and schemas, as statements name them."""

    def __init__(self) -> None:
        self._owners: dict[tuple[str, str], str] = {}  # by kind and quoted name

    def note(self, statement: Statement) -> None:
        """Note what a statement says of owners."""
        node = statement.node
        if statement.kind == "alter_table_stmt":
            self._note_table(node)
        elif statement.kind == "alter_owner_stmt" and node.object_type == pb.OBJECT_SCHEMA:
            name = quote_identifier(node.object.string.sval)
            self._owners[_SCHEMA, name] = node.newowner.rolename
        elif statement.kind == "reassign_owned_stmt":
            roles = {role.role_spec.rolename for role in node.roles}
            for what, role in self._owners.items():
                if role in roles:
                    self._owners[what] = node.newrole.rolename

    def _note_table(self, node: Any) -> None:
        kind = _KINDS.get(node.objtype)
        if kind is None:
            return
        for item in node.cmds:
            command = item.alter_table_cmd
            if command.subtype == pb.AT_ChangeOwner:
                name = _quoted(node.relation)
                self._owners[kind, name] = command.newowner.rolename

    def drops(self, node: Any) -> list[str]:
        """DROP OWNED by the names of what is dropped; [] where nothing is known to be owned.

        Tables and views come first, then the schemas that held them, all in one text.
        """
        roles = set()
        for item in node.roles:
            if item.role_spec.roletype == pb.ROLESPEC_CSTRING:
                roles.add(item.role_spec.rolename)
        owned = [what for what, role in self._owners.items() if role in roles]
        owned.sort(key=lambda what: (what[0] == _SCHEMA, what))
        behavior = ""
        if node.behavior == pb.DROP_CASCADE:
            behavior = " CASCADE"
        drops = []
        for kind, group in itertools.groupby(owned, key=lambda what: what[0]):
            names = ", ".join(name for _, name in group)
            drops.append(f"DROP {kind} IF EXISTS {names}{behavior}")
        return ["; ".join(drops)] if drops else []


def _quoted(relation: Any) -> str:
    """The name of a RangeVar, quoted, with its schema where it says one."""
    name = quote_identifier(relation.relname)
    if not relation.schemaname:
        return name
    return f"{quote_identifier(relation.schemaname)}.{name}"
