"""What a section of the report is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from forensics.report.document import Document

# What a template shows beside the document `d`.
Context = Mapping[str, Any]


@dataclass(frozen=True)
class Section:
    """One section, in the forms that people read.

    Attributes:
        name: its template is `templates/NAME.html`, and `--section NAME` asks for it alone.
        title: what stands over it.
        html: what the template shows beside the document; None where there is nothing to say.
        markdown: its paragraphs, none where there is nothing to say.
        folded: whether it is evidence, which the page folds.
    """

    name: str
    title: str
    html: Callable[[Document], Context | None]
    markdown: Callable[[Document], list[str]]
    folded: bool = True

    @property
    def template(self) -> str:
        """The name of its template."""
        return f"{self.name}.html"


def nothing(document: Document) -> list[str]:
    """The Markdown of a section that only the page has."""
    return []


def where(there: object) -> Context | None:
    """The context of a section that shows the document alone, where it has something to say."""
    return {} if there else None
