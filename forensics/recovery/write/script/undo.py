"""`undo.sql`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

from forensics.recovery.choose.targets import Target
from forensics.recovery.write.columns import write_undo_columns
from forensics.recovery.write.overwritten import write_undo_values
from forensics.recovery.write.script.checks import (
    expect_made_columns,
    expect_written_columns,
    locks,
)
from forensics.recovery.write.script.header import undo_header
from forensics.recovery.write.script.made import drop_schema, drops
from forensics.recovery.write.script.order import groups
from forensics.recovery.write.script.recovery import drawn_by
from forensics.recovery.write.script.rows import load_rows, write_facts
from forensics.recovery.write.script.start import start
from forensics.recovery.write.script.work import Work
from forensics.recovery.write.sqltext import (
    array,
    block,
    emit,
    literal,
    private_file,
    sql_names,
    taking,
    template,
)

_CHANGED_SINCE = "The table was changed since the recovery. Take its rows back by hand."


def write_undo(path: Path, work: Work) -> None:
    """Write `undo.sql`, which takes back what `recovery.sql` did and nothing else.

    Raises:
        RecoveryError: the file cannot be written.
    """
    with private_file(path) as out:
        emit(out, *undo_header(work))
        start(out, work.selection.store, "undo", *work.helpers)
        _where_things_stand(out, work)
        write_facts(out, work)
        for n, target in enumerate(work.selection.targets, 1):
            load_rows(out, n, target, work, may_be_gone=target.kind == "recreate")
        _name_columns(out, work)
        write_undo_values(out, work.returning, fire=work.fire)
        _refuse_foreign_rows(out, work)
        _drop_tables(out, work)
        _take_rows_back(out, work)
        _drop_partitions(out, work)
        write_undo_columns(out, work.restored, _drops_of_types(work))
        _drop_the_rest(out, work)
        _set_sequences_back(out, work)
        emit(out, "\nCOMMIT;", "\\echo 'The recovery is taken back.'")


def _where_things_stand(out: IO[str], work: Work) -> None:
    if work.made:
        standing = f"pg_temp.standing({array(work.made)})"
        emit(out, f"SELECT {standing} = 'absent' AS gone \\gset")
    else:
        emit(out, "\\set gone t")
    checks = expect_written_columns(work, _CHANGED_SINCE)
    checks += locks(work.selection.inserted)
    if checks:
        emit(out, block(checks))
    if work.selection.recreated:
        made = block(expect_made_columns(work, _CHANGED_SINCE))
        emit(out, "\\if :gone", "\\else", made, "\\endif")


def _name_columns(out: IO[str], work: Work) -> None:
    """Tell the helpers which columns returned: no row was written into these either."""
    for one in work.restored:
        table = literal(one.name.sql)
        names = ", ".join(f"({table}, {literal(name)})" for name in one.names)
        emit(out, f"INSERT INTO returned VALUES {names};")


def _refuse_foreign_rows(out: IO[str], work: Work) -> None:
    emit(out, "\n\\if :gone", "\\else")
    emit(
        out,
        "-- The tables that were made again may hold what came back, and nothing else.",
    )
    recreated = work.selection.recreated
    if recreated:
        checks = locks(recreated, "ACCESS EXCLUSIVE")
        for target in recreated:
            names = [c.name for c in work.catalogs[0].tables[target.name].columns]
            arguments = f"{literal(target.name.sql)}, {array(names)}"
            checks.append(f"  PERFORM pg_temp.expect_no_others({arguments});")
        emit(out, block(checks))
    emit(out, template("refuse_foreign_rows").rstrip("\n"), "\\endif")


def _drop_tables(out: IO[str], work: Work) -> None:
    """Drop the tables that were made again, and let go first what stands on them."""
    defined, made = work.definitions, array(work.made)
    emit(out, "\n\\if :gone", "\\else")
    for incoming in defined.incoming:
        key = f"{literal(incoming.table.sql)}, {literal(incoming.constraint)}"
        _perform(out, f"let_go({key}, {made})")
    for name, column in defined.defaults:
        default = f"{literal(name.sql)}, {literal(column)}"
        _perform(out, f"undraw({default}, {array(defined.sequences)})")
    for extra in defined.extras:
        if extra.of_rows and extra in work.live.absent:
            _perform(out, f"take_function({literal(extra.name)}, {made})")
    if work.selection.recreated:
        # A column may be of a type that goes, or of the type of a row of another table.
        emit(out, f"DROP TABLE {', '.join(_temporary(work))};")
        names = sql_names(target.name for target in reversed(work.selection.recreated))
        emit(out, taking(f"DROP TABLE {', '.join(names)}"))
    emit(out, "\\endif")


def _perform(out: IO[str], call: str) -> None:
    emit(out, block([f"  PERFORM pg_temp.{call};"]))


def _temporary(work: Work) -> list[str]:
    """The temporary tables with rows of tables that were made again."""
    names: list[str] = []
    for n, target in enumerate(work.selection.targets, 1):
        if target.kind == "recreate":
            names.append(f"pg_temp.rows_{n}")
    return names


def _take_rows_back(out: IO[str], work: Work) -> None:
    emit(out, "\n-- Rows that returned to other tables, children first.")
    calls: list[str] = []
    for group in reversed(list(groups(work))):
        numbers = f"array[{', '.join(map(str, group))}]"
        calls.append(f"  PERFORM pg_temp.take_back({numbers});")
    emit(out, block([*calls, "  PERFORM pg_temp.wake();"]))


def _set_sequences_back(out: IO[str], work: Work) -> None:
    """Last of all, for no rollback would take it back."""
    calls: list[str] = []
    for n, target in enumerate(work.selection.targets, 1):
        if target.kind == "insert":
            calls += _steps_back(n, target, work)
    if calls:
        emit(out, "\n-- Sequences that gave out nothing since.", "SET CONSTRAINTS ALL IMMEDIATE;")
        emit(out, block(calls))


def _steps_back(number: int, target: Target, work: Work) -> Iterator[str]:
    """Have the sequences of a table's columns stand where they stood."""
    live = work.catalogs[1]
    for column in live.tables[target.name].columns:
        if column.name not in target.columns or drawn_by(live, target.name, column) is None:
            continue
        stood = "NULL, NULL"
        if (target.name, column.name) in work.live.sequences:
            value, called = work.live.sequences[target.name, column.name]
            stood = f"{value}, {str(called).lower()}"
        names = f"{literal(target.name.sql)}, {literal(column.name)}"
        yield f"  PERFORM pg_temp.step_back({number}, {names}, {stood});"


