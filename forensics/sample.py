"""The sample incident: built on a throw-away PostgreSQL, and taken through every stage.

It lies in `sample_data/` beside this package in a clone, and within it where it was installed.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from forensics.case.facade import Case, open_case
from forensics.errors import UsageError
from forensics.investigation import compare
from forensics.scratch import Scratch

_PACKAGE = Path(__file__).resolve().parent
_CLONED = (_PACKAGE.parent / "sample_data" / "build.py").exists()

# What holds `sample_data/` and `notebooks/`, and the folder below which `build/` is made.
SHIPPED = _PACKAGE.parent if _CLONED else _PACKAGE / "shipped"
HOME = _PACKAGE.parent if _CLONED else Path()
DEMO = Path("build") / "demo"
_SIZE = 32 << 20  # bytes of the incident's live database

Say = Callable[[str], None]


def sample() -> Any:
    """Return the module that builds the sample incident.

    Raises:
        UsageError: somebody took it away.
    """
    if not (SHIPPED / "sample_data" / "build.py").exists():
        raise UsageError(
            f"The sample incident is not in {SHIPPED}.",
            "Install the kit again, from its clone or its wheel.",
        )
    if str(SHIPPED) not in sys.path:
        sys.path.insert(0, str(SHIPPED))
    from sample_data import build

    return build


@contextmanager
def incident(say: Say, seconds: dict[str, float]) -> Iterator[tuple[Any, str]]:
    """Lend the sample's builder and the connection string of its live database.

    Args:
        say: is told each step.
        seconds: is given how long building took.
    """
    build = sample()
    with Scratch(size=_SIZE) as server:
        say("building the live database on a throw-away PostgreSQL")
        with timed(seconds, "build"):
            build.build_live(server, "travel")
        yield build, server.dsn("travel")


def _in_its_time(folder: Path, looked_at: datetime) -> Case:
    """Open the case; its live was looked at when its story says, whatever day the demo is run."""
    with open_case(folder) as case, case.writing() as store:
        evidence = store.get("evidence")
        evidence["live"]["taken_at"] = looked_at.isoformat()
        store.put("evidence", evidence)
    found = open_case(folder)
    found.write_summary()
    return found


def investigate(folder: Path, say: Say, seconds: dict[str, float]) -> Case:
    """Take the sample incident through every stage, into a case.

    Args:
        folder: where the case goes; one that is there is replaced.
        say: is told each step.
        seconds: is given how long each step took.
    """
    with incident(say, seconds) as (build, dsn):
        say("comparing the backup with it, table by table")
        times = {"backup_at": build.BACKUP_AT, "incident_at": build.INCIDENT_AT}
        with timed(seconds, "compare"):
            compare(build.BACKUP, dsn, folder, times=times, force=True).close()
            case = _in_its_time(folder, build.LOOKED_AT)
        say("replaying the migrations, statement by statement")
        with timed(seconds, "cause"):
            case.cause(build.MIGRATIONS)
        say("writing the recovery, and rehearsing it")
        out = folder.parent / "recovery"
        with timed(seconds, "recovery"):
            case.recovery.rehearse(live=dsn, out=out, migrations=build.MIGRATIONS)
        return case


@contextmanager
def timed(seconds: dict[str, float], step: str) -> Iterator[None]:
    """Note under a step's name how many seconds it took."""
    started = time.monotonic()
    yield
    seconds[step] = round(time.monotonic() - started, 1)
