"""A correct driver breaks no rule: the shipped ones, whatever is asked of them, by seeds; no finding at all.

Warnings and hints count too. The documentation's sample does break a rule, and is left out.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from sspicli.analysis.rules import judge
from sspicli.packages.scripted import THREE_LEGS
from sspicli.runtime.chooser import Completion, Order, Policy, Seeded
from sspicli.session.drivers import Style
from tests.handshakes import records_of
from tests.pairs import IS_DEEP, codes, finished_pair

REAL_SEEDS = range(20_000 if IS_DEEP else 200)
SCRIPTED_SEEDS = range(50_000 if IS_DEEP else 400)

BAD_ONES = ("expired", "not-yet-valid", "wrong-name", "untrusted", "self-signed", "wrong-usage", "weak-key", "revoked")
CERTIFICATES = (*BAD_ONES, "long-chain", "large")
NOT_ALLOCATED = "SEQUENCE_DETECT,{0}REPLAY_DETECT,{0}CONFIDENTIALITY,{0}STREAM"
CHOICES: dict[str, Sequence[object]] = {
    "tls": ("1.2", "1.3"),
    "mode": ("callback", "poll"),
    "completion": tuple(Completion),
    "order": tuple(Order),
    "messages": (0, 0, 1, 3),
    "workers": (0, 0, 0, 2),
}
CLIENT: Sequence[tuple[str, ...]] = (
    (),
    (f"flags=ISC_REQ_{NOT_ALLOCATED.format('ISC_REQ_')}",),
    ("validate=manual",),
    ("cert=valid",),
    ("cert=expired",),
    ("alpn=h2,http/1.1",),
    ("resume=ticket",),
)
SERVER: Sequence[tuple[str, ...]] = (
    (),
    (f"flags=ASC_REQ_{NOT_ALLOCATED.format('ASC_REQ_')}",),
    ("request-cert=yes",),
    ("request-cert=require",),
    ("alpn=h2",),
    ("alpn=spdy",),
    *((f"cert={one}",) for one in CERTIFICATES),
)


def asked_by(seed: int) -> dict[str, object]:
    """Choose what is asked of a handshake."""
    rng = random.Random(seed)
    asked = {name: str(one) if isinstance(one := rng.choice(values), str) else one for name, values in CHOICES.items()}
    if asked["workers"]:
        asked |= {"completion": "pending", "order": "fifo"}  # workers complete calls as they finish them
    return {**asked, "seed": seed, "client": rng.choice(CLIENT), "server": rng.choice(SERVER)}


def test_a_handshake_of_the_shipped_drivers_breaks_no_rule():
    for seed in REAL_SEEDS:
        asked = asked_by(seed)
        assert codes(judge(records_of(**asked))) == [], asked


def test_any_order_of_completion_and_any_interleaving_of_scripted_handshakes_breaks_no_rule():
    for seed in SCRIPTED_SEEDS:
        rng = random.Random(seed)
        policy = Policy(rng.choice(list(Completion)), rng.choice(list(Order)), seed)
        styles = (rng.choice([Style.CALLBACK, Style.POLL]), rng.choice([Style.CALLBACK, Style.POLL]))
        chooser = rng.choice([policy, Seeded(seed)])
        records = finished_pair(THREE_LEGS, styles=styles, chooser=chooser, handshakes=rng.choice([1, 2]))
        assert codes(judge(records)) == [], (seed, styles, type(chooser).__name__)


@pytest.mark.parametrize("fault", ["client.init#2=hang", "server.accept#1=hang", "client.acquire#1=hang"])
@pytest.mark.parametrize("mode", ["callback", "poll"])
def test_a_call_that_never_completes_is_the_only_thing_found(fault, mode):
    """The driver did nothing wrong; what is left over is that call, and the verifier may not guess more."""
    assert set(codes(judge(records_of(fault=(fault,), mode=mode)))) <= {"A016"}


@pytest.mark.parametrize("call", ["acquire#1", "init#1", "init#2", "delete#1", "free#1"])
@pytest.mark.parametrize("mode", ["callback", "poll"])
def test_a_refused_call_makes_no_driver_break_a_rule_it_can_keep(call, mode):
    """What cannot be ended because its end was refused is left over, and nothing else is found."""
    records = records_of(fault=(f"client.{call}=refuse:SEC_E_INSUFFICIENT_MEMORY",), mode=mode)
    assert set(codes(judge(records))) <= {"D004", "D008"}
