"""Wireshark's dissector as the second reader: every capture record by record and message by message, as ours has it."""

from __future__ import annotations

from collections import Counter

import pytest

from sspicli.sspi.records import ALERT, HANDSHAKE
from sspicli.tokens.tls import TlsMessage
from tests.peers.captures import FIRST_PORT, Captures, Reading, read
from tests.peers.differences import CLOSED, COMPLAINTS
from tests.peers.kinds import FOREIGN, KINDS
from tests.peers.tshark import RecordSeen, Seen, extensions, named_handshake

pytestmark = pytest.mark.peer

EVERY = [*KINDS, *FOREIGN]
SIDES = ("client", "server")
EXTENSIONS = {  # by message
    1: {0, 1, 5, 10, 11, 12, 13, 14, 15, 16, 18, 19, 20, 21, 22, 23, 28, 35, 41, 42, 43, 44, 45, 49, 51}
    | {1234, 13172, 65281},
    2: {1, 5, 11, 15, 16, 18, 22, 23, 28, 35, 41, 43, 44, 51, 1234, 13172, 65281},
    4: {42},
    8: {10, 14, 16, 19, 20, 28, 42, 1234},
    11: {5, 18},
    13: {5, 13, 47},
}
MESSAGES = {0, 1, 2, 4, 5, 8, 11, 12, 13, 14, 15, 16, 20, 22, 24, 67}
ALERTS = {40, 42, 43, 44, 45, 47, 48, 70, 86, 116, 120}


def seen_by_us(sender: str, message: TlsMessage) -> Seen:
    """Name a message by its bytes, not by the name our reader gives it."""
    if message.content_type == HANDSHAKE and message.name != "Encrypted":
        is_retry = message.name == "HelloRetryRequest"
        what = named_handshake(message.body[0], len(message.body) - 4, is_retry=is_retry)
    elif message.content_type == ALERT and message.name != "Encrypted":
        what = f"Alert {message.body[0]} {message.body[1]}"
    else:
        what = message.name
    return Seen(sender, what, message.encrypted)


def agreed(ours: list[Seen], theirs: list[Seen], closed: set[str]) -> list[tuple[str, str]]:
    """Pair what both readers saw; a thing that one of `closed` cannot open counts as what the other says."""
    assert len(ours) == len(theirs)
    pairs = []
    for mine, other in zip(ours, theirs, strict=True):
        assert mine.is_protected is other.is_protected
        is_closed = (mine.what == "Encrypted" and "ours" in closed) or (
            other.what == "Encrypted" and "tshark" in closed
        )
        if not is_closed:
            pairs.append((mine.what, other.what))
    return pairs


@pytest.mark.parametrize("name", KINDS)
def test_the_handshake_is_of_its_kind(captures: Captures, name: str):
    kind, outcome = KINDS[name], captures.made[name].outcome
    assert outcome is not None
    assert tuple(outcome.endpoints[side].status for side in SIDES) == kind.statuses
    assert outcome.is_resumed is kind.resumes
    assert kind.has in [message.name for _, message in read(captures.made[name]).messages]


@pytest.mark.parametrize("name", FOREIGN)
def test_the_conversation_is_of_its_kind(captures: Captures, name: str):
    names = Counter(message.name for _, message in read(captures.made[name]).messages)
    assert not Counter(FOREIGN[name].has) - names


@pytest.mark.parametrize("sender", SIDES)
@pytest.mark.parametrize("name", EVERY)
def test_tshark_reads_the_records_that_we_read(captures: Captures, name: str, sender: str):
    ours = [RecordSeen(*one[:2], one.size - 5) for who, one in read(captures.made[name]).records if who == sender]
    assert ours == captures.dissected[name].records[sender]


@pytest.mark.parametrize("sender", SIDES)
@pytest.mark.parametrize("name", EVERY)
def test_tshark_reads_the_messages_that_we_read(captures: Captures, name: str, sender: str):
    ours = [seen_by_us(*one) for one in read(captures.made[name]).messages if one[0] == sender]
    theirs = [one for one in captures.dissected[name].seen if one.sender == sender]
    assert ours
    for mine, other in agreed(ours, theirs, {one.reader for one in CLOSED if one.capture == name}):
        assert mine == other


@pytest.mark.parametrize("name", EVERY)
def test_tshark_finds_nothing_wrong_with_the_bytes(captures: Captures, name: str):
    assert [one for one in captures.dissected[name].complaints if one not in COMPLAINTS] == []


@pytest.mark.parametrize("name", [name for name, kind in KINDS.items() if kind.messages])
def test_tshark_decrypts_the_plaintext_that_was_protected(captures: Captures, name: str):
    numbers = range(1, KINDS[name].messages + 1)
    expected = {side: "".join(f"message {one} from the {side}" for one in numbers) for side in SIDES}
    assert {side: said.decode() for side, said in captures.dissected[name].plaintext.items()} == expected


@pytest.mark.parametrize("name", EVERY)
def test_a_connection_reads_the_same_in_small_pieces(captures: Captures, name: str):
    made = captures.made[name]
    is_small = sum(len(one.data) for one in made.sent) < 10_000
    assert without_spans(read(made, at_once=1 if is_small else 61)) == without_spans(read(made))


def without_spans(reading: Reading) -> list[tuple[str, TlsMessage]]:
    return [(sender, one._replace(span=(0, 0), pieces=())) for sender, one in reading.messages]


# -- nothing is lost ---------------------------------------------------------------------------------------------------
def test_every_capture_is_compared_and_they_are_many_more_than_forty(captures: Captures):
    assert list(captures.dissected) == list(captures.made)
    assert {one.port - FIRST_PORT for one in captures.made.values()} == set(range(len(EVERY)))
    assert len(captures.dissected) >= 190


def test_the_captures_have_every_message_that_we_can_get(captures: Captures):
    seen = {one.kind for dissected in captures.dissected.values() for _, one in dissected.messages}
    assert seen >= MESSAGES


def test_the_captures_have_every_extension_that_we_can_get(captures: Captures):
    by_message: dict[int, set[int]] = {}
    for dissected in captures.dissected.values():
        for _, message in dissected.messages:
            by_message.setdefault(message.kind, set()).update(one.number for one in extensions(message))
    assert [kind for kind, numbers in EXTENSIONS.items() if not numbers <= by_message[kind]] == []


def test_the_captures_have_every_alert_that_we_can_get(captures: Captures):
    seen = {one.what for dissected in captures.dissected.values() for one in dissected.seen if "Alert" in one.what}
    assert seen >= {"Alert 1 0", *[f"Alert 2 {one}" for one in ALERTS]}


# -- the differences ---------------------------------------------------------------------------------------------------
def test_every_capture_that_stays_closed_to_a_reader_is_one(captures: Captures):
    for one in CLOSED:
        ours = [seen_by_us(*message).what for message in read(captures.made[one.capture]).messages]
        theirs = [seen.what for seen in captures.dissected[one.capture].seen]
        assert "Encrypted" in {"ours": ours, "tshark": theirs}[one.reader], one


def test_every_complaint_that_is_expected_comes(captures: Captures):
    assert set(COMPLAINTS) <= {one for dissected in captures.dissected.values() for one in dissected.complaints}
