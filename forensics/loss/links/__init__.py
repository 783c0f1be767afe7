"""What became of each missing link."""

from forensics.loss.links.classes import classify
from forensics.loss.links.fate import Fate

__all__ = ["Fate", "classify"]
