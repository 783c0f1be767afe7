"""Who lost links: for every parent row what it had, has, lost and can get back."""

from forensics.loss.parents.dangling import dangling
from forensics.loss.parents.labels import label_of
from forensics.loss.parents.spread import Spread, spread

__all__ = ["Spread", "dangling", "label_of", "spread"]
