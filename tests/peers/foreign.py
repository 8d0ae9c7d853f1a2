"""Handshakes between outside programs, for what the product does not do itself: a relay keeps the bytes.

OpenSSL's command line renegotiates, updates keys, authenticates after the handshake, sends early data, staples OCSP
responses; GnuTLS offers extensions of its own and compresses certificates.
"""

from __future__ import annotations

import base64
import socket
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from tests.peers.capture import Sent
from tests.peers.identities import ocsp_response, sct_list, self_signed
from tests.peers.programs import Program
from tests.peers.relay import Relay
from tests.peers.socket_session import LOOPBACK, Files

OPENSSL = ("openssl", "openssl")
GREETING = "hello from the "
PSK = "0123456789abcdef0123456789abcdef"
_PEER = {"client": "server", "server": "client"}


class Step(NamedTuple):
    """Somebody types a line, and `hears` (None: the peer) prints what `pattern` describes."""

    who: str
    says: str
    pattern: str
    hears: str | None = None


class Foreign(NamedTuple):
    """A conversation: programs, their options, who shows which key, and what is typed.

    `{folder}` in an option is where the files stand. `first` are the options of a connection before the one that is
    kept, which resumes it; None for no such connection. `fails` says that no greeting can come through; `has` names
    messages of our reading, as often as they must come.
    """

    server: tuple[str, ...] = ()
    client: tuple[str, ...] = ()
    by: tuple[str, str] = OPENSSL  # the server's program, the client's
    key: str | None = "p256"
    is_rich: bool = False
    client_key: str | None = None
    steps: tuple[Step, ...] = ()
    first: tuple[str, ...] | None = None
    fails: bool = False
    has: tuple[str, ...] = ("ApplicationData",)


class Conversation(NamedTuple):
    """What the last connection carried, and the key log of all."""

    sent: list[Sent]
    secrets: list[str]


def converse(recipe: Foreign, folder: Path) -> Conversation:
    """Let the programs talk as the recipe says."""
    folder.mkdir()
    (folder / "early").write_text("the early bird")
    (folder / "serverinfo.pem").write_text(_serverinfo())
    secrets = folder / "secrets"
    own = _identity(folder, recipe.key, "server", is_rich=recipe.is_rich)
    mine = _identity(folder, recipe.client_key, "client", is_rich=False)
    connections = [recipe.client] if recipe.first is None else [recipe.first, recipe.client]
    with ExitStack() as stack:
        server, port = _serve(recipe, own, stack, folder=folder, connections=len(connections))
        relay = stack.enter_context(Relay(port, connections=len(connections)))
        for number, options in enumerate(connections):
            is_last = number == len(connections) - 1
            words = _words(folder, [*_client_words(recipe.by[1], relay.port), *options])
            with Program(recipe.by[1], *words, *_files(recipe.by[1], mine, is_server=False), secrets=secrets) as client:
                _talk(recipe, {"server": server, "client": client}, recipe.steps if is_last else ())
        carried = relay.finish()
    assert len(carried) == len(connections), "every connection went through the relay"
    return Conversation(carried[-1], secrets.read_text().splitlines() if secrets.exists() else [])


def _serverinfo() -> str:
    """Write extensions for s_server to answer with, two lists of SCTs and one that nobody knows.

    Each begins with where it may stand: in a ClientHello, and in a ServerHello or a Certificate.
    """
    in_certificate, in_encrypted_extensions = 0x0080 | 0x1100, 0x0080 | 0x0500
    entries = ((in_certificate, 18, sct_list()), (in_encrypted_extensions, 1234, b"custom"))
    text = ""
    for context, number, data in entries:
        entry = context.to_bytes(4, "big") + number.to_bytes(2, "big") + len(data).to_bytes(2, "big") + data
        lines = base64.encodebytes(entry).decode()
        text += f"-----BEGIN SERVERINFOV2 FOR tests-----\n{lines}-----END SERVERINFOV2 FOR tests-----\n"
    return text


def _talk(recipe: Foreign, programs: dict[str, Program], steps: Sequence[Step]) -> None:
    """Greet from both sides, take the steps, and hang up at the client's side."""
    if not recipe.fails:
        echoes = recipe.by[0] == "gnutls-serv"
        _take(Step("client", f"{GREETING}client\n", f"{GREETING}client", "client" if echoes else None), programs)
        if not echoes:
            _take(Step("server", f"{GREETING}server\n", f"{GREETING}server"), programs)
        for step in steps:
            _take(step, programs)
        programs["client"].hang_up()
    programs["client"].finish()


def _take(step: Step, programs: dict[str, Program]) -> None:
    programs[step.who].say(step.says)
    programs[step.hears or _PEER[step.who]].wait_for(step.pattern)


def _serve(
    recipe: Foreign, own: Files | None, stack: ExitStack, *, folder: Path, connections: int
) -> tuple[Program, int]:
    """Start the server; where it listens."""
    name, secrets, more = recipe.by[0], folder / "secrets", _words(folder, recipe.server)
    files = _files(name, own, is_server=True)
    if name == "openssl":
        words = ("s_server", "-accept", f"{LOOPBACK}:0", "-naccept", str(connections), "-keylogfile", secrets)
        program = stack.enter_context(Program(name, *words, *files, *more))
        return program, int(program.wait_for(r"^ACCEPT \S*:(\d+)$")[1])
    with socket.create_server((LOOPBACK, 0)) as probe:
        port: int = probe.getsockname()[1]
    program = stack.enter_context(Program(name, "--echo", "--port", str(port), *files, *more, secrets=secrets))
    program.wait_for(r"listening on IPv4 .*done")
    return program, port


def _client_words(name: str, port: int) -> list[str]:
    """Say how a client is told to connect to the relay; whom it trusts is not the subject."""
    if name == "openssl":
        return ["s_client", "-connect", f"{LOOPBACK}:{port}", "-keylogfile", "{folder}/secrets"]
    return ["--insecure", "--port", str(port), "--sni-hostname=localhost", LOOPBACK]


def _words(folder: Path, options: Sequence[str]) -> list[str]:
    return [one.replace("{folder}", str(folder)) for one in options]


def _identity(folder: Path, key: str | None, name: str, *, is_rich: bool) -> Files | None:
    if key is None:
        return None
    (folder / name).mkdir()
    files = self_signed(folder / name, key, is_rich=is_rich)
    if is_rich:
        (folder / name / "ocsp.der").write_bytes(ocsp_response(files))
    return files


def _files(name: str, files: Files | None, *, is_server: bool) -> list[str]:
    """Say with which certificate a program is to show itself."""
    if files is None:
        return ["-nocert"] if is_server and name == "openssl" else []
    if name == "openssl":
        return ["-cert", str(files.leaf), "-key", str(files.key)]
    return [f"--x509certfile={files.leaf}", f"--x509keyfile={files.key}"]
