"""Tables of a backup, written as a file: .parquet, .csv, .sql for psql, .dump for pg_restore."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from forensics.compare.options import Options
from forensics.errors import BackupError, UsageError
from forensics.export import commas
from forensics.export.archive import Archive
from forensics.export.definitions import Definitions, definitions
from forensics.export.rows import Read, Reading, Sink, columns_of, condition, read_lines
from forensics.export.script import Script
from forensics.export.tables import above, chosen
from forensics.model import TableName, quote_identifier
from forensics.query.session import session
from forensics.query.side import Side
from forensics.query.stream import Heard, unheard
from forensics.query.writing import InfiniteError, to_file, write

SUFFIXES = (".parquet", ".csv", ".sql", ".dump")
_OF_ONE = (".parquet", ".csv")


@dataclass(frozen=True)
class Table:
    """A table that was written, and what is to be known of its rows."""

    name: TableName
    read: Read


@dataclass(frozen=True)
class Exported:
    """What was written.

    Attributes:
        file: where.
        tables: in the order in which they stand there.
        notes: what is to be known of all of it, in sentences.
    """

    file: Path
    tables: tuple[Table, ...]
    notes: tuple[str, ...]

    @property
    def damage(self) -> list[str]:
        """Why rows are not all there, a sentence each."""
        found: dict[str, None] = {}
        for table in self.tables:
            found.update(dict.fromkeys(table.read.damage))
        return list(found)

    @property
    def complete(self) -> bool:
        """Whether all rows are there that the backup should hold."""
        return not self.damage

    @property
    def rows(self) -> int:
        """How many were written."""
        return sum(table.read.rows for table in self.tables)


def export(
    side: Side,
    tables: Sequence[str],
    to: Path,
    *,
    where: str | None = None,
    force: bool = False,
    memory: str = Options.memory,
    heard: Heard = unheard,
) -> Exported:
    """Write tables of a backup to a file.

    Args:
        side: the backup.
        tables: names, with a schema or without, or shell patterns.
        to: the file; its suffix says of which form.
        where: DuckDB's SQL over the columns of the table, which a row has to fulfil.
        force: take the place of a file that is there.
        memory: what DuckDB may hold.
        heard: is told of rows that were read.

    Raises:
        UsageError: the suffix says nothing, the file is there, or a form holds one table only.
        UnknownTableError: there is no such table; the hint names near ones.
        QueryError: DuckDB refuses the condition.
        BackupError: the backup holds no rows of a table.
        ReportError: the file cannot be written.
    """
    form = to.suffix.lower()
    if form not in SUFFIXES:
        raise UsageError(
            f"{to} does not say in its suffix what to write.",
            f"Choose one of {', '.join(SUFFIXES)}.",
        )
    expect_free(to, force=force)
    names = chosen(side, tables)
    if form in _OF_ONE and len(names) > 1:
        listed = ", ".join(map(str, names))
        raise UsageError(
            f"A {form} file holds one table, and these are {len(names)}: {listed}.",
            "Export them one by one, or as .sql or .dump.",
        )
    how = Reading(where, memory, heard, heirs=form in _OF_ONE)
    for name in names:
        _expect_rows(side, name)
    notes: list[str] = []
    with to_file(to) as file:
        if form == ".parquet":
            made = [_parquet(side, names[0], how, file)]
        elif form == ".csv":
            made = [_csv(side, names[0], how, file)]
        elif form == ".sql":
            made, notes = _script(side, names, how, file)
        else:
            made, notes = _archive(side, names, how, file)
    return Exported(to, tuple(made), tuple(notes))


def expect_free(to: Path, *, force: bool) -> None:
    """Make sure that a file may be written.

    Raises:
        UsageError: it is there, and nobody allowed to write over it.
    """
    if to.is_dir():
        raise UsageError(f"{to} is a folder.", "Give the name of a file.")
    if to.exists() and not force:
        raise UsageError(
            f"{to} is there already, and nothing was written.",
            "Give another name, or --force to have it overwritten.",
        )


def _expect_rows(side: Side, name: TableName) -> None:
    """Make sure that a table's rows are in the backup at all.

    Raises:
        BackupError: they are not; UsageError: it is of a kind that has none.
    """
    absent = side.stream(name, "t0", unheard).absent
    if absent is not None:
        raise absent


# --- one table ------------------------------------------------------------------------------------


def _parquet(side: Side, name: TableName, how: Reading, file: IO[bytes]) -> Table:
    """Write typed columns; one with a value that Parquet has not, as text."""
    as_text: list[str] = []
    while True:
        asked = condition(name, how.where, _selecting(as_text))
        with session({side.role: side}, memory=how.memory, heard=how.heard) as asking:
            try:
                written = write(asking, asked, "parquet", file)
            except InfiniteError as error:
                as_text.append(error.column)
                continue
        notes = list(written.told.notes)
        for column in as_text:
            notes.append(f"{name}.{column} is given as text: Parquet has no infinity.")
        return Table(name, Read(written.rows, list(written.told.damage), notes))


def _selecting(as_text: Sequence[str]) -> str:
    if not as_text:
        return "SELECT *"
    replaced = []
    for column in as_text:
        quoted = quote_identifier(column)
        replaced.append(f"CAST({quoted} AS VARCHAR) AS {quoted}")
    return f"SELECT * REPLACE ({', '.join(replaced)})"


def _csv(side: Side, name: TableName, how: Reading, file: IO[bytes]) -> Table:
    columns = columns_of(side, name, heirs=True)
    file.write(commas.heading(columns))
    begins = file.tell()

    def again() -> Sink:
        _go_back(file, begins)
        return lambda block: _put(file, commas.lines(block, len(columns)))

    return Table(name, read_lines(side, name, how, again))


def _go_back(file: IO[bytes], place: int) -> None:
    file.seek(place)
    file.truncate()


def _put(file: IO[bytes], data: bytes) -> None:
    file.write(data)


# --- several --------------------------------------------------------------------------------------


def _script(
    side: Side, names: Sequence[TableName], how: Reading, file: IO[bytes]
) -> tuple[list[Table], list[str]]:
    defined, notes = _defined(side, names)
    script = Script(file, side.source.identify())
    script.pieces(defined, "pre-data")
    made = []
    for name in names:
        begins = script.begin_rows(name, columns_of(side, name))

        def again(begins: int = begins) -> Sink:
            _go_back(file, begins)
            return lambda block: _put(file, block)

        made.append(_table(side, name, how, again))
        script.end_rows()
    script.pieces(defined, "data")
    script.pieces(defined, "post-data")
    script.close(complete=not any(table.read.damage for table in made))
    return made, notes


def _archive(
    side: Side, names: Sequence[TableName], how: Reading, file: IO[bytes]
) -> tuple[list[Table], list[str]]:
    defined, notes = _defined(side, names)
    columns = [(name, columns_of(side, name)) for name in names]
    archive = Archive(file, side.source.identify(), defined, columns)
    made = []
    for name in names:
        begins = archive.begin_rows(name)

        def again(begins: int = begins) -> Sink:
            _go_back(file, begins)
            archive.restart()
            return archive.rows

        made.append(_table(side, name, how, again))
        archive.end_rows()
    archive.close()
    return made, notes


def _table(side: Side, name: TableName, how: Reading, again: Callable[[], Sink]) -> Table:
    """Write the rows of one table of several; what of it cannot be read is said of it."""
    try:
        return Table(name, read_lines(side, name, how, again))
    except BackupError as error:
        return Table(name, Read(damage=[error.message]))


def _defined(side: Side, names: Sequence[TableName]) -> tuple[Definitions, list[str]]:
    """What makes the tables and their partitions, and what is to be known of it."""
    catalog = side.source.catalog
    every = set(names)
    for name in catalog.tables:
        if any(parent in names for parent in above(side, name)):
            every.add(name)
    defined = definitions(side.source, every)
    notes = []
    for name in defined.undefined:
        notes.append(f"The {side.role} does not say how {name} is made: only its rows are written.")
    for words in defined.left_out:
        notes.append(f"Left out, for that table is not exported: {words}.")
    return defined, notes
