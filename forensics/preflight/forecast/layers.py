"""Layers: SELECTs that stand on one another, each under a name of its own."""

from __future__ import annotations

import re

from psycopg import sql

_NAME = re.compile(r"forensics_\d+\b")


class Layers:
    """SELECTs by the names to select them by, in the order in which they were laid."""

    def __init__(self) -> None:
        self._layers: dict[str, str] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._layers

    def lay(self, text: str) -> str:
        """Note a SELECT as a layer; return the name to select it by."""
        name = f"forensics_{len(self._layers) + 1}"
        self._layers[name] = text
        return name

    def select(self, text: str) -> sql.SQL:
        """Return a SELECT with the layers that it stands on."""
        below = self._below(text)
        written = []
        for name, layer in self._layers.items():
            if name in below:
                written.append(f"{name} AS NOT MATERIALIZED ({layer})")
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
