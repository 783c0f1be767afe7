"""DELETE, UPDATE and TRUNCATE: the rows that they hit are copied first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import postgast
from postgast import pg_query_pb2 as pb

from forensics.evidence.migrations import Statement
from forensics.model import ForeignKey, Table, TableName
from forensics.recovery.write.migration.archive import Archive
from forensics.recovery.write.migration.schema import Schema, column_names
from forensics.recovery.write.migration.sql import as_written
from forensics.recovery.write.sqltext import comment, quoted, tag_for

# What happens to rows that refer to a deleted one.
_SPOILING = ("cascade", "set null", "set default")


@dataclass(frozen=True)
class _Following:
    """Rows of `child` that go with rows of `parent`, or lose a value by it.

    Attributes:
        same: the condition that row `t` of the child refers to row `a` of the parent.
        known: the condition that row `x` is a copy of `t`.
    """

    child: TableName
    parent: TableName
    same: str
    known: str


class Rows:
    """Copies rows into the archive."""

    def __init__(self, schema: Schema, archive: Archive) -> None:
        self._schema = schema
        self._archive = archive

    def delete(self, statement: Statement) -> Iterator[str] | None:
        """Rewrite DELETE; rows that go with others are copied too."""
        node = statement.node
        name = self._schema.name(node.relation)
        if name not in self._schema.tables:
            return None
        return self._keep_deleted(statement, name, _hit(node, node.using_clause))

    def update(self, statement: Statement) -> Iterator[str] | None:
        """Rewrite UPDATE, unless it only fills columns that the migration made."""
        node = statement.node
        name = self._schema.name(node.relation)
        table = self._schema.tables.get(name)
        if table is None or not _overwrites(node, table):
            return None
        return self._keep_overwritten(statement, name, _hit(node, node.from_clause))

    def truncate(self, statement: Statement) -> Iterator[str] | None:
        """Rewrite TRUNCATE."""
        names: list[TableName] = []
        for relation in statement.node.relations:
            name = self._schema.name(relation.range_var)
            if name in self._schema.tables:
                names.append(name)
        if not names:
            return None
        return self._keep_truncated(statement, names)

    def _keep_deleted(self, statement: Statement, name: TableName, condition: str) -> Iterator[str]:
        what = "rows that are deleted"
        place = self._place(statement.line, name, "deleted", what)
        yield from self._copies(what, name, place, condition)
        following = self._following(name)
        places = {name: place}
        for step in following:
            if step.child not in places:
                what = f"rows that go with those of {name}"
                place = self._place(statement.line, step.child, "deleted", what)
                places[step.child] = place
                yield from self._copies(what, step.child, place, "false")
        if following:
            yield self._follow(following, places)
        yield as_written(statement)

    def _keep_overwritten(
        self, statement: Statement, name: TableName, condition: str
    ) -> Iterator[str]:
        what = "rows that are overwritten"
        place = self._place(statement.line, name, "before", what)
        yield from self._copies(what, name, place, condition)
        yield as_written(statement)

    def _keep_truncated(self, statement: Statement, names: Sequence[TableName]) -> Iterator[str]:
        done: set[TableName] = set()
        todo = [(name, "rows that are truncated") for name in names]
        while todo:
            name, what = todo.pop(0)
            if name in done:
                continue
            done.add(name)
            place = self._place(statement.line, name, "truncated", what)
            yield from self._copies(what, name, place, "true")
            if statement.node.behavior == pb.DROP_CASCADE:
                # All of their rows, whether they refer to one of these or to none.
                for child in self._referring(name):
                    todo.append((child, f"rows that go with those of {name}"))
        yield as_written(statement)

    def _place(self, line: int, name: TableName, suffix: str, what: str) -> TableName:
        """Where rows of a table are copied to."""
        place = self._archive.new_name(f"{name.table}_{suffix}")
        self._archive.copy(self._schema.tables[name], place, line, what)
        return place

    def _copies(
        self, what: str, name: TableName, place: TableName, condition: str
    ) -> Iterator[str]:
        yield f"-- Copies of the {comment(what)}."
        rows = f"SELECT t.* FROM {name.sql} t WHERE {condition}"
        yield f"CREATE TABLE {place.sql} AS {rows};"

    def _referring(self, name: TableName) -> Iterator[TableName]:
        """The tables that refer to one."""
        parent = self._schema.tables[name].name
        for child, table in sorted(self._schema.tables.items()):
            if any(key.parent == parent for key in table.foreign_keys):
                yield child

    def _following(self, name: TableName) -> list[_Following]:
        """The foreign keys that deleting rows of a table follows, one after the other."""
        found: list[_Following] = []
        todo, seen = [name], {name}
        while todo:
            parent = todo.pop(0)
            for child, table in sorted(self._schema.tables.items()):
                for key in table.foreign_keys:
                    if not self._spoils(key, parent):
                        continue
                    step = _Following(child, parent, _referring_row(key), _copied(table))
                    found.append(step)
                    # A row that only loses a value takes no other with it.
                    if child not in seen and key.deletes:
                        seen.add(child)
                        todo.append(child)
        return found

    def _spoils(self, key: ForeignKey, parent: TableName) -> bool:
        """Whether a foreign key to a table takes more than that table's own rows."""
        refers = key.parent == self._schema.tables[parent].name
        return refers and key.enforced and key.on_delete in _SPOILING

    def _follow(
        self,
        following: Sequence[_Following],
        places: dict[TableName, TableName],
    ) -> str:
        """Copy rows that go with copied ones, until there are no more."""
        lines = ["  LOOP", "    more := false;"]
        for step in following:
            child = self._schema.from_item(step.child)
            copies = places[step.child].sql
            parent = places[step.parent].sql
            lines += [
                f"    INSERT INTO {copies} SELECT t.* FROM {child} t",
                f"     WHERE EXISTS (SELECT FROM {parent} a WHERE {step.same}) "
                f"AND NOT EXISTS (SELECT FROM {copies} x WHERE {step.known});",
                "    GET DIAGNOSTICS found = ROW_COUNT;",
                "    more := more OR found > 0;",
            ]
        lines += ["    EXIT WHEN NOT more;", "  END LOOP;"]
        body = "\n".join(lines)
        tag = tag_for(body)
        declared = "DECLARE more boolean; found bigint;"
        return f"DO {tag}\n{declared}\nBEGIN\n{body}\nEND {tag};"


