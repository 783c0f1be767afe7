"""Which option the numbers speak for, and why."""

from __future__ import annotations

from collections.abc import Iterable

from forensics.recovery.choose.options import Option
from forensics.recovery.proof import BACKFILL, FULL_RESTORE, OVERWRITTEN, REINSERT
from forensics.text import counted


def recommendation(choices: Iterable[Option], left: int) -> str:
    """Say which option the numbers speak for, and why, in a few sentences.

    Args:
        choices: the options.
        left: how many missing rows were not asked for, because no statement is known to have
            taken them.
    """
    by_name = {option.name: option for option in choices}
    reinsert, backfill = by_name[REINSERT], by_name[BACKFILL]
    values = by_name.get(OVERWRITTEN)
    if not reinsert.recovers:
        if values and values.recovers and not left and not reinsert.blocked:
            return _values_return(values)
        text = _nothing_returns(reinsert, left)
        return f"{text} {_values_return(values)}" if values else text
    text = (
        f"Reinsert the lost rows: that brings back {counted(reinsert.recovers, 'row')} "
        f"and destroys nothing{_beside(by_name[FULL_RESTORE], reinsert)}"
    )
    if backfill.recovers:
        text += (
            " The application's present code looks for links in the new columns: "
            f"backfill writes {backfill.recovers:,} of them there as well."
        )
    if values:
        text += f" {_values_return(values)}"
    if reinsert.blocked:
        stay = "stays" if reinsert.blocked == 1 else "stay"
        rows = counted(reinsert.blocked, "row")
        text += f" {rows} {stay} out of reach for the reasons given."
    if not reinsert.verified:
        text += " This was not rehearsed: run recover with --rehearse before you act on it."
    return text


def _values_return(values: Option) -> str:
    """What comes of overwritten values."""
    rows = counted(values.recovers or 0, "overwritten value")
    text = f"Restore the overwritten values: recovery.sql brings {rows} back where live still "
    text += "holds what was written over them, and leaves what was written since."
    if values.blocked:
        text += f" {values.blocked:,} of them cannot return for the reasons given."
    if not values.verified:
        text += " This was not rehearsed: run recover with --rehearse before you act on it."
    return text


def _nothing_returns(reinsert: Option, left: int) -> str:
    """What to do where re-inserting brings nothing back."""
    if left and not reinsert.blocked:
        be = "is" if left == 1 else "are"
        return (
            f"{counted(left, 'row')} {be} missing, and no statement of a migration is known to "
            "have taken them: nothing is brought back. Run cause with "
            "--migrations first, or recover with --include-unexplained."
        )
    return (
        "Nothing that the migration took can be brought back by re-inserting rows; see the reasons."
    )


def _beside(restore: Option, reinsert: Option) -> str:
    """How a full restore compares, to the end of the sentence."""
    if restore.destroys:
        rows = counted(restore.destroys, "row")
        return f", where a full restore would destroy {rows} written since the backup."
    if restore.recovers is None or reinsert.recovers is None:
        return "; what a full restore would bring back and destroy is not known."
    if restore.recovers > reinsert.recovers:
        return (
            f"; a full restore would bring back {restore.recovers:,}, also what was removed on "
            "purpose, and live would stand still for it."
        )
    return ", and live keeps running; a full restore would gain no more."
