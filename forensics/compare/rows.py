"""The engine: which rows of one table differ, with the rows that differ kept whole.

Three steps. `align` pairs off what both sides hold in the same order by comparing bytes. What is left is reduced to
128-bit hashes of whole rows (MD5) and joined in DuckDB, which spills to disk by itself: the backup's hashes are the
side that is built, live streams through as the side that probes, so live is read once and is never held. Only rows
without an equal partner are looked at by key: same key is changed, no such key is missing or added.

Nothing here keeps a table in memory, and nothing costs a Python call for each row but the rows that differ.
"""

from __future__ import annotations

import itertools
import queue
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import duckdb
import numpy as np
import pyarrow as pa

from forensics.compare.align import Stream, align
from forensics.compare.canonical import Canonical, Shaper, after
from forensics.compare.feeding import VALUE_MACRO, Guard, feed
from forensics.errors import CompareError, RepeatedKeyError
from forensics.evidence import copytext
from forensics.evidence.source import Block, Segment, Snapshot
from forensics.model import TableName

Progress = Callable[[int], None]

_TEXT = pa.large_string()
_STORED = pa.schema([("position", pa.int64()), ("line", _TEXT), ("raw", _TEXT)])
_PREFETCHED_BLOCKS = 24
_NONE = "SELECT 0::BIGINT AS pair, '' AS state, '' AS raw WHERE false"
_WORKING_TABLE = re.compile(r"CREATE TABLE \{work\}\.(\w+)")
_FETCH_ROWS = 20_000
_PATIENCE = 2  # seconds


@dataclass
class Side:
    """One side of one table.

    Attributes:
        segments: where its rows are.
        stored: the columns of the rows that are kept, in order.
        canonical: by column, how its text is made canonical; rows are kept that way.
        casts: by column whose type has changed, what further makes its text comparable; rows are not kept that way.
        counted: columns that live dropped: their values that are not NULL are counted into `values`.
    """

    segments: list[Segment]
    stored: tuple[str, ...]
    canonical: dict[str, Canonical] = field(default_factory=dict)
    casts: dict[str, Canonical] = field(default_factory=dict)
    counted: tuple[str, ...] = ()
    values: dict[str, int] = field(default_factory=dict)
    rows: int = 0
    starts: list[int] = field(default_factory=list)

    @property
    def comparable(self) -> dict[str, Canonical]:
        """By column, all that is done to its text before it is compared."""
        return {
            **self.canonical,
            **{c: after(self.canonical.get(c), change) for c, change in self.casts.items()},
        }

    @property
    def snapshot(self) -> Snapshot | None:
        """The moment that the rows are of, where a database holds them."""
        return next((s.snapshot for s in self.segments), None)

    def anew(self) -> Side:
        """The same rows, as if none had been read yet."""
        return Side(self.segments, self.stored, self.canonical, self.casts)

    def in_order(self, wanted: Sequence[str]) -> bool:
        """Whether every line, as it stands, holds exactly the columns that are compared."""
        return all(s.columns == tuple(wanted) for s in self.segments)


@dataclass(frozen=True)
class Counts:
    """What was found: rows on either side, and rows in each class."""

    backup_rows: int
    live_rows: int
    missing: int
    added: int
    changed: int
    unchanged: int


@dataclass(frozen=True)
class Found:
    """What a comparison found: its counts, the columns it compared, and the queries of the rows that are to be kept, by side."""

    counts: Counts
    compared: tuple[str, ...]
    columns: dict[str, tuple[str, ...]]
    queries: dict[str, str]


