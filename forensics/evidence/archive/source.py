"""pg_dump's archives (custom, directory, tar) as a Source: read as they lie there, without restoring anything.

`toc` knows what an archive's table of contents says, `containers` where its bytes lie; here an entry's data become
rows. Rows that COPY wrote end with a line that is exactly a backslash and a point, then blank lines: what lacks that
line was cut off, whatever the form and the compression.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from forensics.errors import BackupError, DamagedBackupError
from forensics.evidence import copytext, ddl
from forensics.evidence.archive.containers import Container, open_container
from forensics.evidence.archive.toc import Entry, Toc
from forensics.evidence.encodings import transcoder
from forensics.evidence.files import PlainFile
from forensics.evidence.plain import inserts
from forensics.evidence.source import (
    Block,
    Contents,
    LackingSegment,
    Segment,
    Source,
    lacking_partitions,
    leaves_by_root,
)
from forensics.model import Catalog, Provenance, TableName

_END = b"\\."
_SHORT = 16  # longer than the end marker with the blank lines after it


def open_archive(path: Path, file: PlainFile | None = None) -> ArchiveSource:
    """Open an archive that pg_dump wrote: a custom or tar file, or the folder of a directory archive.

    Only the table of contents is read.

    Args:
        path: the file or folder.
        file: the file's bytes, unpacked, where something was packed around the archive; it is closed with the source.

    Raises:
        BackupError: nothing is there, it is no archive, or one that names files outside of itself.
        DamagedBackupError: it is an archive whose table of contents is cut off or corrupt; the message names the byte.
    """
    return ArchiveSource(open_container(path, file), file.compression if file else None)


class ArchiveSource(Source):
    """An archive.

    Args:
        container: the archive's bytes.
        packed: the compression around the archive, which `provenance` then tells.

    Attributes:
        toc: the table of contents, for whoever wants to see all of it.
    """

    def __init__(self, container: Container, packed: str | None = None) -> None:
        self._container = container
        self._packed = packed
        self.toc: Toc = container.toc

    @cached_property
    def catalog(self) -> Catalog:  # type: ignore[override]
        return ddl.read_catalog(self.toc.statements())

    @cached_property
    def provenance(self) -> Provenance:  # type: ignore[override]
        """Where the archive came from. Reads all of it once, for its SHA-256.

        `dumped_at` is the writer's local time taken for UTC, because an archive names no zone. `sha256` of a folder is
        that of what `sha256sum *` prints in it.
        """
        header = self.toc.header
        return Provenance(
            kind=self._container.kind,
            path=str(self._container.path),
            sha256=self._container.sha256,
            bytes=self._container.size,
            compression=header.compression or self._packed,
            server_version=header.server_version,
            dump_version=header.dump_version,
            dumped_at=header.created,
            complete=self._container.complete
            and not any(r.damage for runs in self._runs.values() for r in runs),
            encoding=self.toc.encoding,
            database=header.database,
        )

    @property
    def damage(self) -> str | None:
        if self.provenance.complete:
            return None
        hurt = [str(name) for name, held in self.contents().items() if not held.complete]
        if hurt:
            return f"it breaks off or is corrupt in the rows of {', '.join(hurt)}"
        return self.damage_of_large_objects() or "it ends before its last rows end"

    @property
    def large_objects(self) -> frozenset[int] | None:
        return self.toc.large_objects

    def damage_of_large_objects(self) -> str | None:
        return self._container.damage_of_large_objects()

    def statements(self) -> Iterator[str]:
        return iter(self.toc.statements())

    def held_columns(self) -> Mapping[TableName, Sequence[str]]:
        targets = [entry.copy_target for entry in self.toc.table_data]
        return {t[0]: t[1] or () for t in targets if t}

    @cached_property
    def _runs(self) -> Mapping[TableName, tuple[_Run, ...]]:
        """The entries that hold rows, by the root table whose rows they are."""
        found: dict[TableName, list[_Run]] = {}
        for entry in self.toc.table_data:
            run = self._run(entry)
            for root in dict.fromkeys((self.catalog.root(run.target), self.catalog.root(run.own))):
                found.setdefault(root, []).append(run)
        return {name: tuple(runs) for name, runs in found.items()}

    def _run(self, entry: Entry) -> _Run:
        # What the entry, its COPY and the table's definition say must agree: they have no checksum. Where they do
        # not, the damage is told of every table that could be meant.
        own = TableName(entry.namespace, entry.tag)
        if entry.copy_target is None:
            return _Run(entry, own, own, (), "a COPY statement that pg_dump does not write stands")
        target, columns = entry.copy_target
        known = self.catalog.tables
        if own not in known and target not in known:
            return _Run(
                entry, target, target, columns or ()
            )  # the archive has no definitions, or not this one
        if (
            own not in known
            or target not in known
            or self.catalog.root(own) != self.catalog.root(target)
        ):
            names = [n for n in (own, target) if n in known]
            return _Run(
                entry, names[0], names[-1], (), f"both {own} and {target} stand as the table's name"
            )
        fields = tuple(c.name for c in known[target].columns if not c.generated)
        if columns is None:
            return _Run(entry, own, target, fields)
        # Not where the catalogue knows fewer: a table of a composite type need not say its columns.
        named = [c for c in columns if c != "oid" or c in fields]
        if len(named) == len(fields) and {*named} != {*fields}:
            what = f"a list of columns that the table has not ({', '.join(columns)}) stands"
            return _Run(entry, own, target, columns, what)
        return _Run(entry, own, target, columns)

    def segments(self, name: TableName, columns: Sequence[str]) -> list[Segment]:
        runs = self._runs.get(name, ())
        found: list[Segment] = [
            CopySegment(self, r) if r.entry.copy_stmt else InsertSegment(self, r, columns)
            for r in runs
        ]
        if lacking := self._lacking.get(name):
            found.append(LackingSegment(name, found[0].columns, lacking, None))
        return found

    @cached_property
    def _lacking(self) -> Mapping[TableName, tuple[TableName, ...]]:
        """By root table, the partitions that have no entry, where others have."""
        found = {}
        for name, leaves in leaves_by_root(self.catalog).items():
            if lacking := lacking_partitions(
                self.catalog, leaves, [(r.target, r.own) for r in self._runs.get(name, ())]
            ):
                found[name] = lacking
        return found

    def contents(self) -> Mapping[TableName, Contents]:
        names = {t.name for t in self.catalog.roots} | set(self._runs)
        found = {}
        for name in sorted(names):
            runs = self._runs.get(name, ())
            stored = [self._container.stored(run.entry) for run in runs]
            table = self.catalog.tables.get(name)
            # A partitioned table without partitions has no rows, and no entry that could say so.
            empty = (
                table is not None
                and table.kind == "partitioned"
                and self.catalog.leaves(name) == (name,)
            )
            empty = empty and not self.catalog.unparsed
            found[name] = Contents(
                name,
                data=bool(runs) or (empty and bool(self._runs)),
                bytes=sum(s.bytes for s in stored),
                complete=all(s.whole for s in stored) and not any(r.damage for r in runs),
                lacking=self._lacking.get(name, ()),
            )
        return found

    def entry_stream(self, entry: Entry) -> Iterator[bytes]:
        """Yield the data of an entry as pg_dump wrote them, unpacked, in pieces cut anywhere.

        Raises:
            DamagedBackupError: the data are cut off or corrupt; what could be read has been yielded.
        """
        return self._container.stream(entry)

    def table_columns(self, name: TableName) -> tuple[str, ...]:
        """All columns of a table, generated ones included; none where the archive does not define it."""
        table = self.catalog.tables.get(name)
        return tuple(c.name for c in table.columns) if table else ()

    def damaged(self, table: TableName, what: str) -> DamagedBackupError:
        """The error that says what is wrong with a table's rows."""
        return self._container.damaged(f"{what} in the rows of table {table}")

    def close(self) -> None:
        self._container.close()


