"""One table: what the changed values of each of its columns have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

from forensics.compare.overwritten.candidates import Candidate, candidates, merged, stood
from forensics.compare.overwritten.columns import Cell, Rows
from forensics.compare.overwritten.computed import X, time
from forensics.compare.overwritten.life import Life, is_touched, sampled
from forensics.compare.overwritten.rule import Counted, Rule
from forensics.model import ForeignKey, Overwritten, TableResult
from forensics.store.values import LONGEST, marked
from forensics.text import counted

_SAMPLE = 4_000  # changed values of a column
_FINALISTS = 3
_LEAST = 3  # values that can have something in common
_WHOLE = 0.9
_NEARLY = 0.8  # of the values: what holds in fewer may be one group of several
_MIXED = Candidate("mixed", "true", "changed as life changes values")


@dataclass(frozen=True)
class Reference:
    """A column of a foreign key, and the condition that it was emptied with its parent's row."""

    cell: Cell
    key: ForeignKey
    holds: str


class Look:
    """A look at the changed rows of one table.

    Args:
        db: a cursor on the case.
        result: what was found of the table.
        number: its number in the case.
        rows: its changed rows; the view is made.
        cells: the columns to look at.
        rule: what is a destruction.
        any_long: whether the case holds values too long to be looked into.
    """

    def __init__(
        self,
        db: duckdb.DuckDBPyConnection,
        result: TableResult,
        number: int,
        rows: Rows,
        cells: Sequence[Cell],
        rule: Rule,
        *,
        any_long: bool,
    ) -> None:
        self._db, self._result, self._number = db, result, number
        self._rows, self._cells, self._rule = rows, cells, rule
        self._of, self._any_long = 0, any_long

    def entries(self, references: Sequence[Reference]) -> list[Overwritten]:
        """One entry a column whose values changed; writes the cells that were destroyed."""
        counts = ", ".join(f"count(*) FILTER ({cell.differs})" for cell in self._cells)
        if not counts:
            return []
        self._of, *changed = self._ask(f"SELECT count(*), {counts} FROM changed_rows")
        there: dict[Cell, int] = {}
        for cell, number in zip(self._cells, changed, strict=True):
            if number:
                there[cell] = number
        if not there:
            return []
        steps = self._take_sample(there)
        chosen = self._choose(there, steps)
        found = []
        conditions: dict[Cell, list[str]] = {}
        for cell, candidate in chosen.items():
            entry = self._entry(cell, candidate, there[cell], steps[cell])
            if entry.destroyed:
                conditions[cell] = [f"{cell.differs} AND ({candidate.holds})"]
            gone = [r for r in references if r.cell == cell]
            entry = self._with_parents(entry, cell, gone, conditions)
            found.append(entry)
        if conditions:
            self._keep(conditions)
        return found

    # --- what to look for -------------------------------------------------------------------

    def _take_sample(self, changed: dict[Cell, int]) -> dict[Cell, str]:
        """Take some rows, enough for each column; by column, the condition that picks its own."""
        steps = {}
        for cell, number in changed.items():
            step = -(-number // _SAMPLE)
            some = "" if step == 1 else f" AND hash(pair) % {step} = 0"
            steps[cell] = f"({cell.differs}{some})"
        self._db.execute(
            "CREATE OR REPLACE TEMP TABLE sampled AS SELECT * FROM changed_rows "
            f"WHERE {' OR '.join(steps.values())}"
        )
        return steps

    def _choose(self, changed: dict[Cell, int], steps: dict[Cell, str]) -> dict[Cell, Candidate]:
        """By column, what most of its changed values have in common: counted in all rows."""
        finalists: dict[Cell, list[Candidate]] = {}
        terms = []
        for cell, number in changed.items():
            finalists[cell] = []
            if number >= _LEAST:
                finalists[cell] = self._finalists(cell, steps[cell])
            for candidate in finalists[cell]:
                holds = f"{cell.differs} AND ({candidate.holds})"
                terms.append(f"count(*) FILTER ({holds})")
        counts = list(self._ask(f"SELECT {', '.join(terms)} FROM changed_rows")) if terms else []
        chosen = {}
        for cell, number in changed.items():
            chosen[cell], most = _MIXED, (number - 1) // 2
            for candidate in finalists[cell]:
                rows = counts.pop(0)
                if rows > most:
                    chosen[cell], most = candidate, rows
        return chosen

    def _finalists(self, cell: Cell, where: str) -> list[Candidate]:
        """The candidates that hold in about half of a column's sampled values, the best first."""
        self._some(where)
        possible = list(candidates(cell, self._ask, self._rows.every, self._rows.apart))
        every, held = self._held(possible)
        order = sorted(range(len(possible)), key=lambda place: -held[place])
        best = [possible[p] for p in order[:_FINALISTS] if held[p] >= 0.4 * every]
        if not best or held[order[0]] < _NEARLY * every:
            one = merged(cell, self._ask)
            best += [one] if one else []
        return best

    def _held(self, possible: Sequence[Candidate]) -> tuple[int, list[int]]:
        """How many rows are picked, and in how many of them each of some candidates holds.

        To plan a condition for each column that a value may be copied from takes longer than to
        look at the rows.
        """
        alike: dict[str, list[int]] = {}
        for place, one in enumerate(possible):
            alike.setdefault(one.test, []).append(place)
        alone, counts = [-1], ["count(*)"]
        parts = []
        for test, places in alike.items():
            if len(places) == 1:
                alone += places
                counts.append(f"count(*) FILTER ({possible[places[0]].holds})")
                continue
            every = ", ".join(possible[place].x for place in places)
            unnested = f"unnest([{every}]) AS x, unnest({places}) AS place"
            parts.append(
                f"SELECT place, count(*) FROM (SELECT *, {unnested} FROM picked) "
                f"WHERE {test.replace(X, 'x')} GROUP BY place"
            )
        parts.append(f"SELECT unnest({alone}), unnest([{', '.join(counts)}]) FROM picked")
        rows = dict(self._db.execute(" UNION ALL ".join(parts)).fetchall())
        return rows[-1], [rows.get(place, 0) for place in range(len(possible))]

    def _some(self, where: str) -> None:
        self._db.execute(
            f"CREATE OR REPLACE TEMP VIEW picked AS SELECT * FROM sampled WHERE {where}"
        )

    # --- what it is -------------------------------------------------------------------------

    def _entry(self, cell: Cell, found: Candidate, changed: int, where: str) -> Overwritten:
        holds = f"{cell.differs} AND ({found.holds})"
        lost = f"{holds} AND {stood(cell)}"
        rows, gone, varied, *example = self._ask(
            f"""
            SELECT count(*) FILTER ({holds}), count(*) FILTER ({lost}),
                   min({cell.old}) FILTER ({lost}) <> max({cell.old}) FILTER ({lost}),
                   {_example(cell, lost)}, {_example(cell, holds)}
              FROM changed_rows
            """
        )
        before, after = _first(example)
        table_rows = self._table_rows
        seen = Counted(found.pattern, rows, gone, self._of, table_rows, bool(varied))
        why = ""
        if found.pattern == "mixed":
            why = self._unread(cell)
        elif not gone:
            why = "nothing stood there before"
        destroyed = self._rule.holds(seen)
        if destroyed:
            self._some(f"{where} AND {sampled(cell, found)}")
            whole = rows >= _WHOLE * table_rows
            life = Life(self._rows.every, self._rows.apart, whole)
            why = life.reason(cell, found, self._ask)
            destroyed = not why
        return Overwritten(
            self._result.name,
            cell.name,
            rows,
            self._of,
            found.pattern,
            before,
            after,
            how=found.how,
            lost=gone,
            table_rows=table_rows,
            destroyed=destroyed,
            undoable=self._undoable(found, bool(varied)),
            why=why,
            source=found.source,
        )

    def _unread(self, cell: Cell) -> str:
        """What to say where changed values are too long to be looked into."""
        if not self._any_long:
            return ""
        long = f"{marked(cell.old)} OR {marked(cell.new)}"
        (rows,) = self._ask(
            f"SELECT count(*) FILTER ({cell.differs} AND ({long})) FROM changed_rows"
        )
        if not rows:
            return ""
        return f"not known of {counted(rows, 'value')} longer than {LONGEST:,} bytes"

    @property
    def _table_rows(self) -> int:
        return (self._result.changed or 0) + (self._result.unchanged or 0)

    def _undoable(self, found: Candidate, varied: bool) -> bool:
        if found.pattern in ("constant", "blanked"):
            # All rows held one value: no other row could have held another.
            return not varied and not self._result.unchanged
        return found.undoable

    def _with_parents(
        self,
        entry: Overwritten,
        cell: Cell,
        gone: Sequence[Reference],
        conditions: dict[Cell, list[str]],
    ) -> Overwritten:
        """The entry, with the references that went with their parents' rows: that is certain."""
        for reference in gone:
            holds = f"{cell.differs} AND {reference.holds}"
            rows, *example = self._ask(
                f"SELECT count(*) FILTER ({holds}), {_example(cell, holds)} FROM changed_rows"
            )
            if not rows:
                continue
            conditions.setdefault(cell, []).append(holds)
            if entry.destroyed:
                continue
            before, after = _first(example)
            entry = Overwritten(
                entry.name,
                entry.column,
                rows,
                self._of,
                "blanked",
                before,
                after,
                how=f"emptied with the rows of {reference.key.parent}",
                lost=rows,
                table_rows=entry.table_rows,
                destroyed=True,
            )
        return entry

    # --- into the case ----------------------------------------------------------------------

    def _keep(self, conditions: dict[Cell, list[str]]) -> None:
        parts = []
        every = {}
        for cell, some in conditions.items():
            every[cell] = " OR ".join(f"({one})" for one in some)
        alone = self._alone(every)
        for cell, holds in every.items():
            parts.append(
                f"SELECT pair, {cell.place}::INTEGER AS place, {stood(cell)} AS lost, "
                f"{alone} AS alone FROM changed_rows WHERE {holds}"
            )
        self._db.execute(
            f"CREATE OR REPLACE TABLE rows.overwritten_{self._number} AS "
            f"SELECT * FROM ({' UNION ALL '.join(parts)}) ORDER BY pair, place"
        )

    def _alone(self, conditions: Mapping[Cell, str]) -> str:
        """The condition that nothing of a row changed but what was overwritten.

        A time that moves with every change says nothing of its own, nor does a value in a column
        of live's that most rows hold: its default.
        """
        terms = ["true"]
        for cell in self._rows.every:
            same = f"NOT ({cell.differs})"
            if cell in conditions:
                same = f"{same} OR {conditions[cell]}"
            elif is_touched(cell):
                same = f"{same} OR {time(cell.new)} > {time(cell.old)}"
            terms.append(f"({same})")
        for only in self._rows.apart:
            if only.field.startswith("x"):
                most = f"(SELECT mode({only.field}) FROM changed_rows)"
                terms.append(f"({only.field} IS NULL OR {only.field} = {most})")
        return f"coalesce({' AND '.join(terms)}, false)"

    def _ask(self, query: str) -> tuple[Any, ...]:
        [row] = self._db.execute(query).fetchall()
        return tuple(row)


def _example(cell: Cell, holds: str) -> str:
    """The first row for which a condition holds: whether there is one, and its values."""
    values = f"struct_pack(o := {cell.old}, n := {cell.new})"
    return f"arg_min({values}, pair) FILTER ({holds})"


def _first(examples: Sequence[Any]) -> tuple[str | None, str | None]:
    for example in examples:
        if example:
            return example["o"], example["n"]
    return None, None
