"""What the counts alone do not say.

Tables, columns and keys under new names, sequences behind their data, what no dump
holds. They are offered with their evidence, so many rows equal, and change no count: a
dropped table stays dropped.
"""

from forensics.compare.findings.finding import Finding
from forensics.compare.findings.search import find

__all__ = ["Finding", "find"]
