"""`backfill.sql`: lost links written into the place where the application now looks for them.

A migration often moves links from a junction table into an array or JSON
column of a parent, and forgets the rows. Where live's parent has such a
column that the backup's had not, the links can be written there, in their
order, with the primary or first one as the cover; a value that the
application wrote is never overwritten.
"""

from forensics.recovery.write.backfill.find import places
from forensics.recovery.write.backfill.links import asked, questions
from forensics.recovery.write.backfill.place import Place
from forensics.recovery.write.backfill.script import (
    write_backfill,
    write_undo_backfill,
)

__all__ = [
    "Place",
    "asked",
    "places",
    "questions",
    "write_backfill",
    "write_undo_backfill",
]
