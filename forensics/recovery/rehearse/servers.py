"""The throw-away server that is rehearsed on: which programs it runs, and what room it has."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import psycopg

from forensics.errors import RecoveryError
from forensics.evidence import Source
from forensics.model import Table, TableName
from forensics.recovery.rehearse.session import MORE_ROOM
from forensics.recovery.wishes import Wishes
from forensics.scratch import Ahead, Scratch, taken
from forensics.store import Store

_PROGRAMS = Path("/usr/lib/postgresql")
_MOST_WAL = 4 << 30  # what the scratch server lets its log grow to
_SPARE = 64 << 20  # an empty cluster, and what is sorted


@contextmanager
def a_server(
    given: Scratch | None,
    version: str | None,
    *,
    needs_xml: bool,
    likes_xml: bool,
    size: int | None = None,
    ahead: Ahead | None = None,
) -> Iterator[Scratch]:
    """A scratch server: the one that is given, or one of its own.

    Args:
        given: a server that runs already.
        version: live's; where XML is in play, only programs that are no older will do in
            place of the wheel's.
        needs_xml: nothing can be rehearsed without the type xml, which the wheel's server was
            built without.
        likes_xml: more can be rehearsed with it.
        size: about how many bytes it will hold, where that is known.
        ahead: the one to start, where it was begun before.

    Raises:
        RecoveryError: XML is needed, and no server on this machine was built with it.
        ScratchError: no server starts.
    """
    if given is not None:
        yield given
        return
    wants_xml = needs_xml or likes_xml
    tried: list[Path | None] = [None]
    if wants_xml:
        tried += _others(int((version or "0").split(".")[0]))
    for programs in tried:
        with taken(ahead, size, programs) as scratch:
            if not wants_xml or _knows_xml(scratch):
                yield scratch
                return
    if needs_xml:
        raise RecoveryError(
            "The scratch PostgreSQL was built without XML, and tables that the recovery touches "
            "have columns of that type.",
            "Point FORENSICS_PGBIN to an installation that has it.",
        )
    with Scratch(size=size) as scratch:
        yield scratch


def begun_ahead(stack: ExitStack, store: Store, wishes: Wishes) -> Wishes:
    """The wishes with a server that is begun already.

    Args:
        stack: what stops it where nobody takes it.
        store: the case.
        wishes: what is wanted; they may have one.
    """
    if wishes.live is None or wishes.scratch or wishes.ahead:
        return wishes
    backup = store.evidence()[0].restored_bytes
    size = None
    if backup is not None:
        size = 2 * backup  # live is about as large
    return replace(wishes, ahead=stack.enter_context(Ahead(size)))


def _others(least: int) -> list[Path]:
    """The folders of the machine's own server programs of some version or a later one."""
    found = []
    for program in _PROGRAMS.glob("*/bin/postgres"):
        version = program.parts[-3]
        if version.isdigit() and int(version) >= least:
            found.append(program.parent)
    return sorted(found, reverse=True)


def _knows_xml(scratch: Scratch) -> bool:
    with psycopg.connect(scratch.dsn(), autocommit=True) as session:
        try:
            session.execute("SELECT '<a/>'::xml")
        except psycopg.errors.FeatureNotSupported:
            return False
    return True


def has_xml(tables: Iterable[Table]) -> bool:
    """Whether any column of some tables is of the type xml."""
    for table in tables:
        for column in table.columns:
            if column.type in ("xml", "xml[]"):
                return True
    return False


# --- room -----------------------------------------------------------------------------------------


def shown_size(size: int) -> str:
    """A number of bytes for people."""
    value = float(size)
    for unit in ("bytes", "kB", "MB"):
        if value < 1000:
            return f"{value:.0f} {unit}"
        value /= 1000
    return f"{value:.1f} GB"


def expect_room(scratch: Scratch, size: int, what: str) -> None:
    """Make sure that rows have room beside the log that the server writes of them.

    Args:
        scratch: the server.
        size: bytes.
        what: what they are, for people.

    Raises:
        RecoveryError: there is less room than that.
    """
    needed = _with_log(size)
    free = shutil.disk_usage(scratch.folder).free
    if free < needed:
        raise RecoveryError(
            f"{what} needs about {shown_size(needed)} in {scratch.folder.parent}, "
            f"and {shown_size(free)} are free there.",
            MORE_ROOM,
        )


def has_room(scratch: Scratch, size: int) -> bool:
    """Whether rows have room beside the log that the server writes of them."""
    return shutil.disk_usage(scratch.folder).free >= _with_log(size)


def _with_log(size: int) -> int:
    """The room that rows take with the log that the server writes of them."""
    return size + min(size, _MOST_WAL) + _SPARE


def backup_bytes(
    backup: Source,
    rows: Mapping[TableName, tuple[int | None, int | None]],
    live: Mapping[TableName, int],
) -> int:
    """Estimate how large the backup's tables are once restored, their indexes included.

    Args:
        backup: the backup, open.
        rows: by table, how many rows the backup has and live has.
        live: how large live's tables are, where that is known.
    """
    factor = backup.provenance.growth
    found = 0
    for name, held in backup.contents().items():
        ours, theirs = rows.get(name, (None, None))
        by_text = (held.bytes or 0) * factor
        if name not in live or ours is None or not theirs:
            found += by_text
            continue
        size = live[name] * ours // theirs
        if by_text and ours > theirs:
            # Where live lost most of its rows, it may hold the room that they took: that says
            # nothing of the size of a row.
            size = min(size, max(live[name], by_text))
        found += size
    return found
