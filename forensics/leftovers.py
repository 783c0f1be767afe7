"""Temporary folders of processes that were all killed: the next one clears them away.

A lock says whether anybody still lives who needs a folder. Process ids would not: they are given
out again.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

fcntl: ModuleType | None
try:
    import fcntl
except ImportError:  # a system without such locks: nothing is cleared away that is not ours
    fcntl = None

PREFIX = "fx"
HIDDEN = ".fx"
_OWNER = "owner"
_FIRST = 10  # of descriptors; a shell uses those below for itself


def hold(folder: Path) -> int:
    """Lock a folder for as long as we live, and those who inherit the descriptor returned."""
    making = folder / f"{_OWNER}.new"
    if fcntl is None:
        return os.open(folder / _OWNER, os.O_CREAT | os.O_WRONLY)
    with making.open("wb") as file:
        # Locked before it has its name: nobody can find it without its lock.
        fcntl.flock(file, fcntl.LOCK_EX)
        held: int = fcntl.fcntl(file, fcntl.F_DUPFD_CLOEXEC, _FIRST)
    making.rename(folder / _OWNER)
    return held


@contextmanager
def folder(parent: Path | None = None, prefix: str = PREFIX) -> Iterator[Path]:
    """Make a folder that is gone afterwards, or when the next is made there.

    Args:
        parent: where; None is the system's place for what is temporary.
        prefix: of its name.
    """
    place = parent or Path(tempfile.gettempdir())
    if hasattr(os, "geteuid"):
        clear(place, {os.geteuid()}, prefix)
    with tempfile.TemporaryDirectory(prefix=prefix, dir=place) as made:
        held = hold(Path(made))
        try:
            yield Path(made)
        finally:
            os.close(held)


@contextmanager
def whole(path: Path, name: str, mode: int) -> Iterator[Path]:
    """Lend a file beside another, whose place it takes once it is whole.

    Args:
        path: where it goes; folders above it are made.
        name: what it is called until then.
        mode: who may read it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with folder(path.parent, HIDDEN) as made:
        fresh = made / name
        yield fresh
        fresh.chmod(mode)
        fresh.replace(path)


def shared_mode() -> int:
    """The mode of a file that others may read as far as its writer lets them."""
    umask = os.umask(0o022)
    os.umask(umask)
    return 0o644 & ~umask


def clear(parent: Path, users: set[int], prefix: str = PREFIX) -> None:
    """Remove the folders in a place that nobody holds any more.

    Args:
        users: whose folders are ours.
        prefix: of their names.
    """
    for owner in parent.glob(f"{prefix}????????/{_OWNER}"):
        try:
            if not owner.parent.is_symlink() and owner.parent.stat().st_uid in users:
                _clear(owner)
        except OSError:
            continue  # in use, gone meanwhile, or not ours to look at


def _clear(owner: Path) -> None:
    """Remove a folder, unless somebody holds it.

    Raises:
        OSError: somebody does.
    """
    if fcntl is None:
        return
    descriptor = os.open(owner, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(owner.parent, ignore_errors=True)
    finally:
        os.close(descriptor)
