"""pg_dump's archives (custom, directory, tar) as a Source: read as they lie there, without
restoring anything.

`toc` knows what an archive's table of contents says; `custom`, `directory` and `tar` where its
bytes lie; `segments` make rows of an entry's data.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

from forensics.evidence import ddl
from forensics.evidence.afar import Url
from forensics.evidence.archive import walking
from forensics.evidence.archive.container import AfarFile, Container, File
from forensics.evidence.archive.custom import CustomArchive
from forensics.evidence.archive.directory import DirectoryArchive
from forensics.evidence.archive.runs import Run, runs_by_root
from forensics.evidence.archive.segments import CopySegment, InsertSegment, first_columns
from forensics.evidence.archive.tar import TAR_MAGIC, TAR_MAGIC_AT, TarArchive
from forensics.evidence.archive.toc import MAGIC, Toc
from forensics.evidence.defined import DefinedColumns, lost_definitions
from forensics.evidence.files import PlainFile
from forensics.evidence.pieces import Piece
from forensics.evidence.plain.values import Values
from forensics.evidence.source import (
    Contents,
    LackingSegment,
    Segment,
    Source,
    lacking_partitions,
    leaves_by_root,
)
from forensics.model import Catalog, Column, Provenance, TableName

_HEAD = 512


def open_archive(path: Path, file: PlainFile | None = None) -> ArchiveSource:
    """Open an archive that pg_dump wrote: a custom or tar file, or the folder of a directory
    archive.

    Only the table of contents is read.

    Args:
        path: the file or folder.
        file: the file's bytes, unpacked, where something was packed around the archive; it is
            closed with the source.

    Raises:
        BackupError: nothing is there, it is no archive, or one that names files outside of itself.
        DamagedBackupError: it is an archive whose table of contents is cut off or corrupt; the
            message names the byte.
    """
    packed = file.compression if file else None
    return ArchiveSource(_open_container(path, file), packed)


def open_afar(path: Url) -> ArchiveSource | None:
    """Open an archive that fsspec reaches, or return None where none is there.

    Its SHA-256 is not worked out: that would take all of it here.
    """
    if path.is_dir():
        return ArchiveSource(DirectoryArchive(path))
    archive = AfarFile(path)
    head = archive.read(_HEAD, 0)
    if head.startswith(MAGIC):
        return ArchiveSource(CustomArchive(path, archive))
    if head.startswith(TAR_MAGIC, TAR_MAGIC_AT):
        return ArchiveSource(TarArchive(path, archive))
    return None


def _open_container(path: Path, file: PlainFile | None) -> Container:
    if file is None and path.is_dir():
        return DirectoryArchive(path)
    archive = File(path, file)
    try:
        if archive.read(len(MAGIC), 0) == MAGIC:
            return CustomArchive(path, archive)
        return TarArchive(path, archive)
    except BaseException:
        archive.close()
        raise


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
    def _defined(self) -> Catalog:
        """What the archive itself defines."""
        return ddl.read_catalog(self.toc.statements())

    @cached_property
    def catalog(self) -> Catalog:  # type: ignore[override]
        return self._defined

    @cached_property
    def _values(self) -> Values:
        return Values(self._defined, self.statements(), by_pg_dump=True)

    @cached_property
    def _named(self) -> DefinedColumns:
        return DefinedColumns(self._defined, self.statements())

    @cached_property
    def provenance(self) -> Provenance:  # type: ignore[override]
        """Where the archive came from. Reads all of it once, for its SHA-256.

        `sha256` of a folder is that of what `sha256sum *` prints in it.
        """
        return replace(self._known, sha256=self._container.sha256 or None)

    def identify(self) -> Provenance:
        self._container.hash_beside()
        return self._known

    @cached_property
    def _known(self) -> Provenance:
        """All but the hash. `dumped_at` is the writer's local time taken for UTC, because an
        archive names no zone."""
        header = self.toc.header
        return Provenance(
            kind=self._container.kind,
            path=str(self._container.path),
            bytes=self._container.size,
            compression=header.compression or self._packed,
            server_version=header.server_version,
            dump_version=header.dump_version,
            dumped_at=header.created,
            complete=self._container.complete and not self._has_damaged_runs,
            encoding=self.toc.encoding,
            database=header.database,
        )

    @property
    def damage(self) -> str | None:
        if self._known.complete:
            return None
        hurt = []
        for name, held in self.contents().items():
            if not held.complete:
                hurt.append(str(name))
        if hurt:
            return f"it breaks off or is corrupt in the rows of {', '.join(hurt)}"
        return self.damage_of_large_objects() or "it ends before its last rows end"

    @property
    def large_objects(self) -> frozenset[int] | None:
        return self.toc.large_objects

    def object_ids(self) -> dict[str, Any] | None:
        return self.toc.object_ids

    def damage_of_large_objects(self) -> str | None:
        return self._container.damage_of_large_objects()

    def statements(self) -> Iterator[str]:
        return iter(self.toc.statements())

    def held_columns(self) -> Mapping[TableName, Sequence[str]]:
        found: dict[TableName, Sequence[str]] = {}
        for entry in self.toc.table_data:
            if entry.copy_target:
                name, columns = entry.copy_target
                if columns is None and name not in self._defined.tables:
                    columns = tuple(first_columns(self._container, entry))
                found[name] = columns or ()
        return found

    @cached_property
    def _runs(self) -> Mapping[TableName, tuple[Run, ...]]:
        """The entries that hold rows, by the root table whose rows they are."""
        held: set[TableName] = set()
        for entry in self.toc.table_data:
            own = TableName(entry.namespace, entry.tag)
            if entry.copy_target and own not in self._defined.tables:
                held.add(entry.copy_target[0])
        version = self.toc.header.server_version
        lost = lost_definitions(self._defined, self.toc.statements(), held, version)
        for entry in self.toc.entries:
            if entry.desc == "TABLE" and not entry.is_text:
                lost.add(TableName(entry.namespace, entry.tag))
        return runs_by_root(self.toc.table_data, self.catalog, lost)

    @property
    def _has_damaged_runs(self) -> bool:
        return any(_has_damage(runs) for runs in self._runs.values())

    def pieces(self) -> Iterator[Piece]:
        """Yield all that it holds, in the order in which pg_restore writes it."""
        segments = {}
        for runs in self._runs.values():
            for run in runs:
                columns = [c.name for c in self._stored(run.target)]
                segments[run.entry.dump_id] = self._segment(run, columns)
                segments[run.entry.dump_id].max_row = self.max_row
        return walking.pieces(self.toc, segments)

    def _stored(self, name: TableName) -> list[Column]:
        table = self.catalog.tables.get(name)
        return [column for column in table.columns if not column.generated] if table else []

    def _segment(self, run: Run, columns: Sequence[str]) -> Segment:
        checks = self._values.checks(run.target)
        if run.entry.copy_stmt:
            return CopySegment(self._container, run, run.columns, checks)
        known = self._table_columns(run.target)
        named = self._named.of(run.target)
        return InsertSegment(self._container, run, checks, known, columns, named)

    def segments(self, name: TableName, columns: Sequence[str]) -> list[Segment]:
        found: list[Segment] = []
        for run in self._runs.get(name, ()):
            found.append(self._segment(run, columns))
        if lacking := self._lacking.get(name):
            found.append(LackingSegment(name, found[0].columns, lacking, None))
        for segment in found:
            segment.max_row = self.max_row
        return found

    @cached_property
    def _lacking(self) -> Mapping[TableName, tuple[TableName, ...]]:
        """By root table, the partitions that have no entry, where others have."""
        found = {}
        for name, leaves in leaves_by_root(self.catalog).items():
            runs = [(run.target, run.own) for run in self._runs.get(name, ())]
            if lacking := lacking_partitions(self.catalog, leaves, runs):
                found[name] = lacking
        return found

    def contents(self) -> Mapping[TableName, Contents]:
        names = {table.name for table in self.catalog.roots} | set(self._runs)
        found = {}
        for name in sorted(names):
            runs = self._runs.get(name, ())
            stored = [self._container.stored(run.entry) for run in runs]
            found[name] = Contents(
                name,
                data=bool(runs) or (self._has_no_partitions(name) and bool(self._runs)),
                bytes=sum(one.bytes for one in stored),
                complete=all(one.whole for one in stored) and not _has_damage(runs),
                lacking=self._lacking.get(name, ()),
            )
        return found

    def _has_no_partitions(self, name: TableName) -> bool:
        """Whether a table is partitioned and has none: then it has no rows, and no entry that could
        say so."""
        table = self.catalog.tables.get(name)
        if table is None or table.kind != "partitioned" or self.catalog.unparsed:
            return False
        return self.catalog.leaves(name) == (name,)

    def _table_columns(self, name: TableName) -> tuple[str, ...]:
        """All columns of a table, generated ones included; none where the archive does not define
        it."""
        table = self.catalog.tables.get(name)
        if table is None:
            return ()
        return tuple(column.name for column in table.columns)

    def close(self) -> None:
        self._container.close()


def _has_damage(runs: Sequence[Run]) -> bool:
    return any(run.damage or not run.is_defined for run in runs)
