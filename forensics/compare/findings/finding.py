"""One finding."""

from __future__ import annotations

from dataclasses import dataclass

from forensics.model import TableName


@dataclass(frozen=True)
class Finding:
    """Something worth knowing about a table, or, with a schema of "", about the whole database.

    Attributes:
        kind: "renamed table", "renamed column", "rewritten key", "keys used again",
            "superseded rows", "moved rows", "enum label gone", "sequence behind", "repeated key",
            "gone without rows", "large objects gone", "rows hidden", "garbled text" or "about the
            backup"; and, where loss finds that a table is not renamed, "ends changed places".
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
