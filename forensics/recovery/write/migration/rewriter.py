"""Rewrites a migration: each statement by its kind, and what stands around them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import chain

from postgast import pg_query_pb2 as pb

from forensics.evidence.migrations import Migration, Statement
from forensics.model import Catalog, quote_identifier
from forensics.recovery.write.backfill import Place
from forensics.recovery.write.migration.archive import Archive
from forensics.recovery.write.migration.links import kept_links, move_links
from forensics.recovery.write.migration.model import Safer
from forensics.recovery.write.migration.others import TYPES, Others
from forensics.recovery.write.migration.rows import Rows
from forensics.recovery.write.migration.schema import Schema
from forensics.recovery.write.migration.schemas import Schemas
from forensics.recovery.write.migration.sql import as_written, cut
from forensics.recovery.write.migration.tables import Tables
from forensics.recovery.write.migration.values import Values
from forensics.recovery.write.sqltext import comment
from forensics.statements.hazards import UNREAD, Hazard, read_hazards

_DATED = re.compile(r"\A(\d{8})")
_Read = Sequence[tuple[Statement, Sequence[Hazard]]]


def safer_migration(
    migration: Migration, catalog: Catalog, schema: str, found: Sequence[Place]
) -> Safer | None:
    """Rewrite a migration, or return None where it destroys nothing and fails on nothing.

    Args:
        migration: the one that ran.
        catalog: the schema before it.
        schema: where names without a schema lead.
        found: the new places of links that the migration made.

    Raises:
        MigrationError: the file does not parse.
    """
    read = read_hazards(migration, catalog, schema)
    if not _worth_it(read):
        return None
    archive = Archive(_archive_name(migration), schema, catalog)
    return _Rewriter(migration, Schema(catalog, schema), archive).run(read, found)


def _worth_it(read: _Read) -> bool:
    """Whether a statement destroys something, or may fail."""
    hazards = chain.from_iterable(some for _, some in read)
    return any(h.destroys or h.code == "set-not-null" for h in hazards)


def _archive_name(migration: Migration) -> str:
    dated = _DATED.match(migration.name)
    if dated:
        return f"archive_{dated[1]}"
    name = re.sub(r"[^a-z0-9_]", "_", migration.name.lower())
    return cut(f"archive_{name}")


class _Rewriter:
    """Rewrites one migration."""

    def __init__(self, original: Migration, schema: Schema, archive: Archive) -> None:
        self._original = original
        self._schema = schema
        self._archive = archive
        self._notes: list[str] = []
        rows = Rows(schema, archive)
        values = Values(schema, archive)
        self._tables = Tables(schema, archive)
        self._schemas = Schemas(schema, archive, values)
        self._others = Others(schema, archive)
        self._by_kind: dict[str, Callable[[Statement], Iterator[str] | None]] = {
            "drop_stmt": self._drop,
            "alter_table_stmt": values.alter,
            "delete_stmt": rows.delete,
            "update_stmt": rows.update,
            "truncate_stmt": rows.truncate,
            "rename_stmt": self._rename,
        }

    def run(self, read: _Read, places: Sequence[Place]) -> Safer:
        """Rewrite the migration, and move the links that it would have lost."""
        body = list(self._body(read))
        head = list(self._head())
        links = list(self._links(places))
        now = {table.name: name for name, table in self._schema.tables.items()}
        return Safer(
            f"{self._original.name}_keeping_rows",
            self._original,
            self._archive.name,
            sql="\n".join([*head, *body, *links]),
            kept=self._archive.kept,
            now={**now, **self._archive.parked},
            called=self._schema.called,
            notes=self._notes,
            apart=self._schema.apart,
        )

    def _head(self) -> Iterator[str]:
        yield (
            f"-- Stands in for {comment(self._original.name)}, and keeps what that one destroys: "
            f"in schema {comment(self._archive.name)},"
        )
        yield (
            "-- which may be dropped when nobody has missed anything for long enough. "
            "Use it instead of the original where that"
        )
        yield "-- has not run yet."
        for note in self._notes:
            yield f"-- Look at this by hand: {comment(note)}"
        yield ""
        if self._archive.kept or self._archive.parked:
            for schema in sorted(self._archive.schemas):
                yield f"CREATE SCHEMA IF NOT EXISTS {quote_identifier(schema)};"
            yield ""

    def _body(self, read: _Read) -> Iterator[str]:
        text, at = self._original.applied.decode("utf-8-sig"), 0
        for statement, hazards in read:
            start = text.find(statement.text, at)
            if start >= 0:
                yield from _remarks(text[at:start])
                at = start + len(statement.text)
            yield from self._rewrite(statement, hazards)
            yield ""

    def _rewrite(self, statement: Statement, hazards: Sequence[Hazard]) -> Iterator[str]:
        rewrite = self._by_kind.get(statement.kind)
        lines = rewrite(statement) if rewrite else None
        if lines is not None:
            yield from lines
            return
        if any(_is_left(hazard) for hazard in hazards):
            first = statement.text.splitlines()[0][:100]
            self._notes.append(
                f"line {statement.line} destroys rows in a way that was not rewritten: {first}"
            )
        yield as_written(statement)

    def _drop(self, statement: Statement) -> Iterator[str] | None:
        node = statement.node
        if node.remove_type == pb.OBJECT_TABLE:
            return self._tables.drop(statement)
        if node.remove_type == pb.OBJECT_SCHEMA and node.behavior == pb.DROP_CASCADE:
            return self._schemas.drop(statement)
        return self._others.drop(statement)

    def _rename(self, statement: Statement) -> None:
        """Keep account of a new name; the statement stays as it is."""
        node = statement.node
        if node.rename_type in TYPES:
            self._schema.rename_type(self._schema.named(node.object.list.items), node.newname)
        elif node.rename_type == pb.OBJECT_TABLE:
            self._schema.rename_table(self._schema.name(node.relation), node.newname)
        elif node.rename_type == pb.OBJECT_COLUMN:
            name = self._schema.name(node.relation)
            self._schema.rename_column(name, node.subname, node.newname)

    def _links(self, places: Sequence[Place]) -> Iterator[str]:
        """Move the links of junction tables that were parked."""
        for place in places:
            archive = self._archive.parked.get(place.target.name)
            if archive is not None and place.owner.name in self._schema.tables:
                yield from move_links(place, archive)
                self._archive.kept.append(kept_links(place, archive))


def _remarks(text: str) -> list[str]:
    """The original's own remarks before a statement."""
    return [line for line in text.splitlines() if line.startswith("--")]


def _is_left(hazard: Hazard) -> bool:
    """Whether a hazard is left in a statement that was not rewritten.

    A table that is made again under the name of a dropped one takes nothing: that one was parked.
    """
    if hazard.code in UNREAD:
        return True
    return hazard.destroys and hazard.code != "drop-and-create"
