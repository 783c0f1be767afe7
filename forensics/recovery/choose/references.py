"""Which missing rows refer to a parent row that is gone and does not come back itself.

A parent row is gone where the comparison found it missing or its key changed; and where live
said so when it was asked, which takes other spellings of a key and tables that no backup holds
into account.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import duckdb
import pyarrow as pa

from forensics.evidence import arrays
from forensics.loss.reused import never_held
from forensics.loss.sql import literal
from forensics.model import TableName
from forensics.recovery.choose.classes import Classes
from forensics.recovery.choose.targets import Keys, Link, Target, in_order
from forensics.store import Store
from forensics.store.lending import lend

Orphans = Mapping[tuple[TableName, Link], Keys]


class References:
    """The links of the targets' rows, followed."""

    def __init__(
        self,
        store: Store,
        cursor: duckdb.DuckDBPyConnection,
        classes: Classes,
        numbers: Mapping[TableName, int | None],
    ) -> None:
        self._store, self._cursor, self.classes = store, cursor, classes
        self._numbers = numbers
        # Tables of keys that live's parents do not have.
        self._orphans: dict[tuple[TableName, Link], str] = {}
        # How often the parent's rows were marked when a link was last followed, and what was known.
        self._followed: dict[tuple[TableName, Link], tuple[int, str | None]] = {}

    def keep_orphans(self, found: Orphans) -> None:
        """Keep which keys live's parents do not have, as `Selection.orphaned` has them."""
        in_turn = sorted(found, key=lambda at: (at[0], at[1].columns, at[1].parent))
        for n, at in enumerate(in_turn):
            keys = _as_table(found[at], len(at[1].columns))
            lend(self._cursor, "orphans", keys)
            self._cursor.execute(
                f"CREATE OR REPLACE TEMP TABLE orphans_{n} AS SELECT * FROM orphans"
            )
            self._cursor.unregister("orphans")
            self._orphans[at] = f"orphans_{n}"
            self._followed.pop(at, None)

    def look_again(self) -> None:
        """Follow all links at the next time: rows were marked by somebody else."""
        self._followed.clear()

    def settle(self, targets: dict[TableName, Target]) -> list[Target]:
        """Block what refers to rows that do not come back, and count.

        Returns:
            The targets, parents before children.
        """
        while self._block_all(targets):
            pass
        return [self.classes.counted(target) for target in in_order(targets)]

    def _block_all(self, targets: dict[TableName, Target]) -> int:
        """Mark rows of all targets once; return how many were marked.

        A link whose parent's rows return as they did when it was followed leads nowhere else.
        """
        marked = 0
        for target in targets.values():
            for link in target.links:
                at, parent = (target.name, link), targets.get(link.parent)
                times = self.classes.marked[parent.number] if parent else -1
                state = times, self._orphans.get(at)
                if self._followed.get(at) != state:
                    self._followed[at] = state
                    marked += self._block(target, link, parent)
        return marked

    def _block(
        self,
        target: Target,
        link: Link,
        parent: Target | None,
    ) -> int:
        """Mark rows whose parents by one link are gone and do not come back."""
        mark = self.classes.mark
        fields = [target.field(c) for c in link.columns]
        named = " AND ".join(f"{field} IS NOT NULL" for field in fields)
        if not link.exists:
            reason = f"table {link.parent} that it refers to is gone"
            return mark(target, "blocked", named, reason)
        reason = f"the row of {link.parent} that it refers to is gone"
        orphans = self._orphans.get((target.name, link))
        marked = self._block_orphans(target, link)
        for gone in self._gone(link, fields, orphans):
            returns = self._returns(link, fields, parent, orphans)
            condition = f"{named} AND {gone} AND NOT {returns}"
            marked += mark(target, "blocked", condition, reason)
        return marked

    def _block_orphans(self, target: Target, link: Link) -> int:
        """Mark rows whose parents by one link stood in the backup neither."""
        never = f"loss.never_{target.number}"
        if not self.classes.has(never):
            return 0
        columns = ", ".join(map(literal, link.columns))
        meant = f"o.parent = {literal(str(link.parent))} AND o.columns = [{columns}]"
        condition = _exists(f"{never} o", f"o.pair = r.pair AND {meant}")
        return self.classes.mark(target, "blocked", condition, never_held(link.parent))

    def _gone(
        self,
        link: Link,
        fields: Sequence[str],
        orphans: str | None,
    ) -> Iterator[str]:
        """Conditions under which live has no row under `fields` in the parent."""
        by_case = self._gone_from_case(link, fields)
        if by_case:
            yield by_case
        if orphans:
            keys = _numbered("k", len(fields))
            yield _exists(f"{orphans} p", _same("p", keys, fields))

    def _gone_from_case(self, link: Link, fields: Sequence[str]) -> str | None:
        """The condition as far as the case tells; None where it tells nothing."""
        n = self._numbers.get(link.parent)
        if n is None:
            return None
        were = self._key_fields(link, "backup", n)
        if were is None:
            return None
        gone = _exists(f"rows.backup_{n} p", _same("p", were, fields))
        now = self._key_fields(link, "live", n)
        if now is None:
            return f"({gone})"
        there = _exists(f"rows.live_{n} p", _same("p", now, fields))
        return f"({gone} AND NOT {there})"

    def _key_fields(self, link: Link, side: str, n: int) -> list[str] | None:
        """Where one side's kept rows of the parent have the key.

        None where there are none, or they have it not.
        """
        held = self._store.columns(link.parent, side)
        if not set(link.parent_columns) <= set(held):
            return None
        if not self.classes.has(f"rows.{side}_{n}"):
            return None
        return [f"f{held.index(c)}" for c in link.parent_columns]

    def _returns(
        self,
        link: Link,
        fields: Sequence[str],
        parent: Target | None,
        orphans: str | None,
    ) -> str:
        """A condition under which a row under `fields` returns to the parent.

        It stands under the same text, or under another that PostgreSQL takes for it.
        """
        columns = None
        if parent is not None:
            columns = self._key_fields(link, "backup", parent.number)
        if parent is None or columns is None:
            return "false"
        n = parent.number
        rows = f"rows.backup_{n} p JOIN class_{n} pc ON pc.pair = p.pair"
        found = _exists(rows, f"pc.class = 'restorable' AND {_same('p', columns, fields)}")
        if orphans:
            spelled = _same("p", columns, _numbered("o.p", len(fields)))
            named = _same("o", _numbered("k", len(fields)), fields)
            rows = f"{orphans} o JOIN ({rows}) ON {spelled}"
            found += " OR " + _exists(rows, f"pc.class = 'restorable' AND {named}")
        return f"({found})"


def _as_table(keys: Keys, width: int) -> pa.Table:
    """Keys as columns k0, k1, …, and how the parent that returns spells them as p0, p1, …."""
    columns = {}
    for i in range(width):
        named, spelled = [], []
        for key, parent in keys:
            named.append(key[i])
            spelled.append(parent[i] if parent else None)
        columns[f"k{i}"] = arrays.values(named)
        columns[f"p{i}"] = arrays.values(spelled)
    return pa.table(columns)


def _numbered(word: str, number: int) -> list[str]:
    return [f"{word}{i}" for i in range(number)]


def _exists(rows: str, condition: str) -> str:
    return f"EXISTS (SELECT 1 FROM {rows} WHERE {condition})"


def _same(alias: str, columns: Sequence[str], fields: Sequence[str]) -> str:
    """The condition that a row's columns hold what some fields do."""
    pairs = zip(columns, fields, strict=True)
    return " AND ".join(f"{alias}.{column} = {field}" for column, field in pairs)
