"""A connection over two streams of bytes: requests are read beside the session, so that a run can be paused.

The rule guarded here: one thread reads and does nothing else but interrupt; the session, the engine and all writing are
in the other. When the client goes away, or sends what is no message, the session is closed, and its recording whole.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from typing import BinaryIO

from sspicli.adapter.adapter import INTERRUPTING, Adapter
from sspicli.adapter.framing import Framing, framed
from sspicli.adapter.messages import Request, output, read_request
from sspicli.sspi.errors import InputError

_CHUNK = 1 << 16
_MOST_WAITING = 1000  # requests that are read before the first of them is answered


class _End:
    """The end of what the client sends; `reason` is None where it went away between two messages."""

    def __init__(self, reason: str | None) -> None:
        self.reason = reason


class _Wrong:
    """A message that is none."""

    def __init__(self, reason: str) -> None:
        self.reason = reason


_Read = Request | _Wrong | _End
Read = Callable[[int], bytes]


def serve(read: Read, sink: BinaryIO) -> str:
    """Answer requests until the client leaves; give why it ended otherwise, "" for nothing to tell.

    `read` gives at most so many bytes, as soon as there are some, and b"" at the end. It must be one that nobody waits
    for when the process ends: the reading thread may be in it still.
    """
    adapter = Adapter()
    waiting: queue.Queue[_Read] = queue.Queue(_MOST_WAITING)
    threading.Thread(target=_read, args=(read, waiting.put, adapter.interrupt), daemon=True).start()
    try:
        return _answer(adapter, waiting, sink)
    finally:
        adapter.close()


def _answer(adapter: Adapter, waiting: queue.Queue[_Read], sink: BinaryIO) -> str:
    while not adapter.is_done:
        one = waiting.get()
        if isinstance(one, _End):
            return one.reason or ""
        if isinstance(one, _Wrong):
            messages: Iterator[dict[str, object]] = iter([adapter.numbered(output(one.reason, "stderr"))])
        else:
            messages = adapter.handle(one)
        for message in messages:
            sink.write(framed(message))
            sink.flush()
    return ""


def _read(read: Read, put: Callable[[_Read], None], interrupt: Callable[[], None]) -> None:
    """Read requests; those that are meant for a run under way interrupt it."""
    framing = Framing()
    try:
        while data := read(_CHUNK):
            for body in framing.feed(data):
                put(_message(body, interrupt))
        put(_End("the client went away within a message" if framing.is_within else None))
    except (InputError, OSError, ValueError) as error:
        put(_End(str(error)))


def _message(body: bytes, interrupt: Callable[[], None]) -> _Read:
    try:
        request = read_request(body)
    except InputError as error:
        return _Wrong(error.message)
    if request is None:
        return _Wrong("a response was sent, and nothing was asked")
    if request.command in INTERRUPTING:
        interrupt()
    return request
