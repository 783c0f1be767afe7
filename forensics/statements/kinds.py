"""What a kind of hazard is: its code, and what reads it from the parts of a statement."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from forensics.model import TableName
from forensics.statements.parts import Part
from forensics.statements.scope import Scope


@dataclass(frozen=True)
class Code:
    """A kind of hazard.

    Attributes:
        code: its name, and that of its page.
        destroys: whether it can destroy rows or values.
        fails: whether it can fail on the data as it is.
        words: what it is, in words: what the statement does, or where it fails.
        hides: whether rows or values go on where code that runs does not look for them.
        inherited: whether what befalls a table befalls those that inherit from it.
        of_new_tables: whether it counts for a table that the same file has made.
    """

    code: str
    destroys: bool
    fails: bool
    words: str
    hides: bool = False
    inherited: bool = True
    of_new_tables: bool = False


@dataclass(frozen=True)
class Danger:
    """What a hazard's file finds in a part: to what it is a danger, and where in the parse tree."""

    table: TableName | None = None
    column: str | None = None
    columns: tuple[str, ...] = ()
    cascade: bool = False
    node: Any = field(default=None, repr=False, compare=False)


Read = Callable[[Part, Scope], Iterator[Danger]]
Reads = Mapping[str, Read]


class HazardFile(Protocol):
    """A file of `hazards/`.

    Attributes:
        CODE: which kind of hazard it is.
        READS: by kind of part (see `parts`), what reads the hazard from one.
    """

    CODE: Code
    READS: Reads
