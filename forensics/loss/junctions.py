"""Which tables are junction tables: by structure, not by name.

`find_junctions` asks a catalogue alone. `inference.survey` asks the rows too, and finds
the links that nobody declared.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from forensics.loss.columns import is_audit, is_doing, is_mark, is_order
from forensics.loss.names import words
from forensics.model import Catalog, Column, Parent, Table, TableName

# Words of columns that make a row a thing of its own, whatever it refers to.
_CONTENT = {
    "body",
    "content",
    "message",
    "subject",
    "html",
    "markdown",
    "bio",
    "token",
    "secret",
    "email",
    "phone",
    "amount",
    "price",
    "total",
    "balance",
    "cost",
    "fee",
    "salary",
}
_MOST_BESIDE_A_LINK = 3
_PRISMA_COLUMNS = ("A", "B")


@dataclass(frozen=True)
class End:
    """One end of a link: the columns that hold it, and the parents it may mean.

    There are several parents where it is polymorphic.
    """

    columns: tuple[str, ...]
    parents: tuple[Parent, ...]


@dataclass(frozen=True)
class Junction:
    """A junction table: its parents, and which of its ends make the link.

    Other ends only say who made it.
    """

    name: TableName
    parents: tuple[Parent, ...]
    link: tuple[End, ...]

    @property
    def link_columns(self) -> tuple[str, ...]:
        """The columns that together are the link, each once."""
        return tuple(dict.fromkeys(columns_of(self.link)))


def find_junctions(catalog: Catalog) -> Mapping[TableName, tuple[Parent, ...]]:
    """Return the junction tables of a catalogue, each with the parents that its rows link.

    A junction table has foreign keys to at least two parents, or two to one, and
    carries little besides: a surrogate key, an order, flags, audit timestamps; one more
    column at the most, three where its primary key is the link itself, and none where
    other tables refer to it. Prose and money make a row a thing of its own (a message,
    a payment). An implicit many-to-many table of Prisma (columns `A` and `B`, name
    `_XToY`) is one even where its keys are not declared.
    """
    referenced = referenced_tables(catalog)
    found = {}
    for table in catalog.roots:
        parents = declared_parents(table)
        if is_implicit(table):
            found[table.name] = _implicit_parents(table, parents, catalog)
        elif is_junction(table, parents, referenced):
            found[table.name] = parents
    return found


def referenced_tables(catalog: Catalog) -> set[TableName]:
    """The tables that other tables refer to."""
    found = set()
    for table in catalog.tables.values():
        for key in table.foreign_keys:
            if key.parent != table.name:
                found.add(key.parent)
    return found


def declared_parents(table: Table) -> tuple[Parent, ...]:
    """The parents that a table's foreign keys name, one for each set of columns."""
    seen: dict[tuple[str, ...], Parent] = {}
    for key in table.foreign_keys:
        parent = Parent(key.parent, key.columns, key.parent_columns, enforced=key.enforced)
        seen.setdefault(key.columns, parent)
    return tuple(seen.values())


# --- by structure -------------------------------------------------------------------------------


def is_junction(
    table: Table,
    parents: Sequence[Parent],
    referenced: set[TableName],
    aside: Collection[str] = (),
) -> bool:
    """Whether a table with these parents is a junction table.

    It has two ends at least, and little besides.

    Args:
        table: the table.
        parents: what its columns refer to. Rows of itself (a tree) are no end, nor is
            who did it (`approved_by`), unless a key is made of that.
        referenced: the tables that others refer to.
        aside: columns that count for nothing.
    """
    ends = ends_of(_others(table, parents))
    if len(_linking_ends(table, ends)) < 2:
        return False
    linking = set(columns_of(ends))
    payload = _payload(table, linking | set(aside))
    if any(_CONTENT.intersection(words(column.name)) for column in payload):
        return False
    primary = table.primary_key
    key = set(primary.columns) if primary else set()
    if len(key) == 1 and key <= linking:
        # It extends a row of that parent; only where the rest is a link too, it links
        # one with one.
        return not payload and not _any_nullable(table, linking)
    if len(key) > 1 and key <= linking:
        return len(payload) <= _MOST_BESIDE_A_LINK
    if table.name in referenced:
        return not payload
    return len(payload) <= 1


def _others(table: Table, parents: Sequence[Parent]) -> list[Parent]:
    """The parents without the table itself, unless it is the only one."""
    found = [parent for parent in parents if parent.name != table.name]
    return found or list(parents)


def _linking_ends(table: Table, ends: Sequence[End]) -> list[End]:
    """The ends that say more than who did something; so do those that make a key."""
    keyed: set[str] = set()
    for key in table.keys:
        if len(key.columns) > 1:
            keyed.update(key.columns)
    found = []
    for end in ends:
        if not any(is_doing(column) for column in set(end.columns) - keyed):
            found.append(end)
    return found


def _any_nullable(table: Table, names: Collection[str]) -> bool:
    return any(column.nullable for column in table.columns if column.name in names)


