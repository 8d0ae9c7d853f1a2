"""Wireshark's dissector as the second reader: our tokens in a capture, message by message as `TlsReader` has them."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from sspicli.analysis.report import Report, report
from sspicli.journal import events as ev
from sspicli.journal.journal import Journal, Record
from sspicli.packages.catalog import create_package
from sspicli.session.pair import pair
from sspicli.sspi.package import Role
from sspicli.sspi.records import ALERT, APPLICATION_DATA, CHANGE_CIPHER_SPEC, HANDSHAKE
from sspicli.sspi.schannel import describe
from sspicli.sspi.status import SecurityStatus
from sspicli.tokens.tls import TlsMessage, TlsReader
from sspicli.tokens.tls_hello import hello_facts
from tests.peers.capture import SERVER_PORT, Sent, write_capture
from tests.peers.programs import run
from tests.peers.socket_session import make_plan, make_setup

pytestmark = pytest.mark.peer

FIRST_PORT = 40_000
RETRY_RANDOM = hashlib.sha256(b"HelloRetryRequest").hexdigest()  # RFC 8446, 4.1.3
S = SecurityStatus


class Tree(NamedTuple):
    """A dissection: names and what they stand for, in order; a name may come again."""

    parts: list[tuple[str, Tree | str]]


class Kind(NamedTuple):
    """A handshake to make: settings, and what it must be for the comparison to be about it."""

    tls: str
    client: tuple[str, ...] = ()
    server: tuple[str, ...] = ()
    messages: int = 0
    resumes: bool = False
    statuses: tuple[SecurityStatus, SecurityStatus] = (S.SEC_E_OK, S.SEC_E_OK)
    has: str = "Finished"


KINDS = {
    "full 1.3": Kind("1.3"),
    "full 1.2": Kind("1.2"),
    "resumed 1.3": Kind("1.3", ("resume=ticket",), resumes=True),
    "resumed 1.2": Kind("1.2", ("resume=ticket",), resumes=True),
    "retried": Kind("1.3", ("groups=x25519,secp256r1",), ("groups=secp256r1",), has="HelloRetryRequest"),
    "mutual 1.3": Kind("1.3", ("cert=valid",), ("request-cert=require",), has="CertificateRequest"),
    "mutual 1.2": Kind("1.2", ("cert=valid",), ("request-cert=require",), has="CertificateRequest"),
    "anonymous 1.3": Kind("1.3", (), ("request-cert=yes",), has="CertificateRequest"),
    "alpn 1.3": Kind("1.3", ("alpn=h2,http/1.1",), ("alpn=http/1.1",)),
    "alpn 1.2": Kind("1.2", ("alpn=h2,http/1.1",), ("alpn=http/1.1",)),
    "p256 1.3": Kind("1.3", (), ("key=p256",)),
    "p256 1.2": Kind("1.2", (), ("key=p256",)),
    "rsa2048 1.3": Kind("1.3", (), ("key=rsa2048",)),
    "rsa2048 1.2": Kind("1.2", (), ("key=rsa2048",)),
    "long chain": Kind("1.3", (), ("cert=long-chain",)),
    "large 1.3": Kind("1.3", (), ("cert=large",)),
    "large 1.2": Kind("1.2", (), ("cert=large",)),
    "chacha 1.3": Kind("1.3", ("suites=TLS_CHACHA20_POLY1305_SHA256",), messages=1),
    "chacha 1.2": Kind("1.2", ("suites=TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",), messages=1),
    "aes128 1.3": Kind("1.3", ("suites=TLS_AES_128_GCM_SHA256",), messages=1),
    "data 1.3": Kind("1.3", messages=3),
    "data 1.2": Kind("1.2", messages=3),
    "expired 1.3": Kind(
        "1.3",
        (),
        ("cert=expired",),
        statuses=(S.SEC_E_CERT_EXPIRED, S.SEC_E_CERT_EXPIRED),
        has="Alert fatal certificate_expired",
    ),
    "expired 1.2": Kind(
        "1.2",
        (),
        ("cert=expired",),
        statuses=(S.SEC_E_CERT_EXPIRED, S.SEC_E_CERT_EXPIRED),
        has="Alert fatal certificate_expired",
    ),
    "refused client": Kind(
        "1.3",
        (),
        ("request-cert=require",),
        statuses=(S.SEC_E_OK, S.SEC_I_INCOMPLETE_CREDENTIALS),
        has="Alert fatal certificate_required",
    ),
    "no common protocol": Kind(
        "1.3",
        ("alpn=h2",),
        ("alpn=http/1.1",),
        statuses=(S.SEC_E_APPLICATION_PROTOCOL_MISMATCH, S.SEC_E_APPLICATION_PROTOCOL_MISMATCH),
        has="Alert fatal no_application_protocol",
    ),
    "no common group": Kind(
        "1.3",
        ("groups=x25519",),
        ("groups=secp256r1",),
        statuses=(S.SEC_E_ILLEGAL_MESSAGE, S.SEC_E_ALGORITHM_MISMATCH),
        has="Alert fatal handshake_failure",
    ),
}


class Made(NamedTuple):
    """A handshake that was made: its last connection's tokens, all its secrets, and what the report says."""

    port: int
    sent: list[Sent]
    secrets: list[str]
    outcome: Report


