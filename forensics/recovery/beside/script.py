"""`recovery.sql` and `undo.sql` of rows that are laid beside the tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

from forensics.recovery.beside.layout import LOST, Laid
from forensics.recovery.choose.selection import Selection
from forensics.recovery.write.script.header import provenance
from forensics.recovery.write.script.start import start
from forensics.recovery.write.sqltext import (
    array,
    block,
    comment,
    emit,
    listed,
    literal,
    private_file,
    psql_text,
)
from forensics.text import counted


def write_laying(path: Path, selection: Selection, schema: str, tables: Sequence[Laid]) -> None:
    """Write `recovery.sql`, which fills a schema and touches no table of the application.

    Raises:
        RecoveryError: the file cannot be written.
    """
    with private_file(path) as out:
        into = f"schema {comment(schema)}, beside the tables"
        emit(out, f"-- recovery.sql: lays lost rows into {into}, to look and choose.")
        emit(out, *provenance(*selection.store.evidence()), "--")
        emit(out, *_header(selection, tables))
        start(out, selection.store, "beside")
        names = array([laid.name.table for laid in tables])
        room = f"{literal(schema)}, {names}, {literal(_mark_of_schema(selection))}"
        _perform(out, f"make_room({room})")
        for laid in tables:
            emit(out, f"\n-- The lost rows of {comment(laid.target.name)}.")
            columns = f"{array(laid.target.columns)}, {array(laid.types)}"
            _perform(out, f"lay({_place(laid)}, {columns}, {literal(_mark(selection, laid))})")
            if not laid.target.columns:
                continue
            emit(out, f"COPY {laid.name.sql} ({listed(laid.target.columns)}) FROM stdin;")
            for lines in selection.lines(laid.target, LOST):
                out.write(lines)
            emit(out, "\\.")
        said = [f"{counted(laid.rows, 'row')} in {comment(laid.name)}" for laid in tables]
        done = f"Laid beside the tables: {', '.join(said) or 'no rows'}."
        emit(out, "\nCOMMIT;", f"\\echo {psql_text(done)}")


def write_taking_up(path: Path, selection: Selection, schema: str, tables: Sequence[Laid]) -> None:
    """Write `undo.sql`, which drops what was laid there, and nothing else.

    Raises:
        RecoveryError: the file cannot be written.
    """
    with private_file(path) as out:
        emit(out, f"-- undo.sql: drops what recovery.sql laid into schema {comment(schema)}.")
        emit(out, *provenance(*selection.store.evidence()))
        emit(out, "-- A schema that was there before stays, and so does what others put into it.")
        emit(out, "")
        start(out, selection.store, "beside")
        for laid in tables:
            _perform(out, f"take_up({_place(laid)}, {literal(_mark(selection, laid))})")
        _perform(out, f"clear({literal(schema)}, {literal(_mark_of_schema(selection))})")
        emit(out, "\nCOMMIT;", "\\echo 'What was laid beside the tables is gone.'")


def _header(selection: Selection, tables: Sequence[Laid]) -> Iterator[str]:
    yield "-- Run it with psql as somebody who may make the schema:"
    yield "--     psql -X -v ON_ERROR_STOP=1 -d YOUR_DATABASE -f recovery.sql"
    yield "-- It writes into no table that is there, and stops where one bears a name of these:"
    yield "-- nothing is overwritten. undo.sql takes it back."
    yield "--"
    if selection.narrowing is not None:
        said = "; ".join(selection.narrowing.said)
        yield f"-- Only what belongs to {comment(said)}, and the lost parents that it needs."
    for laid in tables:
        line = f"{laid.name}: {laid.rows:,} of {laid.target.name}"
        if laid.as_text:
            line += f" ({', '.join(laid.as_text)}: as text)"
        yield f"-- {comment(line)}"
    yield ""


def _place(laid: Laid) -> str:
    return f"{literal(laid.name.schema)}, {literal(laid.name.table)}"


def _perform(out: IO[str], call: str) -> None:
    emit(out, block([f"  PERFORM pg_temp.{call};"]))


def _mark(selection: Selection, laid: Laid) -> str:
    """The comment by which undo.sql knows a table."""
    return f"forensics: lost rows of {comment(laid.target.name)}, {_origin(selection)}"


def _mark_of_schema(selection: Selection) -> str:
    return f"forensics: made for lost rows, {_origin(selection)}"


def _origin(selection: Selection) -> str:
    backup = selection.store.evidence()[0]
    return comment(f"from backup {(backup.sha256 or backup.snapshot or 'of a database')[:16]}")
