"""What the views of a case need of it. The facade has it; they do not need the facade."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol

from forensics.report.results import Results
from forensics.store import Store


class Held(Results, Protocol):
    """A case on disk, as far as its parts look at it: what a report needs, and where it lies.

    Attributes:
        folder: where it lies.
        snapshots: the moments at which the sides were read.
        notes: what has to be known to read the numbers right.
    """

    @property
    def folder(self) -> Path: ...

    @property
    def snapshots(self) -> list[dict[str, Any]]: ...

    @property
    def notes(self) -> list[str]: ...

    @property
    def unknown(self) -> list[str]:
        """What could not be worked out, in sentences."""

    def writing(self) -> AbstractContextManager[Store]:
        """Lend the case for adding results."""
