"""Links that nobody declared, from names, types and values.

A column that is named after a table (or, where its values are unmistakable, any column
that is named like a reference) is held against that table's key: it refers to it when
at least 95 of 100 of its distinct values are keys there. The evidence is kept with the
parent. Only tables that could be junction tables are read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from forensics.errors import EvidenceError, is_lost
from forensics.loss.codes import Codes, names_key
from forensics.loss.junctions import (
    declared_parents,
    ends_of,
    find_junctions,
    is_implicit,
    is_junction,
    referenced_tables,
)
from forensics.loss.kinds import Kind, called, kinds_of, leads_of
from forensics.loss.names import family, glued, glued_stems, likeness, refers, stem, words
from forensics.loss.sql import literal
from forensics.loss.workspace import Workspace
from forensics.model import Catalog, Column, Parent, Table, TableName

_CONTAINED = 0.95
_ENOUGH = 5  # distinct values that must be contained where no name speaks for a parent
_SEVERAL = 3  # of which all must be contained where a name is only glued to a parent's
_COUNTS = ("no", "nr", "num", "number")
_KINDS = 60  # distinct values that a column of kinds may have
_WELL = 2  # the likeness of names that speak for themselves
_ANY = TableName("", "")  # a table that is not known yet


def survey(work: Workspace) -> dict[TableName, tuple[Parent, ...]]:
    """Return every junction table of the backup with its parents, declared ones first.

    Where the backup cannot be read to check a guess, only what is declared counts.
    """
    found = dict(find_junctions(work.backup.catalog))
    inference = _Inference(work)
    for table in work.backup.catalog.roots:
        parents = inference.parents(table, found.get(table.name))
        if parents is not None:
            found[table.name] = parents
    return dict(sorted(found.items()))


class NamedAfter:
    """What columns refer to by their names and types alone; no row is read.

    Args:
        catalog: of their side.
    """

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._candidates = _Candidates(catalog)

    def glued(self, work: Workspace, table: Table) -> Iterator[Parent]:
        """Yield what columns refer to by names without borders and by all of their values.

        Raises:
            EvidenceError: the backup cannot be read.
        """
        return _by_glued_name(work, table, self._candidates)

    def of(self, table: Table) -> Iterator[tuple[str, Table]]:
        """Yield columns that refer to nothing by declaration, and what they are named after."""
        known = declared_parents(table)
        kinds = {kind.column for kind in kinds_of(table, known, self._catalog)}
        for column, tables in self._candidates.of_table(table, known).items():
            if column in kinds:
                continue  # what it refers to depends on another column
            if refers(column) and likeness(column, tables[0].name.table) >= _WELL:
                yield column, tables[0]


@dataclass(frozen=True)
class _Guesses:
    """What the columns of a table may refer to.

    Attributes:
        known: parents that are declared.
        columns: by column, the tables that it may refer to, the likeliest first.
        kinds: references to rows of several tables.
    """

    known: tuple[Parent, ...]
    columns: Mapping[str, Sequence[Table]]
    kinds: Sequence[Kind]

    @property
    def imagined(self) -> tuple[Parent, ...]:
        """The parents that the table has if every guess is right."""
        found = list(self.known)
        for column, tables in self.columns.items():
            key = tables[0].primary_key
            if key:
                found.append(Parent(tables[0].name, (column,), key.columns))
        for kind in self.kinds:
            if kind.column not in self.columns:
                when = (kind.kind, "")
                found.append(Parent(_ANY, (kind.column,), (kind.column,), when=when))
        return tuple(found)

    @property
    def kind_columns(self) -> set[str]:
        """The columns by which the table refers to rows of several tables."""
        found = set()
        for kind in self.kinds:
            found |= {kind.kind, kind.column}
        return found


class _Inference:
    """Finds the parents of the backup's tables that nobody declared."""

    def __init__(self, work: Workspace) -> None:
        self._work = work
        self._catalog = work.backup.catalog
        self._referenced = referenced_tables(self._catalog)
        self._candidates = _Candidates(self._catalog)

    def parents(self, table: Table, found: tuple[Parent, ...] | None) -> tuple[Parent, ...] | None:
        """Return the parents of a junction table, or None if there is nothing to add.

        Args:
            table: any table.
            found: its parents, where it is known to be a junction table.
        """
        guesses = self._guesses(table, found or declared_parents(table))
        if not guesses.columns and not guesses.kinds:
            return None
        if found is None and not is_junction(table, guesses.imagined, self._referenced):
            return None
        try:
            parents = (*guesses.known, *_inferred(self._work, table, guesses))
        except EvidenceError as error:
            if is_lost(error):
                raise
            # A damaged backup: comparing the table said so already, and what is
            # declared stands.
            return None
        if len(ends_of(parents)) < 2:
            return None
        # A second kind of reference that no row makes (who tagged it) is no payload
        # either.
        unused = guesses.kind_columns
        if found is None and not is_junction(table, parents, self._referenced, unused):
            return None
        return parents

    def _guesses(self, table: Table, known: tuple[Parent, ...]) -> _Guesses:
        kinds = kinds_of(table, known, self._catalog)
        columns = self._candidates.of_table(table, known)
        models = set()
        for kind in kinds:
            if kind.models:
                models.add((kind.kind,))
                columns.pop(kind.column, None)
        firm = tuple(parent for parent in known if parent.columns not in models)
        return _Guesses(firm, columns, kinds)


