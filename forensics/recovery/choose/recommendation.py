"""Which option the numbers speak for, and why."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from forensics.recovery.choose.options import Option
from forensics.recovery.proof import BACKFILL, FULL_RESTORE, OVERWRITTEN, REINSERT
from forensics.text import counted


@dataclass(frozen=True)
class Done:
    """What was done already, so that it is not advised again.

    Attributes:
        cause: whether `cause` has run.
        rehearsal: whether a rehearsal was held or tried.
    """

    cause: bool = False
    rehearsal: bool = False


def recommendation(choices: Iterable[Option], unexplained: int, done: Done, turned: int = 0) -> str:
    """Say which option the numbers speak for, and why, in a few sentences.

    Args:
        choices: the options.
        unexplained: how many missing rows stay only because no statement is known to have taken
            them.
        done: what was done already.
        turned: how many links lead to other rows now, and stay so.
    """
    by_name = {option.name: option for option in choices}
    reinsert, values = by_name[REINSERT], by_name.get(OVERWRITTEN)
    said = []
    if reinsert.recovers:
        said += [_reinsert(by_name), *_rehearse(reinsert, done)]
    elif reinsert.blocked:
        said.append(
            "Nothing that was taken can be brought back by re-inserting rows; see the reasons."
        )
    elif not unexplained and not (values and values.recovers):
        said.append("No row is missing that re-inserting could bring back.")
    if values:
        said += [_values_return(values), *_rehearse(values, done)]
    if unexplained:
        said.append(_unexplained(unexplained, bool(reinsert.recovers), done))
    if turned:
        lead, those = ("leads", "it") if turned == 1 else ("lead", "them")
        said.append(
            f"{counted(turned, 'link')} of rows that stand {lead} to other rows now, "
            f"and no option turns {those} back."
        )
    return " ".join(dict.fromkeys(said))


def _reinsert(by_name: dict[str, Option]) -> str:
    reinsert, backfill = by_name[REINSERT], by_name[BACKFILL]
    text = (
        f"Reinsert the lost rows: that brings back {counted(reinsert.recovers or 0, 'row')} "
        f"and destroys nothing{_beside(by_name[FULL_RESTORE], reinsert)}"
    )
    if backfill.recovers:
        text += (
            " The application's present code looks for links in the new columns: "
            f"backfill writes {backfill.recovers:,} of them there as well."
        )
    if reinsert.blocked:
        stay = "stays" if reinsert.blocked == 1 else "stay"
        rows = counted(reinsert.blocked, "row")
        text += f" {rows} {stay} out of reach for the reasons given."
    return text


def _values_return(values: Option) -> str:
    """What comes of overwritten values."""
    rows = counted(values.recovers or 0, "overwritten value")
    text = f"Restore the overwritten values: recovery.sql brings {rows} back where live still "
    text += "holds what was written over them, and leaves what was written since."
    if values.blocked:
        text += f" {values.blocked:,} of them cannot return for the reasons given."
    return text


def _rehearse(option: Option, done: Done) -> list[str]:
    """What to do before the scripts may be run, where that was not done."""
    if option.verified:
        return []
    if done.rehearsal:
        return ["Its rehearsal failed: do not run the scripts on live before that is mended."]
    return ["This was not rehearsed: run recover with --rehearse before you act on it."]


def _unexplained(rows: int, more: bool, done: Done) -> str:
    """What of the missing rows nobody answers for, and what to do about them."""
    be = "is" if rows == 1 else "are"
    text = f"{counted(rows, 'more row' if more else 'row')} {be} missing, "
    if not done.cause:
        return (
            f"{text}and cause has not run, so that nothing says what took them: they stay away. "
            "Run cause with --migrations first, or recover with --include-unexplained."
        )
    return (
        f"{text}and no statement of a migration is known to have taken them: they stay away. "
        "The application may have deleted them itself; where it did not, recover with "
        "--include-unexplained brings them back."
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
