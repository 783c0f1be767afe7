"""A case's folder: private, and with nothing in it that is only half written."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from forensics.crash import is_crash
from forensics.errors import CaseError
from forensics.store.lock import LOCK, sole_writer
from forensics.store.values import VALUES

CASE = "case.duckdb"
FRESH = "case.new"  # what is to become the case file, until it is whole
SPILL = "spill"

_JSON = ("summary.json", "loss.json", "cause.json")
_OURS = (CASE, f"{CASE}.wal", FRESH, f"{FRESH}.wal", *_JSON, *(f".{name}" for name in _JSON))


def exists(folder: Path) -> bool:
    """Whether a case lies in a folder."""
    return os.path.exists(folder / CASE)  # Path.exists would raise for a name that is too long


def others(folder: Path) -> str | None:
    """The first thing in a folder that no comparison wrote, if there is one."""
    ours = {*_OURS, LOCK, SPILL, VALUES}
    names = [path.name for path in folder.iterdir() if not is_crash(path.name)]
    return min(set(names) - ours, default=None)


def make_private(folder: Path) -> None:
    """Make a folder that only its owner can look into: it will hold rows of customers.

    One that is there and holds other things stays as open as it is: `.` or /tmp are not ours to
    close.

    Raises:
        CaseError: it cannot be made.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if exists(folder) or others(folder) is None:
            folder.chmod(0o700)
    except OSError as error:
        raise CaseError(
            f"Folder {folder} cannot be made: {error.strerror}.",
            "Choose another folder with --case.",
        ) from error


def write_private(path: Path, text: str) -> None:
    """Write a file into a case's folder, readable by its owner only: whole, or not at all.

    Raises:
        CaseError: it cannot be written.
    """
    make_private(path.parent)
    fresh = path.with_name(f".{path.name}")
    try:
        fresh.write_text(text, encoding="utf-8")
        fresh.chmod(0o600)
        os.replace(fresh, path)
    except OSError as error:
        raise CaseError(
            f"{path} cannot be written: {error.strerror}.",
            "Is the disk full? Make room, and go on with --resume.",
        ) from error


def remove(folder: Path) -> None:
    """Remove what an earlier comparison wrote into a case's folder, and nothing else in it.

    Raises:
        CaseError: another process writes the case.
    """
    with sole_writer(folder):
        for name in _OURS:
            (folder / name).unlink(missing_ok=True)
        for path in folder.iterdir():
            if is_crash(path.name):
                path.unlink()
        for name in (SPILL, VALUES):
            shutil.rmtree(folder / name, ignore_errors=True)


def discard_fresh(folder: Path) -> None:
    """Remove what a process that was killed left of a case file that it was making."""
    for name in (FRESH, f"{FRESH}.wal"):
        (folder / name).unlink(missing_ok=True)
