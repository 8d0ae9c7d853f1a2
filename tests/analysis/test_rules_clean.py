"""No false finding: the shipped drivers under every schedule, over rough wires, with failures and faults, by seeds."""

from __future__ import annotations

import os
from itertools import product

import pytest

from sspicli.analysis.rules import Finding, judge
from sspicli.journal.journal import Record
from sspicli.runtime.chooser import Completion, Order, Policy, Seeded
from sspicli.session.drivers import Style
from tests.handshakes import records_of
from tests.tls_runs import JoiningWire, RoughWire, tls_run

SEEDS = range(200 if os.environ.get("SSPICLI_DEEP") else 6)
STYLES = [(one, other) for one in (Style.CALLBACK, Style.POLL) for other in (Style.CALLBACK, Style.POLL)]
SETTINGS: dict[str, dict[str, object]] = {
    "tls 1.3": {"client": ("tls=1.3",), "messages": 2},
    "tls 1.2": {"client": ("tls=1.2",), "messages": 2},
    "mutual": {"client": ("cert=valid",), "server": ("request-cert=require",), "messages": 1},
    "mutual 1.2": {"client": ("cert=valid", "tls=1.2"), "server": ("request-cert=yes",), "messages": 1},
    "anonymous": {"server": ("request-cert=yes",)},
    "no certificate": {"server": ("request-cert=require",)},
    "no certificate 1.2": {"server": ("request-cert=require",), "client": ("tls=1.2",)},
    "resumption": {"client": ("resume=ticket",), "handshakes": 2, "messages": 1},
    "resumption 1.2": {"client": ("resume=ticket", "tls=1.2"), "handshakes": 2, "messages": 1},
    "expired": {"server": ("cert=expired",)},
    "expired 1.2": {"server": ("cert=expired",), "client": ("tls=1.2",)},
    "wrong name": {"client": ("target=other.test",)},
    "no common version": {"client": ("tls=1.2",), "server": ("tls=1.3",)},
    "no common protocol": {"client": ("alpn=h2",), "server": ("alpn=http/1.1",)},
    "own memory": {"allocates": False, "messages": 2},
}


def said(findings: tuple[Finding, ...]) -> list[str]:
    return [f"{one.rule.code} {one.subject}: {one.detail} {one.records}" for one in findings]


@pytest.mark.parametrize("name", SETTINGS)
def test_the_shipped_drivers_break_no_rule_in_any_order_and_over_any_wire(name):
    for seed in SEEDS:
        styles = STYLES[seed % len(STYLES)]
        for wire in (None, JoiningWire(), RoughWire(seed), RoughWire(seed, 40)):
            records = tls_run(**SETTINGS[name], styles=styles, wire=wire, chooser=Seeded(seed))  # type: ignore[arg-type]
            assert said(judge(records)) == [], f"seed {seed}, {type(wire).__name__}"


@pytest.mark.parametrize("completion", Completion)
@pytest.mark.parametrize("order", Order)
def test_no_policy_of_completion_makes_the_shipped_drivers_break_a_rule(completion, order):
    for seed in range(3):
        for styles in STYLES:
            wire = RoughWire(seed, 12)
            records = tls_run(messages=2, styles=styles, wire=wire, chooser=Policy(completion, order, seed))
            assert said(judge(records)) == [], f"seed {seed}"


FUNCTIONS = ("acquire", "init", "accept", "delete", "free")
KINDS = ("refuse", "fail", "delay:500", "fail:SEC_E_INCOMPLETE_MESSAGE", "fail:SEC_E_INVALID_TOKEN", "hang")


def faults() -> list[str]:
    """List a fault for each side, function, use and kind."""
    return [
        f"{side}.{function}#{number}={kind}"
        for side, function, number, kind in product(("client", "server"), FUNCTIONS, (1, 2), KINDS)
    ]


@pytest.mark.parametrize("mode", ["callback", "poll"])
@pytest.mark.parametrize("tls", ["1.2", "1.3"])
def test_no_fault_of_the_system_is_laid_at_the_drivers_door(tls, mode):
    for fault in faults():
        records: list[Record] = records_of(fault=(fault,), tls=tls, mode=mode, messages=1)
        owed = {"A016"} if "hang" in fault else set()  # a call that never completes is pending at the end
        assert [one for one in judge(records) if one.rule.code not in owed] == [], fault


@pytest.mark.parametrize("workers", [1, 2])
def test_workers_change_nothing_of_it(workers):
    for mode in ("callback", "poll"):
        for fault in ((), ("client.init#2=fail",)):
            assert said(judge(records_of(workers=workers, mode=mode, messages=2, fault=fault))) == []


WIRE_FAULTS = (
    "drop", "duplicate", "swap", "join", "delay:500", "split:5:100", "truncate:60", "truncate:3", "extend:1703030001",
    "tamper:9:01", "tamper:-3:ff", "tamper:0:ff",
)  # fmt: skip


@pytest.mark.parametrize("mode", ["callback", "poll"])
@pytest.mark.parametrize("tls", ["1.2", "1.3"])
def test_no_fault_of_the_wire_is_laid_at_the_drivers_door(tls, mode):
    for leg, kind in product((1, 2, 3, 4), WIRE_FAULTS):
        fault = f"leg{leg}={kind}"
        assert said(judge(records_of(fault=(fault,), tls=tls, mode=mode, messages=1))) == [], fault
