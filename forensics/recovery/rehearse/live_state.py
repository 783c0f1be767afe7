"""Whether live is what it was when it was compared, asked before scripts are written."""

from __future__ import annotations

from collections.abc import Sequence

from psycopg import sql

from forensics.errors import LiveError, RecoveryError, is_lost
from forensics.evidence.live.source import LiveSource
from forensics.model import Table, TableName
from forensics.recovery.choose.selection import Selection
from forensics.recovery.choose.targets import Target
from forensics.recovery.rehearse.session import fingerprint
from forensics.recovery.relations import rows_of
from forensics.recovery.write.backfill import Place, asked, questions
from forensics.recovery.write.definitions import Extra
from forensics.recovery.write.script import LiveState, Work, drawn_by

_HINT = "Compare again into a new case, and write the recovery from that."

_Print = tuple[str, str, str]


def live_state(source: LiveSource, work: Work) -> LiveState:
    """Ask live whether it is as it was, and for fingerprints of the tables that rows return to.

    Args:
        source: live.
        work: what the scripts will be written from.

    Raises:
        RecoveryError: live changed since it was compared.
        LiveError: it does not answer.
    """
    there = source.catalog.tables
    for name in _made_again(work):
        if name in there:
            raise RecoveryError(
                f"Table {name} was gone when live was compared, and is there again.", _HINT
            )
    live = work.catalogs[1]
    looked_into = _parents(work.selection)
    looked_into.update(target.name for target in work.selection.inserted)
    looked_into |= _overwritten(work)
    for name in sorted(looked_into):
        _expect_columns(live.tables[name], there.get(name))
    namespaces = source.ask(sql.SQL("SELECT nspname FROM pg_namespace"))
    schemas = frozenset(row["nspname"] for row in namespaces)
    prints = {}
    server = work.selection.store.evidence()[1].server_version
    for target in work.selection.inserted:
        prints[target.name] = _print(source, target, server)
    absent = set()
    for extra in (*work.definitions.extras, *work.types.extras):
        if not _is_there(source, extra):
            absent.add(extra)
    return LiveState(prints, schemas, frozenset(absent), _sequences(source, work.selection))


def _sequences(
    source: LiveSource, selection: Selection
) -> dict[tuple[TableName, str], tuple[int, bool]]:
    """Where the sequences stand that columns of tables draw from to which rows return."""
    found = {}
    for target in selection.inserted:
        for column in source.catalog.tables[target.name].columns:
            sequence = drawn_by(source.catalog, target.name, column)
            if sequence is None or column.name not in target.columns:
                continue
            question = "SELECT last_value, is_called FROM {}"
            try:
                (row,) = source.ask(sql.SQL(question).format(sql.Identifier(*sequence.name)))
            except LiveError as error:
                if is_lost(error):
                    raise
                continue  # it may not be read: undo.sql leaves it where it is, and says so
            found[target.name, column.name] = (row["last_value"], row["is_called"])
    return found


def touched(work: Work) -> list[TableName]:
    """The tables of live that the scripts write to or look into."""
    names = _parents(work.selection)
    names.update(target.name for target in work.selection.inserted)
    names.update(restored.name for restored in work.restored)
    names |= _overwritten(work)
    return sorted(names)


def _overwritten(work: Work) -> set[TableName]:
    """The tables of live of which values come back, and those that the values refer to."""
    live = work.catalogs[1].tables
    found = set()
    for values in work.overwritten:
        found.add(values.name)
        # An UPDATE of a row has each of its references hold.
        for key in live[values.name].foreign_keys:
            if key.parent in live:
                found.add(key.parent)
        for link in values.links:
            if link.parent in live:
                found.add(link.parent)
    return found


def _made_again(work: Work) -> list[TableName]:
    """The tables and partitions that were gone."""
    names = work.selection.dropped
    for partition in work.partitions:
        names += partition.tree
    return names


def _parents(selection: Selection) -> set[TableName]:
    """The tables of live that returning rows refer to."""
    live = selection.store.catalogs()[1]
    found = set()
    for target in selection.targets:
        for link in target.links:
            if link.parent in live.tables:
                found.add(link.parent)
    return found


def _expect_columns(then: Table, now: Table | None) -> None:
    """Make sure that a table has the columns that it had.

    Raises:
        RecoveryError: it has others, or is gone.
    """
    if now is None:
        raise RecoveryError(
            f"Table {then.name} was there when live was compared, and is gone.", _HINT
        )
    odd = _typed(then) ^ _typed(now)
    if odd:
        changed = ", ".join(sorted({name for name, _ in odd}))
        raise RecoveryError(
            f"Columns of table {then.name} changed since live was compared: {changed}.", _HINT
        )


def _typed(table: Table) -> set[tuple[str, str]]:
    return {(column.name, column.type) for column in table.columns}


def _print(source: LiveSource, target: Target, server: str | None) -> _Print:
    """The fingerprint of a table that has as many rows as it had.

    Raises:
        RecoveryError: it has more or less.
    """
    table = source.catalog.tables[target.name]
    question = fingerprint(rows_of(table), target.columns, server)
    (found,) = source.ask(sql.SQL(question))  # type: ignore[arg-type]
    rows = int(found["rows"])
    if rows != target.live_rows:
        raise RecoveryError(
            f"Table {target.name} held {target.live_rows:,} rows when live was compared, "
            f"and holds {rows:,} now.",
            _HINT,
        )
    return found["rows"], found["a"], found["b"]


def _is_there(source: LiveSource, extra: Extra) -> bool:
    """Whether live has something else that definitions name."""
    question = f"SELECT {extra.there} AS there"
    (found,) = source.ask(sql.SQL(question))  # type: ignore[arg-type]
    return bool(found["there"])


def asked_of_live(
    source: LiveSource,
    selection: Selection,
    found: Sequence[Place],
) -> tuple[Place, ...]:
    """The new places, with account taken of what live holds there already."""
    known = []
    for place in found:
        keys: list[list[str]] = []
        for question in questions(place):
            rows = source.ask(sql.SQL(question)) if question else []  # type: ignore[arg-type]
            keys.append([row["key"] for row in rows])
        known.append(asked(selection, place, *keys))
    return tuple(known)
