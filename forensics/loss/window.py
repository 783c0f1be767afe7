"""The incident window, and how many rows were written in it that nobody can see.

A row that was written after the backup and destroyed before anybody looked is in neither side. How many there were is
estimated from the table's own past: the window from backup to incident is laid over the days before the backup, at the
same hours, and the rows that were written in each of those windows are counted. The interval is that of the counts
themselves, from the 5th to the 95th of 100: for n past windows and one to come, of like kind, the r-th smallest of the
n is exceeded with probability 1 - r/(n+1) whatever the distribution, and however rows come in batches (Wilks 1941,
"Determination of sample sizes for setting tolerance limits"; today: conformal prediction). Nothing assumes that rows
are independent. Traces in live raise the lower bound: parents that are new since the backup, of which a known share had
got links by the end of past windows.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from forensics.errors import EvidenceError
from forensics.evidence.migrations import history_of
from forensics.loss.junctions import is_audit, junction_of
from forensics.loss.links import missing_rows
from forensics.loss.workspace import Workspace, listed, same
from forensics.model import Parent, Table, TableName, plain

_MADE = re.compile(
    r"created|inserted|added|linked|assigned|attached|joined|granted|uploaded|registered|posted|made|placed|ordered|booked|issued|^at$|since",
    re.I,
)
_TOUCHED = re.compile(r"updated|modified|changed|touched|seen|logged|recorded", re.I)
_DAY = 86400
_MOST = (
    60  # past windows, the latest first: enough for 5 and 95 of 100, few enough to be like today
)
_PAST = 730  # days to look back for windows with the same days of rest
_FEW = 19  # with fewer, the interval from the least to the most holds less than 90 of 100
_WIPED = 0.95


@dataclass(frozen=True)
class Estimate:
    """How many rows were written in a window: a 90 % interval and its middle, and the number of past windows it stands on."""

    low: int
    likely: int
    high: int
    windows: int
    alike: bool = False


def estimate(times: np.ndarray, start: float, seconds: float) -> Estimate | None:
    """Estimate how many rows were written in a window from when earlier rows were.

    Args:
        times: when rows were written, ascending, in seconds since 1970.
        start: the window's begin, in seconds since 1970.
        seconds: its length.

    Returns:
        None where the past is shorter than a window.
    """
    starts = past_windows(times, start, seconds)
    if not len(starts):
        return None
    rest = _rest(start, seconds)
    alike = [s for s in starts[:_PAST] if _rest(float(s), seconds) == rest]
    chosen = np.array(alike if len(alike) >= _FEW else starts)[:_MOST]
    counts = np.sort(np.searchsorted(times, chosen + seconds) - np.searchsorted(times, chosen))
    n = len(counts)
    low, high = max(math.floor(0.05 * (n + 1)), 1), min(math.ceil(0.95 * (n + 1)), n)
    likely = int(np.median(counts))
    return Estimate(int(counts[low - 1]), likely, int(counts[high - 1]), n, len(alike) >= _FEW)


def past_windows(times: np.ndarray, start: float, seconds: float) -> np.ndarray:
    """The begins of the windows of equal length at the same hours before `start`, the latest first."""
    if not len(times):
        return np.array([])
    first = max(1, math.ceil(seconds / _DAY))
    last = math.floor((start - times[0]) / _DAY)
    return start - _DAY * np.arange(first, last + 1)


def _rest(start: float, seconds: float) -> tuple[bool, ...]:
    """Which quarters of days of a window are days of rest: Saturdays, Sundays, Christmas Day and New Year's Day."""
    found = []
    for step in range(max(1, math.ceil(seconds / (_DAY / 4)))):
        day = datetime.fromtimestamp(start + step * _DAY / 4, UTC)
        found.append(day.weekday() >= 5 or (day.month, day.day) in ((1, 1), (12, 25)))
    return tuple(found)