# --- by names and types -------------------------------------------------------------------------


class _Candidates:
    """Tables that a column may refer to: those with a key of one column.

    They are sorted by what their keys' values are and by their last word.
    """

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._codes = Codes(catalog)
        self._fitting: dict[str, list[Table]] = {}
        self._named: dict[tuple[str, str], list[Table]] = {}
        for table in catalog.roots:
            column = _key_column(table)
            if column is None:
                continue
            kind = family(column.type, catalog)
            self._fitting.setdefault(kind, []).append(table)
            if said := words(table.name.table):
                self._named.setdefault((kind, said[-1]), []).append(table)

    def of_table(self, table: Table, known: Sequence[Parent]) -> dict[str, list[Table]]:
        """By column, the tables that it may refer to, the likeliest first."""
        taken: set[str] = set()
        for parent in known:
            taken.update(parent.columns)
        primary = table.primary_key
        if primary and len(primary.columns) == 1:
            taken.update(primary.columns)
        found = {}
        for column in table.columns:
            if column.name in taken or column.generated:
                continue
            if tables := self._of_column(column, table):
                found[column.name] = tables
        return found

    def _of_column(self, column: Column, table: Table) -> list[Table]:
        if is_implicit(table):
            return self._of_type(column, table)
        named = self._of_name(column, table)
        if named and (refers(column.name) or _is_key_named_as(column, table, named[0])):
            return named
        if coded := self._codes.of_column(column, table):
            return coded
        if joined := self.of_glued(column, table):
            return joined
        # Of numbers nearly any table's keys hold some.
        if refers(column.name) and family(column.type, self._catalog) != "integer":
            return self._of_type(column, table)
        return []

    def of_glued(self, column: Column, table: Table) -> list[Table]:
        """Tables of which a name without borders between its words may be made.

        Only values that are all keys there speak for them; a number of the table's own rows
        (`lineno` of lines) names none.
        """
        found: list[Table] = []
        if not glued_stems(column.name):
            return found
        own = words(table.name.table)[-1:]
        for other in self._of_type(column, table):
            key = _key_column(other)
            if key is None or key.type != column.type or words(other.name.table)[-1:] == own:
                continue
            if glued(column.name, other.name.table, key.name):
                found.append(other)
        return found

    def _of_type(self, column: Column, table: Table) -> list[Table]:
        """Other tables whose keys the column's values can equal."""
        fitting = self._fitting.get(family(column.type, self._catalog), ())
        return [other for other in fitting if other.name != table.name]

    def _of_name(self, column: Column, table: Table) -> list[Table]:
        """Those of them that the column is named after, the likeliest first."""
        said = stem(column.name)
        if not said:
            return []
        ranked = []
        # Names that are alike share their last word.
        kind = family(column.type, self._catalog)
        for other in self._named.get((kind, said[-1]), ()):
            likely = likeness(column.name, other.name.table)
            if likely and other.name != table.name:
                far = other.name.schema != table.name.schema
                ranked.append((-likely, far, other.name, other))
        ranked.sort(key=lambda entry: entry[:3])
        return [other for *_, other in ranked]


