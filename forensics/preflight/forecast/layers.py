"""Layers: SELECTs that stand on one another, each under a name of its own."""

from __future__ import annotations

import re

from psycopg import sql

_NAME = re.compile(r"forensics_\d+\b")


_FOLDED = 8  # layers that the server may fold into one another


def _number(name: str) -> int:
    return int(name.rpartition("_")[2])


class Layers:
    """SELECTs by the names to select them by, in the order in which they were laid."""

    def __init__(self) -> None:
        self._layers: dict[str, str] = {}
        self._depths: dict[str, int] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._layers

    def lay(self, text: str) -> str:
        """Note a SELECT as a layer; return the name to select it by."""
        name = f"forensics_{len(self._layers) + 1}"
        self._layers[name] = text
        self._depths[name] = self.depth(text) + 1
        return name

    def depth(self, text: str) -> int:
        """How many layers lie one upon the other below a SELECT."""
        depths = [self._depths.get(name, 0) for name in _NAME.findall(text)]
        return max(depths, default=0)

    def select(self, text: str) -> sql.SQL:
        """Return a SELECT with the layers that it stands on."""
        below = self._below(text)
        written = []
        for name in sorted(below, key=_number):
            # A condition that names a changed value doubles with every layer that is folded in.
            kept = "" if self._depths[name] % _FOLDED == 0 else "NOT "
            written.append(f"{name} AS {kept}MATERIALIZED ({self._layers[name]})")
        if written:
            text = f"WITH {', '.join(written)} {text}"
        return sql.SQL(text)  # type: ignore[arg-type]

    def _below(self, text: str) -> set[str]:
        """The layers that a SELECT names, those that these name, and so on."""
        found: set[str] = set()
        waiting = _NAME.findall(text)
        while waiting:
            name = waiting.pop()
            if name in self._layers and name not in found:
                found.add(name)
                waiting += _NAME.findall(self._layers[name])
        return found
