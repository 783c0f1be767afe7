"""Names that are taken: of relations, types, constraints, triggers, schemas and what else has one.

A name that may have gone is taken for free, and one that may have been made for there: what is
said of a name is certain.
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

from forensics.evidence.live.source import LiveSource
from forensics.model import TableName
from forensics.preflight.surroundings.questions import names

VIEWS = ("view", "materialized view")
TABLES = ("table", "foreign table")
# What CASCADE may take of another table or schema.
_DEPENDING = (*VIEWS, "foreign key", "rule", "policy", "type")


class Name(NamedTuple):
    """A name, and what it has to be alone in.

    Attributes:
        space: "relation", "type", "constraint", "trigger", "policy", "rule", "label", "schema",
            "extension".
        schema: the schema; "" for what lies in none.
        within: the table (or the type of a label) whose own it is; "" for what is its schema's.
        name: the name.
    """

    space: str
    schema: str
    within: str
    name: str


def relation(name: TableName) -> Name:
    """The name of a table, a view, an index or a sequence."""
    return Name("relation", name.schema, "", name.table)


def of_table(space: str, table: TableName, name: str) -> Name:
    """A name that is a table's own."""
    return Name(space, table.schema, table.table, name)


@dataclass(frozen=True)
class Holder:
    """What has a name.

    Attributes:
        kind: what it is, in words.
        table: the table that it goes with.
        columns: the columns that it goes with.
    """

    kind: str
    table: TableName | None = None
    columns: frozenset[str] = frozenset()


class Names:
    """The names that are taken, as they would be after some statements.

    Args:
        live: the database; it is asked when a name is first needed.
    """

    def __init__(self, live: LiveSource) -> None:
        self._live = live
        # Whether there may be more than is known here, and less.
        self.more = False
        self.less = False
        # What code that was not followed speaks of: it may have made or dropped it.
        self.vague: set[str] = set()
        self._ever: set[Name] = set()
        self._anywhere: set[tuple[str, str]] = set()
        self._going: dict[TableName, set[Name]] = {}

    @cached_property
    def _held(self) -> dict[Name, Holder]:
        found = {}
        for space, schema, name, kind, table, columns in names(self._live):
            within = table.table if table and space not in ("relation", "type") else ""
            holder = Holder(kind, table, frozenset(columns))
            found[Name(space, schema, within, name)] = holder
        for one, holder in found.items():
            self.note(one)
            if holder.table:
                self._going.setdefault(holder.table, set()).add(one)
        return found

    def holder(self, name: Name) -> Holder | None:
        """What certainly has a name."""
        return self._held.get(name)

    def was(self, name: Name) -> bool:
        """Whether anything may have, or have had, that name."""
        return self.more or name in self._held or name in self._ever

    def was_anywhere(self, space: str, name: str) -> bool:
        """Whether anything of any schema may have, or have had, that name."""
        return self.more or not self._held or (space, name) in self._anywhere

    def primary_key(self, table: TableName) -> str | None:
        """The name of a table's primary key."""
        held = self._held
        for one in self._of(table):
            if one.space == "constraint" and held[one].kind == "primary key":
                return one.name
        return None

    @property
    def relations(self) -> Container[TableName]:
        """The relations that certainly are there, by name."""
        return _Relations(self._held)

    # --- changing them ---

    def take(self, name: Name, holder: Holder) -> None:
        """Something is made."""
        self._held[name] = holder
        self.note(name)
        if holder.table:
            self._going.setdefault(holder.table, set()).add(name)

    def note(self, name: Name) -> None:
        """Something of that name may be there, which is not held for certain."""
        self._ever.add(name)
        self._anywhere.add((name.space, name.name))

    def free(self, name: Name) -> Holder | None:
        """Something is dropped."""
        holder = self._held.pop(name, None)
        if holder and holder.table:
            self._going.get(holder.table, set()).discard(name)
        return holder

    def free_table(self, table: TableName) -> None:
        """A table (or a view) is dropped, with what is its own."""
        for one in list(self._of(table)):
            self.free(one)
        self.free(relation(table))
        self.free(Name("type", table.schema, "", table.table))

    def free_type(self, name: TableName) -> None:
        """A type is dropped, with its labels."""
        for one in list(self._of(name)):
            if one.space == "label":
                self.free(one)
        self.free(Name("type", name.schema, "", name.table))
        own = self._held.get(relation(name))
        if own and own.kind == "type":
            self.free(relation(name))

    def free_column(self, table: TableName, column: str) -> None:
        """A column is dropped, with what stands on it."""
        for one in list(self._of(table)):
            holder = self._held[one]
            if column in holder.columns:
                self.free(one)

    def free_schema(self, schema: str) -> None:
        """A schema is dropped, with all that is in it."""
        self._drop(one for one in self._held if one.schema == schema)
        self.free(Name("schema", "", "", schema))

    def free_depending(self) -> None:
        """What CASCADE may take: it is not followed which."""
        for one, holder in list(self._held.items()):
            if holder.kind in VIEWS:
                self.free_table(TableName(one.schema, one.name))
            elif holder.kind in _DEPENDING:
                self.free(one)

    def free_all(self) -> None:
        """Anything may have gone."""
        self.less = True
        self._drop(self._held)

    def free_mentioned(self, words: Container[str]) -> None:
        """What is called by one of some words may have gone."""
        self._drop(one for one in self._held if one.name in words or one.within in words)

    def rename(self, name: Name, new: str) -> None:
        """Something takes another name in its place."""
        holder = self.free(name)
        if holder:
            self.take(name._replace(name=new), holder)

    def move_table(self, table: TableName, new: TableName) -> None:
        """A table takes another name, and what is its own stays with it."""
        moved = []
        for one in list(self._of(table)):
            holder = self.free(one)
            if holder is None:
                continue
            if one.within:
                one = one._replace(within=new.table)
            one = one._replace(schema=new.schema)
            if one.space == "type":
                one = one._replace(name=new.table)
            moved.append((one, replace(holder, table=new)))
        own = self.free(relation(table))
        for one, holder in moved:
            self.take(one, holder)
        if own:
            self.take(relation(new), own)

    def _of(self, table: TableName) -> set[Name]:
        return self._going.get(table, set()) if self._held else set()

    def _drop(self, gone: Iterable[Name]) -> None:
        for one in list(gone):
            self.free(one)


class _Relations:
    """Whether a relation is among names."""

    def __init__(self, held: dict[Name, Holder]) -> None:
        self._held = held

    def __contains__(self, name: object) -> bool:
        return isinstance(name, TableName) and relation(name) in self._held
