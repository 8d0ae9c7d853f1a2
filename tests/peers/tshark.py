"""Wireshark's dissector as the second reader: one run over all captures, and each connection's records and messages.

The dissection is read from PDML, which has the place and the size of every field. A message's fields are placed in the
message: where its bytes came from (a segment, a reassembly, a decrypted record) is tshark's own affair.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree as ET

from sspicli.sspi.records import APPLICATION_DATA, CHANGE_CIPHER_SPEC
from tests.peers.capture import SERVER_PORT
from tests.peers.programs import run

Element = ET.Element
RETRY_RANDOM = hashlib.sha256(b"HelloRetryRequest").hexdigest()  # RFC 8446, 4.1.3
_SERVER_HELLO, _TLS13 = 2, 0x0304


class Field(NamedTuple):
    """One field: its bytes' place in the message, and what tshark shows; `label` is the whole line."""

    name: str
    start: int
    end: int
    show: str
    label: str
    data: bytes
    children: tuple[Field, ...] = ()

    @property
    def meaning(self) -> str:
        """What the line says of the value: `Version: TLS 1.2 (0x0303)` says `TLS 1.2`."""
        said = self.label.partition(": ")[2]
        return re.sub(r" \((0x)?[0-9a-fA-F]+\)$", "", said)

    @property
    def kind(self) -> int:
        """The number of a handshake message, which is its first field."""
        return int(self.children[0].show)


class Extension(NamedTuple):
    """One extension of a handshake message; the span is that of the whole, number and length included."""

    number: int
    name: str
    span: tuple[int, int]


class RecordSeen(NamedTuple):
    """One record, as its five bytes have it."""

    content_type: int
    version: int
    length: int


class Seen(NamedTuple):
    """One thing in a connection, as either reader names it."""

    sender: str
    what: str
    is_protected: bool


class Dissected(NamedTuple):
    """What tshark says of one connection; `messages` are the handshake messages, each with its sender."""

    records: dict[str, list[RecordSeen]]
    seen: list[Seen]
    messages: list[tuple[str, Field]]
    complaints: list[str]
    plaintext: dict[str, bytes]


def version() -> str:
    """Give tshark's version, such as `4.0.17`."""
    found = re.search(r"TShark \(Wireshark\) (\S+?)\.? ", run("tshark", "--version").text)
    assert found, "tshark says its version"
    return found[1]


def dissect(folder: Path, ports: list[int]) -> dict[int, Dissected]:
    """Read `tokens.pcap` with the key log `secrets`, both in the folder; what each client's port has carried."""
    text = _tshark(folder, "-T", "pdml", "-J", "tcp ip tls", "-Y", "tls || tcp.analysis.flags")
    path = folder / "tokens.pdml"
    path.write_text(text[: text.rindex("</pdml>") + len("</pdml>")])
    readers = {port: _Reader(port) for port in ports}
    for _, element in ET.iterparse(path):
        if element.tag == "packet":
            _read_packet(element, readers)
            element.clear()
    plaintexts = _follow(folder, len(ports))
    return {port: readers[port].outcome(plaintexts[number]) for number, port in enumerate(ports)}


def walk(field: Field) -> Iterator[Field]:
    """Give a field and all below it, in order."""
    yield field
    for child in field.children:
        yield from walk(child)


def extensions(message: Field) -> list[Extension]:
    """List a message's extensions in order."""
    found = []
    for field in walk(message):
        own = {child.name: child for child in field.children}
        if "tls.handshake.extension.type" in own:
            kind = own["tls.handshake.extension.type"]
            found.append(Extension(int(kind.show), kind.meaning, (field.start, field.end)))
    return found


def named_handshake(number: int, length: int, *, is_retry: bool) -> str:
    """Name a handshake message by its bytes."""
    return f"handshake {number} of {length} bytes{' that asks to try again' if is_retry else ''}"


def plain(name: str) -> str:
    """Give a name without what only spelling adds to it."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


# -- running tshark ----------------------------------------------------------------------------------------------------
def _tshark(folder: Path, *arguments: str) -> str:
    secrets = f"tls.keylog_file:{folder / 'secrets'}"
    checks = ("-n", "-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE")
    ended = run("tshark", "-r", folder / "tokens.pcap", "-o", secrets, *checks, *arguments, home=folder)
    assert ended.code == 0, ended.text[-2000:]
    return ended.text


def _follow(folder: Path, count: int) -> dict[int, dict[str, bytes]]:
    """Read what each connection's application data says, by sender."""
    asked = [word for number in range(count) for word in ("-z", f"follow,tls,raw,{number}")]
    parts = _tshark(folder, "-q", *asked).split("Follow: tls,raw\nFilter: tcp.stream eq ")[1:]
    assert len(parts) == count, "tshark follows every connection that it was asked to"
    return {int(part.partition("\n")[0]): _read_followed(part.partition("\n")[2]) for part in parts}


def _read_followed(part: str) -> dict[str, bytes]:
    """Read one followed connection; the lines of its second node begin with a tab."""
    server_is_first = re.search(rf"^Node 0: .*:{SERVER_PORT}$", part, re.MULTILINE) is not None
    said = {"client": b"", "server": b""}
    for indent, digits in re.findall(r"^(\t?)((?:[0-9a-f]{2})+)$", part, re.MULTILINE):
        said["server" if server_is_first is (not indent) else "client"] += bytes.fromhex(digits)
    return said


