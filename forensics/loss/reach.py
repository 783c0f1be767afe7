"""How far the loss reaches: outward from the parents, along live's foreign keys.

From a parent's affected rows the search goes to the rows that refer to them, and
through junction tables to what those link: a tour is reached by way of its stops when
its places lost their images. Each table is reached by its shortest path.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from forensics.documents import plain
from forensics.errors import LiveError, is_lost
from forensics.loss.columns import stores
from forensics.loss.fates import LOST
from forensics.loss.parents import Spread, label_of
from forensics.loss.sql import listed, numbered, prefixed, present, renamed, same
from forensics.loss.workspace import Workspace
from forensics.model import Catalog, ForeignKey, Parent, TableName

_STEPS = 4  # a junction table in between takes two
_TOP = 10
_MOST_ROWS = 20_000_000
_LABEL_LENGTH = 80


@dataclass(frozen=True)
class _Reached:
    """Rows of a table that were reached.

    Attributes:
        name: the table; key: the columns that tell its rows.
        keys: a working table (k0, …, n); n is the number of rows that they were reached
            by.
        path: the tables on the way, this one included.
        rows: how many there are; None of those that the search begins with.
    """

    name: TableName
    key: tuple[str, ...]
    keys: str
    path: tuple[str, ...]
    rows: int | None = None


@dataclass(frozen=True)
class _Reference:
    """A foreign key of live, seen from the table that it refers to."""

    child: TableName
    key: ForeignKey


def _references(catalog: Catalog) -> dict[TableName, list[_Reference]]:
    """By table, what refers to it, in the order of names."""
    found: dict[TableName, list[_Reference]] = {}
    for table in catalog.roots:
        for key in table.foreign_keys:
            found.setdefault(key.parent, []).append(_Reference(table.name, key))
    for references in found.values():
        references.sort(key=lambda reference: (reference.child, reference.key.name))
    return found


class Reach:
    """Follows the loss outward; made once a run.

    Args:
        work: the run's workspace.
    """

    def __init__(self, work: Workspace) -> None:
        self._work = work
        self._references = _references(work.live.catalog)
        self._junctions = work.live_junctions
        work.run(
            """
            CREATE TABLE loss.reach (
                number INTEGER, step INTEGER, key VARCHAR[], label VARCHAR, rows BIGINT
            )
            """
        )

    def run(self, junction: TableName, spreads: Sequence[Spread]) -> list[dict[str, Any]]:
        """Return what is reached from a junction table's affected parents.

        The ten worst rows of each table go into `loss.reach`. The search does not go
        through a table that could not be read.
        """
        found: list[dict[str, Any]] = []
        worst: list[str] = []
        for spread in spreads:
            if not spread.affected:
                continue
            start = self._start(spread)
            if start is None:
                continue
            for reached in self._search(start, junction):
                worst.append(self._worst(junction, len(found), reached))
                found.append(self._entry(spread, reached))
        if worst:
            self._work.run(f"INSERT INTO loss.reach {' UNION ALL '.join(worst)}")
        return found

    def _start(self, spread: Spread) -> _Reached | None:
        """The parent's own rows that lost links."""
        keys = listed(numbered("k", len(spread.key)))
        lost = " + ".join(LOST)
        rows = self._work.temp(
            f"""
            SELECT {keys}, {lost} AS n FROM {spread.relation}
             WHERE NOT gone AND {lost} > 0
            """
        )
        origin = self._work.live_name(spread.name)
        if origin is None:
            return None
        return _Reached(origin, spread.key, rows, (str(origin),))

    def _entry(self, spread: Spread, reached: _Reached) -> dict[str, Any]:
        result = self._work.result(reached.name)
        return {
            **plain(reached.name),
            "from": plain(spread.name),
            "path": list(reached.path),
            "rows": reached.rows,
            "of": result.live_rows if result else None,
            "key": list(reached.key),
        }

    # --- the search -------------------------------------------------------------------------

    def _search(self, start: _Reached, junction: TableName) -> Iterator[_Reached]:
        """Yield the tables that are reached, the nearest first."""
        seen = {start.name, junction}
        queue = deque([start])
        while queue:
            here = queue.popleft()
            if len(here.path) > _STEPS:
                continue
            for reference in self._references.get(here.name, ()):
                if reference.child in seen or reference.key.parent_columns != here.key:
                    continue
                if not self._readable(reference.child):
                    continue
                seen.add(reference.child)
                for reached in self._step(here, reference, seen):
                    yield reached
                    queue.append(reached)

    def _readable(self, name: TableName) -> bool:
        """Whether a table was read and is small enough to be read once more."""
        result = self._work.result(name)
        if result is None or (result.live_rows or 0) > _MOST_ROWS:
            return False
        return self._work.holds("live", name)

    def _step(
        self, here: _Reached, reference: _Reference, seen: set[TableName]
    ) -> Iterator[_Reached]:
        """Rows that refer to those reached; of a junction table, what its rows link."""
        child = reference.child
        if child not in self._junctions:
            key = self._work.live.catalog.tables[child].primary_key
            if key:
                own = Parent(child, key.columns, key.columns)
                yield from self._rows(here, reference, own)
            return
        others = []
        for parent in self._junctions[child]:
            is_other = parent.columns != reference.key.columns and parent.name not in seen
            if is_other and parent.declared:
                others.append(parent)
        for parent in others:
            seen.add(parent.name)
            yield from self._rows(here, reference, parent)

    def _rows(self, here: _Reached, reference: _Reference, wanted: Parent) -> Iterator[_Reached]:
        """The rows that the child's rows name by the columns of `wanted`."""
        child, columns = reference.child, reference.key.columns
        taken = tuple(dict.fromkeys((*columns, *wanted.columns)))
        if not stores(self._work.live.catalog.tables[child], taken):
            return
        try:
            rows = self._work.read("live", child, taken)
        except LiveError as error:
            if is_lost(error):
                raise
            return  # comparing the table said so already
        theirs = [f"r.c{taken.index(column)}" for column in columns]
        fields = [f"r.c{taken.index(column)}" for column in wanted.columns]
        on = same(theirs, numbered("h.k", len(columns)))
        keys = listed(numbered("k", len(fields)))
        found, rows_found = self._work.temp_counted(
            f"""
            SELECT {keys}, count(*) AS n
              FROM (SELECT {renamed(fields, "k")}
                      FROM {rows} r JOIN {here.keys} h ON {on}
                     WHERE {present(fields)})
             GROUP BY {keys}
            """
        )
        if rows_found:
            path = [*here.path, str(wanted.name)]
            if child != wanted.name:
                path.insert(-1, str(child))
            yield _Reached(wanted.name, wanted.parent_columns, found, tuple(path), rows_found)

    # --- the worst --------------------------------------------------------------------------

    def _worst(self, junction: TableName, step: int, reached: _Reached) -> str:
        """A query for the rows that were reached by most, with the names people know them by."""
        keys = listed(numbered("k", len(reached.key)))
        top = f"(SELECT {keys}, n FROM {reached.keys} ORDER BY n DESC, {keys} LIMIT {_TOP})"
        label, join = self._label(reached, top)
        number = self._work.number(junction)
        key = listed(numbered("t.k", len(reached.key)))
        return f"SELECT {number}, {step}, [{key}], {label}, t.n FROM {top} t{join}"

    def _label(self, reached: _Reached, top: str) -> tuple[str, str]:
        """An expression for the label of a row `t`, and the join that it needs."""
        table = self._work.table("live", reached.name)
        label = label_of(table, self._work.live.catalog) if table else None
        if label is None or label in reached.key:
            return "NULL", ""
        width = len(reached.key)
        on = same(numbered("r.c", width), prefixed("t", numbered("k", width)))
        columns = (*reached.key, label)
        named = self._work.matched("live", reached.name, columns, f"{top} t", on)
        return f"left(r.c{width}, {_LABEL_LENGTH})", f" LEFT JOIN {named} r ON {on}"
