"""The safer migration: what the harmful one did, with everything kept that it would have destroyed.

Statement by statement, read by PostgreSQL's own parser: a dropped table is parked in an archive schema instead; rows and
values that would be deleted, truncated or overwritten are copied there first; links of a parked junction table go
into the new column of its parent, in their order, and a count makes sure that all of them arrived; SET NOT NULL refuses
NULLs with a sentence and validates before it locks. Every other statement stays as it was written.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any

import postgast
from postgast import pg_query_pb2 as pb

from forensics.cause.history import History, place
from forensics.evidence.migrations import Migration, MigrationFolder, Statement, history_of
from forensics.model import Catalog, Column, Table, TableName, quote_identifier
from forensics.recovery.relations import rows_of
from forensics.recovery.write.backfill import Place
from forensics.recovery.write.definitions import (
    above,
    name_of_type,
    own_types,
    type_text,
    types_used,
)
from forensics.recovery.write.sqltext import array, block, comment, listed, tag_for
from forensics.statements.hazards import Hazard, read_hazards
from forensics.store import Store

_LONGEST_NAME = 63
_DATED = re.compile(r"\A(\d{8})")
# What stood on the tables goes, as it does with the original: a parked table would keep its views.
_DROP_VIEWS = """
DECLARE found record;
BEGIN
  FOR found IN SELECT DISTINCT c.relkind, format('%I.%I', n.nspname, c.relname) AS name
                 FROM unnest({tables}) t
                 JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = to_regclass(t) AND d.classid = 'pg_rewrite'::regclass
                 JOIN pg_rewrite r ON r.oid = d.objid
                 JOIN pg_class c ON c.oid = r.ev_class AND c.relkind IN ('v', 'm')
                 JOIN pg_namespace n ON n.oid = c.relnamespace ORDER BY 2
  LOOP
    EXECUTE format('DROP %s IF EXISTS %s CASCADE', CASE found.relkind WHEN 'v' THEN 'VIEW' ELSE 'MATERIALIZED VIEW' END, found.name);
  END LOOP;
