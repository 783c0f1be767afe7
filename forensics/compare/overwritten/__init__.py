"""What the changed values of a column have in common: values that live no longer holds.

The rule, the patterns and what is ordinary life: docs/overwritten.md. All of it is SQL over the
changed rows that the case keeps; what to look for is told by a sample of them, and then counted.
"""

from forensics.compare.overwritten.search import find_overwritten

__all__ = ["find_overwritten"]
