"""The stepped runtime on real handshakes against the bare loop on the same engine (goals 4 and 4b)."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from sspicli.journal.journal import Journal
from sspicli.journal.recording import RecordingWriter
from sspicli.packages.catalog import create_package
from sspicli.packages.certificates import Authority
from sspicli.packages.options import parse_settings
from sspicli.packages.setup import build
from sspicli.runtime.api import no_description, packages_by_name
from sspicli.session.pair import pair
from sspicli.sspi.package import Role
from tests.benchmarks.bare import BareLoop
from tests.benchmarks.contest import contest, show
from tests.benchmarks.load import plan

HANDSHAKES = 25


def stepped() -> None:
    """Compare one session after another, journal in memory or in a file, credentials reused, with the bare loop."""
    clock = int(time.time())
    authority = Authority.create(seed=1, clock=clock)
    bare = BareLoop(authority.issue("valid", "ed25519", name="localhost", usage="server"), authority.root_der)
    run = _runner(clock)

    def anchor() -> int:
        for _ in range(HANDSHAKES):
            bare.handshake()
        return HANDSHAKES

    show("TLS 1.3 handshake, stepped / bare pyOpenSSL", contest(lambda: run(Journal()), anchor), 1.06)
    with tempfile.TemporaryDirectory() as folder:
        names = iter(range(1_000_000))

        def recorded() -> int:
            journal = Journal()
            writer = RecordingWriter(Path(folder) / f"{next(names)}.sspirec", include_secrets=False, warn=print)
            journal.subscribe(writer)
            run(journal)
            writer.close()
            return HANDSHAKES

        show("the same with a recording / bare pyOpenSSL", contest(recorded, anchor), 1.6)


def _runner(clock: int) -> Callable[[Journal], int]:
    settings = {side: parse_settings(side, ["tls=1.3"]) for side in ("client", "server")}
    setup = build(client=settings["client"], server=settings["server"], seed=1, clock=clock)
    find = packages_by_name({"schannel": create_package("schannel")})

    def run(journal: Journal) -> int:
        client = plan(Role.CLIENT, setup.client, handshakes=HANDSHAKES)
        server = plan(Role.SERVER, setup.server, handshakes=HANDSHAKES)
        session = pair(client, server, find=find, describe=no_description, journal=journal)
        assert session.run() == "finished"
        return HANDSHAKES

    return run
