"""What is to be done, with room for owner and date."""

from __future__ import annotations

from forensics.markup import table
from forensics.report.actions import Action, actions
from forensics.report.document import Document
from forensics.report.sections.section import Context, Section
from forensics.text import marked

_HEAD = ("", "what", "owner", "date", "done")
KINDS = {"decide": "Decide: ", "name": "Name: ", "do": ""}


def html(d: Document) -> Context:
    """A line for each, to be filled in."""
    return {"actions": [(said(action), action.asked) for action in actions(d)]}


def markdown(d: Document) -> list[str]:
    """A line for each, to be filled in."""
    rows = []
    for number, action in enumerate(actions(d), 1):
        rows.append((str(number), marked(said(action)), " ", " ", "☐"))
    return ["## Actions", table(_HEAD, rows, 5)]


def said(action: Action) -> str:
    """An action with its kind, in a sentence."""
    kind = KINDS[action.kind]
    if not kind:
        return action.said
    return kind + action.said[0].lower() + action.said[1:]


SECTION = Section("actions", "Actions", html, markdown, folded=False)
