"""One table's rows as Arrow batches, for DuckDB to go through.

Only the columns that a question needs are split from the lines. Whole numbers, times and the like
are read as such at once; what else there is stays text in the stream, and a view makes values of
it, where they are needed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import duckdb
import pyarrow as pa

from forensics.compare.fields import Canonical
from forensics.errors import BackupError
from forensics.evidence.bytewise import count_lines
from forensics.evidence.heap import hold_tight
from forensics.evidence.source import Block, LackingSegment, Segment
from forensics.model import TableName
from forensics.query import fields
from forensics.query.kinds import Kind

_MANY = 64  # blocks, of about a megabyte
_READERS = 2  # blocks that are read at a time, beside the one that DuckDB goes through
_DIGITS = r"'-?\d+(\.\d+)?'"

Segments = Callable[[Sequence[str]], list[Segment]]
Heard = Callable[[TableName, int], None]
# A block of a segment, its rows, and the wanted columns of it where they were read on the way.
_Read = tuple[Segment, bytes, int, list[pa.Array] | None]


def unheard(name: TableName, rows: int) -> None:
    """Nobody is told of rows that were read."""


class MisfitError(Exception):
    """A value that its column's kind cannot hold."""

    def __init__(self, column: str) -> None:
        super().__init__(column)
        self.column = column


@dataclass
class Held:
    """A column of a table: its name, its kind, and what makes its text canonical.

    Attributes:
        tells: whether reading its values tells that they are such as its type can hold.
    """

    name: str
    kind: Kind
    change: Canonical | None = None
    tells: bool = False


