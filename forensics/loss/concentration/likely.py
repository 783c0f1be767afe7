"""Conditions that may tell lost rows from others: found on samples, to be counted afterwards."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from forensics.loss.concentration.axes import Axis
from forensics.loss.concentration.conditions import Condition
from forensics.loss.concentration.evidence import Tally, tried
from forensics.loss.concentration.ranges import dense
from forensics.loss.concentration.values import Values

_SLACK = 0.7  # what is found on samples is not exact
_MOST_VALUES = 4  # of a column; each holds a sixth of the rows at least
_MOST_OF_COLUMN, _MOST = 3, 8
_ELIDED = "…"  # a long text


class Column(NamedTuple):
    """A column as lost rows have it, and as samples of all rows of the table do."""

    axis: Axis
    lost: Values
    rows: Values


class _Scored(NamedTuple):
    evidence: float
    simplicity: float
    place: int
    condition: Condition


def likely(
    columns: Sequence[Column], rate: float, *, references_only: bool = False
) -> list[Condition]:
    """Return the conditions that may be worth saying, the likeliest first.

    Args:
        columns: what is searched.
        rate: which share of all rows is lost.
        references_only: whether only values of what refers to others may be told.
    """
    scored: list[_Scored] = []
    many = tried(len(columns), columns[0].rows.rows)
    for place, column in enumerate(columns):
        if references_only and column.axis.parent is None:
            continue
        found = _values(column)
        if not references_only:
            found += _presence(column) + _bounds(column, rate)
        of_column = []
        for condition in found:
            tally = _tally(column, condition, rate)
            if tally.stands_out(_SLACK) and tally.beats_chance(many, _SLACK):
                simplicity = condition.simplicity
                of_column.append(_Scored(-tally.evidence, simplicity, place, condition))
        of_column.sort(key=_likeliest_first)
        scored += of_column[:_MOST_OF_COLUMN]
    scored.sort(key=_likeliest_first)
    return [one.condition for one in scored[:_MOST]]


def _likeliest_first(one: _Scored) -> tuple[float, float, int]:
    return one.evidence, one.simplicity, one.place


def _tally(column: Column, condition: Condition, rate: float) -> Tally:
    lost, rows = column.lost.count(condition), column.rows.count(condition)
    # A sample may hold none of them; those that are lost are rows, too.
    least = math.ceil(lost / column.lost.rows * rate * column.rows.rows)
    return Tally(lost, max(rows, least), column.lost.rows, max(column.rows.rows, least))


def _values(column: Column) -> list[Condition]:
    """The values that many lost rows have, NULL among them."""
    many = max(column.lost.rows // 6, 1)
    found = []
    for value in column.lost.frequent(many, _MOST_VALUES):
        if value is None:
            found.append(Condition(column.axis, "null"))
        elif value != _ELIDED:
            found.append(Condition(column.axis, "equal", value))
    return found


def _presence(column: Column) -> list[Condition]:
    if not column.axis.nullable:
        return []
    return [Condition(column.axis, "not null")]


def _bounds(column: Column, rate: float) -> list[Condition]:
    """Bounds between which lost rows are dense."""
    if not column.axis.ordered:
        return []
    lost, rows = column.lost, column.rows
    found = []
    for low, high in dense(lost.numbers, rows.numbers, lost.rows, rows.rows, rate):
        if low == high:
            continue
        if low is None:
            found.append(Condition(column.axis, "at most", high=high))
        elif high is None:
            found.append(Condition(column.axis, "at least", low=low))
        else:
            found.append(Condition(column.axis, "between", low=low, high=high))
    return found
