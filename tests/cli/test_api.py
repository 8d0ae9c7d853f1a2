"""`sspi-async api` as a user meets it."""

import json

import pytest

from sspicli.analysis.api_card import IN_ORDER_OF_USE
from sspicli.sspi.functions import Function
from tests.processes import sspi


def test_without_a_name_the_twelve_are_listed_in_the_order_of_use():
    ended = sspi("api")
    names = [line.split()[0] for line in ended.stdout.splitlines() if line.startswith("Sspi")]
    assert (ended.returncode, names) == (0, [function.documented_name for function in IN_ORDER_OF_USE])


@pytest.mark.parametrize("name", ["SspiGetAsyncCallStatus", "get_async_call_status", "STATUS"])
def test_a_name_shows_its_card(name):
    ended = sspi("api", name)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.startswith("SspiGetAsyncCallStatus\nGive the status of the call")
    assert "https://learn.microsoft.com/" in ended.stdout


@pytest.mark.parametrize(("name", "says"), [
    ("SspiFreeAsyncContxt", "did you mean SspiFreeAsyncContext"),
    ("free", "write SspiFreeAsyncContext or SspiFreeCredentialsHandleAsync"),
    ("xyzzy", "sspi-async api lists them"),
    ("\x1b[2J", "sspi-async api lists them"),
    ("", "sspi-async api lists them"),
])  # fmt: skip
def test_a_name_that_is_none_or_several_ends_with_two_and_a_way_out(name, says):
    ended = sspi("api", name)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert says in ended.stderr
    assert "\x1b" not in ended.stderr


def test_the_document_has_every_card_in_full():
    document = json.loads(sspi("api", "-f", "json").stdout)
    assert (document["schema"], document["emulated"]) == ("sspi-async/api/1", True)
    assert [one["name"] for one in document["functions"]] == [one.documented_name for one in IN_ORDER_OF_USE]
    for one in document["functions"]:
        function = Function(one["name"])
        assert [each["name"] for each in one["parameters"]] == [each.name for each in function.arguments]
        assert bool(one["statuses_at_queueing"]) is bool(one["statuses_at_completion"]) is function.queues
        assert {each["verdict"] for each in one["law"]} <= {"allowed", "refused", "undefined"}
        assert all(each["source"] in ("documented", "observed", "inferred") for each in one["law"])
        assert one["kind"] == ("callback" if function is Function.SspiAsyncNotifyCallback else "function")


def test_the_document_of_one_name_has_that_card_alone():
    (card,) = json.loads(sspi("api", "init", "-f", "json").stdout)["functions"]
    assert card["statuses_at_queueing"][0]["status"] == "SEC_E_OK (0x00000000)"
    assert next(one["phase"] for one in card["after_it"]) == "pending"
    late = {one["name"]: one["needed"] for one in card["parameters"]}
    assert late["Reserved1"] is None
    assert "until the call has completed" in late["pOutput"]["text"]


def test_explain_sends_the_name_of_a_function_to_its_card():
    for name in ("SspiFreeAsyncContext", "SspiFreeAsyncContxt", "free_async_context"):
        ended = sspi("explain", name)
        assert ended.returncode in (0, 2)
        assert "that is a function: sspi-async api SspiFreeAsyncContext\n" in ended.stderr
    for code in ("SEC_E_CERT_EXPIRED", "45", "A004", "certificate expired", "callback"):
        assert "sspi-async api" not in sspi("explain", code).stderr