def _drop_partitions(out: IO[str], work: Work) -> None:
    """Take away the partitions and sequences that were made, now that their rows have gone."""
    calls: list[str] = []
    for partition in reversed(work.partitions):
        tree = array(sql_names(partition.tree))
        parent = literal(partition.parent.sql)
        calls.append(f"  PERFORM pg_temp.take_partition({parent}, {tree});")
    parts: list[str] = []
    if calls:
        parts.append(block(calls))
    if work.definitions.sequences:
        parts.append(taking(*_drops_of_sequences(work.definitions.sequences)))
    if parts:
        emit(out, "\n\\if :gone", "\\else", *parts, "\\endif")


def _drops_of_sequences(names: Sequence[str]) -> list[str]:
    return [f"DROP SEQUENCE IF EXISTS {name}" for name in names]


def _drops_of_types(work: Work) -> list[str]:
    """What drops the types of columns that returned, and schemas that were made for them only."""
    found = drops(work, work.types)
    for schema in work.new_schemas(work.types):
        if schema not in work.definitions.schemas:
            found.append(drop_schema(schema))
    return found


def _drop_the_rest(out: IO[str], work: Work) -> None:
    """Drop the types and schemas that were made for the tables."""
    emit(out, "\n\\if :gone", "\\else")
    dropped = drops(work, work.definitions)
    dropped += map(drop_schema, work.new_schemas(work.definitions))
    if dropped:
        emit(out, taking(*dropped))
    emit(out, "\\endif")
