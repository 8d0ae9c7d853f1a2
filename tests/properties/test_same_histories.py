"""Stepped or on worker threads, in whatever order: each object of a real handshake lives the same life."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sspicli.journal import events as ev
from sspicli.journal.journal import Record
from tests.handshakes import records_of

KINDS: dict[str, dict[str, Any]] = {
    "tls13": {},
    "tls12": {"tls": "1.2"},
    "mutual": {"client": ("cert=valid",), "server": ("request-cert=yes",)},
    "anonymous": {"server": ("request-cert=yes",)},
    "retry": {"client": ("groups=X25519,P-256",), "server": ("groups=P-256",)},
    "resumed": {"client": ("resume=ticket",)},
    "expired": {"server": ("cert=expired",)},
    "messages": {"messages": 2},
}
ABOUT_CALLS = (ev.CallQueued, ev.CallCompleted, ev.CallbackEntered, ev.CallbackReturned, ev.QueueingReturned)


def histories(records: list[Record]) -> dict[str, list[tuple[str, ...]]]:
    """Tell the life of every async context, credential and security context, without bytes, times and interleaving."""
    lives: dict[str, list[tuple[str, ...]]] = defaultdict(list)
    owner = {}
    for record in records:
        event = record.event
        if isinstance(event, ev.CallQueued):
            owner[event.call] = event.async_context
        if isinstance(event, (ev.CallQueued, ev.CallCompleted, ev.CallbackEntered)):
            lives[str(owner[event.call])].append(_told(event))
        elif isinstance(event, (ev.AsyncContextReinitialized, ev.AsyncContextFreed, ev.NotifyCallbackSet)):
            lives[str(event.async_context)].append((type(event).__name__,))
        elif isinstance(event, (ev.SecurityContextOpened, ev.SecurityContextDeleted, ev.MessageDecrypted)):
            lives[str(event.security_context)].append((type(event).__name__, str(getattr(event, "status", ""))))
        elif isinstance(event, (ev.CredentialAcquired, ev.CredentialFreed)):
            lives[str(event.credential)].append((type(event).__name__,))
    return lives


def _told(event: ev.CallQueued | ev.CallCompleted | ev.CallbackEntered) -> tuple[str, ...]:
    match event:
        case ev.CallQueued():
            return ("queued", event.function.documented_name, str(event.credential), str(event.security_context))
        case ev.CallCompleted():
            return ("completed", event.status.name, str(event.handle), hex(event.attributes))
        case _:
            return ("notified",)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mode", ["callback", "poll"])
def test_a_pool_gives_every_object_the_life_it_has_when_stepped(kind: str, mode: str):
    stepped = histories(records_of(mode=mode, **KINDS[kind]))
    pooled = histories(records_of(mode=mode, workers=2, **KINDS[kind]))
    assert pooled == stepped


@settings(max_examples=25, deadline=None)
@given(
    kind=st.sampled_from(sorted(KINDS)),
    completion=st.sampled_from(["inline", "pending", "random"]),
    order=st.sampled_from(["fifo", "lifo", "seed"]),
    mode=st.sampled_from(["callback", "poll"]),
    seed=st.integers(0, 1 << 32),
)
def test_no_order_of_completion_changes_any_life(kind: str, completion: str, order: str, mode: str, seed: int):
    chosen = histories(records_of(completion=completion, order=order, mode=mode, seed=seed, **KINDS[kind]))
    default = histories(records_of(mode=mode, seed=seed, **KINDS[kind]))
    assert chosen == default


def test_two_workers_compute_the_legs_of_one_session_on_threads_of_the_pool():
    records = records_of(workers=2)
    assert records[-1].event == ev.RunEnded("finished", ())
