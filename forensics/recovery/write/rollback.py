"""Roll back: the statements that make the schema as it was before the change.

New tables and added columns go; dropped tables and columns come back, empty. What each of
these takes from live is another question (`choose.price`), and whether the statements do what
they should is tried on a copy (`rehearse.rollback`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from forensics.cause.definitions import add_foreign_key
from forensics.model import (
    Column,
    ColumnChange,
    ForeignKey,
    Key,
    TableName,
    quote_identifier,
)
from forensics.recovery.choose.reversal import Reversal, reversal
from forensics.recovery.write.definitions import (
    Definition,
    Definitions,
    definitions,
    in_order_of_use,
    own_types,
)
from forensics.recovery.write.sqltext import block, listed, tag_for
from forensics.store import Store

_PART_LACKING = "A part of the dropped tables' definitions is lacking"


@dataclass(frozen=True)
class Step:
    """One part of undoing the change.

    Attributes:
        texts: what to run, and what to try instead where that is refused, in order.
        what: what is lost where the first text is refused.
    """

    texts: tuple[str, ...]
    what: str


@dataclass(frozen=True)
class Undoing:
    """What undoes a schema change.

    Attributes:
        change: the tables and columns that it is about.
        steps: in order.
        last: what goes when no column needs it any more: types and sequences that only live
            has.
        rows: the tables whose rows a rehearsal needs.
    """

    change: Reversal
    steps: tuple[Step, ...]
    last: tuple[Step, ...]
    rows: frozenset[TableName]


def undoing(store: Store) -> Undoing:
    """Work out from the case's two catalogues what undoes the change between them."""
    return _Undo(store).run()