END """
_STOOD_ON = frozenset(
    {
        pb.OBJECT_TYPE,
        pb.OBJECT_DOMAIN,
        pb.OBJECT_SEQUENCE,
        pb.OBJECT_FUNCTION,
        pb.OBJECT_PROCEDURE,
        pb.OBJECT_ROUTINE,
    }
)
_SPOILING = (
    "cascade",
    "set null",
    "set default",
)  # what happens to rows that refer to a deleted one


@dataclass(frozen=True)
class Kept:
    """Something that the original destroys and the safer migration keeps.

    Attributes:
        what: in words.
        line: the line of the statement in the original.
        table: the table that it is taken from.
        archive: where it is kept.
        columns: the columns that are kept.
        after: a query for how much of it is kept afterwards.
        key: with values of a column, the columns that tell which row they are of.
        wanted: a query, asked afterwards, for how much has to be there; None where rows and values themselves are looked for.
    """

    what: str
    line: int
    table: TableName
    archive: TableName
    columns: tuple[str, ...]
    after: str
    key: tuple[str, ...] = ()
    wanted: str | None = None


@dataclass
class Safer:
    """A rewritten migration.

    Attributes:
        name: the new migration's name, as a folder.
        original: the migration that it stands in for.
        archive: the schema that it parks things in.
        sql: its text.
        kept: what it keeps.
        now: where each table of the schema before it stands afterwards.
        called: by table of that schema, what its columns are called afterwards where they were renamed.
        notes: what people should look at.
        apart: partitions that stand by themselves afterwards, by the names of the schema before, each with the table at the top.
    """

    name: str
    original: Migration
    archive: str
    sql: str = ""
    kept: list[Kept] = field(default_factory=list)
    now: dict[TableName, TableName] = field(default_factory=dict)
    called: dict[TableName, dict[str, str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    apart: dict[TableName, TableName] = field(default_factory=dict)


def history_between(store: Store, folder: MigrationFolder, ran: Sequence[str] = ()) -> History:
    """Place the migrations of a folder between backup and live, by what the case holds of both histories.

    Raises:
        UsageError: a pattern of `ran` fits no migration.
    """
    # What `cause` was told holds here too, as far as it is about this folder.
    ran = ran or [
        p for p in store.get("ran") or () if any(fnmatchcase(m.name, p) for m in folder.migrations)
    ]
    found = store.get("history") or {"backup": [], "live": [], "errors": {}}
    entries = {side: history_of(found[side]) for side in ("backup", "live")}
    given = store.get("backup_at")
    return place(
        entries,
        found["errors"],
        folder,
        datetime.fromisoformat(given) if given else store.evidence()[0].dumped_at,
        ran,
    )


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
    if not any(h.destroys or h.code == "set-not-null" for _, some in read for h in some):
        return None
    dated = _DATED.match(migration.name)
    archive = (
        f"archive_{dated[1]}"
        if dated
        else _cut(f"archive_{re.sub(r'[^a-z0-9_]', '_', migration.name.lower())}")
    )
    safer = Safer(f"{migration.name}_keeping_rows", migration, archive)
    _Rewriter(safer, catalog, schema, found).run(read)
    return safer


class _Rewriter:
    def __init__(self, safer: Safer, catalog: Catalog, schema: str, found: Sequence[Place]) -> None:
        self.safer, self.catalog, self.schema = safer, catalog, schema
        self.places = found
        self.tables: dict[TableName, Table] = {t.name: t for t in catalog.tables.values()}
        self.parked: dict[TableName, TableName] = {}  # by the name that it had in the catalogue
        self.names: set[str] = set()
        self.archives = {safer.archive}
        self.types = {t: t for t in own_types(catalog)}  # by the name that each has by now
        self.held: set[str] = set()  # those that the archive needs

    def run(self, read: Sequence[tuple[Statement, Sequence[Hazard]]]) -> None:
        body: list[str] = []
        text, at = self.safer.original.applied.decode("utf-8-sig"), 0
        for statement, hazards in read:
            start = text.find(statement.text, at)
            # The original's own remarks, but for those that warn of what no longer happens.
            remarks = (
                [line for line in text[at:start].splitlines() if line.startswith("--")]
                if start >= 0
                else []
            )
            at = start + len(statement.text) if start >= 0 else at
            body += [*remarks, *self._rewrite(statement, hazards), ""]
        head = [
            f"-- Stands in for {comment(self.safer.original.name)}, and keeps what that one destroys: in schema {comment(self.safer.archive)},",
            "-- which may be dropped when nobody has missed anything for long enough. Use it instead of the original where that",
            "-- has not run yet.",
            *(f"-- Look at this by hand: {comment(note)}" for note in self.safer.notes),
            "",
        ]
        if self.safer.kept or self.parked:
            head += [
                *(
                    f"CREATE SCHEMA IF NOT EXISTS {quote_identifier(a)};"
                    for a in sorted(self.archives)
                ),
                "",
            ]
        self.safer.sql = "\n".join([*head, *body, *self._move_links()])
        self.safer.now = {
            **{table.name: name for name, table in self.tables.items()},
            **self.parked,
        }

    def _rewrite(self, statement: Statement, hazards: Sequence[Hazard]) -> Iterator[str]:
        handler: Callable[[Statement, Any], Iterator[str] | None] | None = {
            "drop_stmt": self._drop,
            "alter_table_stmt": self._alter,
            "delete_stmt": self._delete,
            "update_stmt": self._update,
            "truncate_stmt": self._truncate,
            "rename_stmt": self._rename,
        }.get(statement.kind)
        found = handler(statement, statement.node) if handler else None
        if found is not None:
            yield from found
            return
        # A table that is made again under the name of a dropped one takes nothing: that one was parked.
        if any(h.destroys and h.code != "drop-and-create" for h in hazards) or any(
            h.code == "dynamic-sql" for h in hazards
        ):
            self.safer.notes.append(
                f"line {statement.line} destroys rows in a way that was not rewritten: {statement.text.splitlines()[0][:100]}"
            )
        yield f"{statement.text.rstrip(';')};"

    def _name(self, relation: Any) -> TableName:
        return TableName(relation.schemaname or self.schema, relation.relname)

    def _named(self, items: Sequence[Any]) -> TableName:
        words = [i.string.sval for i in items]
        return TableName(words[-2] if len(words) > 1 else self.schema, words[-1])

    def _archive_of(self, schema: str) -> str:
        """The archive for tables of a schema: one for each, because two schemas may have tables and indexes of the same name."""
        archive = (
            self.safer.archive if schema == self.schema else _cut(f"{self.safer.archive}_{schema}")
        )
        self.archives.add(archive)
        return archive

    def _archive_name(self, wanted: str) -> TableName:
        name, n = _cut(wanted), 1
        while name in self.names:
            n += 1
            name = f"{_cut(wanted, _LONGEST_NAME - 4)}_{n}"
        self.names.add(name)
        return TableName(self.safer.archive, name)

    # --- dropped tables, types, schemas ---------------------------------------------------------------

    def _drop(self, statement: Statement, node: Any) -> Iterator[str] | None:
        if node.remove_type == pb.OBJECT_TABLE:
            names = [self._named(o.list.items) for o in node.objects]
            cascading = node.behavior == pb.DROP_CASCADE
            if any(n in self.tables for n in names):
                return self._park(statement, names, cascading)
            # There is no such table, or the migration made it.
            return iter((f"{statement.text.rstrip(';')};",))
        if node.remove_type in _STOOD_ON and (
            held := [n for n, o in enumerate(node.objects) if self._stands_on(node, o)]
        ):
            return self._park_others(node, held)
        if node.remove_type == pb.OBJECT_SCHEMA and node.behavior == pb.DROP_CASCADE:
            return self._park_schemas([o.string.sval for o in node.objects])
        return None

    def _park(
        self, statement: Statement, names: Sequence[TableName], cascading: bool
    ) -> Iterator[str]:
        yield f"-- Parked instead of: {comment(statement.text)}"
        names = [*names]
        if cascading:
            known = {n for n in names if n in self.tables}
            known |= {t for t in self.catalog.tables if self.catalog.root(t) in known}
            text = _DROP_VIEWS.replace("{tables}", array([n.sql for n in sorted(known)]))
            yield f"DO {(tag := tag_for(text))}{text}{tag};"
        for name in names:
            table = self.tables.pop(name, None)
            # Those that inherit from it go with it, or the statement fails.
            names += [
                n
                for n, t in sorted(self.tables.items())
                if table and table.name in t.inherits and n not in names
            ]
            if table is None:
                yield f"DROP TABLE IF EXISTS {name.sql};"
                continue
            # With a partition, CASCADE takes what refers to the whole table.
            parents = {table.name, *(above(self.catalog, table.name) if cascading else ())}
            for other in self.tables.values():
                for key in other.foreign_keys:
                    if key.parent in parents:
                        yield f"ALTER TABLE {other.name.sql} DROP CONSTRAINT IF EXISTS {quote_identifier(key.name)};"
            keys = [
                k
                for t in above(self.catalog, table.name)
                for k in self.catalog.tables[t].foreign_keys
            ]
            yield from self._detach(name, table)
            for key in keys:
                yield f"ALTER TABLE {name.sql} DROP CONSTRAINT IF EXISTS {quote_identifier(key.name)};"
            schema = self._archive_of(name.schema)
            archive = TableName(schema, name.table)
            self.names.add(name.table)
            for part in [name, *sorted(self._below(table))]:
                yield f"ALTER TABLE {part.sql} SET SCHEMA {quote_identifier(schema)};"
            self.parked[table.name] = archive
            self._hold(table)
            columns = tuple(c.name for c in table.columns)
            self.safer.kept.append(
                Kept(
                    "rows of a dropped table",
                    statement.line,
                    table.name,
                    archive,
                    columns,
                    _count(archive, table),
                )
            )

    def _below(self, table: Table) -> Iterator[TableName]:
        """The partitions of a table, and theirs, as they are called by now."""
        for name, part in self.tables.items():
            if part.parent == table.name:
                yield name
                yield from self._below(part)

    def _detach(self, name: TableName, table: Table) -> Iterator[str]:
        """Take a partition out of the table that it belongs to, where it still does: it would keep its rows there."""
        parent = next((n for n, t in self.tables.items() if t.name == table.parent), None)
        if parent is not None:
            self.safer.apart[table.name] = self.catalog.root(table.name)
            yield f"ALTER TABLE {parent.sql} DETACH PARTITION {name.sql};"

    def _stands_on(self, node: Any, thing: Any) -> bool:
        """Whether what is kept may stand on something that is dropped: a type, a sequence, a function."""
        if node.remove_type in (pb.OBJECT_TYPE, pb.OBJECT_DOMAIN):
            name = self.types.get(type_text(self._named(thing.type_name.names)))
            cascading = node.behavior == pb.DROP_CASCADE
            if self.parked and name in self.catalog.composites and not cascading:
                return True  # a table may have been made OF it
            return name in self.held and not (
                cascading and name in types_used(self.catalog, self._columns(self.tables.values()))
            )
        parked = [self.catalog.tables[t] for t in self.parked]
        if node.remove_type == pb.OBJECT_SEQUENCE:
            drawn = f"'{type_text(self._named(thing.list.items))}'"
            return any(drawn in (c.default or "") for c in self._columns(parked))
        # Triggers, checks and defaults may call it: which of them does, a catalogue of ours does not say.
        return bool(parked) and node.behavior != pb.DROP_CASCADE

    @staticmethod
    def _columns(tables: Iterable[Table]) -> Iterator[Column]:
        return (c for t in tables for c in t.columns)

    def _park_others(self, node: Any, held: Sequence[int]) -> Iterator[str]:
        yield "-- Parked with the tables that may use it."
        for n, thing in enumerate(node.objects):
            tree = pb.ParseResult(version=180000)
            if n not in held:
                drop = tree.stmts.add().stmt.drop_stmt
                drop.CopyFrom(node)
                del drop.objects[:]
                drop.objects.add().CopyFrom(thing)
                yield f"{postgast.deparse(tree)};"
                continue
            move = tree.stmts.add().stmt.alter_object_schema_stmt
            move.object_type, move.newschema = node.remove_type, self.safer.archive
            if node.remove_type == pb.OBJECT_SEQUENCE:
                name = self._named(thing.list.items)
                if node.behavior == pb.DROP_CASCADE:
                    for table in self.tables.values():
                        for column in (
                            c for c in table.columns if f"'{type_text(name)}'" in (c.default or "")
                        ):
                            yield f"ALTER TABLE {table.name.sql} ALTER COLUMN {quote_identifier(column.name)} DROP DEFAULT;"
                move.relation.schemaname, move.relation.relname = name
                move.relation.inh, move.relation.relpersistence, move.missing_ok = (
                    True,
                    "p",
                    node.missing_ok,
                )
            elif node.remove_type in (pb.OBJECT_TYPE, pb.OBJECT_DOMAIN):
                move.object.list.items.extend(thing.type_name.names)
            else:
                move.object.CopyFrom(thing)
            text = str(postgast.deparse(tree))
            # ALTER FUNCTION knows no IF EXISTS.
            lenient = node.missing_ok and node.remove_type not in (
                pb.OBJECT_TYPE,
                pb.OBJECT_DOMAIN,
                pb.OBJECT_SEQUENCE,
            )
            yield (
                block([f"  {text};", "EXCEPTION WHEN undefined_function THEN NULL;"])
                if lenient
                else f"{text};"
            )

    def _hold(self, table: Table, columns: Iterable[str] = ()) -> None:
        """Note that the archive has columns of a table, all of them where none are named, and so needs their types."""
        names = {*columns} or {c.name for c in table.columns}
        self.held |= types_used(
            self.catalog,
            [c for c in self.catalog.tables.get(table.name, table).columns if c.name in names],
        )

    def _park_schemas(self, names: Sequence[str]) -> Iterator[str]:
        for name in names:
            new = _cut(f"{self.safer.archive}_{name}")
            if new in self.archives:  # of tables that were parked one by one before
                new = _cut(f"{self.safer.archive}_all_of_{name}")
            yield from self._cut_loose(name)
            yield f"ALTER SCHEMA {quote_identifier(name)} RENAME TO {quote_identifier(new)};"
            for table in [t for t in self.tables if t.schema == name]:
                there = TableName(new, table.table)
                original = self.tables.pop(table)
                self.parked[original.name] = there
                self._hold(original)
                columns = tuple(c.name for c in original.columns)
                self.safer.kept.append(
                    Kept(
                        "rows of a dropped schema",
                        0,
                        original.name,
                        there,
                        columns,
                        _count(there, original),
                    )
                )

    def _cut_loose(self, schema: str) -> Iterator[str]:
        """Take from the tables of other schemas what goes with one: what refers to it would go on doing so under its new name."""
        inside = [n for n in self.tables if n.schema == schema]
        views = _DROP_VIEWS.replace("{tables}", array([n.sql for n in sorted(inside)]))
        if inside:
            yield f"DO {(tag := tag_for(views))}{views}{tag};"
        parents = {t for n in inside for t in above(self.catalog, self.tables[n].name)}
        for name in sorted(inside):
            if self.tables[name].parent not in {self.tables[n].name for n in inside}:
                yield from self._detach(name, self.tables[name])
        types = {t for t in own_types(self.catalog) if name_of_type(t).schema == schema}
        drawn = [
            f"'{type_text(s.name)}'" for s in self.catalog.sequences if s.name.schema == schema
        ]
        for name, table in sorted(self.tables.items()):
            if name in inside or table.kind not in ("table", "partitioned"):
                continue
            for key in table.foreign_keys:
                if key.parent in parents:
                    yield f"ALTER TABLE {name.sql} DROP CONSTRAINT IF EXISTS {quote_identifier(key.name)};"
            if lost := [c for c in table.columns if types_used(self.catalog, [c]) & types]:
                yield from self._keep_values(0, name, table, [c.name for c in lost])
                self.tables[name] = replace(
                    table, columns=tuple(c for c in table.columns if c not in lost)
                )
                yield f"ALTER TABLE {name.sql} {', '.join(f'DROP COLUMN {quote_identifier(c.name)} CASCADE' for c in lost)};"
            for column in self.tables[name].columns:
                if any(s in (column.default or "") for s in drawn):
                    yield f"ALTER TABLE {name.sql} ALTER COLUMN {quote_identifier(column.name)} DROP DEFAULT;"

    def _rename(self, statement: Statement, node: Any) -> Iterator[str] | None:
        if node.rename_type in (pb.OBJECT_TYPE, pb.OBJECT_DOMAIN):
            old = self._named(node.object.list.items)
            first = self.types.pop(type_text(old), None)
            if first is not None:
                self.types[type_text(TableName(old.schema, node.newname))] = first
        if node.rename_type == pb.OBJECT_TABLE:
            name = self._name(node.relation)
            if table := self.tables.pop(name, None):
                self.tables[TableName(name.schema, node.newname)] = table
        if node.rename_type == pb.OBJECT_COLUMN and (
            table := self.tables.get(self._name(node.relation))
        ):
            columns = tuple(
                replace(c, name=node.newname) if c.name == node.subname else c
                for c in table.columns
            )
            keys = tuple(
                replace(k, columns=_renamed(k.columns, node.subname, node.newname))
                for k in table.keys
            )
            self.tables[self._name(node.relation)] = replace(table, columns=columns, keys=keys)
            called = self.safer.called.setdefault(table.name, {})
            first = next((old for old, new in called.items() if new == node.subname), node.subname)
            called[first] = node.newname
        return None

    # --- values ---------------------------------------------------------------------------------------

    def _alter(self, statement: Statement, node: Any) -> Iterator[str] | None:
        name = self._name(node.relation)
        table = self.tables.get(name)
        if node.objtype != pb.OBJECT_TABLE or table is None:
            return None
        known = {c.name for c in table.columns}
        commands = [c.alter_table_cmd for c in node.cmds]
        for command in (c for c in commands if c.subtype == pb.AT_DetachPartition):
            part = self._name(getattr(command, "def").partition_cmd.name)
            if part in self.tables:
                self.safer.apart[self.tables[part].name] = self.catalog.root(table.name)
                self.tables[part] = replace(self.tables[part], parent=None)
        taken = [
            c.name
            for c in commands
            if c.subtype in (pb.AT_DropColumn, pb.AT_AlterColumnType) and c.name in known
        ]
        required = [c.name for c in commands if c.subtype == pb.AT_SetNotNull]
        if not taken and not required:
            return None
        heirs = self._heirs(table.name) if node.relation.inh else []
        return self._alter_safely(statement, [name, *heirs], taken, required)

    def _heirs(self, name: TableName) -> list[TableName]:
        """The tables, as they are called by now, that inherit from one of the schema before: what it loses they lose too."""
        found = [n for n, t in sorted(self.tables.items()) if name in t.inherits]
        return [*found, *(h for n in found for h in self._heirs(self.tables[n].name))]

    def _alter_safely(
        self,
        statement: Statement,
        names: Sequence[TableName],
        taken: Sequence[str],
        required: Sequence[str],
    ) -> Iterator[str]:
        name, gone = names[0], set(taken)
        for each in dict.fromkeys(names if taken else ()):
            table = self.tables[each]
            yield from self._keep_values(
                statement.line, each, table, [c.name for c in table.columns if c.name in gone]
            )
            self.tables[each] = replace(
                table, columns=tuple(c for c in table.columns if c.name not in gone)
            )
        checks = []
        for column in required:
            check = f"{_cut(name.table, 30)}_{_cut(column, 20)}_filled"
            checks.append(check)
            quoted = quote_identifier(column)
            mending = f"UPDATE {name.sql} SET {quoted} = … WHERE {quoted} IS NULL"
            yield f"-- Refuse NULLs with a sentence; or decide what goes there: {comment(mending)};"
            yield block(
                [
                    "  IF EXISTS (SELECT FROM " + name.sql + f" WHERE {quoted} IS NULL) THEN",
                    f"    RAISE EXCEPTION 'Column {_inside(name)}.{_inside(column)} holds NULLs: decide what goes there before it becomes NOT NULL';",
                    "  END IF;",
                ]
            )
            yield f"ALTER TABLE {name.sql} ADD CONSTRAINT {quote_identifier(check)} CHECK ({quoted} IS NOT NULL) NOT VALID;"
            yield f"ALTER TABLE {name.sql} VALIDATE CONSTRAINT {quote_identifier(check)};"
        yield f"{statement.text.rstrip(';')};"
        for check in checks:
            yield f"ALTER TABLE {name.sql} DROP CONSTRAINT {quote_identifier(check)};"

    def _keep_values(
        self, line: int, name: TableName, table: Table, columns: Sequence[str]
    ) -> Iterator[str]:
        key = next((k.columns for k in table.keys if k.primary), None) or next(
            (k.columns for k in table.keys), None
        )
        kept = list(dict.fromkeys([*(key or (c.name for c in table.columns)), *columns]))
        archive = self._archive_name(f"{name.table}_{'_'.join(columns)}")
        called = {new: first for first, new in self.safer.called.get(table.name, {}).items()}
        self._hold(table, [called.get(c, c) for c in kept])
        some = " OR ".join(f"{quote_identifier(c)} IS NOT NULL" for c in columns)
        yield f"-- The values of {comment(', '.join(columns))}, kept with the key of their rows."
        yield f"CREATE TABLE {archive.sql} AS SELECT {listed(kept)} FROM {rows_of(replace(table, name=name))} WHERE {some};"
        there = " + ".join(f"count({quote_identifier(c)})" for c in columns)
        found = f"SELECT {there} FROM {archive.sql}"
        told_by = tuple(c for c in kept if c not in columns or c in (key or ()))
        self.safer.kept.append(
            Kept("values of a column", line, table.name, archive, tuple(columns), found, told_by)
        )

    # --- rows -----------------------------------------------------------------------------------------

    def _delete(self, statement: Statement, node: Any) -> Iterator[str] | None:
        name = self._name(node.relation)
        if name not in self.tables:
            return None
        return self._keep_rows(
            statement,
            name,
            _hit(node.relation, node.using_clause, node),
            "deleted",
            "rows that are deleted",
        )

    def _update(self, statement: Statement, node: Any) -> Iterator[str] | None:
        name = self._name(node.relation)
        table = self.tables.get(name)
        known = {c.name for c in table.columns} if table else set()
        if table is None or not any(t.res_target.name in known for t in node.target_list):
            return None  # it only fills columns that the migration made
        return self._keep_rows(
            statement,
            name,
            _hit(node.relation, node.from_clause, node),
            "before",
            "rows that are overwritten",
        )

    def _truncate(self, statement: Statement, node: Any) -> Iterator[str] | None:
        names = [self._name(r.range_var) for r in node.relations]
        if not any(n in self.tables for n in names):
            return None

        def keep() -> Iterator[str]:
            done: set[TableName] = set()
            todo = [(n, "rows that are truncated") for n in names if n in self.tables]
            while todo:
                name, what = todo.pop(0)
                if name in done:
                    continue
                done.add(name)
                yield from self._copy_these(statement.line, name, "true", "truncated", what)[1]
                if node.behavior == pb.DROP_CASCADE:
                    # All of their rows, whether they refer to one of these or to none.
                    referring = [
                        n
                        for n, t in sorted(self.tables.items())
                        if any(k.parent == self.tables[name].name for k in t.foreign_keys)
                    ]
                    todo += [(n, f"rows that go with those of {name}") for n in referring]
            yield f"{statement.text.rstrip(';')};"

        return keep()

    def _keep_rows(
        self, statement: Statement, name: TableName, hit: str, suffix: str, what: str
    ) -> Iterator[str]:
        yield from self._copy_rows(
            statement.line, name, f"(t.tableoid, t.ctid) IN ({hit})", suffix, what
        )
        yield f"{statement.text.rstrip(';')};"

    def _copy_rows(
        self, line: int, name: TableName, condition: str, suffix: str, what: str
    ) -> Iterator[str]:
        """Copy rows, and those that go with them or lose a value by it when they are deleted."""
        following = [] if suffix == "before" else self._following(name)
        places: dict[TableName, TableName] = {}
        for table in dict.fromkeys([name, *(child for child, _ in following)]):
            first = table == name
            places[table], text = self._copy_these(
                line,
                table,
                condition if first else "false",
                suffix,
                what if first else f"rows that go with those of {name}",
            )
            yield from text
        if not following:
            return
        steps = [
            f"    INSERT INTO {places[child].sql} SELECT t.* FROM {rows_of(replace(self.tables[child], name=child))} t\n"
            f"     WHERE EXISTS (SELECT FROM {places[parent].sql} a WHERE {same}) AND NOT EXISTS (SELECT FROM {places[child].sql} x WHERE {known});\n"
            "    GET DIAGNOSTICS found = ROW_COUNT;\n    more := more OR found > 0;"
            for child, parent, same, known in ((c, *how) for c, how in following)
        ]
        body = "\n".join(
            ["  LOOP", "    more := false;", *steps, "    EXIT WHEN NOT more;", "  END LOOP;"]
        )
        tag = tag_for(body)
        yield f"DO {tag}\nDECLARE more boolean; found bigint;\nBEGIN\n{body}\nEND {tag};"

    def _following(self, name: TableName) -> list[tuple[TableName, tuple[TableName, str, str]]]:
        """By child table, a foreign key that deleting rows of its parent follows: the parent, and how rows are matched and known."""
        found: list[tuple[TableName, tuple[TableName, str, str]]] = []
        todo, seen = [name], {name}
        while todo:
            parent = todo.pop(0)
            for child_name, child in sorted(self.tables.items()):
                for key in child.foreign_keys:
                    if key.parent != self.tables[parent].name or key.on_delete not in _SPOILING:
                        continue
                    same = " AND ".join(
                        f"a.{quote_identifier(p)} = t.{quote_identifier(c)}"
                        for c, p in zip(key.columns, key.parent_columns, strict=False)
                    )
                    unique = next((k.columns for k in child.keys if k.primary), None)
                    known = " AND ".join(
                        f"x.{quote_identifier(c)} = t.{quote_identifier(c)}" for c in unique or ()
                    )
                    found.append(
                        (child_name, (parent, same, known or "ROW(x.*)::text = ROW(t.*)::text"))
                    )
                    # A row that only loses a value takes no other with it.
                    if child_name not in seen and key.on_delete == "cascade":
                        seen.add(child_name)
                        todo.append(child_name)
        return found

    def _copy_these(
        self, line: int, name: TableName, condition: str, suffix: str, what: str
    ) -> tuple[TableName, list[str]]:
        """Copy rows of one table; return to where, and the statements."""
        archive = self._archive_name(f"{name.table}_{suffix}")
        table = self.tables[name]
        self._hold(table)
        columns = tuple(c.name for c in table.columns)
        self.safer.kept.append(Kept(what, line, table.name, archive, columns, _count(archive)))
        return archive, [
            f"-- Copies of the {comment(what)}.",
            f"CREATE TABLE {archive.sql} AS SELECT t.* FROM {name.sql} t WHERE {condition};",
        ]

    # --- links ----------------------------------------------------------------------------------------

    def _move_links(self) -> Iterator[str]:
        for new in self.places:
            archive = self.parked.get(new.target.name)
            if archive is None or new.owner.name not in self.tables:
                continue
            yield from _move(new, archive)
            owner, column = new.owner.name.sql, quote_identifier(new.column.name)
            self.safer.kept.append(
                Kept(
                    "links of a junction table",
                    0,
                    new.target.name,
                    new.owner.name,
                    (new.column.name,),
                    f"SELECT coalesce(sum({new.length}), 0)::bigint FROM {owner} t WHERE t.{column} IS NOT NULL",
                    wanted=f"SELECT count(*) FROM {archive.sql} WHERE {_linked(new)}",
                )
            )


def _cut(name: str, most: int = _LONGEST_NAME) -> str:
    """A name as PostgreSQL would cut it: by bytes, and never within a character."""
    return name.encode()[:most].decode(errors="ignore")


def _renamed(columns: Sequence[str], old: str, new: str) -> tuple[str, ...]:
    return tuple(new if c == old else c for c in columns)


def _count(name: TableName, table: Table | None = None) -> str:
    """The query for how many rows stand in a place that holds a table of the schema before; without those that inherit from it."""
    return f"SELECT count(*) FROM {rows_of(replace(table, name=name)) if table else name.sql}"


def _inside(text: object) -> str:
    """Text for use within a string of RAISE: its format signs and quotes doubled."""
    return comment(text).replace("%", "%%").replace("'", "''")


def _hit(relation: Any, others: Sequence[Any], node: Any) -> str:
    """A query for the places of the rows that a DELETE or an UPDATE hits: a ctid is one of a single partition."""
    tree = pb.ParseResult(version=180000)
    select = tree.stmts.add().stmt.select_stmt
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
    return str(postgast.deparse(tree))


def _linked(place: Place) -> str:
    return f"{quote_identifier(place.owner.columns[0])} IS NOT NULL AND {quote_identifier(place.other.columns[0])} IS NOT NULL"


def _move(place: Place, archive: TableName) -> Iterator[str]:
    owner, other = (quote_identifier(p.columns[0]) for p in (place.owner, place.other))
    by_order = ", ".join([*(f"l.{quote_identifier(c)}" for c in place.order), "l.ctid"])
    by_flag = (
        f"l.{quote_identifier(place.flag)} DESC NULLS LAST, {by_order}" if place.flag else by_order
    )
    if place.column.type.endswith("[]"):
        made = f"array_agg(l.{other} ORDER BY {by_order})::{place.column.type}"
    else:
        made = f"jsonb_agg(to_jsonb(l.{other}) ORDER BY {by_order})::{place.column.type}"
    cover = place.cover and quote_identifier(place.cover.name)
    column, key = (
        quote_identifier(place.column.name),
        quote_identifier(place.owner.parent_columns[0]),
    )
    yield f"-- The links of {comment(place.target.name)}: into {comment(place.owner.name)}.{comment(place.column.name)}, in their order."
    yield f"UPDATE {place.owner.name.sql} t SET {column} = f.list" + (
        f", {cover} = coalesce(t.{cover}, f.cover)" if cover else ""
    )
    first = f", (array_agg(l.{other} ORDER BY {by_flag}))[1] AS cover" if cover else ""
    yield f"  FROM (SELECT l.{owner} AS owner, {made} AS list{first}"
    yield f"          FROM {archive.sql} l WHERE {_linked(place)} GROUP BY l.{owner}) f"
    yield f" WHERE t.{key} = f.owner;"
    said = f"Links of {_inside(place.target.name)} did not all arrive in {_inside(place.owner.name)}.{_inside(place.column.name)}"
    yield block(
        [
            f"  IF (SELECT count(*) FROM {archive.sql} WHERE {_linked(place)})",
            f"     <> (SELECT coalesce(sum({place.length}), 0) FROM {place.owner.name.sql} t WHERE t.{column} IS NOT NULL) THEN",
            f"    RAISE EXCEPTION '{said}';",
            "  END IF;",
        ]
    )
    yield ""
