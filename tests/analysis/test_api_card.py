"""Reference cards: computed from the law and the rules, so they cannot differ from what is enforced."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sspicli.analysis.api_card import IN_ORDER_OF_USE, QUEUEING, VERBS, card, find, near
from sspicli.analysis.rules import RULES
from sspicli.sspi.functions import Function
from sspicli.sspi.lifecycle import LAW, Allowed, Phase, Verb

F = Function


def test_every_function_that_takes_an_async_context_has_its_verbs_and_every_verb_its_functions():
    assert set(VERBS) == set(Function) - {F.SspiCreateAsyncContext, F.SspiAsyncNotifyCallback}
    assert {verb for verbs in VERBS.values() for verb, _ in verbs} == set(Verb)


def test_the_order_of_use_has_all_twelve_from_create_to_free():
    assert set(IN_ORDER_OF_USE) == set(Function)
    assert len(IN_ORDER_OF_USE) == 12
    assert (IN_ORDER_OF_USE[0], IN_ORDER_OF_USE[-1]) == (F.SspiCreateAsyncContext, F.SspiFreeAsyncContext)


@pytest.mark.parametrize("function", VERBS)
def test_a_card_has_the_verdict_of_every_cell_of_the_law(function):
    for phase in Phase:
        for verb, face in VERBS[function]:
            for inside in (True, False):
                row = LAW[phase, verb, inside]
                (one,) = [
                    one
                    for one in card(function).judged
                    if phase in one.subjects
                    and one.face in ("", face)
                    and one.where in ("", "inside it" if inside else "elsewhere")
                ]
                assert one.verdict == type(row.verdict).__name__.lower()
                assert (one.source, one.reference, one.rule) == (row.source, row.reference, row.rule)
                if isinstance(row.verdict, Allowed):
                    assert one.outcome == ("" if row.verdict.next is phase else row.verdict.next)


def test_the_callbacks_card_says_what_may_be_called_inside_it():
    judged = {subject: one.verdict for one in card(F.SspiAsyncNotifyCallback).judged for subject in one.subjects}
    assert set(judged) == {function.documented_name for function in VERBS}
    for function, verbs in VERBS.items():
        row = LAW[Phase.NOTIFYING, verbs[0][0], True]
        assert judged[function.documented_name] == type(row.verdict).__name__.lower()


def test_every_rule_with_a_monitor_is_on_the_card_of_some_function():
    watched = {code for code, rule in RULES.items() if rule.has_monitor}
    assert {rule.code for function in Function for rule in card(function).rules} == watched


def test_every_rule_that_a_cell_names_is_listed_on_its_card():
    for function in VERBS:
        one = card(function)
        assert {judged.rule for judged in one.judged} - {""} <= {rule.code for rule in one.rules}


def following(function):
    return {one.phase: one.functions for one in card(function).following}


def test_while_a_call_is_pending_only_its_status_and_requirement_may_be_asked():
    asking = ("SspiAsyncContextRequiresNotify", "SspiGetAsyncCallStatus")
    for function in QUEUEING:
        assert following(function)[Phase.PENDING] == asking
    assert following(F.SspiDeleteSecurityContextAsync)[Phase.PENDING_SILENT] == (*asking, "SspiFreeAsyncContext")


def test_after_create_and_reinit_a_call_may_be_queued_and_after_free_nothing():
    queueing = {function.documented_name for function in QUEUEING}
    for function in (F.SspiCreateAsyncContext, F.SspiReinitAsyncContext):
        assert set(following(function)) == {Phase.IDLE}
        assert queueing < set(following(function)[Phase.IDLE])
        assert "SspiGetAsyncCallStatus" not in following(function)[Phase.IDLE]
    assert following(F.SspiFreeAsyncContext) == {Phase.FREED: ()}
    assert following(F.SspiGetAsyncCallStatus) == {}


@pytest.mark.parametrize(("name", "meant"), [
    ("SspiFreeAsyncContext", [F.SspiFreeAsyncContext]),
    ("sspifreeasynccontext", [F.SspiFreeAsyncContext]),
    ("free_async_context", [F.SspiFreeAsyncContext]),
    ("SspiInitializeSecurityContextAsyncW", [F.SspiInitializeSecurityContextAsync]),
    ("InitializeSecurityContext", [F.SspiInitializeSecurityContextAsync]),
    ("init", [F.SspiInitializeSecurityContextAsync]),
    ("accept", [F.SspiAcceptSecurityContextAsync]),
    ("acquire", [F.SspiAcquireCredentialsHandleAsync]),
    ("delete", [F.SspiDeleteSecurityContextAsync]),
    ("create", [F.SspiCreateAsyncContext]),
    ("REINIT", [F.SspiReinitAsyncContext]),
    ("status", [F.SspiGetAsyncCallStatus]),
    ("requires-notify", [F.SspiAsyncContextRequiresNotify]),
    ("SspiAsyncNotifyCallback", [F.SspiAsyncNotifyCallback]),
    ("callback", [F.SspiSetAsyncNotifyCallback, F.SspiAsyncNotifyCallback]),
    ("free", [F.SspiFreeAsyncContext, F.SspiFreeCredentialsHandleAsync]),
    ("nothing", []),
    ("", []),
    ("sspi", []),
    ("_", []),
])  # fmt: skip
def test_a_name_is_found_however_people_write_it(name, meant):
    assert find(name) == meant


@given(name=st.text(max_size=30))
def test_any_name_is_found_or_not(name):
    assert all(isinstance(one, Function) for one in find(name))


@pytest.mark.parametrize(
    ("written", "meant"), [("Reint", "SspiReinitAsyncContext"), ("acept", "SspiAcceptSecurityContextAsync")]
)
def test_a_misspelt_beginning_of_a_name_finds_its_function(written: str, meant: str):
    assert near(written)[0].documented_name == meant
