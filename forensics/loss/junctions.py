"""Which tables are junction tables: by structure, not by name.

`find_junctions` asks a catalogue alone. `inference.survey` asks the rows too, and finds the links that nobody declared.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from forensics.errors import UsageError
from forensics.loss.names import words
from forensics.model import Catalog, Column, Parent, Table, TableName

_INTEGERS = ("smallint", "integer", "bigint")
_ORDER = re.compile(
    r"sort|order|position|pos\b|rank|idx|index|priority|weight|seq|ordinal|display", re.I
)
_AUDIT = re.compile(
    r"(created|updated|modified|added|assigned|deleted|removed|joined|linked|granted|attached|inserted|since|valid)|(_at|_on|At|On)$",
    re.I,
)

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
_DOING = re.compile(
    r"(_by|By)(_id|Id)?$|^(created|updated|added|granted|assigned|invited|deleted)_?by", re.I
)


def find_junctions(catalog: Catalog) -> Mapping[TableName, tuple[Parent, ...]]:
    """Return the junction tables of a catalogue, each with the parents that its rows link.

    A junction table has foreign keys to at least two parents, or two to one, and carries little besides: a surrogate
    key, an order, flags, audit timestamps; one more column at the most, three where its primary key is the link itself,
    and none where other tables refer to it. Prose and money make a row a thing of its own (a message, a payment). An
    implicit many-to-many table of Prisma (columns `A` and `B`, name `_XToY`) is one even where its keys are not declared.
    """
    referenced = referenced_tables(catalog)
    found = {}
    for table in catalog.roots:
        parents = declared_parents(table)
        if is_implicit(table):
            parents = _implicit_parents(table, parents, catalog)
        elif not is_junction(table, parents, referenced):
            continue
        found[table.name] = parents
    return found


def overridden(
    found: Mapping[TableName, tuple[Parent, ...]], catalog: Catalog, wishes: Mapping[str, Any]
) -> dict[TableName, tuple[Parent, ...]]:
    """Return the junction tables that were found, but for what the user said otherwise.

    Args:
        found: by table, its parents.
        catalog: the backup's.
        wishes: "are", by table the (column, parent table) pairs of its links; "are_not", tables that are none.

    Raises:
        UsageError: a table or column that is named is not there, or the parent has no key of one column.
    """
    names = {
        spelled: n for n in catalog.tables for spelled in (n.table, f"{n.schema}.{n.table}", str(n))
    }
    for table in wishes.get("are_not", ()):
        if table not in names:
            raise UsageError(
                f"--no-junction names {table}, and the backup has no such table.",
                "Write --no-junction TABLE.",
            )
    kept = {
        n: parents
        for n, parents in found.items()
        if n not in {names[w] for w in wishes.get("are_not", ())}
    }
    for table, links in wishes.get("are", {}).items():
        if table not in names:
            raise UsageError(
                f"--junction names {table}, and the backup has no such table.",
                "Write --junction TABLE=COLUMN:PARENT,COLUMN:PARENT.",
            )
        parents = []
        for column, parent in links:
            there = catalog.tables.get(names.get(parent, TableName("", parent)))
            key = there.primary_key if there else None
            if (
                catalog.tables[names[table]].column(column) is None
                or there is None
                or key is None
                or len(key.columns) != 1
            ):
                raise UsageError(
                    f"--junction {table}: column {column} cannot be held against table {parent}.",
                    "Name a column of the table, and a parent whose primary key is one column.",
                )
            parents.append(
                Parent(there.name, (column,), key.columns, declared=False, evidence="given")
            )
        kept[names[table]] = tuple(parents)
    return dict(sorted(kept.items()))


def referenced_tables(catalog: Catalog) -> set[TableName]:
    """The tables that other tables refer to."""
    return {f.parent for t in catalog.tables.values() for f in t.foreign_keys if f.parent != t.name}


def is_junction(
    table: Table, parents: Sequence[Parent], referenced: set[TableName], aside: Collection[str] = ()
) -> bool:
    """Whether a table with these parents is a junction table: two ends at least, and little besides.

    Args:
        table: the table.
        parents: what its columns refer to. Rows of itself (a tree) are no end, nor is who did it (`approved_by`), unless a
            key is made of that.
        referenced: the tables that others refer to.
        aside: columns that count for nothing.
    """
    others = [p for p in parents if p.name != table.name or len({q.name for q in parents}) == 1]
    keyed = {c for k in table.keys if len(k.columns) > 1 for c in k.columns}
    ends = [
        e for e in ends_of(others) if not any(is_doing(c) and c not in keyed for c in e.columns)
    ]
    if len(ends) < 2:
        return False
    linking = {c for e in ends_of(others) for c in e.columns}
    payload = _payload(table, linking | set(aside))
    if any(_CONTENT & {*words(c.name)} for c in payload):
        return False
    primary = table.primary_key
    key = set(primary.columns) if primary else set()
    if len(key) == 1 and key <= linking:
        # It extends a row of that parent; only where the rest is a link too, it links one with one.
        return not payload and not any(c.nullable for c in table.columns if c.name in linking)
    if len(key) > 1 and key <= linking:
        return len(payload) <= _MOST_BESIDE_A_LINK
    return len(payload) <= (0 if table.name in referenced else 1)


@dataclass(frozen=True)
class End:
    """One end of a link: the columns that hold it, and the parents it may mean (several where it is polymorphic)."""

    columns: tuple[str, ...]
    parents: tuple[Parent, ...]


@dataclass(frozen=True)
class Junction:
    """A junction table: its parents, and which of its ends make the link (others only say who made it)."""

    name: TableName
    parents: tuple[Parent, ...]
    link: tuple[End, ...]

    @property
    def link_columns(self) -> tuple[str, ...]:
        """The columns that together are the link, each once."""
        return tuple(dict.fromkeys(c for end in self.link for c in end.columns))


def junction_of(table: Table, parents: Sequence[Parent]) -> Junction:
    """Say which ends of a junction table make its links.

    Those that a key of it is made of, where a key is made of two or more ends and nothing else; else those whose columns
    cannot be NULL and are not named after somebody's doing (`added_by`), where there are two; else all.
    """
    ends = ends_of(parents)
    for key in table.keys:
        within = [e for e in ends if set(e.columns) <= set(key.columns)]
        if len(within) >= 2 and {c for e in within for c in e.columns} == set(key.columns):
            return Junction(table.name, tuple(parents), tuple(within))
    firm = [e for e in ends if not any(_is_beside(table, c) for c in e.columns)]
    return Junction(table.name, tuple(parents), tuple(firm if len(firm) >= 2 else ends))


def ends_of(parents: Sequence[Parent]) -> list[End]:
    """Group the parents of a junction table by the columns that refer to them."""
    found: dict[tuple[str, ...], list[Parent]] = {}
    for parent in parents:
        columns = (parent.when[0], *parent.columns) if parent.when else parent.columns
        found.setdefault(columns, []).append(parent)
    return [End(columns, tuple(several)) for columns, several in found.items()]


def is_doing(column: str) -> bool:
    """Whether a column's name says who did something, like `added_by`."""
    return bool(_DOING.search(column))