def junction_of(table: Table, parents: Sequence[Parent]) -> Junction:
    """Say which ends of a junction table make its links.

    Those that a key of it is made of, where a key is made of two or more ends and
    nothing else; else those whose columns cannot be NULL and are not named after
    somebody's doing (`added_by`), where there are two; else all.
    """
    ends = ends_of(parents)
    link = _keyed_ends(table, ends)
    if link is None:
        link = _firm_ends(table, ends)
    if len(link) < 2:
        link = ends
    return Junction(table.name, tuple(parents), tuple(link))


def _keyed_ends(table: Table, ends: Sequence[End]) -> list[End] | None:
    for key in table.keys:
        within = [end for end in ends if set(end.columns) <= set(key.columns)]
        if len(within) >= 2 and set(columns_of(within)) == set(key.columns):
            return within
    return None


def _firm_ends(table: Table, ends: Sequence[End]) -> list[End]:
    beside = set()
    for column in table.columns:
        if column.nullable or is_doing(column.name):
            beside.add(column.name)
    found = []
    for end in ends:
        if beside.isdisjoint(end.columns):
            found.append(end)
    return found


def columns_of(ends: Iterable[End]) -> list[str]:
    """The columns of several ends, in their order."""
    found: list[str] = []
    for end in ends:
        found.extend(end.columns)
    return found


def ends_of(parents: Sequence[Parent]) -> list[End]:
    """Group the parents of a junction table by the columns that refer to them."""
    found: dict[tuple[str, ...], list[Parent]] = {}
    for parent in parents:
        found.setdefault(referring_columns(parent), []).append(parent)
    return [End(columns, tuple(several)) for columns, several in found.items()]


def referring_columns(parent: Parent) -> tuple[str, ...]:
    """The columns by which a row names a parent; that of its kind is the first."""
    if parent.when:
        return (parent.when[0], *parent.columns)
    return parent.columns


# --- what is no link ----------------------------------------------------------------------------


def _payload(table: Table, linking: Collection[str]) -> list[Column]:
    """The columns of a table that a link does not need."""
    primary = table.primary_key
    surrogate = primary.columns if primary and len(primary.columns) == 1 else ()
    found = []
    ordered = False
    for column in table.columns:
        if column.name in linking or column.name in surrogate or column.generated:
            continue
        if column.type == "boolean" or is_audit(column) or is_mark(column):
            continue
        if is_order(column) and not ordered:
            ordered = True
            continue
        found.append(column)
    return found


def payload_of(table: Table, junction: Junction) -> tuple[str, ...]:
    """The columns of a junction table that say something beside the link.

    No key, order, flag or time is among them.
    """
    linking = columns_of(ends_of(junction.parents))
    return tuple(column.name for column in _payload(table, linking))


# --- Prisma's implicit tables -------------------------------------------------------------------


def is_implicit(table: Table) -> bool:
    """Whether a table has the form of Prisma's implicit many-to-many tables."""
    if not table.name.table.startswith("_"):
        return False
    return tuple(column.name for column in table.columns) == _PRISMA_COLUMNS


def _implicit_parents(
    table: Table, declared: tuple[Parent, ...], catalog: Catalog
) -> tuple[Parent, ...]:
    """The parents of `_AToB`, which Prisma names after its models by the alphabet.

    Column A refers to the first, B to the second.
    """
    by_column = {parent.columns: parent for parent in declared}
    models = table.name.table.lstrip("_").split("To", 1)
    if len(models) < 2:
        models = ["", ""]
    parents = []
    for column, model in zip(_PRISMA_COLUMNS, models, strict=True):
        parent = by_column.get((column,))
        if parent is None:
            parent = _named_after(model, column, table, catalog)
        if parent is not None:
            parents.append(parent)
    return tuple(parents)


def _named_after(model: str, column: str, table: Table, catalog: Catalog) -> Parent | None:
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", model).lower()
    plurals = {snake + "s", snake + "es", re.sub(r"y$", "ies", snake)}
    names = {model, model.lower(), snake, *plurals}
    for candidate in catalog.roots:
        if candidate.name.schema != table.name.schema or candidate.name.table not in names:
            continue
        key = candidate.primary_key
        if key and len(key.columns) == 1:
            evidence = f"the name of {table.name}"
            return Parent(candidate.name, (column,), key.columns, False, evidence)
    return None


# --- as JSON ------------------------------------------------------------------------------------


def plain_parent(parent: Parent) -> dict[str, Any]:
    """A parent as the contract's JSON has it."""
    found: dict[str, Any] = {
        "schema": parent.name.schema,
        "table": parent.name.table,
        "columns": list(referring_columns(parent)),
        "declared": parent.declared,
        "parent_columns": list(parent.parent_columns),
    }
    if parent.evidence:
        found["evidence"] = parent.evidence
    if parent.when:
        column, value = parent.when
        found["when"] = {column: value}
    return found


def parent_of(value: Mapping[str, Any]) -> Parent:
    """The parent that `plain_parent` wrote."""
    columns = list(value["columns"])
    when = next(iter(value.get("when", {}).items()), None)
    if when:
        columns = [column for column in columns if column != when[0]]
    return Parent(
        TableName(value["schema"], value["table"]),
        tuple(columns),
        tuple(value["parent_columns"]),
        value["declared"],
        value.get("evidence"),
        when,
    )
