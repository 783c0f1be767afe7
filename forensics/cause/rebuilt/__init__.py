"""The reset that no migration did: was the schema made anew since the backup, and when?"""

from forensics.cause.history import Renewal
from forensics.cause.rebuilt.judge import Rebuilt, judge

__all__ = ["Rebuilt", "judge", "renewal_of"]


def renewal_of(rebuilt: Rebuilt | None) -> Renewal | None:
    """What a rebuild means for the migrations; None where there was none."""
    if rebuilt is None or rebuilt.when is None:
        return None
    before = rebuilt.when.before
    return Renewal(rebuilt.tables, before.at if before else None, rebuilt.again)
