"""What an UPDATE of a key does to the rows that refer to it, and to those that refer to these."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from forensics.model import ForeignKey, TableName
from forensics.model import quote_identifier as q
from forensics.preflight.counts.view import Finding, Subject, View
from forensics.statements.hazards import Hazard

_WRITES = ("cascade", "set null", "set default")
_DEPTH = 16  # a ring of tables has no end


@dataclass(frozen=True)
class _Changed:
    """Rows of a table whose columns get other values.

    Attributes:
        table: the table.
        column: the column that is followed.
        alias: what `taken` and `left` call its rows.
        taken, left: the rows that are changed, and all others: what stands behind SELECT.
        news: the values that columns get, in SQL.
    """

    table: TableName
    column: str
    alias: str
    taken: str
    left: str
    news: Mapping[str, str]

    def olds_of(self, columns: tuple[str, ...]) -> list[str]:
        """The values that columns have."""
        return [f"{self.alias}.{q(column)}" for column in columns]

    def news_of(self, columns: tuple[str, ...]) -> list[str]:
        """The values that columns get."""
        olds = zip(columns, self.olds_of(columns), strict=True)
        return [self.news.get(column, old) for column, old in olds]


def follow(view: View, subject: Subject, alias: str, condition: str) -> Iterator[Finding]:
    """Say what becomes of rows that refer to keys which an UPDATE changes.

    Args:
        alias: what the statement calls its table.
        condition: which rows of it the UPDATE takes.
    """
    source = f"FROM {subject.relation} AS {alias} WHERE"
    for child, key, referred in _referring(view, subject.table, subject.column):
        hazard = _hazard(subject, child, key, referred, subject.column)
        news = _news(view, subject, referred)
        if news is None:
            says = f"may change keys that rows of {child} refer to; how many was not counted"
            yield Finding(hazard, None, says)
            continue
        changed = _Changed(
            subject.table,
            subject.column,
            alias,
            f"{source} ({condition})",
            f"{source} ({condition}) IS NOT TRUE",
            dict(zip(referred, news, strict=True)),
        )
        yield from _counted(view, _Moved(changed, key, referred), hazard, 1)


def _referring(
    view: View, table: TableName, column: str
) -> Iterator[tuple[TableName, ForeignKey, tuple[str, ...]]]:
    """The keys that refer to a column: of which table, and to which columns in all."""
    for child, key in view.standing.referring(table):
        referred = view.standing.referred(key)
        if key.enforced and column in referred and child in view.tables:
            yield child, key, referred


def _hazard(
    subject: Subject, child: TableName, key: ForeignKey, referred: tuple[str, ...], column: str
) -> Hazard:
    ours = key.columns[referred.index(column)]
    return replace(subject.hazard, code="update-where", table=child, column=ours)


class _Moved:
    """Keys that change, and how the rows that refer to them are asked for."""

    def __init__(self, changed: _Changed, key: ForeignKey, referred: tuple[str, ...]) -> None:
        self.changed, self.key, self.referred = changed, key, referred
        olds, news = changed.olds_of(referred), changed.news_of(referred)
        self.ours = ", ".join(f"c.{q(column)}" for column in key.columns)
        self.olds, self.news = ", ".join(olds), ", ".join(news)
        differ = f"({self.news}) IS DISTINCT FROM ({self.olds})"
        if len(news) > 1:
            differ = f"ROW({self.news}) IS DISTINCT FROM ROW({self.olds})"
        self._taken = f"{changed.taken} AND {differ}"

    @property
    def hit(self) -> str:
        """The condition of rows that refer to one of them."""
        return f"({self.ours}) IN (SELECT {self.olds} {self._taken})"

    @property
    def left(self) -> str:
        """The keys that there are once all of them changed."""
        return (
            f"SELECT {self.news} {self.changed.taken} UNION ALL "
            f"SELECT {self.olds} {self.changed.left}"
        )

    def carried(self, view: View, child: TableName, column: str, depth: int) -> _Changed:
        """What becomes of the rows that refer to them."""
        alias, pairs = f"c{depth}", f"m{depth}"
        numbered = [f"n{number}" for number in range(len(self.referred))]
        said = [f"o{number}" for number in range(len(self.referred))]
        names = ", ".join([*said, *numbered])
        moved = f"(SELECT {self.olds}, {self.news} {self._taken}) AS {pairs} ({names})"
        ours = [f"{alias}.{q(one)}" for one in self.key.columns]
        same = f"({', '.join(ours)}) = ({', '.join(f'{pairs}.{one}' for one in said)})"
        news = {}
        for one, mine, new in zip(self.key.columns, ours, numbered, strict=True):
            news[one] = self._new(view, child, one, mine, f"{pairs}.{new}")
        relation = view.tables[child].relation
        return _Changed(
            child,
            column,
            alias,
            f"FROM {relation} AS {alias} JOIN {moved} ON {same} WHERE true",
            f"FROM {relation} AS {alias} WHERE (({', '.join(ours)}) IN "
            f"(SELECT {self.olds} {self._taken})) IS NOT TRUE",
            news,
        )

    def _new(self, view: View, child: TableName, column: str, ours: str, new: str) -> str:
        if self.key.on_update == "cascade":
            return new
        known = view.tables[child].table.column(column)
        if self.key.on_update == "set default" and known and known.default:
            return f"({known.default})"
        return f"nullif({ours}, {ours})"


def _counted(view: View, moved: _Moved, hazard: Hazard, depth: int) -> Iterator[Finding]:
    table, child = moved.changed.table, hazard.table
    assert child is not None
    assert hazard.column is not None
    hit, does = moved.hit, moved.key.on_update
    if does == "no action":
        # Checked at the statement's end: another row may have the key by then.
        hit += f" AND ({moved.ours}) NOT IN ({moved.left})"
    rows = view.count(f"SELECT count(*) FROM {view.tables[child].relation} AS c WHERE {hit}")
    if not rows:
        return
    if does not in _WRITES:
        says = f"fails: {rows:,} rows of {child} refer to keys of {table} that it changes"
        yield Finding(hazard, rows, says, fails=True)
        return
    verb = "overwrites" if does == "cascade" else "empties"
    says = f"{verb} {child}.{hazard.column} in {rows:,} rows with it (ON UPDATE {does.upper()})"
    yield Finding(hazard, rows, says)
    if depth == _DEPTH:
        return
    carried = moved.carried(view, child, hazard.column, depth)
    for next_, key, referred in _referring(view, child, hazard.column):
        one = replace(hazard, table=next_, column=key.columns[referred.index(hazard.column)])
        yield from _counted(view, _Moved(carried, key, referred), one, depth + 1)


def _news(view: View, subject: Subject, referred: tuple[str, ...]) -> list[str] | None:
    """The values that the key's columns get; None where only running it tells."""
    node = subject.hazard.node
    if node.from_clause or node.HasField("with_clause"):
        return None
    given = {item.res_target.name: item.res_target for item in node.target_list}
    alias = q(node.relation.alias.aliasname or node.relation.relname)
    found = []
    for column in referred:
        if column not in given:
            found.append(f"{alias}.{q(column)}")
            continue
        target = given[column]
        if target.val.HasField("set_to_default") or target.val.HasField("multi_assign_ref"):
            return None
        found.append(view.expressions.assigned(target))
    return found
