"""A custom archive: one file with header, table of contents, and each entry's data in blocks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from forensics.errors import DamagedBackupError
from forensics.evidence.afar import Url
from forensics.evidence.archive.blocks import Blocks
from forensics.evidence.archive.container import NOT_STORED, Container, File, Stored, named
from forensics.evidence.archive.toc import CUSTOM, POSITION_KNOWN, Entry
from forensics.evidence.archive.toc_reader import read_toc
from forensics.evidence.packing import unpack

_ROWS, _LARGE_OBJECTS = 1, 3  # the kinds of runs of data


@dataclass(frozen=True)
class _Extent:
    start: int
    stop: int
    whole: bool


@dataclass(frozen=True)
class _RunHeader:
    """What a run of data begins with: its kind, and whose data they are."""

    kind: int
    dump_id: int


class CustomArchive(Container):
    """A custom archive. One that was written to a pipe knows no positions: it is searched from its
    begin, once."""

    kind = "custom"

    def __init__(self, path: Path | Url, file: File) -> None:
        self.path = path
        self._file = file
        self.toc = read_toc(file.read, 0, file.size, path)
        if self.toc.header.format != CUSTOM:
            raise self.damaged("its header does not say that it is a custom archive")
        # A table of contents that lost entries would pass for a shorter one: hold its end against
        # what follows.
        follows = file.size - self.toc.end
        if not self.toc.data_entries and follows:
            raise self.damaged(
                f"its table of contents knows no data, and {follows} bytes follow it"
            )
        if follows >= 2 + self.toc.header.int_size and not self._run_header(self.toc.end):
            raise self.damaged(
                f"no data begin at byte {self.toc.end}, where its table of contents ends"
            )

    def __reduce__(self) -> tuple[Any, ...]:
        return CustomArchive, (self.path, self._file)

    @property
    def size(self) -> int:
        return self._file.packed_size

    @property
    def sha256(self) -> str:
        return self._file.sha256()

    def hash_beside(self) -> None:
        self._file.hash_beside()

    @property
    def complete(self) -> bool:
        end = self.toc.end
        if self._extents:
            end = max(extent.stop for extent in self._extents.values())
        return super().complete and end == self._file.size

    def close(self) -> None:
        self._file.close()

    def stored(self, entry: Entry) -> Stored:
        extent = self._extents.get(entry.dump_id)
        if extent is None:
            return NOT_STORED
        return Stored(max(0, min(extent.stop, self._file.size) - extent.start), extent.whole)

    def stream(self, entry: Entry) -> Iterator[bytes]:
        extent = self._extents.get(entry.dump_id)
        if extent is None or extent.start >= self._file.size:
            raise self.damaged(f"the data of {named(entry)} are not in the file")
        if self._run_header(extent.start) != _RunHeader(_ROWS, entry.dump_id):
            raise self.damaged(f"the data of {named(entry)} do not begin at byte {extent.start}")

        def damaged(what: str) -> DamagedBackupError:
            return self.damaged(f"{named(entry)}, before byte {blocks.position}: {what}")

        header = self.toc.header
        start = extent.start + 2 + header.int_size
        stop = min(extent.stop, self._file.size)
        blocks = Blocks(self._file, header, start, stop, damaged)
        yield from unpack(blocks, header.compression, damaged)
        if blocks.position != extent.stop:
            raise self.damaged(
                f"the data of {named(entry)} end at byte {blocks.position}, not at {extent.stop}"
            )

    # --- where the data lie -----------------------------------------------------------------------

    @cached_property
    def _extents(self) -> dict[int, _Extent]:
        """By an entry's id, where its data lie."""
        return self._extents_told() or self._extents_found()

    def _extents_told(self) -> dict[int, _Extent] | None:
        """Where the table of contents says that the data lie, or None where it does not know."""
        starts = []
        for entry in self.toc.data_entries:
            if entry.data_state != POSITION_KNOWN:
                return None
            starts.append((entry.offset, entry.dump_id))
        starts.sort()
        if not starts or starts[0][0] != self.toc.end:
            return None
        stops = [start for start, _ in starts[1:]]
        stops.append(self._file.size)
        found: dict[int, _Extent] = {}
        for (start, dump_id), stop in zip(starts, stops, strict=True):
            header = self._run_header(start)
            if header and header.dump_id != dump_id:
                return None
            whole = header is not None and stop <= self._file.size
            if header and len(found) == len(starts) - 1:
                # Nothing follows the last one that could say where it ends.
                whole = self._run_end(header.kind, start) == stop
            found[dump_id] = _Extent(start, stop, whole)
        return found

    def _extents_found(self) -> dict[int, _Extent]:
        """Where the data lie, by going through all of them."""
        found: dict[int, _Extent] = {}
        position = self.toc.end
        while header := self._run_header(position):
            if header.dump_id in found:
                break
            end = self._run_end(header.kind, position)
            found[header.dump_id] = _Extent(position, end or self._file.size, end is not None)
            if end is None:
                break
            position = end
        return found

    def _run_header(self, position: int) -> _RunHeader | None:
        """What the run of data at `position` begins with, or None where no run begins."""
        size = 2 + self.toc.header.int_size
        head = self._file.read(size, position)
        if len(head) < size or head[0] not in (_ROWS, _LARGE_OBJECTS) or head[1]:
            return None
        entry = self.toc.by_id.get(int.from_bytes(head[2:], "little"))
        if entry is None or not entry.had_dumper:
            return None
        return _RunHeader(head[0], entry.dump_id)

    def _run_end(self, kind: int, position: int) -> int | None:
        """Where the run of data of that kind that begins at `position` ends; None where it has no
        end."""
        position += 2 + self.toc.header.int_size
        with suppress(DamagedBackupError):
            if kind == _ROWS:
                return self._blocks_end(position)
            return self._large_objects_end(position)
        return None

    def _large_objects_end(self, position: int) -> int | None:
        # Each object's data follow its id; an id of 0 ends them.
        size = 1 + self.toc.header.int_size
        while len(object_id := self._file.read(size, position)) == size:
            position += size
            if not any(object_id):
                return position
            position = self._blocks_end(position)
        return None

    def _blocks_end(self, position: int) -> int:
        blocks = Blocks(self._file, self.toc.header, position, self._file.size, self.damaged)
        blocks.skip()
        return blocks.position
