"""dynamic-sql: EXECUTE, and code that cannot be read."""

from __future__ import annotations

from collections.abc import Iterator

from forensics.statements.kinds import Code, Danger, Reads
from forensics.statements.parts import Part
from forensics.statements.scope import Scope

CODE = Code(
    "dynamic-sql",
    destroys=False,
    fails=False,
    words=("runs SQL that is put together when it runs: its text cannot be read from the file"),
)


def _read(part: Part, scope: Scope) -> Iterator[Danger]:
    """What was prepared runs now, with values that the parse tree of PREPARE does not have."""
    yield Danger(node=part.node)


# What DO blocks and functions execute is found where their code is read.
READS: Reads = {"execute_stmt": _read}
