"""bt: the chain of who is inside what, told from records alone."""

from __future__ import annotations

from sspicli.debugger.backtrace import frames
from sspicli.debugger.view import View
from sspicli.journal import events as ev
from tests.debugger.consoles import debugger, do, shown


def test_a_callback_inside_a_call_that_has_not_returned_stands_above_it():
    one = debugger()
    do(one, "inline client.acquire", "break client callback", "continue")

    text = shown(do(one, "bt"))

    assert "#0  in the notify callback for client.acquire#1" in text
    assert "#1  in SspiAcquireCredentialsHandleAsync, client.acquire#1" in text


def test_a_pending_call_says_who_holds_it():
    one = debugger()
    do(one, "hold server", "continue")

    assert "pending server.acquire#1 since record" in shown(do(one, "bt"))
    assert "held by server.*" in shown(do(one, "bt"))


def test_a_callback_that_waits_says_for_what():
    one = debugger(by_hand=["client"])
    do(one, "create client", 'set-callback client do="sleep 100"', "acquire client", "until client.callbacks == 1")

    do(one, 'until event == "CallbackWaited"')

    do(one, "bt")

    assert [frame.waits for frame in frames(one.bench.view)] == ["waits for a timer"]


def test_what_is_under_way_is_told_with_who_waits_for_it():
    one = debugger()
    do(one, "break leg 1", "continue")

    text = shown(do(one, "bt"))

    assert "leg 1 to the server, under way" in text
    assert "server is in no call" in text


def test_every_frame_that_is_opened_is_closed_by_the_end_of_a_run():
    one = debugger()
    do(one, "continue")
    records = one.bench.branch.records

    depths = [len(frames(View(records[:end]))) for end in range(0, len(records), 7)]

    assert max(depths) > 0
    assert frames(one.bench.view) == []
    assert any(isinstance(record.event, ev.CallbackReturned) for record in records)
