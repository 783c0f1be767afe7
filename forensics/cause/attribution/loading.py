"""Fills the replay: the backup's schema, its rows, and those of them that are followed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from forensics.cause.attribution.cells import marked_rows
from forensics.cause.attribution.incident import Incident
from forensics.cause.definitions import definitions
from forensics.cause.replay import Replay, Watched
from forensics.errors import BackupError, EvidenceError
from forensics.evidence import Source, open_source
from forensics.evidence.written import copy_text
from forensics.model import TableName, TableResult
from forensics.store import Store
from forensics.store.values import spliced

_BATCH = 10_000  # rows of the case at a time


class Loading:
    """Fills a replay for an incident.

    Args:
        incident: whose backup is loaded.
        replay: what is filled.
        notes: what could not be loaded or followed is said here.
        tell: is told what is going on.

    Attributes:
        complete: whether the replay has every row of the tables that matter.
        unfollowed: the tables whose rows could not be loaded, or not be followed.
    """

    def __init__(
        self,
        incident: Incident,
        replay: Replay,
        notes: list[str],
        tell: Callable[[str], None],
    ) -> None:
        self._incident = incident
        self._store = incident.store
        self._replay = replay
        self._notes = notes
        self._tell = tell
        self._whole: set[TableName] = set()
        self.complete = True
        self.unfollowed: set[TableName] = set()

    # --- the backup ------------------------------------------------------------------------------

    def load(self) -> None:
        """Build the backup's schema and fill the tables that matter."""
        backup = self._incident.backup
        self._tell("building the backup's schema")
        self._replay.build(self._store.get("ddl") or definitions(backup), backup.extensions)
        source = self._reopened()
        self.complete = source is not None
        try:
            for name in sorted(self._matter()):
                if self._replay.has(name):
                    self._load_table(source, name)
        finally:
            if source:
                source.close()
        self._replay.advance(backup.sequences)
        self._replay.finish()

    def _matter(self) -> set[TableName]:
        """The tables whose rows the replay needs.

        That is what differs, what the statements name, and the parents of these.
        """
        backup = self._incident.backup
        found = set()
        for name, result in self._incident.results.items():
            if result.missing or result.changed:
                found.add(name)
        for change in self._incident.changes:
            if change.change in ("dropped", "type"):
                found.add(change.name)
        for name in self._named():
            if name in backup.tables:
                root = backup.root(name)
                found.add(root)
                found.update(key.parent for key in backup.tables[root].foreign_keys)
        return found.intersection(backup.tables)

    def _named(self) -> set[TableName]:
        """The tables that the statements name, or are a danger to."""
        found = set()
        for step in self._incident.steps:
            found.update(step.names(self._incident.history.schema))
        return found

    def _load_table(self, source: Source | None, name: TableName) -> None:
        self._tell(f"loading {name}")
        words = self._load_rows(source, name)
        if words:
            self._notes.append(f"The rows of {name} could not be loaded into the replay: {words}.")
            self.complete = False
            self.unfollowed.add(name)
            return
        result = self._incident.results.get(name)
        # The case holds the rows that differ: all of them, where no row is unchanged.
        if source or result is None or not result.unchanged:
            self._whole.add(name)

    def _load_rows(self, source: Source | None, name: TableName) -> str | None:
        if source is None:
            return self._load_from_case(name)
        columns = [c.name for c in source.catalog.tables[name].columns if not c.generated]
        try:
            for segment in source.segments(name, columns):
                words = self._replay.load(name, segment.columns, segment.blocks())
                if words:
                    return words
        except BackupError as error:
            return error.message.rstrip(".")
        return None

    def _load_from_case(self, name: TableName) -> str | None:
        columns = self._store.columns(name, "backup")
        if not columns:
            return None
        rows = _kept(self._store, name, columns, ("missing", "changed"))
        return self._replay.load(name, columns, rows)

    def _reopened(self) -> Source | None:
        """The backup's file, where it is still the one that was compared."""
        was = self._store.evidence()[0]
        if was.kind == "database" or not was.path or not Path(was.path).exists():
            self._notes.append(
                "The backup's file is not there any more: "
                "the replay knows only the rows that are missing or changed."
            )
            return None
        try:
            # What the comparison let through is not asked about again.
            source = open_source(was.path, database=was.database, max_row=None)
        except EvidenceError as error:
            self._notes.append(
                "The backup's file cannot be read any more, "
                f"and the replay knows only rows that differ: {error.message}"
            )
            return None
        if source.provenance.sha256 != was.sha256:
            source.close()
            self._notes.append(
                f"{was.path} is not the file that was compared: "
                "the replay knows only the rows that are missing or changed."
            )
            return None
        # Of what it does not tell itself, live told the comparison: the order of an heir's values.
        source.adopt(self._store.catalogs()[1])
        return source

    # --- what is followed ------------------------------------------------------------------------

    def watch(self) -> list[Watched]:
        """Follow the rows that are missing or changed; return the tables that can be followed."""
        found = []
        for name, result in self._incident.results.items():
            lost = self._incident.lost_columns(name)
            if not (result.missing or result.changed or lost):
                continue
            if name not in self._incident.backup.tables:
                continue
            with self._store.reading():  # one table's rows at a time, and no longer
                watched = self._watched(name, result, lost)
                words = self._follow(watched, result)
            if words:
                self._notes.append(f"{name} could not be followed in the replay: {words}.")
                self.unfollowed.add(name)
            else:
                found.append(watched)
        return found

    def _watched(self, name: TableName, result: TableResult, lost: tuple[str, ...]) -> Watched:
        key = result.key
        if result.key_source == "all columns":
            key = ()
        columns = self._store.columns(name, "backup")
        if not key and result.state == "compared":
            columns = result.columns
        watched = Watched(name, key, columns)
        if name in self._whole:
            # Values can be counted where all of them are there.
            watched.values = lost
        return watched

    def _follow(self, watched: Watched, result: TableResult) -> str | None:
        """Follow a table's rows; return why that cannot be done, or None."""
        name = watched.name
        if name in self._replay.unbuilt:
            return self._replay.unbuilt[name]
        missing = _kept(self._store, name, watched.columns, ("missing",), numbered=True)
        marked = None
        if watched.key and result.changed:
            marked = marked_rows(self._store, result)
        if marked is None:
            return self._replay.watch(watched, missing)
        watched.changed = marked.columns
        return self._replay.watch(watched, missing, marked.rows)


def _kept(
    store: Store,
    name: TableName,
    columns: Sequence[str],
    states: Sequence[str],
    *,
    numbered: bool = False,
) -> Iterator[bytes]:
    """Rows of the case as COPY text; numbered, each behind the number of its pair."""
    lines = _lines(store, name, columns, states, numbered=numbered)
    for piece in spliced(store.folder, lines):
        yield piece.encode("utf-8")


def _lines(
    store: Store,
    name: TableName,
    columns: Sequence[str],
    states: Sequence[str],
    *,
    numbered: bool,
) -> Iterator[str]:
    rows = store.rows(name, "backup", states)
    places = [rows.column_names.index(column, 1) for column in columns]
    if numbered:
        places.insert(0, 0)
    yield from map(copy_text, rows.select(places).to_batches(_BATCH))
