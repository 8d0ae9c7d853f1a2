"""Print the ratios of the product against its anchors: `python -m tests.benchmarks.run`."""

from __future__ import annotations

import time

from sspicli.journal.journal import Journal
from sspicli.packages.catalog import create_package
from sspicli.packages.certificates import Authority
from sspicli.packages.options import parse_settings
from sspicli.packages.scripted import ScriptedPackage
from sspicli.packages.setup import EndpointSetup, build
from sspicli.runtime.api import no_description, packages_by_name
from sspicli.session.drivers import Plan
from sspicli.session.pair import pair
from sspicli.sspi.package import Role
from tests.benchmarks.bare import BareLoop
from tests.benchmarks.contest import contest, show

HANDSHAKES = 25


def plan(role: Role, setup: EndpointSetup, handshakes: int) -> Plan:
    """Do handshakes with one credential, nothing else."""
    return Plan(
        role=role,
        package="Schannel",
        auth_data=setup.auth_data,
        credential_use=setup.credential_use,
        requirements=setup.requirements,
        target_name=setup.target_name,
        handshakes=handshakes,
    )


def stepped_handshakes() -> None:
    """Compare the stepped runtime, journal in memory and credentials reused, with the bare loop (goal 4)."""
    clock = int(time.time())
    settings = {side: parse_settings(side, ["tls=1.3"]) for side in ("client", "server")}
    setup = build(client=settings["client"], server=settings["server"], seed=1, clock=clock)
    find = packages_by_name({"schannel": create_package("schannel")})
    authority = Authority.create(seed=1, clock=clock)
    bare = BareLoop(authority.issue("valid", "ed25519", name="localhost", usage="server"), authority.root_der)

    def ours() -> int:
        client, server = plan(Role.CLIENT, setup.client, HANDSHAKES), plan(Role.SERVER, setup.server, HANDSHAKES)
        session = pair(client, server, find=find, describe=no_description, journal=Journal())
        assert session.run() == "finished"
        return HANDSHAKES

    def anchor() -> int:
        for _ in range(HANDSHAKES):
            bare.handshake()
        return HANDSHAKES

    show("TLS 1.3 handshake, stepped / bare pyOpenSSL", contest(ours, anchor), 1.06)


def call_cost() -> None:
    """Measure one async call with a package that computes nothing (goal 6: 5 us)."""
    find = packages_by_name({"scripted": ScriptedPackage()})
    handshakes = 100

    def scripted(role: Role) -> Plan:
        return Plan(role, "Scripted", None, 1, 0, handshakes=handshakes)

    best = min(_timed(find, scripted) for _ in range(20))
    calls = handshakes * 6 + 4  # two legs and a delete at each end, and the credentials once
    print(f"{'one async call, scripted package':<46} {best / calls * 1e6:5.1f} us   goal 5 us")


def _timed(find: object, scripted: object) -> float:
    session = pair(
        scripted(Role.CLIENT),  # type: ignore[operator]
        scripted(Role.SERVER),  # type: ignore[operator]
        find=find,  # type: ignore[arg-type]
        describe=no_description,
        journal=Journal(),
    )
    began = time.process_time()
    session.run()
    return time.process_time() - began


if __name__ == "__main__":
    stepped_handshakes()
    call_cost()
