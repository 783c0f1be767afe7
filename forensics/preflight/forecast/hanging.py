"""What refers to the rows that a DELETE takes, and goes with them or stands in its way."""

from __future__ import annotations

from dataclasses import dataclass, replace

from forensics.model import ForeignKey, TableName
from forensics.model import quote_identifier as q
from forensics.preflight.forecast.standing import Standing


@dataclass(frozen=True)
class Hanging:
    """Rows of a table that refer to rows which a DELETE takes.

    Attributes:
        child: the table.
        does: what becomes of them: "cascade", "set null", …
        columns: those that refer.
        hit: the condition under which a row `c` of the table is one.
    """

    child: TableName
    does: str
    columns: tuple[str, ...]
    hit: str


class Deletion:
    """A DELETE of some rows of a table, as the tables would stand before it.

    Args:
        standing: the tables.
        name: the one that rows are deleted from.
        alias: what `condition` calls it.
        condition: which rows.
    """

    def __init__(
        self,
        standing: Standing,
        name: TableName,
        alias: str,
        condition: str,
    ) -> None:
        self._standing = standing
        self._name = name
        self._alias = alias
        self._condition = condition
        # By table that rows go from with it: the conditions, and the columns that refer.
        self._hits: dict[TableName, list[str]] = {}
        self._columns: dict[TableName, dict[str, None]] = {}
        self._others: list[Hanging] = []

    def hanging(self) -> list[Hanging]:
        """What refers to its rows, each table once for what cascades to it, by whichever ways.

        A row that goes with a cascade is neither an obstacle nor emptied.
        """
        for parent in self._downward():
            self._follow(parent)
        found = []
        for child, columns in self._columns.items():
            found.append(
                Hanging(
                    child,
                    "cascade",
                    tuple(columns),
                    _any_of(self._hits[child]),
                )
            )
        for one in self._others:
            found.append(self._not_going(one))
        return [self._besides(one) for one in found]

    def _follow(self, parent: TableName) -> None:
        """Note what refers to the rows that go from a table."""
        alias, taken = self._taken(parent)
        relation = self._standing.tables[parent].relation
        for child, key in self._standing.referring(parent):
            if not key.enforced:
                continue
            ours = _listed("c", key.columns)
            theirs = _listed(alias, self._standing.referred(key))
            rows = f"SELECT {theirs} FROM {relation} AS {alias} WHERE {taken}"
            hit = f"({ours}) IN (SELECT * FROM {self._standing.layers.lay(rows)})"
            if not key.deletes:
                written = key.empties or key.columns
                self._others.append(Hanging(child, key.on_delete, written, hit))
            elif child != parent or parent == self._name:
                self._hits.setdefault(child, []).append(hit)
                self._columns.setdefault(child, {}).update(dict.fromkeys(key.columns))

    def _taken(self, parent: TableName) -> tuple[str, str]:
        """The alias of a table, and the condition under which a row goes from it."""
        if parent == self._name:
            taken = with_own(self._standing, parent, self._alias, self._condition)
            return self._alias, taken
        taken = with_own(self._standing, parent, "c", _any_of(self._hits[parent]))
        self._hits[parent] = [taken]
        return "c", taken

    def _not_going(self, one: Hanging) -> Hanging:
        """Rows that do not go with a cascade anyway."""
        going = self._hits.get(one.child)
        if not going or one.child == self._name:
            return one
        return replace(one, hit=f"{one.hit} AND {_any_of(going)} IS NOT TRUE")

    def _besides(self, one: Hanging) -> Hanging:
        """Of a table that refers to itself, only the rows that the DELETE does not name."""
        if one.child != self._name:
            return one
        _, first = self._standing.referring(one.child)[0]
        keys = self._standing.referred(first)
        ours, theirs = _listed("c", keys), _listed(self._alias, keys)
        relation = self._standing.tables[one.child].relation
        taken = f"SELECT {theirs} FROM {relation} AS {self._alias} WHERE {self._condition}"
        return replace(
            one,
            hit=f"{one.hit} AND (({ours}) IN ({taken})) IS NOT TRUE",
        )

    def _downward(self) -> list[TableName]:
        """The table and those that its deletes cascade to.

        Each comes after all that cascade to it, as far as they go round in no circle.
        """
        finished: dict[TableName, None] = {}
        started = {self._name}
        waiting = [(self._name, iter(self._standing.referring(self._name)))]
        while waiting:
            parent, keys = waiting[-1]
            for child, key in keys:
                if key.deletes and child not in started:
                    started.add(child)
                    waiting.append((child, iter(self._standing.referring(child))))
                    break
            else:
                finished[parent] = None
                waiting.pop()
        return list(reversed(finished))


def with_own(standing: Standing, name: TableName, alias: str, condition: str) -> str:
    """The condition under which a DELETE takes a row of a table that refers to itself.

    With a row goes what hangs on it, and what hangs on that.
    """
    key = _own_cascade(standing, name)
    if key is None:
        return condition
    relation = standing.tables[name].relation
    parent = standing.referred(key)
    taken, hung = _listed(alias, parent), _listed("c", parent)
    names = ", ".join(f"k{i}" for i in range(len(parent)))
    on = " AND ".join(f"c.{q(c)} = p.k{i}" for i, c in enumerate(key.columns))
    layer = standing.layers.lay(
        f"SELECT * FROM (WITH RECURSIVE taken ({names}) AS ("
        f"SELECT {taken} FROM {relation} AS {alias} WHERE {condition} "
        f"UNION SELECT {hung} FROM {relation} AS c JOIN taken AS p ON {on}) "
        f"SELECT * FROM taken) AS all_taken"
    )
    return f"({taken}) IN (SELECT * FROM {layer})"


def _own_cascade(standing: Standing, name: TableName) -> ForeignKey | None:
    """The first foreign key by which deletes in a table cascade to itself."""
    for key in standing.tables[name].table.foreign_keys:
        if key.parent == name and key.deletes:
            return key
    return None


def _listed(alias: str, columns: tuple[str, ...]) -> str:
    return ", ".join(f"{alias}.{q(c)}" for c in columns)


def _any_of(conditions: list[str]) -> str:
    return f"({' OR '.join(conditions)})"
