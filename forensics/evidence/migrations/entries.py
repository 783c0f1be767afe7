"""What a history table says: its rows as they stand, and what its tool means by them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from forensics.model import TableName

_ENDING = re.compile(r"\.(?:js|cjs|mjs|ts|py|sql)\Z")


@dataclass(frozen=True)
class HistoryEntry:
    """One row of a migration history table.

    `steps` is Prisma's `applied_steps_count`: 0 on a finished row means that it was marked as
    applied without having run. `cumulative` entries (Alembic, golang-migrate, Flyway's baseline)
    name the newest migration and imply those before it; a `replaced` one goes when its tool notes
    a newer one. `version` is the number by which its file may be known, where that is not `name`.
    `sql` is what ran, where the tool keeps that.
    """

    tool: str
    table: TableName
    name: str
    checksum: str | None = None
    started_at: datetime | None = None
    applied_at: datetime | None = None
    rolled_back_at: datetime | None = None
    steps: int | None = None
    failed: bool = False
    rolled_back: bool = False
    cumulative: bool = False
    replaced: bool = False
    version: str | None = None
    sql: str | None = None

    @property
    def in_force(self) -> bool:
        """Whether the tool counts the migration as applied."""
        return not self.failed and not self.rolled_back

    @property
    def moment(self) -> datetime | None:
        """When it ran, as far as the tool noted it."""
        return self.applied_at or self.started_at

    @property
    def ran(self) -> bool:
        """Whether its SQL went through, as far as the tool noted it."""
        return not self.failed and self.steps != 0


@dataclass(frozen=True)
class Row:
    """A row of the history `table` of `tool`, as text: a column that is null has None."""

    tool: str
    table: TableName
    values: Mapping[str, str | None]

    def __getitem__(self, column: str) -> str | None:
        return self.values[column]

    def text(self, column: str) -> str:
        """A column's text, "" where it is null or not there."""
        return self.values.get(column) or ""

    def true(self, column: str) -> bool:
        """Whether a boolean column is true."""
        return self.values[column] == "t"

    def time(self, column: str) -> datetime | None:
        """A column's time, in UTC where it has no offset; None where there is none."""
        text = self.values.get(column)
        if not text:
            return None
        try:
            found = datetime.fromisoformat(text)
        except ValueError:
            return None
        if found.tzinfo is None:
            return found.replace(tzinfo=UTC)
        return found

    def named(self, name: str, at: str | None = None) -> HistoryEntry:
        """The entry of a row that has no more to say than a name, and perhaps a time.

        Args:
            name: the column with the migration's name; a file's ending is cut off it.
            at: the column with the time at which it ran.
        """
        called = _ENDING.sub("", self.text(name))
        applied_at = self.time(at) if at else None
        return HistoryEntry(self.tool, self.table, called, applied_at=applied_at)
