"""The reset that no migration did: was the schema made anew since the backup, and when?"""

from forensics.cause.rebuilt.judge import Rebuilt, judge

__all__ = ["Rebuilt", "judge"]
