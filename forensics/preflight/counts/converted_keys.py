"""Foreign keys that a new type of one of their columns breaks."""

from __future__ import annotations

from collections.abc import Iterator

from forensics.errors import LiveError
from forensics.model import ForeignKey, TableName
from forensics.model import quote_identifier as q
from forensics.preflight.counts.view import Finding, Subject, View, class_of

_NO_OPERATOR = "42"  # the class of SQLSTATEs that say two types cannot be held against each other


def references(view: View, subject: Subject, new: str, value: str) -> Finding | None:
    """Say which foreign key of a column, or to it, cannot stand once it has its new type.

    Args:
        new: the type.
        value: what becomes of a value, in the words of the column's table.
    """
    for child, key in _keys(view, subject):
        referred = view.standing.referred(key)
        if len(referred) != len(key.columns) or key.parent not in view.tables:
            continue
        broken = _broken(view, subject, child, key, (new, value))
        if broken:
            return broken
    return None


def _keys(view: View, subject: Subject) -> Iterator[tuple[TableName, ForeignKey]]:
    """The foreign keys that a column has a part in, with the tables that have them."""
    for key in subject.virtual.table.foreign_keys:
        if subject.column in key.columns:
            yield subject.table, key
    for child, key in view.standing.referring(subject.table):
        if subject.column in view.standing.referred(key) and child != subject.table:
            yield child, key


def _broken(
    view: View, subject: Subject, child: TableName, key: ForeignKey, to: tuple[str, str]
) -> Finding | None:
    referred = view.standing.referred(key)
    new, value = to
    own = subject.table == child
    mine, theirs = (key.columns, referred) if own else (referred, key.columns)
    other = key.parent if own else child
    column = theirs[mine.index(subject.column)]
    held = view.tables[other].table.column(column)
    if held is None:
        return None
    rows = f"FROM {view.tables[child].relation} AS c WHERE c.{q(key.columns[0])} IS NOT NULL"
    try:
        view.count(f"SELECT count(*) FROM (SELECT NULL::{new} = NULL::{held.type}) AS t")
    except LiveError as error:
        if class_of(error) != _NO_OPERATOR:
            raise
        says = (
            f"fails: {other}.{column} is {held.type}, which {new} cannot be held against, and "
            f"foreign key {key.name} of {child} leads from one to the other"
        )
        return subject.fails(says, view.count(f"SELECT count(*) {rows}"))
    if len(key.columns) > 1 or not key.enforced:
        return None
    return _without_parent(view, subject, child, key, value)


def _without_parent(
    view: View, subject: Subject, child: TableName, key: ForeignKey, value: str
) -> Finding | None:
    """The rows whose parent has another value than they have, once one of both is converted."""
    (ours,), (theirs,) = key.columns, view.standing.referred(key)
    own = subject.table == child
    converted = f"SELECT {value} AS v FROM {subject.relation} AS {q(subject.table.table)}"
    if own:
        children = converted
        parents = f"SELECT p.{q(theirs)} FROM {view.tables[key.parent].relation} AS p"
    else:
        children = f"SELECT c.{q(ours)} AS v FROM {view.tables[child].relation} AS c"
        parents = converted
    lost = view.count(
        f"SELECT count(*) FROM ({children}) AS t WHERE t.v IS NOT NULL "
        f"AND NOT EXISTS (SELECT 1 FROM ({parents}) AS p(v) WHERE p.v = t.v)"
    )
    if not lost:
        return None
    says = f"fails: {lost:,} rows of {child} would refer to no row ({key.name})"
    return subject.fails(says, lost)