@dataclass(frozen=True)
class _Run:
    """The rows of one entry: those that lay in table `own` and go to table `target`; `damage` says what is wrong."""

    entry: Entry
    own: TableName
    target: TableName
    columns: tuple[str, ...]
    damage: str | None = None


class CopySegment(Segment):
    """Rows that COPY wrote.

    Only gzip has a checksum, so every block is held against what COPY text can be: as many tabs and line feeds as so
    many rows of so many columns have. Rows that ran together, or one that was torn in two, are not counted as rows.
    """

    def __init__(self, source: ArchiveSource, run: _Run) -> None:
        super().__init__(run.own, run.columns)
        self._source = source
        self._run = run

    def blocks(self) -> Iterator[Block]:
        if self._run.damage:
            raise self._source.damaged(self.table, self._run.damage)
        stream = self._source.entry_stream(self._run.entry)
        convert = transcoder(self._source.toc.encoding)
        rows = 0
        for block in _without_end(
            copytext.read_blocks(lambda _: next(stream, b"")), self._without_marker
        ):
            size, lines = _good_part(block, len(self.columns))
            if size:
                yield convert(block[:size]) if convert else block[:size]
            rows += lines
            if size < len(block):
                what = f"another number of fields than {len(self.columns)} stands after row {rows}"
                raise self._source.damaged(self.table, what)

    def _without_marker(self) -> DamagedBackupError:
        return self._source.damaged(self.table, "the line that ends them is missing")