def _overwrites(node: Any, table: Table) -> bool:
    """Whether an UPDATE sets columns that the table had."""
    known = column_names(table)
    return any(target.res_target.name in known for target in node.target_list)


def _referring_row(key: ForeignKey) -> str:
    """The condition that row `t` refers to row `a` by a foreign key."""
    pairs = zip(quoted(key.columns), quoted(key.parent_columns), strict=False)
    return " AND ".join(f"a.{parent} = t.{child}" for child, parent in pairs)


def _copied(table: Table) -> str:
    """The condition that row `x` is a copy of `t`: by the primary key, or as a whole."""
    for key in table.keys:
        if key.primary and key.columns:
            return " AND ".join(f"x.{c} = t.{c}" for c in quoted(key.columns))
    return "ROW(x.*)::text = ROW(t.*)::text"


def _hit(node: Any, others: Sequence[Any]) -> str:
    """The condition that row `t` is one that a DELETE or an UPDATE hits.

    A ctid is one of a single partition, so that both are looked at.

    Args:
        others: what stands beside the table in its USING or FROM.
    """
    tree = pb.ParseResult(version=180000)
    select = tree.stmts.add().stmt.select_stmt
    relation = node.relation
    for column in ("tableoid", "ctid"):
        fields = select.target_list.add().res_target.val.column_ref.fields
        fields.add().string.sval = relation.alias.aliasname or relation.relname
        fields.add().string.sval = column
    select.from_clause.add().range_var.CopyFrom(relation)
    for other in others:
        select.from_clause.add().CopyFrom(other)
    if node.HasField("where_clause"):
        select.where_clause.CopyFrom(node.where_clause)
    if node.HasField("with_clause"):
        select.with_clause.CopyFrom(node.with_clause)
    select.limit_option = pb.LIMIT_OPTION_DEFAULT
    select.op = pb.SETOP_NONE
    return f"(t.tableoid, t.ctid) IN ({postgast.deparse(tree)})"
