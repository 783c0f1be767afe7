"""How every script begins."""

from __future__ import annotations

from typing import IO

from forensics.recovery.write.sqltext import emit, hash_of, template
from forensics.store import Store


def start(out: IO[str], store: Store, *helpers: str) -> None:
    """Begin a script: psql's settings, the transaction, the session's, the helpers.

    Args:
        out: the script.
        store: the case, which knows what server live is.
        helpers: names of further templates.
    """
    _, live = store.evidence()
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
        "CREATE OR REPLACE FUNCTION pg_temp.hash(text) RETURNS text LANGUAGE sql AS $body$ "
        f"SELECT {hash_of('$1', live.server_version)} $body$;",
        "",
    )
    for name in ("helpers", *helpers):
        emit(out, template(name))
