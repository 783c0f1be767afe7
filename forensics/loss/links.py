"""What became of each missing link: one class for every missing row of a junction table.

superseded, moved: live holds the link, in the same table in another row, or elsewhere; it is not lost. Of what is
lost, blocked rows name a parent that is gone from live, conflicting rows collide with a key or constraint of live, and
the rest is restorable. All of it is joins over the rows that differ; of live only parents' keys, keys that live made
unique since the backup, and the columns where a link may have gone are read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from forensics.loss.junctions import Junction, declared_parents, payload_of
from forensics.loss.places import Place, Search
from forensics.loss.workspace import Workspace, listed, literal, same
from forensics.model import Key, Parent, Table, TableName

CLASSES = ("moved", "superseded", "restorable", "blocked", "conflicting")
LOST = ("restorable", "blocked", "conflicting")


@dataclass
class Fate:
    """What became of the missing links of a junction table.

    Attributes:
        junction: the table.
        counts: missing rows by class.
        places: where moved links are.
        blocked_by: missing rows by the parent table that is gone from live for them; one row may count twice.
        conflicts: missing rows by the key or constraint of live that they collide with.
        gone: by parent, how its gone keys are known: a working table (k0, …), "all", or None where none is gone.
        notes: what could not be looked at, in words.
    """

    junction: Junction
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(CLASSES, 0))
    places: list[Place] = field(default_factory=list)
    blocked_by: dict[str, int] = field(default_factory=dict)
    conflicts: dict[str, int] = field(default_factory=dict)
    gone: dict[Parent, str | None] = field(default_factory=dict)
    holders: dict[Parent, list[str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def missing(self) -> int:
        """All missing rows."""
        return sum(self.counts.values())

    @property
    def lost(self) -> int:
        """Missing rows that live holds nowhere."""
        return sum(self.counts[c] for c in LOST)


def missing_rows(work: Workspace, junction: Junction) -> str | None:
    """The relation of a junction table's missing rows, or None where it was not compared."""
    kept = work.kept("backup", junction.name)
    return f"(SELECT * FROM {kept} WHERE state = 'missing')" if kept else None


def classify(work: Workspace, junction: Junction) -> Fate:
    """Give each missing row of a junction table its class, into `loss.links_N`.

    Raises:
        EvidenceError: live cannot be read.
    """
    fate = Fate(junction)
    missing = missing_rows(work, junction)
    number = work.number(junction.name)
    result = work.result(junction.name)
    target = f"loss.links_{number}"
    if missing is None or result is None or not result.missing:
        work.run(f"CREATE OR REPLACE TABLE {target} ({_LAYOUT})")
        return fate
    search = Search(work, junction, missing)
    fate.places, moved = search.run()
    fate.notes += search.notes
    fate.holders = {p: search.holders(p) for p in junction.parents}
    superseded = _superseded(work, junction, missing)
    if search.again:
        # The same link in the same table, in which its ends have other keys by now.
        known = f" UNION ALL SELECT * FROM {superseded}" if superseded else ""
        pairs = " UNION ".join(f"SELECT pair FROM {t}" for t in search.again)
        superseded = work.temp(
            f"SELECT pair, min(live_pair) AS live_pair FROM (SELECT pair, NULL::BIGINT AS live_pair FROM ({pairs}){known}) GROUP BY pair"
        )
    joins, blocked = _blocked(work, junction, missing, fate)
    collisions = _Conflicts(work, junction, missing)
    conflicts = collisions.run()
    if superseded:
        joins += f" LEFT JOIN {superseded} s ON s.pair = m.pair"
    if moved:
        joins += f" LEFT JOIN {moved} v ON v.pair = m.pair"
    if conflicts:
        joins += f" LEFT JOIN {conflicts} x ON x.pair = m.pair"
    again, live_pair = ("s.pair IS NOT NULL", "s.live_pair") if superseded else ("false", "NULL")
    place = "v.place" if moved else "NULL"
    with_key, with_pair = ("x.violates", "x.live_pair") if conflicts else ("NULL", "NULL")
    work.run(
        f"""
        CREATE OR REPLACE TABLE {target} AS
        SELECT pair,
               CASE WHEN again THEN 'superseded' WHEN place IS NOT NULL THEN 'moved'
                    WHEN len(blocked_by) > 0 THEN 'blocked' WHEN violates IS NOT NULL THEN 'conflicting'
                    ELSE 'restorable' END AS class,
               CASE WHEN NOT again AND place IS NULL THEN blocked_by ELSE [] END AS blocked_by,
               CASE WHEN NOT again AND place IS NULL AND len(blocked_by) = 0 THEN violates END AS violates,
               CASE WHEN NOT again AND place IS NULL AND len(blocked_by) = 0 THEN violates_pair END AS violates_pair,
               superseded_by, CASE WHEN NOT again THEN place END AS place
          FROM (SELECT m.pair, {again} AS again, {blocked}::VARCHAR[] AS blocked_by, {with_key}::VARCHAR AS violates,
                       {with_pair}::BIGINT AS violates_pair, {live_pair}::BIGINT AS superseded_by, {place}::INTEGER AS place
                  FROM {missing} m {joins})
        """
    )
    for key, fields in collisions.new_keys:
        _thin_out(work, target, missing, key, fields)
    fate.counts |= dict(work.ask(f"SELECT class, count(*) FROM {target} GROUP BY class"))
    fate.blocked_by = dict(
        work.ask(
            f"SELECT p, count(*) FROM (SELECT unnest(blocked_by) AS p FROM {target} WHERE class = 'blocked') GROUP BY p ORDER BY p"
        )
    )
    fate.conflicts = dict(
        work.ask(
            f"SELECT violates, count(*) FROM {target} WHERE class = 'conflicting' GROUP BY violates ORDER BY violates"
        )
    )
    return fate


