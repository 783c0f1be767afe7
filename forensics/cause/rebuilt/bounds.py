"""When the schema was rebuilt: bounds, each with its source.

Nothing but the backup itself says what it was later than. Whatever a new table bears a time of is
later than the rebuild's beginning.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from forensics.cause.rebuilt.facts import Facts, Made
from forensics.model import TableName

_SECOND = timedelta(seconds=1)  # what file times are cut to
_ALMOST = _SECOND - timedelta.resolution  # a bound that is cut to seconds is one no more
_FILES = "the oldest file of the new tables (pg_stat_file)"
_COMMITS = "the commit of the transaction that made the first of them"
_TENDED = "the first VACUUM or ANALYZE of them that the statistics remember"
_HISTORY = "the oldest entry of the new migration history"
_READ = "live was read"


@dataclass(frozen=True)
class Bound:
    """A time that bounds the rebuild, or would if it were known.

    Attributes:
        source: what says so.
        bound: "after" or "before"; None of what is only worth knowing.
        at: the time, or None.
        why: why it is not known, or bounds nothing; "" else.
    """

    source: str
    bound: str | None
    at: datetime | None
    why: str = ""


@dataclass(frozen=True)
class When:
    """The bounds of the rebuild.

    Attributes:
        after, before: the narrowest; None where nothing bounds it.
        at: when it was committed, where one transaction made all of it and that is kept.
        bounds: all, known or not.
    """

    after: Bound | None
    before: Bound | None
    at: datetime | None
    bounds: tuple[Bound, ...]

    @property
    def words(self) -> str:
        """The when, for the middle of a sentence."""
        if self.at:
            return f"at {_clock(self.at)} (the commit of the transaction that made it)"
        early, late = _told(self.after), _told(self.before, _ALMOST)
        if early and late:
            return f"between {early} and {late}"
        if late:
            return f"by {late}"
        if early:
            return f"after {early}"
        return "at a time that is not known"

    @property
    def json(self) -> dict[str, Any]:
        """As `cause.json` has it, times in ISO 8601, UTC."""
        sources = []
        for bound in self.bounds:
            sources.append(
                {
                    "source": bound.source,
                    "bound": bound.bound,
                    "at": _written(bound.at),
                    "why": bound.why or None,
                }
            )
        return {
            "after": _written(self.after.at if self.after else None),
            "before": _written(self.before.at if self.before else None),
            "at": _written(self.at),
            "sources": sources,
        }


def when(facts: Facts, tables: Collection[TableName]) -> When:
    """Bound the time at which tables were made anew.

    Args:
        facts: of the case.
        tables: those of live that were.
    """
    made = facts.made_of(tables)
    late = list(_late(facts, made, tables))
    known = [bound for bound in late if bound.at and bound.bound]
    before = min(known, key=_at, default=None)
    early = _early(facts, before)
    after = early if early.at and early.bound else None
    at = None
    if len({one.transaction for one in made}) == 1:
        at = made[0].committed
    return When(after, before, at, (early, *late, _reset(facts)))


def _early(facts: Facts, before: Bound | None) -> Bound:
    source = "the backup"
    if facts.backup_at is None:
        return Bound(source, "after", None, "the backup says no time: give --backup-at TIME")
    if not facts.certain:
        source = "the backup, by its writer's clock"
    if before and before.at and facts.backup_at > before.at:
        why = "it is later than what is known to be later: its time zone is not known"
        return Bound(source, None, facts.backup_at, why)
    return Bound(source, "after", facts.backup_at)


def _late(facts: Facts, made: list[Made], tables: Collection[TableName]) -> Iterator[Bound]:
    commits, files, tended = _Times(), _Times(), _Times()
    for one in made:
        commits.add(one.committed)
        files.add(one.modified)
        tended.add(one.tended)
    why = facts.refused.get("commits", "track_commit_timestamp is off, or it is too long ago")
    yield commits.bound(_COMMITS, why)
    why = facts.refused.get("files", "this role may not call pg_stat_file")
    yield files.bound(_FILES, why, _SECOND)
    if not facts.histories.isdisjoint(tables):
        yield _noted(facts, tables)
    yield tended.bound(_TENDED, "there was none")
    yield Bound(_READ, "before", facts.read_at)


class _Times:
    """Times of which the first counts."""

    def __init__(self) -> None:
        self.first: datetime | None = None

    def add(self, at: datetime | None) -> None:
        """Take one more, where it is known."""
        if at and (self.first is None or at < self.first):
            self.first = at

    def bound(self, source: str, why: str, more: timedelta = timedelta()) -> Bound:
        """The bound that the first gives; `why` it is not known."""
        if self.first is None:
            return Bound(source, "before", None, why)
        return Bound(source, "before", self.first + more)


def _noted(facts: Facts, tables: Collection[TableName]) -> Bound:
    """The bound that a history gives, whose times are not the server's."""
    late, early = _Times(), _Times()
    for entry in facts.entries["live"]:
        for time in (entry.started_at, entry.applied_at):
            if entry.table not in tables or time is None:
                continue
            if facts.backup_at and time <= facts.backup_at:
                early.add(time)
            else:
                late.add(time)
    if late.first is None and early.first:
        return Bound(_HISTORY, None, early.first, "it says to be older than the backup")
    return late.bound(_HISTORY, "it has no times")


def _reset(facts: Facts) -> Bound:
    source = "the reset of the statistics (pg_stat_database)"
    why = "they were never reset, or it is not told"
    if facts.counted_since:
        why = "they can be reset without any table"
    return Bound(source, None, facts.counted_since, why)


def _at(bound: Bound) -> datetime:
    assert bound.at is not None
    return bound.at


def _told(bound: Bound | None, more: timedelta = timedelta()) -> str:
    if bound is None or bound.at is None:
        return ""
    return f"{_clock(bound.at + more)} ({bound.source})"


def _clock(at: datetime) -> str:
    at = at.astimezone(UTC)
    return f"{at.day} {at:%B %Y, %H:%M:%S} UTC"


def _written(at: datetime | None) -> str | None:
    return at.astimezone(UTC).isoformat() if at else None
