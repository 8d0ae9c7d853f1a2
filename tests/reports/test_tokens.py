"""The document of opened tokens: everything that the screen says, as data."""

import json

import pytest

from sspicli.analysis.exchange import Token, open_recording, open_tokens
from sspicli.reports.tokens import document, document_text
from tests.handshakes import records_of


@pytest.fixture(scope="module")
def legs():
    return open_recording(records_of())


def data(*arguments, **options):
    """Give the document as its reader has it."""
    return json.loads(json.dumps(document(*arguments, **options)))


def nodes(tree):
    yield tree
    for child in tree["children"]:
        yield from nodes(child)


def test_every_token_says_what_it_is_and_who_sent_it(legs):
    out = data(legs, None, exit_code=0)
    assert (out["schema"], out["whole"], out["exit_code"]) == ("sspi-async/decode/1", True, 0)
    assert "fields" not in out
    assert [(one["leg"], one["sender"], one["kind"]) for one in out["tokens"]] == [
        (1, "client", "tls"),
        (2, "server", "tls"),
        (3, "client", "tls"),
        (4, "server", "tls"),
    ]


def test_a_node_has_its_bytes_in_hex_and_says_so(legs):
    hello = data(legs, None, exit_code=0)["tokens"][0]["messages"][0]
    assert (hello["name"], hello["space"], hello["encrypted"]) == ("ClientHello", "token", False)
    (random,) = [node for node in nodes(hello["tree"]) if node["name"] == "random"]
    start, end = random["span"]
    assert random["type"] == "bytes"
    assert bytes.fromhex(random["value"]) == legs[0].token.data[start:end]
    (version,) = [node for node in nodes(hello["tree"]) if node["name"] == "legacy_version"]
    assert (version["type"], version["value"], version["meaning"]) == ("number", 0x303, "TLS 1.2")


def test_protected_messages_are_in_a_space_of_their_own(legs):
    messages = data(legs, None, exit_code=0)["tokens"][1]["messages"]
    spaces = {one["name"]: (one["space"], one["encrypted"], one["opened"]) for one in messages}
    assert spaces["ServerHello"] == ("token", False, True)
    assert spaces["Certificate"] == ("message", True, True)


def test_where_reading_stopped_is_in_it_with_the_reason():
    opened = open_tokens([Token(b"\x16\x03\x03\x00\x09\x0e", "x")])
    out = data(opened, None, exit_code=1)
    assert out["whole"] is False
    (stop, *_) = out["tokens"][0]["stopped"]
    assert (stop["space"], stop["path"]) == ("token", "Partial")
    assert "short" in stop["why"]


def test_the_text_is_ascii_json_whatever_stands_in_a_name():
    evil = "\u202eevil\x1b[2J".encode()
    entry = b"\0" + len(evil).to_bytes(2, "big") + evil
    name = len(entry).to_bytes(2, "big") + entry
    extensions = b"\0\0" + len(name).to_bytes(2, "big") + name
    body = b"\3\3" + bytes(32) + b"\0" + b"\0\2\x13\1" + b"\1\0" + len(extensions).to_bytes(2, "big") + extensions
    opened = open_tokens([Token(b"\1" + len(body).to_bytes(3, "big") + body, "x\x9b")])
    text = document_text(opened, None, exit_code=0)
    assert not [one for one in text if one != "\n" and not 0x20 <= ord(one) < 0x7F]
    values = [node["value"] for node in nodes(json.loads(text)["tokens"][0]["messages"][0]["tree"])]
    assert evil.decode() in values
