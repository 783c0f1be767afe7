"""Links that nobody declared: which columns refer to which table, from names, types and the values themselves.

A column that is named after a table (or, where its values are unmistakable, any column that is named like a reference)
is held against that table's key: it refers to it when at least 95 of 100 of its distinct values are keys there. The
evidence is kept with the parent. Only tables that could be junction tables are read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from forensics.errors import EvidenceError
from forensics.loss.junctions import (
    declared_parents,
    ends_of,
    find_junctions,
    is_implicit,
    is_junction,
    referenced_tables,
)
from forensics.loss.names import family, likeness, refers, stem, words
from forensics.loss.workspace import SideName, Workspace, literal
from forensics.model import Catalog, Column, Parent, Table, TableName

_CONTAINED = 0.95
_ENOUGH = 5  # distinct values that must be contained where no name speaks for a parent
_KINDS = 60  # distinct values that a column of kinds may have
_ANY = TableName("", "")  # a table that is not known yet
_KIND = re.compile(r"^(?P<stem>.*?)_?(type|kind|class|model)$", re.I)


def survey(work: Workspace) -> dict[TableName, tuple[Parent, ...]]:
    """Return every junction table of the backup with its parents, declared ones first.

    Where the backup cannot be read to check a guess, only what is declared counts.
    """
    catalog = work.backup.catalog
    referenced = referenced_tables(catalog)
    found: dict[TableName, tuple[Parent, ...]] = dict(find_junctions(catalog))
    candidates = _Candidates(catalog)
    for table in catalog.roots:
        known = found.get(table.name) or declared_parents(table)
        kinds = kinds_of(table, known, catalog)
        guesses = {
            c: g
            for c, g in _guesses(candidates, table, known).items()
            if c not in {k.column for k in kinds if k.models}
        }
        known = tuple(p for p in known if p.columns not in {(k.kind,) for k in kinds if k.models})
        if not guesses and not kinds:
            continue
        imagined = (
            *known,
            *(
                Parent(g[0].name, (c,), g[0].primary_key.columns)
                for c, g in guesses.items()
                if g[0].primary_key
            ),
        )
        imagined += tuple(
            Parent(_ANY, (k.column,), (k.column,), when=(k.kind, ""))
            for k in kinds
            if k.column not in guesses
        )
        if table.name not in found and not is_junction(table, imagined, referenced):
            continue
        try:
            parents = (*known, *_inferred(work, table, guesses, kinds))
        except EvidenceError:
            continue  # a damaged backup: comparing the table said so already, and what is declared stands
        # A second kind of reference that no row makes (who tagged it) is no payload either.
        unused = {c for k in kinds for c in (k.kind, k.column)}
        if len(ends_of(parents)) >= 2 and (
            table.name in found or is_junction(table, parents, referenced, unused)
        ):
            found[table.name] = parents
    return dict(sorted(found.items()))


@dataclass(frozen=True)
class Kind:
    """Columns by which a table refers to rows of several tables: what kind of row, and which. `models` says in which table kinds are named."""

    kind: str
    column: str
    models: Parent | None = None


def kinds_of(table: Table, known: Sequence[Parent], catalog: Catalog) -> list[Kind]:
    """Return the polymorphic references of a table: Rails' and Laravel's pairs of columns, and Django's generic relations."""
    return [*_generic(table, known, catalog), *_polymorphic(table, known)]


def _generic(table: Table, known: Sequence[Parent], catalog: Catalog) -> list[Kind]:
    """Django's generic relations: the kind is a row of its table of content types."""
    found = []
    for parent in known:
        models = catalog.tables.get(parent.name)
        if (
            models is None
            or not {"app_label", "model"} <= {c.name for c in models.columns}
            or len(parent.columns) != 1
        ):
            continue
        lead = parent.columns[0].removesuffix("content_type_id")
        if column := next(
            (c for c in (f"{lead}object_id", f"{lead}object_pk") if table.column(c)), None
        ):
            found.append(Kind(parent.columns[0], column, parent))
    return found