class Stream:
    """A table's rows for DuckDB.

    Args:
        label: the table's name within the session; a column's is `label` and its number.
        name: the table's.
        columns: those that its rows have.
        segments: gives where its rows are, of the columns that are wanted.
        heard: is told of rows that were read.

    Attributes:
        wanted: the numbers of the columns that are to be read.
        absent: what is raised where it is read all the same: none of its rows are there.
        damage: why its rows are not all there, in words.
        error: what else went wrong while it was read.
    """

    def __init__(
        self, label: str, name: TableName, columns: list[Held], segments: Segments, heard: Heard
    ) -> None:
        self.label, self.name, self.columns = label, name, columns
        self.segments, self._heard = segments, heard
        self.wanted: set[int] = set()
        self.absent: BackupError | None = None
        self.damage: str | None = None
        self.error: BaseException | None = None

    def code(self, number: int) -> str:
        """A column's name within the session."""
        return f"{self.label}c{number}"

    @property
    def schema(self) -> pa.Schema:
        """Of the batches."""
        listed = []
        for number, column in enumerate(self.columns):
            listed.append((self.code(number), column.kind.stored))
        return pa.schema(listed or [(self.code(0), pa.int64())])

    def capsule(self) -> object:
        """The rows for DuckDB to go through once.

        A capsule, for of anything else DuckDB asks whether it is a DataFrame, and loads pandas.
        """
        reader = pa.RecordBatchReader.from_batches(self.schema, self._guarded())
        return reader.__arrow_c_stream__()

    def _guarded(self) -> Iterator[pa.RecordBatch]:
        """The batches; notes what went wrong in making them."""
        try:
            yield from self._batches()
        except GeneratorExit:
            raise
        except BaseException as error:
            self.error = error
            raise

    def _batches(self) -> Iterator[pa.RecordBatch]:
        numbers = sorted(self.wanted)
        nothing = _Nothing(self.schema)
        with _Converter() as converter:
            for segment, block, rows, read in self._blocks(numbers):
                found = self._read(segment, block, numbers, converter, read)
                self._heard(self.name, rows)
                made = []
                for number in range(len(self.schema)):
                    made.append(found.get(number, None))
                    if made[-1] is None:
                        made[-1] = nothing.of(number, rows)
                yield pa.record_batch(made, schema=self.schema)

    def blocks(self, numbers: Sequence[int]) -> Iterator[tuple[Segment, bytes]]:
        """The rows in blocks, as far as they can be read; then `damage` says why no further.

        Args:
            numbers: of the columns that are wanted; a block may have others, too.
        """
        for segment, block, *_ in self._blocks(numbers, quick=False):
            yield segment, block

    def _blocks(self, numbers: Sequence[int], *, quick: bool = True) -> Iterator[_Read]:
        """The rows in blocks, as far as they can be read.

        Args:
            numbers: the columns that are wanted.
            quick: whether these may be read on the way.
        """
        if self.absent:
            raise self.absent
        names = [self.columns[number].name for number in numbers]
        read = 0
        for segment in self.segments(names):
            try:
                for found in self._of(segment, numbers, quick=quick):
                    read += 1
                    if read == _MANY:
                        hold_tight()
                    yield found
            except BackupError as error:
                self.damage = error.message
                if not isinstance(segment, LackingSegment):
                    return
            except GeneratorExit:
                segment.abandon()  # nobody wants the rest
                raise

    def _of(self, segment: Segment, numbers: Sequence[int], *, quick: bool) -> Iterator[_Read]:
        """A segment's blocks: quickly as far as reading them tells that they are sound."""
        passed = 0
        if quick and all(self.columns[number].tells for number in numbers):
            for found in self._quickly(segment, numbers):
                if found is None:
                    break
                passed += found[2]
                yield found
            else:
                return
        segment.thorough = True
        for block in segment.blocks():
            rest, passed = _without(bytes(block), passed)
            if rest:
                yield segment, rest, count_lines(rest), None

    def _quickly(self, segment: Segment, numbers: Sequence[int]) -> Iterator[_Read | None]:
        """Blocks that are read at once; None in place of what has to be looked at more closely."""
        segment.thorough = False
        blocks = segment.as_stored()
        if blocks is None:
            yield None
            return
        if not numbers:
            yield from self._counted(segment, blocks)
            return
        wanted = {}
        for number in numbers:
            place = segment.columns.index(self.columns[number].name)
            wanted[place] = self.columns[number].kind.stored
        try:
            with ThreadPoolExecutor(_READERS, thread_name_prefix="query") as pool:
                for block, reading in _ahead(pool, blocks, len(segment.columns), wanted):
                    found = reading.result()
                    yield segment, block, len(found[0]), found
        except (BackupError, pa.ArrowInvalid):
            yield None

    def _counted(self, segment: Segment, blocks: Iterator[Block]) -> Iterator[_Read | None]:
        """Blocks of which no column is wanted, only how many rows they have."""
        try:
            for stored in blocks:
                block = bytes(stored)
                if not segment.is_sound(block):
                    yield None
                    return
                yield segment, block, count_lines(block), []
        except BackupError:
            yield None

    def _read(
        self,
        segment: Segment,
        block: bytes,
        numbers: Sequence[int],
        converter: _Converter,
        read: list[pa.Array] | None,
    ) -> dict[int, pa.Array]:
        """The wanted columns of a block, by number."""
        if not numbers:
            return {}
        plain = True
        if read is None:
            read, plain = self._read_closely(segment, block, numbers)
        found: dict[int, pa.Array] = {}
        late: dict[int, pa.Array] = {}
        for number, array in zip(numbers, read, strict=True):
            column = self.columns[number]
            if pa.types.is_string(array.type):
                array = self._values(column, array)
            if plain or column.kind.arrow is None:
                found[number] = array
            else:
                late[number] = array
        if late:
            found.update(converter.convert(self, late))
        return found

    def _read_closely(
        self, segment: Segment, block: bytes, numbers: Sequence[int]
    ) -> tuple[list[pa.Array], bool]:
        """The wanted columns, and whether they are what they are wanted as, or text."""
        places = [segment.columns.index(self.columns[n].name) for n in numbers]
        width = len(segment.columns)
        stored = [self.columns[n].kind.stored for n in numbers]
        try:
            return fields.read_at_once(block, width, dict(zip(places, stored, strict=True))), True
        except pa.ArrowInvalid:
            return fields.read_as_text(block, width, places), False

    def _values(self, column: Held, array: pa.Array) -> pa.Array:
        if column.change is not None:
            array = fields.canonical(array, column.change)
        return fields.values(array)

    def measured(self, number: int, *, whole: bool) -> tuple[int, int] | None:
        """Return how many digits a column's numbers have, and how many behind the point, at most.

        Args:
            number: the column's.
            whole: look at all of them; else at the first ones.

        Returns:
            None where one of them is no such number.
        """
        before = behind = 0
        with _Converter() as converter:
            for segment, block, *_ in self._blocks([number], quick=False):
                place = segment.columns.index(self.columns[number].name)
                [array] = fields.read_as_text(block, len(segment.columns), [place])
                found = converter.measure(array)
                if found is None:
                    return None
                before, behind = max(before, found[0]), max(behind, found[1])
                if not whole:
                    break
        return before + behind, behind


