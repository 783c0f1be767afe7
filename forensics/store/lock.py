"""Who may write a case: one process at a time, which others can name.

Readers take no part in this. They open the case file for one read and close it, and what a writer
has finished is put in its place by a rename, so that neither waits for the other.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from forensics.errors import CaseError

try:
    import fcntl
except ImportError:  # not a Unix: DuckDB's own lock on the case file has to do
    fcntl = None  # type: ignore[assignment]

LOCK = "case.lock"
PATIENCE = 10.0  # seconds
_PAUSE = 0.1

_Found = TypeVar("_Found")


class BusyError(Exception):
    """Somebody else has it just now."""


def patiently(attempt: Callable[[], _Found], folder: Path) -> _Found:
    """Try until it goes, for at most ten seconds.

    Args:
        attempt: what to try; raises `BusyError` where another process is in the way.
        folder: the case's folder.

    Raises:
        CaseError: another process is in the way still; the hint names it.
    """
    end = time.monotonic() + PATIENCE
    while True:
        try:
            return attempt()
        except BusyError as error:
            if time.monotonic() >= end:
                raise in_use(folder) from error
        time.sleep(_PAUSE)


@contextmanager
def sole_writer(folder: Path) -> Iterator[None]:
    """Be the only process that writes a case. One that is killed is so no longer.

    Raises:
        CaseError: another process writes it, and went on for ten seconds.
    """
    if fcntl is None or not folder.is_dir():
        yield
        return
    held = patiently(lambda: _take(folder / LOCK), folder)
    try:
        yield
    finally:
        (folder / LOCK).unlink(missing_ok=True)
        os.close(held)


def _take(path: Path) -> int:
    """Lock a file and write into it who did; return its descriptor."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise CaseError(
            f"Case {path.parent} cannot be written: {error.strerror}.",
            "Check the permissions of its folder, and whether the disk is full.",
        ) from error
    try:
        _lock(descriptor, path)
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()} {_command()}".encode())
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _lock(descriptor: int, path: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise BusyError from error
    except OSError:  # a file system that knows no locks: DuckDB's own has to do
        return
    # Whoever had it may have removed the file between its being opened and locked here.
    if not path.exists() or os.stat(path).st_ino != os.fstat(descriptor).st_ino:
        raise BusyError


def _command() -> str:
    """What this process is, without its arguments: a connection string may be among them."""
    program = Path(sys.argv[0] or "python").name
    if program == "ipykernel_launcher.py":
        return "a notebook"
    if program == "__main__.py":
        program = "forensics"
    command = next((word for word in sys.argv[1:2] if word.isalpha()), "")
    return f"{program} {command}".strip()


def in_use(folder: Path) -> CaseError:
    """The error that names the process which has a case open."""
    try:
        number, _, command = (folder / LOCK).read_text(encoding="utf-8").partition(" ")
    except OSError:
        number, command = "", ""
    holder = f"process {number} ({command})" if number else "that"
    return CaseError(
        f"Case {folder} is open in another process.",
        f"Wait until {holder} has ended, or close the notebook that holds it.",
    )
