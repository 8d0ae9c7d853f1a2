"""What is on its way between the endpoints: sent, under way, delivered, and offered to those who wait for it.

The rule guarded here: a stream keeps its order, whatever is chosen: only what was sent first is a transition. Of those
who wait for bytes at one endpoint, who waited first gets them first.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from sspicli.journal import events as ev
from sspicli.journal.journal import Journal
from sspicli.runtime.chooser import Kind
from sspicli.session.actions import Connect, Send
from sspicli.session.activity import Activity
from sspicli.session.agenda import Agenda, Entry
from sspicli.session.wire import Parcel, Wire


class Traffic:
    """Carries what endpoints send over their wire, and lets programs go on when there are bytes for them.

    A wire with faults (see `wire_faults.py`) sets `forward`, which takes what is sent.
    """

    def __init__(
        self,
        wire: Wire,
        *,
        journal: Journal,
        agenda: Agenda,
    ) -> None:
        self.forward: Callable[[Parcel, int], None] | None = None
        self._wire = wire
        self._journal = journal
        self._agenda = agenda
        self._receivers: dict[str, deque[tuple[Activity, Entry]]] = {}
        self._under_way: dict[str, deque[int]] = {}

    def connect(self, activity: Activity, action: Connect) -> bool:
        """Begin a connection, or go back to one; who waits for bytes may have some there."""
        activity.cause = self._journal.append(activity.name, ev.HandshakeBegan(action.number), activity.cause)
        self._wire.connect(activity.api.name, action.number)
        self._offer(activity.api.name)
        return True

    def send(self, activity: Activity, action: Send) -> bool:
        """Put bytes on the wire, on record, each parcel for itself."""
        for parcel in self._wire.send(activity.api.name, action.data, is_token=action.is_token):
            cause = self._journal.append(activity.name, ev.TokenSent(*parcel), activity.cause)
            self._wire.sent_records[parcel.number] = cause
            if self.forward is None:
                self.launch(parcel)
            else:
                self.forward(parcel, cause)
        return True

    def receive(self, activity: Activity, going_on: Entry) -> bool:
        """Give what has arrived, or let the actor wait for it; `going_on` is then to happen when there is some."""
        endpoint = activity.api.name
        arrived = self._wire.receive(endpoint)
        if arrived is None:
            activity.block(self._journal, "bytes", "bytes from its peer")
            self._receivers.setdefault(endpoint, deque()).append((activity, going_on))
            return False
        activity.outcome, activity.cause = arrived[0], arrived[1] or activity.cause
        return True

    def close(self, activity: Activity) -> bool:
        """Close an endpoint's sending side; who waits for its bytes hears of the end."""
        self._wire.close(activity.api.name)
        for name in list(self._receivers):
            self._offer(name)
        return True

    def launch(self, parcel: Parcel) -> None:
        """Put under way what is on the wire: it arrives behind what is under way already."""
        receiver = parcel.receiver
        under_way = self._under_way.setdefault(receiver, deque())
        under_way.append(parcel.number)
        if len(under_way) == 1:
            self._enable_delivery(receiver)

    def _enable_delivery(self, receiver: str) -> None:
        """Let what was sent first arrive next: a stream keeps its order, whatever is chosen."""
        self._agenda.ready.append((Kind.DELIVER, "wire", self._deliver, receiver, None))

    def _deliver(self, receiver: str) -> None:
        under_way = self._under_way[receiver]
        number = under_way.popleft()
        if under_way:
            self._enable_delivery(receiver)
        cause = self._journal.append("wire", ev.TokenDelivered(number, receiver), self._wire.sent_records.pop(number))
        self._wire.arrive(number, receiver, cause)
        self._offer(receiver)

    def _offer(self, receiver: str) -> None:
        """Give those who wait for bytes what has arrived for them, who waited first first."""
        waiting = self._receivers.get(receiver)
        while waiting:
            arrived = self._wire.receive(receiver)
            if arrived is None:
                return
            data, cause = arrived
            first, going_on = waiting.popleft()
            first.resume(data, cause or first.cause)
            self._agenda.ready.append(going_on)
