"""Where live may hold a missing link elsewhere: columns of the parents, and other tables.

A column of a parent is looked at where the backup did not have it, or where its value changed for that very parent: one
that held the key all along is no move. A value is taken apart into its leaves (elements of arrays, keys and values of
JSON), and a leaf counts where it equals the other parent's key and there is reason to believe that it means it: keys
that are unmistakable (letters and digits, UUIDs), a declared reference, a name that says so, or values of which half
and more are just the links that are missing. Another table is looked at where it is new or its rows are.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from forensics.errors import LiveError
from forensics.loss.inference import Kind, called, kinds_of, leads_of
from forensics.loss.junctions import Junction, declared_parents, is_doing, is_order
from forensics.loss.names import family, likeness, related, stem, words
from forensics.loss.workspace import Workspace, listed, literal, same
from forensics.model import Column, Parent, Table, TableName

_NEVER = (
    "boolean",
    "date",
    "time",
    "interval",
    "bytea",
    "real",
    "double",
    "money",
    "bit",
    "point",
    "tsvector",
    "xml",
)
_DISTINCT = r"regexp_matches({0}, '[0-9]') AND regexp_matches({0}, '[a-zA-Z]') OR length({0}) >= 12"
# A list in a text: between commas and the like or line by line, in braces, brackets and quotes or without. Not between
# blanks: prose that names a key is no link.
_LIST = r"""list_transform(string_split_regex(v, '[,;|\n\r\t]+'), e -> trim(e, ' {}[]()"'''))"""
_LABELS = 2000
_MOST_COLUMNS = 12  # of a table whose columns' names say nothing
_PRECISE = 0.5
_SOME = 3
_BEYOND_CHANCE = 3


@dataclass(frozen=True)
class Place:
    """Where live holds links that are missing.

    Attributes:
        name: the table; column: its column, or None where a row of the table is the link.
        rows: missing rows laid to this place; each is laid to one place, so that they add up.
        held: missing rows whose link this place holds, those laid to another place too.
        order: "kept", "partly kept", "lost", or None where there was none.
        lost: the junction table's columns that the place has nothing for.
    """

    name: TableName
    column: str | None
    rows: int
    held: int
    order: str | None
    lost: tuple[str, ...]


@dataclass(frozen=True)
class _Found:
    """Matches of one place: working tables (pair, spot) and of the holders that hold anything there."""

    name: TableName
    column: str | None
    matches: str
    holders: dict[Parent, str]
    ordered: bool
    has: tuple[str, ...]


@dataclass(frozen=True)
class _Holder:
    """Columns that may hold one end of a link.

    `kind` is there where they may hold others too, `sure` where a foreign key says so, and `key` where that refers to
    another key of the parent than the link did.
    """

    columns: tuple[str, ...]
    kind: Kind | None = None
    sure: bool = False
    key: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Mapping:
    """What may hold each end of a link."""

    holders: tuple[_Holder, ...]

    @property
    def sure(self) -> bool:
        """Whether foreign keys say so of every end."""
        return all(h.sure for h in self.holders)


class Search:
    """Searches live for the missing links of one junction table.

    Args:
        work: the run's workspace.
        junction: the table.
        missing: the relation of its missing rows.
    """

    def __init__(self, work: Workspace, junction: Junction, missing: str) -> None:
        self._work, self._junction, self._missing = work, junction, missing
        self._table = work.backup.catalog.tables[junction.name]
        self._found: list[_Found] = []
        self._sure: dict[str, bool] = {}
        self.again: list[str] = []
        self.notes: list[str] = []

    def run(self) -> tuple[list[Place], str | None]:
        """Return the places, the fullest first, and a working table (pair, place) with each link's one place.

        A place that cannot be read is noted in `notes`. Links that the table itself holds, whose ends have other keys by
        now, are no places: working tables of them (pair) are in `again`.
        """
        for number, end in enumerate(self._junction.link):
            others = [e for n, e in enumerate(self._junction.link) if n != number]
            for holder in end.parents:
                with self._noting():
                    self._columns(holder, list(itertools.product(*(e.parents for e in others))))
        for table in self._work.live.catalog.roots:
            with self._noting():
                self._rows(table)
        return self._settle()

    @contextmanager
    def _noting(self) -> Iterator[None]:
        """Go on where one place cannot be looked at, and note it."""
        try:
            yield
        except LiveError as error:
            self.notes.append(f"links are not looked for there: {error.message}")

    def holders(self, parent: Parent) -> list[str]:
        """Working tables of the keys (k0, …) of a parent's rows that hold a link in some place that was found."""
        return [f.holders[parent] for f in self._found if parent in f.holders]

    # --- columns of a parent ---------------------------------------------------------------------------

    def _columns(self, holder: Parent, others: Sequence[tuple[Parent, ...]]) -> None:
        work = self._work
        name = work.live_name(holder.name)
        live = work.table("live", name) if name else None
        keys = self._fields(holder.columns)
        if live is None or name is None or keys is None or not _has(live, work.live_key(holder)):
            return
        backup = work.backup.catalog.tables.get(holder.name)
        added = [
            c
            for c in live.columns
            if (backup is None or backup.column(c.name) is None)
            and c.name not in work.live_key(holder)
        ]
        for column, rows in itertools.chain(
            self._added(holder, live, [c for c in added if self._may_hold(c)]),
            self._changed(holder, live),
        ):
            leaves = self._leaves(column, rows, len(keys))
            for combination in others:
                self._match(holder, live, column, leaves, combination)
            work.drop(leaves)

    def _may_hold(self, column: Column) -> bool:
        kind = family(column.type, self._work.live.catalog)
        several = kind.endswith("[]") or kind in ("json", "jsonb")
        return (
            not column.generated
            and not kind.startswith(_NEVER)
            and (several or not is_doing(column.name))
        )

    def _added(
        self, holder: Parent, live: Table, columns: Sequence[Column]
    ) -> Iterator[tuple[Column, str]]:
        """Yield columns that the backup did not have, with their values for the parents of missing links."""
        if not columns or not self._work.holds("live", live.name):
            return
        width = len(holder.parent_columns)
        wanted = self._wanted(holder)
        names = [f"c{width + i}" for i in range(len(columns))]
        on = same([f"r.c{i}" for i in range(width)], [f"w.k{i}" for i in range(width)])
        rows = self._work.stream(
            "live",
            live.name,
            (*self._work.live_key(holder), *(c.name for c in columns)),
            f"SELECT r.* FROM {{rows}} r SEMI JOIN {wanted} w ON {on} WHERE coalesce({listed(names, 'r.')}) IS NOT NULL",
        )
        heads = ", ".join(f"c{i} AS k{i}" for i in range(width))
        for column, field in zip(columns, names, strict=True):
            yield column, f"(SELECT {heads}, {field} AS v FROM {rows} WHERE {field} IS NOT NULL)"
        self._work.drop(rows, wanted)

    def _changed(self, holder: Parent, live: Table) -> Iterator[tuple[Column, str]]:
        """Yield columns that both sides have, with the values that live changed for some parents."""
        work = self._work
        ours, theirs = work.kept("backup", holder.name), work.kept("live", holder.name)
        before, after = (
            work.fields("backup", holder.name, holder.parent_columns),
            work.fields("live", holder.name, holder.parent_columns),
        )
        if not ours or not theirs or not before or not after or live.name != holder.name:
            return
        on = same([f"b.{f}" for f in before], [f"l.{f}" for f in after])
        heads = ", ".join(f"l.{f} AS k{i}" for i, f in enumerate(after))
        for column in live.columns:
            was, now = (
                work.field("backup", holder.name, column.name),
                work.field("live", holder.name, column.name),
            )
            if was and now and column.name not in holder.parent_columns and self._may_hold(column):
                yield (
                    column,
                    (
                        f"(SELECT {heads}, l.{now} AS v FROM {ours} b JOIN {theirs} l ON {on} "
                        f"WHERE l.{now} IS NOT NULL AND l.{now} IS DISTINCT FROM b.{was})"
                    ),
                )

    def _wanted(self, holder: Parent) -> str:
        fields = self._fields(holder.columns) or []
        heads = ", ".join(f"{f} AS k{i}" for i, f in enumerate(fields))
        return self._work.temp(
            f"SELECT DISTINCT {heads} FROM {self._missing} m WHERE {_when(self, holder)}"
        )

    def _leaves(self, column: Column, rows: str, width: int) -> str:
        """Take values apart: key of the holder (k0, …), token, label (its path in JSON), within (its object), spot (its place)."""
        keys = listed([f"k{i}" for i in range(width)])
        kind = family(column.type, self._work.live.catalog)
        if kind in ("json", "jsonb"):
            query = _json(keys, rows)
        elif kind.endswith("[]"):
            query = _array(keys, rows)
        elif kind == "text":
            # Some keep JSON or a list in a text column.
            whole = f"(SELECT * FROM {rows} WHERE NOT (v[1] IN ('[', chr(123)) AND json_valid(v)))"
            inner = f"(SELECT * FROM {rows} WHERE v[1] IN ('[', chr(123)) AND json_valid(v))"
            query = (
                f"SELECT {keys}, unnest(parts) AS token, '$' AS label, '$' AS within, unnest(range(len(parts))) AS spot "
                f"FROM (SELECT {keys}, {_LIST} AS parts FROM {whole}) UNION ALL {_json(keys, inner)}"
            )
        else:
            query = f"SELECT {keys}, v AS token, '$' AS label, '$' AS within, 0 AS spot FROM {rows}"
        return self._work.temp(query)

    def _match(
        self, holder: Parent, live: Table, column: Column, leaves: str, others: Sequence[Parent]
    ) -> None:
        work = self._work
        keys = self._fields(holder.columns) or []
        held = [tuple(c for c in o.columns if c not in holder.columns) for o in others]
        tokens = [self._fields(c) for c in held]
        objects = family(column.type, work.live.catalog) in ("json", "jsonb")
        if any(t is None or len(t) != 1 for t in tokens) or (len(others) > 1 and not objects):
            return
        fields = [t[0] for t in tokens if t]
        if len(others) == 1:
            leaves = self._translated(live, column, leaves, others[0], len(keys))
        labels = [
            self._labels(holder, live, column, leaves, other, field)
            for other, field in zip(others, fields, strict=True)
        ]
        if not all(labels):
            return
        joins = ""
        for n, (field, allowed) in enumerate(zip(fields, labels, strict=True)):
            on = same([f"m.{k}" for k in keys], [f"l{n}.k{i}" for i in range(len(keys))])
            joins += f" JOIN {leaves} l{n} ON {on} AND m.{field} = l{n}.token AND l{n}.label IN ({', '.join(map(literal, allowed))})"
            if n:
                joins += f" AND l{n}.within = l0.within"
        when = " AND ".join(_when(self, p) for p in (holder, *others))
        matches = work.temp(
            f"SELECT m.pair, min(l0.spot) AS spot FROM {self._missing} m {joins} WHERE {when} GROUP BY m.pair"
        )
        heads = listed([f"k{i}" for i in range(len(keys))])
        holds = work.temp(
            f"SELECT DISTINCT {heads} FROM {leaves} WHERE label IN ({', '.join(map(literal, labels[0]))})"
        )
        several = (
            objects
            or column.type.endswith("[]")
            or family(column.type, work.live.catalog) == "text"
        )
        self._add(_Found(live.name, column.name, matches, {holder: holds}, several, ()))

    def _translated(
        self, live: Table, column: Column, leaves: str, other: Parent, width: int
    ) -> str:
        """The leaves of a column that refers to another key of the parent than the link did, as the link would name it."""
        name = self._work.live_name(other.name)
        key = next(
            (
                f.parent_columns
                for f in live.foreign_keys
                if f.columns == (column.name,) and f.parent == name
            ),
            (),
        )
        if not key or key == self._work.live_key(other) or len(other.parent_columns) != 1:
            return leaves
        rows = self._work.two_keys(other, key)
        if rows is None:
            return leaves
        heads = listed([f"l.k{i}" for i in range(width)])
        return self._work.temp(
            f"SELECT {heads}, p.c0 AS token, l.label, l.within, l.spot FROM {leaves} l JOIN {rows} p ON p.c1 = l.token"
        )

    def _labels(
        self, holder: Parent, live: Table, column: Column, leaves: str, other: Parent, field: str
    ) -> list[str]:
        """The labels under which leaves are keys of the other parent, as far as there is reason to believe it."""
        work = self._work
        keys = self._fields(holder.columns) or []
        on = same([f"m.{k}" for k in keys], [f"l.k{i}" for i in range(len(keys))])
        found = work.ask(
            f"SELECT l.label, count(*) FILTER (hit), count(*) FROM (SELECT l.label, EXISTS (SELECT 1 FROM {self._missing} m "
            f"WHERE {on} AND m.{field} = l.token AND {_when(self, holder)} AND {_when(self, other)}) AS hit FROM {leaves} l) l "
            f"GROUP BY l.label HAVING count(*) FILTER (hit) > 0 ORDER BY 2 DESC, 1 LIMIT {_LABELS}"
        )
        if not found:
            return []
        declared = any(
            f.columns == (column.name,) and f.parent == work.live_name(other.name)
            for f in live.foreign_keys
        )
        if declared or self._distinct(field):
            return [label for label, _, _ in found]
        chance = self._chance(keys, field)
        meant = {*words(other.name.table), *(w for c in other.columns for w in stem(c))}
        meant |= set(words(self._junction.name.table)) - set(words(holder.name.table))
        accepted = []
        for label, hits, total in found:
            path = (
                [*label.removeprefix("$").strip(".").split("."), column.name]
                if label != "$"
                else [column.name]
            )
            path = (
                [path[-1], *path[:-1]]
                if label == "$"
                else [path[-2], *reversed(path[:-2]), column.name]
            )
            named = not label.endswith(".*") and related(path[0], path[1:], meant)
            if named or (hits >= _SOME and hits >= total * max(_PRECISE, _BEYOND_CHANCE * chance)):
                accepted.append(label)
        return accepted

    def _chance(self, keys: Sequence[str], field: str) -> float:
        """How likely any holder with any key of the other parent is a missing link by chance."""
        row = f"row({listed(keys)})" if len(keys) > 1 else keys[0]
        links, holders, others = self._work.one(
            f"SELECT count(*), count(DISTINCT {row}), count(DISTINCT {field}) FROM {self._missing}"
        )
        return float(links / (holders * others)) if holders and others else 1.0

    def _distinct(self, field: str) -> bool:
        """Whether a column's keys are unmistakable: they hold letters and digits, or are long."""
        if field not in self._sure:
            test = _DISTINCT.format(field)
            some = f"(SELECT {field} FROM {self._missing} LIMIT 10000)"
            (share,) = self._work.one(f"SELECT avg(CASE WHEN {test} THEN 1 ELSE 0 END) FROM {some}")
            self._sure[field] = bool(share and share >= 0.9)
        return self._sure[field]

    # --- rows of another table --------------------------------------------------------------------------

    def _rows(self, table: Table) -> None:
        work = self._work
        own = table.name == self._junction.name
        if (own and not work.rekeyed.keys() & set(self._junction.parents)) or not work.holds(
            "live", table.name
        ):
            return
        new = table.name not in work.backup.catalog.tables
        is_junction = table.name in work.live_junctions
        kinds = kinds_of(table, declared_parents(table), work.live.catalog)
        if not new and not is_junction and not kinds:
            return
        for combination in itertools.product(*(e.parents for e in self._junction.link)):
            mappings = self._mappings(table, combination, kinds, new=new)
            found = [
                f
                for m in mappings
                if (
                    f := self._match_rows(table, combination, m, loose=not (is_junction and m.sure))
                )
            ]
            for one in sorted(found, key=lambda f: -self._hits(f)):
                if own:
                    self.again.append(one.matches)
                else:
                    self._add(one)

    def _hits(self, found: _Found) -> int:
        return int(self._work.one(f"SELECT count(*) FROM {found.matches}")[0])

    def _mappings(
        self, table: Table, parents: Sequence[Parent], kinds: Sequence[Kind], *, new: bool
    ) -> list[_Mapping]:
        """Ways in which a table's columns may hold the ends of a link."""
        options: list[list[_Holder]] = []
        declared = declared_parents(table)
        for parent in parents:
            name = self._work.live_name(parent.name)
            by_key = [
                _Holder(
                    d.columns,
                    sure=True,
                    key=() if d.parent_columns == self._work.live_key(parent) else d.parent_columns,
                )
                for d in declared
                if d.name == name
            ]
            by_key.sort(key=lambda o: (bool(o.key), o.columns != parent.columns))
            by_name = [_Holder(parent.columns)] if _has(table, parent.columns) else []
            by_kind = [_Holder((k.column,), k) for k in kinds] if len(parent.columns) == 1 else []
            if not by_name and len(parent.columns) == 1:
                by_name = [
                    _Holder((c.name,))
                    for c in table.columns
                    if likeness(c.name, parent.name.table) >= 2
                ]
            options.append(
                by_key or [*by_name[:1], *by_kind] or (self._by_value(table, parent) if new else [])
            )
        if not all(options):
            return []
        found = []
        for choice in itertools.product(*options):
            columns = [h.columns for h in choice]
            if len(set(columns)) == len(columns):
                found.append(_Mapping(tuple(choice)))
        # Two ends at one parent can be held either way round; the names as they were come first.
        either_way = len({p.name for p in parents}) < len(parents)
        told = all(len(o) == 1 or o[0].sure for o in options)
        return found[: 2 if either_way else 1] if told else found

    def _by_value(self, table: Table, parent: Parent) -> list[_Holder]:
        """Columns whose names say nothing, where the parent's keys are unmistakable."""
        field = self.field(parent.columns[0])
        there = self._table.column(parent.columns[0])
        if len(parent.columns) != 1 or there is None or not self._distinct(field):
            return []
        kind = family(there.type, self._work.backup.catalog)
        columns = [
            c.name
            for c in table.columns
            if not c.generated and family(c.type, self._work.live.catalog) == kind
        ]
        return [_Holder((c,)) for c in columns] if len(columns) <= _MOST_COLUMNS else []

    def _match_rows(
        self, table: Table, parents: Sequence[Parent], mapping: _Mapping, *, loose: bool
    ) -> _Found | None:
        work = self._work
        columns = tuple(
            dict.fromkeys(
                c
                for h in mapping.holders
                for c in (*h.columns, *((h.kind.kind,) if h.kind else ()))
            )
        )
        if any((c := table.column(name)) is None or c.generated for name in columns):
            return None
        kept = work.kept("live", table.name)
        fields = work.fields("live", table.name, columns) if kept else None
        result = work.result(table.name)
        if kept and fields and result and set(columns) <= set(result.columns):
            rows = f"(SELECT {', '.join(f'{f} AS c{i}' for i, f in enumerate(fields))} FROM {kept})"
        else:
            rows = work.read("live", table.name, columns)
        on, holders = [], {}
        for number, (parent, holder) in enumerate(zip(parents, mapping.holders, strict=True)):
            ours, meant = self._fields(parent.columns), self._of_kind(holder, parent, columns, rows)
            if ours is None or meant is None:
                return None
            theirs = [f"t.c{columns.index(c)}" for c in holder.columns]
            if holder.key:
                keys_of = work.two_keys(parent, holder.key)
                if keys_of is None:
                    return None
                known = same(
                    [f"p{number}.c{i + len(parent.parent_columns)}" for i in range(len(theirs))],
                    theirs,
                )
                heads = [f"p{number}_k{i}" for i in range(len(parent.parent_columns))]
                named = ", ".join(f"p{number}.c{i} AS {head}" for i, head in enumerate(heads))
                rows = f"(SELECT t.*, {named} FROM {rows} t JOIN {keys_of} p{number} ON {known})"
                theirs = [f"t.{head}" for head in heads]
            on.append(f"{same([f'm.{f}' for f in ours], theirs)} AND {meant}")
            holders[parent] = (theirs, meant)
        when = " AND ".join(_when(self, p) for p in parents)
        matches = work.temp(
            f"SELECT m.pair, 0 AS spot FROM {self._missing} m SEMI JOIN {rows} t ON {' AND '.join(on)} WHERE {when}"
        )
        hits, missing, total = work.one(
            f"SELECT (SELECT count(*) FROM {matches}), (SELECT count(*) FROM {self._missing}), (SELECT count(*) FROM {rows})"
        )
        if not hits or (loose and hits < _PRECISE * missing and hits < _PRECISE * total):
            work.drop(matches)
            return None
        links = " AND ".join(meant for _, meant in holders.values())
        keys = {
            parent: work.temp(
                f"SELECT DISTINCT {', '.join(f'{f} AS k{i}' for i, f in enumerate(theirs))} FROM {rows} t WHERE {links}"
            )
            for parent, (theirs, _) in holders.items()
        }
        return _Found(table.name, None, matches, keys, False, tuple(c.name for c in table.columns))

    def _of_kind(
        self, holder: _Holder, parent: Parent, columns: Sequence[str], rows: str
    ) -> str | None:
        """The condition under which a row `t` of another table means a parent's row; None where none does."""
        if holder.kind is None:
            return "true"
        name = self._work.live_name(parent.name)
        field = f"c{columns.index(holder.kind.kind)}"
        values = [
            v
            for (v,) in self._work.ask(
                f"SELECT DISTINCT {field} FROM {rows} WHERE {field} IS NOT NULL ORDER BY 1 LIMIT {_LABELS}"
            )
        ]
        leads = leads_of(self._work, "live", holder.kind, values)
        meant = [literal(v) for v in values if name and called(leads[v], name)]
        return f"t.{field} IN ({', '.join(meant)})" if meant else None

    # --- what was found ---------------------------------------------------------------------------------

    def _add(self, found: _Found) -> None:
        (count,) = self._work.one(f"SELECT count(*) FROM {found.matches}")
        if count:
            self._found.append(found)
        else:
            self._work.drop(found.matches, *found.holders.values())

    def _settle(self) -> tuple[list[Place], str | None]:
        work = self._work
        if not self._found:
            return [], None
        counts = {
            f.matches: int(work.one(f"SELECT count(*) FROM {f.matches}")[0]) for f in self._found
        }
        self._found.sort(key=lambda f: (-counts[f.matches], f.name, f.column or ""))
        union = " UNION ALL ".join(
            f"SELECT pair, {n} AS place FROM {f.matches}" for n, f in enumerate(self._found)
        )
        moved = work.temp(f"SELECT pair, min(place) AS place FROM ({union}) GROUP BY pair")
        rows = dict(work.ask(f"SELECT place, count(*) FROM {moved} GROUP BY place"))
        places = [
            Place(
                f.name, f.column, rows.get(n, 0), counts[f.matches], self._order(f), self._lost(f)
            )
            for n, f in enumerate(self._found)
        ]
        return places, moved

    def _order_column(self) -> Column | None:
        linking = self._junction.link_columns
        return next((c for c in self._table.columns if is_order(c) and c.name not in linking), None)

    def _order(self, found: _Found) -> str | None:
        """Whether the order of a holder's links stands in the order of the elements of its value."""
        column = self._order_column()
        field = self._work.field("backup", self._junction.name, column.name) if column else None
        if column is None or field is None:
            return None
        if found.column is None:
            return "kept" if column.name in found.has else "lost"
        if not found.ordered:
            return "lost"
        (holder,) = found.holders
        keys = self._fields(holder.columns) or []
        (pairs, wrong) = self._work.one(
            f"SELECT count(*), count(*) FILTER (spot < earlier) FROM (SELECT x.spot, lag(x.spot) OVER (PARTITION BY {listed(keys, 'm.')} "
            f"ORDER BY TRY_CAST(m.{field} AS HUGEINT), x.spot) AS earlier FROM {found.matches} x JOIN {self._missing} m ON m.pair = x.pair) "
            "WHERE earlier IS NOT NULL"
        )
        return "kept" if not wrong else "partly kept" if wrong < pairs / 2 else "lost"

    def _lost(self, found: _Found) -> tuple[str, ...]:
        """The columns that the place has nothing for: surrogate key and links apart."""
        key = self._table.primary_key
        skip = {*self._junction.link_columns, *(key.columns if key else ())}
        ordered = self._order_column()
        return tuple(
            c.name
            for c in self._table.columns
            if c.name not in skip
            and not c.generated
            and c.name not in found.has
            and not (found.ordered and c == ordered)
        )

    def _fields(self, columns: Sequence[str]) -> list[str] | None:
        return self._work.fields("backup", self._junction.name, columns)

    def field(self, column: str) -> str:
        """The field of a missing row that holds a column."""
        found = self._work.field("backup", self._junction.name, column)
        return found or "NULL"


