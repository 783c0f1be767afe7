"""Connection strings: what they say, and what of them may be shown.

Of one that does not parse nothing is shown: whatever was typed into the wrong place may be the
password.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forensics.errors import UsageError

if TYPE_CHECKING:
    from sqlalchemy import URL, Engine

_URI = re.compile(r"postgres(?:ql)?://(?P<authority>[^/?]*)(?P<rest>.*)\Z", re.S)
_DRIVER = re.compile(r"\Apostgres(?:ql)?\+\w+://")  # as SQLAlchemy names one
_PORTS = re.compile(r"(?:[^:\[\]]*|\[[^\]]*\])(?::\d*)?\Z")
_HOST = re.compile(r"/.*|@?[^:@;=]*(?::\d*)?|[0-9A-Fa-f:.]+(?:%\w+)?", re.S)
_HOST_LIST = ("host", "hostaddr")
_MISTYPED = re.compile(
    r".*(?:@|://|\bpassw)|\w{2,}:/|\w+\s*[:=]\s*\S+[\s;]+\w+\s*[:=]", re.S | re.I
)
_OTHER_WORDS = re.compile(r";\s*\w[\w ]*=")  # as ADO.NET and ODBC have them
_LIBPQ = "postgresql+psycopg"  # whose dialect has libpq's names
_QUOTED = re.compile(r"""(["'])(?P<text>[^"']+)\1""")

_HINT = "Write postgresql://user@host:port/database, or host=… dbname=…."
_NO_DSN = "This is not a connection string that libpq takes"
# What libpq says, and the same without a word of what was typed.
_FAULTS = (
    ('missing "="', "a word of it has no = behind it"),
    ("invalid connection option", "it sets an option that there is not"),
    ("invalid URI query parameter", "it sets an option that there is not"),
    ("unterminated quoted string", "a quote in it is not closed"),
    ("percent-encoded", "a % in it is not followed by the two digits of a code"),
)
# Values that a server's refusal may repeat: they are no secrets, and say where to look.
_SHOWN = re.compile(
    "host|hostaddr|port|user|dbname|service|application_name|client_encoding"
    "|passfile|servicefile|sslcert|sslkey|sslrootcert|sslcrl|sslcrldir"
)


def not_a_dsn(why: str = "") -> UsageError:
    """Build the error for a text that is no connection string. It repeats nothing of it."""
    because = f": {why}" if why else ""
    return UsageError(f"{_NO_DSN}{because}.", _HINT)


def looks_mistyped(text: str) -> bool:
    """Whether a text that is the path of nothing may have been meant as a connection string."""
    return _MISTYPED.match(text) is not None


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
    if _URI.match(dsn) and re.search(r"\s", dsn.strip()):
        raise not_a_dsn("a space stands in it")
    import psycopg  # which whoever reads a file waits for in vain
    from psycopg import conninfo

    try:
        given = conninfo.conninfo_to_dict(dsn)
    except psycopg.Error as error:
        why = _fault(str(error))
    else:
        found = {name: value for name, value in given.items() if value is not None}
        why = _misplaced(found)
        if not why:
            return found
    raise not_a_dsn(why)


def _fault(words: str) -> str:
    for theirs, ours in _FAULTS:
        if theirs in words:
            return ours
    return ""


def _misplaced(given: Mapping[str, Any]) -> str:
    """What stands where it cannot be meant, or ""."""
    for name in _HOST_LIST:
        for host in str(given.get(name, "")).split(","):
            if not _HOST.fullmatch(host):
                return "its host is none"
    if not re.fullmatch(r"[\d, ]*", str(given.get("port", ""))):
        return "its port is no number"
    for name in ("user", "dbname", "service"):
        value = str(given.get(name, ""))
        if "://" in value or re.search(r":.*@", value, re.S) or _OTHER_WORDS.search(value):
            return f"a connection string stands in its {name}"
    return ""


def without_values(words: str, given: Mapping[str, Any]) -> str:
    """Return a refusal to connect without values that libpq repeats because it does not know them.

    Args:
        words: libpq's, or the server's.
        given: what the connection string says.
    """
    hidden = []
    for name, value in given.items():
        if not _SHOWN.fullmatch(name):
            hidden.append(str(value))

    def shown(found: re.Match[str]) -> str:
        if any(found["text"] in value for value in hidden):
            return '"…"'
        return found[0]

    return _QUOTED.sub(shown, words)


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


def as_text(side: str | Path | Engine | URL) -> str | Path:
    """Return a side as a path or a connection string: an engine or a URL of SQLAlchemy's is one.

    Raises:
        UsageError: it is of another database than PostgreSQL, or of none. The message repeats
            nothing of it.
    """
    if isinstance(side, (str, Path)):
        return side
    url = getattr(side, "url", side)
    library = sys.modules.get("sqlalchemy")  # who has one of these has loaded it
    if library is None or not isinstance(url, library.URL):
        raise UsageError(
            f"A side cannot be given as {type(side).__name__}.",
            "Give a path to a dump, a connection string, or an Engine or URL of SQLAlchemy's.",
        )
    return _conninfo(url)


def _conninfo(url: URL) -> str:
    """What an URL of SQLAlchemy's says, as libpq takes it, the password in it."""
    system = url.get_backend_name()
    if system != "postgresql":
        raise UsageError(
            f"The URL is of a database of {system}, and not of PostgreSQL.",
            "Give one that begins with postgresql://.",
        )
    import psycopg
    from psycopg import conninfo

    dialect = url.set(drivername=_LIBPQ).get_dialect()()
    try:
        _, given = dialect.create_connect_args(url)
        return conninfo.make_conninfo(**given)
    except psycopg.Error as error:
        why = _fault(str(error))
    except Exception:  # its hosts and ports are of no form that it knows
        why = "its hosts cannot be told"
    raise not_a_dsn(why)


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
