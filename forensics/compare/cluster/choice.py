"""Whether Spark is asked for, and which."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

from forensics.compare.options import ENGINES, SPARK, Options
from forensics.errors import UsageError

if TYPE_CHECKING:
    from forensics.compare.cluster.session import Session


@contextlib.contextmanager
def spark(options: Options) -> Iterator[Session | None]:
    """Open a session of Spark for a run, or None where the engine is another.

    Raises:
        UsageError: the engine is none, or something else is asked for that excludes it.
        ClusterError: nothing answers, or what does will not do.
    """
    if options.runs_on not in ENGINES:
        raise UsageError(
            f"FORENSICS_ENGINE is {options.runs_on}, and there is no such engine.",
            f"Write one of {', '.join(ENGINES)}.",
        )
    if options.runs_on != SPARK:
        yield None
        return
    _expect_no_other(options)
    master = options.master or os.environ.get("FORENSICS_MASTER")
    if not master and options.spark is None:
        raise UsageError(
            "--engine spark does not say which Spark.",
            "Add --master sc://HOST:15002, or set FORENSICS_MASTER.",
        )
    from forensics.compare.cluster.session import Session

    session = Session(master, options.spark)
    try:
        yield session
    finally:
        session.close()


def _expect_no_other(options: Options) -> None:
    other = None
    if options.nice:
        other = "--nice"
    if options.wire == "low":
        other = "--wire low"
    if other:
        raise UsageError(
            f"{other} is of reading live from this machine, which --engine spark does not do.",
            "Leave one of them out; --jobs 1 has executors take one connection.",
        )
