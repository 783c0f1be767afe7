"""What a report says, as plain data, in whatever form it is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from forensics.cause.struck import has_struck
from forensics.figures import Moment
from forensics.masking import MARK
from forensics.model import (
    ColumnChange,
    Overwritten,
    TableName,
    TableResult,
    changes_that_count,
    that_count,
)
from forensics.report.changed import ChangedTable
from forensics.report.outlook import Outlook, astray, outlook
from forensics.text import together

CLASSES = (
    "moved",
    "superseded",
    "lost",
    "restorable",
    "blocked",
    "conflicting",
)
# Which of two changes that took no values stands first.
_DRIFT = ("dropped", "type", "nullability", "generated", "default")

_FEW = 10  # rows of a pattern


class Fact(NamedTuple):
    """A line of provenance: what it is, and what it is on either side."""

    name: str
    backup: str
    live: str


class Row(NamedTuple):
    """A parent row that misses links.

    Attributes:
        key, label: as they may be shown.
        gone: whether it is gone from live itself.
        had, missing, now: its links in the backup, those that are missing, and those that it
            holds now, moved ones among them.
    """

    key: str
    label: str | None
    gone: bool
    had: int
    missing: int
    now: int

    @property
    def legible(self) -> bool:
        """Whether people know it by its name: it has one, and that is not masked."""
        return self.label is not None and MARK not in self.label


@dataclass(frozen=True)
class ParentLoss:
    """What a junction table's loss means for the rows of one parent.

    Attributes:
        name, key, label: the parent table, the columns that links refer to, and the one that
            people know its rows by.
        worst: the rows that miss the most links.
        rows: how many there are in either side.
        numbered: whether a row's key is a number.
        hit: how many rows miss links.
        affected: how many of live's lost one.
        emptied: how many of these hold none now.
        gone: how many are gone from live themselves.
        before, after: by number of links, how many of these rows had so many in the backup,
            and hold so many now, moved ones among them.
    """

    name: TableName
    key: tuple[str, ...]
    label: str | None
    worst: tuple[Row, ...]
    rows: int
    numbered: bool
    hit: int
    affected: int
    emptied: int
    gone: int
    before: Mapping[int, int]
    after: Mapping[int, int]

    @property
    def labelled(self) -> bool:
        """Whether its rows have names."""
        return any(row.label for row in self.worst)

    def scale(self, row: Row) -> float:
        """How many links a row had, in percent of the one of the worst that had the most."""
        most = max((r.had for r in self.worst), default=1)
        return round(100 * row.had / most, 1)


@dataclass(frozen=True)
class Junction:
    """A junction table that misses links: how many, what became of them, and of whom."""

    result: TableResult
    parents: tuple[ParentLoss, ...]
    classes: Mapping[str, int]
    moved_to: tuple[Mapping[str, Any], ...]
    blocked_by: Mapping[str, int]
    conflicts: Mapping[str, int]

    @property
    def name(self) -> str:
        """The table's name, as people write it."""
        return str(self.result.name)

    @property
    def holder(self) -> ParentLoss | None:
        """The parent of whose rows one misses the most links on average.

        That is the one that has a gallery, say, not the pictures.
        """
        for parent in self.parents:
            if parent.hit:
                return parent
        return None


