"""Both ends of a real session export the same keying material, asked for through the runtime."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest

from sspicli.journal import events as ev
from sspicli.journal.journal import Journal
from sspicli.journal.redact import redacted
from sspicli.packages.catalog import create_package
from sspicli.packages.options import parse_settings
from sspicli.packages.setup import build
from sspicli.runtime.api import no_description, packages_by_name
from sspicli.session import drivers
from sspicli.session.actions import Action, DeleteSecurityContext, Driver, QueryContextAttributes, SetContextAttributes
from sspicli.session.drivers import Plan
from sspicli.session.pair import pair
from sspicli.sspi.attributes import ContextAttribute
from sspicli.sspi.package import Role
from sspicli.sspi.status import SecurityStatus

ASKED: dict[str, object] = {"pszLabel": "EXPORTER-sspicli-test", "cbKeyingMaterial": 32, "pbContextValue": None}


def exporting(driver: Driver) -> Generator[Action, Any, None]:
    """Run a driver, and export keying material right before it deletes its security context."""
    outcome: object = None
    while True:
        try:
            action = driver.send(outcome)
        except StopIteration:
            return
        if isinstance(action, DeleteSecurityContext):
            handle = action.security_context.value
            yield SetContextAttributes(handle, ContextAttribute.KEYING_MATERIAL_INFO, ASKED)
            yield QueryContextAttributes(handle, ContextAttribute.KEYING_MATERIAL)
        outcome = yield action


@pytest.mark.parametrize("tls", ["1.2", "1.3"])
def test_both_ends_export_the_same_secret_and_it_is_masked_in_recordings(tls: str):
    setup = build(
        client=parse_settings("client", [f"tls={tls}"]),
        server=parse_settings("server", []),
        seed=1,
        clock=1_790_000_000,
    )
    journal = Journal()
    plans = [
        Plan(role, "Schannel", side.auth_data, side.credential_use, side.requirements, side.target_name)
        for role, side in ((Role.CLIENT, setup.client), (Role.SERVER, setup.server))
    ]
    find = packages_by_name({"schannel": create_package("schannel")})
    session = pair(*plans, find=find, describe=no_description, journal=journal, program=exported)
    assert session.run() == "finished"
    told = [one.event for one in journal.records if isinstance(one.event, ev.AttributeQueried)]
    secrets = {str(one.fields["pbKeyingMaterial"]) for one in told}
    assert [one.status for one in told] == [SecurityStatus.SEC_E_OK] * 2
    assert len(secrets) == 1
    assert all(secret not in str(redacted(one)) for one in told for secret in secrets)


def exported(plan: Plan, name: str) -> Driver:
    return exporting(drivers.endpoint_program(plan, name))
