"""From checked settings to what the two endpoints are given: one place for the command line and for scenarios."""

from __future__ import annotations

import platform
import time
from collections.abc import Mapping
from datetime import UTC, datetime

from sspicli import __version__
from sspicli.journal import events as ev
from sspicli.packages.setup import EndpointSetup, Setup
from sspicli.session.drivers import Plan, Style
from sspicli.sspi.attributes import ContextAttribute
from sspicli.sspi.errors import UsageError
from sspicli.sspi.package import Role, SecurityPackage

# What a handshake asks its security contexts afterwards.
QUERIES = (
    ContextAttribute.CONNECTION_INFO,
    ContextAttribute.CIPHER_INFO,
    ContextAttribute.SESSION_INFO,
    ContextAttribute.APPLICATION_PROTOCOL,
    ContextAttribute.STREAM_SIZES,
    ContextAttribute.REMOTE_CERT_CONTEXT,
    ContextAttribute.REMOTE_CERT_CHAIN,
    ContextAttribute.ENDPOINT_BINDINGS,
    ContextAttribute.UNIQUE_BINDINGS,
)


def with_tls(pairs: tuple[str, ...], tls: str | None) -> tuple[str, ...]:
    """Let one TLS version count for a side that has not set its own."""
    has_own = any(one.partition("=")[0].strip().lower() == "tls" for one in pairs)
    return pairs if tls is None or has_own else (*pairs, f"tls={tls}")


def plan_of(
    role: Role, setup: EndpointSetup, package: SecurityPackage, *, mode: str, messages: int, handshakes: int
) -> Plan:
    """Say what one endpoint is to do."""
    return Plan(
        role=role,
        package=package.name,
        auth_data=setup.auth_data,
        credential_use=setup.credential_use,
        requirements=setup.requirements,
        target_name=setup.target_name,
        application_protocols=setup.application_protocols,
        style=_style(mode, role),
        handshakes=handshakes,
        messages=messages,
        queries=QUERIES,
    )


def handshakes_of(setup: Setup) -> int:
    """Count the handshakes: a resumption needs one to resume from."""
    return 2 if setup.client.resume and setup.server.resume else 1


def _style(mode: str, role: Role) -> Style:
    """Give the side its style; the documentation's sample is a server, and its client uses callbacks."""
    return Style.CALLBACK if mode == "sample" and role is Role.CLIENT else Style(mode)


def read_clock(text: str | None, *, where: str) -> int:
    """Read Unix seconds, or a UTC time in ISO 8601; now, when nothing is given."""
    if text is None:
        return int(time.time())
    if text.isdecimal() and len(text) < 12:
        return int(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(
            f"{text!r} is no time", where=where, help="write 2026-11-22T12:00:00Z, or Unix seconds"
        ) from None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def run_started(
    package: SecurityPackage, setup: Setup, *, clock: int, seed: int, has_secrets: bool, options: Mapping[str, object]
) -> ev.RunStarted:
    """Say who makes the journal, with what, and with which options."""
    notes = {"client.note": setup.client.cert_note, "server.note": setup.server.cert_note}
    return ev.RunStarted(
        tool=f"sspi-async {__version__}",
        package=package.name,
        engine=package.engine,
        platform=f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        started=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        clock=clock,
        seed=seed,
        has_secrets=has_secrets,
        options={**options, **notes},
    )
