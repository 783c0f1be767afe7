"""A folder of files as a Source: types and keys are those of live, the rows are the files'."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from forensics.errors import BackupError, DamagedBackupError, first_line
from forensics.evidence import arrays
from forensics.evidence.folder import spelling
from forensics.evidence.folder.files import PARQUET, files_of, form_of
from forensics.evidence.source import Block, Contents, Segment, Source
from forensics.model import Catalog, Column, Key, Provenance, Table, TableName

_CHUNK = 1 << 20
_LONGEST = 32 << 20  # bytes that a reader of CSV looks at at once; a row has to fit in
_ROWS = 16_384
_HEAD = 1 << 16
_PIECE = 512


@dataclass(frozen=True)
class _Held:
    """The files of one table.

    Attributes:
        names: the columns that the first of them names, or their places where it names none.
        types: of Parquet, what each column holds.
        heading: whether the first line of CSV names the columns.
    """

    paths: tuple[Path, ...]
    names: tuple[str, ...]
    types: tuple[str, ...]
    heading: bool = True
    delimiter: str = ","

    @property
    def is_parquet(self) -> bool:
        """Whether they are Parquet files."""
        return form_of(self.paths[0]) == PARQUET


class FolderSource(Source):
    """A folder of files.

    Args:
        folder: where they are.

    Raises:
        BackupError: a file cannot be read at all.
    """

    is_partial = True

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._held: dict[TableName, _Held] = {}
        for name, paths in files_of(folder).items():
            self._held[name] = _look(paths)
        tables = {}
        for name, held in self._held.items():
            pairs = zip(held.names, held.types, strict=True)
            columns = tuple(Column(column, kind) for column, kind in pairs)
            tables[name] = Table(name, columns=columns)
        self.catalog = Catalog(tables=tables)
        self._remarks: list[str] = []

    @cached_property
    def provenance(self) -> Provenance:  # type: ignore[override]
        """Where it is. `sha256` is that of what `sha256sum` prints of its files, in order."""
        digest = hashlib.sha256()
        for path in self._paths:
            with path.open("rb") as file:
                of_file = hashlib.file_digest(file, "sha256").hexdigest()
            digest.update(f"{of_file}  {path.relative_to(self._folder)}\n".encode())
        return replace(self.identify(), sha256=digest.hexdigest())

    @property
    def _paths(self) -> list[Path]:
        found: list[Path] = []
        for held in self._held.values():
            found += held.paths
        return sorted(found)

    def identify(self) -> Provenance:
        size = sum(path.stat().st_size for path in self._paths)
        return Provenance(kind="folder", path=str(self._folder), bytes=size, encoding="UTF8")

    def news(self) -> list[str]:
        said, self._remarks = self._remarks, []
        return said

    # --- what live says of the tables -------------------------------------------------------------

    def adopt(self, catalog: Catalog) -> None:
        if not catalog.tables:
            return
        tables: dict[TableName, Table] = {}
        held: dict[TableName, _Held] = {}
        for name, own in self._held.items():
            known = catalog.tables.get(name) or _only(name, catalog)
            if known is None:
                tables[name], held[name] = self.catalog.tables[name], own
                continue
            held[known.name] = own = _named(own, known)
            tables[known.name] = self._as_known(own, known)
        self._held = held
        self.catalog = replace(catalog, tables=tables, unparsed=())

    def _as_known(self, held: _Held, known: Table) -> Table:
        """A table as live has it, with the columns that its files have."""
        if not held.heading:
            self._remarks.append(
                f"The files of {known.name} name no columns: they are taken in live's order."
            )
        columns = []
        for column in held.names:
            columns.append(known.column(column) or Column(column, "text"))
        lacking = [c.name for c in known.columns if c.name not in held.names and not c.generated]
        if lacking:
            self._remarks.append(
                f"The files of {known.name} lack the columns {', '.join(lacking)}:"
                " nothing is said of their values."
            )
        keys: list[Key] = []
        for key in known.keys:
            if all(column in held.names for column in key.columns):
                keys.append(key)
        return replace(
            known, kind="table", parent=None, inherits=(), columns=tuple(columns), keys=tuple(keys)
        )

    # --- rows -------------------------------------------------------------------------------------

    def segments(self, name: TableName, columns: Sequence[str]) -> list[Segment]:
        held = self._held.get(name)
        if held is None:
            return []
        return [_FileSegment(path, held, self.catalog.tables[name]) for path in held.paths]

    def contents(self) -> Mapping[TableName, Contents]:
        found = {}
        for name, held in self._held.items():
            size = sum(path.stat().st_size for path in held.paths)
            found[name] = Contents(name, data=True, bytes=size)
        return found


def _only(name: TableName, catalog: Catalog) -> Table | None:
    """The only table of live with a name, where a file says no schema."""
    if name.schema != "public":
        return None
    fitting = [t for t in catalog.tables.values() if t.name.table == name.table]
    if len(fitting) == 1:
        return fitting[0]
    return None


def _named(held: _Held, known: Table) -> _Held:
    """Files whose first line is a row and no heading: their columns are live's, by place."""
    if held.is_parquet or not held.heading:
        return held
    stored = [column.name for column in known.columns if not column.generated]
    folded = {column.lower(): column for column in stored}
    fitting = [name for name in held.names if name.lower() in folded]
    if fitting:
        names = tuple(folded.get(n.lower(), n) if n not in stored else n for n in held.names)
        return replace(held, names=names)
    if len(held.names) != len(stored):
        return held
    return replace(held, names=tuple(stored), heading=False)