class _Undo:
    def __init__(self, store: Store) -> None:
        self._backup, self._live = store.catalogs()
        self._ddl = store.get("ddl") or ()
        self._change = reversal(store)
        self._rows: set[TableName] = set(self._change.new)

    def run(self) -> Undoing:
        defined = self._definitions()
        steps = [*self._keys_go(), *self._tables_go()]
        for schema in defined.schemas:
            text = f"CREATE SCHEMA IF NOT EXISTS {quote_identifier(schema)}"
            steps.append(Step((text,), f"Schema {schema} is lacking"))
        steps += _made(defined.of("before"))
        for name in self._change.surviving:
            changes = self._change.changes.get(name, ())
            for change in sorted(changes, key=self._rank):
                steps += self._column(change)
        steps += [*_made(defined.of("after")), *self._keys_return()]
        last = [*self._types_go(), *self._sequences_go(), *self._labels_stay()]
        rows = frozenset(self._rows)
        return Undoing(self._change, tuple(steps), tuple(last), rows)

    def _definitions(self) -> Definitions:
        """What makes the dropped tables again, and the types of columns that return."""
        gone: list[Column] = []
        for name in self._change.surviving:
            for change in ("dropped", "type"):
                gone += self._change.columns(name, change, self._backup)
        again = self._change.again
        return definitions(self._ddl, self._backup, self._live, again, gone)

    def _rank(self, change: ColumnChange) -> int:
        """What has to go first.

        That is what is worked out from a column, then how it is numbered: no type and no
        default goes beside that.
        """
        ours = self._backup.tables[change.name].column(change.column)
        numbered = ours is not None and bool(ours.identity)
        if change.change == "generated" and numbered:
            return 4
        ranks = {"added": 0, "generated": 1, "type": 2}
        return ranks.get(change.change, 3)

    def _touch(self, *names: TableName) -> None:
        """Have the rows of tables that live has at hand when this is rehearsed."""
        self._rows |= {*names} & self._live.tables.keys()

    # --- tables and keys ------------------------------------------------------------------

    def _tables_go(self) -> Iterator[Step]:
        if self._change.new:
            names = ", ".join(name.sql for name in self._change.new)
            yield Step((f"DROP TABLE {names} CASCADE",), "The new tables stay")

    def _keys_go(self) -> Iterator[Step]:
        """Keys of surviving tables that only live has, or has otherwise."""
        for name in self._change.surviving:
            ours, theirs = self._backup.tables[name], self._live.tables[name]
            for key in theirs.foreign_keys:
                if key not in ours.foreign_keys:
                    self._touch(name, key.parent)
                    yield _foreign_key_goes(name, key)
            for unique in theirs.keys:
                if unique not in ours.keys:
                    yield _key_goes(name, unique)

    def _keys_return(self) -> Iterator[Step]:
        for name in self._change.surviving:
            ours, theirs = self._backup.tables[name], self._live.tables[name]
            for unique in ours.keys:
                if unique not in theirs.keys:
                    self._touch(name)
                    yield _key_returns(name, unique)
            for key in ours.foreign_keys:
                if key in theirs.foreign_keys:
                    continue
                if self._parent_is_there(key):
                    self._touch(name, key.parent)
                    yield _foreign_key_returns(name, key)

    def _parent_is_there(self, key: ForeignKey) -> bool:
        again = self._change.again
        return key.parent in self._live.tables or key.parent in again

    # --- columns --------------------------------------------------------------------------

    def _column(self, change: ColumnChange) -> Iterator[Step]:
        """What takes one change of a column of a surviving table back."""
        name, column = change.name, change.column
        ours = self._backup.tables[name].column(column)
        if change.change == "added":
            live = self._live.tables[name].column(column)
            if live is not None and not live.generated:
                self._touch(name)
            quoted = quote_identifier(column)
            text = f"ALTER TABLE {name.sql} DROP COLUMN IF EXISTS {quoted} CASCADE"
            yield Step((text,), f"Column {_where(change)} stays")
        elif change.change == "generated":
            yield _numbered(change, ours)
        elif ours is not None:
            if _looks_at_rows(change, ours):
                self._touch(name)
            yield from _former(change, ours)

    # --- what goes last -------------------------------------------------------------------

    def _types_go(self) -> Iterator[Step]:
        added = own_types(self._live) - own_types(self._backup)
        for name in reversed(in_order_of_use(self._live, added)):
            yield Step((f"DROP TYPE IF EXISTS {name}",), f"Type {name} stays")

    def _sequences_go(self) -> Iterator[Step]:
        there = {sequence.name for sequence in self._backup.sequences}
        for sequence in self._live.sequences:
            if sequence.name not in there and sequence.owner is None:
                text = f"DROP SEQUENCE IF EXISTS {sequence.name.sql}"
                yield Step((text,), f"Sequence {sequence.name} stays")

    def _labels_stay(self) -> Iterator[Step]:
        for name, labels in sorted(self._backup.enums.items()):
            there = self._live.enums.get(name, ())
            added = [label for label in there if label not in labels]
            if added:
                yield Step((), f"Type {name} keeps the labels {', '.join(added)}")


# --- statements -----------------------------------------------------------------------------------


def _made(some: Iterable[Definition]) -> Iterator[Step]:
    """The steps that make a part of what was dropped."""
    for definition in some:
        if not definition.roles and not definition.lenient:
            yield Step((_defining(definition),), _PART_LACKING)


def _defining(definition: Definition) -> str:
    """The statement of a definition, where what it makes is not there, under its path."""
    text = definition.sql
    if definition.unless:
        tag = tag_for(text)
        execute = f"EXECUTE {tag}{text}{tag};"
        text = block([f"  IF NOT ({definition.unless}) THEN {execute} END IF;"])
    if definition.path:
        path = quote_identifier(definition.path)
        before = f"SET LOCAL search_path = {path}, pg_catalog"
        text = f"{before}; {text}; SET LOCAL search_path = ''"
    return text


def _where(change: ColumnChange) -> str:
    return f"{change.name}.{change.column}"


def _looks_at_rows(change: ColumnChange, ours: Column) -> bool:
    """Whether a column cannot be made what it was without a look at its rows."""
    if change.change == "type":
        return True
    return change.change == "nullability" and not ours.nullable


def _alter_column(name: TableName, column: str) -> str:
    return f"ALTER TABLE {name.sql} ALTER COLUMN {quote_identifier(column)}"


