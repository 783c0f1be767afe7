"""What became of each missing link."""

from forensics.loss.links.classes import classify
from forensics.loss.links.fate import CLASSES, LOST, Fate

__all__ = ["CLASSES", "LOST", "Fate", "classify"]
