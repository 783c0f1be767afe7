"""What a server says when it refuses, and what to do next."""

from __future__ import annotations

from forensics.errors import redact
from forensics.evidence.live.readers import Failure
from forensics.model import TableName, quote_identifier

# A standby cancels a query, or ends a session that holds a snapshot, because it has to replay.
CONFLICT = "40001"
FULL = "53300"
_NO_PRIVILEGE = "42501"
_ABORTED = "25P02"  # a transaction that an earlier refusal has spoilt

_HINTS = {
    "28P01": "Check the user and the password of the connection string.",
    "28000": "Check the user, and the server's pg_hba.conf.",
    "3D000": "Check the database's name in the connection string.",
    _NO_PRIVILEGE: "Ask for SELECT on it: GRANT SELECT ON TABLE {table} TO {user};",
    "55P03": (
        "Something holds a strong lock on it, a migration for instance. "
        "Try again when that has ended."
    ),
    "57014": ("The statement ran into a time limit or was cancelled. Try again with --resume."),
    "57P03": "The server starts, stops or recovers. Try again when it takes connections.",
    CONFLICT: (
        "The standby has to replay, and this query was in its way. "
        "Go on with --resume when the primary is quieter; "
        "or raise max_standby_streaming_delay on the standby, "
        "or set hot_standby_feedback = on there; or read the primary."
    ),
    FULL: (
        "All connections that it gives out are taken; the kit needs one, and one for each of "
        "--jobs. Try again when the load is lower, have the application give some up "
        "(a smaller pool), or connect as a role for which slots are reserved."
    ),
}
_USAGE = (
    "Ask for the schema first: GRANT USAGE ON SCHEMA {schema} TO {user}; "
    "and SELECT: GRANT SELECT ON TABLE {table} TO {user};"
)
_ROW_SECURITY = "row-level security"

# libpq gives no SQLSTATE for what fails before a session exists; its words do not change between
# versions.
_BY_WORDS = (
    ("28P01", "password authentication failed"),
    ("3D000", "does not exist"),
    ("28000", "no pg_hba.conf entry"),
    (FULL, "too many clients already"),
    (FULL, "remaining connection slots are reserved"),
    (FULL, "too many connections for"),
    (FULL, "no more connections allowed"),
    ("57P03", "the database system is"),
)
_PREFIXES = ("connection failed: ", "connection is bad: ")


def failure_of(error: Exception) -> Failure:
    """Return what a driver's error says."""
    return Failure(_words(error), getattr(error, "sqlstate", None))


def failure_to_connect(error: Exception) -> Failure:
    """Return why no session came to be; its SQLSTATE is known by the words, where it is known."""
    failure = failure_of(error)
    if failure.state:
        return failure
    for state, words in _BY_WORDS:
        if words in failure.words:
            return Failure(failure.words, state)
    return failure


def of_the_transaction(failure: Failure) -> Failure:
    """Return why a transaction takes no more questions."""
    if failure.state == _ABORTED:  # it stands, and a refused question has spoilt it
        return Failure(failure.words, CONFLICT)
    return failure


def hint_of(state: str | None) -> str | None:
    """Return what to do after a refusal with that SQLSTATE, where it is known."""
    return _HINTS.get(state or "")


def hint_for_table(why: Failure, table: TableName, user: str) -> str:
    """Return what `user` can do about a table that could not be read."""
    if _ROW_SECURITY in why.words:
        return (
            "Read as the table's owner, or as a role with BYPASSRLS: "
            f"a policy of {table} hides rows from this one."
        )
    hint = hint_of(why.state) or "Run again with --resume when the database answers."
    if why.state == _NO_PRIVILEGE and why.words.startswith("permission denied for schema"):
        hint = _USAGE
    return hint.format(
        schema=quote_identifier(table.schema), table=table.sql, user=quote_identifier(user)
    )


def _words(error: BaseException) -> str:
    """A server's or libpq's message in one line, without its prefixes."""
    diag = getattr(error, "diag", None)
    if diag is not None and diag.message_primary:
        return redact(str(diag.message_primary)).rstrip(".")
    text = type(error).__name__
    for line in str(error).splitlines():
        if line.strip() and "Is the server running" not in line:
            text = line.strip()
            break
    for prefix in _PREFIXES:
        text = text.removeprefix(prefix)
    return redact(text).rstrip(".")
