"""Every error that the kit raises on purpose.

    ForensicsError
    ├── UsageError              the question itself is wrong (no such table)
    │   ├── UnknownTableError   no such table is held; names near matches
    │   └── QueryError          SQL that is not answered, in DuckDB's words
    ├── EvidenceError           a side cannot be read
    │   ├── BackupError         the backup: not there, no dump, of no kind that is read
    │   │   ├── DamagedBackupError   a dump that is cut off or corrupt
    │   │   └── EmptyBackupError     no byte, no dump, no table, or no rows of one
    │   ├── LiveError           the database: unreachable, refused, lost
    │   │   └── OutdatedError   its snapshot is gone; a later one may do
    │   ├── BoundError          rows that this process alone can read
    │   └── MigrationError      a migration folder or its SQL: not there, does not parse
    ├── CompareError            one table could not be compared
    │   └── RepeatedKeyError    its key does not tell its rows apart
    ├── ClusterError            Spark: not there, of another version, or it reaches no rows
    ├── CaseError               the case file: there already, in use, no case
    ├── ScratchError            the throw-away PostgreSQL
    ├── RecoveryError           a recovery could not be planned, written or rehearsed
    ├── ReportError             a report could not be written
    └── ProofError              what is given as a proof is none, or one cannot be written

Each carries what happened (the message), what to do next (`hint`) and a short
machine-readable `kind`; the cause stays chained. A message never holds a password:
whoever builds one from a server's or libpq's words passes them through `redact`.
"""

from __future__ import annotations

import os
import re
import traceback

# To the last @ of the word: a password that holds one itself is no less secret.
_URI_PASSWORD = re.compile(r"(?P<head>\b[a-z][a-z0-9+]*://[^\s:/@]*:)\S*@", re.I)
# The same without a scheme, or with one slash of it: what a path makes of a connection string.
_BARE_PASSWORD = re.compile(r"(?<![\w/.:@-])(?P<head>[^\s:/@\"'(=]+:)(?!//[^/])\S*@")
_KEYWORD_PASSWORD = re.compile(
    r"(?P<head>\b(?:password|passwd|sslpassword)\s*=\s*)"
    r"('(?:[^'\\]|\\.)*'|[^\s&]+)",
    re.I,
)

# SQLSTATE classes after which a database answers no other question either: the connection, the
# session or the snapshot is gone, or there is no room for one.
_LOST = ("08", "25", "28", "3D", "40", "53", "57P")


def redact(text: str) -> str:
    """Return text with three asterisks for every password of a connection string in it."""
    text = _URI_PASSWORD.sub(r"\g<head>***@", text)
    text = _BARE_PASSWORD.sub(r"\g<head>***@", text)
    return _KEYWORD_PASSWORD.sub(r"\g<head>***", text)


def first_line(error: BaseException) -> str:
    """Return what an error says in its first line, without passwords and without a full stop; of
    one that says nothing, its type."""
    said = error.message if isinstance(error, ForensicsError) else str(error)
    lines = redact(said).splitlines()
    return lines[0].rstrip(".") if lines else type(error).__name__


class ForensicsError(Exception):
    """What happened, and what to do next.

    Args:
        message: one sentence that names the file or the table.
        hint: the next step, one sentence, or None where there is none to give.
    """

    kind = "error"

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(redact(message))
        self.hint: str | None = None
        if hint:
            self.hint = redact(hint)

    @property
    def message(self) -> str:
        """The sentence, without the hint."""
        return str(self.args[0])

    def __str__(self) -> str:
        if self.hint:
            return f"{self.message} {self.hint}"
        return self.message

    def _render_traceback_(self) -> list[str]:
        """What a notebook's cell shows: what happened and what next, instead of every frame.

        FORENSICS_DEBUG brings the frames back.
        """
        if os.environ.get("FORENSICS_DEBUG"):
            return traceback.format_exception(self)
        lines = [f"{type(self).__name__}: {self.message}"]
        if self.hint:
            lines.append(self.hint)
        return lines


class UsageError(ForensicsError):
    kind = "usage"


class UnknownTableError(UsageError, KeyError):
    kind = "unknown table"


class QueryError(UsageError):
    kind = "query"


class EvidenceError(ForensicsError):
    kind = "evidence"


class BackupError(EvidenceError):
    kind = "backup"


class DamagedBackupError(BackupError):
    kind = "damaged backup"


class EmptyBackupError(BackupError):
    """What is there, and can be read, holds nothing to restore."""


class LiveError(EvidenceError):
    """A database said no. `sqlstate` is its five-character code where it gave one."""

    kind = "live"

    def __init__(self, message: str, hint: str | None = None, sqlstate: str | None = None) -> None:
        super().__init__(message, hint)
        self.sqlstate = sqlstate

    @property
    def refused(self) -> bool:
        """Whether a server that goes on refused this one question; else nobody answers any more."""
        state = self.sqlstate or ""
        return bool(state) and not state.startswith(_LOST)


class OutdatedError(LiveError):
    """A standby cancelled the query to replay, or the table was rewritten since.

    `role` says of which side.
    """

    def __init__(self, message: str, hint: str | None, sqlstate: str | None, role: str) -> None:
        super().__init__(message, hint, sqlstate)
        self.role = role


class BoundError(EvidenceError):
    """Rows can be read by this process alone; the message says why."""


def is_lost(error: BaseException) -> bool:
    """Whether nobody answers any more, so that going on without the answer is no way out."""
    return isinstance(error, LiveError) and not error.refused


class MigrationError(EvidenceError):
    kind = "migration"


class CompareError(ForensicsError):
    kind = "compare"


class RepeatedKeyError(CompareError):
    kind = "repeated key"


class ClusterError(ForensicsError):
    """Spark does not answer, is none that will do, or cannot read a side."""

    kind = "cluster"


class CaseError(ForensicsError):
    kind = "case"


class ScratchError(ForensicsError):
    kind = "scratch"


class RecoveryError(ForensicsError):
    kind = "recovery"


class ReportError(ForensicsError):
    kind = "report"


class ProofError(ForensicsError):
    kind = "proof"