def _ahead(
    pool: ThreadPoolExecutor, blocks: Iterator[Block], width: int, wanted: Mapping[int, pa.DataType]
) -> Iterator[tuple[bytes, Future[list[pa.Array]]]]:
    """Blocks in their order, each with what reads it: a few are read before they are asked for.

    Reading also tells whether each row has as many fields as there are columns.

    Raises:
        BackupError: after the last of them, where the rows end before their time.
    """
    waiting: deque[tuple[bytes, Future[list[pa.Array]]]] = deque()
    try:
        for stored in blocks:
            block = bytes(stored)
            if b"\0" in block:
                raise BackupError("A NUL stands among the rows.")
            waiting.append((block, pool.submit(fields.read_at_once, block, width, wanted)))
            if len(waiting) > _READERS:
                yield waiting.popleft()
    except BackupError:
        yield from waiting
        raise
    yield from waiting


def _without(block: bytes, rows: int) -> tuple[bytes, int]:
    """A block without so many rows at its beginning, and how many of them are yet to come."""
    if not rows:
        return block, 0
    held = count_lines(block)
    if held <= rows:
        return b"", rows - held
    at = 0
    for _ in range(rows):
        at = block.index(b"\n", at) + 1
    return block[at:], 0


class _Nothing:
    """Columns that nobody asked for."""

    def __init__(self, schema: pa.Schema) -> None:
        self._types = [field.type for field in schema]
        self._made: dict[int, pa.Array] = {}

    def of(self, number: int, rows: int) -> pa.Array:
        """So many NULLs for a column."""
        made = self._made.get(number)
        if made is None or len(made) < rows:
            made = self._made[number] = pa.nulls(rows, self._types[number])
        return made[:rows]


class _Converter:
    """DuckDB at work on one block, for what cannot be read at once: infinity, BC, 24:00, NaN."""

    def __init__(self) -> None:
        self._db: duckdb.DuckDBPyConnection | None = None

    def __enter__(self) -> _Converter:
        return self

    def __exit__(self, *_: object) -> None:
        if self._db is not None:
            self._db.close()

    def _ask(self, statement: str, table: pa.Table) -> pa.Table:
        if self._db is None:
            self._db = duckdb.connect(":memory:", config={"threads": "1"})
            self._db.execute("SET TimeZone = 'UTC'")
        self._db.register("block", table.to_reader().__arrow_c_stream__())
        try:
            return self._db.sql(statement).to_arrow_table()
        finally:
            self._db.unregister("block")

    def convert(self, stream: Stream, texts: dict[int, pa.Array]) -> dict[int, pa.Array]:
        """Return what texts of some columns are, by number.

        Raises:
            MisfitError: a value does not fit its column's kind.
        """
        table = pa.table({stream.code(n): array for n, array in texts.items()})
        listed = []
        for number in texts:
            code = stream.code(number)
            made = stream.columns[number].kind.typed(code, misfit(code))
            listed.append(f"{made} AS {code}")
        try:
            found = self._ask(f"SELECT {', '.join(listed)} FROM block", table)
        except duckdb.Error as error:
            if column := misfit_of(error):
                raise MisfitError(column) from None
            raise
        arrays = {}
        for place, number in enumerate(texts):
            array = found.column(place).combine_chunks()
            arrays[number] = array.cast(stream.columns[number].kind.stored)
        return arrays

    def measure(self, texts: pa.Array) -> tuple[int, int] | None:
        """The most digits before the point and behind it; None where one is no such number."""
        answer = self._ask(
            "SELECT coalesce(max(length(split_part(ltrim(v, '-'), '.', 1))), 0),"
            " coalesce(max(length(split_part(v, '.', 2))), 0),"
            f" coalesce(bool_and(regexp_full_match(v, {_DIGITS})), true) FROM block",
            pa.table({"v": texts}),
        )
        [(before, behind, sound)] = zip(*answer.to_pydict().values(), strict=True)
        if not sound:
            return None
        return before, behind


_MISFIT = "forensics:misfit:"


def misfit(code: str) -> str:
    """What a query is ended with where a value of a column does not fit its kind."""
    return f"{_MISFIT}{code}:"


def misfit_of(error: BaseException) -> str | None:
    """The column that a query was ended for, or None."""
    _, found, rest = str(error).partition(_MISFIT)
    if not found:
        return None
    return rest.partition(":")[0]
