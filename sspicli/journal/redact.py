"""Which parts of a record are secret, and what stands in their place when secrets are not asked for.

Secret are: key-log lines (the label stays, the random and the secret go) and the plaintext that EncryptMessage takes and
DecryptMessage gives (its size stays). Private keys never reach the journal at all.
"""

from __future__ import annotations

from sspicli.journal import events as ev
from sspicli.journal.events import Event, Images
from sspicli.sspi.buffers import ATTRIBUTE_MASK, BufferType

MASKED = "***"


def redacted(event: Event) -> Event:
    """Return the event without its secrets."""
    if isinstance(event, ev.KeyLogged):
        return event._replace(line=f"{event.line.partition(' ')[0]} {MASKED}")
    if isinstance(event, ev.MessageEncrypted):
        return event._replace(before=_without_data(event.before))
    if isinstance(event, ev.MessageDecrypted):
        return event._replace(after=_without_data(event.after))
    return event


def _without_data(images: Images) -> Images:
    return tuple(
        one._replace(data=None) if one.buffer_type & ~ATTRIBUTE_MASK == BufferType.DATA else one for one in images
    )
