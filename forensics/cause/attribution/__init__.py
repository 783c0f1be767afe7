"""Which statement did it: what the replay counted, laid beside what `compare` found missing.

For every table the statements' rows and the unexplained ones add up to the rows that are missing,
down to the last row. A row that the application deleted before the migration ran is unexplained
where no statement would have taken it; where one would have (a DROP TABLE), it counts for that
statement: nobody can know which came first.
"""

from forensics.cause.attribution.attribution import Ask, Attribution, Listener, attribute
from forensics.cause.definitions import definitions

__all__ = ["Ask", "Attribution", "Listener", "attribute", "definitions"]
