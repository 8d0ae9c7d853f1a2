"""A call that is about to be made: what `break before` stops at, before anything of it is on record.

The rule guarded here: it is known only where it can be. A session under way knows it of the actor whose step is next:
that actor has come up to its call, what it passes is laid out, and nothing has been called. A recording knows it by
its next record. Nothing else is guessed.
"""

from __future__ import annotations

from typing import NamedTuple

from sspicli.debugger.course import Next
from sspicli.debugger.expression import Value
from sspicli.debugger.view import EVENT_NAMES, FUNCTION_EVENTS, WORD_OF, View
from sspicli.journal import events as ev
from sspicli.journal.journal import Record
from sspicli.runtime.call_names import QUEUEING_WORDS
from sspicli.session import actions as act

WORDS: dict[type, str] = {
    act.CreateAsyncContext: "create",
    act.SetAsyncNotifyCallback: "set-callback",
    act.AsyncContextRequiresNotify: "requires-notify",
    act.GetAsyncCallStatus: "get-status",
    act.ReinitAsyncContext: "reinit",
    act.FreeAsyncContext: "free-async-context",
    act.AcquireCredentialsHandle: "acquire",
    act.InitializeSecurityContext: "init",
    act.AcceptSecurityContext: "accept",
    act.DeleteSecurityContext: "delete",
    act.FreeCredentialsHandle: "free",
    act.QueryContextAttributes: "query",
    act.EncryptMessage: "encrypt",
    act.DecryptMessage: "decrypt",
}
"""What each action that is a call is named in short."""


class Coming(NamedTuple):
    """A call that is about to be made: by whom, its function in short, and which of the queued ones it will be."""

    actor: str
    word: str
    number: int | None

    @property
    def side(self) -> str:
        """Whose call it is."""
        return self.actor.partition(".")[0]

    @property
    def name(self) -> str:
        """Name it as a user would."""
        return f"{self.side}.{self.word}" + (f"#{self.number}" if self.number else "")

    def value(self, path: str, view: View) -> Value:
        """Give a name's value: of the call to come where the name is else about the last record."""
        if path not in EVENT_NAMES:
            return view.value(path)
        known: dict[str, Value] = {"side": self.side, "actor": self.actor, "function": self.word, "number": self.number}
        return known.get(path)


def of_action(action: type | None, actor: str, view: View) -> Coming | None:
    """Say which call an action of this kind is; None for one that is none."""
    word = None if action is None else WORDS.get(action)
    return None if word is None else _coming(word, actor, view)


def of_step(one: Next, view: View) -> Coming | None:
    """Say which call an actor has come up to that is yet to make it; None for one that has not."""
    return of_action(one.coming, one.actor, view)


def of_record(record: Record, view: View) -> Coming | None:
    """Say which call the record behind a view is about to be made in; None for a record of something else."""
    event = record.event
    if isinstance(event, ev.CallQueued):
        return _coming(WORD_OF[event.function], record.actor, view)
    word = FUNCTION_EVENTS.get(type(event))
    if isinstance(event, ev.CallRefused):
        word = WORD_OF.get(event.function)
    return None if word is None else _coming(word, record.actor, view)


def _coming(word: str, actor: str, view: View) -> Coming:
    side, function = actor.partition(".")[0], QUEUEING_WORDS.get(word)
    if function is None:
        return Coming(actor, word, None)
    made = sum(1 for one in view.state.every_call() if (one.endpoint, one.function) == (side, function))
    return Coming(actor, word, made + 1)
