"""How the entries of directory and tar archives name the files that hold their data."""

from __future__ import annotations

import re

from forensics.evidence.archive.container import outside
from forensics.evidence.archive.toc import Entry, Toc

LARGE_OBJECT_DATA = "BLOBS"


def member_name(toc: Toc, entry: Entry) -> str | None:
    """The file that holds an entry's data, or None where it has none or names another entry's."""
    if entry.desc == LARGE_OBJECT_DATA:  # some versions put another name into the entry
        if toc.header.version < (1, 16):
            return "blobs.toc"
        return f"blobs_{entry.dump_id}.toc"
    if entry.filename != f"{entry.dump_id}.dat":
        return None
    return entry.filename


def refuse_outside_names(toc: Toc) -> None:
    """Refuse an archive that names a file which may lie outside of it.

    Raises:
        BackupError: it does.
    """
    for entry in toc.entries:
        name = entry.filename
        if name is not None and (name in (".", "..") or re.search(r"[/\\\0]", name)):
            raise outside(repr(name), "is no plain file name")
