"""The facts of the twelve names: complete, each with how it is known, in sentences."""

import pytest

from sspicli.sspi.function_facts import AVAILABILITY, FUNCTION_FACTS, NOT_EXPORTED, page_address
from sspicli.sspi.functions import Function
from sspicli.sspi.package import Source

CALLBACK = Function.SspiAsyncNotifyCallback


def points(argument):
    """Say whether a parameter points to memory."""
    return argument.type.endswith(("*", "_FN")) or argument.type.startswith("P")


def test_every_one_of_the_twelve_has_its_facts():
    assert set(FUNCTION_FACTS) == set(Function)
    assert all(facts.notes for facts in FUNCTION_FACTS.values())


@pytest.mark.parametrize("function", [one for one in Function if one.queues])
def test_every_pointer_given_to_a_queued_call_says_until_when_it_is_needed(function):
    assert set(FUNCTION_FACTS[function].lifetimes) == {one.name for one in function.arguments if points(one)}


@pytest.mark.parametrize("function", Function)
def test_no_fact_speaks_of_a_parameter_that_is_not_there(function):
    assert set(FUNCTION_FACTS[function].lifetimes) <= {one.name for one in function.arguments}


@pytest.mark.parametrize("function", Function)
def test_what_comes_back_is_explained_wherever_something_does(function):
    assert bool(FUNCTION_FACTS[function].returned) == (function.returns != "void")


def test_registering_a_callback_says_how_long_callback_and_data_are_needed():
    assert set(FUNCTION_FACTS[Function.SspiSetAsyncNotifyCallback].lifetimes) == {"Callback", "CallbackData"}


def every_fact():
    for function, facts in FUNCTION_FACTS.items():
        for fact in (*facts.notes, *facts.returned, *facts.irql):
            yield pytest.param(fact, id=f"{function}: {fact.text[:30]}")


@pytest.mark.parametrize("fact", [*every_fact(), *AVAILABILITY, *NOT_EXPORTED.values()])
def test_a_fact_is_a_sentence_and_names_where_it_is_from(fact):
    assert fact.text.endswith(".")
    assert fact.text[0].isupper()
    assert isinstance(fact.source, Source)
    assert fact.reference


def test_a_further_status_is_none_that_the_page_lists_and_is_not_called_documented():
    for function, facts in FUNCTION_FACTS.items():
        for further in facts.further:
            assert further.status not in function.final_statuses
            assert further.source is not Source.DOCUMENTED


def test_no_irql_is_claimed_where_none_is_known():
    assert [function for function, facts in FUNCTION_FACTS.items() if facts.irql] == [CALLBACK]
    assert not any(fact.source is Source.DOCUMENTED for fact in FUNCTION_FACTS[CALLBACK].irql)


def test_what_is_not_exported_is_declared():
    declared = {form for function in Function for form in function.forms}
    assert set(NOT_EXPORTED) <= declared
    assert {form for form in declared if form.endswith("A")} <= set(NOT_EXPORTED)


def test_a_page_has_the_address_of_the_form_that_is_documented():
    base = "https://learn.microsoft.com/windows/win32/api/sspi/"
    assert page_address(Function.SspiFreeAsyncContext) == f"{base}nf-sspi-sspifreeasynccontext"
    assert page_address(CALLBACK) == f"{base}nc-sspi-sspiasyncnotifycallback"
    initialize = Function.SspiInitializeSecurityContextAsync
    assert page_address(initialize) == f"{base}nf-sspi-sspiinitializesecuritycontextasyncw"