class _Candidates:
    """Tables that a column may refer to: those with a key of one column, by what its values are and by their last word."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._fitting: dict[str, list[Table]] = {}
        self._named: dict[tuple[str, str], list[Table]] = {}
        for table in catalog.roots:
            key = table.primary_key
            column = table.column(key.columns[0]) if key and len(key.columns) == 1 else None
            if column is None:
                continue
            kind = family(column.type, catalog)
            self._fitting.setdefault(kind, []).append(table)
            if said := words(table.name.table):
                self._named.setdefault((kind, said[-1]), []).append(table)

    def fitting(self, column: Column, table: Table) -> list[Table]:
        """Other tables whose keys the column's values can equal."""
        return [
            t
            for t in self._fitting.get(family(column.type, self._catalog), ())
            if t.name != table.name
        ]

    def are_integers(self, column: Column) -> bool:
        """Whether the column's values are numbers, of which nearly any table's keys hold some."""
        return family(column.type, self._catalog) == "integer"

    def named(self, column: Column, table: Table) -> list[Table]:
        """Those of them that the column is named after, the likeliest first."""
        said = stem(column.name)
        # Names that are alike share their last word.
        alike = self._named.get((family(column.type, self._catalog), said[-1]), ()) if said else ()
        found = [t for t in alike if t.name != table.name and likeness(column.name, t.name.table)]
        return sorted(found, key=lambda t: _rank(column, t, table))


def _guesses(
    candidates: _Candidates, table: Table, known: Sequence[Parent]
) -> dict[str, list[Table]]:
    """By column, the tables that it may refer to, the likeliest first."""
    taken = {c for p in known for c in p.columns}
    own = (
        table.primary_key.columns
        if table.primary_key and len(table.primary_key.columns) == 1
        else ()
    )
    key_columns = {c for k in table.keys for c in k.columns}
    found = {}
    for column in table.columns:
        if column.name in taken or column.name in own or column.generated:
            continue
        if is_implicit(table):
            found[column.name] = candidates.fitting(column, table)
            continue
        named = candidates.named(column, table)
        if named and (
            refers(column.name)
            or (column.name in key_columns and likeness(column.name, named[0].name.table) == 3)
        ):
            found[column.name] = named
        elif refers(column.name) and not candidates.are_integers(column):
            found[column.name] = candidates.fitting(column, table)
    return {c: g for c, g in found.items() if g}


def _rank(column: Column, candidate: Table, table: Table) -> tuple[int, bool, TableName]:
    return (
        -likeness(column.name, candidate.name.table),
        candidate.name.schema != table.name.schema,
        candidate.name,
    )


def _inferred(
    work: Workspace, table: Table, guesses: Mapping[str, Sequence[Table]], kinds: Sequence[Kind]
) -> tuple[Parent, ...]:
    """Hold the guesses against the values; where there are none, names decide."""
    polymorphic = {k.column for k in kinds}
    found: list[Parent] = []
    readable = work.holds("backup", table.name)
    for column, candidates in guesses.items():
        if column in polymorphic:
            continue
        parent = _by_values(work, table, column, candidates) if readable else None
        if parent is None and not readable and likeness(column, candidates[0].name.table):
            parent = _parent(candidates[0], column, "the names; the backup holds no rows to check")
        if parent:
            found.append(parent)
    for kind in kinds:
        if readable:
            found += _variants(work, table, kind)
    return tuple(found)


def _parent(table: Table, column: str, evidence: str) -> Parent:
    key = table.primary_key
    return Parent(
        table.name, (column,), key.columns if key else (), declared=False, evidence=evidence
    )


def _by_values(
    work: Workspace, table: Table, column: str, candidates: Sequence[Table]
) -> Parent | None:
    values = work.temp(
        f"SELECT DISTINCT c0 FROM {work.read('backup', table.name, (column,))} WHERE c0 IS NOT NULL"
    )
    (distinct,) = work.one(f"SELECT count(*) FROM {values}")
    verdicts = []
    for candidate in candidates:
        named = likeness(column, candidate.name.table)
        if not distinct:
            if named:
                return _parent(candidate, column, "the names; the table is empty")
            continue
        if not work.holds("backup", candidate.name) or candidate.primary_key is None:
            continue
        keys = work.read("backup", candidate.name, candidate.primary_key.columns)
        (contained,) = work.one(
            f"SELECT count(*) FROM {values} v SEMI JOIN {keys} k ON k.c0 = v.c0"
        )
        if contained >= _CONTAINED * distinct and (named or distinct >= _ENOUGH):
            verdicts.append((-named, -contained, candidate, contained))
    if not verdicts:
        return None
    verdicts.sort(key=lambda v: (v[0], v[1], v[2].name))
    if not verdicts[0][0] and len(verdicts) > 1 and not is_implicit(table):
        return None  # no name speaks for one of them, and the values fit several
    _, _, chosen, contained = verdicts[0]
    name = "its name and " if verdicts[0][0] else ""
    return _parent(
        chosen,
        column,
        f"{name}{contained:,} of {distinct:,} distinct values are keys of {chosen.name}",
    )