def _is_beside(table: Table, name: str) -> bool:
    column = table.column(name)
    return is_doing(name) or (column is not None and column.nullable)


def plain_parent(parent: Parent) -> dict[str, Any]:
    """A parent as the contract's JSON has it."""
    found: dict[str, Any] = {
        "schema": parent.name.schema,
        "table": parent.name.table,
        "columns": [*((parent.when[0],) if parent.when else ()), *parent.columns],
        "declared": parent.declared,
        "parent_columns": list(parent.parent_columns),
    }
    if parent.evidence:
        found["evidence"] = parent.evidence
    if parent.when:
        found["when"] = {parent.when[0]: parent.when[1]}
    return found


def parent_of(value: Mapping[str, Any]) -> Parent:
    """The parent that `plain_parent` wrote."""
    when = next(iter(value.get("when", {}).items()), None)
    columns = tuple(c for c in value["columns"] if not when or c != when[0])
    name = TableName(value["schema"], value["table"])
    return Parent(
        name,
        columns,
        tuple(value["parent_columns"]),
        value["declared"],
        value.get("evidence"),
        when,
    )


def declared_parents(table: Table) -> tuple[Parent, ...]:
    """The parents that a table's foreign keys name, one for each set of columns."""
    seen: dict[tuple[str, ...], Parent] = {}
    for key in table.foreign_keys:
        seen.setdefault(key.columns, Parent(key.parent, key.columns, key.parent_columns))
    return tuple(seen.values())


def _payload(table: Table, linking: Collection[str]) -> list[Column]:
    """The columns of a table that a link does not need."""
    primary = table.primary_key
    surrogate = set(primary.columns) if primary and len(primary.columns) == 1 else set()
    found, ordered = [], False
    for column in table.columns:
        if (
            column.name in linking
            or column.name in surrogate
            or column.generated
            or column.type == "boolean"
        ):
            continue
        if is_audit(column):
            continue
        if is_order(column) and not ordered:
            ordered = True
            continue
        found.append(column)
    return found


def payload_of(table: Table, junction: Junction) -> tuple[str, ...]:
    """The columns of a junction table that say something beside the link: no key, order, flag or time."""
    linking = {c for end in ends_of(junction.parents) for c in end.columns}
    return tuple(c.name for c in _payload(table, linking))


def is_order(column: Column) -> bool:
    """Whether a column says at which place a link stands."""
    return (
        column.type in _INTEGERS
        and bool(_ORDER.search(column.name))
        and words(column.name)[-1:] != ("id",)
    )


def is_audit(column: Column) -> bool:
    """Whether a column says when a row was made or touched."""
    return column.type.startswith(("timestamp", "date")) and bool(_AUDIT.search(column.name))


def is_implicit(table: Table) -> bool:
    """Whether a table is of the form that Prisma gives to its implicit many-to-many tables."""
    return table.name.table.startswith("_") and [c.name for c in table.columns] == ["A", "B"]


def _implicit_parents(
    table: Table, declared: tuple[Parent, ...], catalog: Catalog
) -> tuple[Parent, ...]:
    """Prisma names `_AToB` after its models, in alphabetical order: column A refers to the first, B to the second."""
    by_column = {p.columns: p for p in declared}
    models = table.name.table.lstrip("_").split("To", 1)
    parents = []
    for column, model in zip(("A", "B"), models if len(models) == 2 else ("", ""), strict=True):
        parent = by_column.get((column,)) or _named_after(model, column, table, catalog)
        if parent:
            parents.append(parent)
    return tuple(parents)


def _named_after(model: str, column: str, table: Table, catalog: Catalog) -> Parent | None:
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", model).lower()
    names = {model, model.lower(), snake, snake + "s", snake + "es", re.sub(r"y$", "ies", snake)}
    for candidate in catalog.roots:
        key = candidate.primary_key
        if (
            candidate.name.schema == table.name.schema
            and candidate.name.table in names
            and key
            and len(key.columns) == 1
        ):
            return Parent(
                candidate.name,
                (column,),
                key.columns,
                declared=False,
                evidence=f"the name of {table.name}",
            )
    return None