class Seen(NamedTuple):
    """One thing in a connection, as either reader names it."""

    sender: str
    what: str
    is_protected: bool


class Dissected(NamedTuple):
    """What tshark says of one connection."""

    seen: list[Seen]
    fields: dict[str, list[str]]  # by field, all values of the connection in order
    plaintext: dict[str, bytes]


@pytest.fixture(scope="module")
def made() -> dict[str, Made]:
    """Make all handshakes, once."""
    return {name: make(kind, FIRST_PORT + number) for number, (name, kind) in enumerate(KINDS.items())}


@pytest.fixture(scope="module")
def dissected(made: dict[str, Made], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Dissected]:
    """Have them all read by tshark, once."""
    folder = tmp_path_factory.mktemp("tshark")
    write_capture(folder / "tokens.pcap", [(one.port, one.sent) for one in made.values()])
    (folder / "secrets").write_text("".join(f"{line}\n" for one in made.values() for line in one.secrets))
    packets = dissect(folder)
    plaintexts = follow(folder, len(KINDS))
    return {
        name: read_packets(packets, made[name].port, kind.tls, plaintexts[number])
        for number, (name, kind) in enumerate(KINDS.items())
    }


def make(kind: Kind, port: int) -> Made:
    """Make a handshake through the product, as the command line does, and keep its last connection."""
    setup = make_setup(client=[f"tls={kind.tls}", *kind.client], server=kind.server)
    handshakes = 2 if kind.resumes else 1
    package, journal = create_package("Schannel"), Journal()
    plans = [make_plan(role, setup, handshakes=handshakes, messages=kind.messages) for role in Role]
    pair(*plans, find=lambda _: package, describe=describe, journal=journal).run()
    sent = sent_in_handshake(handshakes, journal.records)
    return Made(port, sent, secrets_of(journal.records), report(journal.records))


def sent_in_handshake(number: int, records: list[Record]) -> list[Sent]:
    """Give what was sent in one handshake of a run; each endpoint goes from one to the next in its own time."""
    at: dict[str, int] = {}
    sent = []
    for record in records:
        if isinstance(record.event, ev.HandshakeBegan):
            at[record.actor] = record.event.number
        elif isinstance(record.event, ev.TokenSent) and at[record.actor] == number:
            sent.append(Sent(record.actor, record.event.data))
    return sent


def secrets_of(records: list[Record]) -> list[str]:
    return [record.event.line for record in records if isinstance(record.event, ev.KeyLogged)]


# -- tshark ------------------------------------------------------------------------------------------------------------
def tshark(folder: Path, *arguments: str) -> str:
    secrets = f"tls.keylog_file:{folder / 'secrets'}"
    checks = ("-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE")
    ended = run("tshark", "-r", folder / "tokens.pcap", "-o", secrets, *checks, *arguments, home=folder)
    assert ended.code == 0, ended.text
    return ended.text


