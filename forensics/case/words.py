"""Words that the facade's messages share."""

from __future__ import annotations

import difflib
from collections.abc import Sequence


def near_matches(name: str, known: Sequence[str], otherwise: str) -> str:
    """Return a hint that names what `name` was probably meant to be, or `otherwise`."""
    near = difflib.get_close_matches(name, known, 3, 0.5)
    return f"Did you mean {' or '.join(near)}?" if near else otherwise
