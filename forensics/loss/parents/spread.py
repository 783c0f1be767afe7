"""What a junction table's loss means for the rows of each parent table."""

from __future__ import annotations

from dataclasses import dataclass

from forensics.loss.fates import LOST
from forensics.loss.junctions import Junction
from forensics.loss.links import Fate
from forensics.loss.missing import MissingRows, missing_rows
from forensics.loss.parents.holdings import Holdings
from forensics.loss.parents.labels import Labels
from forensics.loss.parents.roles import Role, Roles
from forensics.loss.sql import listed, literal, renamed
from forensics.loss.workspace import Workspace
from forensics.model import Parent, TableName

_LABEL_LENGTH = 80
_CLASSES = ("moved", "superseded", *LOST)
_LOST = " + ".join(LOST)


@dataclass(frozen=True)
class Spread:
    """What a junction table's loss means for the rows of one parent table.

    Attributes:
        name: the parent table; key: its columns that links refer to; label: the column
            that people know its rows by.
        relation: the case's table with one row a parent row: k0, …, label, gone, had,
            has, missing, moved, superseded, restorable, blocked, conflicting,
            overwritten, elsewhere.
        rows: parent rows in live, None where that is not known.
        affected: live parent rows that lost a link.
        emptied: those of them that now hold none.
        gone: parent rows that are gone from live themselves.
    """

    name: TableName
    key: tuple[str, ...]
    label: str | None
    relation: str
    rows: int | None
    affected: int = 0
    emptied: int = 0
    gone: int = 0


def spread(work: Workspace, junction: Junction, fate: Fate) -> list[Spread]:
    """Work out each parent table's rows, into `loss.parents_N_I`.

    Raises:
        EvidenceError: live cannot be read.
    """
    number = work.number(junction.name)
    found = []
    for index, parents in enumerate(_by_table(junction)):
        roles = Roles(work, junction.name, parents)
        rows = _Rows(roles, junction, fate, f"loss.parents_{number}_{index}")
        found.append(rows.run())
    return found


def _by_table(junction: Junction) -> list[tuple[Parent, ...]]:
    """The parents of a junction table by table; those with the first one's key."""
    found: dict[TableName, list[Parent]] = {}
    for parent in junction.parents:
        alike = found.setdefault(parent.name, [])
        if not alike or alike[0].parent_columns == parent.parent_columns:
            alike.append(parent)
    return [tuple(parents) for parents in found.values()]


class _Rows:
    """Writes the rows of one parent table."""

    def __init__(self, roles: Roles, junction: Junction, fate: Fate, relation: str) -> None:
        self._roles = roles
        self._work = roles.work
        self._junction = junction
        self._fate = fate
        self._relation = relation
        self._labels = Labels(roles)

    def run(self) -> Spread:
        missing = missing_rows(self._work, self._junction.name)
        if missing is None or not (self._fate.missing or self._fate.overwritten):
            self._write_none()
            return self._spread()
        links = self._count_links(missing)
        self._write(links)
        affected, emptied, gone = self._work.one(
            f"""
            SELECT count(*) FILTER (NOT gone AND {_LOST} + overwritten > 0),
                   count(*) FILTER (NOT gone AND {_LOST} + overwritten > 0 AND has = 0
                                    AND moved + superseded = 0 AND NOT elsewhere),
                   count(*) FILTER (gone)
              FROM {self._relation}
            """
        )
        self._work.drop(links)
        return self._spread(affected, emptied, gone)

    def _spread(self, affected: int = 0, emptied: int = 0, gone: int = 0) -> Spread:
        parent = self._roles.parent
        result = self._work.result(self._work.live_name(parent.name) or parent.name)
        return Spread(
            parent.name,
            parent.parent_columns,
            self._labels.column,
            self._relation,
            result.live_rows if result else None,
            affected,
            emptied,
            gone,
        )

    def _write_none(self) -> None:
        keys = renamed(["''::VARCHAR"] * self._roles.width, "k")
        names = ("had", "has", "missing", *_CLASSES, "overwritten")
        counts = ", ".join(f"0::BIGINT AS {name}" for name in names)
        self._work.run(
            f"""
            CREATE OR REPLACE TABLE {self._relation} AS
            SELECT {keys}, ''::VARCHAR AS label, false AS gone, {counts},
                   false AS elsewhere
             WHERE false
            """
        )

    def _write(self, links: str) -> None:
        roles = self._roles
        keys = listed(roles.keys, "a.")
        labels = self._labels.of(links)
        held = Holdings(roles, self._junction, self._fate)
        joins = held.joins(links)
        self._work.run(
            f"""
            CREATE OR REPLACE TABLE {self._relation} AS
            SELECT {keys}, left(t.label, {_LABEL_LENGTH}) AS label,
                   {held.gone} AS gone,
                   {held.had} AS had, {held.has} AS has,
                   {listed(("missing", *_CLASSES, "overwritten"), "a.")},
                   {held.elsewhere} AS elsewhere
              FROM {links} a LEFT JOIN {labels} t ON {roles.on("t")} {joins}
             ORDER BY {keys}
            """
        )

    def _count_links(self, missing: MissingRows) -> str:
        """A working table of the missing links of each parent row, by class.

        A link between a row and itself counts once for it.
        """
        keys = listed(self._roles.keys)
        links = f"loss.links_{self._work.number(self._junction.name)}"
        classified = f"""
            (SELECT m.*, l.class
               FROM {missing.relation} m JOIN {links} l ON l.pair = m.pair)
        """
        there = {**self._fate.counts, "overwritten": self._fate.overwritten}
        counted = []
        for name in (*_CLASSES, "overwritten"):
            number = "0"
            if there[name]:
                number = f"coalesce(sum(n) FILTER (class = '{name}'), 0)"
            counted.append(f"{number}::BIGINT AS {name}")
        found = f"SELECT *, 1 AS n FROM ({self._roles.named_by(classified, 'backup', 'class')})"
        written_over = self._overwritten()
        if written_over:
            found += f" UNION ALL SELECT {keys}, 'overwritten', n FROM ({written_over})"
        return self._work.temp(
            f"""
            SELECT {keys}, count(*) FILTER (class <> 'overwritten') AS missing, {listed(counted)}
              FROM ({found})
             GROUP BY {keys}
            """
        )

    def _overwritten(self) -> str | None:
        """A query for the parent rows (k0, …, n) that overwritten links name; None without."""
        table, columns = self._fate.overwritten_links, self._junction.link_columns
        if table is None:
            return None
        roles = []
        for parent in self._roles.parents:
            named = [*parent.columns, *([parent.when[0]] if parent.when else [])]
            if not set(named) <= set(columns):
                continue
            fields = [f"w{columns.index(column)}" for column in parent.columns]
            means = "true"
            if parent.when:
                means = f"m.w{columns.index(parent.when[0])} = {literal(parent.when[1])}"
            roles.append(Role(fields, means))
        return self._roles.union(table, roles, "n") if roles else None
