"""What is not to be written to live at all, however it is asked for."""

from __future__ import annotations

from collections.abc import Collection

from forensics.errors import RecoveryError
from forensics.model import TableName
from forensics.store import Store


def garbled(store: Store, chosen: Collection[TableName]) -> list[str]:
    """Return what is said of those of the chosen tables whose text is garbled in the backup."""
    found = []
    for finding in store.get("findings") or ():
        if finding["kind"] == "garbled text" and TableName(**finding["name"]) in chosen:
            found.append(finding["text"])
    return found


def expect_sound_text(store: Store, chosen: Collection[TableName]) -> None:
    """Refuse to write garbled text to live.

    Raises:
        RecoveryError: the text of a chosen table is garbled in the backup.
    """
    found = garbled(store, chosen)
    if found:
        raise RecoveryError(
            f"Nothing is written from a backup whose text is not what was dumped. {found[0]}",
            "Compare with a sound copy of the backup, or undo the conversion and compare again; "
            "--table leaves tables out.",
        )
