"""What a report needs of a case: nothing more is asked of whoever hands one over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from forensics.model import Catalog, Provenance, TableResult
from forensics.store import Store


class Sides(Protocol):
    """Where both sides came from."""

    @property
    def backup(self) -> Provenance: ...

    @property
    def live(self) -> Provenance: ...


class Results(Protocol):
    """What an investigation found, frozen.

    Attributes:
        store: what the stages found, and the rows that are kept.
        evidence: where both sides came from.
        catalogs: what the backup's schema says, and live's.
        results: what comparing each table found, by name.
        totals: its numbers over all tables; None where one is not known.
        counted: the same over what was compared.
        verdict: what was found, in a sentence.
        complete: whether every table of the backup was compared.
        nothing_missing: whether every row and value of the backup is in live.
        damage: why the backup is not whole, or None.
        loss: what the missing links mean, as `loss --json` has it.
    """

    @property
    def store(self) -> Store: ...

    @property
    def evidence(self) -> Sides: ...

    @property
    def catalogs(self) -> tuple[Catalog, Catalog]: ...

    @property
    def results(self) -> Sequence[TableResult]: ...

    @property
    def totals(self) -> Mapping[str, int | None]: ...

    @property
    def counted(self) -> Mapping[str, int]: ...

    @property
    def verdict(self) -> str: ...

    @property
    def complete(self) -> bool: ...

    @property
    def nothing_missing(self) -> bool: ...

    @property
    def damage(self) -> str | None: ...

    @property
    def loss(self) -> dict[str, Any]: ...

    def summary(self) -> dict[str, Any]:
        """What the comparison found, as `compare --json` has it."""
        ...
