"""What the changed values of a column may have in common, each as a condition in SQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from forensics.compare.overwritten.columns import Cell, Only
from forensics.compare.overwritten.computed import X, numbers, objects, texts, times, truths
from forensics.compare.overwritten.defaults import constant_default
from forensics.model import Pattern, quote_literal

Ask = Callable[[str], tuple[Any, ...]]

# What holds nothing, by the kind of a value, beside NULL and the column's default.
_BLANK = {
    "text": ("",),
    "truth": ("f",),
    "json": ("{}", "[]", "null", '""'),
    "other": ("{}", "00000000-0000-0000-0000-000000000000", ""),
}
_EMPTY = "('', '{}', '[]', 'null')"
_READ_AS = ((("whole", "number"), "DOUBLE"), (("time",), "TIMESTAMP"))
_MOST_MERGED = 200  # different old values


@dataclass(frozen=True)
class Candidate:
    """Something that the changed values of a column may have in common.

    Attributes:
        test: the condition of a row of `changed_rows`, in which `X` may stand for `x`: candidates
            that differ in this alone are counted together.
        how: it in words, without a value of a row.
        undoable: whether what stood there follows from what stands there.
        kind: of "computed", what was done: "shifted", "multiplied", "negated" or "".
        source: of "copied", the column; `written` whether its values changed too.
    """

    pattern: Pattern
    test: str
    how: str
    undoable: bool = False
    kind: str = ""
    source: str | None = None
    source_field: str | None = None
    x: str = ""

    @property
    def holds(self) -> str:
        """The condition of a row of `changed_rows`."""
        return self.test.replace(X, self.x) if self.x else self.test


def stood(cell: Cell) -> str:
    """The condition that a value stood in a cell, and not nothing."""
    return f"({cell.old} IS NOT NULL AND {cell.old} NOT IN {_EMPTY})"


def candidates(
    cell: Cell, ask: Ask, cells: Sequence[Cell], apart: Sequence[Only]
) -> Iterator[Candidate]:
    """What a column's changed values may have in common, the simplest first.

    Args:
        cell: the column.
        ask: runs a query over `picked`, the sampled rows in which the column changed, and returns
            its first row.
        cells, apart: the columns of the table that values may be copied from.
    """
    yield from _constants(cell, ask)
    yield from _copies(cell, cells, apart)
    for pattern in _COMPUTED.get(cell.kind, ()):
        for found in pattern(cell, ask):
            yield Candidate(
                "computed", found.test, found.how, found.undoable, found.kind, x=found.x
            )


def _constants(cell: Cell, ask: Ask) -> Iterator[Candidate]:
    most, nulls, every = ask(
        f"SELECT mode({cell.new}), count(*) - count({cell.new}), count(*) FROM picked"
    )
    if 2 * nulls >= every or most is None:
        yield Candidate("blanked", f"{cell.new} IS NULL", "set to NULL")
        return
    holds = f"{cell.new} = {quote_literal(most)}"
    if _is_blank(cell, most):
        yield Candidate("blanked", holds, f"set to {_blank_in_words(cell, most)}")
    elif most == constant_default(cell.now):
        yield Candidate("blanked", holds, "set to the column's default")
    else:
        yield Candidate("constant", holds, "set to one value")


def _is_blank(cell: Cell, value: str) -> bool:
    if cell.kind in ("whole", "number"):
        return not value.strip("0.")
    return not value.strip() or value in _BLANK.get(cell.kind, ())


def _blank_in_words(cell: Cell, value: str) -> str:
    if cell.kind == "truth":
        return "false"
    if cell.kind in ("whole", "number"):
        return "0"
    return "nothing but blanks" if value and not value.strip() else "an empty value"


def _copies(cell: Cell, cells: Sequence[Cell], apart: Sequence[Only]) -> Iterator[Candidate]:
    for other in cells:
        if other is not cell:
            for field in (other.new, other.old):
                yield _copy(cell, other, field, other.old)
    for only in apart:
        yield _copy(cell, only, only.field, None)


def _copy(cell: Cell, other: Cell | Only, field: str, old: str | None) -> Candidate:
    name, test = other.name, f"{cell.new} = {X}"
    for kinds, kind in _READ_AS:
        if other.kind in kinds or cell.kind in kinds:
            as_read = f"TRY_CAST({cell.new} AS {kind}) = TRY_CAST({X} AS {kind})"
            test = f"({test} OR coalesce({as_read}, false))"
    return Candidate(
        "copied",
        test,
        f"copied from {name}",
        source=name,
        source_field=old,
        x=field,
    )


_COMPUTED = {
    "text": (texts,),
    "number": (numbers,),
    "whole": (numbers,),
    "time": (times,),
    "truth": (truths,),
    "json": (objects,),
}


def merged(cell: Cell, ask: Ask) -> Candidate | None:
    """The pattern that several old values became one new one, each always the same."""
    olds, news, rows = ask(
        f"SELECT count(DISTINCT {cell.old}), count(DISTINCT {cell.new}), count(*) FROM picked"
    )
    if not 2 <= news < olds <= _MOST_MERGED or 2 * olds > rows:
        return None
    (pairs, of, back) = ask(
        f"""
        SELECT list((o, n)), sum(rows) / (SELECT count(*) FROM picked), count(*) FILTER (o IN (
               SELECT {cell.new} FROM picked WHERE {cell.new} IS NOT NULL))
          FROM (SELECT {cell.old} AS o, {cell.new} AS n, count(*) AS rows FROM picked
                 WHERE {cell.old} IS NOT NULL AND {cell.new} IS NOT NULL
                 GROUP BY 1, 2
                QUALIFY row_number() OVER (PARTITION BY {cell.old} ORDER BY count(*) DESC) = 1)
        """
    )
    if not pairs or of < 0.5 or back:
        return None  # a step of a workflow leads to where the next one begins
    listed = ", ".join(f"({quote_literal(o)}, {quote_literal(n)})" for o, n in map(_both, pairs))
    return Candidate(
        "merged",
        f"({cell.old}, {cell.new}) IN ({listed})",
        "several values became one, in each of several groups",
    )


def _both(pair: Any) -> tuple[str, str]:
    if isinstance(pair, dict):
        first, second = pair.values()
        return str(first), str(second)
    return str(pair[0]), str(pair[1])