def work_out(
    work: Workspace,
    entries: Sequence[Mapping[str, Any]],
    parents: Mapping[TableName, tuple[Parent, ...]],
) -> dict[str, Any]:
    """Return the window and the unobservable rows of each junction table, as the contract's JSON has them.

    Args:
        work: the run's workspace.
        entries: the junction tables, as the document has them.
        parents: their parents.

    What cannot be read is said in the basis.
    """
    basis: dict[str, str] = {}
    if (
        not entries
        and work.store.get("backup_at") is None
        and work.backup.provenance.dumped_at is None
    ):
        # Without a junction table nobody asks for the window: the backup is not read once more to find its time.
        return {
            "backup_at": None,
            "incident_at": plain(_incident(work, basis)),
            "seconds": None,
            "basis": basis,
            "unobservable": [],
        }
    incident_at = _incident(work, basis)
    backup_at = _backup(work, incident_at, basis)
    if incident_at is None:
        incident_at = _first_migration(work, backup_at, basis)
    seconds = (incident_at - backup_at).total_seconds() if backup_at and incident_at else None
    if seconds is not None and seconds <= 0:
        basis["incident_at"] = (
            f"{basis.get('incident_at', '')}; that is not after the backup, so there is no window".lstrip(
                "; "
            )
        )
        seconds = None
    unobservable = []
    for entry in entries:
        name = TableName(entry["schema"], entry["table"])
        if backup_at is None or seconds is None:
            found: dict[str, Any] = {
                "low": 0,
                "likely": None,
                "high": None,
                "basis": "the window is not known",
            }
        else:
            try:
                found = _Unseen(work, name, parents[name], backup_at, seconds).run()
            except EvidenceError as error:
                found = {
                    "low": 0,
                    "likely": None,
                    "high": None,
                    "basis": f"cannot be estimated: {error}",
                }
        unobservable.append({**plain(name), **found})
    return {
        "backup_at": plain(backup_at),
        "incident_at": plain(incident_at),
        "seconds": seconds,
        "basis": basis,
        "unobservable": unobservable,
    }


# --- when -----------------------------------------------------------------------------------------------


def _incident(work: Workspace, basis: dict[str, str]) -> datetime | None:
    if given := work.store.get("incident_at"):
        basis["incident_at"] = "given"
        return _time(given)
    return None


def _first_migration(
    work: Workspace, backup_at: datetime | None, basis: dict[str, str]
) -> datetime | None:
    """When the first migration was through that live has and the backup has not."""
    history = work.store.get("history") or {}
    before = {(e.table, e.name) for e in history_of(history.get("backup", ())) if e.in_force}
    new = [
        (e.applied_at, e.name)
        for e in history_of(history.get("live", ()))
        if e.applied_at
        and e.ran
        and e.in_force
        and (e.table, e.name) not in before
        and (backup_at is None or e.applied_at > backup_at)
    ]
    if not new:
        basis["incident_at"] = (
            "nothing says it: live's migration history names no migration since the backup; give --incident-at"
        )
        return None
    at, name = min(new)
    more = f", the first of {len(new)} since the backup" if len(new) > 1 else ""
    basis["incident_at"] = f"live's migration history: {name}{more}"
    return at


def _backup(
    work: Workspace, incident_at: datetime | None, basis: dict[str, str]
) -> datetime | None:
    if given := work.store.get("backup_at"):
        basis["backup_at"] = "given"
        return _time(given)
    if work.backup.provenance.dumped_at:
        basis["backup_at"] = "the backup says so"
        return work.backup.provenance.dumped_at
    latest, where = None, ""
    unread: list[str] = []
    end = incident_at or work.live.provenance.taken_at or datetime.now(UTC)
    for table in work.backup.catalog.roots:
        columns = [
            c.name
            for c in table.columns
            if is_audit(c) and not c.generated and (_MADE.search(c.name) or _TOUCHED.search(c.name))
        ]
        if not columns or not work.holds("backup", table.name):
            continue
        tests = ", ".join(
            f"max(epoch_us(t{i})) FILTER (isfinite(t{i}) AND epoch_us(t{i}) <= {_micros(end)})"
            for i in range(len(columns))
        )
        casts = ", ".join(f"TRY_CAST(c{i} AS TIMESTAMP) AS t{i}" for i in range(len(columns)))
        try:
            found = work.stream(
                "backup", table.name, columns, f"SELECT {tests} FROM (SELECT {casts} FROM {{rows}})"
            )
        except EvidenceError as error:
            unread.append(error.message)
            continue
        for column, *values in zip(columns, *work.ask(f"SELECT * FROM {found}"), strict=True):
            for value in values:
                if value is not None and (latest is None or value > latest):
                    latest, where = value, f"{table.name}.{column}"
        work.drop(found)
    if latest is None:
        basis["backup_at"] = "nothing says it; give --backup-at"
        return None
    basis["backup_at"] = (
        f"the latest time in the backup's rows ({where}): it was taken then or later"
        + "".join(f"; {u}" for u in unread)
    )
    return datetime.fromtimestamp(latest / 1e6, UTC)