# --- files ----------------------------------------------------------------------------------------


def _look(paths: Sequence[Path]) -> _Held:
    """See which columns a table's files have."""
    first = paths[0]
    try:
        if form_of(first) == PARQUET:
            from pyarrow import parquet

            schema = parquet.read_schema(first)
            types = tuple(spelling.type_of(kind) for kind in schema.types)
            return _Held(tuple(paths), tuple(schema.names), types)
        head = _head(first)
    except (pa.ArrowException, OSError) as error:
        raise BackupError(
            f"{first} cannot be read: {first_line(error)}.",
            "Is it whole, and of the form it is called?",
        ) from error
    line = head.split(b"\n", 1)[0]
    delimiter = max(",;\t|", key=lambda sign: (line.count(sign.encode()), sign == ","))
    names = _first_row(head, delimiter)
    return _Held(tuple(paths), names, ("text",) * len(names), delimiter=delimiter)


def _head(path: Path) -> bytes:
    """What a file begins with, its first line at least, also where it is cut off later."""
    head = b""
    with pa.input_stream(str(path)) as stream:
        try:
            while len(head) < _HEAD and b"\n" not in head:
                piece = stream.read(_PIECE)
                if not piece:
                    break
                head += piece
        except OSError:
            if b"\n" not in head:
                raise
    return head


def _first_row(head: bytes, delimiter: str) -> tuple[str, ...]:
    import csv as reader

    text = head.decode("utf-8-sig", "replace").splitlines(keepends=True)
    return tuple(next(reader.reader(text, delimiter=delimiter), ()))


class _FileSegment(Segment):
    """The rows of one file."""

    def __init__(self, path: Path, held: _Held, table: Table) -> None:
        super().__init__(table.name, held.names)
        self._path, self._held, self._definition = path, held, table

    def blocks(self) -> Iterator[Block]:
        rows = 0
        try:
            for batch in self._batches():
                if len(batch):
                    yield self._lines(batch)
                    rows += len(batch)
        except (pa.ArrowException, OSError) as error:
            raise DamagedBackupError(
                f"{self._path} cannot be read after {rows:,} rows of {self.table}: "
                f"{first_line(error)}.",
                "Look for another copy of the file.",
            ) from error

    def _batches(self) -> Iterator[Any]:
        if self._held.is_parquet:
            from pyarrow import parquet

            with parquet.ParquetFile(self._path) as file:
                yield from file.iter_batches(_ROWS)
            return
        with pa.input_stream(str(self._path)) as stream:
            yield from csv.open_csv(
                stream,
                read_options=csv.ReadOptions(
                    use_threads=False,
                    block_size=_LONGEST if self._path.stat().st_size > _CHUNK else _CHUNK,
                    column_names=list(self._held.names),
                    skip_rows=int(self._held.heading),
                ),
                parse_options=csv.ParseOptions(
                    delimiter=self._held.delimiter,
                    newlines_in_values=True,
                    ignore_empty_lines=False,
                ),
                convert_options=csv.ConvertOptions(
                    column_types=dict.fromkeys(self._held.names, pa.large_string()),
                    null_values=["", "\\N"],
                    strings_can_be_null=True,
                    quoted_strings_can_be_null=False,
                ),
            )

    def _lines(self, batch: Any) -> bytes:
        """A batch as lines of COPY text."""
        columns = []
        for name in self.columns:
            place = batch.schema.get_field_index(name)
            if place < 0:
                raise BackupError(
                    f"{self._path} lacks the column {name}, which other files of the table have.",
                    "Are they all of one table?",
                )
            column = self._definition.column(name)
            assert column is not None
            texts = spelling.texts(batch.column(place), column.type)
            if not column.nullable and spelling.is_text(column.type):
                texts = pc.fill_null(texts, arrays.text(""))
            columns.append(spelling.copied(texts.cast(pa.large_string())))
        lines = pc.binary_join_element_wise(*columns, arrays.text("\t"))
        ended = pc.binary_join_element_wise(lines, arrays.text(""), arrays.text("\n"))
        _, ends, data = ended.buffers()
        return bytes(memoryview(data)[: memoryview(ends).cast("q")[len(ended)]])
