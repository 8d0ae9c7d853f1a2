"""Reference cards as text: complete, inside the width, with how each thing is known."""

import pytest

from sspicli.analysis.api_card import card
from sspicli.sspi.function_facts import FUNCTION_FACTS
from sspicli.sspi.functions import Function
from sspicli.views.api import card_lines, listing, signature
from sspicli.views.text import plain


def text(function, width=100):
    return "\n".join(plain(line) for line in card_lines(card(function), width))


def unwrapped(function):
    return " ".join(text(function, 1000).split())


def test_a_signature_is_the_declaration_of_the_header():
    assert signature(Function.SspiSetAsyncNotifyCallback) == [
        "SECURITY_STATUS SspiSetAsyncNotifyCallback(",
        "    _In_      SspiAsyncContext*         Context,",
        "    _In_      SspiAsyncNotifyCallback*  Callback,",
        "    _In_opt_  void*                     CallbackData",
        ");",
    ]
    assert signature(Function.SspiCreateAsyncContext) == ["SspiAsyncContext* SspiCreateAsyncContext(void);"]
    assert signature(Function.SspiAsyncNotifyCallback)[0] == "typedef void SspiAsyncNotifyCallback("


@pytest.mark.parametrize("function", Function)
def test_a_card_says_everything_that_is_known(function):
    shown, facts = unwrapped(function), FUNCTION_FACTS[function]
    for fact in (*facts.notes, *facts.returned, *facts.irql, *facts.lifetimes.values()):
        assert f"{fact.text} ({fact.source}: {fact.reference})" in shown
    for status in (*function.final_statuses, *(one.status for one in facts.further)):
        assert f"{status.name} {status.hex}" in shown
    for rule in card(function).rules:
        assert f"{rule.code} {rule.severity}: {rule.title}" in shown
    for one in function.arguments:
        assert f" {one.name} " in shown
        assert one.note in shown


@pytest.mark.parametrize("function", Function)
@pytest.mark.parametrize("width", [48, 80, 120])
def test_a_card_stays_inside_the_width_but_for_declarations_and_addresses(function, width):
    declared = {*signature(function)}
    for line in text(function, width).splitlines():
        assert len(line) <= width or line in declared or "https://" in line or len(line.split()) < 3, line
        assert line.isascii()


def test_no_card_has_a_section_without_lines():
    create = text(Function.SspiCreateAsyncContext)
    assert "Parameters" not in create
    assert "What the call completes with" not in create
    assert "What it returns" not in text(Function.SspiFreeAsyncContext)


def test_the_list_has_every_name_with_its_sentence_at_any_width():
    for width in (48, 80, 120):
        shown = " ".join(plain(line) for line in listing(width)).split()
        for function in Function:
            assert function.documented_name in shown
            assert function.summary in " ".join(shown)
