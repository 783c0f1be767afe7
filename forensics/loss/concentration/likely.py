"""Conditions that may tell lost rows from others: found on samples, to be counted afterwards."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from forensics.loss.concentration.axes import Axis
from forensics.loss.concentration.conditions import Condition
from forensics.loss.concentration.evidence import Tally
from forensics.loss.concentration.ranges import dense
from forensics.loss.workspace import Workspace

_SLACK = 0.7  # what is found on samples is not exact
_MOST_VALUES = 4  # of a column; each holds a quarter of the rows
_MOST_OF_COLUMN, _MOST = 3, 8


@dataclass(frozen=True)
class Samples:
    """What is searched: working tables with columns v0, v1, … in the order of `axes`.

    Attributes:
        lost, rows: of the lost rows, and of all rows of the table.
        rate: which share of all rows is lost.
        references_only: whether only values of what refers to others may be told.
    """

    work: Workspace
    axes: Sequence[Axis]
    lost: str
    rows: str
    rate: float
    references_only: bool = False


def likely(samples: Samples) -> list[Condition]:
    """Return the conditions that may be worth saying, the likeliest first."""
    work = samples.work
    of_lost, of_rows = work.count(samples.lost), work.count(samples.rows)
    listed: list[tuple[int, Condition]] = []
    for number, axis in enumerate(samples.axes):
        if samples.references_only and axis.parent is None:
            continue
        found = _values(samples, number, of_lost)
        if axis.ordered and not samples.references_only:
            found += _bounds(samples, number, of_lost, of_rows)
        listed += [(number, condition) for condition in found]
    if not listed or not of_rows:
        return []
    lost, rows = _counts(work, samples.lost, listed), _counts(work, samples.rows, listed)
    scored = []
    for (number, condition), ours, theirs in zip(listed, lost, rows, strict=True):
        least = math.ceil(ours / max(of_lost, 1) * samples.rate * of_rows)
        tally = Tally(ours, max(theirs, least), of_lost, max(of_rows, least))
        if tally.stands_out(_SLACK):
            scored.append((-tally.evidence, condition.simplicity, number, condition))
    scored.sort(key=lambda one: one[:3])
    return _the_best(scored)


def _the_best(scored: Sequence[tuple[float, float, int, Condition]]) -> list[Condition]:
    of_column: dict[int, int] = {}
    found = []
    for _, _, number, condition in scored:
        of_column[number] = of_column.get(number, 0) + 1
        if of_column[number] <= _MOST_OF_COLUMN:
            found.append(condition)
    return found[:_MOST]


def _values(samples: Samples, number: int, of_lost: int) -> list[Condition]:
    """The values that many lost rows have, NULL among them; and that they have any."""
    axis, field = samples.axes[number], f"v{number}"
    many = max(of_lost // 6, 1)
    counted = samples.work.ask(
        f"SELECT {field}, count(*) AS rows FROM {samples.lost} GROUP BY 1 HAVING rows >= {many}"
        f" ORDER BY rows DESC, 1 LIMIT {_MOST_VALUES}"
    )
    found = []
    without = 0
    for value, rows in counted:
        if value is None:
            without = rows
            found.append(Condition(axis, "null"))
        elif value != "…":
            found.append(Condition(axis, "equal", value))
    if axis.nullable and without < of_lost / 2 and not samples.references_only:
        found.append(Condition(axis, "not null"))
    return found


def _bounds(samples: Samples, number: int, of_lost: int, of_rows: int) -> list[Condition]:
    lost = _numbers(samples.work, samples.lost, number)
    rows = _numbers(samples.work, samples.rows, number)
    found = []
    for low, high in dense(lost, rows, of_lost, of_rows, samples.rate):
        if low == high:
            continue
        axis = samples.axes[number]
        if low is None:
            found.append(Condition(axis, "at most", high=high))
        elif high is None:
            found.append(Condition(axis, "at least", low=low))
        else:
            found.append(Condition(axis, "between", low=low, high=high))
    return found


def _numbers(work: Workspace, relation: str, number: int) -> np.ndarray:
    """A column's values, without NULL."""
    field = f"v{number}"
    found = work.db.execute(f"SELECT {field} FROM {relation} WHERE {field} IS NOT NULL")
    return np.asarray(found.fetchnumpy()[field])


def _counts(
    work: Workspace, relation: str, listed: Sequence[tuple[int, Condition]]
) -> tuple[Any, ...]:
    """How many rows meet each condition."""
    asked = []
    for number, condition in listed:
        asked.append(f"count(*) FILTER (WHERE {condition.sql(f'v{number}')})")
    return work.one(f"SELECT {', '.join(asked)} FROM {relation}")
