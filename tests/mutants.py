"""Mutants of the correct drivers: each does one thing wrong that a driver's author could do wrong.

A mutant wraps the actions of the shipped program, and of its callbacks: an action is left out, done twice, moved, or
changed. Everything else goes on as in the program that is right.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any

from sspicli.runtime.calls import OutputSlot
from sspicli.session.actions import (
    AcceptSecurityContext,
    CreateAsyncContext,
    Driver,
    FreeAsyncContext,
    GetAsyncCallStatus,
    InitializeSecurityContext,
    Receive,
    Send,
    SetAsyncNotifyCallback,
    Sleep,
    Wait,
)
from sspicli.session.drivers import Plan, endpoint_program
from sspicli.sspi.buffers import BufferImage, BufferType, SecBufferDesc, empty, given
from sspicli.sspi.handles import Handle
from sspicli.sspi.status import SecurityStatus

OK = SecurityStatus.SEC_E_OK
CONTINUE = SecurityStatus.SEC_I_CONTINUE_NEEDED
INCOMPLETE = SecurityStatus.SEC_E_INCOMPLETE_MESSAGE
FIRST_ERROR = 0x80000000
LEGS = (InitializeSecurityContext, AcceptSecurityContext)
CLIENT, SERVER = "client", "server"

Act = Any  # an action: its kind is what the mutant asked for
Doing = Generator[Any, Any, Any]
Change = Callable[["Scene", Act], Doing]
"""What to do in place of an action; what it returns is the action's outcome."""


@dataclass
class Scene:
    """What a mutant remembers: how many actions it was asked about, the last leg, and what it kept for later."""

    count: int = 0
    leg: Act = None
    status: SecurityStatus = OK
    received: bytes = b""
    sent: bytes = b""
    kept: object = None


@dataclass(frozen=True)
class Mutant:
    """One mutant: at which end it is, which kinds of action it changes, and how; `nth` are the uses changed, or all.

    `codes` are the rules of which one must be found. `settings` and `wire` are those of its run.
    """

    name: str
    codes: str
    kinds: tuple[type, ...]
    change: Change
    side: str = CLIENT
    nth: tuple[int, ...] = ()
    settings: dict[str, Any] = field(default_factory=dict)
    wire: Callable[[], Any] | None = None

    def program(self, plan: Plan, name: str) -> Driver:
        """Be the shipped program with the one thing wrong."""
        return self._wrapped(endpoint_program(plan, name), Scene())

    def _wrapped(self, driver: Driver, scene: Scene) -> Driver:
        outcome: object = None
        while True:
            try:
                action = driver.send(outcome)
            except StopIteration:
                return
            outcome = yield from self._done(self._with_callback(action, scene), scene)
            self._remember(action, outcome, scene)

    def _done(self, action: Act, scene: Scene) -> Doing:
        if type(action) in self.kinds:
            scene.count += 1
            if not self.nth or scene.count in self.nth:
                return (yield from self.change(scene, action))
        return (yield action)

    @staticmethod
    def _remember(action: Act, outcome: object, scene: Scene) -> None:
        if isinstance(action, LEGS):
            scene.leg = action
        elif isinstance(action, Receive) and isinstance(outcome, bytes):
            scene.received = outcome
        elif isinstance(action, Send):
            scene.sent = action.data
        elif isinstance(action, Wait) and isinstance(outcome, SecurityStatus):
            scene.status = outcome

    def _with_callback(self, action: Act, scene: Scene) -> Act:
        """Let what a callback does be changed too."""
        if not isinstance(action, SetAsyncNotifyCallback) or action.callback is None:
            return action
        body = action.callback
        return action._replace(callback=lambda handle, data: self._wrapped(body(handle, data), scene))


# -- changes -----------------------------------------------------------------------------------------------------------
def drop(scene: Scene, action: Act) -> Doing:
    """Leave it out; what it would have given looks like success."""
    yield from ()
    return b"" if isinstance(action, Receive) else OK


def skip_call(scene: Scene, action: Act) -> Doing:
    """Leave a call out, and do not wait for it either."""
    yield from ()
    return SecurityStatus.SEC_E_INTERNAL_ERROR


def twice(scene: Scene, action: Act) -> Doing:
    outcome = yield action
    yield action
    return outcome


def before(other: Callable[[Act], Act]) -> Change:
    """Do something else first."""

    def change(scene: Scene, action: Act) -> Doing:
        yield other(action)
        return (yield action)

    return change


def after(other: Callable[[Act], Act]) -> Change:
    """Do something else as well, right after it."""

    def change(scene: Scene, action: Act) -> Doing:
        outcome = yield action
        yield other(action)
        return outcome

    return change


def instead(other: Callable[[Act], Act]) -> Change:
    """Do something else."""

    def change(scene: Scene, action: Act) -> Doing:
        return (yield other(action))

    return change