_LAYOUT = "pair BIGINT, class VARCHAR, blocked_by VARCHAR[], violates VARCHAR, violates_pair BIGINT, superseded_by BIGINT, place INTEGER"


def _superseded(work: Workspace, junction: Junction, missing: str) -> str | None:
    """Return a working table (pair, live_pair) of the missing links that live holds in the same table, or None.

    Missing links are paired with added rows of the same link, one with one. What is left over is superseded where any row
    of live says the same, payload and all: the row that a clean-up of duplicates kept, for one. `live_pair` is NULL there.
    """
    result = work.result(junction.name)
    live, table = work.kept("live", junction.name), work.table("live", junction.name)
    columns = junction.link_columns
    if live is None or table is None or result is None or not set(columns) <= set(result.columns):
        return None
    ours, theirs = (
        work.fields("backup", junction.name, columns) or [],
        work.fields("live", junction.name, columns) or [],
    )
    rank = "row_number() OVER (PARTITION BY {0} ORDER BY pair) AS r"
    found = work.temp(
        f"SELECT b.pair, l.pair AS live_pair FROM "
        f"(SELECT pair, {listed(ours)}, {rank.format(listed(ours))} FROM {missing}) b JOIN "
        f"(SELECT pair, {listed(theirs)}, {rank.format(listed(theirs))} FROM {live} WHERE state = 'added') l "
        f"ON b.r = l.r AND {same([f'b.{f}' for f in ours], [f'l.{f}' for f in theirs])}"
    )
    if (result.missing or 0) > work.one(f"SELECT count(*) FROM {found}")[0]:
        _said_again(work, junction, missing, found)
    return found


def _said_again(work: Workspace, junction: Junction, missing: str, found: str) -> None:
    """Put into `found` the missing links that other rows of live hold, which the backup had too."""
    backup, live = (
        work.backup.catalog.tables[junction.name],
        work.live.catalog.tables[junction.name],
    )
    result = work.results[junction.name]
    stored = {c.name for c in live.columns if not c.generated} & set(result.columns)
    said = (*junction.link_columns, *(c for c in payload_of(backup, junction) if c in stored))
    ours, theirs = (
        work.fields("backup", junction.name, said) or [],
        work.fields("live", junction.name, said) or [],
    )
    if any(set(k.columns) <= set(junction.link_columns) for k in backup.keys):
        # The backup had each link once: another row says it only since it was changed.
        rows = f"(SELECT {', '.join(f'{f} AS c{n}' for n, f in enumerate(theirs))} FROM {work.kept('live', junction.name)} WHERE state = 'changed')"
    elif result.unchanged or result.changed:
        rows = work.read("live", junction.name, said)
    else:
        return
    width = len(junction.link_columns)
    on = " AND ".join(
        f"m.{f} {'=' if n < width else 'IS NOT DISTINCT FROM'} l.c{n}" for n, f in enumerate(ours)
    )
    work.run(
        f"INSERT INTO {found} SELECT m.pair, NULL FROM {missing} m SEMI JOIN {rows} l ON {on} WHERE m.pair NOT IN (SELECT pair FROM {found})"
    )


# --- blocked ----------------------------------------------------------------------------------------------


