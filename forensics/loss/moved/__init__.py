"""Where live may hold a missing link: columns of the parents, and other tables.

A column of a parent is looked at where the backup did not have it, or where its value
changed for that very parent: one that held the key all along is no move. A value is
taken apart into its leaves (elements of arrays, keys and values of JSON), and a leaf
counts where it equals the other parent's key and there is reason to believe that it
means it: keys that are unmistakable (letters and digits, UUIDs), a declared reference,
a name that says so, or values of which half and more are just the links that are
missing. Another table is looked at where it is new or its rows are.
"""

from forensics.loss.moved.place import Place
from forensics.loss.moved.search import Search

__all__ = ["Place", "Search"]
