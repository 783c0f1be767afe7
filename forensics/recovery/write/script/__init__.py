"""`recovery.sql` and `undo.sql`: scripts for psql that stop before they harm, a transaction each.

The rows stand in them as COPY text and are loaded into temporary tables of
the target's own column types, so that a value that no longer fits stops the
script with its line. From there plain statements insert them. Both scripts
carry their rows, so that `undo.sql` knows exactly what it may take back;
neither leaves anything else behind in the database.
"""

from forensics.recovery.write.script.check import write_check
from forensics.recovery.write.script.header import provenance
from forensics.recovery.write.script.recovery import drawn_by, write_recovery
from forensics.recovery.write.script.start import start
from forensics.recovery.write.script.undo import write_undo
from forensics.recovery.write.script.work import LiveState, Work

__all__ = [
    "LiveState",
    "Work",
    "drawn_by",
    "provenance",
    "start",
    "write_check",
    "write_recovery",
    "write_undo",
]
