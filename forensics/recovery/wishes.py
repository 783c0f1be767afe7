"""What is wanted of a plan besides its options."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from forensics.recovery.proof import BACKFILL, FULL_RESTORE, ROLL_BACK, Tell, silent

if TYPE_CHECKING:
    from sqlalchemy import URL, Engine

    from forensics.scratch import Ahead, Scratch

SKIPPABLE = (FULL_RESTORE, ROLL_BACK, BACKFILL)


@dataclass(frozen=True)
class Wishes:
    """What is wanted of a plan besides the options.

    Attributes:
        live: how to reach live; None leaves it alone. It is only read.
        rehearse: rehearse the scripts on a scratch PostgreSQL; needs `live`.
        migrations: the folder of the migrations, for the safer one; None makes none.
        backup: where the backup lies now, if it was moved; needed for the values of dropped
            columns, to rehearse the full restore, and to try the safer migration.
        ran: shell patterns of migrations that ran since the backup, where no history says so.
        scratch: a server to rehearse on, running; None starts one.
        ahead: the server to start, where it was begun before; None begins one.
        skip: options that are not rehearsed, of `SKIPPABLE`.
        tell: is told how far the rehearsals are, by several threads.
    """

    live: str | Engine | URL | None = None
    rehearse: bool = False
    migrations: Path | None = None
    backup: str | Path | None = None
    ran: tuple[str, ...] = ()
    scratch: Scratch | None = None
    skip: tuple[str, ...] = ()
    tell: Tell = silent
    ahead: Ahead | None = None
