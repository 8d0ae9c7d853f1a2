"""What a client offered and what a server would take, side by side: for when they found nothing in common.

The offer is read from the ClientHello on the wire, the server's side from the credential it acquired.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from sspicli.analysis.calls import Call, Leg
from sspicli.sspi.functions import Function
from sspicli.sspi.schannel import SP_PROT_TLS1_2_SERVER, SP_PROT_TLS1_3_SERVER
from sspicli.tokens.tls_hello import hello_facts
from sspicli.tokens.tls_names import group_name, is_grease, scheme_name, suite_name, version_name

_MOST_SHOWN = 4
_VERSIONS = {"TLS 1.3": SP_PROT_TLS1_3_SERVER, "TLS 1.2": SP_PROT_TLS1_2_SERVER}


class Offers(NamedTuple):
    """Both ends in words, and what they have not in common (empty when that does not show)."""

    client: str
    server: str
    lacks: tuple[str, ...]


def offers(calls: Iterable[Call], legs: Iterable[Leg]) -> Offers | None:
    """Compare the first ClientHello with the server's credential; None when either is not on record."""
    body = next((one.body for leg in legs for one in leg.messages if one.name == "ClientHello"), b"")
    hello = hello_facts(body)
    taken = next((call.queued.auth_data for call in calls if _is_server_acquire(call)), None)
    if hello is None or taken is None:
        return None
    disabled = taken.get("grbitDisabledProtocols")
    if not isinstance(disabled, int):
        return None
    offered = {
        "versions": _named(hello.versions, version_name),
        "suites": _named(hello.suites, suite_name),
        "groups": _named(hello.groups, group_name),
        "signature algorithms": _named(hello.signature_algorithms, scheme_name),
    }
    allowed = {
        "versions": tuple(name for name, bit in _VERSIONS.items() if not disabled & bit),
        "suites": _texts(taken.get("suites")),
        "groups": _texts(taken.get("groups")),
        "signature algorithms": _texts(taken.get("sigalgs")),
    }
    certificate = ", ".join(_texts(taken.get("labels"))) or "none"
    return Offers(
        client="; ".join(f"{what} {_listed(names)}" for what, names in offered.items() if names),
        server="; ".join(f"{what} {_listed(names)}" for what, names in allowed.items() if names)
        + f"; certificate {certificate}",
        lacks=tuple(what for what, names in allowed.items() if names and not set(names) & set(offered[what])),
    )


def _is_server_acquire(call: Call) -> bool:
    return call.endpoint == "server" and call.function is Function.SspiAcquireCredentialsHandleAsync


def _named(numbers: Iterable[int], name: Callable[[int], str]) -> tuple[str, ...]:
    return tuple(name(number) for number in numbers if not is_grease(number))


def _texts(value: object) -> tuple[str, ...]:
    return tuple(str(one) for one in value) if isinstance(value, tuple) else ()


def _listed(names: tuple[str, ...]) -> str:
    shown = ", ".join(names[:_MOST_SHOWN])
    return shown if len(names) <= _MOST_SHOWN else f"{shown} and {len(names) - _MOST_SHOWN} more"
