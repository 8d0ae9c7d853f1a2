"""A scenario that is made of a recording makes the same run, and passes."""

import json
from dataclasses import replace
from typing import Any

import pytest

from sspicli.analysis.cases import Outcome
from sspicli.analysis.report import report
from sspicli.cli.session_options import SessionOptions
from sspicli.cli.start import start
from sspicli.journal import events as ev
from sspicli.journal.recording import read_recording
from sspicli.packages.option_values import CERT_PRESETS
from sspicli.runtime.chooser import schedule_text
from sspicli.scenario.layout import formatted
from sspicli.scenario.load import loads
from sspicli.scenario.run import RunOptions, run, run_case
from sspicli.scenario.write import scenario_text
from sspicli.sspi.errors import InputError

USUAL = SessionOptions(
    package="schannel",
    tls=None,
    client=(),
    server=(),
    mode="callback",
    completion="pending",
    order="fifo",
    schedule=None,
    workers=0,
    seed=0,
    timeout=30.0,
    messages=0,
    fault=(),
    clock="2026-11-22T12:00:00Z",
    record=None,
    keylog=None,
    include_secrets=False,
)


def recorded(tmp_path, **given):
    options = replace(USUAL, record=tmp_path / "run.sspirec", **given)
    start(options).run()
    return read_recording(tmp_path / "run.sspirec").records


def passes(text):
    (case,) = loads(text, "x.sspi.yaml").cases
    result = run_case(case, RunOptions())
    assert (result.outcome, result.unmet, result.reason) == (Outcome.PASSED, (), ""), text
    return case


KINDS: dict[str, Any] = {
    "nothing special": {},
    "TLS 1.2, polling": {"tls": "1.2", "mode": "poll"},
    "inline": {"tls": "1.3", "completion": "inline"},
    "random by seed": {"completion": "random", "order": "seed", "seed": 11},
    "lifo": {"order": "lifo", "seed": 3},
    "messages": {"messages": 3},
    "secrets kept": {"include_secrets": True, "tls": "1.3"},
    "resumed": {"client": ("resume=ticket",)},
    "resumed, TLS 1.2": {"client": ("resume=ticket",), "tls": "1.2"},
    "lists": {"client": ("alpn=h2, http/1.1", "suites=TLS_AES_128_GCM_SHA256"), "server": ("alpn=http/1.1",)},
    "odd spelling": {"client": (" TARGET =localhost", "tls=1.2")},
    "no target": {"client": ("target=",), "server": ("cert=valid",)},
    "no common version": {"client": ("tls=1.2",), "server": ("tls=1.3",)},
    "mutual": {"client": ("cert=valid",), "server": ("request-cert=require",)},
    "no client certificate": {"server": ("request-cert=require",)},
    "validated by hand": {"client": ("validate=manual",), "server": ("cert=self-signed",)},
    "RSA": {"server": ("key=rsa2048",)},
    "the documented sample": {"mode": "sample"},
    "the documented sample, later": {"mode": "sample", "completion": "random", "order": "seed", "seed": 2},
    "workers": {"workers": 2},
    "a call that fails": {"fault": ("client.init#2=fail:SEC_E_INTERNAL_ERROR",)},
    "a call that is refused": {"fault": ("server.accept=refuse",)},
    "a call that hangs": {"fault": ("server.accept#1=hang",), "timeout": 2.5},
    "no async context": {"fault": ("client.create=null",)},
    "a late call": {"fault": ("client.init#2=delay:500",)},
    "a flipped bit": {"fault": ("leg2=tamper:ServerHello.random:01",)},
    "an overwritten byte": {"fault": ("leg1=tamper:-1:=ff",), "tls": "1.2"},
    "pieces": {"fault": ("leg1=split:5:100", "leg2=split:1")},
    "a lost leg": {"fault": ("leg2=drop",)},
    "twice": {"fault": ("leg1=duplicate",)},
    "of the second handshake": {"client": ("resume=ticket",), "fault": ("handshake2.leg1=truncate:40",)},
} | {f"certificate {one}": {"server": (f"cert={one}",)} for one in CERT_PRESETS}


@pytest.mark.parametrize("name", KINDS)
def test_the_scenario_of_a_recording_passes(name, tmp_path):
    text = scenario_text(recorded(tmp_path, **KINDS[name]), where="run.sspirec")
    passes(text)
    assert formatted(text) == text


@pytest.mark.parametrize("name", ["lifo", "random by seed", "a flipped bit", "the documented sample, later"])
def test_it_makes_the_same_calls_in_the_same_order(name, tmp_path):
    before = recorded(tmp_path, **KINDS[name])
    case = passes(scenario_text(before, where="run.sspirec"))
    kinds = (ev.CallQueued, ev.CallCompleted, ev.CallbackEntered, ev.FaultInjected)
    seen = lambda records: [  # noqa: E731
        (one.actor, type(one.event), getattr(one.event, "status", None))
        for one in records
        if isinstance(one.event, kinds)
    ]
    assert seen(run(case).records) == seen(before)


def test_a_schedule_is_kept(tmp_path):
    (tmp_path / "first").mkdir()
    first = recorded(tmp_path / "first", completion="random", order="seed", seed=5)
    schedule = schedule_text(report(first).schedule)
    case = passes(scenario_text(recorded(tmp_path, seed=5, schedule=schedule), where="run.sspirec"))
    assert case.scenario.schedule.choices == schedule


def test_a_recorded_scenario_is_given_back_as_it_was():
    text = "# mine\nschema: sspi-async/scenario/1\nname:   odd layout\n"
    (case,) = loads(text, "x.sspi.yaml").cases
    assert scenario_text(run(case).records, where="run.sspirec") == text


def test_it_expects_what_was_seen_and_not_more(tmp_path):
    (case,) = loads(
        scenario_text(recorded(tmp_path, server=("cert=expired",), tls="1.2"), where="run.sspirec"), "x.sspi.yaml"
    ).cases
    expected = case.scenario.expect
    assert (expected.verdict, expected.failed, expected.alert) == ("failed", "client", "certificate_expired")
    assert [getattr(one, "leg", 0) for one in case.scenario.steps] == list(range(1, len(case.scenario.steps) + 1))
    assert case.scenario.session.client == {}
    assert case.scenario.schedule.model_fields_set == set()


def test_another_run_does_not_pass(tmp_path):
    text = scenario_text(recorded(tmp_path, tls="1.2"), where="run.sspirec")
    (case,) = loads(text.replace('tls: "1.2"', 'tls: "1.3"'), "x.sspi.yaml").cases
    assert run_case(case, RunOptions()).outcome is Outcome.FAILED


def test_a_run_that_did_not_end_gives_no_scenario(tmp_path):
    records = recorded(tmp_path)
    with pytest.raises(InputError, match="did not come to its end"):
        scenario_text(records[:-1], where="run.sspirec")
    with pytest.raises(InputError, match="does not say how"):
        scenario_text(records[1:], where="run.sspirec")


def test_text_of_a_recording_stays_text(tmp_path):
    hostile = 'x: [y] # "\\ $z'
    text = scenario_text(recorded(tmp_path, client=(f"alpn={hostile}",)), where="run.sspirec")
    (case,) = loads(text, "x.sspi.yaml").cases
    assert case.scenario.session.client == {"alpn": [hostile]}
    assert json.dumps(text).isascii()
