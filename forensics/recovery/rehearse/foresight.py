"""Which rows live would refuse, found out before the scripts are written.

They are offered to a copy of live, with live's own definitions, in a transaction that is taken
back.
"""

from __future__ import annotations

import psycopg
from psycopg import sql

from forensics.model import TableName, quote_identifier
from forensics.recovery.choose.selection import Selection
from forensics.recovery.proof import Tell, silent
from forensics.recovery.queries import filled
from forensics.recovery.rehearse.copies import LiveCopy
from forensics.recovery.rehearse.offer import Refusal, offer
from forensics.recovery.rehearse.session import Session, pinned_session, run, words_of
from forensics.recovery.write.definitions import Definition, Definitions
from forensics.recovery.write.sqltext import literal, tag_for

Refused = dict[TableName, list[Refusal]]


def foresee(
    selection: Selection,
    defined: Definitions,
    copy: LiveCopy,
    tell: Tell = silent,
) -> Refused:
    """Find the restorable rows that live would refuse.

    Args:
        selection: what comes back.
        defined: what makes the dropped tables again.
        copy: live's schema with the rows of the tables that rows return to; it is as before
            afterwards.
        tell: is told how far it is.

    Returns:
        By table, which rows (numbered from 0 in the order of `selection.lines`) and why.
        Empty where the dropped tables cannot be made: the rehearsal then says why.

    Raises:
        RecoveryError: the scratch server failed for a reason that has nothing to do with the
            rows.
    """
    with pinned_session(copy.scratch, copy.database) as session:
        session.execute("BEGIN")
        try:
            session.execute("SET CONSTRAINTS ALL IMMEDIATE")
            _make(session, defined)
            for target in selection.inserted:
                _leave_alone(session, target.name)
            # Checks and generated columns may call what looks things up there.
            session.execute("SET LOCAL search_path TO DEFAULT")
            return _offered(session, selection, tell)
        except _NotMadeError:
            return {}
        finally:
            session.execute("ROLLBACK")


def _leave_alone(session: Session, name: TableName) -> None:
    """Leave a table without its foreign keys and triggers.

    What its rows refer to is the selection's business, and triggers sleep while rows return.
    """
    table = literal(name.sql)
    run(session, filled("rehearse", "alone", table=table, tag=tag_for(table)))


def _offered(session: Session, selection: Selection, tell: Tell) -> Refused:
    """Offer all rows that are to return; say which were refused."""
    found: Refused = {}
    for target in selection.targets:
        if target.rows and target.columns:
            tell("offering the rows to a copy of live", str(target.name))
            query = selection.lines_query(target)
            refused = offer(session, target.name.sql, target.columns, selection, query)
            if refused:
                found[target.name] = refused
    return found


def unmakeable(defined: Definitions, copy: LiveCopy) -> str | None:
    """Why what was dropped cannot be made again on a copy of live, or None where it can."""
    with pinned_session(copy.scratch, copy.database) as session:
        session.execute("BEGIN")
        try:
            _make(session, defined)
        except _NotMadeError as error:
            cause = error.__cause__
            assert isinstance(cause, psycopg.Error)
            return f"{_obstacle(cause)} ({words_of(cause)})"
        finally:
            session.execute("ROLLBACK")
    return None


def _obstacle(error: psycopg.Error) -> str:
    match error.sqlstate:
        case "42P17":
            return "live's partitions take a part of its rows by now"
        case "23514":
            return "live's default partition holds rows that belong into it"
        case _:
            return "live does not take it back"


class _NotMadeError(Exception):
    """A dropped table cannot be made on the copy."""


def _make(session: Session, defined: Definitions) -> None:
    """Make what was dropped, within a transaction.

    Raises:
        _NotMadeError: the copy refuses it.
    """
    try:
        session.execute("SET LOCAL check_function_bodies = off")
        for schema in defined.schemas:
            create = sql.SQL("CREATE SCHEMA IF NOT EXISTS {}")
            session.execute(create.format(sql.Identifier(schema)))
        for definition in defined.of("before"):
            if _is_needed(session, definition):
                path = "''"
                if definition.path:
                    path = f"{quote_identifier(definition.path)}, pg_catalog"
                run(session, f"SET LOCAL search_path = {path}")
                run(session, definition.sql)
        session.execute("SET LOCAL search_path = ''")
    except psycopg.Error as error:
        raise _NotMadeError from error


def _is_needed(session: Session, definition: Definition) -> bool:
    """Whether a definition names no roles, and what it makes is not there."""
    if definition.roles:
        return False
    if not definition.unless:
        return True
    found = run(session, f"SELECT {definition.unless}").fetchone()
    return not (found and found[0])
