"""`recovery.sql`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

from forensics.model import Catalog, Column, TableName
from forensics.model import Sequence as NumberSequence
from forensics.recovery.choose.selection import Target
from forensics.recovery.write.columns import write_columns
from forensics.recovery.write.definitions import drawn_from
from forensics.recovery.write.overwritten import write_values
from forensics.recovery.write.script.checks import (
    expect_made_columns,
    expect_needed_columns,
    locks,
)
from forensics.recovery.write.script.header import recovery_header
from forensics.recovery.write.script.made import after_rows, before_rows
from forensics.recovery.write.script.order import groups
from forensics.recovery.write.script.rows import load_rows, write_facts
from forensics.recovery.write.script.start import start
from forensics.recovery.write.script.work import Work
from forensics.recovery.write.sqltext import (
    array,
    block,
    comment,
    emit,
    literal,
    private_file,
    psql_text,
)

_MADE_ANEW = (
    "Somebody else made the dropped table again. Compare again, and write the recovery anew."
)
_PREPARE = (
    "DO $do$ BEGIN "
    "PERFORM pg_temp.prepare(current_setting('forensics.accept_changes')::boolean); "
    "END $do$;"
)
_VERIFY = """DO $do$ BEGIN
  PERFORM pg_temp.wake();
  PERFORM pg_temp.verify(current_setting('forensics.accept_changes')::boolean);
END $do$;"""


def write_recovery(path: Path, work: Work) -> None:
    """Write `recovery.sql`.

    Raises:
        RecoveryError: the file cannot be written.
    """
    with private_file(path) as out:
        emit(out, *recovery_header(work))
        start(out, work.selection.store, "recover", *work.helpers)
        _where_things_stand(out, work)
        _make_tables(out, work)
        write_facts(out, work)
        for n, target in enumerate(work.selection.targets, 1):
            load_rows(out, n, target, work, may_be_gone=False)
        _put_rows(out, work)
        _finish_tables(out, work)
        _set_sequences(out, work)
        types = [*before_rows(work, work.types), *after_rows(work.types)]
        write_columns(out, work.restored, types)
        write_values(out, work.returning, fire=work.fire)
        _commit(out, work.selection.targets, quiet=bool(work.returning))


def _where_things_stand(out: IO[str], work: Work) -> None:
    emit(
        out,
        "-- Where do things stand? "
        "The tables that are written to are locked against other writers until this ends.",
    )
    if work.made:
        standing = f"pg_temp.standing({array(work.made)})"
        emit(out, f"SELECT {standing} = 'absent' AS create \\gset")
    else:
        emit(out, "\\set create f")
    checks = [*expect_needed_columns(work), *locks(work.selection.inserted)]
    if checks:
        emit(out, block(checks))
    if work.selection.recreated:
        made = block(expect_made_columns(work, _MADE_ANEW))
        emit(out, "\\if :create", "\\else", made, "\\endif")


def _make_tables(out: IO[str], work: Work) -> None:
    emit(out, "\n\\if :create")
    emit(out, "-- The dropped tables and partitions, as the backup had them.")
    emit(out, *before_rows(work, work.definitions))
    emit(out, "\\endif")


def _put_rows(out: IO[str], work: Work) -> None:
    """Insert the rows out of their temporary tables, parents first, and verify what came of it."""
    makes = "true" if work.made else "false"
    emit(
        out,
        "\n-- Stops here where the database is not as it was when compared; "
        "nothing to do where all rows are back.",
        f"SELECT pg_temp.to_do(:'create'::boolean, {makes}, :'accept_changes'::boolean) "
        "AS todo \\gset",
        "\\if :todo",
        _PREPARE,
    )
    for group in groups(work):
        emit(out, _put(group, work.selection.targets))
    emit(out, _VERIFY, "\\endif")


def _put(group: Sequence[int], targets: Sequence[Target]) -> str:
    names = comment(", ".join(str(targets[n - 1].name) for n in group))
    if not targets[group[0] - 1].columns:
        return f"-- {names} has no columns to fill."
    numbers = f"array[{', '.join(map(str, group))}]"
    return f"DO $do$ BEGIN PERFORM pg_temp.put({numbers}); END $do$;  -- into {names}"


def _finish_tables(out: IO[str], work: Work) -> None:
    emit(
        out,
        "\n\\if :create",
        "-- Their keys, indexes, foreign keys, comments and grants, now that the rows are in.",
        *after_rows(work.definitions),
        "\\endif",
    )


def _set_sequences(out: IO[str], work: Work) -> None:
    """Have the sequences of the targets' columns stand past the rows.

    Those that are made again stand at least where the backup had them.
    """
    backup = work.catalogs[0]
    calls: list[str] = []
    for target in work.selection.targets:
        calls += _past_rows(work, target)
    for sequence in backup.sequences:
        made = sequence.name.sql in work.definitions.sequences
        if made and sequence.is_called and sequence.last_value is not None:
            name = literal(sequence.name.sql)
            calls.append(f"  PERFORM pg_temp.reach({name}, {sequence.last_value});")
    if calls:
        emit(
            out,
            "\n-- Sequences past the rows.",
            "\\if :todo",
            block(calls),
            "\\endif",
        )


def _past_rows(work: Work, target: Target) -> Iterator[str]:
    backup = work.catalogs[0]
    for column in work.catalog_of(target).tables[target.name].columns:
        if not column.identity and "nextval(" not in (column.default or ""):
            continue
        least: int | None = None
        if target.kind == "recreate":
            least = _stands_at(backup, target.name, column)
        value = "NULL" if least is None else str(least)
        names = f"{literal(target.name.sql)}, {literal(column.name)}"
        yield f"  PERFORM pg_temp.past({names}, {value});"


def _stands_at(backup: Catalog, table: TableName, column: Column) -> int | None:
    """Where the sequence stood that a column drew from, its own or one that it shared."""
    sequence = drawn_by(backup, table, column)
    return sequence.last_value if sequence and sequence.is_called else None


def drawn_by(catalog: Catalog, table: TableName, column: Column) -> NumberSequence | None:
    """The sequence that a column draws from, its own or one that it shares."""
    default = column.default or ""
    for sequence in catalog.sequences:
        if drawn_from(sequence.name) in default or sequence.owner == (table, column.name):
            return sequence
    return None


def _commit(out: IO[str], targets: Sequence[Target], *, quiet: bool) -> None:
    """End the transaction, and say what came of it."""
    if not targets:
        emit(out, "\nCOMMIT;")
        if not quiet:
            emit(out, "\\echo 'There are no rows to bring back.'")
        return
    emit(
        out,
        "\\if :todo",
        "SELECT pg_temp.brought() AS brought, EXISTS (SELECT FROM pg_temp.left_out) AS left_out "
        "\\gset",
        "\\if :left_out",
        "\\echo Left out, because the database went on since it was compared:",
        "SELECT * FROM pg_temp.what_was_left_out();",
        "\\endif",
        "\\endif",
    )
    rows = [f"{t.rows:,} rows into {comment(t.name)}" for t in targets if t.rows]
    done = psql_text(f"Recovered: {', '.join(rows) or 'no rows'}.")
    emit(
        out,
        "\nCOMMIT;",
        "\\if :todo",
        "\\if :accept_changes",
        "\\echo Recovered: :brought",
        "\\else",
        f"\\echo {done}",
        "\\endif",
        "\\else",
        "\\echo 'Nothing to do: every row is back already.'",
        "\\endif",
    )
