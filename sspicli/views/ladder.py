"""The ladder: the client's calls on the left, the server's on the right, each leg an arrow between them.

Drawn from a report alone, so that a live run and a recording of it give the same ladder.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Protocol

from sspicli.analysis.blame import Failure
from sspicli.analysis.calls import CLOSED_TO_RECEIVER, LEG_FUNCTIONS, Call, Leg, Refusal, failing
from sspicli.analysis.report import Report, Verdict
from sspicli.sspi.attributes import ContextAttribute
from sspicli.sspi.functions import Function
from sspicli.tokens.tls import TlsMessage, short_names
from sspicli.views.text import Glyphs, Line, Segment, line, visible, width_of, wrapped

SHORT_FUNCTIONS = {
    "SspiCreateAsyncContext": "create",
    "SspiAcquireCredentialsHandleAsync": "acquire",
    "SspiInitializeSecurityContextAsync": "init",
    "SspiAcceptSecurityContextAsync": "accept",
    "SspiDeleteSecurityContextAsync": "delete",
    "SspiFreeCredentialsHandleAsync": "free",
}

_STYLES = {Verdict.OK: "good", Verdict.FAILED: "bad", Verdict.STUCK: "warn", Verdict.UNFINISHED: "warn"}


def verdict_line(report: Report, glyphs: Glyphs, *, timing: bool) -> Line:
    """Say what it came to: verdict, package, protocol, and how much it took."""
    word = report.verdict.value if report.verdict is Verdict.OK else report.verdict.value.upper()
    package = visible(report.run.package) if report.run else "?"
    parts = [f"  {package} {report.protocol}" if report.protocol else f"  {package}"]
    if report.failure is not None:
        at = f"leg {report.failure.leg}, " if report.failure.leg else ""
        parts.append(f"{at}{report.failure.side}: {_failed_with(report.failure)}")
    else:
        parts.append(f"client {glyphs.both} server")
        parts.append(counted(len(report.legs), "leg"))
        parts.append(counted(len(report.calls), "call"))
    if report.failure is None or report.findings:
        parts.append(counted(len(report.findings), "finding"))
    if timing:
        parts.append(f"{report.nanoseconds / 1e6:.1f} ms")
    return line(Segment(word, _STYLES[report.verdict]), "  ".join(parts))


def _failed_with(failure: Failure) -> str:
    return "NULL" if failure.status is None else failure.status.name


def counted(number: int, noun: str) -> str:
    """Count things in words: `1 leg`, `2 legs`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


class Steps(Protocol):
    """What a ladder is drawn from: a report, or the state of a run that goes on."""

    @property
    def calls(self) -> Sequence[Call]:
        """List the calls."""

    @property
    def legs(self) -> Sequence[Leg]:
        """List the legs."""

    @property
    def refusals(self) -> Sequence[Refusal]:
        """List the calls that were refused."""


def ladder(report: Steps, glyphs: Glyphs, *, width: int, timing: bool, with_pending: bool = True) -> list[Line]:
    """Draw the calls that move the handshake, and its legs, in the order in which they happened.

    A pending call stands where it was queued; without `with_pending`, for who draws those himself, nowhere.
    """
    steps: list[tuple[int, Call | Leg | Refusal]] = [(leg.sequence, leg) for leg in report.legs]
    steps += [
        (call.completed_sequence or call.sequence, call)
        for call in report.calls
        if call.function in LEG_FUNCTIONS and (call.completed or with_pending)
    ]
    steps += [(one.sequence, one) for one in report.refusals if one.function in LEG_FUNCTIONS]
    lines = [line("  ", Segment("client", "head"), " " * (width - 14), Segment("server", "head"))]
    for _, step in sorted(steps, key=lambda one: one[0]):
        if isinstance(step, Call):
            lines.append(_call_line(step, glyphs, width=width, timing=timing))
        elif isinstance(step, Refusal):
            lines.append(_refusal_line(report, step, glyphs, width=width))
        else:
            lines.extend(_leg_lines(step, glyphs, width=width))
            lines.extend(_fault_lines(step, glyphs, width=width))
    return lines


