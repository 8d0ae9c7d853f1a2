"""Messages between our own processes: one object at a time, and with it, if need be, the end of another channel.

The rule guarded here: only processes that were forked from this one hold an end, so what comes in was made by the same
program; nobody else can write to it. An end that is gone is one exception, whoever notices it.
"""

from __future__ import annotations

import pickle
import socket
import struct
from collections.abc import Sequence
from weakref import WeakSet

_HEADER = struct.Struct(">QB")  # the length of the message, and whether an end comes with it
_OPEN: WeakSet[Channel] = WeakSet()


class GoneError(Exception):
    """The process at the other end is gone."""


class Channel:
    """One end."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        _OPEN.add(self)

    @property
    def number(self) -> int:
        """Give the descriptor, to be handed to another process."""
        return self._end.fileno()

    def send(self, message: object, end: Channel | None = None) -> None:
        """Send a message; an end that goes with it belongs to the other process then."""
        data = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
        header = _HEADER.pack(len(data), end is not None)
        try:
            if end is None:
                self._end.sendall(header + data)
            else:
                socket.send_fds(self._end, [header], [end.number])
                self._end.sendall(data)
        except OSError as error:
            raise GoneError from error
        finally:
            if end is not None:
                end.close()

    def receive(self) -> tuple[object, Channel | None]:
        """Wait for a message."""
        try:
            header, numbers, _, _ = socket.recv_fds(self._end, _HEADER.size, 1)
            header += self._exactly(_HEADER.size - len(header)) if header else b""
            if not header:
                raise GoneError
            length, _ = _HEADER.unpack(header)
            message = pickle.loads(self._exactly(length))  # noqa: S301 (see above: our own processes only)
        except (OSError, EOFError) as error:
            raise GoneError from error
        return message, Channel(socket.socket(fileno=numbers[0])) if numbers else None

    def _exactly(self, count: int) -> bytes:
        data = bytearray()
        while len(data) < count:
            part = self._end.recv(min(count - len(data), 1 << 20))
            if not part:
                raise GoneError
            data += part
        return bytes(data)

    def close(self) -> None:
        """Give this end up; the other is told by that."""
        self._end.close()


def channel() -> tuple[Channel, Channel]:
    """Make both ends."""
    one, other = socket.socketpair()
    return Channel(one), Channel(other)


def close_others(kept: Sequence[Channel]) -> None:
    """Close every end but these: a forked process holds copies of all, and the other side would wait for them."""
    for one in list(_OPEN):
        if one not in kept:
            one.close()
