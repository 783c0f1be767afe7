"""Sessions that copy a table's rows out of a database under an exported snapshot, each table in a
transaction of its own.

Rows come through a `psql` child, because its COPY loop is C: a Python call for every row would
halve the speed. Where there is no psql, or it lacks what the connection needs (TLS, for one),
psycopg reads instead: the same text, slower.

Settings are the transaction's and end with it. Nothing is set for the session: behind a pooler
another client may get the session next.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg import conninfo, sql
from psycopg.pq import TransactionStatus

from forensics.errors import LiveError, redact
from forensics.evidence import copytext
from forensics.evidence.reading import read_at, receive
from forensics.scratch import find_programs

BEGIN = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
LOST = "08006"
_PIPE_BYTES = 1 << 20
# fcntl's F_SETPIPE_SZ, which Python 3.11 on other systems than Linux does not know.
_SET_PIPE_SIZE = 1031
_LINE_FEED = 10
_MARKER_BYTES = 160  # more than the line that ends an answer has
_CANCEL_SECONDS = 0.5
_SILENT_CLASSES = ("00", "01", "02")  # of SQLSTATEs: notices and warnings
# `psql:<stdin>:5: ERROR:  57014: words`, the severity in the server's language.
_SAID = re.compile(r"^(?:psql:.*?:\d+: )?[^\s:]+:  (?P<state>[0-9A-Z]{5}): (?P<words>.*)$")
_SAID_BEFORE = re.compile(r"^(?:psql: )?(?:error: )?(?:.*?(?:FATAL|ERROR): {1,2})?(?P<words>.*)$")


@dataclass(frozen=True)
class Copying:
    """What a reader is to do: read one relation under a snapshot.

    Attributes:
        snapshot: the snapshot's identifier.
        pins: a SELECT that sets what values' text depends on, and tells in its last column,
            `server`, who answers.
        statement: the COPY.
        check: a SELECT of one boolean, `rewritten`: whether the relation's rows of that snapshot
            are gone.
        server: what `server` has to be.
    """

    snapshot: str
    pins: str
    statement: str
    check: str
    server: str


@dataclass(frozen=True)
class Failure:
    """Why an answer ended before its time: in words, with the SQLSTATE where the server gave one.

    `outdated` is whether the snapshot is at fault: it cannot be imported any more, or does not show
    the rows.
    """

    words: str
    state: str | None = None
    outdated: bool = False


REWRITTEN = Failure(
    "it was truncated or rewritten after the snapshot was taken", None, outdated=True
)
ELSEWHERE = Failure("another server answered than the one that holds the snapshot")


class Answer:
    """One COPY's answer while it streams; `failure` is known once `read` has returned b""."""

    failure: Failure | None = None

    def read(self, size: int) -> bytes:
        """Return about `size` bytes more of it, b"" at its end."""
        raise NotImplementedError


class Reader:
    """A session that copies rows out, one table after another. `close` may be called from another
    thread.

    Attributes:
        usable: whether it can be told to copy once more.
        takes_several: whether a task may hold several COPYs, with `\\;` between them.
    """

    usable = True
    takes_several = False

    def copy_out(self, task: Copying) -> Answer:
        """Begin to copy; one answer at a time."""
        raise NotImplementedError

    def close(self) -> None:
        """End the session; whoever waits for an answer of it gets a failure."""
        raise NotImplementedError


def end(connection: psycopg.Connection[Any]) -> None:
    """Close a connection, perhaps one that another thread waits for, or that is lost already."""
    with contextlib.suppress(psycopg.Error):
        if connection.info.transaction_status == TransactionStatus.ACTIVE:
            connection.cancel_safe(timeout=_CANCEL_SECONDS)
        connection.close()


def psql_programs() -> list[Path]:
    """Return the psql programs to try, the system's own before the wheel's: it speaks TLS."""
    found = []
    if folder := os.environ.get("FORENSICS_PGBIN"):
        found.append(Path(folder) / "psql")
    if system := shutil.which("psql"):
        found.append(Path(system))
    with contextlib.suppress(Exception):
        found.append(find_programs() / "psql")
    return [program for program in dict.fromkeys(found) if program.exists()]


def for_programs(parameters: Mapping[str, Any]) -> tuple[str, dict[str, str]]:
    """What to give a program of libpq's: a connection string to show, and an environment that holds
    the password."""
    shown = dict(parameters)
    for secret in ("password", "sslpassword"):
        shown.pop(secret, None)
    environment = {**os.environ}
    if password := parameters.get("password"):
        environment["PGPASSWORD"] = str(password)
    return conninfo.make_conninfo(**shown), environment


