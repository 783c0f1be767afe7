"""Whether the links that came back name the rows that they named in the backup.

Worked out from the backup's own rows, and not from the keys that the recovery was written with:
the row that a link names now has to be the one that it named then, by a unique key or by all
columns but the key.
"""

from __future__ import annotations

from dataclasses import dataclass

import psycopg

from forensics.loss.sql import present, same
from forensics.model import Table
from forensics.recovery.choose.reused import End, Ends
from forensics.recovery.choose.targets import Target
from forensics.recovery.queries import filled
from forensics.recovery.rehearse.session import Session, copy_rows, one, run, words_of
from forensics.recovery.relations import rows_of
from forensics.recovery.write.script import Work
from forensics.recovery.write.sqltext import quoted


class Named:
    """Looks at the links of recovered rows to tables whose rows have other keys now.

    Args:
        session: on the copy of live, `recovery.sql` having run.
        work: what the scripts were written from.
    """

    def __init__(self, session: Session, work: Work) -> None:
        self._session, self._work = session, work
        self._store, self._selection = work.selection.store, work.selection
        self._ends = Ends(self._store)

    def problems(self) -> list[str]:
        """What does not hold, a sentence for each table and parent."""
        found = []
        for target in self._selection.targets:
            for end in self._ends.of(target):
                if not (end.parent.again or end.parent.anew):
                    continue
                try:
                    wrong = self._wrong(target, end)
                except psycopg.Error as error:
                    found.append(
                        f"Whether recovered rows of {target.name} name the right rows of "
                        f"{end.parent.name} could not be checked: {words_of(error)}."
                    )
                    continue
                if wrong:
                    found.append(
                        f"{wrong:,} recovered rows of {target.name} name other rows of "
                        f"{end.parent.name} than in the backup."
                    )
        return found

    def _wrong(self, target: Target, end: End) -> int:
        """How many returning rows of a target name another row than they did."""
        if not self._selection.has(f"rows.backup_{target.number}"):
            return 0
        side = _Side(self._work, target, end)
        if end.parent.whole or not self._selection.has(side.parent_rows):
            returning = f"SELECT count(*) FROM {side.returning()} AND {present(side.then)}"
            return int(self._selection.ask(returning)[0][0])
        moved = int(self._selection.ask(side.moved())[0][0])
        alike = side.alike()
        if alike is None:
            return moved
        return moved + self._unlike(side, alike)

    def _unlike(self, side: _Side, alike: str) -> int:
        """How many name a row that is the backup's by none of what tells its rows apart."""
        names = [f"{_NOW}{place}" for place in range(len(side.end.parent_columns))]
        keys = []
        for name, column in zip(names, quoted(side.end.parent_columns), strict=True):
            keys.append(f"{column} AS {name}")
        parent = side.end.parent.name.sql
        what = ", ".join([*keys, *quoted(side.columns)])
        run(self._session, "DROP TABLE IF EXISTS pg_temp.meant")
        made = f"CREATE TEMP TABLE meant AS SELECT {what} FROM {parent} WITH NO DATA"
        run(self._session, made)
        lines = self._selection.copy(side.lines())
        copy_rows(self._session, "pg_temp.meant", (*names, *side.columns), lines)
        terms = []
        for name, column in zip(names, quoted(side.end.parent_columns), strict=True):
            terms.append(f"t.{column} = m.{name}")
        rows = rows_of(self._work.catalogs[1].tables[side.end.parent.name])
        question = filled(
            "rehearse", "other_parents", rows=rows, same=" AND ".join(terms), alike=alike
        )
        wrong = one(self._session, question)
        # Its columns hold on to types that undo.sql may drop.
        run(self._session, "DROP TABLE meant")
        return wrong


_NOW = "key_now_"


@dataclass(frozen=True)
class _Side:
    """One end of a target in the case: its rows as they return, as they were, and the parents'."""

    work: Work
    target: Target
    end: End

    @property
    def parent_rows(self) -> str:
        return f"rows.backup_{self.end.parent.number}"

    def returning(self, beside: str = "") -> str:
        """The rows that come back: `r` as they are written, `u` as they stood in the backup."""
        rows = self.work.selection.rows(self.target)
        was = f"rows.backup_{self.target.number} u ON u.pair = r.pair"
        return f"{rows} JOIN {was}{beside} WHERE c.class = 'restorable' AND {self.end.means}"

    @property
    def now(self) -> list[str]:
        return [self.target.field(column) for column in self.end.columns]

    @property
    def then(self) -> list[str]:
        return [field.replace("r.", "u.", 1) for field in self.now]

    @property
    def columns(self) -> list[str]:
        """The parent's columns that both sides hold and that somebody wrote."""
        backup, live = self._tables
        held = self.work.selection.store.columns(self.end.parent.name, "backup")
        common = []
        for column in live.columns:
            if column.name in held and not column.generated and backup.column(column.name):
                common.append(column.name)
        return common

    @property
    def _tables(self) -> tuple[Table, Table]:
        name = self.end.parent.name
        return self.work.catalogs[0].tables[name], self.work.catalogs[1].tables[name]

    def moved(self) -> str:
        """How many rows got another key although the parent's row is as it was."""
        return (
            f"SELECT count(*) FROM {self.returning()} AND NOT ({same(self.now, self.then)}) "
            f"AND NOT EXISTS (SELECT 1 FROM {self.parent_rows} p WHERE {self._named()})"
        )

    def lines(self) -> str:
        """The query for the key that each link has now, with the backup's row that it named."""
        fields = [*self.now, *map(self._held, self.columns)]
        rows = self.returning(f" JOIN {self.parent_rows} p ON {self._named()}")
        other = f"NOT ({same(self.now, self.then)})"
        if self.end.parent.again:
            again = f"SELECT pair FROM again.rows_{self.end.parent.number}"
            other = f"(p.pair IN ({again}) OR {other})"
        return f"SELECT {', '.join(fields)} FROM {rows} AND {other}"

    def _named(self) -> str:
        """The condition that `p`, a row of the parent, is the one that the backup's row named."""
        return same(self.then, list(map(self._held, self.end.parent_columns)))

    def _held(self, column: str) -> str:
        """The place of a column in `p`."""
        held = self.work.selection.store.columns(self.end.parent.name, "backup")
        return f"p.f{held.index(column)}"

    def alike(self) -> str | None:
        """The condition that live's row `t` is the backup's row `m`; None where nothing tells."""
        backup, live = self._tables
        theirs = {frozenset(key.columns) for key in live.keys}
        references: set[str] = set()
        for reference in (*backup.foreign_keys, *live.foreign_keys):
            references.update(reference.columns)
        columns = self.columns
        compared = set(self._compared_by())
        ways = []
        for key in backup.keys:
            own = set(key.columns)
            if own in theirs and own <= set(columns) and own != compared:
                ways.append(_equal(key.columns))
        # A reference may have been translated itself.
        rest = [column for column in columns if column not in compared | references]
        if rest:
            ways.append(_equal(rest))
        return " OR ".join(ways) or None

    def _compared_by(self) -> tuple[str, ...]:
        """The key by which the parent's rows were compared, under which others stand now."""
        for result in self.work.selection.store.results():
            if result.name == self.end.parent.name:
                return result.key or ()
        return ()


def _equal(columns: tuple[str, ...] | list[str]) -> str:
    """The condition that rows `t` and `m` read the same in some columns."""
    terms = []
    for column in quoted(columns):
        terms.append(f"t.{column}::text IS NOT DISTINCT FROM m.{column}::text")
    return f"({' AND '.join(terms)})"
