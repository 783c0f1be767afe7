"""What several threads need is worked out once, by the first of them that asks."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

_Key = TypeVar("_Key")
_Answer = TypeVar("_Answer")


class Once(Generic[_Key, _Answer]):
    """Answers by key. Whoever asks while one is being worked out waits for it."""

    def __init__(self) -> None:
        self._answers: dict[_Key, _Answer] = {}
        self._locks: dict[_Key, threading.Lock] = {}
        self._busy = threading.Lock()

    def answer(self, key: _Key, work: Callable[[], _Answer]) -> _Answer:
        """Return an answer, worked out where nobody has yet.

        Args:
            key: tells the answer.
            work: works it out, and asks for no other answer. What it raises is not kept.
        """
        if key in self._answers:
            return self._answers[key]
        with self._busy:
            lock = self._locks.setdefault(key, threading.Lock())
        with lock:
            if key not in self._answers:
                self._answers[key] = work()
            return self._answers[key]

    def forget(self, is_stale: Callable[[_Key], bool]) -> None:
        """Have the answers of some keys worked out anew; nobody asks for one of them meanwhile."""
        for key in list(self._answers):
            if is_stale(key):
                del self._answers[key]
