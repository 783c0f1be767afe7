"""Slides for a walkthrough: one HTML file that opens offline, keys and notes inside."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import replace
from importlib import resources

from markupsafe import Markup

from forensics.report.document import Document
from forensics.report.html import environment
from forensics.report.slides import MINUTES, Slide, slides


def render(document: Document) -> str:
    """Return the slides as an HTML document.

    The page may run the script that it holds, which its digest names, and nothing else.

    Args:
        document: what the report says.
    """
    script = _script()
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    page = environment().get_template("slides.html")
    return page.render(
        d=document,
        slides=timed(slides(document)),
        script=Markup(script),  # noqa: S704  (our own file)
        digest=digest,
    )


def _script() -> str:
    folder = resources.files("forensics.report") / "templates"
    return (folder / "slides.js").read_text(encoding="utf-8")


def timed(found: list[Slide]) -> list[Slide]:
    """Return slides with the minutes at which each begins and ends, `MINUTES` in all.

    Args:
        found: the slides, each with its weight.
    """
    whole = sum(slide.weight for slide in found)
    told, at = [], 0.0
    for slide in found:
        since = round(2 * MINUTES * at / whole) / 2
        at += slide.weight
        until = round(2 * MINUTES * at / whole) / 2
        told.append(replace(slide, since=f"{since:g}", until=f"{until:g}"))
    return told
