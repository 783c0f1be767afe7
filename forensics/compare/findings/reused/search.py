"""Tables whose keys were used again, and the finding that says it with its evidence.

One renamed role is a changed row. A key was used again where the values that tell its rows apart
stand under other keys, or where the sequence, the table or times of creation began anew and the
rows agree in nothing that tells them apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import duckdb

from forensics.compare.findings.finding import Finding, not_known
from forensics.compare.findings.reused.pairs import Counts, Pairs
from forensics.compare.findings.reused.start import Start, start_of
from forensics.compare.findings.reused.telling import (
    declared,
    is_opaque,
    is_surrogate,
    named_by,
    speaking,
    times,
)
from forensics.compare.schema import changed_types, stored_columns
from forensics.errors import EvidenceError
from forensics.evidence.source import Source
from forensics.model import Table, TableName, TableResult
from forensics.store import Store
from forensics.text import listed

KIND = "keys used again"

_REWRITTEN = "the rows lie in a new file, as after TRUNCATE"
_SOME = 5  # rows of which one may agree by chance
_FEW = 3  # rows below which weak signs say nothing


def keys_used_again(
    backup: Source, live: Source, store: Store, renamed: Sequence[Finding]
) -> list[Finding]:
    """Find the tables whose keys were used again, and keep which rows are which.

    Args:
        backup, live: both sides, open.
        store: the case, with every table's result in it.
        renamed: columns that go on under another name.
    """
    found: list[Finding] = []
    facts: list[dict[str, Any]] = []
    moved_on = {finding.name for finding in renamed}
    with store.connection.cursor() as db:
        db.execute("DROP SCHEMA IF EXISTS again CASCADE")
        db.execute("CREATE SCHEMA again")
        for result in store.results():
            if not _may_be(backup, live, result):
                continue
            look = _Look(backup, live, store, db, result)
            finding = look.another_table(moved_on) or look.other_rows()
            if finding:
                found.append(finding)
            if finding and finding.kind == KIND:
                facts.append({"name": result.name, "number": look.number, "whole": look.whole})
    store.put("used_again", facts)
    return found


def _may_be(backup: Source, live: Source, result: TableResult) -> bool:
    if result.state != "compared" or not result.key or not result.live_rows:
        return False
    if result.history:
        return False
    ours, theirs = backup.catalog.tables[result.name], live.catalog.tables[result.name]
    return is_opaque(ours, result.key) and is_opaque(theirs, result.key)


class _Look:
    """A look at one table.

    Attributes:
        number: the table's number in the case.
        whole: whether live's table is another one as a whole.
    """

    def __init__(
        self,
        backup: Source,
        live: Source,
        store: Store,
        db: duckdb.DuckDBPyConnection,
        result: TableResult,
    ) -> None:
        self._backup, self._live, self._store, self._db = backup, live, store, db
        self._result = result
        self.number = store.number(result.name) or 0
        self.whole = False
        self._unread: EvidenceError | None = None
        self._anew = False  # whether all rows are others
        self._rest = [c for c in result.columns if c not in result.key]
        # Values of another type have another text, whatever row they are of.
        retyped = changed_types(*self._tables, self._rest)
        self._steady = [c for c in self._rest if c not in retyped]
        self._key = ", ".join(result.key)
        # Numbers are given out again by a sequence that begins anew. Codes and UUIDs are not:
        # of them only rows tell, which stand under other keys.
        self._is_numbered = all(is_surrogate(table, result.key) for table in self._tables)

    @property
    def _tables(self) -> tuple[Table, Table]:
        name = self._result.name
        return self._backup.catalog.tables[name], self._live.catalog.tables[name]

    def _start(self) -> Start:
        start = start_of(self._backup, self._live, self._result.name, self._result.key)
        self._unread = start.unread
        return start

    # --- another table ----------------------------------------------------------------------

    def another_table(self, moved_on: set[TableName]) -> Finding | None:
        """The finding that live's table has no more than its name and key in common."""
        result = self._result
        if self._rest or result.name in moved_on or not result.backup_rows:
            return None
        gone = self._gone()
        start = self._start()
        if not gone or not self._began_anew(start):
            return None
        self.whole = True
        common = (result.unchanged or 0) + (result.changed or 0)
        text = (
            f"{result.name} is another table under the old name: only {self._key} is common, "
            f"and {listed(gone)} went without a trace{_also(start)}. "
            f"None of its {common:,} rows under the backup's keys is the row that had the key: "
            "links are not put back onto them."
        )
        return Finding(KIND, result.name, text, None, common, common)

    def _began_anew(self, start: Start) -> bool:
        if not self._is_numbered:
            return start.made is True
        return start.made is not False and (start.strong or start.rewritten)

    def _gone(self) -> list[str]:
        """The backup's columns that live has not, where live has others instead."""
        ours, theirs = map(stored_columns, self._tables)
        if set(theirs) <= set(ours):
            return []
        return [c for c in ours if c not in theirs]

    # --- other rows -------------------------------------------------------------------------

    def other_rows(self) -> Finding | None:
        """The finding that other rows stand under keys of the backup."""
        result = self._result
        if not result.changed or not self._rest:
            return None
        ours, theirs = self._tables
        pairs = Pairs(self._db, self.number, self._fields(), result.key)
        firm = declared(ours, theirs, result.key, result.columns)
        likely = speaking(ours, theirs, result.key, self._steady)
        for one in firm:
            likely = [name for name in likely if name not in one.columns]
        counts = pairs.count(firm, likely, self._rest, not result.unchanged)
        if not counts.unlike:
            return None
        why = self._why(pairs, counts, {one.columns for one in firm})
        if not why:
            return self._in_doubt(counts)
        if self._anew:
            pairs.widen(firm, self._rest)
        others, live_on = pairs.write(self.number)
        common = (result.changed or 0) + (result.unchanged or 0)
        text = (
            f"Keys of {result.name} were used again: under {others:,} of {common:,} common "
            f"values of {self._key} live holds another row than the backup ({listed(why)}). "
            f"{_surviving(live_on, self._key)}"
        )
        return Finding(KIND, result.name, text, None, others, common)

    def _in_doubt(self, counts: Counts) -> Finding | None:
        """What is to be said where a new start would have told, and nobody could look for it."""
        if self._unread is None or not self._is_numbered or not counts.telling:
            return None
        what = f"Whether keys of {self._result.name} were used again"
        return not_known(self._result.name, what, self._unread)

    def _fields(self) -> dict[str, dict[str, str]]:
        found = {}
        for side in ("backup", "live"):
            held = self._store.columns(self._result.name, side)
            found[side] = {column: f"f{place}" for place, column in enumerate(held)}
        return found

    def _why(self, pairs: Pairs, counts: Counts, firm: set[tuple[str, ...]]) -> list[str]:
        """What speaks for other rows; nothing where rows only changed.

        Leaves among the pairs unlike those of which it speaks.
        """
        start = self._start()
        if self._is_displaced(pairs, counts, firm, start):
            said = [f"{counts.displaced:,} of them stand under other keys by {_columns(counts)}"]
            if 2 * counts.displaced < counts.unlike:
                pairs.keep_displaced()
            return said + ([start.sequence] if start.sequence else [])
        if not self._is_numbered:
            return []
        alike = pairs.alike(self._steady)
        if alike and not (start.strong and self._is_chance(pairs)):
            return []
        ours, _ = self._tables
        for column in times(ours, self._rest, made=True):
            later = pairs.later(column)
            if later and (counts.telling > 1 or later == counts.unlike):
                pairs.keep_later(column)
                return [f"{column} is later than any of the backup's"]
        return self._new_start(pairs, counts, start, alike)

    def _new_start(
        self, pairs: Pairs, counts: Counts, start: Start, alike: bool | None
    ) -> list[str]:
        unlike = f"they agree in nothing that tells {self._result.name} apart"
        if start.strong and counts.telling:
            return [start.sequence or "the table was made anew", unlike]
        if not self._nearly_all(counts):
            return []
        self._anew = True
        if counts.telling < 2:
            return self._all_apart(pairs, counts, start, alike)
        ours, _ = self._tables
        for column in times(ours, self._rest, made=False):
            if pairs.later(column) == counts.unlike:
                return [f"{column} is later than any of the backup's", unlike]
        if start.rewritten:
            return [_REWRITTEN, unlike]
        if alike is False:
            return [unlike, "nor in the rest"]
        return []

    def _nearly_all(self, counts: Counts) -> bool:
        """Whether the rows are unlike but for what chance makes agree."""
        common = (self._result.changed or 0) + (self._result.unchanged or 0)
        chance = max(common // 10, int(common >= _SOME))
        return counts.unlike >= _FEW and common - counts.unlike <= chance

    def _all_apart(
        self, pairs: Pairs, counts: Counts, start: Start, alike: bool | None
    ) -> list[str]:
        """What speaks for other rows where hardly a value stands in one row only.

        They name other things, and other values stand beside.
        """
        if alike is not False:
            return []
        apart, agreeing = pairs.apart(self._steady)
        naming = named_by(*self._tables, self._result.key, self._result.columns)
        if len(apart) < 2 or agreeing or naming.isdisjoint(apart):
            return []
        differ = f"{listed(apart)} differ nearly everywhere"
        if start.strong or start.rewritten:
            return [start.sequence or _REWRITTEN, differ]
        return [differ] if len(apart) > 2 and counts.telling else []

    def _is_chance(self, pairs: Pairs) -> bool:
        """Whether rows agree in one column only, and differ in several."""
        apart, agreeing = pairs.apart(self._steady)
        return len(agreeing) == 1 and len(apart) > 1

    def _is_displaced(
        self, pairs: Pairs, counts: Counts, firm: set[tuple[str, ...]], start: Start
    ) -> bool:
        """Whether enough stands under other keys."""
        if not counts.displaced:
            return False
        if firm.intersection(counts.by):
            return counts.displaced > 1 or start.strong
        anew = start.strong or start.rewritten
        if not counts.telling and not anew:
            return False  # numbers that change places, such as those of an order
        if counts.displaced == 1 and not start.strong:
            return False
        # The others may have come back to their old places by chance.
        exchanged = anew and counts.telling > 1 and pairs.change_places(self._rest)
        return exchanged or self._are_most(counts)

    def _are_most(self, counts: Counts) -> bool:
        """Whether most rows stand elsewhere: no key says that these values tell rows apart."""
        common = (self._result.changed or 0) + (self._result.unchanged or 0)
        return 2 * counts.displaced >= counts.unlike and 2 * counts.unlike >= common


def _columns(counts: Counts) -> str:
    return " and by ".join("(" + ", ".join(columns) + ")" for columns in counts.by[:2])


def _also(start: Start) -> str:
    return f"; {start.sequence}" if start.sequence else ""


def _surviving(live_on: int, key: str) -> str:
    if not live_on:
        return "Links to the backup's rows are not put onto these."
    return (
        f"{live_on:,} of the backup's rows stand in live under another {key}: "
        "links follow the row, not the number."
    )
