"""What a client offered and what a server would take, side by side: for when they found nothing in common.

The offer is read from the ClientHello on the wire, the server's side from the credential it acquired.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from sspicli.analysis.calls import Call, Leg
from sspicli.sspi.buffers import ATTRIBUTE_MASK, BufferType
from sspicli.sspi.functions import Function
from sspicli.sspi.schannel import SP_PROT_TLS1_2_SERVER, SP_PROT_TLS1_3_SERVER
from sspicli.tokens.tls_hello import HelloFacts, hello_facts
from sspicli.tokens.tls_names import group_name, is_grease, scheme_name, suite_name, version_name

_MOST_SHOWN = 4
_VERSIONS = {"TLS 1.3": SP_PROT_TLS1_3_SERVER, "TLS 1.2": SP_PROT_TLS1_2_SERVER}


class Offers(NamedTuple):
    """Both ends in words, and what they have not in common (empty when that does not show)."""

    client: str
    server: str
    lacks: tuple[str, ...]


class Row(NamedTuple):
    """One thing to agree on: what the client offered and what the server takes, each by preference.

    An end without names did not say: no such extension was sent, or the server's settings leave it to the engine.
    """

    what: str
    client: tuple[str, ...]
    server: tuple[str, ...]

    @property
    def common(self) -> tuple[str, ...]:
        """List what both have, in the client's order."""
        return tuple(name for name in self.client if name in self.server)

    @property
    def is_lacking(self) -> bool:
        """Say whether the server named what it takes, and the client offered none of it."""
        return bool(self.server) and not self.common


def compare(calls: Iterable[Call], legs: Iterable[Leg]) -> tuple[Row, ...]:
    """Lay the first ClientHello beside the server's credential; nothing when either is not on record."""
    hello, taken = _hello(legs), _server_credential(calls)
    if hello is None or taken is None:
        return ()
    disabled = taken.get("grbitDisabledProtocols")
    if not isinstance(disabled, int):
        return ()
    versions = tuple(name for name, bit in _VERSIONS.items() if not disabled & bit)
    return (
        Row("versions", _named(hello.versions, version_name), versions),
        Row("suites", _named(hello.suites, suite_name), _texts(taken.get("suites"))),
        Row("groups", _named(hello.groups, group_name), _texts(taken.get("groups"))),
        Row("signature algorithms", _named(hello.signature_algorithms, scheme_name), _texts(taken.get("sigalgs"))),
    )


def offers(calls: Iterable[Call], legs: Iterable[Leg]) -> Offers | None:
    """Compare both ends in words; None when either is not on record."""
    calls = tuple(calls)
    rows, taken = compare(calls, legs), _server_credential(calls)
    if not rows or taken is None:
        return None
    certificate = ", ".join(_texts(taken.get("labels"))) or "none"
    return Offers(
        client="; ".join(f"{row.what} {_listed(row.client)}" for row in rows if row.client),
        server="; ".join(f"{row.what} {_listed(row.server)}" for row in rows if row.server)
        + f"; certificate {certificate}",
        lacks=tuple(row.what for row in rows if row.is_lacking),
    )


def protocols(calls: Iterable[Call], legs: Iterable[Leg]) -> Row | None:
    """Lay the application protocols of the ClientHello beside those that the server was given; None without either."""
    hello = _hello(legs)
    buffers = (
        image.data or b""
        for call in calls
        if call.function is Function.SspiAcceptSecurityContextAsync
        for image in call.queued.input or ()
        if image.buffer_type & ~ATTRIBUTE_MASK == BufferType.APPLICATION_PROTOCOLS
    )
    taken = _protocol_list(next(buffers, b""))
    return Row("application protocols", hello.alpn, taken) if hello is not None and (hello.alpn or taken) else None


_PROTOCOL_LIST = 10  # where the length-prefixed ids begin in SEC_APPLICATION_PROTOCOLS


def _protocol_list(buffer: bytes) -> tuple[str, ...]:
    """Read the ids of a SECBUFFER_APPLICATION_PROTOCOLS, as far as they are whole."""
    names, at = [], _PROTOCOL_LIST
    while at < len(buffer) and at + 1 + buffer[at] <= len(buffer):
        names.append(buffer[at + 1 : at + 1 + buffer[at]].decode("latin-1"))
        at += 1 + buffer[at]
    return tuple(names)


def _hello(legs: Iterable[Leg]) -> HelloFacts | None:
    return hello_facts(next((one.body for leg in legs for one in leg.messages if one.name == "ClientHello"), b""))


def _server_credential(calls: Iterable[Call]) -> dict[str, object] | None:
    return next((call.queued.auth_data for call in calls if _is_server_acquire(call)), None)


def _is_server_acquire(call: Call) -> bool:
    return call.endpoint == "server" and call.function is Function.SspiAcquireCredentialsHandleAsync


def _named(numbers: Iterable[int], name: Callable[[int], str]) -> tuple[str, ...]:
    return tuple(name(number) for number in numbers if not is_grease(number))


def _texts(value: object) -> tuple[str, ...]:
    return tuple(str(one) for one in value) if isinstance(value, tuple) else ()


def _listed(names: tuple[str, ...]) -> str:
    shown = ", ".join(names[:_MOST_SHOWN])
    return shown if len(names) <= _MOST_SHOWN else f"{shown} and {len(names) - _MOST_SHOWN} more"
