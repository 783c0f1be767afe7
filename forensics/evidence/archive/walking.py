"""An archive from its beginning to its end, as pg_restore makes a plain dump of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from forensics.evidence.archive.toc import TABLE_DATA, Entry, Toc
from forensics.evidence.pieces import Copying, Lacking, Piece, Saying, Words
from forensics.evidence.source import Segment
from forensics.model import TableName, quote_identifier

_SETTINGS = ("ENCODING", "STDSTRINGS", "SEARCHPATH")
_OF_THE_DATABASE = ("DATABASE", "DATABASE PROPERTIES")
_OF_LARGE_OBJECTS = ("BLOB", "BLOB METADATA", "BLOBS")
_ABOUT = ("ACL", "COMMENT", "SECURITY LABEL")
_NAMES_QUALIFIED = (1, 13)
# What has an owner, and is called by its name alone; the others by what drops them.
_BY_NAME = frozenset(
    {
        *("TABLE", "TYPE", "DOMAIN", "SEQUENCE", "VIEW", "MATERIALIZED VIEW", "FOREIGN TABLE"),
        *("COLLATION", "CONVERSION", "STATISTICS", "TEXT SEARCH DICTIONARY"),
        "TEXT SEARCH CONFIGURATION",
    }
)
_BY_BARE_NAME = frozenset(
    {
        *("SCHEMA", "EVENT TRIGGER", "PUBLICATION", "SUBSCRIPTION", "SERVER"),
        *("FOREIGN DATA WRAPPER", "PROCEDURAL LANGUAGE"),
    }
)
_BY_DROP = frozenset(
    {"FUNCTION", "PROCEDURE", "AGGREGATE", "OPERATOR", "OPERATOR CLASS", "OPERATOR FAMILY"}
)


def pieces(toc: Toc, segments: Mapping[int, Segment]) -> Iterator[Piece]:
    """Yield an archive's pieces.

    Args:
        toc: its table of contents.
        segments: by entry, the rows of tables.
    """
    yield from _settings(toc)
    here = _Here(toc)
    for entry in sorted(toc.entries, key=_turn):
        if _is_passed_over(entry):
            continue
        yield from here.settings(entry)
        yield Words(_heading(entry))
        if entry.desc == TABLE_DATA:
            yield _rows(entry, segments)
            continue
        yield Saying(entry.defn, toc.standard_strings)
        if owner := _ownership(entry):
            yield Saying(owner)
    if toc.large_objects:
        yield Lacking(f"its {len(toc.large_objects):,} large objects")


def _turn(entry: Entry) -> int:
    """Grants come when rows are in, and what has them work comes last, as pg_restore has it."""
    if entry.desc in ("ACL", "ACL LANGUAGE", "DEFAULT ACL"):
        return 1
    is_late = entry.desc in ("EVENT TRIGGER", "MATERIALIZED VIEW DATA")
    if is_late or (entry.desc in _ABOUT and entry.tag.startswith("EVENT TRIGGER ")):
        return 2
    return 0


class _Here:
    """What is set where an entry stands."""

    def __init__(self, toc: Toc) -> None:
        self._bare = toc.header.version < _NAMES_QUALIFIED
        self._path = self._tablespace = self._method = ""

    def settings(self, entry: Entry) -> Iterator[Saying]:
        """Yield what has to be set for an entry."""
        if self._bare and entry.namespace not in ("", self._path):
            self._path = entry.namespace
            yield Saying(f"SET search_path = {quote_identifier(self._path)}, pg_catalog;")
        if entry.desc == "TABLE" and entry.tableam not in ("", self._method):
            self._method = entry.tableam
            yield Saying(f"SET default_table_access_method = {quote_identifier(self._method)};")
        if entry.desc != TABLE_DATA and entry.tablespace != self._tablespace:
            self._tablespace = entry.tablespace
            named = quote_identifier(self._tablespace) if self._tablespace else "''"
            yield Saying(f"SET default_tablespace = {named};")


def _settings(toc: Toc) -> Iterator[Piece]:
    version = toc.header.server_version or "unknown"
    dumped = toc.header.dump_version or "unknown"
    yield Words(
        f"--\n-- PostgreSQL database dump\n--\n\n-- Dumped from database version {version}\n"
        f"-- Dumped by pg_dump version {dumped}\n"
    )
    encoding = "SQL_ASCII" if toc.encoding == "SQL_ASCII" else "UTF8"
    for setting in (
        "SET statement_timeout = 0;",
        "SET lock_timeout = 0;",
        "SET idle_in_transaction_session_timeout = 0;",
        f"SET client_encoding = '{encoding}';",
        "SET standard_conforming_strings = on;",
        "SELECT pg_catalog.set_config('search_path', '', false);",
        "SET check_function_bodies = false;",
        "SET xmloption = content;",
        "SET client_min_messages = warning;",
        "SET row_security = off;",
    ):
        yield Saying(setting)


def _is_passed_over(entry: Entry) -> bool:
    if entry.desc in (*_SETTINGS, *_OF_THE_DATABASE, *_OF_LARGE_OBJECTS):
        return True
    if entry.desc in _ABOUT and entry.tag.startswith(("DATABASE ", "LARGE OBJECT")):
        return True
    return entry.desc != TABLE_DATA and not entry.defn.strip()


def _rows(entry: Entry, segments: Mapping[int, Segment]) -> Piece:
    segment = segments.get(entry.dump_id)
    if segment is None:
        return Lacking(f"the rows of {TableName(entry.namespace, entry.tag)}")
    target = entry.copy_target
    return Copying(target[0] if target else segment.table, segment)


def _heading(entry: Entry) -> str:
    name = _within_a_comment(entry.tag)
    schema = _within_a_comment(entry.namespace) or "-"
    owner = _within_a_comment(entry.owner) or "-"
    about = "Data for " if entry.desc == TABLE_DATA else ""
    return f"--\n-- {about}Name: {name}; Type: {entry.desc}; Schema: {schema}; Owner: {owner}\n--\n"


def _within_a_comment(name: str) -> str:
    return name.replace("\n", " ").replace("\r", " ")


def _ownership(entry: Entry) -> str:
    """The statement that a plain dump writes of the owner."""
    if not entry.owner:
        return ""
    if entry.desc in _BY_NAME:
        name = TableName(entry.namespace, entry.tag).sql
    elif entry.desc in _BY_BARE_NAME:
        name = quote_identifier(entry.tag)
    elif entry.desc in _BY_DROP and entry.drop_stmt.startswith("DROP "):
        called = entry.drop_stmt.removeprefix("DROP ").strip().rstrip(";")
        return f"ALTER {called} OWNER TO {quote_identifier(entry.owner)};"
    else:
        return ""
    return f"ALTER {entry.desc} {name} OWNER TO {quote_identifier(entry.owner)};"