def _when(search: Search, parent: Parent) -> str:
    """The condition under which a missing row `m` means a parent."""
    return (
        f"m.{search.field(parent.when[0])} = {literal(parent.when[1])}" if parent.when else "true"
    )


def _has(table: Table, columns: Sequence[str]) -> bool:
    return all(table.column(c) is not None for c in columns)


def _array(keys: str, rows: str) -> str:
    """Elements of arrays' text, nested ones in order; quotes and escapes taken off."""
    pattern = r'"(?:[^"\\]|\\.)*"|[^{},"]+'
    bare = r"regexp_replace(e[2:-2], '\\(.)', '\1', 'g')"
    return (
        f"SELECT {keys}, CASE WHEN e[1] = '\"' THEN {bare} ELSE e END AS token, '$' AS label, '$' AS within, spot FROM "
        f"(SELECT {keys}, unnest(parts) AS e, unnest(range(len(parts))) AS spot FROM "
        f"(SELECT {keys}, regexp_extract_all(v, {literal(pattern)}) AS parts FROM {rows})) WHERE e <> 'NULL'"
    )


def _json(keys: str, rows: str) -> str:
    """Leaves of JSON, and the keys of its objects (label ends in `.*`), in the document's order."""
    tree = f"(SELECT {keys}, r.* FROM (SELECT * FROM {rows} WHERE json_valid(v)) s, json_tree(s.v::JSON) r)"
    path = r"regexp_replace({0}, '\[[0-9]+\]', '', 'g')"
    return (
        f"SELECT {keys}, atom ->> '$' AS token, {path.format('fullkey')} AS label, path AS within, id AS spot "
        f"FROM {tree} WHERE type NOT IN ('OBJECT', 'ARRAY', 'NULL', 'BOOLEAN') "
        f"UNION ALL SELECT {keys}, key AS token, {path.format('path')} || '.*' AS label, path AS within, id AS spot "
        f"FROM {tree} WHERE key IS NOT NULL AND NOT ends_with(fullkey, ']')"
    )
