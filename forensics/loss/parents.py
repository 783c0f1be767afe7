"""Who lost links: for every parent row what it had, has, lost and can get back."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from forensics.loss.junctions import Junction
from forensics.loss.links import LOST, Fate, condition, missing_rows
from forensics.loss.names import family
from forensics.loss.workspace import SideName, Workspace, listed, literal, same
from forensics.model import Catalog, Parent, Table, TableName

_LABELS = (
    "name",
    "title",
    "display_name",
    "displayname",
    "full_name",
    "fullname",
    "label",
    "headline",
    "subject",
    "slug",
    "username",
    "email",
    "code",
    "sku",
    "handle",
    "login",
    "url",
)
_LABEL_LENGTH = 80


@dataclass(frozen=True)
class Spread:
    """What a junction table's loss means for the rows of one parent table.

    Attributes:
        name: the parent table; key: its columns that links refer to; label: the column that people know its rows by.
        relation: the case's table with one row a parent row: k0, …, label, gone, had, has, missing, moved, superseded,
            restorable, blocked, conflicting, elsewhere.
        rows: parent rows in live, None where that is not known.
        affected: live parent rows that lost a link. emptied: those of them that now hold none. gone: parent rows that
            are gone from live themselves.
    """

    name: TableName
    key: tuple[str, ...]
    label: str | None
    relation: str
    rows: int | None
    affected: int
    emptied: int
    gone: int


def spread(work: Workspace, junction: Junction, fate: Fate) -> list[Spread]:
    """Work out each parent table's rows, into `loss.parents_N_I`.

    Raises:
        EvidenceError: live cannot be read.
    """
    found = []
    for index, name in enumerate(dict.fromkeys(p.name for p in junction.parents)):
        roles = [p for p in junction.parents if p.name == name]
        roles = [p for p in roles if p.parent_columns == roles[0].parent_columns]
        found.append(
            _Rows(work, junction, fate, roles).run(
                f"loss.parents_{work.number(junction.name)}_{index}"
            )
        )
    return found


def dangling(work: Workspace, junction: Junction) -> dict[TableName, int]:
    """Return, by parent table, how many of live's rows name a row of it that is not there, where no foreign key forbids that.

    Raises:
        EvidenceError: live cannot be read.
    """
    found: dict[TableName, int] = {}
    live = work.table("live", junction.name)
    for parent in junction.parents:
        name = work.live_name(parent.name)
        table = work.table("live", name) if name else None
        if (
            parent.declared
            or live is None
            or table is None
            or name is None
            or not _stores(live, _columns(parent))
        ):
            continue
        if (
            not _stores(table, parent.parent_columns)
            or not work.holds("live", name)
            or not work.holds("live", junction.name)
        ):
            continue
        rows, keys = (
            work.read("live", junction.name, _columns(parent)),
            work.read("live", name, parent.parent_columns),
        )
        first = 1 if parent.when else 0
        fields = [f"r.c{first + i}" for i in range(len(parent.columns))]
        whole = " AND ".join(f"{f} IS NOT NULL" for f in fields) + (
            f" AND r.c0 = {literal(parent.when[1])}" if parent.when else ""
        )
        on = same(fields, [f"k.c{i}" for i in range(len(fields))])
        (count,) = work.one(
            f"SELECT count(*) FROM {rows} r ANTI JOIN {keys} k ON {on} WHERE {whole}"
        )
        if count:
            found[parent.name] = found.get(parent.name, 0) + count
    return found


class _Rows:
    def __init__(
        self, work: Workspace, junction: Junction, fate: Fate, roles: Sequence[Parent]
    ) -> None:
        self._work, self._junction, self._fate, self._roles = work, junction, fate, roles
        self._width = len(roles[0].parent_columns)
        self._keys = [f"k{i}" for i in range(self._width)]

    def run(self, relation: str) -> Spread:
        work, parent = self._work, self._roles[0]
        result = work.result(work.live_name(parent.name) or parent.name)
        rows = result.live_rows if result else None
        label = self._label_column()
        shown = label[1] if label else None
        missing = missing_rows(work, self._junction)
        if missing is None or not self._fate.missing:
            counts = ", ".join(f"0::BIGINT AS {c}" for c in _COUNTS)
            keys = ", ".join(f"''::VARCHAR AS {k}" for k in self._keys)
            work.run(
                f"CREATE OR REPLACE TABLE {relation} AS SELECT {keys}, ''::VARCHAR AS label, false AS gone, {counts}, "
                "false AS elsewhere WHERE false"
            )
            return Spread(parent.name, parent.parent_columns, shown, relation, rows, 0, 0, 0)
        agg = self._aggregate(missing)
        counted = ", ".join(f"a.{c}" for c in ("missing", "moved", "superseded", *LOST))
        work.run(
            f"""
            CREATE OR REPLACE TABLE {relation} AS
            SELECT {listed(self._keys, "a.")}, left(t.label, {_LABEL_LENGTH}) AS label, {self._gone()} AS gone,
                   {self._had()} AS had, {self._has()} AS has, {counted}, {self._elsewhere()} AS elsewhere
              FROM {agg} a LEFT JOIN {self._labels(agg, label)} t ON {self._on("t")} {self._joins(agg)}
             ORDER BY {listed(self._keys, "a.")}
            """
        )
        lost = " + ".join(LOST)
        affected, emptied, gone = work.one(
            f"SELECT count(*) FILTER (NOT gone AND {lost} > 0), count(*) FILTER (NOT gone AND {lost} > 0 AND has = 0 "
            f"AND moved + superseded = 0 AND NOT elsewhere), count(*) FILTER (gone) FROM {relation}"
        )
        work.drop(agg)
        return Spread(
            parent.name, parent.parent_columns, shown, relation, rows, affected, emptied, gone
        )

    def _on(self, other: str) -> str:
        return same([f"a.{k}" for k in self._keys], [f"{other}.{k}" for k in self._keys])

    def _aggregate(self, missing: str) -> str:
        """Missing links of each parent row, by class. A link between a row and itself counts once for it."""
        work = self._work
        links = f"loss.links_{work.number(self._junction.name)}"
        classes = ", ".join(
            f"count(*) FILTER (class = '{c}') AS {c}" for c in ("moved", "superseded", *LOST)
        )
        found = self._roles_of(
            f"(SELECT m.*, l.class FROM {missing} m JOIN {links} l ON l.pair = m.pair)",
            "backup",
            "class",
        )
        return work.temp(
            f"SELECT {listed(self._keys)}, count(*) AS missing, {classes} FROM ({found}) GROUP BY {listed(self._keys)}"
        )

    def _roles_of(self, relation: str, side: SideName, extra: str | None = None) -> str:
        """A query for (k0, …, extra), one row for each parent row that a row of `relation` names."""
        fields = [self._work.fields(side, self._junction.name, p.columns) for p in self._roles]
        return self._union(
            relation,
            [
                (f, condition(self._work, self._junction.name, p))
                for f, p in zip(fields, self._roles, strict=True)
                if f
            ],
            extra,
        )

    def _union(
        self, relation: str, roles: Sequence[tuple[Sequence[str], str]], extra: str | None
    ) -> str:
        parts = []
        for n, (fields, when) in enumerate(roles):
            heads = ", ".join(f"m.{f} AS k{i}" for i, f in enumerate(fields))
            earlier = "".join(
                f" AND NOT coalesce(({other}) AND {same([f'm.{f}' for f in fields], [f'm.{f}' for f in before])}, false)"
                for before, other in roles[:n]
            )
            whole = " AND ".join(f"m.{f} IS NOT NULL" for f in fields)
            parts.append(
                f"SELECT {heads}{f', m.{extra}' if extra else ''} FROM {relation} m WHERE {whole} AND {when}{earlier}"
            )
        return " UNION ALL ".join(parts)

    # --- had and has ---------------------------------------------------------------------------------------

    @property
    def _survives(self) -> bool:
        live = self._work.table("live", self._junction.name)
        return live is not None and all(_stores(live, _columns(p)) for p in self._roles)

    def _readable_roles(self) -> list[Parent]:
        """Every parent whose columns live still has: one reading of live serves them all."""
        live = self._work.table("live", self._junction.name)
        return [
            p for p in self._junction.parents if live is not None and _stores(live, _columns(p))
        ]

    def _had(self) -> str:
        return (
            "coalesce(n.n, 0) - coalesce(nl.n, 0) + coalesce(nb.n, 0)"
            if self._survives
            else "a.missing"
        )

    def _has(self) -> str:
        return "coalesce(n.n, 0)" if self._survives else "0::BIGINT"

    def _joins(self, agg: str) -> str:
        joins = ""
        work, name = self._work, self._junction.name
        if self._survives:
            # What it had is what it has, less what differs in live, and what differs in the backup.
            columns = tuple(dict.fromkeys(c for p in self._readable_roles() for c in _columns(p)))
            live = self._by_old_keys(
                work.read("live", name, columns),
                dict(zip(columns, (f"c{i}" for i in range(len(columns))), strict=True)),
            )
            roles = [
                (
                    [f"c{columns.index(c)}" for c in p.columns],
                    f"m.c{columns.index(p.when[0])} = {literal(p.when[1])}" if p.when else "true",
                )
                for p in self._roles
            ]
            sources = {
                "n": self._union(live, roles, None),
                "nl": self._roles_of(
                    self._by_old_keys(
                        str(work.kept("live", name)),
                        {c: f for c in columns if (f := work.field("live", name, c))},
                    ),
                    "live",
                ),
                "nb": self._roles_of(str(work.kept("backup", name)), "backup"),
            }
            for alias, query in sources.items():
                counted = work.temp(
                    f"SELECT {listed(self._keys)}, count(*) AS n FROM ({query}) q SEMI JOIN {agg} a USING ({listed(self._keys)}) "
                    f"GROUP BY {listed(self._keys)}"
                )
                joins += f" LEFT JOIN {counted} {alias} ON {self._on(alias)}"
        gone = [t for p in self._roles if (t := self._fate.gone.get(p)) not in (None, "all")]
        for n, table in enumerate(dict.fromkeys(gone)):
            joins += f" LEFT JOIN (SELECT DISTINCT * FROM {table}) g{n} ON {self._on(f'g{n}')}"
        holders = [t for p in self._roles for t in self._fate.holders.get(p, ())]
        if holders:
            union = " UNION ".join(f"SELECT * FROM {t}" for t in holders)
            joins += f" LEFT JOIN ({union}) h ON {self._on('h')}"
        return joins

    def _by_old_keys(self, relation: str, fields: Mapping[str, str]) -> str:
        """Rows of live's junction table, which name parents that got other keys since by those that they had."""
        live = self._work.table("live", self._junction.name)
        for number, role in enumerate(self._roles):
            (column, *more) = role.columns
            key = (
                next((f.parent_columns for f in live.foreign_keys if f.columns == role.columns), ())
                if live
                else ()
            )
            if (
                role not in self._work.rekeyed
                or more
                or len(key) != 1
                or key == self._work.live_key(role)
                or column not in fields
            ):
                continue
            if rows := self._work.two_keys(role, key):
                field = fields[column]
                relation = f"(SELECT t{number}.* REPLACE (p.c0 AS {field}) FROM {relation} t{number} LEFT JOIN {rows} p ON p.c1 = t{number}.{field})"
        return relation

    def _gone(self) -> str:
        known = [self._fate.gone.get(p) for p in self._roles]
        if "all" in known:
            return "true"
        tables = dict.fromkeys(t for t in known if t is not None)
        return " OR ".join(f"g{n}.k0 IS NOT NULL" for n in range(len(tables))) or "false"

    def _elsewhere(self) -> str:
        return (
            "h.k0 IS NOT NULL" if any(self._fate.holders.get(p) for p in self._roles) else "false"
        )

    # --- labels ----------------------------------------------------------------------------------------------

    def _label_column(self) -> tuple[SideName, str] | None:
        work, name = self._work, self._roles[0].name
        for side in ("live", "backup"):
            table = work.table(side, work.live_name(name) or name if side == "live" else name)
            column = label_of(table, work.catalog(side)) if table else None
            if column and column not in self._roles[0].parent_columns:
                return side, column
        return None

    def _labels(self, agg: str, label: tuple[SideName, str] | None) -> str:
        """A relation (k0, …, label) of the parents that lost links; those that are gone have theirs from the backup."""
        work, parent = self._work, self._roles[0]
        empty = f"(SELECT {', '.join(f'NULL::VARCHAR AS {k}' for k in self._keys)}, NULL::VARCHAR AS label WHERE false)"
        if label is None:
            return empty
        parts = []
        on = same([f"r.c{i}" for i in range(self._width)], [f"a.{k}" for k in self._keys])
        name = work.live_name(parent.name)
        if (
            label[0] == "live"
            and name
            and work.holds("live", name)
            and parent.parent_columns
            and self._readable(name)
        ):
            kept = work.stream(
                "live",
                name,
                (*work.live_key(parent), label[1]),
                f"SELECT r.* FROM {{rows}} r SEMI JOIN {agg} a ON {on}",
            )
            heads = ", ".join(f"c{i} AS k{i}" for i in range(self._width))
            parts.append(f"SELECT {heads}, c{self._width} AS label, 0 AS rank FROM {kept}")
        rows, fields = (
            work.kept("backup", parent.name),
            work.fields("backup", parent.name, (*parent.parent_columns, label[1])),
        )
        if rows and fields:
            heads = ", ".join(f"{f} AS k{i}" for i, f in enumerate(fields[:-1]))
            parts.append(f"SELECT {heads}, {fields[-1]} AS label, 1 AS rank FROM {rows}")
        if not parts:
            return empty
        keys = listed(self._keys)
        return f"(SELECT {keys}, arg_min(label, rank) AS label FROM ({' UNION ALL '.join(parts)}) GROUP BY {keys})"

    def _readable(self, name: TableName) -> bool:
        live = self._work.table("live", name)
        return live is not None and _stores(live, self._work.live_key(self._roles[0]))


def _columns(parent: Parent) -> tuple[str, ...]:
    return (*((parent.when[0],) if parent.when else ()), *parent.columns)


def _stores(table: Table, columns: Sequence[str]) -> bool:
    """Whether a table stores these columns, so that they can be copied out."""
    return all((c := table.column(name)) is not None and not c.generated for name in columns)


_COUNTS = ("had", "has", "missing", "moved", "superseded", *LOST)


def label_of(table: Table, catalog: Catalog) -> str | None:
    """The column by which people know a table's rows, or None."""
    texts = [c for c in table.columns if family(c.type, catalog) == "text" and not c.generated]
    plain = {re.sub(r"[^a-z]", "", c.name.lower()): c.name for c in reversed(texts)}
    for wanted in _LABELS:
        if found := plain.get(wanted.replace("_", "")):
            return found
    ending = [c.name for c in texts if re.search(r"(name|title|label)$", c.name, re.I)]
    return ending[0] if ending else None
