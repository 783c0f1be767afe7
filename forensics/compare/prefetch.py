"""Blocks read ahead in a thread."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator, Sequence

from forensics.evidence.source import Block, Segment

BLOCKS_AHEAD = 24
_POLL, _PATIENCE = 0.2, 2  # seconds


class Prefetch:
    """Blocks read ahead, so that the server works while the other side is looked at.

    Args:
        blocks: are taken in a thread of its own.
        segments: where they come from; abandoned where the thread does not end by
            itself.
        ahead: how many may be read before they are asked for.
    """

    def __init__(
        self, blocks: Iterator[Block], segments: Sequence[Segment], ahead: int = BLOCKS_AHEAD
    ) -> None:
        self._blocks = blocks
        self._segments = segments
        self._queue: queue.Queue[Block | BaseException | None] = queue.Queue(ahead)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._read, name="prefetch", daemon=True)
        self._thread.start()

    def __iter__(self) -> Iterator[Block]:
        while (item := self._queue.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item

    def close(self) -> None:
        """End the thread, and wait until it has ended."""
        self._stop.set()
        self._thread.join(_PATIENCE)
        if not self._thread.is_alive():
            return
        # It waits for a server that does not answer.
        for segment in self._segments:
            segment.abandon()
        self._thread.join()

    def _read(self) -> None:
        try:
            for block in self._blocks:
                if not self._put(block):
                    break
            self._put(None)
        except BaseException as error:  # handed to the thread that waits for blocks
            self._put(error)
        finally:
            close = getattr(self._blocks, "close", None)
            if close:
                close()

    def _put(self, item: Block | BaseException | None) -> bool:
        while not self._stop.is_set():
            try:
                self._queue.put(item, timeout=_POLL)
                return True
            except queue.Full:
                continue
        return False