def _without_end(blocks: Iterator[bytes], lacking: Callable[[], Exception]) -> Iterator[bytes]:
    """Yield blocks of whole lines without the end marker after the last row.

    Raises:
        What `lacking` makes, after the last whole line, where there is no such marker.
    """
    held = b""  # the last block so far: the marker may stand in it
    try:
        for block in blocks:
            if held and len(block) >= _SHORT:
                yield held
                held = block
            else:
                held += block
    except DamagedBackupError:
        if held:
            yield held
        raise
    rows = held.rstrip(b"\n")
    if rows != held and (rows == _END or rows.endswith(b"\n" + _END)):
        held, marked = rows.removesuffix(_END), True
    else:
        held, marked = held[: held.rfind(b"\n") + 1], False
    if held:
        yield held
    if not marked:
        raise lacking()


def _good_part(block: bytes, width: int) -> tuple[int, int]:
    """Return how many bytes of `block`, and how many lines, precede the first line that has not `width` fields."""
    data = np.frombuffer(block, dtype=np.uint8)
    lines, tabs = int(np.count_nonzero(data == 10)), int(np.count_nonzero(data == 9))
    if tabs == lines * (width - 1) if width else lines == len(block):
        return len(block), lines
    size = lines = 0
    for line in block.splitlines(keepends=True):
        if line.count(b"\t") != width - 1 if width else line != b"\n":
            break
        size += len(line)
        lines += 1
    return size, lines


class InsertSegment(Segment):
    """Rows that INSERT statements hold, turned into COPY text as they stream."""

    def __init__(self, source: ArchiveSource, run: _Run, wanted: Sequence[str]) -> None:
        super().__init__(run.own, run.columns or wanted)
        self._source = source
        self._run = run

    def blocks(self) -> Iterator[Block]:
        toc = self._source.toc
        convert = transcoder(toc.encoding)
        damage: list[BackupError] = []

        def statements() -> Iterator[bytes]:
            # Held back until the rows before it are out.
            try:
                stream = self._source.entry_stream(self._run.entry)
                for run in inserts.whole_statements(stream, toc.standard_strings):
                    yield convert(run) if convert else run
            except BackupError as error:
                damage.append(error)

        columns = self._source.table_columns(self._run.target) or self.columns
        yield from inserts.copy_blocks(statements(), columns, self.columns, toc.standard_strings)
        if damage:
            error = damage[0]
            if isinstance(error, DamagedBackupError):
                raise error
            raise self._source.damaged(self.table, "a statement without an end stands") from error
