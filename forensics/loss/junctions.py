"""Which tables are junction tables: by structure, not by name."""

from __future__ import annotations

import re
from collections.abc import Mapping

from forensics.model import Catalog, Column, Parent, Table, TableName

_INTEGERS = ("smallint", "integer", "bigint")
_ORDER = re.compile(r"sort|order|position|pos\b|rank|idx|index|priority|weight|seq|ordinal|display", re.I)
_AUDIT = re.compile(
    r"(created|updated|modified|added|assigned|deleted|removed|joined|linked|granted|attached|inserted|since|valid)|(_at|_on|At|On)$", re.I
)


def find_junctions(catalog: Catalog) -> Mapping[TableName, tuple[Parent, ...]]:
    """Return the junction tables of a catalogue, each with the parents that its rows link.

    A junction table has foreign keys to at least two parents, or two to one, and carries little besides: a surrogate
    key, an order, flags, audit timestamps; one more column at the most, and none where other tables refer to it. An
    implicit many-to-many table of Prisma (columns `A` and `B`, name `_XToY`) is one even where its keys are not declared.
    """
    referenced = {f.parent for t in catalog.tables.values() for f in t.foreign_keys if f.parent != t.name}
    found = {}
    for table in catalog.roots:
        parents = _declared(table)
        if _is_implicit(table):
            parents = _implicit_parents(table, parents, catalog)
        elif len({p.columns for p in parents}) < 2 or _payload(table, parents) > (0 if table.name in referenced else 1):
            continue
        found[table.name] = parents
    return found


def _declared(table: Table) -> tuple[Parent, ...]:
    seen: dict[tuple[str, ...], Parent] = {}
    for key in table.foreign_keys:
        seen.setdefault(key.columns, Parent(key.parent, key.columns, key.parent_columns))
    return tuple(seen.values())


def _payload(table: Table, parents: tuple[Parent, ...]) -> int:
    """How many columns a table has that a link does not need."""
    linking = {c for p in parents for c in p.columns}
    primary = table.primary_key
    surrogate = set(primary.columns) if primary and len(primary.columns) == 1 else set()
    count, ordered = 0, False
    for column in table.columns:
        if column.name in linking or column.name in surrogate or column.generated or column.type == "boolean":
            continue
        if _is_audit(column):
            continue
        if column.type in _INTEGERS and _ORDER.search(column.name) and not ordered:
            ordered = True
            continue
        count += 1
    return count


def _is_audit(column: Column) -> bool:
    return column.type.startswith(("timestamp", "date")) and bool(_AUDIT.search(column.name))


def _is_implicit(table: Table) -> bool:
    return table.name.table.startswith("_") and [c.name for c in table.columns] == ["A", "B"]


def _implicit_parents(table: Table, declared: tuple[Parent, ...], catalog: Catalog) -> tuple[Parent, ...]:
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
        if candidate.name.schema == table.name.schema and candidate.name.table in names and key and len(key.columns) == 1:
            return Parent(candidate.name, (column,), key.columns, declared=False)
    return None