def _drop_constraint(name: TableName, constraint: str) -> str:
    drop = f"DROP CONSTRAINT IF EXISTS {quote_identifier(constraint)} CASCADE"
    return f"ALTER TABLE {name.sql} {drop}"


def _foreign_key_goes(name: TableName, key: ForeignKey) -> Step:
    text = _drop_constraint(name, key.name)
    return Step((text,), f"Foreign key {key.name} of {name} stays")


def _foreign_key_returns(name: TableName, key: ForeignKey) -> Step:
    text = add_foreign_key(name, key)
    return Step((text,), f"Foreign key {key.name} of {name} does not return")


def _key_goes(name: TableName, key: Key) -> Step:
    index = TableName(name.schema, key.name).sql
    text = f"{_drop_constraint(name, key.name)}; DROP INDEX IF EXISTS {index}"
    return Step((text,), f"Key {key.name} of {name} stays")


def _key_returns(name: TableName, key: Key) -> Step:
    quoted, columns = quote_identifier(key.name), listed(key.columns)
    text = f"CREATE UNIQUE INDEX {quoted} ON {name.sql} ({columns})"
    if key.primary:
        constraint = f"ADD CONSTRAINT {quoted} PRIMARY KEY ({columns})"
        text = f"ALTER TABLE {name.sql} {constraint}"
    elif not key.nulls_distinct:
        text += " NULLS NOT DISTINCT"
    return Step((text,), f"Key {key.name} of {name} does not return")


def _numbered(change: ColumnChange, ours: Column | None) -> Step:
    """How a column is numbered goes back."""
    alter = _alter_column(change.name, change.column)
    text = f"{alter} DROP IDENTITY IF EXISTS"
    if ours is not None and ours.identity:
        text = f"{alter} ADD GENERATED {ours.identity.upper()} AS IDENTITY"
    return Step((text,), f"How {_where(change)} is generated stays as it is")


def _former(change: ColumnChange, ours: Column) -> Iterator[Step]:
    """What makes a column as the backup had it."""
    where = _where(change)
    alter = _alter_column(change.name, ours.name)
    match change.change:
        case "dropped":
            yield _column_returns(change.name, ours, where)
        case "type":
            yield _retype(alter, ours, where)
        case "nullability":
            verb = "DROP" if ours.nullable else "SET"
            text = f"{alter} {verb} NOT NULL"
            yield Step((text,), f"Column {where} stays {change.after}")
        case "default":
            text = f"{alter} DROP DEFAULT"
            if ours.default is not None:
                text = f"{alter} SET DEFAULT {ours.default}"
            yield Step((text,), f"The default of {where} stays as it is")


def _column_returns(name: TableName, column: Column, where: str) -> Step:
    """A dropped column returns; where its rows stand in the way, without what they break."""
    defined = f"{quote_identifier(column.name)} {column.type}"
    add = f"ALTER TABLE {name.sql} ADD COLUMN {defined}"
    if column.generated:
        text = f"{add} GENERATED ALWAYS AS ({column.generated}) STORED"
        return Step((text,), f"Column {where} does not return")
    if column.identity:
        text = f"{add} GENERATED {column.identity.upper()} AS IDENTITY"
        return Step((text,), f"Column {where} does not return")
    lacks = "without NOT NULL: its values are gone"
    whole = with_default = add
    if column.default is not None:
        whole = with_default = f"{add} DEFAULT {column.default}"
        lacks = "without its default"
    if not column.nullable:
        whole += " NOT NULL"
    texts = dict.fromkeys((whole, with_default, add))
    return Step(tuple(texts), f"Column {where} returns {lacks}")


def _retype(alter: str, column: Column, where: str) -> Step:
    """The type of a column goes back."""
    name = quote_identifier(column.name)
    # A default of live's type may have no cast to the backup's; and where the type cannot go
    # back, live's default stays.
    texts = []
    for cast in (name, f"{name}::text"):
        using = f"TYPE {column.type} USING {cast}::{column.type}"
        text = f"{alter} DROP DEFAULT; {alter} {using}"
        if column.default is not None:
            text += f"; {alter} SET DEFAULT {column.default}"
        texts.append(text)
    return Step(tuple(texts), f"Column {where} keeps its type")