def _blocked(work: Workspace, junction: Junction, missing: str, fate: Fate) -> tuple[str, str]:
    """Return the joins, and the list of parent tables that are gone from live for a missing row `m`."""
    joins, hits = "", []
    for number, parent in enumerate((*junction.parents, *_new_parents(work, junction))):
        fields = work.fields("backup", junction.name, parent.columns)
        if fields is None:
            continue
        fate.gone[parent] = gone = gone_keys(work, junction.name, parent, missing, fate.notes)
        if gone is None:
            continue
        when = condition(work, junction.name, parent)
        whole = " AND ".join(f"m.{f} IS NOT NULL" for f in fields)
        if gone != "all":
            heads = [f"g{number}.k{i}" for i in range(len(fields))]
            joins += f" LEFT JOIN {gone} g{number} ON {same([f'm.{f}' for f in fields], heads)}"
            whole += f" AND {heads[0]} IS NOT NULL"
        hits.append(f"CASE WHEN {whole} AND {when} THEN {literal(str(parent.name))} END")
    if not hits:
        return joins, "[]"
    return joins, f"list_distinct(list_filter([{', '.join(hits)}], p -> p IS NOT NULL))"


def _new_parents(work: Workspace, junction: Junction) -> list[Parent]:
    """Parents that a surviving table refers to since the backup."""
    live = work.table("live", junction.name)
    known = {p.columns for p in junction.parents if p.declared}
    return [p for p in declared_parents(live) if p.columns not in known] if live else []


def condition(work: Workspace, table: TableName, parent: Parent) -> str:
    """The condition under which a row `m` of a table means a parent."""
    if parent.when is None:
        return "true"
    return f"m.{work.field('backup', table, parent.when[0]) or 'NULL'} = {literal(parent.when[1])}"


def gone_keys(
    work: Workspace, table: TableName, parent: Parent, missing: str, notes: list[str]
) -> str | None:
    """Return which keys of a parent are gone from live: a working table (k0, …), "all", or None where none is.

    A declared parent of a table that was compared needs no look at live: its rows that differ lie in the case.
    """
    name = work.live_name(parent.name)
    live = work.table("live", name) if name else None
    key = work.live_key(parent)
    if name is None or live is None or any(live.column(c) is None for c in key):
        return "all"
    result = work.result(parent.name)
    if (
        parent.declared
        and name == parent.name
        and key == parent.parent_columns
        and result
        and result.state == "compared"
        and set(parent.parent_columns) <= set(result.columns)
    ):
        if not result.missing and not result.changed:
            return None
        ours, theirs = (
            work.fields(s, parent.name, parent.parent_columns) or [] for s in ("backup", "live")
        )
        heads = ", ".join(f"{f} AS k{i}" for i, f in enumerate(ours))
        whole = " AND ".join(f"{f} IS NOT NULL" for f in ours)
        return work.temp(
            f"SELECT {heads} FROM {work.kept('backup', parent.name)} WHERE {whole} "
            f"EXCEPT SELECT {listed(theirs)} FROM {work.kept('live', parent.name)}"
        )
    if not work.holds("live", name) or any(
        (c := live.column(p)) is not None and c.generated for p in key
    ):
        notes.append(
            f"live holds no rows of {name} to look at: links to it are taken for unblocked"
        )
        return None
    fields = work.fields("backup", table, parent.columns) or []
    keys = work.read("live", name, key)
    heads = ", ".join(f"m.{f} AS k{i}" for i, f in enumerate(fields))
    whole = " AND ".join(f"m.{f} IS NOT NULL" for f in fields)
    on = same([f"m.{f}" for f in fields], [f"k.c{i}" for i in range(len(fields))])
    return work.temp(
        f"SELECT DISTINCT {heads} FROM {missing} m ANTI JOIN {keys} k ON {on} WHERE {whole} AND {condition(work, table, parent)}"
    )


# --- conflicting ---------------------------------------------------------------------------------------------