def beside(other: Callable[[Handle, Act], Act]) -> Change:
    """Queue another call right after it, on an async context of its own that is freed by its callback."""

    def freeing(handle: Handle, data: object) -> Driver:
        yield GetAsyncCallStatus(handle)
        yield FreeAsyncContext(handle)

    def change(scene: Scene, action: Act) -> Doing:
        outcome = yield action
        own = yield CreateAsyncContext()
        yield SetAsyncNotifyCallback(own, freeing)
        yield other(own, action)
        return outcome

    return change


def and_wait(change: Change) -> Change:
    """Let time pass afterwards, so that what was queued beside comes to its end."""

    def changed(scene: Scene, action: Act) -> Doing:
        outcome = yield from change(scene, action)
        yield Sleep(1000)
        return outcome

    return changed


def fresh(leg: Act, own: Handle) -> Act:
    """Make the same leg on another async context, with variables and buffers of its own."""
    output = SecBufferDesc(given(BufferType.TOKEN, b""), given(BufferType.ALERT, b""))
    return leg._replace(
        async_context=own,
        security_context=None if leg.security_context is None else copy_of(leg.security_context),
        new_security_context=OutputSlot("phNewContext", None),
        output=output,
        attributes=OutputSlot("pfContextAttr", 0),
        expiry=OutputSlot("ptsExpiry", 0),
    )


def copy_of(variable: OutputSlot[Handle | None]) -> OutputSlot[Handle | None]:
    """Give another variable with the same handle."""
    return OutputSlot("copy", variable.held)


def read_attributes(scene: Scene, action: Act) -> Doing:
    outcome = yield action
    assert action.attributes.value is not None, "read too early"
    return outcome


def status_from(old: Callable[[SecurityStatus], bool], new: SecurityStatus) -> Change:
    """Take one status of a leg for another."""

    def change(scene: Scene, action: Act) -> Doing:
        status = yield action
        return new if scene.leg is not None and old(status) else status

    return change


def extra_as(size: Callable[[int, int], int]) -> Change:
    """Read another size out of SECBUFFER_EXTRA, given that of the input and the true one."""

    def change(scene: Scene, action: Act) -> Doing:
        status = yield action
        extra = None if scene.leg is None or scene.leg.input is None else scene.leg.input.first(BufferType.EXTRA)
        if extra is not None:
            whole = scene.leg.input.first(BufferType.TOKEN).size
            extra.image = BufferImage(BufferType.EXTRA, size(whole, extra.size), None)
        return status

    return change


def with_token(bytes_of: Callable[[Scene, bytes], bytes]) -> Change:
    """Pass other bytes to a leg that has some."""

    def change(scene: Scene, action: Act) -> Doing:
        token = None if action.input is None else action.input.first(BufferType.TOKEN)
        if token is not None and token.data:
            action = action._replace(input=SecBufferDesc(given(BufferType.TOKEN, bytes_of(scene, token.data)), empty()))
            scene.kept = action.input
        return (yield action)

    return change


def only_the_new(scene: Scene, data: bytes) -> bytes:
    return scene.received if scene.status == INCOMPLETE else data


def with_layout(layout: Callable[[bytes], SecBufferDesc]) -> Change:
    """Lay the input out in another way."""
    return instead(lambda action: action._replace(input=layout(action.input.first(BufferType.TOKEN).data)))


def with_version(scene: Scene, action: Act) -> Doing:
    action.output.version = 1
    return (yield action)


def again_when(is_last: Callable[[SecurityStatus], bool]) -> Change:
    """Wait for a leg, and where its status was the last word make another with the same input."""

    def change(scene: Scene, action: Act) -> Doing:
        status = yield action
        if scene.leg is not None and scene.kept is None and is_last(status):
            scene.kept = True
            leg = fresh(scene.leg, scene.leg.async_context)
            yield leg._replace(input=SecBufferDesc(given(BufferType.TOKEN, scene.received), empty()))
            yield action
        return status

    return change


def echo(scene: Scene, action: Act) -> Doing:
    """Send back what was received, before one's own token."""
    yield Send(scene.received, is_token=True)
    return (yield action)


def early_leg(own: Handle, action: Act) -> Act:
    """Make a first leg with a credential that its acquire is still to write."""
    output = SecBufferDesc(given(BufferType.TOKEN, b""), given(BufferType.ALERT, b""))
    new: OutputSlot[Handle | None] = OutputSlot("phNewContext", None)
    numbers = OutputSlot("pfContextAttr", 0), OutputSlot("ptsExpiry", 0)
    return InitializeSecurityContext(own, action.credential, None, "localhost", 0x100, None, new, output, *numbers)


def poll_status(action: Act) -> Act:
    return GetAsyncCallStatus(action.async_context)
