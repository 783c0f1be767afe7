"""Rows of a database's tables counted in a bounded time: a table that takes longer is left out."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import psycopg
from psycopg import sql

from forensics.evidence.live.connection import HASTY
from forensics.evidence.live.refusals import failure_of
from forensics.model import Table, TableName

_PACE = 10_000_000  # rows a second that may well be counted, by statistics that may be wrong
_TOGETHER = 100
_FEW_ROWS = 10_000
_TOOK_TOO_LONG = "57014"


def _limit(setting: str, limit: str) -> str:
    """The SELECT that sets a limit for the rest of a transaction."""
    call = sql.SQL("SELECT pg_catalog.set_config({}, {}, true)")
    return call.format(sql.Literal(setting), sql.Literal(limit)).as_string(None)


HASTE = _limit("lock_timeout", HASTY)  # nobody waits for a count, or a size
# Returns the one value that each of some SELECTs answers with; undone afterwards.
Scalars = Callable[..., list[Any]]


def counted(
    ask: Scalars, tables: Mapping[TableName, Table], names: Sequence[TableName], seconds: float
) -> dict[TableName, int]:
    """Count the rows of some tables, as many of these as the time allows.

    Args:
        ask: the transaction, in a savepoint.
        tables: what is known of each.
        names: which, in the order in which they are to be counted.
    """
    until = time.monotonic() + seconds
    found: dict[TableName, int] = {}
    for batch in _batches(tables, names):
        left = until - time.monotonic()
        if left <= 0:
            break
        if len(batch) == 1 and tables[batch[0]].rows_estimate > _PACE * left:
            continue
        state = _count(ask, tables, batch, left, found)
        if state is None or state == _TOOK_TOO_LONG:
            continue
        for name in batch if len(batch) > 1 else ():  # one of them is in the way of the others
            left = until - time.monotonic()
            if left > 0:
                _count(ask, tables, [name], left, found)
    return found


def _batches(
    tables: Mapping[TableName, Table], names: Sequence[TableName]
) -> list[list[TableName]]:
    """Small tables are counted together: asking costs more than counting."""
    found: list[list[TableName]] = []
    together: list[TableName] = []
    for name in names:
        if tables[name].rows_estimate > _FEW_ROWS:
            found.append([name])
            continue
        if len(together) in (0, _TOGETHER):
            together = []
            found.append(together)
        together.append(name)
    return found


def _count(
    ask: Scalars,
    tables: Mapping[TableName, Table],
    names: Sequence[TableName],
    seconds: float,
    found: dict[TableName, int],
) -> str | None:
    """Count some tables by one statement; return the SQLSTATE of a refusal, or None."""
    limit = _limit("statement_timeout", str(max(int(1000 * seconds), 1)))
    counts = [_statement(tables[name]) for name in names]
    try:
        *_, numbers = ask(limit, HASTE, f"SELECT ARRAY[{', '.join(counts)}]")
    except psycopg.Error as error:
        return failure_of(error).state or ""
    found.update(zip(names, map(int, numbers), strict=True))
    return None


def _statement(table: Table) -> str:
    only = "ONLY " if table.kind == "table" else ""  # not of those that inherit from it
    return f"(SELECT pg_catalog.count(*) FROM {only}{table.name.sql})"
