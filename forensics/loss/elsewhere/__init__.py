"""Missing rows that live holds elsewhere: under another key, or in another table of a family.

Worked out once, row by row, for every table that is no junction table, and kept in the
case: `elsewhere.rows_N` (pair, class, place, live_pair) beside the missing rows of table
N. Junction tables read from it which key a parent's row has by now; recovery reads it
before it writes a row. `superseded`: the same table holds the row under another key.
`moved`: another table of its family by inheritance does.
"""

from forensics.loss.elsewhere.found import live_on, say_elsewhere
from forensics.loss.elsewhere.translation import new_keys

__all__ = ["live_on", "new_keys", "say_elsewhere"]
