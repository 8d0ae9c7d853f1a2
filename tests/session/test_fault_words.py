"""How faults are written: one grammar for the command line and for files, and an error that names what is wrong."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sspicli.session.fault_words import AnyFault, Value, fault_from, fault_text, parse_fault
from sspicli.session.faults import Fault, FaultKind
from sspicli.session.wire_faults import WireFault, WireFaultKind
from sspicli.sspi.errors import UsageError
from sspicli.sspi.functions import Function
from sspicli.sspi.status import SecurityStatus

PAIRS: list[tuple[str, dict[str, Value], AnyFault]] = [
    (
        "server.accept#2=fail:SEC_E_INTERNAL_ERROR",
        {"call": "server.accept#2", "fail": "SEC_E_INTERNAL_ERROR"},
        Fault(
            FaultKind.FAIL,
            "server",
            Function.SspiAcceptSecurityContextAsync,
            2,
            SecurityStatus.SEC_E_INTERNAL_ERROR,
        ),
    ),
    (
        "client.create#1=null",
        {"call": "client.create", "null": True},
        Fault(FaultKind.NULL, "client", Function.SspiCreateAsyncContext),
    ),
    (
        "client.init#1=delay:500",
        {"call": "client.init", "delay": 500},
        Fault(FaultKind.DELAY, "client", Function.SspiInitializeSecurityContextAsync, ticks=500),
    ),
    (
        "client.free#1=hang",
        {"call": "client.free-credential", "hang": True},
        Fault(FaultKind.HANG, "client", Function.SspiFreeCredentialsHandleAsync),
    ),
    (
        "leg2=tamper:-40:01",
        {"leg": 2, "tamper": {"at": -40, "xor": "01"}},
        WireFault(WireFaultKind.TAMPER, 2, at=-40, data=b"\1"),
    ),
    (
        "leg2=tamper:ServerHello.random:=0001",
        {"leg": 2, "tamper": {"field": "ServerHello.random", "bytes": "00 01"}},
        WireFault(WireFaultKind.TAMPER, 2, field="ServerHello.random", data=b"\0\1", is_xor=False),
    ),
    (
        "leg2=tamper:ClientHello.extensions.extension[3].extension_type:ff",
        {"leg": 2, "tamper": {"field": "ClientHello.extensions.extension[3].extension_type", "xor": "ff"}},
        WireFault(WireFaultKind.TAMPER, 2, field="ClientHello.extensions.extension[3].extension_type", data=b"\xff"),
    ),
    ("leg1=truncate:100", {"leg": 1, "truncate": 100}, WireFault(WireFaultKind.TRUNCATE, 1, size=100)),
    ("leg2=extend:00ff", {"leg": 2, "extend": "00ff"}, WireFault(WireFaultKind.EXTEND, 2, data=b"\0\xff")),
    ("leg1=split:5:100", {"leg": 1, "split": [5, 100]}, WireFault(WireFaultKind.SPLIT, 1, offsets=(5, 100))),
    ("leg1=split:5", {"leg": 1, "split": 5}, WireFault(WireFaultKind.SPLIT, 1, offsets=(5,))),
    ("handshake2.leg1=drop", {"leg": 1, "handshake": 2, "drop": True}, WireFault(WireFaultKind.DROP, 1, 2)),
    ("leg1=duplicate", {"leg": 1, "duplicate": True}, WireFault(WireFaultKind.DUPLICATE, 1)),
    ("leg1=join", {"leg": 1, "join": True}, WireFault(WireFaultKind.JOIN, 1)),
    ("leg1=swap", {"leg": 1, "swap": True}, WireFault(WireFaultKind.SWAP, 1)),
    ("leg3=delay:500", {"leg": 3, "delay": 500}, WireFault(WireFaultKind.DELAY, 3, ticks=500)),
]


@pytest.mark.parametrize(("text", "mapping", "fault"), PAIRS, ids=[text for text, _, _ in PAIRS])
def test_a_word_and_a_mapping_are_the_same_fault(text: str, mapping: dict[str, Value], fault: AnyFault):
    assert fault_from(mapping) == replace(fault, text=text)
    assert parse_fault(text) == replace(fault, text=text)


def test_a_word_stays_as_it_was_written():
    assert parse_fault("client.free-credential=hang").text == "client.free-credential=hang"
    assert fault_text(parse_fault("client.init=refuse")) == "client.init#1=refuse:SEC_E_INSUFFICIENT_MEMORY"


WRONG: list[tuple[dict[str, Value], str]] = [
    ({}, "call"),
    ({"hang": True}, "call"),
    ({"call": "server.accept"}, "call"),
    ({"call": "server.acept", "hang": True}, "call"),
    ({"call": 3, "hang": True}, "call"),
    ({"call": "server.accept#0", "hang": True}, "call"),
    ({"call": "server.accept", "hang": False}, "hang"),
    ({"call": "server.accept", "hang": True, "delay": 3}, "call"),
    ({"call": "server.accept", "null": True}, "null"),
    ({"call": "server.accept", "fail": "SEC_E_OK"}, "fail"),
    ({"call": "server.accept", "refuse": "NOPE"}, "refuse"),
    ({"call": "server.accept", "delay": "500"}, "delay"),
    ({"call": "server.accept", "dely": 500}, "dely"),
    ({"leg": 0, "drop": True}, "leg"),
    ({"leg": True, "drop": True}, "leg"),
    ({"leg": 1, "handshake": 0, "drop": True}, "handshake"),
    ({"leg": 1, "drop": 1}, "drop"),
    ({"leg": 1}, "leg"),
    ({"leg": 1, "truncate": 0}, "truncate"),
    ({"leg": 1, "split": []}, "split"),
    ({"leg": 1, "split": [5, 5]}, "split"),
    ({"leg": 1, "extend": "0"}, "extend"),
    ({"leg": 1, "extend": 1}, "extend"),
    ({"leg": 1, "tamper": "40:01"}, "tamper"),
    ({"leg": 1, "tamper": {"at": 1, "field": "a", "xor": "01"}}, "tamper"),
    ({"leg": 1, "tamper": {"at": 1}}, "tamper"),
    ({"leg": 1, "tamper": {"at": 1, "xor": "0000"}}, "xor"),
    ({"leg": 1, "tamper": {"at": 1, "bytes": "g0"}}, "bytes"),
    ({"leg": 1, "tamper": {"at": "1", "xor": "01"}}, "at"),
    ({"leg": 1, "tamper": {"field": "a b", "xor": "01"}}, "field"),
    ({"leg": 1, "tamper": {"att": 1, "xor": "01"}}, "att"),
]


@pytest.mark.parametrize(("mapping", "where"), WRONG, ids=[str(one) for one, _ in WRONG])
def test_an_error_in_a_mapping_names_the_key(mapping: dict[str, Value], where: str):
    with pytest.raises(UsageError) as caught:
        fault_from(mapping)
    assert caught.value.where == where
    assert caught.value.help


@pytest.mark.parametrize(
    "text",
    [
        "leg0=drop", "leg1", "leg1=", "leg1=drop:1", "leg1=dorp", "leg1=tamper", "leg1=tamper:40", "leg1=tamper:40:0",
        "leg1=tamper::01", "leg1=split", "leg1=split:x", "leg1=truncate:-1", "leg1=extend:xy", "leg1=delay",
        "handshake0.leg1=drop", "client.leg1=drop", "leg1=hang", "leg1=tamper:40:=",
    ],
)  # fmt: skip
def test_a_wrong_word_is_an_error_of_the_option_with_a_way_out(text: str):
    with pytest.raises(UsageError) as caught:
        parse_fault(text)
    assert caught.value.where == "--fault"
    assert caught.value.help


@given(st.text(max_size=60) | st.from_regex(r"(leg\d{1,7}|client\.[a-z]{1,6})=[a-z]{1,9}(:[\w:=-]{0,20})?"))
def test_any_text_is_a_fault_that_reads_back_or_a_usage_error(text: str):
    try:
        fault = parse_fault(text)
    except UsageError:
        return
    again = fault_text(fault)
    assert replace(parse_fault(again), text="") == replace(fault, text="")


VALUES = st.recursive(
    st.text(max_size=8) | st.integers() | st.booleans(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["at", "field", "xor", "bytes"]), inner)
    ),
    max_leaves=6,
)
KEYS = st.sampled_from(["leg", "call", "handshake", *(one.value for one in (*WireFaultKind, *FaultKind)), "x"])


@given(st.dictionaries(KEYS, VALUES, max_size=4))
def test_any_mapping_is_a_fault_or_a_usage_error(mapping: dict[str, Value]):
    try:
        fault = fault_from(mapping)
    except UsageError:
        return
    assert replace(parse_fault(fault.text), text="") == replace(fault, text="")
