"""Which overwritten values come back: cells of the case that hold what the accident wrote.

They come back whether or not `cause` has run: the pattern is their evidence, and no cell is
touched that does not hold it. A reference comes back where the row that it names does.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from forensics.compare.options import matching
from forensics.errors import UsageError
from forensics.loss.sql import literal
from forensics.model import Column, Overwritten, Table, TableName
from forensics.recovery.choose.following import block, follow_values
from forensics.recovery.choose.selection import Scope, Selection
from forensics.recovery.choose.targets import Link
from forensics.recovery.relations import rows_of

# Why cells do not come back of which nobody asked for the row.
_UNASKED = "its row was not asked for"
_ALWAYS = "its column numbers rows by itself (GENERATED ALWAYS AS IDENTITY)"


@dataclass(frozen=True)
class ValueColumn:
    """One column of which values come back.

    Attributes:
        place, live_place: among the backup's columns of the case, and among live's.
        rows: how many values come back.
        kept: values that changed otherwise, and stay; None where that cannot be told.
        reasons: why others are blocked: (reason, values).
        left: values of rows that were not asked for.
        pattern: what the overwritten ones have in common, in words.
    """

    column: str
    place: int
    live_place: int
    rows: int = 0
    kept: int | None = None
    reasons: tuple[tuple[str, int], ...] = ()
    left: int = 0
    pattern: str = ""

    @property
    def blocked(self) -> int:
        """How many values cannot come back."""
        return sum(rows for _, rows in self.reasons)


@dataclass(frozen=True)
class Values:
    """A table of which overwritten values come back.

    Attributes:
        source: the table as a FROM item.
        key: what tells its rows apart; `key_fields` are its places in the case's rows `l`.
        links: live's foreign keys, and the backup's, of these columns.
        selection: what reads the case.
        triggers: those of the application that sleep meanwhile, where live was asked.
    """

    name: TableName
    number: int
    source: str
    key: tuple[str, ...]
    key_fields: tuple[str, ...]
    columns: tuple[ValueColumn, ...]
    links: tuple[Link, ...]
    selection: Selection
    triggers: tuple[str, ...] = ()

    @property
    def names(self) -> list[str]:
        """The names of the columns."""
        return [column.column for column in self.columns]

    @property
    def rows(self) -> int:
        """How many values come back."""
        return sum(column.rows for column in self.columns)

    @property
    def blocked(self) -> int:
        """How many values cannot come back."""
        return sum(column.blocked for column in self.columns)

    @property
    def _cells(self) -> str:
        """The query for which cells of a row come back, as (pair, m0, m1, …)."""
        n = self.number
        marks = []
        for i, column in enumerate(self.columns):
            marks.append(f"coalesce(bool_or(place = {column.place}), false) AS m{i}")
        places = ", ".join(str(column.place) for column in self.columns)
        return (
            f"SELECT pair, {', '.join(marks)} FROM rows.overwritten_{n} o "
            f"ANTI JOIN blocked_values_{n} x USING (pair, place) "
            f"WHERE place IN ({places}) GROUP BY pair"
        )

    def lines(self) -> Iterator[str]:
        """Yield keys and values as COPY text, a run of lines at a time."""
        return self.selection.copy(self.lines_query())

    def lines_query(self) -> str:
        """The query for the fields of what `lines` yields.

        They are the key, then of each column what stood there, what stands there, and whether
        it comes back.
        """
        fields = [f"l.{field}" for field in self.key_fields]
        for i, column in enumerate(self.columns):
            for side, place in (("b", column.place), ("l", column.live_place)):
                fields.append(f"CASE WHEN o.m{i} THEN {side}.f{place} END")
            fields.append(f"CASE WHEN o.m{i} THEN 't' ELSE 'f' END")
        n = self.number
        return (
            f"SELECT {', '.join(fields)} FROM ({self._cells}) o "
            f"JOIN values_{n} b ON b.pair = o.pair "
            f"JOIN rows.live_{n} l ON l.pair = o.pair AND l.state = 'changed' ORDER BY o.pair"
        )

    def refused(self, found: Sequence[tuple[int, str]]) -> Values:
        """The table without rows that live refuses.

        Args:
            found: which rows, numbered from 0 in the order of `lines`, and why.
        """
        places = "VALUES " + ", ".join(f"({place}, {literal(why)})" for place, why in found)
        n = self.number
        self.selection.ask(
            f"INSERT INTO blocked_values_{n} SELECT o.pair, o.place, w.why "
            f"FROM ({places}) w(line, why) JOIN (SELECT pair, row_number() OVER (ORDER BY pair) "
            f"- 1 AS line FROM ({self._cells})) s ON s.line = w.line "
            f"JOIN rows.overwritten_{n} o ON o.pair = s.pair "
            f"ANTI JOIN blocked_values_{n} x ON x.pair = o.pair AND x.place = o.place"
        )
        return self.counted()

    def counted(self) -> Values:
        """The table with how many values come back, are kept, and are blocked."""
        counted = []
        for column in self.columns:
            at = f"FROM blocked_values_{self.number} WHERE place = {column.place}"
            reasons = self.selection.ask(
                f"SELECT reason, count(*) {at} GROUP BY 1 ORDER BY 2 DESC, 1"
            )
            ((every,),) = self.selection.ask(
                f"SELECT count(*) FROM rows.overwritten_{self.number} WHERE place = {column.place}"
            )
            told = dict(reasons)
            rows = every - sum(told.values())
            left = told.pop(_UNASKED, 0)
            why = tuple(told.items())
            counted.append(replace(column, rows=rows, reasons=why, left=left))
        return replace(self, columns=tuple(counted))


def overwritten_values(selection: Selection, scope: Scope) -> tuple[Values, ...]:
    """Find the overwritten values that come back, and what keeps the others.

    Raises:
        UsageError: a column was named of which no values were overwritten.
    """
    destroyed: dict[TableName, list[Overwritten]] = {}
    for entry in selection.store.overwritten() or ():
        if entry.destroyed:
            destroyed.setdefault(entry.name, []).append(entry)
    chosen = _named(destroyed, scope.values)
    found = []
    for name, entries in sorted(chosen.items()):
        if scope.tables and not matching(name, (), scope.tables):
            continue
        values = _values(selection, name, entries)
        if selection.narrowing is None or values.rows or values.blocked:
            found.append(values)
    return tuple(found)


def _named(
    destroyed: Mapping[TableName, Sequence[Overwritten]], wanted: Sequence[str]
) -> dict[TableName, list[Overwritten]]:
    """The columns that are asked for; all of them where none is named."""
    found: dict[TableName, list[Overwritten]] = {}
    spelled: dict[str, Overwritten] = {}
    for name, entries in destroyed.items():
        for entry in entries:
            spelled[f"{name.schema}.{name.table}.{entry.column}"] = entry
            spelled[f"{name.table}.{entry.column}"] = entry
    if not wanted:
        return {name: [*entries] for name, entries in destroyed.items()}
    for word in wanted:
        if word not in spelled:
            near = difflib.get_close_matches(word, spelled, 3, 0.5) or sorted(spelled)[:3]
            hint = f"Near matches: {', '.join(near)}." if near else "The case knows none."
            raise UsageError(f"No values of {word} are known to be overwritten.", hint)
        entry = spelled[word]
        some = found.setdefault(entry.name, [])
        if entry not in some:
            some.append(entry)
    return found


def _values(selection: Selection, name: TableName, entries: Sequence[Overwritten]) -> Values:
    store = selection.store
    backup, live = store.catalogs()
    number = store.number(name)
    assert number is not None
    result = next(result for result in store.results() if result.name == name)
    held = {side: store.columns(name, side) for side in ("backup", "live")}
    selection.ask(
        f"CREATE OR REPLACE TEMP TABLE blocked_values_{number} "
        "(pair BIGINT, place INTEGER, reason VARCHAR)"
    )
    if selection.narrowing is not None:
        selection.ask(
            f"INSERT INTO blocked_values_{number} SELECT pair, place, {literal(_UNASKED)} "
            f"FROM rows.overwritten_{number} "
            f"WHERE pair NOT IN ({selection.narrowing.belonging(number)})"
        )
    columns = []
    for entry in entries:
        place, live_place = [held[side].index(entry.column) for side in ("backup", "live")]
        column = ValueColumn(entry.column, place, live_place, pattern=entry.how)
        types = [catalog.tables[name].column(entry.column) for catalog in (backup, live)]
        kept = _kept(selection, number, column, types)
        columns.append(replace(column, kept=kept))
        _block_refused(selection, number, column, types[1])
    links = _links(selection, (backup.tables[name], live.tables[name]), columns)
    for link in links:
        _block_orphans(selection, number, link, held["backup"])
    follow_values(selection, name, number, [(c.column, c.place) for c in columns], links)
    values = Values(
        name,
        number,
        rows_of(live.tables[name]),
        result.key,
        tuple(f"f{held['live'].index(column)}" for column in result.key),
        tuple(columns),
        links,
        selection,
    )
    return values.counted()


def _kept(
    selection: Selection, number: int, column: ValueColumn, types: Sequence[Column | None]
) -> int | None:
    """How many values of a column changed in another way; None where its type changed."""
    if None in types or len({found.type for found in types if found}) > 1:
        return None
    ((rows,),) = selection.ask(
        f"SELECT count(*) FROM rows.backup_{number} b JOIN rows.live_{number} l "
        f"ON l.pair = b.pair AND l.state = 'changed' WHERE b.state = 'changed' "
        f"AND b.f{column.place} IS DISTINCT FROM l.f{column.live_place} AND NOT EXISTS "
        f"(SELECT 1 FROM rows.overwritten_{number} o "
        f"WHERE o.pair = b.pair AND o.place = {column.place})"
    )
    return int(rows)


def _block_refused(
    selection: Selection, number: int, column: ValueColumn, now: Column | None
) -> None:
    """Block values of a column that live does not take."""
    if now is None:
        return
    if now.identity == "always" or now.generated:
        block(selection, number, column.place, "true", _ALWAYS)
    elif not now.nullable:
        why = f"live demands a value in column {column.column}, and none stood there"
        block(selection, number, column.place, f"b.f{column.place} IS NULL", why)


def _links(
    selection: Selection, tables: Sequence[Table], columns: Sequence[ValueColumn]
) -> tuple[Link, ...]:
    """The foreign keys that values of some columns are part of."""
    names = {column.column for column in columns}
    live = selection.store.catalogs()[1].tables
    found: dict[Link, None] = {}
    for table in reversed(tables):
        for key in table.foreign_keys:
            parents = key.parent_columns
            there = live.get(key.parent)
            if not parents and there and there.primary_key:
                parents = there.primary_key.columns
            exists = there is not None or key.parent in selection.dropped
            if names & set(key.columns) and parents and exists:
                found[Link(key.columns, key.parent, parents)] = None
    return tuple(found)


def _block_orphans(selection: Selection, number: int, link: Link, held: Sequence[str]) -> None:
    """Block references to rows that are missing and do not return."""
    parent = selection.store.number(link.parent)
    theirs = selection.store.columns(link.parent, "backup")
    if parent is None or not {*link.columns} <= {*held} or not {*link.parent_columns} <= {*theirs}:
        return
    if not selection.has(f"rows.backup_{parent}"):
        return
    pairs = []
    for column, other in zip(link.columns, link.parent_columns, strict=True):
        pairs.append(f"p.f{theirs.index(other)} = b.f{held.index(column)}")
    returns = ""
    target = selection.target(link.parent)
    if target is not None:
        returns = (
            f" AND NOT EXISTS (SELECT 1 FROM class_{target.number} c "
            "WHERE c.pair = p.pair AND c.class = 'restorable')"
        )
    lives_on = ""
    if selection.has(f"elsewhere.rows_{parent}"):
        lives_on = (
            f" AND NOT EXISTS (SELECT 1 FROM elsewhere.rows_{parent} e "
            "WHERE e.pair = p.pair AND e.live_pair IS NOT NULL)"
        )
    gone = (
        f"EXISTS (SELECT 1 FROM rows.backup_{parent} p WHERE p.state = 'missing' "
        f"AND {' AND '.join(pairs)}{returns}{lives_on})"
    )
    why = f"the row of {link.parent} that it refers to is gone"
    for column in link.columns:
        block(selection, number, held.index(column), gone, why)
