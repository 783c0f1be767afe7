"""Blocks read ahead in a thread."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator, Sequence

from forensics.evidence.source import Block, Segment

BLOCKS_AHEAD = 24
_MOST_BYTES = 32 << 20  # of blocks that are read ahead: a block is as long as its longest row
_PATIENCE = 2  # seconds


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
        self._ahead = ahead
        self._changed = threading.Condition()
        self._held: deque[Block | BaseException | None] = deque()
        self._bytes = 0
        self._stopped = False
        self._thread = threading.Thread(target=self._read, name="prefetch", daemon=True)
        self._thread.start()

    def __iter__(self) -> Iterator[Block]:
        while (item := self._take()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item

    def close(self) -> None:
        """End the thread, and wait until it has ended."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
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
        with self._changed:
            while self._held and not self._stopped and self._is_full:
                self._changed.wait()
            if self._stopped:
                return False
            self._held.append(item)
            self._bytes += _size(item)
            self._changed.notify_all()
            return True

    @property
    def _is_full(self) -> bool:
        return len(self._held) >= self._ahead or self._bytes > _MOST_BYTES

    def _take(self) -> Block | BaseException | None:
        with self._changed:
            while not self._held:
                self._changed.wait()
            item = self._held.popleft()
            self._bytes -= _size(item)
            self._changed.notify_all()
            return item


def _size(item: Block | BaseException | None) -> int:
    return 0 if item is None or isinstance(item, BaseException) else len(item)
