"""Which parts of a record are secret, and what stands in their place when secrets are not asked for.

Secret are: key-log lines (the label stays, the random and the secret go), the plaintext that EncryptMessage takes and
DecryptMessage gives (its size stays), the bytes of attributes that are keys, and what an exception of a program says of
itself (its type stays). Private keys never reach the journal at all.
"""

from __future__ import annotations

from sspicli.journal import events as ev
from sspicli.journal.events import Event, Images
from sspicli.sspi.buffers import ATTRIBUTE_MASK, BufferType
from sspicli.sspi.status import SecurityStatus

MASKED = "***"

# SESSION_KEY, EAP_KEY_BLOCK, KEYING_MATERIAL_INFO, KEYING_MATERIAL, KEYING_MATERIAL_TOKEN_BINDING,
# KEYING_MATERIAL_INPROC
SECRET_ATTRIBUTES = frozenset({0x09, 0x5B, 0x6A, 0x6B, 0x6F, 0x70})


def redacted(event: Event) -> Event:
    """Return the event without its secrets."""
    if isinstance(event, ev.KeyLogged):
        return event._replace(line=f"{event.line.partition(' ')[0]} {MASKED}")
    if isinstance(event, ev.MessageEncrypted):
        has_ciphertext = event.status == SecurityStatus.SEC_E_OK  # a failure leaves the plaintext where it was
        after = event.after if has_ciphertext else _without_data(event.after)
        return event._replace(before=_without_data(event.before, _ROOMS), after=after)
    if isinstance(event, ev.MessageDecrypted):
        return event._replace(after=_without_data(event.after))
    if isinstance(event, ev.CallbackRaised):
        kind, colon, _ = event.error.partition(": ")
        return event._replace(error=f"{kind}: {MASKED}" if colon else kind)
    if isinstance(event, (ev.AttributeQueried, ev.AttributeSet)) and event.attribute in SECRET_ATTRIBUTES:
        fields = {name: MASKED if isinstance(value, bytes) else value for name, value in event.fields.items()}
        return event._replace(fields=fields)
    return event


_ROOMS = frozenset({BufferType.STREAM_HEADER, BufferType.STREAM_TRAILER})


def _without_data(images: Images, harmless: frozenset[BufferType] | None = None) -> Images:
    """Take the bytes out of DATA buffers; given `harmless`, out of all buffers but those."""
    kept = []
    for one in images:
        kind = one.buffer_type & ~ATTRIBUTE_MASK
        is_secret = kind == BufferType.DATA if harmless is None else kind not in harmless
        kept.append(one._replace(data=None) if is_secret and one.data else one)
    return tuple(kept)
