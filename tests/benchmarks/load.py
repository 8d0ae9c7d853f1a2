"""Many sessions against bare connections: speed goals 5 and 7, and the leak run: `python -m tests.benchmarks.load`.

Goal 5: a fleet on 2 workers with sessions in flight, against a bare loop on each of 2 threads. Goal 7: sessions in
flight against as many bare connections in flight, time and memory, and 10,000 in flight against 500. Processor time of
the whole process is compared, so that a busy machine does not decide. Memory is measured in a process of its own for
each contestant: what one frees stays with it.

`python -m tests.benchmarks.load --leak 100000 [--workers 2]` makes that many handshakes and prints, every tenth of
them, the resident set, the threads and the descriptors.
"""

from __future__ import annotations

import argparse
import gc
import os
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from OpenSSL import SSL

from sspicli.analysis.load import Outcome, outcome
from sspicli.analysis.report import Verdict
from sspicli.cli.memory import resident_bytes
from sspicli.journal.journal import Journal
from sspicli.packages.catalog import create_package
from sspicli.packages.certificates import Authority
from sspicli.packages.options import parse_settings
from sspicli.packages.setup import EndpointSetup, build
from sspicli.runtime.api import no_description, packages_by_name
from sspicli.session.drivers import Plan
from sspicli.session.fleet import Credentials, Fleet
from sspicli.session.pair import Blueprint
from sspicli.sspi.package import Role
from tests.benchmarks.bare import BareLoop
from tests.benchmarks.contest import Ratio, contest, show

Judge = Callable[[int, Journal], object]

MANY, FEW = 10_000, 500
SEED = 1


def blueprint() -> Blueprint:
    """Plan TLS 1.3 handshakes with throw-away certificates, and nothing else."""
    settings = {side: parse_settings(side, ["tls=1.3"]) for side in ("client", "server")}
    setup = build(client=settings["client"], server=settings["server"], seed=SEED, clock=int(time.time()))
    return Blueprint(
        client=_plan(Role.CLIENT, setup.client),
        server=_plan(Role.SERVER, setup.server),
        find=packages_by_name({"schannel": create_package("schannel")}),
        describe=no_description,
    )


def _plan(role: Role, setup: EndpointSetup) -> Plan:
    return Plan(
        role=role,
        package="Schannel",
        auth_data=setup.auth_data,
        credential_use=setup.credential_use,
        requirements=setup.requirements,
        target_name=setup.target_name,
    )


def keep_nothing(number: int, journal: Journal) -> int:
    """Judge nothing: for what the sessions alone cost."""
    return number


def glance(number: int, journal: Journal) -> Outcome:
    """Judge as `handshake --count` does with `--judge failed`."""
    return outcome(number, journal.records, judges=False)


def by_rules(number: int, journal: Journal) -> Outcome:
    """Judge as `handshake --count` does."""
    return outcome(number, journal.records, judges=True)


class Flown:
    """A pair of credentials, and fleets over it."""

    def __init__(self) -> None:
        self._plan = blueprint()
        self.journal = Journal()
        self._credentials = Credentials(self._plan, self.journal)
        assert self._credentials.acquire(), "the credentials of this benchmark are good"

    def fleet(self, total: int, *, in_flight: int = 1, workers: int = 0, judge: Judge = keep_nothing) -> Fleet[object]:
        """Make a fleet."""
        return Fleet(self._plan, self._credentials.loans, judge, total=total, in_flight=in_flight, workers=workers)

    def fly(self, total: int, *, in_flight: int = 1, workers: int = 0, judge: Judge = keep_nothing) -> int:
        """Run that many sessions; how many came to their end."""
        return sum(1 for _ in self.fleet(total, in_flight=in_flight, workers=workers, judge=judge).run())

    def free(self) -> str:
        """Free the credentials; how that ended."""
        return self._credentials.free()


class BareConnections:
    """Bare connections in flight: each step of a handshake for all of them, then the next step."""

    def __init__(self) -> None:
        authority = Authority.create(seed=SEED, clock=int(time.time()))
        self._loop = BareLoop(authority.issue("valid", "ed25519", name="localhost", usage="server"), authority.root_der)

    def handshake(self) -> None:
        """Make one handshake after the other."""
        self._loop.handshake()

    def fly(self, total: int, *, in_flight: int) -> int:
        """Make `total` handshakes, a queue of `in_flight` taking turns."""
        queue = deque(self._loop.steps() for _ in range(in_flight))
        begun = len(queue)
        while queue:
            steps = queue.popleft()
            if next(steps, None) is not None:
                queue.append(steps)
            elif begun < total:
                begun += 1
                queue.append(self._loop.steps())
            self._loop.lines.clear()
        return total
