"""Where a plain dump came from, and whether it is whole, as its writer says it in comments."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from forensics.evidence import defined
from forensics.evidence.files import PlainFile
from forensics.evidence.plain.index import Harm, Index
from forensics.evidence.reading import read_at
from forensics.model import Catalog, Provenance
from forensics.text import counted

_TIME = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)\s*(.*)\Z")
_OFFSET = re.compile(r"([+-])(\d\d):?(\d\d)?")
_DUMP = "PostgreSQL database dump"
_CLUSTER = "PostgreSQL database cluster dump"
_GREENPLUM = "Greenplum Database database dump"
# Without a version, what pg_dump has set since 8.0, with which the closing line came.
_SINCE_8 = re.compile(
    rb"^SET (?:client_min_messages|default_tablespace|default_with_oids|escape_string_warning"
    rb"|standard_conforming_strings|statement_timeout|lock_timeout)\b",
    re.M,
)
_VERSION = "Dumped by pg_dump version"
_HEAD_BYTES = 1 << 16
_FIRST_TO_CLOSE = 8
_FIRST_STATEMENTS = 20


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
        server_version=server_version(part),
        dump_version=_said(part, _VERSION),
        dumped_at=_writers_time(_said(part, "Started on") or ""),
        complete=damage is None,
        encoding=part.encoding(database),
        database=database,
    )


def server_version(part: Index) -> str | None:
    """Return the version of the server that a dump is of, as it says it."""
    return _said(part, "Dumped from database version")


def damaged_definitions(part: Index, catalog: Catalog) -> int:
    """Return how many statements of a dump's schema were damaged, as far as that is sure."""
    if not part.by_pg_dump:
        return 0
    return defined.damaged_definitions(catalog, server_version(part), _said(part, _VERSION))


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
    if _closes(file, whole):
        for head, where in ((_DUMP, part), (_GREENPLUM, part), (_CLUSTER, whole)):
            if whole.says(head) and not _is_closed(where, head):
                return f"its last line, '{head} complete', is not there"
    if whole.open_restrict:
        return "its last line, \\unrestrict, is not there"
    if whole.elsewhere:
        return whole.elsewhere[0]
    return None


def _is_closed(index: Index, head: str) -> bool:
    """Whether every dump that begins with this line ends with its like."""
    return index.says(f"{head} complete") >= max(index.says(head), 1)


def _closes(file: PlainFile, whole: Index) -> bool:
    """Whether the program that wrote a dump writes a last line, as far as its head tells.

    pg_dump does since 8.0, and says its version since 9.0, and of old where it was asked to be
    verbose.
    """
    version = _said(whole, _VERSION)
    if version:
        major = re.match(r"\d+", version)
        return major is None or int(major[0]) >= _FIRST_TO_CLOSE
    if not whole.with_tables or whole.says(_GREENPLUM):
        return True
    head = read_at(file.fd, _HEAD_BYTES, 0)
    return bool(_SINCE_8.search(head))


def writer_closes(file: PlainFile, whole: Index) -> bool:
    """Whether a dump's end can be told, because its writer says that it is there."""
    heads = sum(map(whole.says, (_DUMP, _GREENPLUM, _CLUSTER)))
    return bool(heads) and _closes(file, whole)


def remarks(whole: Index, end_is_open: bool, empty: Sequence[str]) -> Iterator[str]:
    """Yield what is to be known of a dump's text besides damage.

    Args:
        end_is_open: whether nothing tells that it is there to its end.
        empty: the tables that are taken for empty.
    """
    if whole.asides:
        yield (
            f"{counted(whole.asides, 'line')} before its head or behind its end are none of the"
            " dump's own and are passed over."
        )
    if end_is_open:
        yield (
            "It is no dump whose last line says that it is complete: every statement in it is"
            " whole, and whether more followed cannot be known."
        )
    if empty:
        yield (
            f"It defines {counted(len(empty), 'table')} without rows, which are taken for empty,"
            f" though they may have been left out: {', '.join(empty)}."
        )


def is_stripped(statements: Iterable[str]) -> bool:
    """Whether pg_dump wrote a dump and somebody took its comments out."""
    first = "".join(islice(statements, _FIRST_STATEMENTS))
    return "set_config('search_path'" in first or "check_function_bodies" in first
