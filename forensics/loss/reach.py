"""How far the loss reaches: from the parents that lost links outward along live's foreign keys.

From a parent's affected rows the search goes to the rows that refer to them, and through junction tables to what those
link: a tour is reached by way of its stops when its places lost their images. Each table is reached by its shortest path.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from forensics.errors import LiveError
from forensics.loss.links import LOST
from forensics.loss.parents import Spread, label_of
from forensics.loss.workspace import Workspace, listed, same
from forensics.model import ForeignKey, TableName, plain

_STEPS = 4  # a junction table in between takes two
_TOP = 10
_MOST_ROWS = 20_000_000

if TYPE_CHECKING:
    import networkx as nx


@dataclass(frozen=True)
class _Reached:
    """Rows of a table that were reached: their keys in a working table (k0, …, n), n the rows that they were reached by."""

    name: TableName
    key: tuple[str, ...]
    keys: str
    path: tuple[str, ...]


def foreign_keys(work: Workspace) -> nx.MultiDiGraph:
    """Live's foreign keys as a graph: an edge from each table to what it refers to, with the key as `key`."""
    import networkx as nx  # only where something is missing: it takes a tenth of a second to load

    graph = nx.MultiDiGraph()
    for table in work.live.catalog.roots:
        graph.add_node(table.name)
        for key in table.foreign_keys:
            graph.add_edge(table.name, key.parent, foreign_key=key)
    return graph


class Reach:
    """Follows the loss outward; made once a run.

    Args:
        work: the run's workspace.
    """

    def __init__(self, work: Workspace) -> None:
        self._work = work
        self._graph = foreign_keys(work)
        self._junctions = work.live_junctions
        work.run(
            "CREATE TABLE loss.reach (number INTEGER, step INTEGER, key VARCHAR[], label VARCHAR, rows BIGINT)"
        )

    def run(self, junction: TableName, spreads: Sequence[Spread]) -> list[dict[str, Any]]:
        """Return what is reached from a junction table's affected parents; the ten worst rows of each go into `loss.reach`.

        The search does not go through a table that could not be read.
        """
        found: list[dict[str, Any]] = []
        for spread in spreads:
            if not spread.affected:
                continue
            keys = [f"k{i}" for i in range(len(spread.key))]
            lost = " + ".join(LOST)
            start = self._work.temp(
                f"SELECT {listed(keys)}, {lost} AS n FROM {spread.relation} WHERE NOT gone AND {lost} > 0"
            )
            origin = self._work.live_name(spread.name)
            if origin is None:
                continue
            for reached in self._search(
                _Reached(origin, spread.key, start, (str(origin),)), junction
            ):
                (rows,) = self._work.one(f"SELECT count(*) FROM {reached.keys}")
                result = self._work.result(reached.name)
                found.append(
                    {
                        **plain(reached.name),
                        "from": plain(spread.name),
                        "path": list(reached.path),
                        "rows": rows,
                        "of": result.live_rows if result else None,
                        "key": list(reached.key),
                    }
                )
                self._keep(junction, len(found) - 1, reached)
        return found

    def _search(self, start: _Reached, junction: TableName) -> Iterator[_Reached]:
        seen = {start.name, junction}
        queue = deque([start])
        while queue:
            here = queue.popleft()
            if len(here.path) > _STEPS or here.name not in self._graph:
                continue
            for child, _, data in sorted(
                self._graph.in_edges(here.name, data=True),
                key=lambda e: (e[0], e[2]["foreign_key"].name),
            ):
                key: ForeignKey = data["foreign_key"]
                if child in seen or key.parent_columns != here.key or not self._small(child):
                    continue
                seen.add(child)
                for reached in self._step(here, child, key, seen):
                    yield reached
                    queue.append(reached)

    def _small(self, name: TableName) -> bool:
        result = self._work.result(name)
        return (
            result is not None
            and (result.live_rows or 0) <= _MOST_ROWS
            and self._work.holds("live", name)
        )

    def _step(
        self, here: _Reached, child: TableName, key: ForeignKey, seen: set[TableName]
    ) -> Iterator[_Reached]:
        """Rows that refer to those that were reached; of a junction table, what its rows link them with."""
        table = self._work.live.catalog.tables[child]
        if child in self._junctions:
            others = [
                p
                for p in self._junctions[child]
                if p.columns != key.columns and p.name not in seen and p.declared
            ]
            for other in others:
                seen.add(other.name)
                yield from self._rows(
                    here, child, key.columns, other.columns, other.name, other.parent_columns
                )
        elif table.primary_key:
            yield from self._rows(
                here,
                child,
                key.columns,
                table.primary_key.columns,
                child,
                table.primary_key.columns,
            )

    def _rows(
        self,
        here: _Reached,
        child: TableName,
        columns: Sequence[str],
        wanted: Sequence[str],
        name: TableName,
        key: tuple[str, ...],
    ) -> Iterator[_Reached]:
        work = self._work
        table = work.live.catalog.tables[child]
        taken = tuple(dict.fromkeys((*columns, *wanted)))
        if any((c := table.column(t)) is None or c.generated for t in taken):
            return
        try:
            rows = work.read("live", child, taken)
        except LiveError:
            return  # comparing the table said so already
        on = same(
            [f"r.c{taken.index(c)}" for c in columns], [f"h.k{i}" for i in range(len(columns))]
        )
        heads = ", ".join(f"r.c{taken.index(c)} AS k{i}" for i, c in enumerate(wanted))
        whole = " AND ".join(f"r.c{taken.index(c)} IS NOT NULL" for c in wanted)
        keys = listed([f"k{i}" for i in range(len(wanted))])
        found = work.temp(
            f"SELECT {keys}, count(*) AS n FROM (SELECT {heads} FROM {rows} r JOIN {here.keys} h ON {on} WHERE {whole}) GROUP BY {keys}"
        )
        if work.one(f"SELECT count(*) FROM {found}")[0]:
            through = (str(child),) if child != name else ()
            yield _Reached(name, tuple(key), found, (*here.path, *through, str(name)))

    def _keep(self, junction: TableName, step: int, reached: _Reached) -> None:
        """Keep the rows that were reached by most, with the names that people know them by."""
        work = self._work
        keys = [f"k{i}" for i in range(len(reached.key))]
        top = work.temp(
            f"SELECT {listed(keys)}, n FROM {reached.keys} ORDER BY n DESC, {listed(keys)} LIMIT {_TOP}"
        )
        table = work.table("live", reached.name)
        label = label_of(table, work.live.catalog) if table else None
        shown, join = "NULL", ""
        if label and label not in reached.key:
            on = same([f"r.c{i}" for i in range(len(keys))], [f"t.{k}" for k in keys])
            named = work.stream(
                "live",
                reached.name,
                (*reached.key, label),
                f"SELECT r.* FROM {{rows}} r SEMI JOIN {top} t ON {on}",
            )
            shown, join = f"left(r.c{len(keys)}, 80)", f" LEFT JOIN {named} r ON {on}"
        values = f"{work.number(junction)}, {step}, [{listed(keys, 't.')}], {shown}, t.n"
        work.run(
            f"INSERT INTO loss.reach SELECT {values} FROM {top} t{join} ORDER BY t.n DESC, {listed(keys, 't.')}"
        )