def _key_column(table: Table) -> Column | None:
    key = table.primary_key
    return table.column(key.columns[0]) if key and len(key.columns) == 1 else None


def _is_key_named_as(column: Column, table: Table, other: Table) -> bool:
    """Whether a key holds a column that has just the name of another table."""
    if likeness(column.name, other.name.table) != 3:
        return False
    return any(column.name in key.columns for key in table.keys)


# --- by values ----------------------------------------------------------------------------------


def _inferred(work: Workspace, table: Table, guesses: _Guesses) -> list[Parent]:
    """Hold the guesses against the values; where there are none, names decide."""
    polymorphic = {kind.column for kind in guesses.kinds}
    readable = work.holds("backup", table.name)
    found: list[Parent] = []
    for column, candidates in guesses.columns.items():
        if column in polymorphic:
            continue
        if readable:
            parent = _by_values(work, table, column, candidates)
        else:
            parent = _by_name(column, candidates[0])
        if parent:
            found.append(parent)
    if readable:
        for kind in guesses.kinds:
            found += _variants(work, table, kind)
    return found


def _parent(table: Table, column: str, evidence: str) -> Parent:
    key = table.primary_key
    columns = key.columns if key else ()
    return Parent(table.name, (column,), columns, declared=False, evidence=evidence)


def _by_name(column: str, likeliest: Table) -> Parent | None:
    if not likeness(column, likeliest.name.table):
        return None
    return _parent(likeliest, column, "the names; the backup holds no rows to check")


@dataclass(frozen=True)
class _Verdict:
    """How many of a column's distinct values are keys of a table that may be meant."""

    table: Table
    named: int
    contained: int

    @property
    def rank(self) -> tuple[int, int, TableName]:
        return (-self.named, -self.contained, self.table.name)


def _by_values(
    work: Workspace, table: Table, column: str, candidates: Sequence[Table]
) -> Parent | None:
    rows = work.read("backup", table.name, (column,))
    values = work.temp(f"SELECT DISTINCT c0 FROM {rows} WHERE c0 IS NOT NULL")
    distinct = work.count(values)
    if not distinct:
        return _of_empty_table(column, candidates)
    verdicts = []
    for candidate in candidates:
        verdict = _held_against(work, values, column, candidate, distinct)
        if verdict is None or verdict.contained < _CONTAINED * distinct:
            continue
        if verdict.named or distinct >= _ENOUGH:
            verdicts.append(verdict)
    if not verdicts:
        return None
    verdicts.sort(key=lambda verdict: verdict.rank)
    chosen = verdicts[0]
    if not chosen.named and len(verdicts) > 1 and not is_implicit(table):
        return None  # no name speaks for one of them, and the values fit several
    lead = "its name and " if chosen.named else ""
    values_are = f"{chosen.contained:,} of {distinct:,} distinct values are keys of"
    return _parent(chosen.table, column, f"{lead}{values_are} {chosen.table.name}")


def _is_glued(column: str, candidate: Table) -> bool:
    key = _key_column(candidate)
    return key is not None and glued(column, candidate.name.table, key.name)


