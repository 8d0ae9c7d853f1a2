"""SecBuffer and SecBufferDesc: the typed buffers every call takes and fills.

The rule guarded here: a caller's descriptor is *mutable* (the package rewrites it), but only the runtime
writes to it, at completion, from a list of `BufferWrite`s. A package and the journal only ever see `BufferImage`s,
which are frozen.

Source: sspi.h, SECBUFFER_* constants (header); values above 24 from the Windows SDK header.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple


class BufferType(IntEnum):
    """SECBUFFER_* values; compare only after masking `ATTRIBUTE_MASK`."""

    EMPTY = 0
    DATA = 1
    TOKEN = 2
    PKG_PARAMS = 3
    MISSING = 4
    EXTRA = 5
    STREAM_TRAILER = 6
    STREAM_HEADER = 7
    NEGOTIATION_INFO = 8
    PADDING = 9
    STREAM = 10
    MECHLIST = 11
    MECHLIST_SIGNATURE = 12
    TARGET = 13
    CHANNEL_BINDINGS = 14
    CHANGE_PASS_RESPONSE = 15
    TARGET_HOST = 16
    ALERT = 17
    APPLICATION_PROTOCOLS = 18
    SRTP_PROTECTION_PROFILES = 19
    SRTP_MASTER_KEY_IDENTIFIER = 20
    TOKEN_BINDING = 21
    PRESHARED_KEY = 22
    PRESHARED_KEY_IDENTITY = 23
    DTLS_MTU = 24
    SEND_GENERIC_TLS_EXTENSION = 25
    SUBSCRIBE_GENERIC_TLS_EXTENSION = 26
    FLAGS = 27
    TRAFFIC_SECRETS = 28
    CERTIFICATE_REQUEST_CONTEXT = 29
    CHANNEL_BINDINGS_RESULT = 30
    APP_SESSION_STATE = 31
    SESSION_TICKET = 32


ATTRIBUTE_MASK = 0xF0000000
READONLY = 0x80000000
READONLY_WITH_CHECKSUM = 0x10000000

DESCRIPTOR_VERSION = 0  # SECBUFFER_VERSION


def buffer_type_name(value: int) -> str:
    """Print a buffer type without its SECBUFFER_ prefix; an unknown one as a number."""
    plain = value & ~ATTRIBUTE_MASK
    try:
        return BufferType(plain).name
    except ValueError:
        return f"type {plain}"


class BufferImage(NamedTuple):
    """One buffer as it was at a moment: type, cbBuffer in bytes, and what pvBuffer pointed at.

    `data` is None for a NULL pvBuffer. For an output buffer of the caller's own memory it is `b""`: memory is there,
    nothing was written to it yet.
    """

    buffer_type: int
    size: int
    data: bytes | None


class BufferWrite(NamedTuple):
    """What a package wants written to the buffer at position `slot` when its call completes.

    `allocated` says that the package allocated `data` (ISC_REQ_ALLOCATE_MEMORY, or a NULL pvBuffer), so that the
    caller must release it with FreeContextBuffer.
    """

    slot: int
    buffer_type: int
    size: int
    data: bytes | None
    allocated: bool = False


class SecBuffer:
    """A caller's buffer, and what it says now: BufferType, cbBuffer (bytes) and pvBuffer (None for NULL).

    It is looked at far more often than it is written to, so it keeps its image and is given a new one.
    """

    __slots__ = ("allocated", "image")

    def __init__(self, image: BufferImage) -> None:
        self.image = image
        self.allocated = False

    @property
    def buffer_type(self) -> int:
        """The type, with its attribute bits."""
        return self.image.buffer_type

    @property
    def size(self) -> int:
        """Give cbBuffer, in bytes."""
        return self.image.size

    @property
    def data(self) -> bytes | None:
        """Give what pvBuffer points at, None for NULL."""
        return self.image.data

    def __repr__(self) -> str:
        return f"{buffer_type_name(self.buffer_type)} {self.size} B"


class SecBufferDesc:
    """A caller's descriptor: ulVersion 0, cBuffers and pBuffers."""

    __slots__ = ("buffers", "version")

    def __init__(self, *buffers: SecBuffer) -> None:
        self.buffers = list(buffers)
        self.version = DESCRIPTOR_VERSION

    def images(self) -> tuple[BufferImage, ...]:
        """Freeze every buffer as it is now."""
        return tuple([one.image for one in self.buffers])

    def apply(self, writes: tuple[BufferWrite, ...]) -> None:
        """Write a completed call's results; called by the runtime, at completion, and by nothing else."""
        for slot, buffer_type, size, data, allocated in writes:
            buffer = self.buffers[slot]
            buffer.image, buffer.allocated = BufferImage(buffer_type, size, data), allocated

    def has_allocated(self) -> bool:
        """Say whether the package allocated memory that the caller has not released."""
        return any(one.allocated for one in self.buffers)

    def first(self, buffer_type: int) -> SecBuffer | None:
        """Find the first buffer of a type, as callers must: by type, not by position."""
        for buffer in self.buffers:
            if buffer.image.buffer_type & ~ATTRIBUTE_MASK == buffer_type:
                return buffer
        return None


_EMPTY = BufferImage(BufferType.EMPTY, 0, None)


def given(buffer_type: int, data: bytes) -> SecBuffer:
    """Make an input buffer that holds `data`."""
    return SecBuffer(BufferImage(buffer_type, len(data), data))


def empty() -> SecBuffer:
    """Make the SECBUFFER_EMPTY placeholder (NULL, 0 bytes) that a package may turn into EXTRA or MISSING."""
    return SecBuffer(_EMPTY)


def room(buffer_type: int, size: int) -> SecBuffer:
    """Make an output buffer of the caller's own memory, `size` bytes long."""
    return SecBuffer(BufferImage(buffer_type, size, b""))


def to_allocate(buffer_type: int) -> SecBuffer:
    """Make an output buffer whose memory the package allocates (with ISC_REQ_ALLOCATE_MEMORY)."""
    return SecBuffer(BufferImage(buffer_type, 0, None))
