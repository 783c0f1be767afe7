"""Rows, offered to a table: which of them it refuses, and why.

Checks, exclusion constraints, partial and expression indexes, domains, enum labels, partitions
and types are so judged by PostgreSQL itself. Nothing of theirs is worked out a second time.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

import psycopg

from forensics.errors import RecoveryError
from forensics.recovery.choose.partitions import NO_PARTITION
from forensics.recovery.choose.selection import Selection
from forensics.recovery.rehearse.session import Session, advice, copy_rows, words_of
from forensics.recovery.write.sqltext import copy_in
from forensics.store.values import spliced

# Which row was refused, and why.
Refusal = tuple[int, str]
Put = Callable[[Sequence[str]], None]

_CHUNK = 5_000
# A key that may be deferred is looked at when the statement is through.
_LATE = ("23505", "23P01")
_AT = re.compile(r"^COPY .*?, line (\d+)(?:, column (.*?)(?:: |$))?", re.M)


def offer(
    session: Session,
    table: str,
    columns: Sequence[str],
    selection: Selection,
    query: str,
) -> list[Refusal]:
    """Put rows into a table but for those that it refuses.

    COPY names the line that it stops at, so that each refused row costs one more attempt and
    no other is tried by itself; where a key may be deferred it names none, and the rows are
    halved until one is left.

    Args:
        session: within a transaction.
        table: the table, as SQL.
        columns: what the rows hold.
        selection, query: whose rows they are, and the query for their fields.

    Returns:
        Which rows were refused, numbered from 0, and why.

    Raises:
        RecoveryError: the server failed for a reason that has nothing to do with the rows.
    """
    refused: list[Refusal] = []
    start = 0
    folder = selection.store.folder

    def put(lines: Sequence[str]) -> None:
        text = "\n".join([*lines, ""])
        copy_rows(session, table, columns, spliced(folder, [text]))

    for text in selection.kept(query):
        lines = text.split("\n")[:-1]
        for place, reason in _refused(session, copy_in(table, columns), put, lines):
            refused.append((start + place, reason))
        start += len(lines)
    return refused


def _refused(
    session: Session,
    statement: str,
    put: Put,
    lines: Sequence[str],
) -> Iterable[Refusal]:
    """Put one run of lines in; yield those that were refused."""
    # What is to do, the next piece last: (number of its first line, the lines).
    todo = []
    for start in range(0, len(lines), _CHUNK):
        todo.append((start, lines[start : start + _CHUNK]))
    todo.reverse()
    while todo:
        first, some = todo.pop()
        if not some:
            continue
        found = _attempt(session, statement, put, some)
        if found is None:
            continue
        at, reason = found
        if at is None:
            # Told only when all of them were in: one of either half.
            half = len(some) // 2
            todo += [(first + half, some[half:]), (first, some[:half])]
        else:
            yield first + at, reason
            # What stands before the line was not refused, as far as the server had come: it
            # goes in first.
            todo += [(first + at + 1, some[at + 1 :]), (first, some[:at])]


def _attempt(
    session: Session,
    statement: str,
    put: Put,
    lines: Sequence[str],
) -> tuple[int | None, str] | None:
    """Put lines in.

    Returns:
        Which one was refused (None where the server does not say) and why, or None where all
        went in.
    """
    session.execute("SAVEPOINT offered")
    try:
        put(lines)
    except psycopg.Error as error:
        session.execute("ROLLBACK TO SAVEPOINT offered")
        at = _AT.search(error.diag.context or "")
        if at is None and error.sqlstate in _LATE:
            return (0 if len(lines) == 1 else None), _reason(error, None)
        # Other errors than those of values and of constraints are no row's doing.
        if at is None or (error.sqlstate or "")[:2] not in ("22", "23"):
            words = words_of(error)
            raise RecoveryError(
                f"Rows do not go into a scratch table ({statement[:80]}): {words}.",
                advice(words),
            ) from error
        return int(at[1]) - 1, _reason(error, at[2])
    session.execute("RELEASE SAVEPOINT offered")
    return None


def _reason(error: psycopg.Error, column: str | None) -> str:
    """Why a row was refused, without any value of it: reasons are counted, and shown."""
    name = error.diag.constraint_name
    match error.sqlstate:
        case "23505":
            return f"it collides with unique index {name}"
        case "23P01":
            return f"it collides with exclusion constraint {name}"
        case "23502":
            column = error.diag.column_name
            return f"live demands a value in column {column}, and the row has none"
        case "23514" if name:
            return f"it breaks check constraint {name}"
        case "23514":
            return NO_PARTITION
    if column:
        return f"its value does not fit column {column} of live"
    return "its values do not fit live's columns"