def server_failure(text: str) -> Failure | None:
    """Return the first error in what psql wrote to standard error, or None."""
    before = None  # what it said before there was a session
    for line in text.splitlines():
        if match := _SAID.match(line):
            if match["state"][:2] not in _SILENT_CLASSES:
                return _failure(match["words"], match["state"])
        elif line.startswith("psql: ") and before is None:
            match = _SAID_BEFORE.match(line)
            before = _failure(match["words"] if match else line)
    return before


def _failure(words: str, state: str | None = None) -> Failure:
    return Failure(redact(words).rstrip("."), state)


class PsqlReader(Reader):
    """A psql child that is told what to copy on its standard input.

    After each COPY it is made to print a line that begins with backslash and point, which no row
    can begin with, and that says how the COPY went. Settings and statements go in by pipe; the
    password through the environment.

    Raises:
        LiveError: the program cannot be run, or does not reach the database.
    """

    takes_several = True

    def __init__(self, program: Path, parameters: Mapping[str, Any], role: str) -> None:
        shown, environment = for_programs(parameters)
        self._errors = tempfile.TemporaryFile(prefix="forensics-psql-")
        self._errors_seen = 0
        self._buffer = bytearray()
        self._waits = False  # whether a question was put that nothing has come back for
        try:
            self._child = subprocess.Popen(
                [program, "-XAtq", "--no-password", "-d", shown],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                env=environment,
                bufsize=0,
                start_new_session=True,  # a Ctrl-C in the terminal is ours to handle
            )
        except OSError as error:
            raise LiveError(f"{program} cannot be run: {error.strerror}.") from error
        assert self._child.stdout is not None
        self._output = self._child.stdout.fileno()
        _widen(self._output)
        self._say("\\set VERBOSITY verbose\n\\echo '\\\\.' false 00000 false f -\n")
        answer = _PsqlAnswer(self, "-")
        while answer.read(1 << 16):
            pass
        if answer.failure:
            self.close()
            raise LiveError(
                f"psql cannot read the {role} database: {answer.failure.words}.",
                None,
                answer.failure.state,
            )

    def copy_out(self, task: Copying) -> Answer:
        self._waits = True
        # psql leaves its variable ERROR false where a COPY fails after its first rows. The
        # transaction is aborted then, so the check after it fails, and that does set it; and what
        # went wrong stands on standard error.
        self._say(
            f"{BEGIN};\n"
            f"SET TRANSACTION SNAPSHOT '{task.snapshot}';\n"
            "\\set unimported :ERROR\n"
            f"{task.pins} \\gset pin_\n"
            f"{task.statement};\n"
            f"{task.check} \\gset\n"
            "\\echo '\\\\.' :ERROR :SQLSTATE :unimported :rewritten :pin_server\n"
            "ROLLBACK;\n"
        )
        return _PsqlAnswer(self, task.server)

    def _say(self, text: str) -> None:
        assert self._child.stdin is not None
        left = memoryview(text.encode("utf-8"))
        with contextlib.suppress(BrokenPipeError):  # the answer's end tells what happened
            while left:  # a signal, or being stopped and going on, ends a write midway
                left = left[self._child.stdin.write(left) :]

    def buffer(self, size: int) -> bytearray:
        """Lend the buffer that answers are read into, of `size` bytes at least."""
        if len(self._buffer) < size:
            self._buffer = bytearray(size)
        return self._buffer

    def take_errors(self) -> str:
        """What psql wrote to standard error since the last call."""
        if self._errors.closed:
            return ""
        text = read_at(self._errors.fileno(), 1 << 16, self._errors_seen)
        self._errors_seen += len(text)
        return text.decode("utf-8", "replace")

    def receive(self, into: memoryview) -> int:
        """Read what psql printed; 0 where it has ended."""
        count = receive(self._output, into)
        self._waits = False
        return count

    def close(self) -> None:
        """End the child. Its pipes stay open for whoever reads them in another thread, until the
        reader is let go of."""
        self.usable = False
        if self._waits:
            # A session that waits for a lock does not see that its client is gone: have psql cancel
            # what it waits for.
            with contextlib.suppress(ValueError):  # a system where one cannot be told
                self._child.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._child.wait(_CANCEL_SECONDS)
        self._child.kill()
        self._child.wait()


