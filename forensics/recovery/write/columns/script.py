"""The parts of `recovery.sql` and `undo.sql` that are about dropped columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import IO

from forensics.model import Column, quote_identifier
from forensics.recovery.write.columns.restored import Restored
from forensics.recovery.write.sqltext import (
    array,
    block,
    comment,
    defining,
    emit,
    listed,
    literal,
    lock,
    psql_text,
    quoted,
    taking,
)


def write_columns(out: IO[str], restored: tuple[Restored, ...], types: Sequence[str]) -> None:
    """Write the part of `recovery.sql` that adds the columns and fills them.

    Args:
        types: the statements that make the types that live has not.
    """
    for n, one in enumerate(restored, 1):
        names = comment(", ".join(one.names))
        emit(
            out,
            f"\n-- Values of dropped columns of {comment(one.name)}: {names}.",
        )
        emit(out, block([lock(one.name)]))
        # Asked of all before any is added: a column that is added to a table is added to those
        # that inherit from it.
        emit(out, f"SELECT {_standing(one)} = 'absent' AS add_{n} \\gset")
    if types:
        absent = " OR ".join(_each("add", restored))
        emit(out, f"SELECT {absent} AS lacking \\gset")
        emit(out, "\\if :lacking", "-- Their types.", *types, "\\endif")
    for n, one in enumerate(restored, 1):
        _add(out, n, one)
        _stage(out, n, one, typed=True)
        _fill(out, n, one)


def _add(out: IO[str], n: int, one: Restored) -> None:
    added: list[str] = []
    for column in one.columns:
        added.append(f"ADD COLUMN IF NOT EXISTS {quote_identifier(column.name)} {column.type}")
    statement = f"ALTER TABLE {one.name.sql} {', '.join(added)}"
    emit(out, f"\n\\if :add_{n}", defining(statement), "\\endif")


def _fill(out: IO[str], n: int, one: Restored) -> None:
    """Write the values where the columns were added; else make sure that they stand there."""
    table = literal(one.name.sql)
    sets = ", ".join(f"{c} = v.{c}" for c in quoted(one.names))
    same = " AND ".join(f"t.{k} = v.{k}" for k in quoted(one.key))
    update = f"UPDATE {one.rows} t SET {sets} FROM pg_temp.values_{n} v WHERE {same}"
    values = f"values of {comment(', '.join(one.names))}"
    said = psql_text(f"Recovered: rows of {comment(one.name)} that have {values} again:")
    emit(
        out,
        f"\\if :add_{n}",
        block([f"  PERFORM pg_temp.sleep({table});"]),
        f"SELECT pg_temp.fill({table}, {literal(update)}) AS written \\gset",
        f"\\echo {said} :written",
        block(["  PERFORM pg_temp.wake();"]),
    )
    for column in one.columns:
        if column.default is not None:
            emit(out, defining(_set_default(one, column)))
    emit(out, "\\else", _expected(n, one), "\\endif")


def _set_default(one: Restored, column: Column) -> str:
    name = quote_identifier(column.name)
    return f"ALTER TABLE {one.rows} ALTER COLUMN {name} SET DEFAULT {column.default}"


def write_undo_columns(out: IO[str], restored: tuple[Restored, ...], types: Sequence[str]) -> None:
    """Write the part of `undo.sql` that drops the columns again.

    Args:
        types: what drops the types that were made for them.
    """
    for n, one in enumerate(restored, 1):
        emit(
            out,
            f"\n-- The columns of {comment(one.name)} that were added again.",
        )
        emit(out, f"SELECT {_standing(one)} = 'absent' AS without_{n} \\gset")
        _stage(out, n, one, typed=False)
        emit(out, f"\\if :without_{n}", "\\else", _expected(n, one))
        emit(out, f"DROP TABLE pg_temp.values_{n};", "\\endif")
    for n, one in enumerate(restored, 1):
        drops = ", ".join(f"DROP COLUMN IF EXISTS {c}" for c in quoted(one.names))
        dropping = taking(f"ALTER TABLE {one.name.sql} {drops}")
        emit(out, f"\\if :without_{n}", "\\else", dropping, "\\endif")
    if restored and types:
        absent = " AND ".join(_each("without", restored))
        emit(out, f"SELECT {absent} AS without \\gset")
        emit(out, "\\if :without", "\\else", taking(*types), "\\endif")


def _each(flag: str, restored: Sequence[Restored]) -> list[str]:
    """psql's variables of one kind, as conditions."""
    return [f":'{flag}_{n}'::boolean" for n in range(1, len(restored) + 1)]


def _standing(one: Restored) -> str:
    return f"pg_temp.columns_standing({literal(one.name.sql)}, {array(one.names)})"


def _expected(n: int, one: Restored) -> str:
    rows = f"{literal(one.rows)}, {array(one.key)}, {array(one.names)}"
    return block([f"  PERFORM pg_temp.expect_values({n}, {rows});"])


def _stage(out: IO[str], n: int, one: Restored, *, typed: bool) -> None:
    """Load keys and values into a temporary table."""
    columns = [*one.key, *one.names]
    temporary = f"CREATE TEMP TABLE values_{n}"
    source = f"SELECT {listed(columns)} FROM {one.name.sql}"
    made = f"{temporary} ON COMMIT DROP AS {source} WITH NO DATA;"
    if typed:
        emit(out, made)
    else:
        texts = ", ".join(f"{column} text" for column in quoted(columns))
        of_text = f"{temporary} ({texts}) ON COMMIT DROP;"
        emit(out, f"\\if :without_{n}", of_text, "\\else", made, "\\endif")
    emit(out, f"COPY values_{n} ({listed(columns)}) FROM stdin;")
    for lines in one.lines():
        out.write(lines)
    emit(out, "\\.", f"ANALYZE values_{n};")
