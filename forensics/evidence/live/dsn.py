"""Connection strings: what they say, and what of them may be shown."""

from __future__ import annotations

import re
from typing import Any

import psycopg
from psycopg import conninfo

from forensics.errors import UsageError, redact

_URI = re.compile(r"postgres(?:ql)?://(?P<authority>[^/?]*)(?P<rest>.*)\Z", re.S)
_DRIVER = re.compile(r"\Apostgres(?:ql)?\+\w+://")  # as SQLAlchemy names one
_PORTS = re.compile(r"(?:[^:\[\]]*|\[[^\]]*\])(?::\d*)?\Z")


def parameters_of(dsn: str) -> dict[str, Any]:
    """Return what a connection string says, by libpq's names.

    Raises:
        UsageError: it is none. The message repeats nothing of it, and its cause is left out: either
            could hold a part of the password.
    """
    dsn = _DRIVER.sub("postgresql://", dsn)
    if _is_ambiguous(dsn):
        raise UsageError(
            "The connection string is ambiguous: it holds more than one @, or a / or ? before it.",
            "Write special characters of a password as their code: "
            "@ as %40, / as %2F, : as %3A, ? as %3F, # as %23, % as %25.",
        )
    try:
        given = conninfo.conninfo_to_dict(dsn)
    except psycopg.Error as error:
        words = str(error).strip()
    else:
        return {name: value for name, value in given.items() if value is not None}
    if "pass" in dsn or "@" in dsn:
        words = re.sub(r'"[^"]*"', '"…"', words)
    raise UsageError(
        f"This is not a connection string that libpq takes: {redact(words)}.",
        "Write postgresql://user@host:port/database, or host=… dbname=….",
    )


def _is_ambiguous(dsn: str) -> bool:
    """Whether libpq would take the first @ for the end of the password, and look for a host that
    is half of it."""
    match = _URI.match(dsn)
    if match is None:
        return False
    authority = match["authority"]
    rest, _, _ = match["rest"].partition("?")
    if authority.count("@") > 1 or "@" in rest:
        return True
    bare = "@" not in authority and not all(map(_PORTS.match, authority.split(",")))
    return bare and "@" in dsn


def safe_dsn(dsn: str) -> str:
    """Return a connection string without its secrets, as a URI people can read.

    Raises:
        UsageError: `dsn` is no connection string.
    """
    given = parameters_of(dsn)
    user = str(given.get("user") or "")
    host = str(given.get("host") or "")
    port = str(given.get("port") or "")
    database = str(given.get("dbname") or "")
    if service := given.get("service"):
        return f"service={service}" + (f" dbname={database}" if database else "")
    at = f"{user}@" if user else ""
    if host.startswith("/"):
        return f"postgresql://{at}/{database}?host={host}" + (f"&port={port}" if port else "")
    return f"postgresql://{at}{host}{':' + port if port else ''}/{database}"
