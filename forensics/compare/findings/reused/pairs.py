"""Which rows of one table stand under another key, or under whose key another row stands.

All of it is joins over the rows that the case keeps. A pair is a changed row of both sides: the
same key, and something else differs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import duckdb

from forensics.compare.findings.reused.telling import Telling

_LEAST_DISTINCT = 2  # rows that a column without a key has to tell apart
_LEAST_PAIRS = 5  # below which chance alone may make columns agree
_LEAST_VALUES = 3
_NEARLY_ALL = 0.9


@dataclass
class Counts:
    """What was counted of a table's pairs.

    Attributes:
        unlike: pairs that agree in nothing that tells rows apart.
        displaced: those of them one half of which stands under another key as well.
        telling: how many ways to tell rows apart there are.
        by: the columns by which displaced ones were found.
    """

    unlike: int = 0
    displaced: int = 0
    telling: int = 0
    by: list[tuple[str, ...]] = field(default_factory=list)


class Pairs:
    """The pairs of one table.

    Args:
        db: a cursor on the case.
        number: of the table in the case.
        fields: by side and column, the field that holds it.
        key: of its rows.
    """

    def __init__(
        self,
        db: duckdb.DuckDBPyConnection,
        number: int,
        fields: dict[str, dict[str, str]],
        key: Sequence[str],
    ) -> None:
        self._db = db
        self._number = fields["backup"][key[0]] if len(key) == 1 else None
        self._ours, self._theirs = f"rows.backup_{number}", f"rows.live_{number}"
        self._fields = fields
        self._run(
            "CREATE OR REPLACE TEMP TABLE matched (pair BIGINT, own BOOLEAN, "
            "live_pair BIGINT, live_own BOOLEAN, firm BOOLEAN)"
        )

    def count(
        self,
        firm: Sequence[Telling],
        speaking: Sequence[str],
        rest: Sequence[str],
        whole: bool,
    ) -> Counts:
        """Find the pairs that are unlike, into `unlike`, and what stands elsewhere.

        Args:
            firm: the keys of both sides.
            speaking: columns that may tell rows apart too.
            rest: all columns but the key.
            whole: whether all rows of both sides are kept, so that what stands once in them
                stands once.
        """
        telling = [*firm]
        for name in speaking:
            if self._is_distinct(name):
                telling.append(Telling((name,), False))
        agree = " OR ".join(f"({self._same(one.columns)})" for one in telling) or "false"
        self._run(
            f"""
            CREATE OR REPLACE TEMP TABLE unlike AS
            SELECT b.pair FROM {self._ours} b JOIN {self._theirs} l USING (pair)
             WHERE b.state = 'changed' AND l.state = 'changed' AND NOT coalesce({agree}, false)
            """
        )
        counts = Counts(self._one("SELECT count(*) FROM unlike"), telling=len(telling))
        if not counts.unlike:
            return counts
        for one in telling:
            self._match(one.columns, one.declared)
            self._tell(counts, one.columns)
        self._match(rest, whole, whole=True)
        self._tell(counts, tuple(rest))
        return counts

    def alike(self, columns: Sequence[str]) -> bool | None:
        """Whether unlike pairs are the same rows by columns that do not tell rows apart.

        Args:
            columns: all but the key.

        Returns:
            True where one of several values is the same in nearly all pairs, False where each
            differs in most, and None where there are too few pairs or values to say.
        """
        pairs = self._one("SELECT count(*) FROM unlike")
        if pairs < _LEAST_PAIRS:
            return None
        found: bool | None = None
        for name in columns:
            same, values = self._agreeing(name)
            if values < _LEAST_VALUES or self._rises(name):
                continue
            if same >= _NEARLY_ALL * pairs:
                return True
            tells = self._is_distinct(name) and not self._is_number(name)
            if 2 * same < pairs and not tells:
                found = False
        return found

    def apart(self, columns: Sequence[str]) -> tuple[list[str], list[str]]:
        """Columns of several values that differ in nearly all unlike pairs; those that agree."""
        pairs = self._one("SELECT count(*) FROM unlike")
        apart, often = [], []
        for name in columns:
            same, values = self._agreeing(name)
            if values < _LEAST_VALUES:
                continue
            if pairs - same >= _NEARLY_ALL * pairs:
                apart.append(name)
            elif 2 * same >= pairs and not self._rises(name):
                often.append(name)
        return apart, often

    def change_places(self, columns: Sequence[str]) -> bool:
        """Whether unlike pairs hold the same rows on both sides, each under another's key.

        Args:
            columns: all but the key.
        """
        same = []
        for name in columns:
            ours, theirs = self._fields["backup"][name], self._fields["live"][name]
            same.append(f"b.{ours} IS NOT DISTINCT FROM l.{theirs}")
        found = self._db.execute(
            f"""
            SELECT count(*), count(DISTINCT b.pair), count(DISTINCT l.pair)
              FROM (SELECT b.* FROM {self._ours} b SEMI JOIN unlike USING (pair)
                     WHERE b.state = 'changed') b
              JOIN (SELECT l.* FROM {self._theirs} l SEMI JOIN unlike USING (pair)
                     WHERE l.state = 'changed') l ON {" AND ".join(same)}
            """
        ).fetchall()
        return set(found[0]) == {self._one("SELECT count(*) FROM unlike")}

    def widen(self, firm: Sequence[Telling], rest: Sequence[str]) -> None:
        """Take changed pairs for unlike, too, that have no key and little else in common.

        What began anew agrees in a value with what was there now and then.
        """
        keyed = " OR ".join(f"({self._same(one.columns)})" for one in firm) or "false"
        alike = " + ".join(f"coalesce({self._same([name])}, false)::INTEGER" for name in rest)
        self._run(
            f"""
            INSERT INTO unlike
            SELECT b.pair FROM {self._ours} b JOIN {self._theirs} l USING (pair)
             WHERE b.state = 'changed' AND l.state = 'changed'
               AND NOT coalesce({keyed}, false) AND 2 * ({alike}) < {len(rest)}
               AND b.pair NOT IN (FROM unlike)
            """
        )

    def _rises(self, name: str) -> bool:
        """Whether a column rises with the key, such as a number of what rows were made for.

        Rows that are made anew in the same order agree in it, whatever they are.
        """
        if not self._is_number(name) or self._number is None:
            return False
        field, key = self._fields["backup"][name], f"TRY_CAST({self._number} AS DOUBLE)"
        falls = self._one(
            f"""
            SELECT count(*)
              FROM (SELECT v < lag(v) OVER (ORDER BY k) AS falls
                      FROM (SELECT TRY_CAST({field} AS DOUBLE) AS v, {key} AS k
                              FROM {self._ours}))
             WHERE falls
            """
        )
        return falls == 0

    def _agreeing(self, name: str) -> tuple[int, int]:
        """In how many unlike pairs a column agrees, and how many values each side has there.

        Of one that was blanked, or set to one value, live's say nothing.
        """
        ours, theirs = self._fields["backup"][name], self._fields["live"][name]
        [found] = self._db.execute(
            f"""
            SELECT count(*) FILTER ({self._same([name])}),
                   least(count(DISTINCT b.{ours}), count(DISTINCT l.{theirs}))
              FROM unlike u JOIN {self._ours} b USING (pair) JOIN {self._theirs} l USING (pair)
             WHERE b.state = 'changed' AND l.state = 'changed'
            """
        ).fetchall()
        return tuple(found)

    def _is_number(self, name: str) -> bool:
        field = self._fields["backup"][name]
        rows = f"SELECT count(*) FROM {self._ours} WHERE TRY_CAST({field} AS DOUBLE) IS NULL"
        return self._one(f"{rows} AND {field} IS NOT NULL") == 0

    def later(self, column: str) -> int:
        """How many unlike pairs hold a time that is later in live than any of the backup's."""
        ours, theirs = self._time("b", "backup", column), self._time("l", "live", column)
        return self._one(
            f"""
            SELECT count(*)
              FROM unlike u JOIN {self._ours} b USING (pair) JOIN {self._theirs} l USING (pair)
             WHERE l.state = 'changed' AND b.state = 'changed'
               AND {theirs} > (SELECT max({ours}) FROM {self._ours} b)
            """
        )

    def keep_displaced(self) -> None:
        """Leave only those pairs unlike one half of which stands under another key."""
        self._run(f"DELETE FROM unlike WHERE NOT {_DISPLACED}")

    def keep_later(self, column: str) -> None:
        """Leave only those pairs unlike that hold a later time in live, or are displaced."""
        ours, theirs = self._time("b", "backup", column), self._time("l", "live", column)
        self._run(
            f"""
            DELETE FROM unlike WHERE NOT {_DISPLACED} AND pair NOT IN (
              SELECT pair FROM {self._theirs} l
               WHERE state = 'changed' AND {theirs} > (SELECT max({ours}) FROM {self._ours} b))
            """
        )

    def write(self, number: int) -> tuple[int, int]:
        """Write `again.rows_N`; return how many pairs are other rows, and how many live on."""
        target = f"again.rows_{number}"
        self._run(
            f"""
            CREATE OR REPLACE TABLE {target} AS
            WITH known AS (
              SELECT m.* FROM matched m
               WHERE (NOT own OR pair IN (FROM unlike))
                 AND (NOT live_own OR live_pair IN (FROM unlike))
            ), strict AS (
              SELECT pair, own, min(live_pair) AS live_pair FROM known WHERE firm
               GROUP BY pair, own HAVING count(DISTINCT (live_pair, live_own)) = 1
            ), once AS (
              SELECT * FROM strict
               QUALIFY count(*) OVER (PARTITION BY live_pair) = 1
            ), weak AS (
              SELECT pair, own, min(live_pair) AS live_pair FROM known
               GROUP BY pair, own HAVING count(DISTINCT (live_pair, live_own)) = 1
            ), every AS (
              SELECT pair, true AS own FROM unlike UNION SELECT pair, own FROM known
            )
            SELECT e.pair, o.live_pair, w.live_pair AS likely, e.own AS taken
              FROM every e
              LEFT JOIN once o ON o.pair = e.pair AND o.own = e.own
              LEFT JOIN weak w ON w.pair = e.pair AND w.own = e.own
            """
        )
        others = self._one(f"SELECT count(*) FROM {target} WHERE taken")
        return others, self._one(f"SELECT count(*) FROM {target} WHERE live_pair IS NOT NULL")

    # --- statements -------------------------------------------------------------------------

    def _match(self, columns: Sequence[str], firm: bool, whole: bool = False) -> None:
        """Pair kept rows that are equal in some columns, each value standing once on both sides."""
        ours = [self._fields["backup"][c] for c in columns]
        theirs = [self._fields["live"][c] for c in columns]
        on = " AND ".join(
            f"b.{a} {'IS NOT DISTINCT FROM' if whole else '='} l.{b}"
            for a, b in zip(ours, theirs, strict=True)
        )
        some = " OR ".join(f"b.{a} IS NOT NULL" for a in ours)
        once = "SELECT *, count(*) OVER (PARTITION BY {}) AS n FROM {}"
        self._run(
            f"""
            INSERT INTO matched
            SELECT b.pair, b.state = 'changed', l.pair, l.state = 'changed', {firm}
              FROM ({once.format(", ".join(ours), self._ours)}) b
              JOIN ({once.format(", ".join(theirs), self._theirs)}) l ON {on}
             WHERE b.n = 1 AND l.n = 1 AND ({some})
               AND NOT (b.pair = l.pair AND b.state = 'changed' AND l.state = 'changed')
            """
        )

    def _tell(self, counts: Counts, columns: tuple[str, ...]) -> None:
        displaced = self._displaced()
        if displaced > counts.displaced:
            counts.by.append(columns)
        counts.displaced = displaced

    def _displaced(self) -> int:
        return self._one(f"SELECT count(*) FROM unlike WHERE {_DISPLACED}")

    def _is_distinct(self, column: str) -> bool:
        """Whether a column's values stand once in the backup's kept rows, and in live's."""
        for side, rows in (("backup", self._ours), ("live", self._theirs)):
            name = self._fields[side][column]
            found = f"SELECT count(DISTINCT {name}), count({name}) FROM {rows}"
            [(distinct, filled)] = self._db.execute(found).fetchall()
            if distinct < max(_LEAST_DISTINCT, filled):
                return False
        return True

    def _same(self, columns: Sequence[str]) -> str:
        terms = []
        for name in columns:
            terms.append(f"b.{self._fields['backup'][name]} = l.{self._fields['live'][name]}")
        return " AND ".join(terms)

    def _time(self, alias: str, side: str, column: str) -> str:
        return f"TRY_CAST({alias}.{self._fields[side][column]} AS TIMESTAMP)"

    def _run(self, statement: str) -> None:
        self._db.execute(statement)

    def _one(self, statement: str) -> int:
        [(number,)] = self._db.execute(statement).fetchall()
        return int(number or 0)


_DISPLACED = """
    (pair IN (SELECT pair FROM matched WHERE own)
     OR pair IN (SELECT live_pair FROM matched WHERE live_own))
"""
