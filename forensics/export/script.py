"""A piece of a plain dump, which psql loads: what makes some tables, and their rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import IO

from forensics.export.definitions import Definitions, Piece, Section
from forensics.model import Provenance, TableName, quote_identifier

END = b"\\.\n\n\n"

_SETTINGS = (
    "SET statement_timeout = 0;",
    "SET lock_timeout = 0;",
    "SET client_encoding = 'UTF8';",
    "SET standard_conforming_strings = on;",
    "SELECT pg_catalog.set_config('search_path', '', false);",
    "SET check_function_bodies = false;",
    "SET client_min_messages = warning;",
)


class Script:
    """Writes a plain dump.

    Args:
        file: where it goes.
        provenance: of the backup.
    """

    def __init__(self, file: IO[bytes], provenance: Provenance) -> None:
        self._file = file
        self._path = ""
        version = provenance.server_version or "unknown"
        self._write("--\n-- PostgreSQL database dump\n--\n\n")
        self._write(f"-- Dumped from database version {version}\n")
        self._write(f"-- Dumped by pg_dump version {provenance.dump_version or 'unknown'}\n")
        self._write("-- Taken from a backup by forensics\n\n")
        self._write("\n".join(_SETTINGS) + "\n\n")

    def _write(self, text: str) -> None:
        self._file.write(text.encode("utf-8", "surrogateescape"))

    def pieces(self, definitions: Definitions, section: Section) -> None:
        """Write the statements of one section."""
        for piece in definitions.pieces:
            if piece.section == section:
                self._piece(piece)

    def _piece(self, piece: Piece) -> None:
        name = piece.name
        kind = piece.kind.removesuffix(" CHANGE")
        said = f"Name: {_heading(name.table)}; Type: {kind}; Schema: {_heading(name.schema)}"
        self._write(f"--\n-- {said}; Owner: -\n--\n\n")
        if piece.path != self._path:
            self._path = piece.path
            self._write(f"{piece.path}\n\n")
        self._write(f"{piece.sql}\n\n\n")

    def begin_rows(self, name: TableName, columns: Sequence[str]) -> int:
        """Write what rows come after, and return where they begin."""
        said = f"Name: {_heading(name.table)}; Type: TABLE DATA; Schema: {_heading(name.schema)}"
        self._write(f"--\n-- Data for {said}; Owner: -\n--\n\n{copy_statement(name, columns)}\n")
        return self._file.tell()

    def end_rows(self) -> None:
        """Write what ends rows."""
        self._file.write(END)

    def close(self, *, complete: bool) -> None:
        """Write the last words, which only a dump that is whole has."""
        if complete:
            self._write("--\n-- PostgreSQL database dump complete\n--\n\n")


def copy_statement(name: TableName, columns: Sequence[str]) -> str:
    """Return the statement that reads rows."""
    listed = ", ".join(map(quote_identifier, columns))
    return f"COPY {name.sql} ({listed}) FROM stdin;"


def _heading(name: str) -> str:
    """A name within a comment: what would end the comment is no part of it."""
    return name.replace("\n", " ").replace("\r", " ") or "-"
