"""What a dropped table needs in order to come back: the backup's own statements, in its order.

Every statement is parsed by PostgreSQL's own parser and taken only where it
is of a kind that builds a table, or makes a function, a type or an
extension that such a table's own definition names: nothing else of a dump
is ever sent to a database. Where no statements are known, tables are built
from the backup's catalogue, without what that does not hold.
"""

from forensics.recovery.write.definitions.collect import definitions
from forensics.recovery.write.definitions.dump import attached
from forensics.recovery.write.definitions.foreign_keys import undeclarable
from forensics.recovery.write.definitions.model import (
    Definition,
    Definitions,
    Extra,
    Incoming,
    Part,
)
from forensics.recovery.write.definitions.needs import drawn_from
from forensics.recovery.write.definitions.partitions import above
from forensics.recovery.write.definitions.types import (
    in_order_of_use,
    name_of_type,
    own_types,
    type_text,
    types_used,
)

__all__ = [
    "Definition",
    "Definitions",
    "Extra",
    "Incoming",
    "Part",
    "above",
    "attached",
    "definitions",
    "drawn_from",
    "in_order_of_use",
    "name_of_type",
    "own_types",
    "type_text",
    "types_used",
    "undeclarable",
]
