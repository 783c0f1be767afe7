"""Keys of the backup under which live holds other rows.

Into schema `again` of the case goes, for the table with number N, `rows_N`: one row a kept row of
the backup that live holds no longer under its key, though another stands there or it stands
elsewhere itself. `pair` is the row; `live_pair` is the row of live that is the same one: equal in
a unique key of both sides, or in all else and uniquely so; NULL where there is none. `likely` is
a row of live that is probably the same, and `taken` says whether another row stands under the
key. The fact `used_again` names the tables.
"""

from forensics.compare.findings.reused.search import keys_used_again

__all__ = ["keys_used_again"]
