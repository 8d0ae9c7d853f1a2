"""The function cards: names, order and directions as the header has them."""

import pytest

from sspicli.sspi.functions import Direction, Function
from sspicli.sspi.status import SecurityStatus

QUEUEING = [
    Function.SspiAcquireCredentialsHandleAsync,
    Function.SspiInitializeSecurityContextAsync,
    Function.SspiAcceptSecurityContextAsync,
    Function.SspiDeleteSecurityContextAsync,
    Function.SspiFreeCredentialsHandleAsync,
]


def names(function):
    return [argument.name for argument in function.arguments]


def test_there_are_eleven_functions_and_one_callback_type():
    assert len(Function) == 12
    assert list(Function)[-1] is Function.SspiAsyncNotifyCallback
    assert all(function.documented_name == function.name for function in Function)


def test_five_functions_queue_a_call_and_each_has_a_synchronous_counterpart():
    assert [function for function in Function if function.queues] == QUEUEING
    for function in QUEUEING:
        assert function.documented_name == f"Sspi{function.counterpart}Async"


@pytest.mark.parametrize("function", QUEUEING)
def test_a_queueing_function_takes_the_async_context_first_and_writes_through_no_parameter(function):
    first, *others = function.arguments
    assert (first.name, first.direction) == ("AsyncContext", Direction.IN_OUT)
    assert all(argument.direction is not Direction.IN_OUT for argument in others)
    assert function.returns == "SECURITY_STATUS"


@pytest.mark.parametrize(
    ("function", "count"), [*zip(QUEUEING, (10, 13, 10, 2, 2), strict=True), (Function.SspiSetAsyncNotifyCallback, 3)]
)
def test_a_function_has_as_many_parameters_as_its_stack_size_tells(function, count):
    assert len(function.arguments) == count


def test_initialize_and_accept_take_the_request_flags_in_different_places():
    assert names(Function.SspiInitializeSecurityContextAsync) == [
        "AsyncContext",
        "phCredential",
        "phContext",
        "pszTargetName",
        "fContextReq",
        "Reserved1",
        "TargetDataRep",
        "pInput",
        "Reserved2",
        "phNewContext",
        "pOutput",
        "pfContextAttr",
        "ptsExpiry",
    ]
    assert names(Function.SspiAcceptSecurityContextAsync) == [
        "AsyncContext",
        "phCredential",
        "phContext",
        "pInput",
        "fContextReq",
        "TargetDataRep",
        "phNewContext",
        "pOutput",
        "pfContextAttr",
        "ptsExpiry",
    ]


def test_acquire_takes_its_ten_parameters_in_documented_order():
    assert names(Function.SspiAcquireCredentialsHandleAsync) == [
        "AsyncContext",
        "pszPrincipal",
        "pszPackage",
        "fCredentialUse",
        "pvLogonId",
        "pAuthData",
        "pGetKeyFn",
        "pvGetKeyArgument",
        "phCredential",
        "ptsExpiry",
    ]


def test_the_attributes_word_is_not_optional_and_the_expiry_is():
    by_name = {argument.name: argument for argument in Function.SspiAcceptSecurityContextAsync.arguments}
    assert not by_name["pfContextAttr"].is_optional
    assert by_name["ptsExpiry"].is_optional


def test_reinit_answers_with_an_ntstatus_and_requires_notify_with_one_byte():
    assert Function.SspiReinitAsyncContext.returns == "NTSTATUS"
    assert Function.SspiAsyncContextRequiresNotify.returns == "BOOLEAN"
    assert Function.SspiFreeAsyncContext.returns == Function.SspiAsyncNotifyCallback.returns == "void"
    assert Function.SspiFreeAsyncContext.arguments[0].is_optional


def test_only_acquire_and_initialize_have_a_unicode_and_an_ansi_form():
    twofold = [function for function in Function if len(function.forms) == 2]
    assert twofold == QUEUEING[:2]
    assert twofold[0].forms == ("SspiAcquireCredentialsHandleAsyncW", "SspiAcquireCredentialsHandleAsyncA")
    assert Function.SspiCreateAsyncContext.forms == ("SspiCreateAsyncContext",)


def test_documented_final_statuses_belong_to_queueing_functions_and_never_say_pending():
    for function in Function:
        assert bool(function.final_statuses) is function.queues
        assert not any(status.is_pending for status in function.final_statuses)
        assert len(set(function.final_statuses)) == len(function.final_statuses)


def test_incomplete_credentials_and_a_wrong_principal_are_the_clients_alone():
    client = set(Function.SspiInitializeSecurityContextAsync.final_statuses)
    server = set(Function.SspiAcceptSecurityContextAsync.final_statuses)
    assert client - server == {
        SecurityStatus.SEC_I_INCOMPLETE_CREDENTIALS,
        SecurityStatus.SEC_E_TARGET_UNKNOWN,
        SecurityStatus.SEC_E_WRONG_PRINCIPAL,
    }
    assert server < client


@pytest.mark.parametrize("function", Function)
def test_every_card_says_what_it_is_in_one_sentence(function):
    assert function.summary.endswith(".")
    assert ". " not in function.summary
