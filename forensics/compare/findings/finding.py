"""One finding."""

from __future__ import annotations

from dataclasses import dataclass

from forensics.compare.failures import reason
from forensics.errors import is_lost
from forensics.model import TableName


@dataclass(frozen=True)
class Finding:
    """Something worth knowing about a table, or, with a schema of "", about the whole database.

    Attributes:
        kind: "renamed table", "renamed column", "rewritten key", "keys used again",
            "superseded rows", "moved rows", "enum label gone", "sequence behind", "repeated key",
            "migration history gone", "gone without rows", "large objects gone", "rows hidden",
            "garbled text", "about the backup" or "not known", where a look for one of these came
            to no end; and, where loss finds that a table is not renamed, "ends changed places".
        name: the table, under the backup's name where both sides have one.
        text: says it in a sentence.
        other: the new name, or the type or sequence that it is about.
        rows, of: the evidence: rows that are equal, of so many; None where it does not
            apply.
    """

    kind: str
    name: TableName
    text: str
    other: str | None = None
    rows: int | None = None
    of: int | None = None


def not_known(
    name: TableName, what: str, error: BaseException, other: str | None = None
) -> Finding:
    """The finding that a look for another came to no end.

    Args:
        name: the table.
        what: that which is not known: "Whether …".
        error: why.
        other: as a finding has it.

    Raises:
        LiveError: `error`, where the database was lost.
    """
    if is_lost(error):
        raise error
    return Finding("not known", name, f"{what} is not known, because: {reason(error)}", other)
