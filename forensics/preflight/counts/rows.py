"""Rows that go, and values that are overwritten."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from forensics.model import TableName
from forensics.model import quote_identifier as q
from forensics.preflight.counts import conflicts, new_keys
from forensics.preflight.counts.view import Finding, Subject, View
from forensics.preflight.forecast.expressions import alias_of
from forensics.preflight.forecast.hanging import Deletion, Hanging
from forensics.preflight.surroundings import Beside
from forensics.statements.hazards import Hazard
from forensics.text import listed


def delete(view: View, subject: Subject) -> Iterator[Finding]:
    """DELETE, or a MERGE that deletes: the rows, and what hangs on them."""
    node = subject.hazard.node
    alias = alias_of(node.relation)
    if node.DESCRIPTOR.name == "MergeStmt":
        condition = view.expressions.merged(node)
    else:
        condition = view.expressions.condition(node, node.using_clause)
    source = f"{subject.relation} AS {alias}"
    rows = view.count(f"SELECT count(*) FROM {source} WHERE {condition}")
    yield subject.would(f"deletes {rows:,} rows of {subject.table}", rows)
    if not rows:
        return
    deletion = Deletion(view.standing, subject.table, alias, condition)
    for one in deletion.hanging():
        child = view.tables[one.child].relation
        hit = view.count(f"SELECT count(*) FROM {child} AS c WHERE {one.hit}")
        if hit:
            yield _hanging(view, subject, one, hit)


def _hanging(view: View, subject: Subject, one: Hanging, rows: int) -> Finding:
    """What becomes of rows that refer to those that a DELETE takes."""
    child = one.child
    hazard = Hazard(
        "delete-cascades",
        subject.hazard.line,
        subject.hazard.sql,
        child,
        None,
        one.columns,
        within=subject.hazard.within,
        node=subject.hazard.node,
    )
    if one.does == "cascade":
        says = f"deletes {rows:,} rows of {child} with them (ON DELETE CASCADE)"
        return Finding(hazard, rows, says)
    if one.does in ("set null", "set default"):
        column = one.columns[0]
        does = one.does.upper()
        places = listed([f"{child}.{name}" for name in one.columns])
        says = f"empties {places} in {rows:,} rows (ON DELETE {does})"
        return Finding(replace(hazard, column=column), rows, says)
    refer = f"{rows:,} rows of {child} refer to rows that it deletes"
    first = _taking_first(view, subject.table, child)
    if first is None:
        return Finding(hazard, rows, f"fails: {refer}", fails=True)
    # Whether the rows still refer to it by then, only running it tells.
    says = f"{refer}; {first.name} of {subject.table} may take them first"
    return Finding(hazard, None, says)


def _taking_first(view: View, table: TableName, child: TableName) -> Beside | None:
    """A trigger or rule of a table that may delete or change rows of another on a DELETE."""
    for beside in view.around.set_off(table, "delete"):
        reader = view.forecast.reader(view.around.functions)
        for hazard in reader.defined(beside.definition, ""):
            if hazard.table == child or hazard.table is None:
                return beside
    return None


def update(view: View, subject: Subject) -> Iterator[Finding]:
    """UPDATE, or what else overwrites values of a column."""
    node = subject.hazard.node
    what = f"{subject.table}.{subject.column}"
    kind = node.DESCRIPTOR.name
    if kind == "InsertStmt":
        yield conflicts.update(view, subject)
        return
    alias = alias_of(node.relation)
    held = f"{alias}.{q(subject.column)}"
    if kind == "MergeStmt":
        condition = view.expressions.merged(node, subject.column)
        other = ""
    else:
        condition = view.expressions.condition(node, node.from_clause)
        other = _other(view, subject, held)
    (row,) = view.asking.ask(
        f"SELECT count(*) FILTER (WHERE {held} IS NOT NULL{other}) AS taken, "
        f"count(*) FILTER (WHERE {held} IS NULL) AS filled "
        f"FROM {subject.relation} AS {alias} WHERE {condition}"
    )
    says = f"overwrites {row['taken']:,} values of {what}"
    if row["filled"]:
        says += f" and fills {row['filled']:,} NULLs"
    yield subject.would(says, row["taken"])
    if kind == "UpdateStmt":
        yield from new_keys.follow(view, subject, alias, condition)


def _other(view: View, subject: Subject, held: str) -> str:
    """The condition that the value an UPDATE gives is another, where that can be asked."""
    node = subject.hazard.node
    if node.from_clause or node.HasField("with_clause"):
        return ""
    for item in node.target_list:
        target = item.res_target
        if target.name == subject.column:
            value = view.expressions.assigned(target)
            return f" AND ({value})::text IS DISTINCT FROM {held}::text"
    return ""
