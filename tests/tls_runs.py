"""Real handshakes between two programs of any make, over wires as rough as a network: for the verifier's tests."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache

from sspicli.journal.journal import Journal, Record
from sspicli.packages.catalog import create_package
from sspicli.packages.options import parse_settings
from sspicli.packages.setup import Setup, build
from sspicli.runtime.api import AsyncSspi
from sspicli.runtime.chooser import Chooser
from sspicli.runtime.dispatch import Dispatcher, SteppedDispatcher
from sspicli.session.actions import Driver
from sspicli.session.drivers import Plan, Style, endpoint_program
from sspicli.session.endpoint import Endpoint
from sspicli.session.session import Session
from sspicli.session.wire import MemoryWire, Parcel
from sspicli.sspi.package import Role
from sspicli.sspi.schannel import describe

CLOCK = 1_790_000_000
QUERIES = (0x5A, 0x64)  # connection and cipher info

Program = Callable[[Plan, str], Driver]


class RoughWire(MemoryWire):
    """Cuts what is sent into pieces, and gives what has arrived together, as a network does; its seed says how."""

    def __init__(self, seed: int, most_pieces: int = 4) -> None:
        super().__init__(("client", "server"))
        self._random = random.Random(seed)
        self._most = most_pieces

    def send(self, sender: str, data: bytes, *, is_token: bool) -> Sequence[Parcel]:
        count = min(len(data), self._random.randint(1, self._most))
        cuts = sorted(self._random.sample(range(1, len(data)), count - 1)) if count > 1 else []
        pieces = [data[start:stop] for start, stop in zip([0, *cuts], [*cuts, len(data)], strict=True)]
        return [parcel for piece in pieces for parcel in super(RoughWire, self).send(sender, piece, is_token=is_token)]

    def receive(self, receiver: str) -> tuple[bytes, int] | None:
        return everything(self, receiver) if self._random.random() < 0.5 else super().receive(receiver)


class JoiningWire(MemoryWire):
    """Gives all that has arrived at once."""

    def __init__(self) -> None:
        super().__init__(("client", "server"))

    def receive(self, receiver: str) -> tuple[bytes, int] | None:
        return everything(self, receiver)


def everything(wire: MemoryWire, receiver: str) -> tuple[bytes, int] | None:
    """Take all that has arrived."""
    first = MemoryWire.receive(wire, receiver)
    if first is None or not first[0]:
        return first
    data, cause = first
    while (more := MemoryWire.receive(wire, receiver)) is not None and more[0]:
        data, cause = data + more[0], more[1]
    return data, cause


@lru_cache(maxsize=64)
def settled(client: tuple[str, ...], server: tuple[str, ...]) -> Setup:
    """Settle both sides, once for each pair of settings."""
    return build(client=parse_settings("client", client), server=parse_settings("server", server), seed=7, clock=CLOCK)


def plan(
    role: Role,
    *,
    client: Sequence[str] = (),
    server: Sequence[str] = (),
    style: Style = Style.CALLBACK,
    messages: int = 0,
    handshakes: int = 1,
    allocates: bool = True,
) -> Plan:
    """Plan one side of a real handshake, with settings as the command line takes them."""
    setup = settled(tuple(client), tuple(server))
    mine = setup.client if role is Role.CLIENT else setup.server
    return Plan(
        role,
        "Schannel",
        mine.auth_data,
        mine.credential_use,
        mine.requirements if allocates else mine.requirements & ~0x100,
        target_name=mine.target_name,
        application_protocols=mine.application_protocols,
        style=style,
        handshakes=handshakes,
        messages=messages,
        queries=QUERIES,
    )


def tls_run(
    *,
    client: Sequence[str] = (),
    server: Sequence[str] = (),
    styles: tuple[Style, Style] = (Style.CALLBACK, Style.CALLBACK),
    messages: int = 0,
    handshakes: int = 1,
    allocates: bool = True,
    wire: MemoryWire | None = None,
    chooser: Chooser | None = None,
    dispatcher: Dispatcher | None = None,
    programs: dict[str, Program] | None = None,
    plans: dict[str, Plan] | None = None,
    limit: int = 100_000,
) -> list[Record]:
    """Run two programs to their end; their records."""
    journal, dispatcher = Journal(), dispatcher or SteppedDispatcher()
    package = create_package("schannel")
    endpoints = []
    for role, style in zip(Role, styles, strict=True):
        name = role.value
        mine = (plans or {}).get(name) or plan(
            role,
            client=client,
            server=server,
            style=style,
            messages=messages,
            handshakes=handshakes,
            allocates=allocates,
        )
        api = AsyncSspi(name, find=lambda _: package, describe=describe, journal=journal, dispatcher=dispatcher)
        program = (programs or {}).get(name, endpoint_program)
        endpoints.append(Endpoint(api, program(replace(mine), name)))
    Session(endpoints, journal=journal, dispatcher=dispatcher, chooser=chooser, wire=wire, limit=limit).run()
    return journal.records