class Engine:
    """Compares tables on one cursor of the case file.

    Working tables live in a database of their own in memory, which spills; DuckDB lets a transaction write one database
    only, so `compare` runs outside of one, and `keep` inside the caller's.

    Args:
        cursor: of the case's connection, its own.
        number: tells this engine's working tables from those of others at work on the same case.
    """

    def __init__(self, cursor: duckdb.DuckDBPyConnection, number: int) -> None:
        self._db = cursor
        self._work = f"work_{number}"
        self._made: set[str] = set()  # working tables that may be there
        self._db.execute(f"ATTACH ':memory:' AS {self._work}")
        # The backup's hashes are what the join is built on, whatever the optimizer thinks of their number.
        self._db.execute("SET disabled_optimizers = 'build_side_probe_side'")
        self._db.execute("SET preserve_insertion_order = false")
        self._db.execute(VALUE_MACRO)

    def close(self) -> None:
        self._db.execute(f"DETACH {self._work}")

    # --- a table that live dropped, or whose every row is wanted ------------------------------------

    def keep_all(self, number: int, backup: Side, progress: Progress) -> Counts:
        """Keep every row of a backup table as missing."""
        batches = Guard(_stored_lines(backup, backup.stored, progress))
        rows = (
            "SELECT position AS pair, 'missing' AS state, coalesce(raw, line) AS raw FROM batches"
        )
        self._stream(_kept("backup", number, backup.stored, rows), batches=batches)
        return Counts(backup.rows, 0, backup.rows, 0, 0, 0)

    # --- a table that both sides have -----------------------------------------------------------------

    def compare(
        self,
        backup: Side,
        live: Side,
        columns: Sequence[str],
        key: Sequence[str],
        progress: Progress,
    ) -> Found:
        """Compare a table; what it found is good until `clean` is called.

        Args:
            backup, live: its two sides.
            columns: the columns to compare, in order.
            key: those of them that tell rows apart; empty for a multiset of whole rows.
            progress: is told of rows that were read on the live side.

        Raises:
            RepeatedKeyError: the key repeats.
            CompareError: the backup's rows changed while they were read.
            EvidenceError: a side could not be read to its end.
        """
        stored = {"backup": backup.stored, "live": live.stored}
        left = _left_over(backup, live, columns, progress)
        if left is None:
            return Found(
                Counts(backup.rows, live.rows, 0, 0, 0, backup.rows),
                tuple(columns),
                stored,
                dict.fromkeys(stored, _NONE),
            )
        ours, theirs = left
        with ours, theirs:
            if key:
                self._differ_by_hash(ours, theirs)
            else:
                self._differ_as_multiset(ours, theirs)
        self._fetch_backup(backup, columns)
        missing_hashes, odd_live = self._ask(
            "SELECT count(position), count(*) - count(position) FROM {work}.differ"
        )
        if backup.rows - missing_hashes != live.rows - odd_live:
            raise _repeats(
                backup.segments[0].table if backup.segments else live.segments[0].table, key
            )
        return self._classify(backup, live, columns, key)

    def differences(
        self, backup: Side, live: Side, columns: Sequence[str], progress: Progress
    ) -> tuple[int, int]:
        """Read both sides anew and count rows that only one of them has, whole rows held against each other byte for byte.

        No hash is trusted here and nothing is paired off first, so this holds `compare` to account; it costs several times
        as much, and spills.

        Returns:
            How many rows only the backup has, and how many only live has.
        """
        self._stream(
            "CREATE TABLE {work}.ours AS SELECT line FROM ours",
            ours=Guard(_stored_lines(backup, columns, None)),
        )
        self._stream(
            "CREATE TABLE {work}.theirs AS SELECT line FROM theirs",
            theirs=Guard(_stored_lines(live, columns, progress)),
        )
        found = self._ask(
            """
            SELECT coalesce(sum(greatest(n, 0)), 0)::BIGINT, coalesce(sum(greatest(-n, 0)), 0)::BIGINT
              FROM (SELECT sum(n) AS n FROM (SELECT line, 1 AS n FROM {work}.ours UNION ALL SELECT line, -1 FROM {work}.theirs)
                     GROUP BY line HAVING sum(n) <> 0)
            """
        )
        self.clean()
        return found[0], found[1]

    def differ_in_scale_only(
        self, found: Found, columns: Mapping[str, Sequence[str]], numeric: Sequence[str]
    ) -> int:
        """Count changed rows whose only difference is the scale of numbers: 1.50 against 1.5.

        Args:
            found: what `compare` returned.
            columns: by side, the columns of the lines that are kept, in order; the compared ones first on live.
            numeric: compared columns of type numeric.
        """
        if not found.counts.changed or not numeric:
            return 0
        terms = []
        for at, name in enumerate(columns["live"]):
            if name in columns["backup"]:
                ours, theirs = f"b[{columns['backup'].index(name) + 1}]", f"l[{at + 1}]"
                if name in numeric:
                    ours, theirs = (
                        f"CASE WHEN contains({v}, '.') THEN rtrim(rtrim({v}, '0'), '.') ELSE {v} END"
                        for v in (ours, theirs)
                    )
                terms.append(f"{ours} = {theirs}")
        split = "string_split(rtrim(raw, chr(10)), chr(9))"
        (count,) = self._ask(
            f"""
            SELECT count(*) FROM (SELECT pair, {split} AS b FROM ({found.queries["backup"]}) WHERE state = 'changed') o
              JOIN (SELECT pair, {split} AS l FROM ({found.queries["live"]}) WHERE state = 'changed') t ON t.pair = o.pair
             WHERE {" AND ".join(terms)}
            """
        )
        return count

    def keep(self, number: int, found: Found) -> None:
        """Write the rows that differ into the case.

        Args:
            number: the table's number in the case.
            found: what `compare` returned.
        """
        for side, rows in found.queries.items():
            self._run(_kept(side, number, found.columns[side], rows))

    def clean(self) -> None:
        """Drop the working tables."""
        for name in self._made:
            self._run(f"DROP TABLE IF EXISTS {{work}}.{name}")
        self._made.clear()

    def _differ_by_hash(self, ours: Guard, theirs: Guard) -> None:
        self._stream(
            """
            CREATE TABLE {work}.differ AS
            SELECT b.position, b.h, l.line, l.raw
              FROM (SELECT line, raw, md5_number(line) AS h FROM theirs) l
              FULL JOIN (SELECT position, md5_number(line) AS h FROM ours) b ON l.h = b.h
             WHERE l.h IS NULL OR b.h IS NULL
            """,
            ours=ours,
            theirs=theirs,
        )

    def _differ_as_multiset(self, ours: Guard, theirs: Guard) -> None:
        self._stream(
            "CREATE TABLE {work}.ours AS SELECT position, md5_number(line) AS h FROM ours",
            ours=ours,
        )
        self._stream(
            "CREATE TABLE {work}.theirs AS SELECT line, raw, md5_number(line) AS h FROM theirs",
            theirs=theirs,
        )
        self._run(
            """
            CREATE TABLE {work}.surplus AS
            SELECT coalesce(b.h, l.h) AS h, coalesce(b.n, 0) - coalesce(l.n, 0) AS n
              FROM (SELECT h, count(*) AS n FROM {work}.ours GROUP BY h) b
              FULL JOIN (SELECT h, count(*) AS n FROM {work}.theirs GROUP BY h) l ON b.h = l.h
             WHERE coalesce(b.n, 0) <> coalesce(l.n, 0);
            CREATE TABLE {work}.differ AS
            SELECT position, h, NULL::VARCHAR AS line, NULL::VARCHAR AS raw
              FROM (SELECT b.position, b.h, s.n, row_number() OVER (PARTITION BY b.h ORDER BY b.position DESC) AS r
                      FROM {work}.ours b JOIN {work}.surplus s ON s.h = b.h WHERE s.n > 0)
             WHERE r <= n
             UNION ALL
            SELECT NULL, NULL, line, raw
              FROM (SELECT l.line, l.raw, s.n, row_number() OVER (PARTITION BY l.h) AS r
                      FROM {work}.theirs l JOIN {work}.surplus s ON s.h = l.h WHERE s.n < 0)
             WHERE r <= -n;
            DROP TABLE {work}.ours; DROP TABLE {work}.theirs; DROP TABLE {work}.surplus;
            """
        )

    def _fetch_backup(self, backup: Side, columns: Sequence[str]) -> None:
        """Read the backup's rows that differ a second time, whole, into `odd`; make sure that they are the same rows."""
        positions = self._db.execute(
            f"SELECT position FROM {self._work}.differ WHERE position IS NOT NULL ORDER BY position"
        ).fetchnumpy()["position"]
        batches = Guard(_lines_again(backup, columns, np.asarray(positions, dtype=np.int64)))
        self._stream(
            "CREATE TABLE {work}.odd AS SELECT position, line, raw FROM batches", batches=batches
        )
        (same,) = self._ask(
            "SELECT count(*) FROM {work}.odd o JOIN {work}.differ d ON d.position = o.position AND d.h = md5_number(o.line)"
        )
        if same != len(positions):
            raise CompareError(
                f"{len(positions) - same} rows of {backup.segments[0].table} read differently the second time.",
                "The backup changed while it was read, or its medium fails. Copy it elsewhere and compare again.",
            )

    def _classify(
        self, backup: Side, live: Side, columns: Sequence[str], key: Sequence[str]
    ) -> Found:
        keys = [f"string_split(rtrim(line, chr(10)), chr(9))[{columns.index(c) + 1}]" for c in key]
        named = "".join(f", {k} AS k{i}" for i, k in enumerate(keys))
        on = " AND ".join(f"b.k{i} = l.k{i}" for i in range(len(keys))) or "false"
        self._run(
            f"""
            CREATE TABLE {{work}}.b AS
            SELECT row_number() OVER (ORDER BY position) AS pair, coalesce(raw, line) AS raw{named} FROM {{work}}.odd;
            CREATE TABLE {{work}}.l AS
            SELECT row_number() OVER (ORDER BY line) AS n, coalesce(raw, line) AS raw{named} FROM {{work}}.differ WHERE position IS NULL;
            CREATE TABLE {{work}}.both_sides AS SELECT b.pair, l.n FROM {{work}}.b b JOIN {{work}}.l l ON {on};
            """
        )
        twice, changed = self._ask(
            "SELECT greatest(count(*) - count(DISTINCT pair), count(*) - count(DISTINCT n)), count(*) FROM {work}.both_sides"
        )
        if twice or self._key_repeats(len(keys)):
            raise _repeats(
                backup.segments[0].table if backup.segments else live.segments[0].table, key
            )
        (missing,) = self._ask("SELECT count(*) FROM {work}.b")
        (added,) = self._ask("SELECT count(*) FROM {work}.l")
        ours = """SELECT b.pair, CASE WHEN m.pair IS NULL THEN 'missing' ELSE 'changed' END AS state, b.raw
                    FROM {work}.b b LEFT JOIN {work}.both_sides m ON m.pair = b.pair"""
        theirs = f"""SELECT coalesce(m.pair, {missing} + l.n) AS pair, CASE WHEN m.n IS NULL THEN 'added' ELSE 'changed' END AS state,
                            l.raw
                       FROM {{work}}.l l LEFT JOIN {{work}}.both_sides m ON m.n = l.n"""
        return Found(
            Counts(
                backup.rows,
                live.rows,
                missing - changed,
                added - changed,
                changed,
                backup.rows - missing,
            ),
            tuple(columns),
            {"backup": backup.stored, "live": live.stored},
            {"backup": ours, "live": theirs},
        )

    def _key_repeats(self, width: int) -> bool:
        if not width:
            return False
        fields = ", ".join(f"k{i}" for i in range(width))
        return any(
            self._ask(
                f"SELECT count(*) FROM (SELECT 1 FROM {{work}}.{t} GROUP BY {fields} HAVING count(*) > 1)"
            )[0]
            for t in ("b", "l")
        )

    # --- statements ---------------------------------------------------------------------------------

    def _run(self, statement: str) -> None:
        self._made.update(_WORKING_TABLE.findall(statement))
        self._db.execute(statement.replace("{work}", self._work))

    def _ask(self, statement: str) -> tuple[int, ...]:
        found = self._db.execute(statement.replace("{work}", self._work)).fetchone()
        assert found is not None
        return tuple(found)

    def _stream(self, statement: str, **guards: Guard) -> None:
        """Run a statement that reads batches by name."""
        self._made.update(_WORKING_TABLE.findall(statement))
        feed(self._db, statement.replace("{work}", self._work), _STORED, guards)


