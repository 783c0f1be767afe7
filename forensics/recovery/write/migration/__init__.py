"""The safer migration: what the harmful one did, with all kept that it destroyed.

Statement by statement, read by PostgreSQL's own parser: a dropped table is
parked in an archive schema instead; rows and values that would be deleted,
truncated or overwritten are copied there first; links of a parked junction
table go into the new column of its parent, in their order, and a count
makes sure that all of them arrived; SET NOT NULL refuses NULLs with a
sentence and validates before it locks. Every other statement stays as it
was written.
"""

from forensics.recovery.write.migration.between import history_between
from forensics.recovery.write.migration.model import Kept, Safer
from forensics.recovery.write.migration.rewriter import safer_migration

__all__ = ["Kept", "Safer", "history_between", "safer_migration"]
