"""A database's schema as SQL statements, as pg_dump writes it under the snapshot."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import postgast

from forensics import leftovers
from forensics.evidence.files import PlainFile
from forensics.evidence.live import readers
from forensics.evidence.plain.source import PlainSource

# What pg_dump writes for psql around the rest.
_RESTRICTED = re.compile(r"^\\(?:un)?restrict \w+$", re.M)


def dumped_schema(
    parameters: Mapping[str, Any], options: Sequence[str], seconds: float | None
) -> Iterator[str]:
    """Yield the statements of a schema; nothing where no pg_dump is there that suits the server.

    pg_dump only reads, and waits for a lock and for its answers no longer than it is told to.

    Args:
        parameters: of libpq.
        options: of pg_dump, besides `--schema-only`.
        seconds: how long it may run, None for as long as it takes.
    """
    shown, environment = readers.for_programs(parameters)
    with leftovers.folder() as folder:
        out = folder / "schema.sql"
        for psql in readers.psql_programs():
            program = psql.with_name("pg_dump")
            command = [str(program), "--schema-only", *options, "-f", str(out), "-d", shown]
            if program.exists() and _run(command, environment, seconds) == 0:
                for statement in _statements(out):
                    if words := statement.strip():
                        yield words
                return


def _statements(dump: Path) -> Sequence[str]:
    text = _RESTRICTED.sub("", dump.read_text(encoding="utf-8"))
    try:
        return list(postgast.split(text))
    except postgast.PgQueryError:
        # A word of a later version than the parser's, or one that PostgreSQL wrote wrongly.
        with PlainSource(PlainFile(dump)) as source:
            return list(source.statements())


def _run(command: Sequence[str], environment: Mapping[str, str], seconds: float | None) -> int:
    """Run a program that can be told to stop; return its exit status."""
    with subprocess.Popen(
        command,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as child:
        try:
            return child.wait(seconds)
        except subprocess.TimeoutExpired:
            child.terminate()  # pg_dump then has the server cancel what it waits for
            return child.wait()
        except BaseException:
            child.kill()
            raise
