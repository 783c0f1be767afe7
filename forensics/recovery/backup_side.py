"""What is rehearsed on the restored backup: the full restore, and then the safer migrations.

Restoring needs nothing but the backup, so it begins as soon as there is a server, in a thread
beside the copy of live, where both have room at once. What is said of it is known only when the
options are worked out: `go_on` hands that over. Where there is no room everything has its turn,
once the copies of live that the scripts ran on are gone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import partial

import psycopg

from forensics.errors import BackupError, RecoveryError, ScratchError
from forensics.evidence import Source
from forensics.model import TableName
from forensics.recovery.choose.options import Option
from forensics.recovery.choose.price import Price
from forensics.recovery.proof import FULL_RESTORE, Proof, failed
from forensics.recovery.rehearse.copies import BackupCopy, backup_copy
from forensics.recovery.rehearse.restore import Looked, look_through
from forensics.recovery.rehearse.servers import backup_bytes, expect_room, has_room
from forensics.recovery.rehearse.session import said
from forensics.recovery.rehearse.stage import Stage
from forensics.recovery.safer import SaferMigrations, whole_bytes
from forensics.recovery.wishes import Wishes
from forensics.recovery.write.columns import open_backup
from forensics.scratch import Scratch
from forensics.store import Store

_UNCOUNTED = "not every table could be compared."

# Writes safer migrations and tries them, given the whole backup where it stands restored.
Safer = Callable[[BackupCopy | None], SaferMigrations]


@dataclass(frozen=True)
class Ended:
    """What came of it: the full restore's proof, or why there is none; the safer migrations."""

    proof: Proof | None
    unrehearsed: str | None
    safer: SaferMigrations


@dataclass(frozen=True)
class _Restored:
    """The backup, restored and looked through; or the proof that this failed; or why not tried."""

    copy: BackupCopy | None = None
    looked: Looked | None = None
    proof: Proof | None = None
    unrehearsed: str | None = None


class BackupSide:
    """What is rehearsed on the restored backup.

    Args:
        store: the case, open until the end.
        wishes: where the backup lies, and who is told.
        price: what undoing the schema change would take.
    """

    def __init__(self, store: Store, wishes: Wishes, price: Price) -> None:
        self._store, self._wishes, self._price = store, wishes, price
        self._server: Scratch | None = None
        self._sizes: Mapping[TableName, int] = {}
        self._held = ExitStack()  # the backup, and its copy
        self._backup: tuple[Source, int] | None = None
        self._coming: Future[_Restored | None] | None = None
        self._ending: Future[Ended | None] | None = None
        self._last: Callable[[], Ended] | None = None

    @property
    def _wanted(self) -> bool:
        return FULL_RESTORE not in self._wishes.skip and self._server is not None

    def begin(self, stage: Stage) -> None:
        """Begin to restore, where that can be done beside live's copies.

        Args:
            stage: where these are rehearsed; its server was started, or none could be.
        """
        self._server, self._sizes = stage.server, stage.sizes
        if self._wanted and stage.beside is not None:
            restoring = partial(self._restored, beside=stage.beside)
            self._coming = stage.strands.begin(restoring, FULL_RESTORE)

    def go_on(self, stage: Stage, option: Option, safer: Safer) -> None:
        """Go on, now that the options are worked out.

        Args:
            stage: as before.
            option: the full restore.
            safer: what comes afterwards.
        """
        self._last = partial(self._all, option, safer)
        if self._coming is not None:
            ending = partial(self._rest, self._coming, option, safer)
            self._ending = stage.strands.begin(ending, "safer migrations", self._coming)

    def end(self) -> Ended:
        """What came of it, after `go_on`. Raises as `safer` and as `look_through` do."""
        assert self._last is not None
        found = self._ending.result() if self._ending else None
        return found or self._last()

    def close(self) -> None:
        """Let go of what was held when the server was stopped before the end."""
        with suppress(ScratchError):
            self._held.close()

    # --- one after the other, or beside -------------------------------------------------------

    def _rest(self, coming: Future[_Restored | None], option: Option, safer: Safer) -> Ended | None:
        """What follows on what was begun; None where there was no room to begin."""
        restored = coming.result()
        if restored is None:
            return None
        return self._ended(restored, option, safer)

    def _all(self, option: Option, safer: Safer) -> Ended:
        """All of it, in its turn."""
        restored: _Restored | None = _Restored()
        if self._wanted:
            restored = self._restored(None, _numbers(option) is not None)
        assert restored is not None
        return self._ended(restored, option, safer)

    def _ended(self, restored: _Restored, option: Option, safer: Safer) -> Ended:
        """What comes of it, now that it is restored or is not."""
        with self._held:
            copy, proof, unrehearsed = restored.copy, restored.proof, restored.unrehearsed
            numbers = _numbers(option)
            if restored.looked and numbers:
                proof = restored.looked.proof(numbers)
            elif restored.looked:
                copy, unrehearsed = None, _UNCOUNTED
            if copy and (copy.short or copy.notes):
                copy = None
            return Ended(proof, unrehearsed, safer(copy))

    def _restored(self, beside: int | None, counted: bool = True) -> _Restored | None:
        """Restore the backup, where it is at hand and has room, and look through it.

        Args:
            beside: the bytes that what is done beside takes; None where nothing is.
            counted: whether anything can be said of it.

        Returns:
            What came of it, or None where there is no room for both at once.
        """
        server = self._server
        assert server is not None
        try:
            backup, size = self._opened()
            if beside is None:
                expect_room(server, size, "The restored backup")
            elif not has_room(server, beside + self._copies * max(size, whole_bytes(backup))):
                return None
        except (RecoveryError, BackupError) as error:
            return _Restored(unrehearsed=str(error))
        if not counted:
            return _Restored(unrehearsed=_UNCOUNTED)
        ddl = self._store.get("ddl") or ()
        tell = self._wishes.tell
        try:
            copy = self._held.enter_context(backup_copy(server, backup, ddl, None, tell))
            return _Restored(copy, look_through(self._store, copy, self._price, tell))
        except (ScratchError, BackupError, psycopg.Error) as error:
            return _Restored(proof=failed(said(error)))

    @property
    def _copies(self) -> int:
        """How many of the backup there will be at most: two more for the safer migrations."""
        return 3 if self._wishes.migrations else 1

    def _opened(self) -> tuple[Source, int]:
        """The backup, which is looked through once, and about how many bytes it will take.

        Raises:
            RecoveryError: it is not at hand, or defines no tables.
            BackupError: it cannot be read.
        """
        if self._backup is None:
            found = self._held.enter_context(open_backup(self._store, self._wishes.backup))
            if not found.catalog.tables:
                raise RecoveryError(
                    "the backup defines no tables, and cannot be restored by itself."
                )
            rows = {}
            for result in self._store.results():
                rows[result.name] = (result.backup_rows, result.live_rows)
            self._backup = found, backup_bytes(found, rows, self._sizes)
        return self._backup


def _numbers(option: Option) -> tuple[int, int] | None:
    """What an option recovers and destroys, where both are known."""
    if option.recovers is None or option.destroys is None:
        return None
    return option.recovers, option.destroys