def _numbers(work: Workspace, values: str, column: str, candidate: Table) -> bool:
    """Whether a column counts from 1, and is called a number of what a table holds.

    The third line of a bill is none of the first rows of `lines`.
    """
    key = _key_column(candidate)
    if key is None or key.name == column or not column.lower().endswith(_COUNTS):
        return False
    keys = work.read("backup", candidate.name, (key.name,))
    (counted,) = work.one(
        f"""
        SELECT coalesce(min(TRY_CAST(c0 AS HUGEINT)) = 1
                        AND max(TRY_CAST(c0 AS HUGEINT)) = count(*)
                        AND count(*) < (SELECT count(*) FROM {keys}), false)
          FROM {values}
        """
    )
    return bool(counted)


def _by_glued_name(work: Workspace, table: Table, candidates: _Candidates) -> Iterator[Parent]:
    """Yield what columns refer to whose names have no borders, where all of their values do."""
    known: set[str] = set()
    for parent in declared_parents(table):
        known.update(parent.columns)
    for column in table.columns:
        if column.name in known or column.generated or not work.holds("backup", table.name):
            continue
        if joined := candidates.of_glued(column, table):
            guess = _by_values(work, table, column.name, joined)
            if guess:
                yield guess


def _of_empty_table(column: str, candidates: Sequence[Table]) -> Parent | None:
    for candidate in candidates:
        if likeness(column, candidate.name.table):
            return _parent(candidate, column, "the names; the table is empty")
    return None


def _held_against(
    work: Workspace, values: str, column: str, candidate: Table, distinct: int
) -> _Verdict | None:
    contained = _contained(work, values, candidate)
    if contained is None:
        return None
    named = max(likeness(column, candidate.name.table), names_key(column, candidate))
    if not named and _is_glued(column, candidate):
        if contained < distinct or distinct < _SEVERAL or _numbers(work, values, column, candidate):
            return None
        named = 1
    return _Verdict(candidate, named, contained)


def _contained(work: Workspace, values: str, candidate: Table, field: str = "c0") -> int | None:
    """How many values are keys of a table, or None where its keys cannot be read."""
    if candidate.primary_key is None or not work.holds("backup", candidate.name):
        return None
    keys = work.read("backup", candidate.name, candidate.primary_key.columns)
    return work.count(f"{values} v SEMI JOIN {keys} k ON k.c0 = v.{field}")


# --- several tables -----------------------------------------------------------------------------


def _variants(work: Workspace, table: Table, kind: Kind) -> list[Parent]:
    """The tables to which a polymorphic reference refers, each with its kind."""
    rows = work.read("backup", table.name, (kind.kind, kind.column))
    kinds = work.ask(
        f"""
        SELECT c0, count(DISTINCT c1) FROM {rows}
         WHERE c0 IS NOT NULL AND c1 IS NOT NULL
         GROUP BY c0 ORDER BY c0
        """
    )
    if len(kinds) > _KINDS:
        return []
    leads = leads_of(work, "backup", kind, [value for value, _ in kinds])
    found = []
    for value, distinct in kinds:
        values = f"(SELECT DISTINCT c1 FROM {rows} WHERE c0 = {literal(value)})"
        for candidate in _called(work.backup.catalog, leads[value], table):
            contained = _contained(work, values, candidate, "c1")
            if contained is not None and contained >= _CONTAINED * distinct:
                found.append(_variant(candidate, kind, value, f"{contained:,} of {distinct:,}"))
                break
    return found


def _called(catalog: Catalog, lead: Sequence[str], table: Table) -> list[Table]:
    """The tables that a kind may name, those with the fewest words first."""
    ranked = []
    for other in catalog.roots:
        key = other.primary_key
        if key and len(key.columns) == 1 and called(lead, other.name):
            far = other.name.schema != table.name.schema
            ranked.append((len(words(other.name.table)), far, other.name, other))
    ranked.sort(key=lambda entry: entry[:3])
    return [other for *_, other in ranked]


def _variant(table: Table, kind: Kind, value: str, share: str) -> Parent:
    evidence = f"{kind.kind} {value} and {share} distinct values are keys of {table.name}"
    key = table.primary_key
    columns = key.columns if key else ()
    return Parent(table.name, (kind.column,), columns, False, evidence, (kind.kind, value))