class _Conflicts:
    """Finds the missing rows that live would refuse: by a unique key, by NOT NULL, by a label that an enum lost."""

    def __init__(self, work: Workspace, junction: Junction, missing: str) -> None:
        self._work, self._junction, self._missing = work, junction, missing
        self._found: list[str] = []
        self.new_keys: list[tuple[Key, list[str]]] = []

    def run(self) -> str | None:
        """Return a working table (pair, violates, live_pair), one row a missing row, or None where nothing collides."""
        live = self._work.live.catalog.tables.get(self._junction.name)
        backup = self._work.backup.catalog.tables[self._junction.name]
        if live is None:
            return None
        if self._work.table("live", self._junction.name) is None:
            self._everything(f"{live.kind} {live.name} of the same name")
        else:
            for key in live.keys:
                self._key(backup, live, key)
            self._columns(backup, live)
            self._other_keys(live)
        if not self._found:
            return None
        return self._work.temp(
            f"SELECT pair, min(violates) AS violates, arg_min(live_pair, violates) AS live_pair "
            f"FROM ({' UNION ALL '.join(f'SELECT * FROM {t}' for t in self._found)}) GROUP BY pair"
        )

    def _keep(self, select: str) -> None:
        self._found.append(self._work.temp(select))

    def _other_keys(self, live: Table) -> None:
        """Rows that name a parent by a key that it had, where live's foreign key asks for the one that it has."""
        for parent in (p for p in self._junction.parents if p in self._work.rekeyed):
            fields = self._work.fields("backup", self._junction.name, parent.columns) or []
            for key in (
                f
                for f in live.foreign_keys
                if f.columns == parent.columns and f.parent_columns != self._work.live_key(parent)
            ):
                whole = " AND ".join(f"m.{f} IS NOT NULL" for f in fields)
                self._keep(
                    f"SELECT m.pair, {literal(key.name)} AS violates, NULL::BIGINT AS live_pair FROM {self._missing} m WHERE {whole}"
                )

    def _everything(self, violates: str) -> None:
        self._keep(
            f"SELECT m.pair, {literal(violates)} AS violates, NULL::BIGINT AS live_pair FROM {self._missing} m"
        )

    def _key(self, backup: Table, live: Table, key: Key) -> None:
        """Rows whose key another row of live has."""
        work, name = self._work, self._junction.name
        fields = work.fields("backup", name, key.columns)
        if fields is None:
            return  # a column that live added has no value in the backup's rows
        ours = [f"m.{f}" for f in fields]
        whole = " AND ".join(f"{f} IS NOT NULL" for f in ours) if key.nulls_distinct else "true"
        violates = f"{literal(key.name)} AS violates"
        equal = "=" if key.nulls_distinct else "IS NOT DISTINCT FROM"
        result = work.result(name)
        assert result is not None
        kept = work.kept("live", name)
        held = any(
            set(k.columns) == set(key.columns) and k.nulls_distinct == key.nulls_distinct
            for k in backup.keys
        )
        if held and set(key.columns) <= set(result.columns) and kept:
            # Rows that are the same on both sides kept their key, and the backup had it once only.
            theirs = [f"l.{f}" for f in work.fields("live", name, key.columns) or []]
            rows, pair = kept, "min(l.pair)"
        else:
            theirs = [f"l.c{i}" for i in range(len(fields))]
            rows, pair = work.read("live", name, key.columns), "NULL::BIGINT"
        on = " AND ".join(f"{a} {equal} {b}" for a, b in zip(ours, theirs, strict=True))
        self._keep(
            f"SELECT m.pair, {violates}, {pair} AS live_pair FROM {self._missing} m JOIN {rows} l ON {on} WHERE {whole} GROUP BY m.pair"
        )
        if not held:
            self.new_keys.append((key, fields))

    def _columns(self, backup: Table, live: Table) -> None:
        work = self._work
        for column in live.columns:
            ours = work.field("backup", self._junction.name, column.name)
            if ours is None:
                if (
                    not column.nullable
                    and column.default is None
                    and not column.generated
                    and not column.identity
                ):
                    self._everything(f"NOT NULL of {column.name}, which the backup does not have")
                continue
            was = backup.column(column.name)
            if not column.nullable and was is not None and was.nullable:
                self._refuse(f"m.{ours} IS NULL", f"NOT NULL of {column.name}")
            labels = work.live.catalog.enums.get(column.type)
            if labels is not None and labels != work.backup.catalog.enums.get(
                was.type if was else ""
            ):
                self._refuse(
                    f"m.{ours} NOT IN ({', '.join(map(literal, labels)) or 'NULL'})",
                    f"labels of {column.type}",
                )

    def _refuse(self, test: str, violates: str) -> None:
        self._keep(
            f"SELECT m.pair, {literal(violates)} AS violates, NULL::BIGINT AS live_pair FROM {self._missing} m WHERE {test}"
        )


def _thin_out(work: Workspace, target: str, missing: str, key: Key, fields: Sequence[str]) -> None:
    """Of restorable rows that share a key which live alone has, only the first can be inserted."""
    whole = " AND ".join(f"m.{f} IS NOT NULL" for f in fields) if key.nulls_distinct else "true"
    rank = f"row_number() OVER (PARTITION BY {listed(fields, 'm.')} ORDER BY m.pair) AS r"
    work.run(
        f"UPDATE {target} SET class = 'conflicting', violates = {literal(key.name)} WHERE pair IN (SELECT pair FROM "
        f"(SELECT m.pair, {rank} FROM {missing} m JOIN {target} l ON l.pair = m.pair WHERE l.class = 'restorable' AND {whole}) WHERE r > 1)"
    )
