"""One UPDATE a table, out of a temporary table with what stood there and what stands there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import IO

from forensics.recovery.choose.overwritten import Values
from forensics.recovery.write.sqltext import (
    array,
    block,
    comment,
    emit,
    literal,
    lock,
    psql_text,
    quoted,
    tag_for,
)


def write_values(out: IO[str], every: Sequence[Values], *, fire: bool = False) -> None:
    """Write the part of `recovery.sql` that brings overwritten values back.

    It comes after the rows: references then find them.

    Args:
        fire: the application's triggers stay awake.
    """
    for n, values in enumerate(every, 1):
        names = comment(", ".join(values.names))
        emit(out, f"\n-- Overwritten values of {comment(values.name)}: {names}.")
        _stage(out, n, values)
        for statement in orphans(n, values):
            emit(out, f"SELECT {statement} AS orphans \\gset")
        _update(out, n, values, back=True, fire=fire)
        said = f"Recovered: rows of {comment(values.name)} that have values of {names} again:"
        emit(out, f"\\echo {psql_text(said)} :written")
        emit(
            out,
            f"SELECT count(*) AS kept FROM pg_temp.overwritten_{n} v "
            f"JOIN {values.source} t ON {same(values)} WHERE {held(values, back=True, kept=True)}"
            " \\gset",
            f"\\echo {psql_text('Kept, because they were written since: rows of')} "
            f"{psql_text(comment(values.name))}: :kept",
        )


def write_undo_values(out: IO[str], every: Sequence[Values], *, fire: bool = False) -> None:
    """Write the part of `undo.sql` that puts back what stood before.

    Only where the value is still the one that came back. It comes before the rows go.
    """
    for n, values in reversed([*enumerate(every, 1)]):
        emit(out, f"\n-- Values of {comment(values.name)} that had come back.")
        _stage(out, n, values)
        _update(out, n, values, back=False, fire=fire)
        emit(out, f"DROP TABLE pg_temp.overwritten_{n};")


def _update(out: IO[str], n: int, values: Values, *, back: bool, fire: bool) -> None:
    """Write the values in one statement, while triggers sleep."""
    table = literal(values.name.sql)
    statement = set_values(n, values, back=back)
    tag = tag_for(statement)
    if not fire:
        emit(out, block([f"  PERFORM pg_temp.sleep({table});"]))
    emit(out, f"SELECT pg_temp.set_values({table}, {tag}{statement}{tag}) AS written \\gset")
    emit(out, block(["  PERFORM pg_temp.wake();"]))


def set_values(n: int, values: Values, *, back: bool, where: str = "") -> str:
    """The UPDATE: of what was overwritten, or back to that.

    Args:
        n: the number of its temporary table.
        where: a condition beside its own.
    """
    was, now = ("b", "a") if back else ("a", "b")
    sets = []
    for i, name in enumerate(quoted(values.names)):
        stands = _equal(f"t.{name}", f"v.{now}{i}")
        sets.append(f"{name} = CASE WHEN v.m{i} AND {stands} THEN v.{was}{i} ELSE t.{name} END")
    more = f" AND {where}" if where else ""
    return (
        f"UPDATE {values.source} t SET {', '.join(sets)} FROM pg_temp.overwritten_{n} v "
        f"WHERE {same(values)} AND ({held(values, back=back)}){more}"
    )


def held(values: Values, *, back: bool, kept: bool = False) -> str:
    """The condition that a row holds what was written over a value, or the value again.

    Args:
        back: what was written over it.
        kept: instead, that one of its values is neither.
    """
    return " OR ".join(f"({term})" for term in held_each(values, back=back, kept=kept))


def held_each(values: Values, *, back: bool, kept: bool = False) -> list[str]:
    """That condition of each column by itself."""
    terms = []
    for i, name in enumerate(quoted(values.names)):
        column = f"t.{name}"
        ours, theirs = _equal(column, f"v.b{i}"), _equal(column, f"v.a{i}")
        if kept:
            terms.append(f"v.m{i} AND NOT {ours} AND NOT {theirs}")
        else:
            terms.append(f"v.m{i} AND {theirs if back else ours}")
    return terms


def orphans(n: int, values: Values) -> list[str]:
    """The calls that leave out references to rows which are not there."""
    calls = []
    names = values.names
    for link in values.links:
        marks, given = [], []
        for column, name in zip(link.columns, quoted(link.columns), strict=True):
            if column in names:
                i = names.index(column)
                marks.append(f"m{i}")
                given.append(f"(CASE WHEN v.m{i} THEN v.b{i} ELSE t.{name} END)")
            else:
                given.append(f"t.{name}")
        calls.append(
            f"pg_temp.leave_orphans('overwritten_{n}', {literal(values.source)}, "
            f"{literal(same(values))}, {array(marks)}, {array(given)}, "
            f"{literal(link.parent.sql)}, {array(link.parent_columns)})"
        )
    return calls


def staged(n: int, values: Values) -> tuple[str, list[str]]:
    """The statement that makes the temporary table, of live's own types; and its columns."""
    columns = []
    parts = []
    for i, name in enumerate(quoted(values.key)):
        columns.append(f"k{i}")
        parts.append(f"t.{name} AS k{i}")
    for i, name in enumerate(quoted(values.names)):
        columns += [f"b{i}", f"a{i}", f"m{i}"]
        parts += [f"t.{name} AS b{i}", f"t.{name} AS a{i}", f"true AS m{i}"]
    source = f"SELECT {', '.join(parts)} FROM {values.source} t WITH NO DATA"
    return f"CREATE TEMP TABLE overwritten_{n} ON COMMIT DROP AS {source}", columns


def _stage(out: IO[str], n: int, values: Values) -> None:
    """Lock the table, and load what is to be written into it."""
    emit(out, block([lock(values.name)]))
    made, columns = staged(n, values)
    emit(out, f"{made};", f"COPY overwritten_{n} ({', '.join(columns)}) FROM stdin;")
    for lines in values.lines():
        out.write(lines)
    emit(out, "\\.", f"ANALYZE overwritten_{n};")


def same(values: Values) -> str:
    """The condition that a row is the one whose values are staged."""
    return " AND ".join(f"t.{name} = v.k{i}" for i, name in enumerate(quoted(values.key)))


def _equal(one: str, other: str) -> str:
    """Whether two values are the same to the byte: some types have no equality, others a loose."""
    return f'({one})::text COLLATE "C" IS NOT DISTINCT FROM ({other})::text COLLATE "C"'
