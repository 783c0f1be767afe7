"""How every script begins."""

from __future__ import annotations

from typing import IO

from forensics.recovery.write.sqltext import emit, template


def start(out: IO[str], *helpers: str) -> None:
    """Begin a script: psql's settings, the transaction, the session's, the helpers."""
    emit(
        out,
        "\\set ON_ERROR_STOP on",
        "\\set QUIET on",
        "\\set SHOW_CONTEXT never",
        "\\encoding UTF8",
        "\\if :{?accept_changes}",
        "\\else",
        "\\set accept_changes off",
        "\\endif",
        "",
        "BEGIN;",
        template("session"),
        "SELECT pg_catalog.set_config('forensics.accept_changes', :'accept_changes', true) "
        "AS accepted \\gset",
        "",
    )
    for name in ("helpers", *helpers):
        emit(out, template(name))