def _call_line(call: Call, glyphs: Glyphs, *, width: int, timing: bool) -> Line:
    name = Segment(f"{SHORT_FUNCTIONS[call.function.documented_name]} #{call.number}", "call")
    segments = (name, Segment(" queued ", "muted"), *call_outcome(call, glyphs, timing=timing))
    return _on_side(call.endpoint, segments, width=width)


def _refusal_line(report: Steps, one: Refusal, glyphs: Glyphs, *, width: int) -> Line:
    name = Segment(refused_name(report.calls, one), "call")
    mark = Segment(f"{glyphs.bad} {refused_status(one)}", "bad")
    return _on_side(one.endpoint, line(name, Segment(" refused ", "muted"), mark), width=width)


def _on_side(endpoint: str, segments: Line, *, width: int) -> Line:
    if endpoint == "client":
        return line("  ", *segments)
    return line(" " * max(2, width - width_of(segments)), *segments)


def refused_name(calls: Iterable[Call], one: Refusal) -> str:
    """Name a refused call by the number it would have had; creating an async context is no queued call."""
    name = SHORT_FUNCTIONS.get(one.function.documented_name, one.function.documented_name)
    if one.function is Function.SspiCreateAsyncContext:
        return name
    key = one.endpoint, one.function, one.handshake
    before = sum(
        (call.endpoint, call.function, call.handshake) == key for call in calls if call.sequence < one.sequence
    )
    return f"{name} #{before + 1}"


def refused_status(one: Refusal) -> str:
    """Name what a refusing function returned."""
    return "NULL" if one.queue_status is None else one.queue_status.name


def call_outcome(call: Call, glyphs: Glyphs, *, timing: bool) -> Line:
    """Say how a queued call went: still pending, or pending for how long or completed inline, and its call status."""
    if call.completed is None:
        return line(Segment(f"{glyphs.clock} still pending", "warn"))
    pending = f"{glyphs.clock} {call.pending_nanoseconds / 1e6:.1f} " if timing else f"{glyphs.clock} "
    waited = pending if call.was_pending else f"{glyphs.inline} inline "
    bad = failing(call)
    mark = Segment(f"{glyphs.bad if bad else glyphs.good} {call.status.name}", "bad" if bad else "good")
    return line(Segment(waited, "muted"), mark)


