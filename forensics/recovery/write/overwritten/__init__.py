"""The parts of `recovery.sql` and `undo.sql` that are about overwritten values."""

from forensics.recovery.write.overwritten.script import (
    held,
    staged,
    write_undo_values,
    write_values,
)

__all__ = ["held", "staged", "write_undo_values", "write_values"]
