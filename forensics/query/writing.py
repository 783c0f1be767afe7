"""An answer as a file: CSV, JSON, Markdown or Parquet, whole or not at all."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal, get_args

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from forensics.errors import QueryError, ReportError, UsageError
from forensics.query.session import Session, Told
from forensics.query.shape import Shape
from forensics.text import inert_json, prose, visible

Format = Literal["csv", "json", "parquet", "markdown"]
FORMATS: tuple[str, ...] = get_args(Format)

_SUFFIXES: dict[str, Format] = {
    ".csv": "csv",
    ".json": "json",
    ".parquet": "parquet",
    ".md": "markdown",
}
_SHAPES: dict[str, Shape] = {
    "csv": "csv",
    "json": "json",
    "parquet": "parquet",
    "markdown": "text",
}
_INFINITE = {
    pa.date32(): (2**31 - 1, pa.int32()),
    pa.timestamp("us"): (2**63 - 1, pa.int64()),
    pa.timestamp("us", "UTC"): (2**63 - 1, pa.int64()),
}


def format_of(given: str | None, out: Path | None) -> Format | None:
    """Return the format that was asked for, by name or by a file's suffix; None is a table.

    Raises:
        UsageError: there is no such format.
    """
    if given in FORMATS:
        return given  # type: ignore[return-value]
    if given not in (None, "table"):
        raise UsageError(
            f"There is no format {given}.", f"Choose one of table, {', '.join(FORMATS)}."
        )
    if out is None or given == "table":
        return None
    found = _SUFFIXES.get(out.suffix.lower())
    if found is None:
        raise UsageError(
            f"{out} does not say in its suffix what to write.",
            f"Choose one of {', '.join(_SUFFIXES)}, or say --format.",
        )
    return found


@dataclass(frozen=True)
class Written:
    """What was written: how many rows, and what is to be known of them."""

    rows: int
    told: Told


def write(session: Session, sql: str, form: Format, file: IO[bytes]) -> Written:
    """Write the answer to a question.

    Args:
        session: for this question.
        sql: one SELECT.
        form: of the file.
        file: to be written from its beginning, more than once perhaps.

    Raises:
        ForensicsError: as `Session.ask` has it; QueryError: Parquet has no value for one.
    """
    make = _MAKERS[form]

    def take(reader: Any) -> int:
        file.seek(0)
        file.truncate()
        return make(reader, file, [column.name for column in session.columns])

    rows, told = session.ask(sql, _SHAPES[form], take)
    return Written(rows, told)


def _csv_lines(reader: Any, file: IO[bytes], names: Sequence[str]) -> int:
    """The columns' names, and the rows, which are lines by now."""
    file.write((",".join(map(_csv_name, names)) + "\n").encode("utf-8"))
    rows = 0
    for batch in reader:
        rows += len(batch)
        file.write(joined(batch.column(0)))
    return rows


def _csv_name(name: str) -> str:
    if any(letter in name for letter in ',"\n\r') or not name:
        return '"' + name.replace('"', '""') + '"'
    return name


def joined(lines: pa.Array) -> bytes:
    """All texts of a column, one after another."""
    _, ends, data = lines.cast(pa.large_string()).buffers()
    if data is None:
        return b""
    places = np.frombuffer(ends, dtype=np.int64)[lines.offset : lines.offset + len(lines) + 1]
    return bytes(memoryview(data)[places[0] : places[-1]])


def _json_lines(reader: Any, file: IO[bytes], names: Sequence[str]) -> int:
    """An array of objects, one on a line."""
    rows = 0
    file.write(b"[")
    for batch in reader:
        text = joined(batch.column(0)).decode("utf-8").removesuffix("\n")
        if not len(batch):
            continue
        between = ",\n" if rows else "\n"
        rows += len(batch)
        file.write((between + inert_json(text.replace("\n", ",\n"))).encode("utf-8"))
    file.write(b"\n]\n" if rows else b"]\n")
    return rows


def _markdown(reader: Any, file: IO[bytes], names: Sequence[str]) -> int:
    rows = 0
    file.write(f"| {' | '.join(map(prose, names))} |\n|{' --- |' * len(names)}\n".encode())
    for batch in reader:
        for row in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            cells = " | ".join("" if cell is None else prose(cell) for cell in row)
            file.write(f"| {cells} |\n".encode())
        rows += len(batch)
    return rows


def _parquet(reader: Any, file: IO[bytes], names: Sequence[str]) -> int:
    from pyarrow import parquet

    rows = 0
    with parquet.ParquetWriter(file, reader.schema, compression="zstd") as writer:
        for batch in reader:
            for field, column in zip(reader.schema, batch.columns, strict=True):
                _expect_finite(field, column)
            writer.write_batch(batch)
            rows += len(batch)
    return rows


def _expect_finite(field: pa.Field, column: pa.Array) -> None:
    if field.type not in _INFINITE:
        return
    most, kind = _INFINITE[field.type]
    numbers = column.cast(kind)
    found = pc.min_max(numbers).as_py()
    if found["max"] == most or found["min"] == -most:
        raise InfiniteError(field.name)


class InfiniteError(QueryError):
    """A column that Parquet has no value for."""

    def __init__(self, column: str) -> None:
        super().__init__(
            f"Column {column} holds infinity, and Parquet has no value for it.",
            f'Ask for CAST("{column}" AS VARCHAR), or write CSV.',
        )
        self.column = column


_MAKERS: dict[str, Callable[[Any, IO[bytes], Sequence[str]], int]] = {
    "csv": _csv_lines,
    "json": _json_lines,
    "markdown": _markdown,
    "parquet": _parquet,
}


# --- where it goes --------------------------------------------------------------------------------


@contextmanager
def to_file(out: Path) -> Iterator[IO[bytes]]:
    """Lend a file that takes its name once it is whole; only its owner may read it.

    Raises:
        ReportError: it cannot be written.
    """
    fresh = out.with_name(f".{out.name}.new")
    try:
        with fresh.open("wb+") as file:
            os.chmod(fresh, 0o600)
            yield file
        os.replace(fresh, out)
    except OSError as error:
        raise ReportError(
            f"{out} cannot be written: {error.strerror}.", "Check the folder, and the room on it."
        ) from error
    finally:
        fresh.unlink(missing_ok=True)


@contextmanager
def to_stdout() -> Iterator[IO[bytes]]:
    """Lend a file that goes to standard output once it is whole."""
    with tempfile.TemporaryFile(prefix="forensics-answer-") as file:
        yield file
        file.seek(0)
        sys.stdout.flush()
        if sys.stdout.isatty():  # which would obey what stands in it
            for line in file:
                sys.stdout.write(visible(line.decode("utf-8", "replace").rstrip("\n")) + "\n")
            return
        shutil.copyfileobj(file, sys.stdout.buffer)
        sys.stdout.buffer.flush()


def first_rows(reader: Any, most: int) -> tuple[list[Sequence[str | None]], bool]:
    """Return the first rows of an answer, as texts, and whether there are more."""
    rows: list[Sequence[str | None]] = []
    for batch in reader:
        rows.extend(zip(*(column.to_pylist() for column in batch.columns), strict=True))
        if len(rows) > most:
            return rows[:most], True
    return rows, False