def _kept(side: str, number: int, columns: Sequence[str], rows: str) -> str:
    """The statement that writes rows (pair, state, raw line) into the case, split into one VARCHAR a column."""
    fields = "".join(f", copy_value(parts[{i + 1}]) AS f{i}" for i in range(len(columns)))
    return (
        f"CREATE OR REPLACE TABLE rows.{side}_{number} AS SELECT pair, state{fields} FROM "
        f"(SELECT pair, state, string_split(rtrim(raw, chr(10)), chr(9)) AS parts FROM ({rows})) ORDER BY pair"
    )


def _repeats(table: TableName, key: Sequence[str]) -> RepeatedKeyError:
    return RepeatedKeyError(
        f"Table {table}: the key ({', '.join(key)}) repeats, so it does not tell rows apart.",
        "Choose another with --key TABLE=COLUMN,COLUMN.",
    )


class _Prefetch:
    """Blocks read ahead in a thread, so that the server works while the other side is looked at."""

    def __init__(self, blocks: Iterator[Block], segments: Sequence[Segment]) -> None:
        self._blocks = blocks
        self._segments = segments
        self._queue: queue.Queue[Block | BaseException | None] = queue.Queue(_PREFETCHED_BLOCKS)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._read, name="prefetch", daemon=True)
        self._thread.start()

    def _read(self) -> None:
        try:
            for block in self._blocks:
                if not self._put(block):
                    break
            self._put(None)
        except BaseException as error:  # handed to the thread that waits for blocks
            self._put(error)
        finally:
            close = getattr(self._blocks, "close", None)
            if close:
                close()

    def _put(self, item: Block | BaseException | None) -> bool:
        while not self._stop.is_set():
            try:
                self._queue.put(item, timeout=0.2)
                return True
            except queue.Full:
                continue
        return False

    def __iter__(self) -> Iterator[Block]:
        while (item := self._queue.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item

    def close(self) -> None:
        self._stop.set()
        self._thread.join(_PATIENCE)
        if self._thread.is_alive():  # it waits for a server that does not answer
            for segment in self._segments:
                segment.abandon()
            self._thread.join()


def _left_over(
    backup: Side, live: Side, columns: Sequence[str], progress: Progress
) -> tuple[Guard, Guard] | None:
    """Pair off what is in the same order on both sides; return what is left of each, as comparable lines, or None: nothing is."""
    if not (backup.in_order(columns) and live.in_order(columns)) or backup.counted or backup.casts:
        if len(live.segments) != 1:
            return Guard(_stored_lines(backup, columns, None)), Guard(
                _stored_lines(live, columns, progress)
            )
        ahead = _Prefetch(live.segments[0].blocks(), live.segments)
        return (
            Guard(_stored_lines(backup, columns, None)),
            Guard(_stored_lines(live, columns, progress, iter(ahead)), ahead.close),
        )
    ahead = _Prefetch(_chain(live), live.segments)
    try:
        ours, theirs = Stream(_chain(backup), counting=True), Stream(iter(ahead))
        paired = align(ours, theirs, progress)
        backup.rows, live.rows = ours.passed, paired + len(theirs.odd)
        if not (ours.odd or theirs.odd or ours.fill() or theirs.fill()):
            ahead.close()
            return None
        return (
            Guard(_rest(backup, ours, columns, None)),
            Guard(_rest(live, theirs, columns, progress), ahead.close),
        )
    except BaseException:
        ahead.close()
        raise


def _chain(side: Side) -> Iterator[Block]:
    """All blocks of a side; notes at which position each segment starts."""
    side.starts = []
    at = 0
    for segment in side.segments:
        side.starts.append(at)
        for block in segment.blocks():
            at += len(block)
            yield block


def _rest(
    side: Side, stream: Stream, columns: Sequence[str], progress: Progress | None
) -> Iterator[pa.RecordBatch]:
    shaper = Shaper(columns, columns, side.canonical)
    odd = stream.odd
    for start in range(0, len(odd), _FETCH_ROWS):
        some = odd[start : start + _FETCH_ROWS]
        lines = pa.array([line.decode("utf-8") for _, line in some], type=_TEXT)
        yield _batch(pa.array([at for at, _ in some], pa.int64()), shaper(lines), None)
    for batch in copytext.line_batches(stream.rest(), stream.position):
        side.rows += len(batch)
        if progress:
            progress(len(batch))
        yield _batch(batch["position"], shaper(batch["line"]), None)


def _batch(positions: pa.Array, lines: pa.Array, raw: pa.Array | None) -> pa.RecordBatch:
    return pa.record_batch(
        [positions, lines, pa.nulls(len(lines), _TEXT) if raw is None else raw], schema=_STORED
    )


def _stored_lines(
    side: Side,
    columns: Sequence[str],
    progress: Progress | None,
    blocks: Iterator[Block] | None = None,
) -> Iterator[pa.RecordBatch]:
    """Yield (position, comparable line, line as it is kept, or NULL where that is the same) of a whole side."""
    side.starts, at = [], 0
    side.values = dict.fromkeys(side.counted, 0)
    for segment in side.segments:
        side.starts.append(at)
        shaper = Shaper(segment.columns, columns, side.comparable, side.counted)
        keep = _keeper(side, segment, columns)
        for batch in copytext.line_batches(segment.blocks() if blocks is None else blocks, at):
            side.rows += len(batch)
            if progress:
                progress(len(batch))
            lines = batch["line"]
            if len(lines):
                at = batch["position"][-1].as_py() + len(lines[-1].as_buffer())
            yield _batch(batch["position"], shaper(lines), keep(lines) if keep else None)
        for column, count in shaper.values.items():
            side.values[column] += count


def _lines_again(
    side: Side, columns: Sequence[str], positions: np.ndarray
) -> Iterator[pa.RecordBatch]:
    """Read the rows at `positions` once more, and yield them as `_stored_lines` does."""
    edges = np.searchsorted(positions, np.array([*side.starts, np.iinfo(np.int64).max]))
    for segment, start, first, last in zip(
        side.segments, side.starts, edges, edges[1:], strict=False
    ):
        shaper = Shaper(segment.columns, columns, side.comparable)
        keep = _keeper(side, segment, columns)
        found = segment.lines_at(positions[first:last] - start if start else positions[first:last])
        while some := list(itertools.islice(found, _FETCH_ROWS)):
            lines = pa.array([line.decode("utf-8") + "\n" for _, line in some], type=_TEXT)
            yield _batch(
                pa.array([at + start for at, _ in some], pa.int64()),
                shaper(lines),
                keep(lines) if keep else None,
            )


def _keeper(side: Side, segment: Segment, columns: Sequence[str]) -> Shaper | None:
    """What makes the lines that are kept, or None where they are the ones that are compared."""
    if side.stored == tuple(columns) and not side.casts:
        return None
    return Shaper(segment.columns, side.stored, side.canonical)
