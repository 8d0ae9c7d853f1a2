"""What is left of a failed leg: its alert when there was no room for it, its number when it was encrypted."""

from __future__ import annotations

import pytest

from sspicli.packages.catalog import create_package
from sspicli.packages.options import parse_settings
from sspicli.packages.setup import EndpointSetup, build
from sspicli.sspi.buffers import BufferType, SecBufferDesc, empty, given, room, to_allocate
from sspicli.sspi.package import AcquireRequest, Credential, LegRequest, LegResult, Role, SecurityContext
from sspicli.sspi.status import SecurityStatus
from tests.handshakes import handshake

ALLOCATE_MEMORY = 0x100


class Side:
    """One security context with its credential, stepped by hand."""

    def __init__(self, role: Role, setup: EndpointSetup) -> None:
        made = create_package("schannel").acquire(AcquireRequest(None, setup.credential_use, setup.auth_data))
        assert made.credential is not None
        self.credential: Credential = made.credential
        self.context: SecurityContext = made.credential.open(role)
        self.setup = setup

    def step(self, data: bytes, output: SecBufferDesc | None = None) -> tuple[LegResult, bytes]:
        requirements = self.setup.requirements
        if output is None:
            output = SecBufferDesc(to_allocate(BufferType.TOKEN), to_allocate(BufferType.ALERT))
        else:
            requirements &= ~ALLOCATE_MEMORY
        input = SecBufferDesc(given(BufferType.TOKEN, data), empty()).images() if data else None
        request = LegRequest(input, output.images(), requirements, self.setup.target_name, self.credential)
        result = self.context.step(request)
        output.apply(result.output_writes)
        token = output.first(BufferType.TOKEN)
        return result, (token.data or b"") if token is not None else b""


def pair(*, client: list[str], server: list[str]) -> tuple[Side, Side]:
    setup = build(
        client=parse_settings("client", client), server=parse_settings("server", server), seed=1, clock=1_790_000_000
    )
    return Side(Role.CLIENT, setup.client), Side(Role.SERVER, setup.server)


def roomy(size: int) -> SecBufferDesc:
    return SecBufferDesc(room(BufferType.TOKEN, size), room(BufferType.ALERT, 2))


@pytest.mark.parametrize("tls", ["1.2", "1.3"])
def test_an_alert_without_room_is_kept_for_the_call_with_room(tls: str):
    client, server = pair(client=[f"tls={tls}"], server=["cert=expired"])
    _, hello = client.step(b"")
    _, flight = server.step(hello)
    cramped, nothing = client.step(flight, roomy(3))
    repeated, alert = client.step(flight, roomy(100))
    assert (cramped.status, nothing) == (SecurityStatus.SEC_E_INSUFFICIENT_MEMORY, b"")
    assert repeated.status == SecurityStatus.SEC_E_CERT_EXPIRED
    assert alert[0] == 21
    assert repeated.evidence is not None
    assert repeated.evidence.alert_sent is not None
    assert repeated.evidence.alert_sent.number == 45


def test_a_failed_context_stays_failed_once_its_alert_was_handed_out():
    client, server = pair(client=[], server=["cert=expired"])
    _, hello = client.step(b"")
    _, flight = server.step(hello)
    client.step(flight)
    again, _ = client.step(flight)
    assert again.status == SecurityStatus.SEC_E_OUT_OF_SEQUENCE


def test_a_tls_1_2_client_knows_the_alert_that_it_sends_encrypted():
    client, server = pair(client=["tls=1.2"], server=[])
    _, hello = client.step(b"")
    _, flight = server.step(hello)
    result, token = client.step(flight + flight)
    assert result.status == SecurityStatus.SEC_E_ILLEGAL_MESSAGE
    assert result.evidence is not None
    assert result.evidence.alert_sent is not None
    assert result.evidence.alert_sent.number == 10
    assert token


@pytest.mark.parametrize("target", ["a..b", "*.example", "-x_.example", f"{'a' * 70}.example"])
def test_a_target_that_is_no_host_name_is_an_unknown_target(target: str):
    failure = handshake(client=(f"target={target}",)).failure
    assert failure is not None
    assert failure.status == SecurityStatus.SEC_E_TARGET_UNKNOWN


def test_a_target_may_end_in_a_dot():
    assert handshake(client=("target=localhost.",)).verdict == "ok"
