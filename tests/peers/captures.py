"""The captures: each kind made once, all of them read by tshark in one run."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from sspicli.analysis.report import Report, report
from sspicli.journal import events as ev
from sspicli.journal.journal import Journal, Record
from sspicli.packages.catalog import create_package
from sspicli.session.pair import pair
from sspicli.sspi.package import Role
from sspicli.sspi.records import HANDSHAKE
from sspicli.sspi.schannel import describe
from sspicli.tokens.tls import TlsMessage, TlsReader, TlsRecord
from tests.peers.capture import Sent, write_capture
from tests.peers.foreign import converse
from tests.peers.identities import self_signed
from tests.peers.kinds import FOREIGN, KINDS, Kind
from tests.peers.socket_session import make_plan, make_setup
from tests.peers.tshark import Dissected, dissect

FIRST_PORT = 40_000


class Made(NamedTuple):
    """A connection: its tokens, and all secrets; `outcome` is the product's report, None between outside programs."""

    port: int
    sent: list[Sent]
    secrets: list[str]
    outcome: Report | None = None


class Captures(NamedTuple):
    """Every connection of the catalogue, and what tshark says of it."""

    made: dict[str, Made]
    dissected: dict[str, Dissected]


class Reading(NamedTuple):
    """What our reader says of a connection, each thing with its sender."""

    records: list[tuple[str, TlsRecord]]
    messages: list[tuple[str, TlsMessage]]

    @property
    def handshake(self) -> list[tuple[str, TlsMessage]]:
        """The whole handshake messages that could be opened."""
        return [one for one in self.messages if one[1].content_type == HANDSHAKE and one[1].name != "Encrypted"]


def read(made: Made, *, at_once: int = 0) -> Reading:
    """Read a connection with our reader, each token whole, or `at_once` bytes of it at a time."""
    reader = TlsReader()
    for line in made.secrets:
        reader.add_secret(line)
    records: list[tuple[str, TlsRecord]] = []
    messages: list[tuple[str, TlsMessage]] = []
    for sender, data in made.sent:
        size = at_once or len(data)
        for start in range(0, len(data), size):
            token = reader.read_token(sender, data[start : start + size])
            records += [(sender, one) for one in token.records]
            messages += [(sender, one) for one in token.messages if one.name != "Partial"]
    return Reading(records, messages)


def make_all(folder: Path) -> dict[str, Made]:
    """Make every connection of the catalogue."""
    files = folder / "files"
    files.mkdir()
    for key in ("p256", "p384", "p521", "ed448", "rsa"):
        self_signed(files, key)
    self_signed(files, "rsa", name="rich", is_rich=True, years=40)
    # gnutls-serv cannot pick its own port, so nothing else may be looking for one while it starts.
    gnutls = {name: _converse(name, folder) for name, recipe in FOREIGN.items() if recipe.by[0] == "gnutls-serv"}
    with ThreadPoolExecutor(4) as pool:
        others = {name: pool.submit(_converse, name, folder) for name in FOREIGN if name not in gnutls}
        made = {name: make(kind, _port(name), files) for name, kind in KINDS.items()}
    return made | gnutls | {name: other.result() for name, other in others.items()}


def _port(name: str) -> int:
    """Tell connections apart in the capture."""
    return FIRST_PORT + [*KINDS, *FOREIGN].index(name)


def _converse(name: str, folder: Path) -> Made:
    sent, secrets = converse(FOREIGN[name], folder / f"foreign-{_port(name)}")
    return Made(_port(name), sent, secrets)


def dissect_all(made: dict[str, Made], folder: Path) -> dict[str, Dissected]:
    """Have all connections read by tshark."""
    write_capture(folder / "tokens.pcap", [(one.port, one.sent) for one in made.values()])
    (folder / "secrets").write_text("".join(f"{line}\n" for one in made.values() for line in one.secrets))
    dissected = dissect(folder, [one.port for one in made.values()])
    return {name: dissected[one.port] for name, one in made.items()}


def make(kind: Kind, port: int, files: Path) -> Made:
    """Make a handshake through the product, as the command line does, and keep its last connection."""
    client, server = (_settings(one, files) for one in ((f"tls={kind.tls}", *kind.client), kind.server))
    setup = make_setup(client=client, server=server)
    handshakes = 2 if kind.resumes else 1
    package, journal = create_package("Schannel"), Journal()
    plans = [make_plan(role, setup, handshakes=handshakes, messages=kind.messages) for role in Role]
    pair(*plans, find=lambda _: package, describe=describe, journal=journal).run()
    return Made(port, _sent(handshakes, journal.records), _secrets(journal.records), report(journal.records))


def _settings(settings: Sequence[str], files: Path) -> list[str]:
    return [one.replace("{folder}", str(files)) for one in settings]


def _sent(number: int, records: list[Record]) -> list[Sent]:
    """Give what was sent in one handshake of a run; each endpoint goes from one to the next in its own time."""
    at: dict[str, int] = {}
    sent = []
    for record in records:
        if isinstance(record.event, ev.HandshakeBegan):
            at[record.actor] = record.event.number
        elif isinstance(record.event, ev.TokenSent) and at[record.actor] == number:
            sent.append(Sent(record.actor, record.event.data))
    return sent


def _secrets(records: list[Record]) -> list[str]:
    return [record.event.line for record in records if isinstance(record.event, ev.KeyLogged)]
