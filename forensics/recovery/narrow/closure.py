"""What belongs to the rows that were named: down along the references, and never sideways.

A row belongs where it names a row that does, with two borders. One that names another row of the
named table itself belongs to that one (a junction row belongs to each of its parents). And of the
named table only the rows that were named belong, with what hangs below them in the table itself.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import duckdb

from forensics.errors import UsageError
from forensics.loss.sql import present
from forensics.model import TableName
from forensics.recovery.narrow.edges import Edge
from forensics.recovery.narrow.nodes import Nodes
from forensics.recovery.narrow.survivors import THE, Survivors
from forensics.recovery.narrow.wanted import Reader, Wanted
from forensics.store import Store, tables_of
from forensics.text import counted, listed


class Closure:
    """Finds what belongs to rows of one table.

    Args:
        store: the case.
        cursor: on it; tables `belongs_N` are made of what belongs.
        edges: what refers to what.
        junctions: the tables whose rows belong to each of their parents.

    Attributes:
        used: the references by which rows were found.
        notes: what else is to be known of how they were, a sentence each.
    """

    def __init__(
        self,
        store: Store,
        cursor: duckdb.DuckDBPyConnection,
        edges: Sequence[Edge],
        junctions: Collection[TableName],
    ) -> None:
        self._store, self._cursor = store, cursor
        self._edges, self._junctions = edges, junctions
        self._there = tables_of(cursor)
        self.used: set[Edge] = set()
        self.notes: list[str] = []
        self._results = {result.name: result for result in store.results()}
        self._values = {entry.name for entry in store.overwritten() or () if entry.destroyed}

    def find(self, wanted: Sequence[Wanted], reader: Reader, survivors: Survivors) -> None:
        """Add what belongs to some rows to the tables `belongs_N`.

        Args:
            wanted: which rows, of one table.
            reader: finds them.
            survivors: fetches rows that live on.

        Raises:
            UsageError: no row is meant.
            QueryError: DuckDB refuses a condition.
        """
        root = wanted[0].name
        useful = self._useful(root)
        within = [e for e in self._edges if e.parent in useful and e.child in useful]
        self._nodes = Nodes(self._store, self._cursor, root, useful, within, wanted)
        self._nodes.lay_out(survivors)
        for one in wanted:
            self._expect(one, reader, survivors)
        in_itself, down = [], []
        for edge in within:
            if edge.child != root:
                down.append(edge)
            elif edge.parent == root:
                in_itself.append(edge)
        self._descend(in_itself, within, root)
        self._descend(down, within, root)
        self._keep(useful)

    # --- which tables, which columns ----------------------------------------------------------

    def _useful(self, root: TableName) -> list[TableName]:
        """The tables below the named one from which references lead to rows that differ."""
        below = _reached([root], self._edges)
        bearing = []
        for name in below:
            result = self._results.get(name)
            if (result and result.missing) or name in self._values:
                bearing.append(name)
        turned = []
        for edge in self._edges:
            if edge.parent in below and edge.child in below:
                turned.append(Edge(edge.parent, (), edge.child, ()))
        useful = _reached(bearing, turned)
        return [name for name in below if name in useful or name == root]

    # --- the rows that were named -------------------------------------------------------------

    def _expect(self, one: Wanted, reader: Reader, survivors: Survivors) -> None:
        """Mark the rows that were named.

        Raises:
            UsageError: there are none.
        """
        if self._seed(one, reader):
            return
        if self._seed_by_live(one, reader):
            self.notes.append(
                f"No row of {one.name} satisfied {one.said} at the backup: "
                "the rows were taken that satisfy it in live."
            )
            return
        if one.name not in survivors.read and self._lives_on(one, reader, survivors):
            return  # and nothing of what belongs to them is lost
        raise UsageError(self._nothing(one, survivors), _HINT)

    def _lives_on(self, wanted: Wanted, reader: Reader, survivors: Survivors) -> bool:
        """Whether rows that live on are meant, which no row below names."""
        try:
            survivors.fetch(self._cursor, wanted.name, wanted.columns, "others")
        except UsageError:
            return False  # no side is at hand

        def rows() -> Any:
            found = self._cursor.sql("SELECT row_number() OVER () AS n, o.* FROM others o")
            return found.to_arrow_reader().__arrow_c_stream__()

        return bool(len(reader.matching(wanted, rows)))

    def _seed(self, wanted: Wanted, reader: Reader) -> int:
        """Mark the rows that were named; return how many."""
        nodes = self._nodes
        node = nodes.table(wanted.name)
        listing = ""
        for place, column in enumerate(wanted.columns):
            listing += f", {nodes.field(wanted.name, column)} AS c{place}"

        def rows() -> Any:
            found = self._cursor.sql(f"SELECT node AS n{listing} FROM {node}")
            return found.to_arrow_reader().__arrow_c_stream__()

        found = reader.matching(wanted, rows)
        self._cursor.register("named", found)
        self._add(wanted.name, "SELECT n AS node FROM named")
        self._cursor.unregister("named")
        return len(found)

    def _seed_by_live(self, wanted: Wanted, reader: Reader) -> int:
        """Mark rows that were changed since, and that live's values name; return how many."""
        name = wanted.name
        number, held = self._store.number(name), self._store.columns(name, "live")
        if f"rows.live_{number}" not in self._there or not {*wanted.columns} <= {*held}:
            return 0
        listing = ""
        for place, column in enumerate(wanted.columns):
            listing += f", f{held.index(column)} AS c{place}"

        def rows() -> Any:
            kept = f"rows.live_{number} WHERE state = 'changed'"
            found = self._cursor.sql(f"SELECT pair AS n{listing} FROM {kept}")
            return found.to_arrow_reader().__arrow_c_stream__()

        found = reader.matching(wanted, rows)
        self._cursor.register("named", found)
        node = self._nodes.table(name)
        self._add(name, f"SELECT d.node FROM {node} d JOIN named m ON m.n = d.pair")
        self._cursor.unregister("named")
        return len(found)

    def _add(self, name: TableName, query: str) -> int:
        """Mark nodes that are not yet; return how many that were."""
        node = self._nodes.table(name)
        added = self._cursor.execute(
            f"INSERT INTO new_{node} SELECT DISTINCT q.node FROM ({query}) q "
            f"WHERE q.node NOT IN (SELECT node FROM in_{node}) "
            f"AND q.node NOT IN (SELECT node FROM new_{node})"
        ).fetchall()
        return int(added[0][0])

    def _nothing(self, wanted: Wanted, survivors: Survivors) -> str:
        """What to say where no row is meant: what was looked through."""
        result = self._results[wanted.name]
        looked = [counted(result.missing or 0, "missing row")]
        if self._nodes.by_keys:
            below = sorted({str(e.child) for e in self._edges if e.parent == wanted.name})
            looked.append(f"the keys that rows of {listed(below)} name")
        if result.changed and not self._nodes.by_keys:
            looked.append(counted(result.changed, "changed row"))
        role = survivors.read.get(wanted.name)
        if role:
            looked.append(f"the rows that live on, as {THE[role]} has them")
        return f"No row of {wanted.name} satisfies {wanted.said}. Looked through {listed(looked)}."

    # --- downwards ----------------------------------------------------------------------------

    def _descend(self, edges: Sequence[Edge], within: Sequence[Edge], root: TableName) -> None:
        """Mark what names marked rows, and what names that, until nothing is added."""
        nodes = self._nodes
        for name in nodes.names:
            self._refill(name)
        while True:
            fresh = {name for name in nodes.names if self._count(f"new_{nodes.table(name)}")}
            if not fresh:
                return
            for name in fresh:
                node = self._nodes.table(name)
                self._cursor.execute(f"CREATE OR REPLACE TEMP TABLE last_{node} AS FROM new_{node}")
                self._cursor.execute(f"INSERT INTO in_{node} FROM new_{node}")
                self._cursor.execute(f"DELETE FROM new_{node}")
            for edge in edges:
                if edge.parent not in fresh:
                    continue
                if self._add(edge.child, self._named_by(edge, within, root)):
                    self.used.add(edge)

    def _refill(self, name: TableName) -> None:
        """Have all that is marked be looked at once more, by other references."""
        node = self._nodes.table(name)
        self._cursor.execute(f"INSERT INTO new_{node} FROM in_{node}")
        self._cursor.execute(f"DELETE FROM in_{node}")

    def _named_by(self, edge: Edge, within: Sequence[Edge], root: TableName) -> str:
        """The query for rows that name a row which was marked last, and belong to no other."""
        nodes = self._nodes
        node = nodes.table(edge.child)
        found = nodes.refers(edge, "r", f"last_{self._nodes.table(edge.parent)}")
        query = f"SELECT r.node FROM {node} r WHERE {found}"
        if edge.parent == root or edge.child in self._junctions:
            return query
        own = [e for e in within if e.parent == root and e.child == edge.child]
        if not own:
            return query
        whose, ours = [], []
        for one in own:
            fields = nodes.fields("r", one.child, one.columns)
            whose.append(f"({present(fields)} AND {nodes.means(one, 'r')})")
            ours.append(nodes.refers(one, "r", f"in_{self._nodes.table(root)}"))
        return f"{query} AND (NOT ({' OR '.join(whose)}) OR {' OR '.join(ours)})"

    def _count(self, table: str) -> int:
        return int(self._cursor.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0])

    # --- what came of it ----------------------------------------------------------------------

    def _keep(self, useful: Sequence[TableName]) -> None:
        """Add the case's rows among what belongs to `belongs_N`."""
        for name in useful:
            number, node = self._store.number(name), self._nodes.table(name)
            if number is None:
                continue
            self._cursor.execute(f"CREATE TEMP TABLE IF NOT EXISTS belongs_{number} (pair BIGINT)")
            self._cursor.execute(
                f"INSERT INTO belongs_{number} SELECT n.pair FROM {node} n JOIN in_{node} USING "
                f"(node) WHERE n.pair IS NOT NULL AND n.pair NOT IN "
                f"(SELECT pair FROM belongs_{number})"
            )


_HINT = "Values are those of the backup; look at them with: forensics query BACKUP 'SELECT …'"


def _reached(start: Sequence[TableName], edges: Sequence[Edge]) -> list[TableName]:
    """Some tables and all from which references lead to them."""
    children: dict[TableName, list[TableName]] = {}
    for edge in edges:
        children.setdefault(edge.parent, []).append(edge.child)
    found = dict.fromkeys(start)
    waiting = list(found)
    while waiting:
        for child in children.get(waiting.pop(), ()):
            if child not in found:
                found[child] = None
                waiting.append(child)
    return list(found)