def _polymorphic(table: Table, known: Sequence[Parent]) -> list[Kind]:
    """Pairs of columns (kind, id) by which a table refers to rows of several tables."""
    taken = {c for p in known for c in p.columns}
    found = []
    for column in table.columns:
        match = _KIND.match(column.name)
        if (
            not match
            or column.name in taken
            or column.type in ("integer", "bigint", "smallint", "boolean")
        ):
            continue
        lead = words(match["stem"])
        for other in table.columns:
            if (
                other.name not in taken
                and other.name != column.name
                and refers(other.name)
                and words(other.name)[:-1] == lead
            ):
                found.append(Kind(column.name, other.name))
                break
    return found


def _variants(work: Workspace, table: Table, kind: Kind) -> list[Parent]:
    rows = work.read("backup", table.name, (kind.kind, kind.column))
    kinds = work.ask(
        f"SELECT c0, count(DISTINCT c1) FROM {rows} WHERE c0 IS NOT NULL AND c1 IS NOT NULL GROUP BY c0 ORDER BY c0"
    )
    found: list[Parent] = []
    if len(kinds) > _KINDS:
        return found
    leads = leads_of(work, "backup", kind, [value for value, _ in kinds])
    for value, distinct in kinds:
        lead = leads[value]
        named = [
            t
            for t in work.backup.catalog.roots
            if t.primary_key and len(t.primary_key.columns) == 1 and called(lead, t.name)
        ]
        for candidate in sorted(
            named,
            key=lambda t: (len(words(t.name.table)), t.name.schema != table.name.schema, t.name),
        ):
            if candidate.primary_key is None or not work.holds("backup", candidate.name):
                continue
            keys = work.read("backup", candidate.name, candidate.primary_key.columns)
            (contained,) = work.one(
                f"SELECT count(*) FROM (SELECT DISTINCT c1 FROM {rows} WHERE c0 = {literal(value)}) v SEMI JOIN {keys} k ON k.c0 = v.c1"
            )
            if contained >= _CONTAINED * distinct:
                evidence = f"{kind.kind} {value} and {contained:,} of {distinct:,} distinct values are keys of {candidate.name}"
                found.append(
                    Parent(
                        candidate.name,
                        (kind.column,),
                        candidate.primary_key.columns,
                        False,
                        evidence,
                        (kind.kind, value),
                    )
                )
                break
    return found


def leads_of(
    work: Workspace, side: SideName, kind: Kind, values: Sequence[str]
) -> dict[str, tuple[str, ...]]:
    """Return, by value of a column of kinds, the words by which it names a table: `App\\Models\\Post` is (post,).

    Django's content types are rows, which say the app and the model; that is how its tables are called, unless it is told
    otherwise.
    """
    if kind.models is None:
        return {value: words(re.split(r"[\\/.:]", value)[-1]) for value in values}
    names = {}
    if work.holds(side, kind.models.name):
        rows = work.read(
            side, kind.models.name, (*kind.models.parent_columns, "app_label", "model")
        )
        names = {
            key: f"{app}_{model}" for key, app, model in work.ask(f"SELECT c0, c1, c2 FROM {rows}")
        }
    return {value: words(names.get(value, "")) for value in values}


def called(lead: Sequence[str], table: TableName) -> bool:
    """Whether the words of a kind name a table, perhaps without a prefix on either side."""
    theirs = words(table.table)
    return bool(lead) and (
        tuple(lead) == theirs
        or theirs[-len(lead) :] == tuple(lead)
        or tuple(lead)[-len(theirs) :] == theirs
    )
