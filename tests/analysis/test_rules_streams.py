"""The rules of tokens and streams: each fires alone on a real handshake, and not on what only looks like it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from sspicli.analysis.rules import judge
from sspicli.journal.events import AttributesRead, NoteMade
from sspicli.journal.journal import Record
from sspicli.runtime.calls import OutputSlot
from sspicli.session.actions import Close, FreeContextBuffer, FreeMemory, Receive, Send, Wait
from sspicli.session.wire import MemoryWire, Parcel
from sspicli.sspi.status import SecurityStatus
from tests.mutants import (
    CLIENT,
    INCOMPLETE,
    LEGS,
    SERVER,
    Act,
    Doing,
    Mutant,
    Scene,
    drop,
    echo,
    extra_as,
    instead,
    only_the_new,
    status_from,
    twice,
    with_token,
)
from tests.pairs import codes, events
from tests.tls_runs import RoughWire, tls_run

FAILED = SecurityStatus.SEC_E_INTERNAL_ERROR
TLS12 = {"client": ("tls=1.2",)}


class Halves(MemoryWire):
    """Delivers every token in two halves."""

    def __init__(self) -> None:
        super().__init__(("client", "server"))

    def send(self, sender: str, data: bytes, *, is_token: bool) -> Sequence[Parcel]:
        half = len(data) // 2
        pieces = (data[:half], data[half:])
        return [one for piece in pieces for one in super(Halves, self).send(sender, piece, is_token=is_token)]


def run(change: Any, kinds: tuple[type, ...], side: str, nth: tuple[int, ...] = (), **options: Any) -> list[Record]:
    """Run a handshake of which one end does something else."""
    mutant = Mutant("", "", kinds, change, side, nth)
    return tls_run(programs={side: mutant.program}, **options)


def said(*given: Any, **options: Any) -> set[str]:
    return set(codes(judge(run(*given, **options))))


def in_pieces(scene: Scene, action: Act) -> Doing:
    """Send a token in two pieces."""
    yield Send(action.data[:50], is_token=True)
    return (yield Send(action.data[50:], is_token=True))


def exactly_missing(scene: Scene, action: Act) -> Doing:
    """Take of what arrives just as many bytes as SECBUFFER_MISSING says, and keep the rest for later."""
    if isinstance(scene.kept, bytes) and scene.kept:
        data, scene.kept = scene.kept, None
        return data
    data = yield action
    missing = None if scene.leg is None or scene.leg.input is None else scene.leg.input.first(4)
    if scene.status == INCOMPLETE and missing is not None and missing.size < len(data):
        scene.kept = data[missing.size :]
        return data[: missing.size]
    return data


def test_a_token_that_is_not_sent_is_found_and_one_sent_in_pieces_is_not():
    assert "C005" in said(drop, (Send,), CLIENT, (2,))
    assert said(in_pieces, (Send,), CLIENT) == set()


def test_the_alert_of_a_failure_is_a_token_too():
    refusing = {"server": ("cert=expired",)}
    assert said(drop, (Send,), CLIENT, (2,), **refusing) == {"C005"}
    assert said(in_pieces, (Send,), CLIENT, (2,), **refusing) == set()


@pytest.mark.parametrize("size", [lambda _, __: 0, lambda _, extra: extra - 1], ids=["all", "a byte"])
def test_extra_bytes_that_are_dropped_are_found(size):
    assert said(extra_as(size), (Wait,), CLIENT, wire=RoughWire(3, 6)) == {"C006"}


def test_extra_bytes_that_are_kept_are_not():
    assert said(extra_as(lambda _, extra: extra), (Wait,), CLIENT, wire=RoughWire(3, 6)) == set()


def test_an_incomplete_message_taken_for_a_failure_is_found_and_a_peer_that_goes_away_is_not():
    gives_up = status_from(lambda one: one == INCOMPLETE, FAILED)
    assert said(gives_up, (Wait,), CLIENT, wire=Halves()) == {"C007"}
    records = run(lambda _, action: cut_off(action), (Send,), SERVER, (1,))
    assert codes(judge(records)) == ["C005"]  # it is the server's, and nothing is said of the client


def cut_off(action: Act) -> Doing:
    """Send half of a token, and no more."""
    yield Send(action.data[:200], is_token=True)
    yield Close()


def test_incomplete_input_that_is_thrown_away_is_found_and_read_on_it_is_not():
    assert said(with_token(only_the_new), LEGS, CLIENT, wire=Halves()) == {"C007"}
    assert said(with_token(lambda _, data: data), LEGS, CLIENT, wire=Halves()) == set()


def test_a_count_of_missing_bytes_taken_for_exact_is_told():
    (finding,) = judge(run(exactly_missing, (Receive,), CLIENT, wire=Halves()))
    assert (finding.rule.code, finding.rule.severity) == ("C008", "info")


def test_an_allocated_token_is_to_be_released_and_by_the_right_function():
    wrongly = instead(lambda one: FreeMemory(one.buffers, "ExFreePool"))
    assert said(drop, (FreeContextBuffer,), CLIENT, (1,)) == {"C010"}
    assert said(wrongly, (FreeContextBuffer,), CLIENT, (1,)) == {"C010"}
    own = instead(lambda one: FreeMemory(one.buffers, "ExFreePool"))
    assert said(own, (FreeContextBuffer,), CLIENT, allocates=False) == set()


def test_a_token_sent_twice_or_back_or_fed_to_its_own_maker_is_found():
    assert "C013" in said(twice, (Send,), CLIENT, (1,), **TLS12)
    assert "C013" in said(echo, (Send,), SERVER, (1,), **TLS12)
    assert said(with_token(lambda scene, _: scene.sent), LEGS, CLIENT, (2,)) == {"C013"}


def test_bytes_of_a_programs_own_making_are_nobodys_token():
    assert said(with_token(lambda _, data: data[:-1] + b"\x00"), LEGS, CLIENT, (2,)) == set()


def unread(scene: Scene, action: Act) -> Doing:
    """Give the leg another variable for pfContextAttr than the one that the program compares."""
    return (yield action._replace(attributes=OutputSlot("pfContextAttr", 0)))


@pytest.mark.parametrize(("settings", "expected"), [(("request-cert=yes",), {"D013"}), ((), set())])
def test_a_server_that_never_looks_is_told_where_it_was_granted_less(settings, expected):
    assert said(unread, LEGS, SERVER, server=settings, messages=1) == expected


def test_the_shipped_server_looks_and_notes_what_is_lacking():
    records = tls_run(server=("request-cert=yes",), messages=1)
    assert codes(judge(records)) == []
    assert [event.call.actor for event in events(records, AttributesRead)] == ["server"]
    assert "requested and not granted: MUTUAL_AUTH" in [event.text for event in events(records, NoteMade)]


def test_where_all_was_granted_reading_leaves_no_record():
    records = tls_run(client=("cert=valid",), server=("request-cert=require",), messages=1)
    assert events(records, AttributesRead) == []
