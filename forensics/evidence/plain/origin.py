"""Where a plain dump came from, and whether it is whole, as its writer says it in comments."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from forensics.evidence.files import PlainFile
from forensics.evidence.plain.index import Harm, Index
from forensics.model import Provenance

_TIME = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)\s*(.*)\Z")
_OFFSET = re.compile(r"([+-])(\d\d):?(\d\d)?")
_DUMP = "PostgreSQL database dump"
_CLUSTER = "PostgreSQL database cluster dump"


def provenance_of(
    file: PlainFile, part: Index, database: str | None, damage: str | None
) -> Provenance:
    """Return where a dump came from, but for the hash of its file.

    Args:
        part: what stands in the file of `database`.
        damage: why it is not whole, or None.
    """
    return Provenance(
        kind="plain",
        path=str(file.path),
        bytes=file.packed_size,
        compression=file.compression,
        server_version=_said(part, "Dumped from database version"),
        dump_version=_said(part, "Dumped by pg_dump version"),
        dumped_at=_writers_time(_said(part, "Started on") or ""),
        complete=damage is None,
        encoding=part.encoding(database),
        database=database,
    )


def _said_of(harms: Sequence[Harm]) -> str:
    """What is wrong at places of a file, the first and how many more."""
    if len(harms) == 1:
        return harms[0].words
    return f"{harms[0].words}, and {len(harms) - 1} more places are damaged"


def _said(part: Index, lead: str) -> str | None:
    """What the writer's first comment with this lead says, or None."""
    for comment in part.comments:
        if comment.words.startswith(lead):
            return comment.words.removeprefix(lead).strip()
    return None


def _writers_time(text: str) -> datetime | None:
    """The time of a `--verbose` dump's comment.

    None where its zone is a word that nobody can place.
    """
    match = _TIME.match(text)
    if not match:
        return None
    local = datetime.fromisoformat(match[1])
    zone = match[2].strip()
    if zone in ("UTC", "GMT", "Z", ""):
        return local.replace(tzinfo=UTC)
    if offset := _OFFSET.fullmatch(zone):
        delta = timedelta(hours=int(offset[2]), minutes=int(offset[3] or 0))
        if offset[1] == "-":
            delta = -delta
        return (local - delta).replace(tzinfo=UTC)
    try:
        return local.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    except (ZoneInfoNotFoundError, ValueError):
        return None


def damage_of(file: PlainFile, whole: Index, part: Index) -> str | None:
    """Return why a dump is not whole, in words, or None where it ends as its writer ends one.

    Args:
        whole: what stands in the file.
        part: what of it is of the database that is looked at.
    """
    if broken := file.damage or whole.damage:
        return broken
    if part.harms:
        return _said_of(part.harms)
    return break_of(file, whole, part)


def break_of(file: PlainFile, whole: Index, part: Index) -> str | None:
    """Return why a dump breaks off, in words, or None where it ends as its writer ends one."""
    if broken := file.damage or whole.damage:
        return broken
    of_roles_only = whole.says(_CLUSTER) and not whole.says(_DUMP)
    if not of_roles_only and not part.says(f"{_DUMP} complete"):
        return f"its last line, '{_DUMP} complete', is not there"
    if whole.says(_CLUSTER) and not whole.says(f"{_CLUSTER} complete"):
        return f"its last line, '{_CLUSTER} complete', is not there"
    if whole.open_restrict:
        return "its last line, \\unrestrict, is not there"
    if whole.elsewhere:
        return whole.elsewhere[0]
    return None