def _micros(at: datetime) -> int:
    return int(at.timestamp() * 1_000_000)


def _time(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


# --- how many -------------------------------------------------------------------------------------------


class _Unseen:
    """Estimates the rows of one junction table that are in neither side."""

    def __init__(
        self,
        work: Workspace,
        name: TableName,
        parents: Sequence[Parent],
        backup_at: datetime,
        seconds: float,
    ) -> None:
        self._work, self._name = work, name
        self._table = work.backup.catalog.tables[name]
        self._junction = junction_of(self._table, parents)
        self._start, self._seconds = backup_at.timestamp(), seconds
        self._source = ""

    def run(self) -> dict[str, Any]:
        work = self._work
        result = work.result(self._name)
        assert result is not None
        links = self._times()
        times = _seconds(work, f"SELECT s FROM {links}") if links else np.array([])
        found = estimate(times[times < self._start], self._start, self._seconds)
        if found is None:
            why = (
                "its past is shorter than the window"
                if self._source
                else "no time of its rows or of their parents is known"
            )
            return {"low": 0, "likely": None, "high": None, "basis": f"cannot be estimated: {why}"}
        kind = (
            "with days of rest at the same place" if found.alike else "whatever the day of the week"
        )
        few = "; so few that the interval holds less than 90 of 100" if found.windows < _FEW else ""
        basis = f"{found.windows} windows of {_length(self._seconds)} at the same hours before the backup, {kind}{few}: {self._source}"
        low, likely, high = found.low, found.likely, found.high
        if result.state == "compared":
            share = (result.missing or 0) / result.backup_rows if result.backup_rows else 0.0
            if share < _WIPED:
                return {
                    "low": 0,
                    "likely": round(likely * share),
                    "high": math.ceil(high * share),
                    "basis": f"the table survives: only what was written and removed again in between is unseen, at the rate at which "
                    f"its older rows went ({share:.1%}); {basis}",
                }
            seen = self._survivors()
            low, likely, high = (max(n - seen, 0) for n in (low, likely, high))
            basis += f"; {seen:,} rows that survived are taken off" if seen else ""
        raised, trace = self._traces(links)
        if raised > low:
            basis += f"; {trace} raise the lower bound from {low:,} to {raised:,}"
            low, likely, high = raised, max(likely, raised), max(high, raised)
        return {"low": low, "likely": likely, "high": high, "basis": basis}

    # --- when rows were written --------------------------------------------------------------------------

    def _times(self) -> str | None:
        """A working table (s, and the link's columns c0, c1, …) of when the backup's rows were written."""
        work, columns = self._work, self._junction.link_columns
        made = made_column(self._table)
        if made:
            self._source = f"the rows' own {made}"
            rows = self._rows((made, *columns))
            heads = ", ".join(f"c{i + 1} AS c{i}" for i in range(len(columns)))
            return work.temp(
                f"SELECT {_epoch('c0')} AS s, {heads} FROM {rows} WHERE isfinite(TRY_CAST(c0 AS TIMESTAMP))"
            )
        joins, ages, named = "", [], []
        for n, end in enumerate(self._junction.link):
            parent = end.parents[0]
            table = work.table("backup", parent.name)
            age = made_column(table) if table else None
            if len(end.parents) > 1 or age is None or not work.holds("backup", parent.name):
                continue
            keys = work.read("backup", parent.name, (*parent.parent_columns, age))
            on = same(
                [f"m.c{columns.index(c)}" for c in parent.columns],
                [f"p{n}.c{i}" for i in range(len(parent.columns))],
            )
            joins += f" JOIN {keys} p{n} ON {on}"
            ages.append(_epoch(f"p{n}.c{len(parent.columns)}"))
            named.append(f"{parent.name}.{age}")
        if not ages:
            return None
        self._source = f"the rows have no time of their own, that of the younger parent stands for it ({', '.join(named)})"
        return work.temp(
            f"SELECT greatest({', '.join(ages)}) AS s, m.* FROM {self._rows(columns)} m {joins}"
        )

    def _rows(self, columns: Sequence[str]) -> str:
        """All rows of the backup's table; those of a dropped table lie in the case."""
        result = self._work.result(self._name)
        fields = self._work.fields("backup", self._name, columns)
        if result and result.state == "dropped" and fields:
            heads = ", ".join(f"{f} AS c{i}" for i, f in enumerate(fields))
            return f"(SELECT {heads} FROM {missing_rows(self._work, self._junction)})"
        return self._work.read("backup", self._name, columns)

    def _survivors(self) -> int:
        """Rows that were written within the window and are in live."""
        made = made_column(self._table)
        field = self._work.field("live", self._name, made) if made else None
        if field is None:
            return 0
        within = (
            f"{_epoch(field)} >= {self._start} AND {_epoch(field)} < {self._start + self._seconds}"
        )
        return int(
            self._work.one(
                f"SELECT count(*) FROM {self._work.kept('live', self._name)} WHERE state = 'added' AND {within}"
            )[0]
        )

    # --- traces -------------------------------------------------------------------------------------------

    def _traces(self, links: str | None) -> tuple[int, str]:
        """A lower bound from parents that are new since the backup, and what they are."""
        best = (0, "")
        if links is None:
            return best
        for end in self._junction.link:
            parent = end.parents[0]
            table = self._work.table("backup", parent.name)
            made = made_column(table) if table else None
            if len(end.parents) == 1 and made and self._work.holds("backup", parent.name):
                bound = self._trace(parent, made, links)
                if bound > best[0]:
                    best = (bound, f"parents in {parent.name} that are new since the backup")
        return best

    def _trace(self, parent: Parent, made: str, links: str) -> int:
        """How many of the parents that were made in the window had surely got a link, as parents of past windows had.

        The share is that of each past window: of the parents made in it, those that had a link by its end.
        """
        work = self._work
        kept, field = work.kept("live", parent.name), work.field("live", parent.name, made)
        if kept is None or field is None:
            return 0
        end = self._start + self._seconds
        (new,) = work.one(
            f"SELECT count(*) FROM {kept} WHERE state = 'added' AND {_epoch(field)} >= {self._start} AND {_epoch(field)} < {end}"
        )
        if not new:
            return 0
        columns = self._junction.link_columns
        keys = work.read("backup", parent.name, (*parent.parent_columns, made))
        width = len(parent.columns)
        mine = [f"c{columns.index(c)}" for c in parent.columns]
        first = work.temp(
            f"SELECT {listed(mine)}, min(s) AS s FROM {links} GROUP BY {listed(mine)}"
        )
        on = same([f"p.c{i}" for i in range(width)], [f"l.{c}" for c in mine])
        found = work.db.execute(
            f"SELECT {_epoch(f'p.c{width}')} AS made, l.s AS linked FROM {keys} p LEFT JOIN {first} l ON {on} WHERE p.c{width} IS NOT NULL"
        ).fetchnumpy()
        work.drop(first)
        born: np.ndarray = np.ma.filled(np.ma.asarray(found["made"], dtype=float), np.nan)
        linked: np.ndarray = np.ma.filled(np.ma.asarray(found["linked"], dtype=float), np.inf)
        order = np.argsort(born)
        born, linked = born[order], linked[order]
        born, linked = born[~np.isnan(born)], linked[~np.isnan(born)]
        shares = []
        for begin in past_windows(born, self._start, self._seconds)[:_MOST]:
            a, b = np.searchsorted(born, [begin, begin + self._seconds])
            if b > a:
                shares.append(float(np.mean(linked[a:b] < begin + self._seconds)))
        if len(shares) < _FEW:
            return 0
        shares.sort()
        return math.floor(int(new) * shares[max(math.floor(0.05 * (len(shares) + 1)), 1) - 1])


def made_column(table: Table) -> str | None:
    """The column that says when a row was made, or None."""
    audit = [c for c in table.columns if is_audit(c) and not c.generated]
    made = [c.name for c in audit if _MADE.search(c.name)]
    return made[0] if made else None


def _epoch(field: str) -> str:
    """Seconds since 1970 of a time as PostgreSQL writes it; one without a zone is taken as UTC."""
    return f"epoch(TRY_CAST({field} AS TIMESTAMP))"


def _seconds(work: Workspace, query: str) -> np.ndarray:
    found = work.db.execute(f"SELECT s FROM ({query}) WHERE s IS NOT NULL ORDER BY s").fetchnumpy()[
        "s"
    ]
    return np.asarray(found, dtype=float)


def _length(seconds: float) -> str:
    minutes = round(timedelta(seconds=seconds).total_seconds() / 60)
    hours, minutes = divmod(minutes, 60)
    return (
        " ".join(p for p in (f"{hours:,} h" * bool(hours), f"{minutes} min" * bool(minutes)) if p)
        or "less than a minute"
    )