# -- reading PDML ------------------------------------------------------------------------------------------------------
def _read_packet(packet: Element, readers: dict[int, _Reader]) -> None:
    values = {name: _first(packet, name) for name in ("tcp.srcport", "tcp.dstport")}
    ports = [int(one) for one in values.values() if one]
    client_port = ports[0] if ports[1] == SERVER_PORT else ports[1]
    sums = [_first(packet, f"{one}.checksum.status") for one in ("ip", "tcp")]
    assert sums == ["1", "1"], "the checksums are right"
    assert not any(one.get("name", "").startswith("tcp.analysis.flags") for one in packet.iter("field"))
    readers[client_port].read("client" if ports[0] == client_port else "server", packet)


def _first(packet: Element, name: str) -> str:
    return next((one.get("show", "") for one in packet.iter("field") if one.get("name") == name), "")


class _Reader:
    """Reads one connection's packets."""

    def __init__(self, port: int) -> None:
        self._records: dict[str, list[RecordSeen]] = {"client": [], "server": []}
        self._seen: list[Seen] = []
        self._messages: list[tuple[str, Field]] = []
        self._complaints: list[str] = []
        self._changed: set[str] = set()
        self._is_tls13 = False

    def read(self, sender: str, packet: Element) -> None:
        """Read one packet."""
        for element in packet.iter():
            name = element.get("name", "")
            if name == "tls.record":
                self._read_record(sender, element)
            elif name == "_ws.expert":
                self._complaints.append(element.get("showname", ""))
            elif name.startswith("_ws.malformed"):
                self._complaints.append("malformed")

    def outcome(self, plaintext: dict[str, bytes]) -> Dissected:
        """Give what was read."""
        return Dissected(self._records, self._seen, self._messages, self._complaints, plaintext)

    def _read_record(self, sender: str, record: Element) -> None:
        """Name what a record carries; in TLS 1.3 an opaque type says that it was protected."""
        own = {one.get("name", ""): one.get("show", "") for one in record}
        inner = int(own.get("tls.record.content_type", "0"))
        outer = int(own.get("tls.record.opaque_type", inner))
        number, length = int(own["tls.record.version"], 16), int(own["tls.record.length"])
        self._records[sender].append(RecordSeen(outer, number, length))
        is_protected = "tls.record.opaque_type" in own or (sender in self._changed and not self._is_tls13)
        before = len(self._seen)
        for element in record.iter("field"):
            if element.get("name") == "tls.handshake":
                self._read_handshake(sender, element, is_protected=is_protected)
            elif element.get("name") == "tls.alert_message":
                self._read_alert(sender, element, is_protected=is_protected)
        if inner == CHANGE_CIPHER_SPEC:
            self._seen.append(Seen(sender, "ChangeCipherSpec", is_protected))
            self._changed.add(sender)
        elif inner == APPLICATION_DATA:
            self._seen.append(Seen(sender, "ApplicationData", is_protected))
        elif len(self._seen) == before and not any(one.get("name") == "tls.handshake" for one in record.iter("field")):
            self._seen.append(Seen(sender, "Encrypted", is_protected))

    def _read_handshake(self, sender: str, element: Element, *, is_protected: bool) -> None:
        first = next((one for one in element if one.get("name") == "tls.handshake.type"), None)
        if first is None:  # a fragment
            return
        # The item itself is placed in the segment even when its bytes were decrypted or reassembled.
        message = _field(element, int(first.get("pos", "0")))
        own = {one.name: one for one in message.children}
        number, length = int(own["tls.handshake.type"].show), int(own["tls.handshake.length"].show)
        message = message._replace(start=0, end=4 + length)
        is_retry = "tls.handshake.random" in own and own["tls.handshake.random"].data.hex() == RETRY_RANDOM
        if number == _SERVER_HELLO:
            chosen = [one.show for one in walk(message) if one.name == "tls.handshake.extensions.supported_version"]
            self._is_tls13 = chosen == [f"{_TLS13:#06x}"]
        self._messages.append((sender, message))
        self._seen.append(Seen(sender, named_handshake(number, length, is_retry=is_retry), is_protected))

    def _read_alert(self, sender: str, element: Element, *, is_protected: bool) -> None:
        own = {one.get("name", ""): one.get("show", "") for one in element}
        what = f"Alert {own.get('tls.alert_message.level')} {own.get('tls.alert_message.desc')}"
        self._seen.append(Seen(sender, what, is_protected))


def _field(element: Element, base: int) -> Field:
    """Make a field of an element; what tshark computed and does not show is left out."""
    start, size = int(element.get("pos", "0")) - base, int(element.get("size", "0"))
    digits = element.get("unmaskedvalue") or element.get("value") or ""
    children = tuple(_field(one, base) for one in element if one.tag == "field" and one.get("hide") != "yes")
    label = element.get("showname") or element.get("show") or ""
    data = bytes.fromhex(digits) if len(digits) % 2 == 0 else b""
    return Field(element.get("name", ""), start, start + size, element.get("show", ""), label, data, children)
