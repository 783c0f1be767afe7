"""Liquibase: a file holds several changes, each known by its file, its id and its author.

In SQL that it calls formatted, a comment stands above each; so it does in what `update-sql` prints.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from forensics.evidence.migrations.entries import HistoryEntry, Row
from forensics.evidence.migrations.shapes import File, Part, natural, only_files, parts_from
from forensics.evidence.migrations.tool import Folder, HistoryTable, InCode, Kept, Tool

_FORMATTED = re.compile(rb"(?:\xef\xbb\xbf)?\s*--\s*liquibase\s+formatted\s+sql", re.I)
_CHANGE = re.compile(
    rb"^[ \t]*--[ \t]*changeset[ \t]+(?P<name>(?:\"[^\"\n]+\"|[^:\n]+):[ \t]*(?:\"[^\"\n]+\"|\S+))",
    re.M | re.I,
)
_XML = re.compile(rb"<(?:\w+:)?changeSet\b(?P<words>[^>]*)>")
_YAML = re.compile(
    rb"^(?P<in>[ \t]*)-[ \t]*changeSet:.*\n(?P<words>(?:(?P=in)[ \t]+.*(?:\n|\Z))*)", re.M
)
_WORD = re.compile(r"\b(id|author)\s*[=:]\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s,}]+))")
_QUOTE = '"'
_PRINTED = re.compile(rb"^--[ \t]*Changeset[ \t]+(?P<name>\S.*?::.*?::.*?)[ \t]*\r?$", re.M)


def parts(text: bytes) -> Sequence[Part]:
    if _FORMATTED.match(text):
        return [_of_change(part) for part in parts_from(text, _CHANGE.finditer(text))]
    return parts_from(text, _PRINTED.finditer(text))


def _of_change(part: Part) -> Part:
    """A part that is called author:id, as the history calls it within its file."""
    author, _, identity = part.known_as.partition(":")
    if part.known_as.startswith('"'):
        author, _, identity = part.known_as[1:].partition('":')
    called = f"{identity.strip().strip(_QUOTE)}::{author.strip().strip(_QUOTE)}"
    return replace(part, known_as=called, name=called)


def of_code(text: bytes, path: Path) -> Sequence[Part]:
    found = []
    changes = _XML if path.suffix == ".xml" else _YAML
    for mark in changes.finditer(text) if b"databaseChangeLog" in text else ():
        said: dict[str, str] = {}
        for key, *values in _WORD.findall(mark["words"].decode("utf-8", "replace")):
            said.setdefault(key, "".join(values))
        known_as = f"{said.get('id', '')}::{said.get('author', '')}"
        found.append(Part(known_as, mark.start(), mark.end(), f"{path.name}::{known_as}"))
    return found


def files(folder: Path) -> Sequence[File] | None:
    found = []
    for path in only_files(folder.rglob("*.sql")):
        with path.open("rb") as stream:
            head = stream.read(200)
        if _FORMATTED.match(head):
            found.append(File(path.relative_to(folder).as_posix(), path))
    return sorted(found, key=_by_name) or None


def _by_name(file: File) -> list[tuple[int, str]]:
    return natural(file.name)


def entry(row: Row) -> HistoryEntry:
    return HistoryEntry(
        row.tool,
        row.table,
        f"{row['filename']}::{row['id']}::{row['author']}",
        applied_at=row.time("dateexecuted"),
        steps=0 if row["exectype"] == "MARK_RAN" else None,
        failed=row["exectype"] == "FAILED",
    )


TOOL = Tool(
    name="Liquibase",
    folder=Folder("liquibase", files),
    parts=parts,
    history=HistoryTable(
        "databasechangelog", ("id", "author", "filename", "dateexecuted", "exectype"), entry
    ),
    in_code=InCode((".xml", ".yaml", ".yml"), "liquibase update-sql", of_code),
    keeps=(Kept("databasechangeloglock", ("id", "locked", "lockgranted", "lockedby")),),
)
