"""A certificate described in a scenario: how it is checked, and what it does to the run."""

import json
from pathlib import Path

import jsonschema
import pytest

from sspicli.analysis.cases import Outcome
from sspicli.journal import events as ev
from sspicli.packages.descriptions import DAY, CertificateDescription, IssuerDescription
from sspicli.scenario.certificate import CertificatePart, description_of
from sspicli.scenario.load import load, loads
from sspicli.scenario.problems import data_of
from sspicli.scenario.run import RunOptions, run, run_case
from sspicli.scenario.schema import schema
from sspicli.scenario.yaml import ScenarioError, parse

FOLDER = Path(__file__).parents[2] / "scenarios" / "certificates"
LESSONS = [case for file in sorted(FOLDER.glob("*.sspi.yaml")) for case in load(file, file.name).cases]


def scenario(server="{}", client="", *, more="", settings=""):
    clients = f", client: {{ cert: {client} }}" if client else ""
    return (
        "schema: sspi-async/scenario/1\nname: x\n"
        f"session: {{ server: {{ cert: {server} {settings} }}{clients} }}\n{more}"
    )


def only(text):
    (case,) = loads(text, "x.sspi.yaml").cases
    return case


def description(text):
    return description_of(only(scenario(text)).scenario.session.server["cert"])


def wrongs(text):
    """List what is wrong with the server's certificate: what stands there, and what is said."""
    with pytest.raises(ScenarioError) as caught:
        loads(scenario(text), "x.sspi.yaml")
    lines = scenario(text).splitlines()
    return [(lines[one.place.line - 1][one.place.column - 1 :], one.message) for one in caught.value.problems]


def test_what_is_left_out_is_as_in_a_good_certificate():
    assert description("{}") == CertificateDescription()
    assert description("{ chain: 2 }").chain == (IssuerDescription(), IssuerDescription())
    assert description("{ chain: [{}] }").chain == (IssuerDescription(),)


def test_every_key_of_a_certificate_changes_what_is_issued():
    texts = {
        "subject": "CN=x",
        "not-before": "-2d",
        "not-after": "2d",
        "key": "p256",
        "usage": "none",
        "key-usage": "none",
        "ca": "true",
        "path-length": "1",
        "serial": "7",
        "signature": "broken",
        "unknown-critical": "true",
        "revoked": "true",
        "padding": "7",
        "names": "[a]",
        "chain": "1",
        "issuer": "other",
        "send": "with-root",
        "revocation-lists": "current",
    }
    assert set(texts) == set(CertificatePart.keys())
    for key, value in texts.items():
        together = ", ca: true" if key == "path-length" else ""
        assert description(f"{{ {key}: {value}{together} }}") != description(f"{{ {together[2:]} }}"), key


def test_a_word_may_stand_for_a_list_of_it():
    made = description("{ usage: client, key-usage: none, ca: none, serial: 0x10, not-after: 90s }")
    assert (made.usage, made.key_usage, made.ca, made.serial, made.not_after) == (("client",), (), None, 16, 90)
    assert description("{ usage: [client, any] }").usage == ("client", "any")
    assert description("{ not-after: 2d }").not_after == 2 * DAY


def test_all_that_is_wrong_is_said_at_once_where_it_stands():
    found = wrongs(
        '{ subjct: a, subject: "CN=x, Q=y", names: [ok, "a b"], not-after: 1.5d, key: dsa, usage: [servr], ca: maybe,'
        " serial: 0, chain: [{ path-length: -1 }, { not-before: 5 }, 7] }"
    )
    stands = [text.split(",")[0].split(" }")[0].split("]")[0] for text, _ in found]
    assert stands == ["subjct: a", '"CN=x', '"a b"', "1.5d", "dsa", "servr", "maybe", "0", "-1", "5", "7"]


@pytest.mark.parametrize(
    ("text", "stands", "says"),
    [
        ("{ not-after: -2d }", "-2d", "ends before it begins"),
        ("{ path-length: 1 }", "1 }", "only an authority"),
        ("{ chain: [{ ca: none, path-length: 2 }] }", "2 }", "only an authority"),
        ("{ issuer: self, chain: 1 }", "1 }", "signs itself has no chain"),
        ("{ send: leaf }", "leaf", "no effect"),
        ("{ chain: [], send: reversed }", "reversed", "no effect"),
        ("{ issuer: self, send: with-root }", "with-root", "no root"),
        ("{ chain: 9 }", "9", "too large"),
        ("{ padding: 1000001 }", "1000001", "too large"),
        ("{ }, key: p256", "p256", "beside a described certificate"),
        ("{ }, key-password-file: f", "f", "beside a described certificate"),
        ("valid, alpn: { a: b }", "{ a: b }", "a mapping is no value here"),
    ],
)
def test_what_contradicts_itself_is_said_where_it_stands(text, stands, says):
    ((found, message),) = wrongs(text)
    assert found.startswith(stands)
    assert says in message


def test_settings_that_go_together_are_no_mistakes_one_by_one():
    case = only(scenario(client="valid, key: p256", settings=", request-cert: require"))
    assert run_case(case, RunOptions()).outcome is Outcome.PASSED


def test_variables_stand_in_descriptions_too():
    text = scenario("{ not-after: $ends }", more="matrix: { ends: [1d, 2d] }\n")
    ends = [description_of(case.scenario.session.server["cert"]).not_after for case in loads(text, "x").cases]
    assert ends == [DAY, 2 * DAY]


def test_two_descriptions_with_equal_words_beside_them_are_two_certificates():
    expired = run_case(only(scenario("{ not-before: -2d, not-after: -1d }")), RunOptions())
    good = run_case(only(scenario("{ }")), RunOptions())
    assert (expired.verdict, good.verdict) == ("failed", "ok")


def test_a_runs_options_hold_words_only():
    records = run(only(scenario("{ revoked: true }", client="{ chain: 1 }"))).records
    started = next(one.event for one in records if isinstance(one.event, ev.RunStarted))
    assert started.options["server.note"] == "server=cert described: revoked"
    assert started.options["client.note"] == ""
    assert json.dumps(dict(started.options))


@pytest.mark.parametrize(
    ("text", "is_good"),
    [
        ("valid", True),
        ("{}", True),
        (
            "{ usage: none, key-usage: [cert-sign], ca: none, serial: 0x10, not-after: 5m, chain: [{ ca: false }] }",
            True,
        ),
        ("{ chain: $n, not-before: $n }", True),
        ("{ subjct: a }", False),
        ("{ not-after: 5 }", False),
        ("{ usage: servr }", False),
        ("{ chain: [{ names: [a] }] }", False),
    ],
)
def test_the_schema_takes_what_the_checker_takes(text, is_good):
    document = data_of(parse(scenario(text), "x")[1][0])
    assert jsonschema.Draft202012Validator(schema()).is_valid(json.loads(json.dumps(document))) == is_good


@pytest.mark.parametrize("case", LESSONS, ids=lambda case: case.id)
def test_each_lesson_on_certificates_holds(case):
    result = run_case(case, RunOptions())
    assert result.outcome is Outcome.PASSED, (result.reason, result.unmet)
    assert result.expectations >= 2
