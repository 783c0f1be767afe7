"""A throw-away server, begun while what works on it is still being loaded."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from forensics.scratch import Ahead


@contextmanager
def server_ahead(case: Path, *, wanted: bool, sides: int = 1) -> Iterator[Ahead | None]:
    """Lend a server that is begun for a case; None where nothing tells how large it will be.

    Args:
        case: the case's folder.
        wanted: whether one is going to be needed at all.
        sides: how many databases as large as the backup it will hold.
    """
    size = _restored(case) if wanted else None
    if size is None:
        yield None
        return
    from forensics.scratch import Ahead

    with Ahead(size * sides) as ahead:
        yield ahead


def _restored(case: Path) -> int | None:
    """How large a case's backup is once restored, as its summary tells without its file."""
    from forensics.model import Provenance

    try:
        backup = json.loads((case / "summary.json").read_bytes())["backup"]
        kept = {name: backup[name] for name in ("kind", "bytes", "compression")}
    except (OSError, ValueError, LookupError, TypeError):
        return None
    return Provenance(**kept).restored_bytes
