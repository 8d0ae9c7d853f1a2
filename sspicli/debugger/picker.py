"""The chooser of a session under the debugger: what it is told, else what the session would have done by itself."""

from __future__ import annotations

from collections.abc import Sequence

from sspicli.debugger.inputs import Timed
from sspicli.runtime.chooser import Chooser, Completion, Kind, Transition
from sspicli.sspi.errors import UsageError


class Picker:
    """A chooser that takes what it is told, and otherwise what the session's own chooser says."""

    def __init__(self, own: Chooser) -> None:
        self.wanted: int | None = None
        self.left_schedule = ""
        self.timed: list[Timed] = []
        self._own: Chooser | None = own

    def preferred(self, options: Sequence[Transition]) -> int:
        """Say what is taken by default: as the session's own chooser has it, but for the calls that are timed."""
        return self.in_time(options, self._by_own(options))

    def in_time(self, options: Sequence[Transition], picked: int) -> int:
        """Let a call complete within its queueing function, or this return first, where that was said.

        The order is a schedule's (see `Policy`): while a callback waits, others go on before the function returns.
        """
        if not self.timed or not options:
            return picked
        said = [self._said_of(one) for one in options]
        wanted = [at for at, one in enumerate(options) if one.kind is not Kind.RETURN and said[at] is Completion.INLINE]
        if said[picked] is Completion.INLINE:
            others = (at for at, one in enumerate(options) if one.kind not in (Kind.COMPLETE, Kind.TURN))
            wanted += [at for at in others if said[at] is not Completion.INLINE]
        elif said[picked] is Completion.PENDING:
            call = options[picked].call
            wanted += [at for at, one in enumerate(options) if one.kind is Kind.RETURN and one.call is call]
        return wanted[0] if wanted else picked

    def _said_of(self, one: Transition) -> Completion | None:
        """Say what holds for a call whose queueing function has not returned; None for any other, and for nothing."""
        call = one.call
        if call is None or call.has_returned:
            return None
        return next((said.completion for said in reversed(self.timed) if said.is_about(call)), None)

    def _by_own(self, options: Sequence[Transition]) -> int:
        """Say what the session's own chooser takes; 0 from where it cannot go on."""
        if self._own is None or len(options) < 2:
            return 0
        try:
            return self._own.choose(options)
        except UsageError as error:
            self._own, self.left_schedule = None, error.message
            return 0

    def choose(self, options: Sequence[Transition]) -> int:
        """Take what was wanted."""
        assert self.wanted is not None, "the debugger says what is next before it fires"
        return self.wanted
