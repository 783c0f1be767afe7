"""Which rows live would refuse, found out before the scripts are written: they are offered to a copy of live.

Checks, exclusion constraints, partial and expression indexes, domains, enum labels, partitions and types that changed
are judged by PostgreSQL itself, with live's own definitions, in a transaction that is taken back. Nothing of theirs is
worked out a second time here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import psycopg
from psycopg import sql

from forensics.errors import RecoveryError
from forensics.model import Catalog, Table, TableName, quote_identifier
from forensics.recovery.choose.selection import Keys, Link, Selection, Target
from forensics.recovery.rehearse.copies import LiveCopy, advice, pinned_session, rows_of, words_of
from forensics.recovery.rehearse.proof import Tell, silent
from forensics.recovery.write.definitions import Definitions
from forensics.recovery.write.sqltext import copy_in, literal, tag_for, template

Refused = dict[TableName, list[tuple[int, str]]]

NO_PARTITION = "no partition of live's table takes it"
_CHUNK = 5_000
_LATE = ("23505", "23P01")  # a key that may be deferred is looked at when the statement is through
_AT = re.compile(r"^COPY .*?, line (\d+)(?:, column (.*?)(?:: |$))?", re.M)


def foresee(
    selection: Selection, defined: Definitions, copy: LiveCopy, tell: Tell = silent
) -> Refused:
    """Find the restorable rows that live would refuse.

    Args:
        selection: what comes back.
        defined: what makes the dropped tables again.
        copy: live's schema with the rows of the tables that rows return to; it is as before afterwards.

    Returns:
        By table, which rows (numbered from 0 in the order of `selection.lines`) and why. Empty where the dropped tables
        cannot be made: the rehearsal then says why.

    Raises:
        RecoveryError: the scratch server failed for a reason that has nothing to do with the rows.
    """
    found: Refused = {}
    with pinned_session(copy.scratch, copy.database) as connection:
        connection.execute("BEGIN")
        try:
            connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
            _make(connection, defined)
            for target in selection.inserted:
                # What its rows refer to is the selection's business, and triggers sleep while rows return.
                alone = template("alone").replace("{table}", literal(target.name.sql))
                connection.execute(alone.replace("{tag}", tag_for(alone)))  # type: ignore[call-overload]
            # Checks and generated columns may call what looks things up there.
            connection.execute("SET LOCAL search_path TO DEFAULT")
            for target in selection.targets:
                if target.rows and target.columns:
                    tell("offering the rows to a copy of live", str(target.name))
                    found[target.name] = offer(
                        connection, target.name.sql, target.columns, selection.lines(target)
                    )
        except _NotMadeError:
            return {}
        finally:
            connection.execute("ROLLBACK")
    return {name: rows for name, rows in found.items() if rows}


def unmakeable(defined: Definitions, copy: LiveCopy) -> str | None:
    """Why what was dropped cannot be made again on a copy of live, in words, or None where it can."""
    with pinned_session(copy.scratch, copy.database) as connection:
        connection.execute("BEGIN")
        try:
            _make(connection, defined)
        except _NotMadeError as error:
            cause = error.__cause__
            assert isinstance(cause, psycopg.Error)
            match cause.sqlstate:
                case "42P17":
                    why = "live's partitions take a part of its rows by now"
                case "23514":
                    why = "live's default partition holds rows that belong into it"
                case _:
                    why = "live does not take it back"
            return f"{why} ({words_of(cause)})"
        finally:
            connection.execute("ROLLBACK")
    return None


Orphans = dict[tuple[TableName, Link], Keys]


def orphans(selection: Selection, copy: LiveCopy, live: Catalog) -> Orphans:
    """Find the keys that restorable rows refer to and live's parent tables do not have.

    The case knows this of parents that went missing. It does not know it of those that its backup left out, that went
    since it was made, or that were not there when the backup was taken; and it compares text, where PostgreSQL takes
    1.5 and 1.50 for the same key.

    Args:
        copy: live's schema with the rows of the parent tables.
        live: live's catalogue.
    """
    found: Orphans = {}
    targets = {t.name: t for t in selection.targets}
    backup = selection.store.catalogs()[0]
    with pinned_session(copy.scratch, copy.database) as connection:
        for target in selection.targets:
            for link in target.links if target.rows else ():
                parent = live.tables.get(link.parent)
                table = parent or backup.tables.get(link.parent)
                if link.exists and table is not None:
                    with connection.transaction(force_rollback=True):
                        _load_keys(connection, "named", selection, target, link.columns)
                        _load_keys(
                            connection,
                            "back",
                            selection,
                            targets.get(link.parent),
                            link.parent_columns,
                        )
                        keys = _without_parent(connection, link, table, parent is not None)
                    if keys:
                        found[target.name, link] = keys
    return found


def _load_keys(
    connection: psycopg.Connection[tuple[object, ...]],
    name: str,
    selection: Selection,
    target: Target | None,
    columns: Sequence[str],
) -> None:
    """Make a temporary table of the different keys, as text, that restorable rows of a target hold in some columns."""
    keys = [f"k{i}" for i in range(len(columns))]
    connection.execute(f"CREATE TEMP TABLE {name} ({', '.join(f'{k} text' for k in keys)})")  # type: ignore[call-overload]
    if target is None or not set(columns) <= set(target.columns):
        return
    fields = [selection.field(target, c) for c in columns]
    filled = " AND ".join(f"{f} IS NOT NULL" for f in fields)
    texts = ", ".join(f"copy_field({f})" for f in fields)
    question = f"SELECT DISTINCT concat_ws(chr(9), {texts}) FROM {selection.rows(target)} WHERE c.class = 'restorable' AND {filled}"
    offer(connection, f"pg_temp.{name}", keys, selection.copy(question))


def _without_parent(
    connection: psycopg.Connection[tuple[object, ...]], link: Link, table: Table, in_live: bool
) -> Keys:
    keys = [f"k{i}" for i in range(len(link.columns))]
    types = [column.type if (column := table.column(c)) else "text" for c in link.parent_columns]
    for kinds in (types, None):
        cast = [f"::{t}" for t in kinds] if kinds else ["::text"] * len(keys)
        spelled = [quote_identifier(c) + ("" if kinds else "::text") for c in link.parent_columns]
        there = " AND ".join(
            f"p.{c} = n.{k}{t}" for c, k, t in zip(spelled, keys, cast, strict=True)
        )
        back = " AND ".join(f"r.{k}{t} = n.{k}{t}" for k, t in zip(keys, cast, strict=True))
        lacking = (
            f"WHERE NOT EXISTS (SELECT FROM {rows_of(table)} p WHERE {there})" if in_live else ""
        )
        columns = ", ".join([*(f"n.{k}" for k in keys), *(f"r.{k}" for k in keys)])
        question = (
            f"SELECT DISTINCT ON ({', '.join(f'n.{k}' for k in keys)}) {columns} "
            f"FROM pg_temp.named n LEFT JOIN pg_temp.back r ON {back} {lacking} ORDER BY {columns}"
        )
        try:
            with connection.transaction():
                rows = connection.execute(question).fetchall()  # type: ignore[call-overload]
        except (psycopg.DataError, psycopg.ProgrammingError):
            continue  # a key that cannot be of the parent's type, or a type that is not there: then they are compared as text
        width = len(keys)
        return [
            (tuple(map(str, r[:width])), None if r[width] is None else tuple(map(str, r[width:])))
            for r in rows
        ]
    return []


class _NotMadeError(Exception):
    """A dropped table cannot be made on the copy."""


def _make(connection: psycopg.Connection[tuple[object, ...]], defined: Definitions) -> None:
    try:
        connection.execute("SET LOCAL check_function_bodies = off")
        for schema in defined.schemas:
            connection.execute(
                sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(schema))
            )
        for definition in defined.of("before"):
            if not definition.roles and not (
                definition.unless and _holds(connection, definition.unless)
            ):
                path = (
                    f"{quote_identifier(definition.path)}, pg_catalog" if definition.path else "''"
                )
                connection.execute(f"SET LOCAL search_path = {path}")  # type: ignore[call-overload]
                connection.execute(definition.sql)  # type: ignore[call-overload]
        connection.execute("SET LOCAL search_path = ''")
    except psycopg.Error as error:
        raise _NotMadeError from error


def _holds(connection: psycopg.Connection[tuple[object, ...]], condition: str) -> bool:
    found = connection.execute(f"SELECT {condition}").fetchone()  # type: ignore[call-overload]
    return bool(found and found[0])


def offer(
    connection: psycopg.Connection[tuple[object, ...]],
    table: str,
    columns: Sequence[str],
    texts: Iterable[str],
) -> list[tuple[int, str]]:
    """Put rows into a table but for those that it refuses.

    COPY names the line that it stops at, so that each refused row costs one more attempt and no other is tried by itself; where
    a key may be deferred it names none, and the rows are halved until one is left.

    Args:
        connection: within a transaction.
        table: the table, as SQL.
        columns: what the rows hold.
        texts: the rows as COPY text, runs of whole lines.

    Returns:
        Which rows were refused, numbered from 0, and why.

    Raises:
        RecoveryError: the server failed for a reason that has nothing to do with the rows.
    """
    statement = copy_in(table, columns)
    refused: list[tuple[int, str]] = []
    start = 0
    for text in texts:
        lines = text.split("\n")[:-1]
        todo = [(at, lines[at : at + _CHUNK]) for at in range(0, len(lines), _CHUNK)][::-1]
        while todo:
            first, some = todo.pop()
            found = _attempt(connection, statement, some) if some else None
            if found is None:
                continue
            at, reason = found
            if at is None:  # told only when all of them were in: one of either half
                half = len(some) // 2
                todo += [(first + half, some[half:]), (first, some[:half])]
            else:
                refused.append((start + first + at, reason))
                # What stands before the line was not refused, as far as the server had come: it goes in first.
                todo += [(first + at + 1, some[at + 1 :]), (first, some[:at])]
        start += len(lines)
    return refused


def _attempt(
    connection: psycopg.Connection[tuple[object, ...]], statement: str, lines: Sequence[str]
) -> tuple[int | None, str] | None:
    """Put lines in; return which one was refused (None where the server does not say) and why, or None where all went in."""
    connection.execute("SAVEPOINT offered")
    try:
        with connection.cursor().copy(statement) as copy:  # type: ignore[call-overload]
            copy.write("".join(f"{line}\n" for line in lines))
    except psycopg.Error as error:
        connection.execute("ROLLBACK TO SAVEPOINT offered")
        at = _AT.search(error.diag.context or "")
        if at is None and error.sqlstate in _LATE:
            return (0 if len(lines) == 1 else None), _reason(error, None)
        if at is None or (error.sqlstate or "")[:2] not in ("22", "23"):
            words = words_of(error)
            raise RecoveryError(
                f"Rows do not go into a scratch table ({statement[:80]}): {words}.", advice(words)
            ) from error
        return int(at[1]) - 1, _reason(error, at[2])
    connection.execute("RELEASE SAVEPOINT offered")
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
            return f"live demands a value in column {error.diag.column_name}, and the row has none"
        case "23514" if name:
            return f"it breaks check constraint {name}"
        case "23514":
            return NO_PARTITION
        case _:
            return (
                f"its value does not fit column {column} of live"
                if column
                else "its values do not fit live's columns"
            )
