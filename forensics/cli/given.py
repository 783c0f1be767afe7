"""What several commands are given: both sides, which tables and how, and what is made of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from forensics.cli.voice import LIVE_HELP, MAX_ROW_HELP
from forensics.errors import UsageError

Backup = Annotated[str, typer.Argument(metavar="BACKUP", help="A dump, or a connection string.")]
Live = Annotated[str | None, typer.Argument(metavar="[LIVE]", help=LIVE_HELP)]
Schemas = Annotated[
    list[str] | None,
    typer.Option(
        "--schema", metavar="NAME", help="Only these schemas (shell pattern, repeatable)."
    ),
]
Tables = Annotated[
    list[str] | None,
    typer.Option("--table", metavar="NAME", help="Only these tables (shell pattern, repeatable)."),
]
NotSchemas = Annotated[
    list[str] | None,
    typer.Option(
        "--exclude-schema", metavar="NAME", help="Not these schemas (pattern, repeatable)."
    ),
]
NotTables = Annotated[
    list[str] | None,
    typer.Option("--exclude-table", metavar="NAME", help="Not these tables (pattern, repeatable)."),
]
Keys = Annotated[
    list[str] | None,
    typer.Option(
        "--key", metavar="TABLE=COLUMN,…", help="Compare a table by this key (repeatable)."
    ),
]
Jobs = Annotated[
    int,
    typer.Option(
        "--jobs",
        metavar="N",
        min=1,
        max=32,
        help="Tables to compare at a time. Live lends a connection to each, and one more. "
        "Where fewer tables than that are left, several read a large one, as cores allow.",
    ),
]
Memory = Annotated[
    str,
    typer.Option(
        "--memory",
        metavar="SIZE",
        help="What the engine may hold before it spills to disk; "
        "the process takes up to 600 MB more, and ten times as much as the longest row.",
    ),
]
QueryMemory = Annotated[
    str,
    typer.Option("--memory", metavar="SIZE", help="What DuckDB may hold before it spills to disk."),
]
LongestRow = Annotated[
    str | None,
    typer.Option(
        "--max-row",
        metavar="SIZE",
        help=f"{MAX_ROW_HELP} Default: a fifth of --memory, since a row is held several times.",
    ),
]
Database = Annotated[
    str | None,
    typer.Option("--database", metavar="NAME", help="Which database of a pg_dumpall file."),
]
Nice = Annotated[
    bool,
    typer.Option(
        "--nice",
        help="Be gentle to live: one session reads rows at a time, whatever --jobs says, "
        "and at most 8 MB of them a second.",
    ),
]


Engine = Annotated[
    str | None,
    typer.Option(
        "--engine",
        metavar="duckdb|spark",
        help="What reduces both sides: DuckDB on this machine, or a Spark cluster. "
        "Default: FORENSICS_ENGINE, or duckdb.",
    ),
]
Master = Annotated[
    str | None,
    typer.Option(
        "--master",
        metavar="URL",
        help="With --engine spark: the Spark Connect server, sc://HOST:15002. "
        "Default: FORENSICS_MASTER.",
    ),
]


def several(given: Sequence[str] | None) -> tuple[str, ...]:
    """What a flag that can be repeated was given, or nothing."""
    return tuple(given or ())


def keys(given: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Read --key TABLE=COLUMN,COLUMN, by table.

    Raises:
        UsageError: one names no table or no columns.
    """
    found = {}
    for text in given:
        table, _, columns = text.partition("=")
        if not table or not columns:
            raise UsageError(
                f"--key {text} does not name a table and its columns.",
                "Write --key TABLE=COLUMN,COLUMN.",
            )
        found[table] = tuple(column.strip() for column in columns.split(","))
    return found


def junctions(given: Sequence[str]) -> dict[str, tuple[tuple[str, str], ...]]:
    """Read --junction TABLE=COLUMN:PARENT,COLUMN:PARENT, by table.

    Raises:
        UsageError: one names no links.
    """
    found = {}
    for text in given:
        table, _, links = text.partition("=")
        pairs = [_link(link) for link in links.split(",")]
        if len(pairs) < 2 or ("", "") in pairs:
            raise UsageError(
                f"--junction {text} does not name a table's links.",
                "Write --junction TABLE=COLUMN:PARENT,COLUMN:PARENT.",
            )
        found[table] = tuple(pairs)
    return found


def _link(text: str) -> tuple[str, str]:
    """A column and its parent; two empty texts where one of them is not given."""
    column, _, parent = text.strip().partition(":")
    if not column or not parent:
        return "", ""
    return column, parent
