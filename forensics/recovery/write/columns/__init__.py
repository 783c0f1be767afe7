"""The values of dropped columns: read from the backup again, and put back into live.

The case keeps only rows that differ, and a row that lost a column differs
in nothing that both sides have. So this is the one step that needs the
backup itself again; it must be the same file, to the byte.
"""

from forensics.recovery.write.columns.restored import (
    Restored,
    dropped_columns,
    generated_columns,
    open_backup,
    restored_columns,
    why_not,
)
from forensics.recovery.write.columns.script import (
    write_columns,
    write_undo_columns,
)

__all__ = [
    "Restored",
    "dropped_columns",
    "generated_columns",
    "open_backup",
    "restored_columns",
    "why_not",
    "write_columns",
    "write_undo_columns",
]
