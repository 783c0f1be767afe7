"""What belongs to something that returns: triggers, policies, rules, owners, grants, comments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from postgast import pg_query_pb2 as pb

from forensics.recovery.write.definitions.dump import Statement
from forensics.recovery.write.definitions.model import Definition
from forensics.recovery.write.definitions.needs import Needs
from forensics.recovery.write.definitions.tables import Indexes
from forensics.recovery.write.definitions.types import type_text

_TYPES = (pb.OBJECT_TYPE, pb.OBJECT_DOMAIN)
_RELATIONS = (pb.OBJECT_TABLE, pb.OBJECT_SEQUENCE)
# What is called by a table's name and its own.
_WITHIN_A_TABLE = (
    pb.OBJECT_COLUMN,
    pb.OBJECT_TABCONSTRAINT,
    pb.OBJECT_TRIGGER,
    pb.OBJECT_POLICY,
    pb.OBJECT_RULE,
)


class Belongings:
    """Takes statements that say something about what returns."""

    def __init__(self, needs: Needs, indexes: Indexes) -> None:
        self._needs = needs
        self._indexes = indexes
        self._relations = needs.tables | needs.sequences

    def take(self, statement: Statement) -> Definition | None:
        """Take a statement if all that it is about returns."""
        node = statement.node
        if statement.kind == "alter_owner_stmt":
            return statement.define("before") if self._owned(statement) else None
        match statement.kind:
            case "create_trig_stmt" | "rule_stmt":
                belongs = statement.name(node.relation) in self._needs.tables
            case "create_policy_stmt":
                belongs = statement.name(node.table) in self._needs.tables
            case "create_stats_stmt":
                belongs = self._counted(statement)
            case "grant_stmt":
                belongs = self._granted(statement)
            case "comment_stmt":
                belongs = self._commented(statement)
            case _:
                belongs = False
        return statement.define("after") if belongs else None

    def _owned(self, statement: Statement) -> bool:
        node = statement.node
        if node.object_type == pb.OBJECT_SCHEMA:
            return node.object.string.sval in self._needs.schemas
        if node.object_type in _TYPES:
            return self._is_type(statement, node.object.list.items)
        return False

    def _counted(self, statement: Statement) -> bool:
        """Whether statistics are of a table that returns."""
        for relation in statement.node.relations:
            if statement.name(relation.range_var) in self._needs.tables:
                return True
        return False

    def _granted(self, statement: Statement) -> bool:
        """Whether a grant is on nothing else than what returns."""
        node = statement.node
        if node.targtype != pb.ACL_TARGET_OBJECT:
            return False
        match node.objtype:
            case pb.OBJECT_TABLE | pb.OBJECT_SEQUENCE | pb.OBJECT_COLUMN:
                names = {statement.name(o.range_var) for o in node.objects}
                return bool(names) and names <= self._relations
            case pb.OBJECT_SCHEMA:
                return all(o.string.sval in self._needs.schemas for o in node.objects)
            case pb.OBJECT_TYPE | pb.OBJECT_DOMAIN:
                return all(self._is_type(statement, o.list.items) for o in node.objects)
            case _:
                return False

    def _commented(self, statement: Statement) -> bool:
        thing, kind = statement.node.object, statement.node.objtype
        words = list(thing.list.items)
        if kind in _RELATIONS:
            return statement.named(words) in self._relations
        if kind in _WITHIN_A_TABLE:
            return len(words) > 1 and statement.named(words[:-1]) in self._needs.tables
        if kind == pb.OBJECT_SCHEMA:
            return thing.string.sval in self._needs.schemas
        if kind == pb.OBJECT_INDEX:
            return statement.named(words) in self._indexes
        if kind in _TYPES:
            return self._is_type(statement, thing.type_name.names)
        return False

    def _is_type(self, statement: Statement, words: Sequence[Any]) -> bool:
        return type_text(statement.named(words)) in self._needs.types
