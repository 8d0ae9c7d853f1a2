"""What is fuzzed: one function for each reader of foreign bytes, which raises when the reader breaks a promise.

The promises: any bytes have a reading or an error of the kind that is announced; the same bytes have the same reading;
a span lies inside what it is a span of; and the time taken is bounded.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from collections.abc import Sequence as Sequence_
from contextlib import contextmanager, suppress
from zlib import crc32

from sspicli.adapter.framing import Framing
from sspicli.adapter.messages import read_request
from sspicli.journal.codec import Encoder
from sspicli.journal.recording import Recording, recording_of
from sspicli.scenario import edit
from sspicli.scenario.layout import formatted
from sspicli.scenario.mistakes import decoded
from sspicli.scenario.source import ScenarioError, Source
from sspicli.scenario.yaml import Node as YamlNode
from sspicli.scenario.yaml import Scalar, Sequence, parse
from sspicli.sspi.errors import InputError
from sspicli.tokens.der import walk
from sspicli.tokens.keylog import parse_keylog
from sspicli.tokens.notation import Notation, NotationError, Written, read_notation
from sspicli.tokens.sniff import tell
from sspicli.tokens.tls import TlsMessage, TlsReader
from sspicli.tokens.tls_fields import message_tree, message_trees, token_tree
from sspicli.tokens.tls_hello import TLS12, TLS13
from sspicli.tokens.tls_names import handshake_name
from sspicli.tokens.tree import Node
from sspicli.tokens.x509 import certificate_tree

SECONDS = 1.0  # of this thread's own work, for inputs of a few KiB
RAW = b"\x00"  # in front of a recording: its lines are read as they are, checksums and all
HEADER = Encoder().header(has_secrets=True).encode()


@contextmanager
def bounded(seconds: float = SECONDS) -> Iterator[None]:
    """Make sure that the work takes no more than its time."""
    began = time.thread_time()
    yield
    taken = time.thread_time() - began
    assert taken < seconds, f"it took {taken:.1f} s"


def keylog(data: bytes) -> None:
    """Read a key log, and take its lines for what they are."""
    with bounded():
        found = parse_keylog(data)
    assert found == parse_keylog(data)
    assert found.junk_lines <= data.count(b"\n") + data.count(b"\r") + 1
    reader = TlsReader()
    for line in found.lines:
        assert line.isascii()
        assert line.isprintable()
        reader.add_secret(line)
    assert reader.junk_lines <= len(found.lines)


def recording(data: bytes) -> None:
    """Read a recording; with a good first line and the right checksums, so that what is in the lines is looked at."""
    lines = data[1:].splitlines(keepends=True) or [b""]
    if data[:1] != RAW:
        lines = [HEADER, *(sealed(one) for one in data.split(b"\n"))]
    with bounded():
        found = read(lines)
    assert found == read(lines)
    if isinstance(found, Recording):
        assert [one.sequence for one in found.records] == list(range(1, len(found.records) + 1))
        assert len(found.records) < len(lines)
        assert found.note or len(found.records) == len(lines) - 1
        assert len(found.note) < 1000


def read(lines: list[bytes]) -> Recording | str:
    """Read lines; an error is its message."""
    try:
        return recording_of(lines, where="fuzz")
    except InputError as error:
        return error.message


def sealed(line: bytes) -> bytes:
    """Give a line its right checksum."""
    head = line.rpartition(b',"crc":"')[0] or line.rstrip(b"}\r")
    return b'%b,"crc":"%08x"}\n' % (head, crc32(head))


SEPARATOR = b"\xff\xfe\xfd\xfc"
_VERSIONS = (0, TLS12, TLS13, 0x0301)


def message(data: bytes) -> None:
    """Read one handshake message to its last field: a version's number, a cipher suite, and the message's body."""
    version, suite, body = data[:1], int.from_bytes(data[1:3], "big"), data[3:]
    if not body:
        return
    name = handshake_name(body[0])
    one = TlsMessage(name, False, (0, len(body)), body, 22, "", (), _VERSIONS[version[0] % len(_VERSIONS)], suite)
    with bounded():
        node = message_tree(one)
    assert node == message_tree(one)
    sound(node, len(body))


def tls(data: bytes) -> None:
    """Read a session, in parts: its key log, then tokens of client and server by turns."""
    with bounded():
        found = session(data)
    assert found == session(data)


def session(data: bytes) -> list[object]:
    """Read a session's tokens to their last field, and check every span on the way."""
    secrets, *tokens = data.split(SEPARATOR)
    reader = TlsReader()
    for line in parse_keylog(secrets).lines:
        reader.add_secret(line)
    found: list[object] = []
    for number, token in enumerate(tokens):
        reading = reader.read_token("server" if number % 2 else "client", token)
        for message in reading.messages:
            assert 0 <= message.span[0] <= message.span[1] <= len(token)
            for offset, at, size in message.pieces:
                assert message.body[offset : offset + size] == token[at : at + size]
        trees = list(message_trees(reading.messages))
        assert len(trees) == len(reading.messages)
        for message, node in zip(reading.messages, trees, strict=True):
            sound(node, len(message.body))
        whole = token_tree(reading)
        sound(whole, len(token))
        found.append((reading, trees, whole))
    return found