@dataclass(frozen=True)
class Document:
    """Everything a report says.

    Attributes:
        totals: numbers over all tables; None where one is not known.
        counted: the same over what was compared.
        masked: whether values in it are masked already.
        shown: columns that are shown although values are masked.
        changed: changed rows by table, as many as the workbook takes.
        concentrated: where the loss is, as (table, sentence).
        findings: as (kind, sentence).
        unparsed: how many statements of the backup's schema could not be read.
        loss, cause, recovery: what those stages found, in the contract's JSON, or None.
        overwritten: what changed values have in common, by column, with its example.
        others: tables whose keys stand and whose rows or links are others.
    """

    title: str
    verdict: str
    complete: bool
    nothing_missing: bool
    masked: bool
    totals: Mapping[str, int | None]
    counted: Mapping[str, int]
    results: tuple[TableResult, ...]
    junctions: tuple[Junction, ...]
    changes: tuple[ColumnChange, ...]
    facts: tuple[Fact, ...]
    moments: tuple[Moment, ...]
    findings: tuple[tuple[str, str], ...] = ()
    damage: str | None = None
    unparsed: int = 0
    loss: Mapping[str, Any] | None = None
    cause: Mapping[str, Any] | None = None
    recovery: Mapping[str, Any] | None = None
    others: frozenset[TableName] = frozenset()
    overwritten: tuple[Overwritten, ...] = ()
    shown: tuple[str, ...] = ()
    changed: tuple[ChangedTable, ...] = ()
    concentrated: tuple[tuple[str, str], ...] = ()

    # --- tables ---

    @property
    def hit(self) -> tuple[TableResult, ...]:
        """Tables that lost rows, or rows of which changed; the largest losses first."""
        found = [r for r in that_count(self.results) if r.missing or r.changed]
        return tuple(sorted(found, key=largest_loss_first))

    @property
    def intact(self) -> tuple[TableResult, ...]:
        """Tables every backup row of which is in live, unchanged, with all its values.

        Junction tables whose rows stand, and whose links lead elsewhere or nowhere, are none.
        """
        took = set(self.others)
        for change in self.changes:
            if change.values_missing:
                took.add(change.name)
        led = astray(self.loss, [r.name for r in self.results if r.missing])
        found = []
        for result in that_count(self.results):
            if result.intact and result.name not in took and tuple(result.name) not in led:
                found.append(result)
        return tuple(found)

    @property
    def failed(self) -> tuple[TableResult, ...]:
        """Tables that could not be compared."""
        return tuple(r for r in self.results if r.state == "failed")

    @property
    def new(self) -> tuple[TableResult, ...]:
        """Tables that only live has."""
        return self._in_state("new")

    @property
    def dropped(self) -> tuple[TableResult, ...]:
        """Tables that only the backup has."""
        return self._in_state("dropped")

    def _in_state(self, state: str) -> tuple[TableResult, ...]:
        return tuple(r for r in that_count(self.results) if r.state == state)

    @property
    def backup_tables(self) -> int:
        """How many tables the backup holds; live's new ones are not among them."""
        return sum(result.state != "new" for result in that_count(self.results))

    @property
    def noted(self) -> tuple[tuple[str, str], ...]:
        """What was noted of tables on the way: (table, note)."""
        said = []
        for result in self.results:
            for note in result.notes:
                said.append((str(result.name), note))
        for entry in (self.loss or {}).get("junctions", ()):
            for note in entry.get("notes", ()):
                said.append((of_table(entry), note))
        return tuple(said)

    # --- columns ---

    @property
    def values_missing(self) -> int:
        """How many values dropped columns took."""
        counting = changes_that_count(self.changes, self.results)
        return sum(change.values_missing or 0 for change in counting)

    @property
    def values_destroyed(self) -> int:
        """How many values were destroyed by one pattern a column."""
        return sum(entry.lost for entry in self.overwritten if entry.destroyed)

    @property
    def patterns(self) -> tuple[Overwritten, ...]:
        """Columns whose changed values have a pattern in common, destroyed ones first.

        What holds in a few rows and destroyed nothing is not worth telling.
        """
        found = []
        for entry in self.overwritten:
            if entry.destroyed or (entry.pattern != "mixed" and entry.rows >= _FEW):
                found.append(entry)
        return tuple(sorted(found, key=_destroyed_first))

    @property
    def drift(self) -> tuple[ColumnChange, ...]:
        """Columns that are gone or defined otherwise, those that took values first."""
        found = [c for c in self.changes if c.change != "added"]
        return tuple(sorted(found, key=_most_values_first))

    @property
    def added_columns(self) -> Mapping[str, tuple[ColumnChange, ...]]:
        """Columns that only live has, by table."""
        found: dict[str, tuple[ColumnChange, ...]] = {}
        for change in self.changes:
            if change.change == "added":
                name = str(change.name)
                found[name] = (*found.get(name, ()), change)
        return found

    # --- links ---

    @property
    def links_missing(self) -> int | None:
        """How many of the missing rows are links; None where a junction table failed."""
        links: int | None = 0
        for result in self.results:
            if result.junction and result.state != "new":
                links = together(links, result.missing)
        return links

    @property
    def classes(self) -> Mapping[str, int | None] | None:
        """What became of the missing links, or None where they were not classified.

        Its numbers are None where some of them were not.
        """
        if not self.loss or self.loss.get("reason"):
            return None
        totals: Mapping[str, int | None] = self.loss["totals"]
        return totals

    @property
    def outlook(self) -> Outlook | None:
        """What of the lost links comes back, or None where they were not classified."""
        return outlook(self.loss, self.recovery)

    @property
    def unclassified(self) -> tuple[tuple[str, str], ...]:
        """Junction tables whose loss could not be classified: (table, why)."""
        found = []
        if self.loss and self.loss.get("reason"):
            found.append(("every junction table", self.loss["reason"]))
        for entry in (self.loss or {}).get("failed", ()):
            found.append((of_table(entry), entry["reason"]))
        return tuple(found)

    @property
    def survivors(self) -> tuple[tuple[Junction, str, int], ...]:
        """Where moved links are now: (junction table, place, links)."""
        found = []
        for junction in self.junctions:
            for place in junction.moved_to:
                if place["rows"]:
                    found.append((junction, of(place), place["rows"]))
        return tuple(found)

    # --- stages ---

    @property
    def struck(self) -> tuple[Mapping[str, Any], ...]:
        """Statements that took rows or values, or changed some, or may have; largest loss first."""
        return tuple(filter(has_struck, (self.cause or {}).get("statements", ())))

    @property
    def unlaid_tables(self) -> tuple[str, ...]:
        """Tables with missing rows that no statement accounts for, those with the most first."""
        found = []
        for entry in (self.cause or {}).get("unexplained", ()):
            if entry["rows"]:
                found.append((-entry["rows"], of_table(entry)))
        return tuple(name for _, name in sorted(found))

    @property
    def rebuild(self) -> Mapping[str, Any] | None:
        """What is known of a rebuild of the schema, where there was one."""
        rebuild: Mapping[str, Any] = (self.cause or {}).get("rebuild") or {}
        if rebuild.get("pattern") == "rebuilt":
            return rebuild
        return None

    @property
    def unrehearsed(self) -> str:
        """That nobody tried the plan, in a sentence; empty where it was tried, or there is none.

        A rehearsal that failed is none of these: what came of it is told elsewhere.
        """
        plan = self.recovery
        if not plan or plan.get("rehearsal") or plan.get("problem"):
            return ""
        return "Not rehearsed: these are the plan’s numbers, and nobody tried it on a copy yet."

    @property
    def window(self) -> Mapping[str, Any] | None:
        """The incident window, where something of it is known."""
        window: Mapping[str, Any] = (self.loss or {}).get("window") or {}
        if window.get("incident_at") or window.get("unobservable"):
            return window
        return None


def largest_loss_first(result: TableResult) -> tuple[int, int, TableName]:
    """The order of tables: by missing rows, by changed ones, by name."""
    return -(result.missing or 0), -(result.changed or 0), result.name


def _most_values_first(change: ColumnChange) -> tuple[int, int, TableName, str]:
    kind = _DRIFT.index(change.change)
    return -(change.values_missing or 0), kind, change.name, change.column


def _destroyed_first(entry: Overwritten) -> tuple[bool, int, TableName, str]:
    return not entry.destroyed, -entry.rows, entry.name, entry.column


def of(entry: Mapping[str, Any]) -> str:
    """What an entry of the contract's JSON is about, as people write it.

    It is the table, and its column where the entry names one.
    """
    name = of_table(entry)
    if entry.get("column"):
        return f"{name}.{entry['column']}"
    return name


def of_table(entry: Mapping[str, Any]) -> str:
    """The table that an entry of the contract's JSON is about, as people write it.

    That of a statement which nobody could read or run is not known.
    """
    if entry["table"] is None:
        return "not known"
    return str(TableName(entry["schema"], entry["table"]))