def dissect(folder: Path) -> list[Tree]:
    """Read every packet that carries TLS, as a tree that keeps order and repeated names."""
    assert (
        tshark(folder, "-Y", "tcp.analysis.flags || tcp.checksum.status == 0 || ip.checksum.status == 0").count("→")
        == 0
    )
    text = tshark(folder, "-T", "json", "-Y", "tls")
    decoded: list[Tree] = json.JSONDecoder(object_pairs_hook=as_tree).raw_decode(text)[0]
    return decoded


def follow(folder: Path, count: int) -> dict[int, dict[str, bytes]]:
    """Read what each connection's application data says, by sender."""
    asked = [word for number in range(count) for word in ("-z", f"follow,tls,raw,{number}")]
    parts = tshark(folder, "-q", *asked).split("Follow: tls,raw\nFilter: tcp.stream eq ")[1:]
    assert len(parts) == count, "tshark follows every connection that it was asked to"
    return {int(part.partition("\n")[0]): read_followed(part.partition("\n")[2]) for part in parts}


def read_followed(part: str) -> dict[str, bytes]:
    """Read one followed connection; the lines of its second node begin with a tab."""
    server_is_first = re.search(rf"^Node 0: .*:{SERVER_PORT}$", part, re.MULTILINE) is not None
    said = {"client": b"", "server": b""}
    for indent, digits in re.findall(r"^(\t?)((?:[0-9a-f]{2})+)$", part, re.MULTILINE):
        said["server" if server_is_first is (not indent) else "client"] += bytes.fromhex(digits)
    return said


def read_packets(packets: list[Tree], port: int, tls: str, plaintext: dict[str, bytes]) -> Dissected:
    """Read one connection's packets."""
    seen: list[Seen] = []
    fields: dict[str, list[str]] = {}
    for packet in packets:
        leaves = list(walk(packet))
        ports = [int(value) for name, value in leaves if name in ("tcp.srcport", "tcp.dstport")]
        if port not in ports:
            continue
        sender = "client" if ports[0] == port else "server"
        for name, value in leaves:
            fields.setdefault(name, []).append(value)
        for record in subtrees(packet, "tls.record"):
            changed = tls == "1.2" and Seen(sender, "ChangeCipherSpec", False) in seen
            seen += read_record(record, sender, is_protected=changed)
    return Dissected(seen, fields, plaintext)


def read_record(record: Tree, sender: str, *, is_protected: bool) -> Iterator[Seen]:
    """Name what a record carries; in TLS 1.3 an opaque type says that it was protected."""
    leaves = list(walk(record))
    is_protected |= any(name == "tls.record.opaque_type" for name, _ in leaves)
    content_types = {int(value) for name, value in leaves if name == "tls.record.content_type"}
    for message in subtrees(record, "tls.handshake"):
        inside = dict(walk(message))
        if "tls.handshake.type" in inside:
            is_retry = inside.get("tls.handshake.random", "").replace(":", "") == RETRY_RANDOM
            what = named_handshake(int(inside["tls.handshake.type"]), int(inside["tls.handshake.length"]), is_retry)
            yield Seen(sender, what, is_protected)
    for alert in subtrees(record, "tls.alert_message"):
        inside = dict(walk(alert))
        yield Seen(
            sender, f"Alert {inside['tls.alert_message.level']} {inside['tls.alert_message.desc']}", is_protected
        )
    if CHANGE_CIPHER_SPEC in content_types:
        yield Seen(sender, "ChangeCipherSpec", False)
    if APPLICATION_DATA in content_types:
        yield Seen(sender, "ApplicationData", is_protected)


def as_tree(pairs: list[tuple[str, object]]) -> Tree:
    """Make a tree of a JSON object; an array's elements have the array's name."""
    parts: list[tuple[str, Tree | str]] = []
    for name, value in pairs:
        values = value if isinstance(value, list) else [value]
        parts += [(name, one if isinstance(one, Tree) else str(one)) for one in values]
    return Tree(parts)


