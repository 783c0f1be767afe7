"""How far a comparison is, on stderr."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from forensics.cli.voice import Voice, safe
from forensics.compare.options import Listener
from forensics.model import TableName, TableResult

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress


class _Bars(Listener):
    """A bar for the tables and one for the rows, on stderr."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._tables = progress.add_task("tables")
        self._rows = progress.add_task("rows")

    def knows(self, sentences: Sequence[str]) -> None:
        _say_known(self._progress.console, sentences)

    def begins(self, tables: int, rows: int) -> None:
        self._progress.update(self._tables, total=tables)
        self._progress.update(self._rows, total=rows or None)

    def rows(self, table: TableName, rows: int) -> None:
        bar, said = self._progress.tasks[self._rows], f"rows ({safe(table)})"
        # Live's statistics say about how many rows there are.
        if bar.total is not None and bar.completed + rows > bar.total:
            self._progress.update(self._rows, total=bar.completed + rows)
        self._progress.update(self._rows, advance=rows, description=said)

    def ends(self, result: TableResult) -> None:
        self._progress.update(self._tables, advance=1)
        if words := _failure_of(result):
            self._progress.console.print(words)
        if result.missing:
            self._progress.console.print(f"{safe(result.name)}: {_counts_of(result)}")

    def stage(self, text: str) -> None:
        self._progress.update(self._rows, description=text, total=None, completed=0)

    def minds(self, text: str) -> None:
        self._progress.console.print(f"[yellow]{safe(text)}[/]")


class _Plain(Listener):
    """Where no bars can be shown: what is known before rows are compared, and what goes wrong."""

    def __init__(self, voice: Voice) -> None:
        self._voice, self._quiet = voice, voice.quiet or voice.as_json

    def knows(self, sentences: Sequence[str]) -> None:
        if not self._quiet:
            _say_known(self._voice.err, sentences)

    def ends(self, result: TableResult) -> None:
        if words := _failure_of(result):
            self._voice.err.print(words)

    def minds(self, text: str) -> None:
        self._voice.err.print(f"[yellow]{safe(text)}[/]")


def _say_known(console: Console, sentences: Sequence[str]) -> None:
    if sentences:
        console.print("Before any row is compared:")
    for sentence in sentences:
        console.print(f"  {safe(sentence)}")


def _counts_of(result: TableResult) -> str:
    """What differs of a table, in a few words."""
    said = []
    for name in ("missing", "changed", "added"):
        number = getattr(result, name)
        if number:
            said.append(f"{number:,} {name}")
    return ", ".join(said)


def _failure_of(result: TableResult) -> str:
    """What to print of a table that failed; nothing of any other."""
    # What to ask for a table that may not be read is said before, once for all of them.
    if result.state != "failed" or "GRANT " in (result.reason or ""):
        return ""
    return f"[red]{safe(result.name)}: {safe(result.reason)}[/]"


@contextmanager
def listening(voice: Voice) -> Iterator[Listener]:
    """Show how far a comparison is, as far as stderr can show it."""
    if voice.quiet or not voice.err.is_terminal:
        # Who asks for JSON and does not watch is a program.
        yield _Plain(voice)
        return
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        SpinnerColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=voice.err, transient=True) as progress:
        yield _Bars(progress)