class _PsqlAnswer(Answer):
    """What psql prints up to the marker. Only the last line there is can be the marker: psql then
    waits for more."""

    def __init__(self, reader: PsqlReader, server: str) -> None:
        self._reader = reader
        self._server = server
        self._held = b""  # the beginning of a line, which may be the marker's
        self._within_line = False
        self._ended = False

    def read(self, size: int) -> bytes:
        """Return the next whole lines, about `size` bytes of them; a longer line in parts."""
        if self._ended:
            return b""
        # One buffer for all that is read: a fresh one each time would cost more in page faults than
        # the reading.
        buffer = self._reader.buffer(max(size, 2 * len(self._held)))
        view = memoryview(buffer)
        filled = len(self._held)
        view[:filled] = self._held
        while filled < len(buffer):
            count = self._reader.receive(view[filled:])
            if not count:
                self._break_off()
                return b""
            filled += count
            if buffer[filled - 1] == _LINE_FEED:
                start = buffer.rfind(b"\n", max(0, filled - _MARKER_BYTES), filled - 1) + 1
                if buffer.startswith(b"\\. ", start) and (start or not self._within_line):
                    self._ended = True
                    self._finish(bytes(view[start:filled]))
                    return bytes(view[:start])
        cut = buffer.rfind(b"\n", 0, filled) + 1 or filled
        self._held = bytes(view[cut:filled])
        self._within_line = buffer[cut - 1] != _LINE_FEED
        return bytes(view[:cut])

    def _break_off(self) -> None:
        self._ended = True
        self._reader.usable = False
        said = server_failure(self._reader.take_errors())
        self.failure = said or Failure("the connection was lost", LOST)

    def _finish(self, line: bytes) -> None:
        _, failed, state, unimported, rewritten, server = line.decode("utf-8", "replace").split()
        self.failure = server_failure(self._reader.take_errors())
        if self.failure is None and failed != "false":
            self.failure = Failure("the server gave no reason", state)
        if self.failure and unimported == "true":
            self.failure = Failure(self.failure.words, self.failure.state, outdated=True)
        self.failure = self.failure or verdict(rewritten == "t", server, self._server)


def verdict(rewritten: bool, server: str, wanted: str) -> Failure | None:
    """What is wrong with an answer that came whole, or None."""
    if server != wanted:
        return ELSEWHERE
    return REWRITTEN if rewritten else None


def _widen(pipe: int) -> None:
    """Give a pipe the largest buffer that an ordinary user may have, where the system can."""
    try:
        import fcntl

        fcntl.fcntl(pipe, _SET_PIPE_SIZE, _PIPE_BYTES)
    except (ImportError, OSError):
        pass


class PsycopgReader(Reader):
    """Rows through psycopg, where psql cannot be had: the same text, at a Python call a row."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection

    def copy_out(self, task: Copying) -> Answer:
        return _PsycopgAnswer(self, self._connection, task)

    def close(self) -> None:
        self.usable = False
        end(self._connection)


class _PsycopgAnswer(Answer):
    def __init__(
        self, reader: PsycopgReader, connection: psycopg.Connection[Any], task: Copying
    ) -> None:
        self._reader = reader
        self._connection = connection
        self._task = task
        self._imported = False  # whether the transaction sees the snapshot
        self._pieces = self._stream()

    def _stream(self) -> Iterator[bytes]:
        try:
            with self._connection.cursor() as cursor:
                yield from self._copy(cursor)
        except psycopg.Error as error:
            self._fail(error)

    def _copy(self, cursor: psycopg.Cursor[Any]) -> Iterator[bytes]:
        task = self._task
        cursor.execute(BEGIN)
        snapshot = sql.Literal(task.snapshot)
        cursor.execute(sql.SQL("SET TRANSACTION SNAPSHOT {}").format(snapshot))
        self._imported = True
        *_, server = cursor.execute(task.pins.encode("utf-8")).fetchone() or ("",)
        held: list[bytes] = []
        size = 0
        with cursor.copy(task.statement.encode("utf-8")) as copy:
            for piece in copy:
                held.append(bytes(piece))
                size += len(held[-1])
                if size >= copytext.BLOCK_BYTES:
                    yield b"".join(held)
                    held, size = [], 0
        if held:
            yield b"".join(held)
        (rewritten,) = cursor.execute(task.check.encode("utf-8")).fetchone() or (True,)
        cursor.execute("ROLLBACK")
        self.failure = verdict(bool(rewritten), str(server), task.server)

    def _fail(self, error: psycopg.Error) -> None:
        state = error.sqlstate
        outdated = not self._imported and state is not None
        if state is None and (self._connection.broken or self._connection.closed):
            state = LOST
        said = _failure(words_of(error), state)
        self.failure = Failure(said.words, state, outdated)
        try:
            self._connection.execute("ROLLBACK")
        except psycopg.Error:
            self._reader.usable = False

    def read(self, size: int) -> bytes:
        return next(self._pieces, b"")


def words_of(error: psycopg.Error) -> str:
    """What an error says, on one line."""
    if primary := error.diag.message_primary:
        return primary
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