def walk(tree: Tree) -> Iterator[tuple[str, str]]:
    """Give every leaf with its name, in order."""
    for name, value in tree.parts:
        if isinstance(value, str):
            yield name, value
        else:
            yield from walk(value)


def subtrees(tree: Tree, wanted: str) -> Iterator[Tree]:
    """Give every subtree of a name, in order."""
    for name, value in tree.parts:
        if isinstance(value, Tree):
            if name == wanted:
                yield value
            else:
                yield from subtrees(value, wanted)


# -- our reader --------------------------------------------------------------------------------------------------------
def read_tokens(one: Made) -> list[tuple[str, TlsMessage]]:
    reader = TlsReader()
    for line in one.secrets:
        reader.add_secret(line)
    return [(sender, message) for sender, token in one.sent for message in reader.read(sender, token)]


def seen_by_us(sender: str, message: TlsMessage) -> Seen:
    """Name a message by its bytes, not by the name our reader gives it."""
    if message.content_type == HANDSHAKE and message.name not in ("Partial", "Encrypted"):
        is_retry = message.name == "HelloRetryRequest"
        what = named_handshake(message.body[0], len(message.body) - 4, is_retry)
    elif message.content_type == ALERT and message.name != "Encrypted":
        what = f"Alert {message.body[0]} {message.body[1]}"
    else:
        what = message.name
    return Seen(sender, what, message.encrypted)


def named_handshake(number: int, length: int, is_retry: bool) -> str:
    return f"handshake {number} of {length} bytes{' that asks to try again' if is_retry else ''}"


# -- the comparison ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", KINDS)
def test_the_handshake_is_of_its_kind(made, name):
    kind, outcome = KINDS[name], made[name].outcome
    assert tuple(outcome.endpoints[side].status for side in ("client", "server")) == kind.statuses
    assert outcome.is_resumed is kind.resumes
    assert kind.has in [message.name for _, message in read_tokens(made[name])]


@pytest.mark.parametrize("sender", ["client", "server"])
@pytest.mark.parametrize("name", KINDS)
def test_tshark_reads_the_messages_that_we_read(made, dissected, name, sender):
    ours = [seen_by_us(*one) for one in read_tokens(made[name])]
    assert [one for one in ours if one.sender == sender] == [
        one for one in dissected[name].seen if one.sender == sender
    ]


@pytest.mark.parametrize("name", [name for name, kind in KINDS.items() if kind.messages])
def test_tshark_decrypts_the_plaintext_that_was_protected(dissected, name):
    numbers = range(1, KINDS[name].messages + 1)
    expected = {side: "".join(f"message {one} from the {side}" for one in numbers) for side in ("client", "server")}
    assert {side: said.decode() for side, said in dissected[name].plaintext.items()} == expected


@pytest.mark.parametrize("name", KINDS)
def test_tshark_reads_the_hellos_as_we_do(made, dissected, name):
    messages = [message for _, message in read_tokens(made[name])]
    ours = [facts for one in messages if (facts := hello_facts(one.body)) and one.name.endswith("Hello")]
    fields = dissected[name].fields
    offered = ours[0]
    answers = [facts for facts in ours if facts.name == "ServerHello"]
    assert [int(one, 16) for one in fields["tls.handshake.ciphersuite"]][: len(offered.suites)] == list(offered.suites)
    assert fields["tls.handshake.random"][0].replace(":", "") == offered.random.hex()
    assert fields["tls.handshake.extensions_server_name"][0] == offered.server_name == "localhost"
    assert fields.get("tls.handshake.extensions_alpn_str", [])[: len(offered.alpn)] == list(offered.alpn)
    for answer in answers:
        assert int(fields["tls.handshake.ciphersuite"][-1], 16) == answer.suites[0]
        assert fields["tls.handshake.random"][-1].replace(":", "") == answer.random.hex()