def x509(data: bytes) -> None:
    """Read a certificate to its last field."""
    with bounded():
        node = certificate_tree(data)
    sound(node, len(data))
    for _, one in walk(data):
        assert 0 <= one.start <= one.value_start <= one.end <= len(data)


def notation(data: bytes) -> None:
    """Read bytes as somebody wrote them down, in a notation that is told by its marks and in one that is given."""
    for given in (None, *Notation):
        with bounded():
            found = written(data, given)
        assert found == written(data, given)
        if isinstance(found, Written):
            assert all(len(block.data) <= len(data) for block in found.blocks)
            for block in found.blocks:
                tell(block.data)


def written(data: bytes, given: Notation | None) -> Written | str:
    """Read bytes in a notation; an error is its message."""
    try:
        return read_notation(data, given)
    except NotationError as error:
        return str(error)


def scenario(data: bytes) -> None:
    """Read a scenario's text; lay it out, and write each of its values in its own place."""
    with bounded():
        found = documents(data)
    assert found == documents(data)
    if isinstance(found, str):
        assert len(found) < 300
        return
    source, nodes = found
    values = [one for root in nodes for one in scalars(root)]
    for one in values:
        assert one.text == source.text[one.span.start : one.span.end]
        assert source.spot(one.span.start)[:2] == one.span[:2]
        assert source.spot(one.span.end)[:2] == one.span[2:4]
    with bounded():
        laid_out = formatted(source.text)
    assert formatted(laid_out) == laid_out
    again = [one for root in parse(laid_out, "fuzz")[1] for one in scalars(root)]
    assert sorted(repr(one.value) for one in again) == sorted(repr(one.value) for one in values)
    if re.search(r"^ *\t", source.text, re.MULTILINE):
        return  # libyaml takes an empty line with a tab inside a text, and not behind what stands there instead
    text = edit.replaced(source.text, [(one.span, edit.written(one.value, like=one)) for one in values if one.text])
    rewritten = [one for root in parse(text, "fuzz")[1] for one in scalars(root)]
    assert [repr(one.value) for one in rewritten] == [repr(one.value) for one in values]


def documents(data: bytes) -> tuple[Source, tuple[YamlNode, ...]] | str:
    """Read a scenario's text; an error is its first problem."""
    try:
        return parse(decoded(data, "fuzz"), "fuzz")
    except ScenarioError as error:
        places = [one.place for one in error.problems]
        assert 0 < len(places) <= 50
        assert places == sorted(places, key=lambda one: one[1:3])
        assert all(one.line >= 1 and 1 <= one.column <= one.end_column for one in places)
        return f"{error.where}: {error}"


def client(data: bytes) -> None:
    """Cut what a debug client sends into messages, at once and byte by byte, and read each."""
    with bounded():
        whole = bodies([data])
        assert whole == bodies([data[at : at + 1] for at in range(len(data))])
        for body in whole[0]:
            with suppress(InputError):
                request = read_request(body)
                assert request is None or request.command is not None


def bodies(parts: Sequence_[bytes]) -> tuple[list[bytes], str]:
    """Cut parts of a stream into messages, up to where it is none."""
    framing, found = Framing(), list[bytes]()
    try:
        for part in parts:
            for body in framing.feed(part):
                found.append(body)
    except InputError as error:
        return found, error.message
    return found, ""


def scalars(node: YamlNode) -> list[Scalar]:
    """List the values of a document, and not its keys."""
    if isinstance(node, Scalar):
        return [node]
    below = node.items if isinstance(node, Sequence) else tuple(entry.value for entry in node.entries)
    return [found for one in below for found in scalars(one)]


def sound(node: Node, size: int, depth: int = 0) -> None:
    """Make sure that every field lies in its parent, in order, and that no tree is deep."""
    assert 0 <= node.span[0] <= node.span[1] <= size, node
    assert depth < 64
    at = node.span[0]
    for child in node.children:
        assert at <= child.span[0] <= child.span[1] <= node.span[1], (node.name, node.span, child.name, child.span)
        at = child.span[1]
        sound(child, size, depth + 1)


TARGETS: dict[str, Callable[[bytes], None]] = {
    "keylog": keylog,
    "recording": recording,
    "message": message,
    "tls": tls,
    "x509": x509,
    "notation": notation,
    "scenario": scenario,
    "client": client,
}
