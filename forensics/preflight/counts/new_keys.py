"""What an UPDATE of a key does to the rows that refer to it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from forensics.model import ForeignKey, TableName
from forensics.model import quote_identifier as q
from forensics.preflight.counts.view import Finding, Subject, View
from forensics.statements.hazards import Hazard

_WRITES = ("cascade", "set null", "set default")


def follow(view: View, subject: Subject, alias: str, condition: str) -> Iterator[Finding]:
    """Say what becomes of rows that refer to keys which an UPDATE changes.

    Args:
        alias: what the statement calls its table.
        condition: which rows of it the UPDATE takes.
    """
    for child, key in view.standing.referring(subject.table):
        referred = view.standing.referred(key)
        if not key.enforced or subject.column not in referred or child not in view.tables:
            continue
        column = key.columns[referred.index(subject.column)]
        hazard = _hazard(subject, child, column)
        news = _news(view, subject, referred)
        if news is None:
            says = f"may change keys that rows of {child} refer to; how many was not counted"
            yield Finding(hazard, None, says)
            continue
        yield from _counted(view, subject, _Moved(alias, condition, key, referred, news), hazard)


def _hazard(subject: Subject, child: TableName, column: str) -> Hazard:
    return replace(subject.hazard, code="update-where", table=child, column=column)


class _Moved:
    """Keys that an UPDATE changes, and how they are asked for."""

    def __init__(
        self,
        alias: str,
        condition: str,
        key: ForeignKey,
        referred: tuple[str, ...],
        news: list[str],
    ) -> None:
        olds = [f"{alias}.{q(c)}" for c in referred]
        self.key, self.alias, self.condition = key, alias, condition
        self.ours = ", ".join(f"c.{q(c)}" for c in key.columns)
        self.olds, self.news = ", ".join(olds), ", ".join(news)
        self.differ = f"({self.news}) IS DISTINCT FROM ({self.olds})"
        if len(news) > 1:
            self.differ = f"ROW({self.news}) IS DISTINCT FROM ROW({self.olds})"


def _counted(view: View, subject: Subject, moved: _Moved, hazard: Hazard) -> Iterator[Finding]:
    table, child = subject.table, hazard.table
    assert child is not None
    source = f"{subject.relation} AS {moved.alias}"
    taken = f"SELECT {moved.olds} FROM {source} WHERE ({moved.condition}) AND {moved.differ}"
    hit = f"({moved.ours}) IN ({taken})"
    does = moved.key.on_update
    if does == "no action":
        # Checked at the statement's end: another row may have the key by then.
        left = (
            f"SELECT {moved.news} FROM {source} WHERE {moved.condition} UNION ALL "
            f"SELECT {moved.olds} FROM {source} WHERE ({moved.condition}) IS NOT TRUE"
        )
        hit += f" AND ({moved.ours}) NOT IN ({left})"
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
