"""Rows that INSERT … ON CONFLICT DO UPDATE finds there, and overwrites."""

from __future__ import annotations

from typing import Any

from forensics.model import quote_identifier as q
from forensics.preflight.counts.view import Finding, Subject, View
from forensics.preflight.forecast.expressions import alias_of


def update(view: View, subject: Subject) -> Finding:
    """Count the values of one column that it overwrites."""
    node = subject.hazard.node
    what = f"{subject.table}.{subject.column}"
    key, given = _key(subject), _given(subject)
    if not key or given is None or not set(key) <= set(given):
        says = f"overwrites values of {what}; how many is not counted without a rehearsal"
        return subject.would(says, None)
    alias = alias_of(node.relation)
    held = f"{alias}.{q(subject.column)}"
    excluded = _excluded(view, subject, given)
    clause = node.on_conflict_clause
    hit = " AND ".join(f"{alias}.{q(c)} = excluded.{q(c)}" for c in key)
    if clause.HasField("where_clause"):
        hit += f" AND ({view.expressions.expression(clause.where_clause)})"
    value = _value(view, subject)
    (row,) = view.asking.ask(
        f"SELECT count(*) FILTER (WHERE {held} IS NOT NULL AND EXISTS (SELECT 1 FROM {excluded} "
        f"WHERE {hit} AND ({value})::text IS DISTINCT FROM {held}::text)) AS taken, "
        f"count(*) FILTER (WHERE {held} IS NULL AND EXISTS (SELECT 1 FROM {excluded} "
        f"WHERE {hit})) AS filled FROM {subject.relation} AS {alias}"
    )
    says = f"overwrites {row['taken']:,} values of {what}, where rows are there already"
    if row["filled"]:
        says += f", and fills {row['filled']:,} NULLs"
    return subject.would(says, row["taken"])


def _key(subject: Subject) -> tuple[str, ...]:
    """The columns by which it finds rows; none where that is no plain key."""
    infer = subject.hazard.node.on_conflict_clause.infer
    if infer.conname:
        for key in subject.virtual.table.keys:
            if key.name == infer.conname:
                return key.columns
        return ()
    columns = tuple(item.index_elem.name for item in infer.index_elems)
    return columns if all(columns) else ()


def _given(subject: Subject) -> tuple[str, ...] | None:
    """The columns that it gives values; None where that cannot be told."""
    node = subject.hazard.node
    named = tuple(item.res_target.name for item in node.cols)
    select = node.select_stmt.select_stmt
    if _has_defaults(select):
        return None
    if named or not select.values_lists:
        return named or subject.virtual.columns
    return subject.virtual.columns[: len(select.values_lists[0].list.items)]


def _has_defaults(select: Any) -> bool:
    """Whether a VALUES says DEFAULT, or there is nothing at all."""
    for row in select.values_lists:
        if any(item.HasField("set_to_default") for item in row.list.items):
            return True
    return not (select.values_lists or select.target_list or select.HasField("larg"))


def _excluded(view: View, subject: Subject, given: tuple[str, ...]) -> str:
    """The rows that it brings, in the types of the table, as a FROM item."""
    node = subject.hazard.node
    query = view.expressions.query(node.select_stmt)
    if node.HasField("with_clause"):
        query = view.expressions.with_clause(node) + query
    values = []
    for name in given:
        column = subject.virtual.table.column(name)
        cast = f"::{column.type}" if column else ""
        values.append(f"e.{q(name)}{cast} AS {q(name)}")
    names = ", ".join(map(q, given))
    return f"(SELECT {', '.join(values)} FROM ({query}) AS e({names})) AS excluded"


def _value(view: View, subject: Subject) -> str:
    for item in subject.hazard.node.on_conflict_clause.target_list:
        if item.res_target.name == subject.column:
            return view.expressions.assigned(item.res_target)
    return "NULL"
