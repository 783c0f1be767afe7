"""What stands around live's tables, and is met or set off by a statement that names only them.

Views and rules that hold a table fast, triggers, functions, owners, types of extensions,
constraints that have yet to look at the rows, names that are taken.
"""

from forensics.preflight.surroundings.questions import Beside, Dependent, table_bytes
from forensics.preflight.surroundings.refusals import ABSENT, TAKEN
from forensics.preflight.surroundings.surroundings import Surroundings

__all__ = ["ABSENT", "TAKEN", "Beside", "Dependent", "Surroundings", "table_bytes"]