def _leg_lines(leg: Leg, glyphs: Glyphs, *, width: int) -> list[Line]:
    """Draw one leg as an arrow; message names that do not fit go on below it."""
    margin = "  "
    inner = width - 2 * len(margin)
    label = wrapped(message_words(leg.messages, glyphs), inner - 24)
    head = f" leg {leg.number}  {len(leg.data)} B  {label[0]} "
    shaft = max(2, inner - len(head) - 4)
    if leg.sender == "client":
        body = (f"{glyphs.stem_left}{glyphs.dash * 2}", Segment(head, "leg"), f"{glyphs.dash * shaft}{glyphs.right}")
        indent = len(margin) + 3 + len(head) - len(label[0]) - 1
    else:
        before = min(10, max(2, shaft // 3))
        body = (
            f"{glyphs.left}{glyphs.dash * before}",
            Segment(head, "leg"),
            f"{glyphs.dash * (shaft - before + 2)}{glyphs.stem_right}",
        )
        indent = len(margin) + 1 + before + len(head) - len(label[0]) - 1
    return [line(margin, *body), *(line(" " * indent, Segment(more, "leg")) for more in label[1:])]


def _fault_lines(leg: Leg, glyphs: Glyphs, *, width: int) -> list[Line]:
    """Say below a leg what a fault plan did to it on its way, as the arrow is what was sent; and who cannot read it."""
    indent = "      "
    texts = [f"{glyphs.bad} {visible(fault.text)}: {visible(fault.detail)}" for fault in leg.faults]
    texts += [CLOSED_TO_RECEIVER] if leg.is_closed_to_receiver else []
    return [
        line(indent, Segment(part, "warn")) for text in texts for part in wrapped(text.split(), width - len(indent))
    ]


def message_words(messages: tuple[TlsMessage, ...], glyphs: Glyphs) -> list[str]:
    """Name the messages of a token, the encrypted ones in braces, repeats counted."""
    words: list[str] = []
    for encrypted, group in groupby(messages, key=lambda one: one.encrypted):
        names = []
        for name, same in groupby(short_names(group)):
            count = sum(1 for _ in same)
            names.append(visible(name) if count == 1 else f"{visible(name)} {glyphs.times}{count}")
        if encrypted:
            names[0], names[-1] = "{" + names[0], names[-1] + "}" if len(names) > 1 else "{" + names[0] + "}"
            names = names if len(names) > 1 else [names[-1]]
        if words:
            words.append(glyphs.dot)
        words.extend(names)
    return words


def negotiated_lines(report: Report, glyphs: Glyphs, *, width: int) -> list[Line]:
    """Say what both ends agreed on; only what there is."""
    parts = [part for part in (report.cipher_suite, report.group, _alpn(report)) if part]
    if report.is_resumed:
        parts.append("resumed")
    elif report.handshake > 1 and report.verdict is Verdict.OK:
        parts.append("not resumed, although both sides would")
    ends = report.endpoints.values()
    if any(end.messages_opened for end in ends):
        parts.append("messages opened: " + ", ".join(f"{end.name} {end.messages_opened}" for end in ends))
    lines: list[str] = []
    for part in parts:
        if lines and len(lines[-1]) + 3 + len(part) <= width - 2:
            lines[-1] += f" {glyphs.dot} {part}"
        else:
            lines.append(part)
    return [line("  ", one) for one in lines]


def _alpn(report: Report) -> str:
    for endpoint in report.endpoints.values():
        _, fields = endpoint.queries.get(ContextAttribute.APPLICATION_PROTOCOL, (None, {}))
        protocol = fields.get("ProtocolId")
        if isinstance(protocol, bytes) and protocol:
            return f"ALPN {visible(protocol.decode('latin-1'))}"
    return ""


_LACKING = "the key log has no "


def closed_lines(report: Report, *, width: int) -> list[Line]:
    """Say which messages stayed closed, and why; nothing where all could be opened."""
    closed = [one for leg in report.legs for one in leg.messages if one.name == "Encrypted"]
    if not closed:
        return []
    notes = list(dict.fromkeys(visible(one.note) for one in closed if one.note))
    lacking = [note.removeprefix(_LACKING) for note in notes if note.startswith(_LACKING)]
    reasons = [note for note in notes if not note.startswith(_LACKING)]
    if lacking:
        help = "--keylog FILE of show opens them"
        reasons.insert(0, f"their secrets are not on record ({', '.join(lacking)}); {help}")
    text = f"{counted(len(closed), 'encrypted record')} stayed closed: {'; '.join(reasons)}"
    return [line(Segment(f"  {part}", "warn")) for part in wrapped(text.split(), width - 2)]


def legend_lines(report: Report, glyphs: Glyphs, *, width: int, timing: bool) -> list[Line]:
    """Explain the signs that the ladder has, and say what is emulated."""
    drawn = [call for call in report.calls if call.function in LEG_FUNCTIONS]
    completed = [call for call in drawn if call.completed is not None]
    parts = []
    if any(call.was_pending for call in completed):
        parts.append(f"{glyphs.clock} ms pending" if timing else f"{glyphs.clock} pending")
    elif len(drawn) > len(completed):
        parts.append(f"{glyphs.clock} pending")
    if not all(call.was_pending for call in completed):
        parts.append(f"{glyphs.inline} completed before the queueing function returned")
    if any(message.encrypted for leg in report.legs for message in leg.messages):
        parts.append("{ } encrypted")
    parts.append("emulated: kernel mode only on Windows")
    rows = [parts[0]]
    for part in parts[1:]:
        fits = 2 + len(rows[-1]) + 3 + len(part) <= width
        rows[-1:] = [f"{rows[-1]}   {part}"] if fits else [rows[-1], part]
    return [line(Segment(f"  {row}", "muted")) for row in rows]
