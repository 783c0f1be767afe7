"""Temporary folders of processes that were all killed: the next one clears them away.

A lock says whether anybody still lives who needs a folder. Process ids would not: they are given
out again.

What is small and goes again may lie in memory, where making and removing a thousand files costs a
fifth of what it does on a disk.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from forensics.errors import ScratchError

fcntl: ModuleType | None
try:
    import fcntl
except ImportError:  # a system without such locks: nothing is cleared away that is not ours
    fcntl = None

PREFIX = "fx"
HIDDEN = ".fx"
_OWNER = "owner"
_LONGEST_SOCKET = 107  # bytes that sun_path has room for on Linux; 103 on macOS
_FIRST = 10  # of descriptors; a shell uses those below for itself
_MEMORY = Path("/dev/shm")  # noqa: S108 - what makes a folder there gives it a name of its own
_SMALL = 256 << 20  # bytes: what may lie in memory
_ROOM = 1 << 30  # bytes of memory that have to be free, besides several times that
_COPIES = 8
_GROUPS = ("memory.max", "memory.current"), ("memory/memory.limit_in_bytes",)


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


def memory(size: int | None) -> Path | None:
    """A place in memory for what goes again, or None: it is too large, or memory is short.

    Who names a place by TMPDIR has it there.

    Args:
        size: bytes that it will hold; None is not known.
    """
    if size is None or size > _SMALL or os.environ.get("TMPDIR") or not os.access(_MEMORY, os.W_OK):
        return None
    held = os.statvfs(_MEMORY)
    if held.f_flag & getattr(os, "ST_NOEXEC", 0):  # a copy of the programs may have to lie there
        return None
    if min(held.f_bavail * held.f_frsize, *_free_memory()) < _ROOM + _COPIES * size:
        return None
    return _MEMORY


def _free_memory() -> Iterator[int]:
    """Bytes of memory that the system has free, and what we may have of it; 0 is not known."""
    try:
        told = Path("/proc/meminfo").read_text(encoding="ascii")
        yield int(told.split("MemAvailable:")[1].split()[0]) << 10
    except (OSError, IndexError, ValueError):
        yield 0
    for most, *held in _GROUPS:
        limit = _number(most)
        if limit is not None:
            yield limit - sum(_number(name) or 0 for name in held)


def _number(name: str) -> int | None:
    """What a file of our control group says, where it says a number."""
    try:
        return int(Path("/sys/fs/cgroup", name).read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None


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


# --- a server's folder ----------------------------------------------------------------------------


def short_folder(account: tuple[int, int] | None, memory: Path | None) -> Path:
    """Make a temporary folder for a server. Its path leaves room for a socket's name.

    Args:
        account: who has to enter it and will own it; None is us.
        memory: a place that is better than those for what is temporary.

    Raises:
        ScratchError: there is none.
    """
    tried = []
    users = {os.geteuid(), account[0] if account else os.geteuid()}
    clear(_MEMORY, users)
    places = [tempfile.gettempdir(), "/tmp", "/var/tmp"]  # noqa: S108 - mkdtemp makes the name
    if memory:
        places.insert(0, str(memory))
    for parent in dict.fromkeys(places):
        if len(os.fsencode(parent)) + len("/fx12345678/.s.PGSQL.5432") > _LONGEST_SOCKET - 4:
            tried.append(f"{parent} is too long for a socket's path")
            continue
        try:
            clear(Path(parent), users)
            folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
        except OSError as error:
            tried.append(f"{parent}: {error.strerror}")
            continue
        if account is None or _can_enter(account, folder):
            return folder
        folder.rmdir()
        tried.append(f"{parent} is closed to the account that runs the server")
    raise ScratchError(
        f"There is no place for a scratch PostgreSQL ({'; '.join(tried)}).",
        "Set TMPDIR to a folder with a short path.",
    )


def _can_enter(account: tuple[int, int], folder: Path) -> bool:
    """Give a folder to an account, and find out whether it can enter it."""
    user, group = account
    os.chown(folder, user, group)
    folder.chmod(0o755)
    # Not as the working folder, which would be entered before root becomes somebody else.
    enter = ["/bin/sh", "-c", 'cd "$1"', "sh", str(folder)]
    owner: dict[str, Any] = {"user": user, "group": group, "extra_groups": []}
    try:
        subprocess.run(enter, cwd="/", check=True, capture_output=True, **owner)
    except (OSError, subprocess.CalledProcessError):
        return False
    return True
