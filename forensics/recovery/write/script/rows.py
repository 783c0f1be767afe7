"""The rows of both scripts: what is known of their tables, and how they are loaded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import IO

from forensics.model import TableName
from forensics.recovery.choose.selection import Target
from forensics.recovery.choose.tables import junction_parents
from forensics.recovery.relations import rows_of
from forensics.recovery.write.script.work import Work
from forensics.recovery.write.sqltext import (
    array,
    comment,
    emit,
    listed,
    literal,
    quoted,
)

_TIMES = ("timestamp", "date")


def write_facts(out: IO[str], work: Work) -> None:
    """Tell the helpers what is known of the targets and their links."""
    emit(out, "\n-- What is known of the tables.")
    emit(out, *_targets(work))
    emit(out, *_links(work))


def _targets(work: Work) -> Iterator[str]:
    for n, target in enumerate(work.selection.targets, 1):
        source = rows_of(work.catalog_of(target).tables[target.name])
        known = work.live.fingerprints.get(target.name)
        fingerprint = f"array[{', '.join(known)}]::numeric[]" if known else "NULL"
        created = "true" if target.kind == "recreate" else "false"
        names = f"{literal(target.name.sql)}, {literal(source)}, {created}"
        columns = f"{array(target.columns)}, {array(target.key)}"
        rows = f"{target.rows}, {target.live_rows}, {fingerprint}"
        says = array(_says(work, target))
        yield f"INSERT INTO targets VALUES ({n}, {names}, {columns}, {rows}, {says});"


def _says(work: Work, target: Target) -> tuple[str, ...]:
    """The columns in which an equal row of live is the same link; none where the key says it.

    When it was made says nothing of a link.
    """
    parents = junction_parents(work.selection.store)
    if target.name not in parents or not target.key:
        return ()
    table = work.catalog_of(target).tables[target.name]
    found = []
    for name in target.columns:
        column = table.column(name)
        if name not in target.key and column and not column.type.startswith(_TIMES):
            found.append(name)
    return tuple(found)


def _links(work: Work) -> Iterator[str]:
    numbers = numbered(work)
    for n, target in enumerate(work.selection.targets, 1):
        for link in target.links:
            if link.exists:
                columns = array(link.columns)
                parent = f"{literal(link.parent.sql)}, {array(link.parent_columns)}"
                number = numbers.get(link.parent, "NULL")
                yield f"INSERT INTO links VALUES ({n}, {columns}, {parent}, {number});"


def numbered(work: Work) -> dict[TableName, int]:
    """The targets by name, with their number in the scripts."""
    return {target.name: n for n, target in enumerate(work.selection.targets, 1)}


def load_rows(
    out: IO[str],
    n: int,
    target: Target,
    work: Work,
    *,
    may_be_gone: bool,
    shown: Sequence[str] | None = None,
) -> None:
    """Load a target's rows into its temporary table.

    Args:
        may_be_gone: its columns are of text where psql's variable `gone` says that there is no
            such table; otherwise they are of the table's own types.
        shown: which columns; None for all.
    """
    emit(out, f"\n-- The rows of {comment(target.name)}.")
    shown = target.columns if shown is None else shown
    columns = listed(shown)
    temporary = f"CREATE TEMP TABLE rows_{n}"
    source = f"SELECT {columns} FROM {target.name.sql}"
    made = f"{temporary} ON COMMIT DROP AS {source} WITH NO DATA;"
    if may_be_gone:
        texts = ", ".join(f"{column} text" for column in quoted(shown))
        of_text = f"{temporary} ({texts}) ON COMMIT DROP;"
        emit(out, "\\if :gone", of_text, "\\else", made, "\\endif")
    else:
        emit(out, made)
    if target.columns and target.rows:
        emit(out, f"COPY rows_{n} ({columns}) FROM stdin;")
        fields = [target.fields[target.columns.index(column)] for column in shown]
        for lines in work.selection.lines(target, fields=fields):
            out.write(lines)
        emit(out, "\\.")
    if target.columns:
        emit(out, f"ANALYZE rows_{n};")
