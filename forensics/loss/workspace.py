"""Where the loss is worked out: the case, working tables, and both sides to read.

Whatever differs between the sides lies in the case already. What is asked of a side
beyond that is a few columns of a table at a time, streamed into a working table as
text; working tables spill to disk, so memory stays a setting.

Several threads may work in it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from types import TracebackType
from typing import Any

import pyarrow as pa

from forensics.compare.feeding import Guard, feed, feed_few
from forensics.evidence import copytext
from forensics.evidence.source import Contents, Segment, Source
from forensics.loss.columns import stores
from forensics.loss.junctions import find_junctions
from forensics.loss.once import Once
from forensics.loss.shelf import Shelf, SideName
from forensics.loss.sql import renamed
from forensics.loss.working import WorkingTables
from forensics.model import Catalog, Parent, Table, TableName, TableResult
from forensics.store import Store

__all__ = ["SideName", "Workspace"]


class Workspace(WorkingTables):
    """What one run of `assess` works with. Use it as a context manager.

    Args:
        backup, live: both sides, open.
        store: the case, open for writing, with every table compared.
        progress: is told of rows that were read of a side.
        threads: how many may work in it at a time.

    Attributes:
        reading: held by whoever reads rows of a side: one thread does at a time, so that no
            further session of a database is taken.
        results: what was found of each table.
        renamed: by the name in the backup, what live calls a table by another name.
        rekeyed: by parent, the column of live that holds the keys which its rows had.
        undeclared: by table, what its columns refer to though no key says so.
        same_rows: by table, a working table (pair, live_pair) of missing rows and the added
            ones that are the same under another key.
        moved_rows: by table, where other tables hold its missing rows: their names, each with
            a working table (pair, …).
        new_keys: by table and columns, a working table (o0, …, k0, …) of what those held
            and hold now, or None; it fills as it is asked for.
    """

    def __init__(
        self,
        backup: Source,
        live: Source,
        store: Store,
        progress: Callable[[TableName, int], None],
        threads: int = 1,
    ) -> None:
        super().__init__(store.connection)
        self.backup = backup
        self.live = live
        self.store = store
        self.threads = threads
        self.reading = threading.RLock()
        self.results = {result.name: result for result in store.results()}
        self.renamed: dict[TableName, TableName] = {}
        self.rekeyed: dict[Parent, tuple[str, ...]] = {}
        self.undeclared: dict[TableName, tuple[Parent, ...]] = {}
        self.same_rows: dict[TableName, str] = {}
        self.moved_rows: dict[TableName, list[tuple[TableName, str]]] = {}
        self.new_keys: Once[tuple[TableName, tuple[str, ...]], str | None] = Once()
        self._progress = progress
        self._shelf = Shelf({"backup": backup, "live": live}, self.results, progress, self.reading)
        self._read: Once[tuple[SideName, TableName, tuple[str, ...]], str] = Once()
        self._fields: dict[tuple[SideName, TableName], tuple[str, ...]] = {}
        self._numbers = {name: store.number(name) for name in self.results}

    def __enter__(self) -> Workspace:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    # --- the case ---------------------------------------------------------------------------

    def number(self, name: TableName) -> int | None:
        """The number of a table in the case, or None."""
        return self._numbers.get(name)

    def result(self, name: TableName) -> TableResult | None:
        """What was found of a table, or None where it was not compared."""
        found = self.results.get(name)
        if found is None or found.state == "failed":
            return None
        return found

    def kept(self, side: SideName, name: TableName) -> str | None:
        """The relation of a side's differing rows of a table, or None."""
        result = self.result(name)
        if result is None or result.state == "new":
            return None
        if side == "live" and result.state == "dropped":
            return None
        if result.state == "compared" and not result.differs:
            return self._none_kept(side, name)
        return f"rows.{side}_{self.number(name)}"

    def _none_kept(self, side: SideName, name: TableName) -> str:
        """What stands for the kept rows of a table in which none differs: nothing is written."""
        fields = ""
        for place in range(len(self.store.columns(name, side))):
            fields += f", NULL::VARCHAR AS f{place}"
        return f"(SELECT 0::BIGINT AS pair, '' AS state{fields} WHERE false)"

    def keeps_rows(self, side: SideName, name: TableName) -> bool:
        """Whether the case may keep differing rows of a side's table."""
        result = self.result(name)
        if result is None:
            return True
        if side == "live":
            return bool(result.added or result.changed)
        return bool(result.missing or result.changed)

    def field(self, side: SideName, name: TableName, column: str) -> str | None:
        """The field of a kept row that holds a column, or None."""
        columns = self._fields.get((side, name))
        if columns is None:
            columns = self.store.columns(name, side)
            self._fields[side, name] = columns
        if column not in columns:
            return None
        return f"f{columns.index(column)}"

    def fields(self, side: SideName, name: TableName, columns: Sequence[str]) -> list[str] | None:
        """The fields of a kept row that hold columns, or None where one is not kept."""
        found = []
        for column in columns:
            field = self.field(side, name, column)
            if field is None:
                return None
            found.append(field)
        return found

    # --- what live calls things -------------------------------------------------------------

    def live_name(self, name: TableName) -> TableName | None:
        """What live calls a table of the backup, or None where it has none such."""
        if self.table("live", name):
            return name
        return self.renamed.get(name)

    def live_table(self, name: TableName) -> Table | None:
        """The root table that live has for one of the backup, or None."""
        there = self.live_name(name)
        if there is None:
            return None
        return self.table("live", there)

    def live_key(self, parent: Parent) -> tuple[str, ...]:
        """The columns in which live holds the keys that the backup's links name."""
        return self.rekeyed.get(parent, parent.parent_columns)

    def two_keys(self, parent: Parent, key: Sequence[str]) -> str | None:
        """A working table of two keys of a parent's rows in live, or None.

        First the one by which the backup's links name them, then `key`.
        """
        live = self.live_table(parent.name)
        columns = (*self.live_key(parent), *key)
        if live is None or not stores(live, columns) or not self.holds("live", live.name):
            return None
        return self.read("live", live.name, columns)

    # --- the sides --------------------------------------------------------------------------

    def side(self, side: SideName) -> Source:
        """A side, open."""
        return self.backup if side == "backup" else self.live

    def catalog(self, side: SideName) -> Catalog:
        """What a side's schema says."""
        return self.side(side).catalog

    def table(self, side: SideName, name: TableName) -> Table | None:
        """A root table of a side, or None."""
        found = self.catalog(side).tables.get(name)
        if found is None or found.parent or found.kind not in ("table", "partitioned"):
            return None
        return found

    def holds(self, side: SideName, name: TableName) -> bool:
        """Whether a side holds rows of a table to read.

        A dump may define a table and leave its rows out.
        """
        if self.table(side, name) is None:
            return False
        held = self._contents[side].get(name)
        return held is not None and held.data

    @cached_property
    def _contents(self) -> dict[SideName, Mapping[TableName, Contents]]:
        return {"backup": self.backup.contents(), "live": self.live.contents()}

    @cached_property
    def live_junctions(self) -> Mapping[TableName, tuple[Parent, ...]]:
        """The junction tables that live's catalogue declares."""
        return find_junctions(self.live.catalog)

    def read(self, side: SideName, name: TableName, columns: Sequence[str]) -> str:
        """Read columns of a whole table into a working table (c0, c1, …) as text.

        They are read once and kept for the run.

        Raises:
            EvidenceError: the side cannot be read.
        """
        key = (side, name, tuple(columns))
        return self._read.answer(key, lambda: self.stream(side, name, columns))

    def matched(
        self, side: SideName, name: TableName, columns: Sequence[str], others: str, on: str
    ) -> str:
        """Return a relation (c0, …) of those rows `r` of a table that match some others.

        Args:
            side, name, columns: what is wanted, as `read` takes it.
            others: a relation, with its alias.
            on: the condition.

        Raises:
            EvidenceError: the side cannot be read.
        """
        query = f"SELECT r.* FROM {{rows}} r SEMI JOIN {others} ON {on}"
        if self._shelf.has(side, name):
            # All of them take less than a statement that thins them out each time.
            return f"({query.format(rows=self.read(side, name, columns))})"
        return self.stream(side, name, columns, query)

    def stream(
        self,
        side: SideName,
        name: TableName,
        columns: Sequence[str],
        query: str = "SELECT * FROM {rows}",
    ) -> str:
        """Read columns of a whole table through a query, and return its working table.

        Args:
            side: which side.
            name: a root table of it.
            columns: what is wanted of it; none of them generated.
            query: what to keep; `{rows}` stands for the rows, with columns c0, c1, … as
                text.

        Raises:
            EvidenceError: the side cannot be read.
        """
        target = self.new_name()
        few = self._shelf.rows(side, name, columns)
        if few is not None:
            select = query.replace("{rows}", "batches")
            feed_few(self.db, f"CREATE TABLE {target} AS {select}", few)
            return target
        with self.reading:
            self._feed(side, name, columns, target, query)
        return target

    def _feed(
        self, side: SideName, name: TableName, columns: Sequence[str], target: str, query: str
    ) -> None:
        """Make a working table of a query over all rows of a table, as they come."""
        lead = f"CREATE TABLE {target} AS"
        made = False
        for segment in self.side(side).segments(name, columns):
            select = query.replace("{rows}", _rows_of(segment, columns))
            guard = Guard(self._batches(name, segment.blocks()))
            feed(self.db, f"{lead} {select}", copytext.LINES, {"batches": guard})
            lead = f"INSERT INTO {target}"
            made = True
        if not made:
            empty = renamed(["NULL::VARCHAR"] * len(columns), "c")
            select = query.replace("{rows}", f"(SELECT {empty} WHERE false)")
            self.run(f"{lead} {select}")

    def _batches(self, name: TableName, blocks: Iterator[Any]) -> Iterator[pa.RecordBatch]:
        for batch in copytext.line_batches(blocks):
            self._progress(name, len(batch))
            yield batch


def _rows_of(segment: Segment, columns: Sequence[str]) -> str:
    """A query for columns of a segment's lines, which are fed as `batches`."""
    values = []
    for column in columns:
        place = segment.columns.index(column) + 1
        values.append(f"copy_value(parts[{place}])")
    return f"""
        (SELECT {renamed(values, "c")}
           FROM (SELECT string_split(rtrim(line, chr(10)), chr(9)) AS parts
                   FROM batches))
    """
