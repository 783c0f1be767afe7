"""What the views of a case need of it. The facade has it; they do not need the facade."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol

from forensics.case.evidence import Evidence
from forensics.model import Catalog, TableResult
from forensics.store import Store


class Held(Protocol):
    """A case on disk, as far as its parts look at it."""

    folder: Path
    store: Store

    @property
    def evidence(self) -> Evidence:
        """Provenance of both sides."""

    @property
    def catalogs(self) -> tuple[Catalog, Catalog]:
        """What the backup's schema says, and live's."""

    @property
    def results(self) -> tuple[TableResult, ...]:
        """What comparing each table found."""

    @property
    def loss(self) -> dict[str, Any]:
        """What the missing junction rows mean."""

    @property
    def snapshots(self) -> list[dict[str, Any]]:
        """The moments at which the sides were read."""

    @property
    def notes(self) -> list[str]:
        """What has to be known to read the numbers right."""

    @property
    def damage(self) -> str | None:
        """Why the backup is not whole, or None."""

    @property
    def complete(self) -> bool:
        """Whether every table of a whole backup was compared."""

    @property
    def totals(self) -> dict[str, int]:
        """Sums over the tables."""

    def writing(self) -> AbstractContextManager[Store]:
        """Lend the case for adding results."""
