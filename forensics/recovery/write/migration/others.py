"""DROP TYPE, SEQUENCE and FUNCTION: parked with the tables that may use them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import postgast
from postgast import pg_query_pb2 as pb

from forensics.evidence.migrations import Statement
from forensics.model import TableName
from forensics.recovery.write.definitions import drawn_from, type_text, types_used
from forensics.recovery.write.migration.archive import Archive
from forensics.recovery.write.migration.schema import Schema, columns_of
from forensics.recovery.write.migration.sql import drop_default
from forensics.recovery.write.sqltext import block

TYPES = (pb.OBJECT_TYPE, pb.OBJECT_DOMAIN)
_ROUTINES = (pb.OBJECT_FUNCTION, pb.OBJECT_PROCEDURE, pb.OBJECT_ROUTINE)
_STOOD_ON = frozenset((*TYPES, pb.OBJECT_SEQUENCE, *_ROUTINES))


class Others:
    """Parks what tables stand on."""

    def __init__(self, schema: Schema, archive: Archive) -> None:
        self._schema = schema
        self._archive = archive

    def drop(self, statement: Statement) -> Iterator[str] | None:
        """Rewrite a DROP if something that is kept may stand on what goes."""
        node = statement.node
        if node.remove_type not in _STOOD_ON:
            return None
        held: list[int] = []
        for n, thing in enumerate(node.objects):
            if self._stands_on(node, thing):
                held.append(n)
        if not held:
            return None
        return self._park(node, held)

    def _stands_on(self, node: Any, thing: Any) -> bool:
        """Whether what is kept may stand on something that is dropped."""
        if node.remove_type in TYPES:
            return self._stands_on_type(node, thing)
        if node.remove_type == pb.OBJECT_SEQUENCE:
            return self._feeds(self._schema.named(thing.list.items))
        # Triggers, checks and defaults may call it: which of them does, a catalogue of ours
        # does not say.
        return bool(self._archive.parked) and node.behavior != pb.DROP_CASCADE

    def _feeds(self, sequence: TableName) -> bool:
        """Whether a column of a parked table draws from a sequence."""
        drawn = drawn_from(sequence)
        for name in self._archive.parked:
            for column in self._schema.catalog.tables[name].columns:
                if drawn in (column.default or ""):
                    return True
        return False

    def _stands_on_type(self, node: Any, thing: Any) -> bool:
        catalog = self._schema.catalog
        text = type_text(self._schema.named(thing.type_name.names))
        name = self._schema.types.get(text)
        if node.behavior != pb.DROP_CASCADE:
            made_of = self._archive.parked and name in catalog.composites
            # A table may have been made OF it.
            return bool(made_of) or name in self._archive.held
        in_use = types_used(catalog, columns_of(self._schema.tables.values()))
        return name in self._archive.held and name not in in_use

    def _park(self, node: Any, held: Sequence[int]) -> Iterator[str]:
        yield "-- Parked with the tables that may use it."
        for n, thing in enumerate(node.objects):
            if n in held:
                yield from self._park_one(node, thing)
            else:
                yield _drop_one(node, thing)

    def _park_one(self, node: Any, thing: Any) -> Iterator[str]:
        tree = pb.ParseResult(version=180000)
        move = tree.stmts.add().stmt.alter_object_schema_stmt
        move.object_type = node.remove_type
        move.newschema = self._archive.name
        if node.remove_type == pb.OBJECT_SEQUENCE:
            name = self._schema.named(thing.list.items)
            if node.behavior == pb.DROP_CASCADE:
                yield from self._draw_no_more(name)
            move.relation.schemaname, move.relation.relname = name
            move.relation.inh = True
            move.relation.relpersistence = "p"
            move.missing_ok = node.missing_ok
        elif node.remove_type in TYPES:
            move.object.list.items.extend(thing.type_name.names)
        else:
            move.object.CopyFrom(thing)
        text = f"{postgast.deparse(tree)};"
        if node.missing_ok and node.remove_type in _ROUTINES:
            # ALTER FUNCTION knows no IF EXISTS.
            text = block([f"  {text}", "EXCEPTION WHEN undefined_function THEN NULL;"])
        yield text

    def _draw_no_more(self, sequence: TableName) -> Iterator[str]:
        """Drop the defaults of surviving columns that draw from a sequence."""
        drawn = drawn_from(sequence)
        for table in self._schema.tables.values():
            for column in table.columns:
                if drawn in (column.default or ""):
                    yield drop_default(table.name, column.name)


def _drop_one(node: Any, thing: Any) -> str:
    """The DROP of one of several things."""
    tree = pb.ParseResult(version=180000)
    drop = tree.stmts.add().stmt.drop_stmt
    drop.CopyFrom(node)
    del drop.objects[:]
    drop.objects.add().CopyFrom(thing)
    return f"{postgast.deparse(tree)};"
