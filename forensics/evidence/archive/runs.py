"""Which table the rows of an archive's entry belong to, and in which columns."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from forensics.evidence.archive.toc import Entry
from forensics.model import Catalog, TableName


@dataclass(frozen=True)
class Run:
    """The rows of one entry: those that lay in table `own` and go to table `target`; `damage` says
    what is wrong, and `is_defined` whether the table's definition is not damaged."""

    entry: Entry
    own: TableName
    target: TableName
    columns: tuple[str, ...]
    damage: str | None = None
    is_defined: bool = True


def runs_by_root(
    entries: Iterable[Entry], catalog: Catalog, lost: Collection[TableName] = ()
) -> Mapping[TableName, tuple[Run, ...]]:
    """Return the entries that hold rows, by the root table whose rows they are.

    Args:
        lost: the tables whose definition was damaged.
    """
    found: dict[TableName, list[Run]] = {}
    for entry in entries:
        run = run_of(entry, catalog)
        run = replace(run, is_defined=run.target not in lost)
        for root in dict.fromkeys((catalog.root(run.target), catalog.root(run.own))):
            found.setdefault(root, []).append(run)
    return {name: tuple(runs) for name, runs in found.items()}


def run_of(entry: Entry, catalog: Catalog) -> Run:
    """Return an entry's rows.

    What the entry, its COPY and the table's definition say must agree: they have no checksum. Where
    they do not, the damage is told of every table that could be meant.
    """
    own = TableName(entry.namespace, entry.tag)
    if entry.copy_target is None:
        return Run(entry, own, own, (), "a COPY statement that pg_dump does not write stands")
    target, columns = entry.copy_target
    known = catalog.tables
    names = [name for name in (own, target) if name in known]
    if not names:
        # The archive has no definitions, or not this one.
        return Run(entry, target, target, columns or ())
    if len(names) == 1 or catalog.root(own) != catalog.root(target):
        what = f"both {own} and {target} stand as the table's name"
        return Run(entry, names[0], names[-1], (), what)
    fields = []
    for column in known[target].columns:
        if not column.generated:
            fields.append(column.name)
    if columns is None:
        return Run(entry, own, target, tuple(fields))
    return Run(entry, own, target, columns, _damage_of_columns(columns, fields))


def _damage_of_columns(columns: tuple[str, ...], fields: list[str]) -> str | None:
    """What is wrong with the columns that a COPY names, or None."""
    named = [column for column in columns if column != "oid" or column in fields]
    # Not where the catalogue knows fewer: a table of a composite type need not say its columns.
    if len(named) == len(fields) and {*named} != {*fields}:
        return f"a list of columns that the table has not ({', '.join(columns)}) stands"
    return None
