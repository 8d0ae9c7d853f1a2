"""The live view: one frame of a run that goes on, from its state to the rows of a screen.

The rule guarded here: a frame is a function of the state, the size and the time, and fits every size: never more rows
than there are, never a row wider than the screen. What a small screen drops first is deliberate: the token's fields,
then the buffers, then the ladder, then the log; both endpoints stay to the last. Rows do not move as a run goes on, so
that only what changed is drawn again.
"""

from __future__ import annotations

from typing import NamedTuple

from sspicli.analysis.calls import LEG_FUNCTIONS, Call, Leg, failing
from sspicli.analysis.state import AsyncContext, Side, State
from sspicli.journal.events import Images
from sspicli.sspi.buffers import BufferImage, buffer_type_name
from sspicli.sspi.lifecycle import Phase
from sspicli.views.boxes import Band, Box, Panel, bands_of, boxed, edge, fit
from sspicli.views.events import Words
from sspicli.views.fields import token_rows
from sspicli.views.ladder import SHORT_FUNCTIONS, ladder, message_words
from sspicli.views.text import Glyphs, Line, Segment, line, visible, width_of, wrapped

SMALLEST = (40, 10)  # columns and rows under which one line per event says more
_TWO_COLUMNS, _WIDE = 64, 110  # columns
_FULL_LADDER = 12  # rows
_FULL_NAMES = 100  # columns

_PHASES = {
    Phase.IDLE: ("idle", "muted"),
    Phase.PENDING: ("PENDING", "warn"),
    Phase.PENDING_SILENT: ("PENDING, silent", "warn"),
    Phase.COMPLETE: ("COMPLETE", "call"),
    Phase.NOTIFYING: ("NOTIFYING", "call"),
    Phase.SETTLED: ("settled", "good"),
    Phase.FREED: ("freed", "muted"),
}
_ENDS = {"finished": "good", "interrupted": "warn"}


class Look(NamedTuple):
    """How a frame is to look: its size, its signs, the time since the journal began, and a note beside the state."""

    width: int
    height: int
    glyphs: Glyphs
    nanoseconds: int
    note: str = ""

    @property
    def box(self) -> Box:
        """Give what boxes are drawn by."""
        return Box(self.width, self.glyphs)


def frame(state: State, look: Look) -> list[Line]:
    """Draw the state: at most `look.height` lines, none wider than `look.width`."""
    lines = [
        edge(_title(state, look), look.box, top=True),
        *(boxed(one, look.box) for one in _sides(state, look)),
        *bands_of(_bands(state, look), look.box),
        edge(_foot(look), look.box, top=False),
    ]
    return [fit(one, look.width, look.glyphs, pad=False) for one in lines[: look.height]]


# -- what goes where ---------------------------------------------------------------------------------------------------


def _plan(height: int, *, is_wide: bool) -> dict[str, int]:
    """Share the rows out; each panel costs one more for its title. A wide screen has the token beside the ladder."""
    left = height - 4  # the two edges, and the two endpoints
    plan: dict[str, int] = {}
    for name, least in (("log", 1), ("ladder", 2), ("buffers", 2), ("token", 3)):
        if left > least and not (is_wide and name == "token"):
            plan[name], left = least, left - least - 1
    growing = [name for name in ("buffers", "log", "log", "ladder", "ladder", "token", "ladder", "log") if name in plan]
    while left > 0 and growing:
        for name in growing:
            if left > 0 and (name != "buffers" or plan[name] < 3):
                plan[name], left = plan[name] + 1, left - 1
    return plan


def _bands(state: State, look: Look) -> list[Band]:
    """Make the panels that are planned, from top to bottom, one or two side by side."""
    plan = _plan(look.height, is_wide=look.width >= _WIDE)
    bands = []
    if "buffers" in plan:
        bands.append(Band((_completions(state, look), _buffers(state, look)), plan["buffers"], _buffers_bar(look)))
    if "ladder" in plan:
        bands.append(_ladder_band(state, look, plan["ladder"]))
    if "token" in plan:
        bands.append(Band((_token(state, look, width=look.width - 4, rows=plan["token"]),), plan["token"]))
    if "log" in plan:
        bands.append(Band((_log(state, look, plan["log"]),), plan["log"]))
    return bands


def _ladder_band(state: State, look: Look, rows: int) -> Band:
    if look.width < _WIDE:
        return Band((_ladder(state, look, width=look.width - 4, rows=rows),), rows)
    bar = look.width * 3 // 5 - 1
    panels = _ladder(state, look, width=bar - 3, rows=rows), _token(state, look, width=look.width - bar - 4, rows=rows)
    return Band(panels, rows, bar)


def _buffers_bar(look: Look) -> int:
    return look.width * 9 // 20 if look.width >= _TWO_COLUMNS else 0


def _heading(text: str) -> Line:
    return (Segment(text, "head"),)


# -- the parts ---------------------------------------------------------------------------------------------------------


def _title(state: State, look: Look) -> tuple[Line, Line]:
    run, glyphs = state.run, look.glyphs
    facts = [visible(run.package, 30)] if run is not None else []
    if run is not None:
        tls = run.options.get("tls")
        facts += [f"TLS {tls}"] if isinstance(tls, str) else []
        session = run.options.get("session")
        facts += [f"session {session}"] if isinstance(session, int) else []
        facts.append(f"seed {run.seed}")
    if state.handshake > 1:
        facts.append(f"handshake {state.handshake}")
    if state.messages:
        facts.append(f"{state.messages} messages opened")
    workers = state.workers
    if workers:
        facts.append(f"{workers} worker{'s' if workers > 1 else ''}")
    else:
        facts.append(f"virtual {state.ticks / 1e6:.6f} s")
    words = Segment(f" {glyphs.dot} ".join(facts), "head")
    ended = state.reason
    now = Segment(ended.upper() if ended else "RUNNING", _ENDS.get(ended, "bad") if ended else "warn")
    age = (state.nanoseconds if ended else look.nanoseconds) / 1e9
    note = f" {glyphs.dot} {visible(look.note, 80)}" if look.note and look.width >= _TWO_COLUMNS else ""
    return line(words), line(now, f" {age:.1f} s{note}")


def _foot(look: Look) -> tuple[Line, Line]:
    """Keep the mark of what is emulated at every width."""
    emulated = "emulated: kernel mode only on Windows" if look.width >= 48 else "emulated: kernel mode on Windows"
    if look.width < 78:
        return line(Segment(emulated, "muted")), ()
    what = f"{{ }} encrypted {look.glyphs.dot} {emulated}"
    return line(Segment(what, "muted")), line(Segment("Ctrl-C ends the run", "muted"))


def _sides(state: State, look: Look) -> list[Line]:
    return [_side(state, side, look) for side in list(state.sides.values())[:2]]


def _side(state: State, side: Side, look: Look) -> Line:
    """Show an endpoint: its async context's phase, its calls, what it waits for, and its notify callback."""
    room = look.width - 4
    context = side.shown
    is_narrow = look.width < _TWO_COLUMNS
    head = [Segment(f"{side.name:<7}" if is_narrow else f"{side.name:<8}", "head")]
    notify = Segment("")
    if context is None:
        head.append(Segment("no async context  ", "muted"))
    else:
        word, style = _PHASES[context.phase]
        others = f"+{side.living - 1}" if side.living > 1 else ""
        head += [] if is_narrow else [Segment(f"ac{context.handle.number}{others} ")]
        head.append(Segment(f"{word:<8}" if is_narrow else f"{word:<10}", style))
        if room >= 70 and context.phase is not Phase.FREED:
            notify = Segment(f"  notify: {_notify(context)}", "muted")
    left = room - width_of(head) - len(notify.text)
    calls = _calls_of(state, side, look, left)
    return (*head, *calls, Segment(" " * max(0, left - width_of(calls))), notify)


def _notify(context: AsyncContext) -> str:
    if not context.has_callback:
        return "none set"
    if context.phase is Phase.NOTIFYING:
        return "running"
    return "set, due" if context.is_notification_due else "set     "


def _calls_of(state: State, side: Side, look: Look, room: int) -> list[Segment]:
    """Show an endpoint's calls in order; where not all have room the one that failed, and the last ones."""
    calls = [call for call in state.calls if call.endpoint == side.name]
    words = [_call_word(state, call, look) for call in calls]
    failed = next((at for at, call in enumerate(calls) if failing(call)), None)
    awaited = state.awaited(side.name)
    if awaited:
        words.append([Segment(f"  {awaited}", "muted")])
    wanted = [] if failed is None else [failed]
    wanted += [at for at in reversed(range(len(words))) if at != failed]
    gap = [Segment(f"  {look.glyphs.more}", "muted")]
    left = room if sum(map(width_of, words)) <= room else room - 2 * width_of(gap)
    chosen: list[int] = []
    for at in wanted:
        if width_of(words[at]) <= left:
            left -= width_of(words[at])
            chosen.append(at)
    return _with_gaps(words, sorted(chosen), gap)


def _with_gaps(words: list[list[Segment]], chosen: list[int], gap: list[Segment]) -> list[Segment]:
    """Join the chosen words, with a sign where others were left out."""
    out: list[Segment] = []
    before = -1
    for at in chosen:
        out += gap if at > before + 1 else []
        out += words[at]
        before = at
    return out + (gap if before + 1 < len(words) else [])


def _call_word(state: State, call: Call, look: Look) -> list[Segment]:
    glyphs = look.glyphs
    name = f"  {_name(call)}"
    if call.completed is None:
        word = "PENDING " if look.width >= _FULL_NAMES else ""  # the phase says it too
        return [Segment(name, "call"), Segment(f" {glyphs.clock} {word}{_age(state, call, look)}", "warn")]
    if failing(call):
        return [Segment(name, "call"), Segment(f" {glyphs.bad} {call.status.name}", "bad")]
    return [Segment(name), Segment(f" {glyphs.good}", "good")]


def _name(call: Call) -> str:
    """Name a call for short; those that make no leg have no number worth showing."""
    name = SHORT_FUNCTIONS[call.function.documented_name]
    return f"{name} #{call.number}" if call.function in LEG_FUNCTIONS else name


def _age(state: State, call: Call, look: Look) -> str:
    """Say how long a call has been pending, as measured; when the run is over, until its end."""
    until = state.nanoseconds if state.reason else look.nanoseconds
    seconds = max(0, until - call.queued_nanoseconds) / 1e9
    if seconds < 1:
        return f"{seconds * 1e3:.1f} ms"
    return f"{seconds:.1f} s" if seconds < 60 else f"{int(seconds // 60)} min {int(seconds % 60)} s"


def _completions(state: State, look: Look) -> Panel:
    title = _heading("calls with workers" if state.workers else "completions queued")
    rows = []
    for number, call in enumerate(state.pending.values(), 1):
        place = f"{number} " if look.width >= 80 else ""
        head = Segment(f"{place}{call.endpoint} {_name(call)}", "call")
        rows.append(line(head, *_due(state, call), Segment(f"  {look.glyphs.clock} {_age(state, call, look)}", "warn")))
    return Panel(title, rows or [line(Segment("none", "muted"))])


def _due(state: State, call: Call) -> list[Segment]:
    """Say when a call completes, where a fault has decided it."""
    if call.handle in state.held:
        return [Segment("  held until it is released", "warn")]
    fault = state.call_faults.get(str(call.handle))
    if fault is None:
        return []
    if fault.kind == "hang":
        return [Segment("  never: fault", "bad")]
    if fault.kind == "delay":
        ticks = int(fault.detail.partition(" ")[0])
        return [Segment(f"  due {(call.queued_ticks + ticks) / 1e6:.6f}", "warn")]
    return [Segment(f"  fault: {visible(fault.kind, 20)}", "bad")]


def _buffers(state: State, look: Look) -> Panel:
    call = state.leg_call
    if call is None:
        return Panel(_heading("buffers"), [line(Segment("no call has passed buffers yet", "muted"))])
    after = call.completed
    rows = _descriptor("in ", call.queued.input, after.input if after else None, look)
    rows += _descriptor("out", call.queued.output, after.output if after else None, look)
    if after is None:
        rows.append(line(Segment("out: the call's until it completes", "muted")))
    return Panel(_heading(f"buffers of {call.endpoint} {_name(call)}"), rows)


def _descriptor(name: str, before: Images | None, after: Images | None, look: Look) -> list[Line]:
    if before is None:
        return [line(Segment(f"{name} ", "head"), "NULL")]
    words = []
    for index, image in enumerate(before):
        later = after[index] if after is not None and index < len(after) else image
        became = "" if later == image else f" {look.glyphs.to} {_buffer(later)}"
        words.append(f"[{index}] {_buffer(image)}{became} ")
    width = look.width - 8 - _buffers_bar(look)
    first, *more = wrapped(words, width)
    return [line(Segment(f"{name} ", "head"), first), *(line("    ", part) for part in more)]


def _buffer(image: BufferImage) -> str:
    name = buffer_type_name(image.buffer_type)
    if image.data is None:
        return f"{name} {image.size} B NULL" if image.size else f"{name} NULL"
    return f"{name} {image.size} B" if image.data or not image.size else f"{name} room {image.size} B"


def _ladder(state: State, look: Look, *, width: int, rows: int) -> Panel:
    """Draw the whole ladder where there is room for its calls, else a row for each leg; the last rows stay."""
    pending = [call for call in state.pending.values() if call.function in LEG_FUNCTIONS]
    if rows < _FULL_LADDER:
        lines = [_short_leg(leg, look, width) for leg in state.legs]
        return Panel(_heading("ladder"), lines[-rows:] or [line(Segment("no leg yet", "muted"))])
    head, *lines = ladder(state, look.glyphs, width=width, timing=True, with_pending=False)
    lines += [_pending_line(state, call, look, width) for call in pending]
    return Panel(_heading("ladder"), [head, *lines[1 - rows :]])


def _pending_line(state: State, call: Call, look: Look, width: int) -> Line:
    words = [Segment(_name(call), "call"), Segment(" queued ", "muted")]
    words.append(Segment(f"{look.glyphs.clock} {_age(state, call, look)} PENDING", "warn"))
    before = 2 if call.endpoint == "client" else max(2, width - width_of(words))
    return (Segment(" " * before), *words)


def _short_leg(leg: Leg, look: Look, width: int) -> Line:
    glyphs = look.glyphs
    label = f" {len(leg.data)} B  {' '.join(message_words(leg.messages, glyphs))} "
    shaft = max(2, width - len(label) - 10)
    if leg.sender == "client":
        arrow = f"{glyphs.dash * shaft}{glyphs.right}"
        return line(
            Segment(f" {leg.number}  ", "leg"), f"{glyphs.stem_left}{glyphs.dash * 2}", Segment(label, "leg"), arrow
        )
    arrow = f"{glyphs.left}{glyphs.dash * 2}"
    return line(
        Segment(f" {leg.number}  ", "leg"), arrow, Segment(label, "leg"), f"{glyphs.dash * shaft}{glyphs.stem_right}"
    )


def _token(state: State, look: Look, *, width: int, rows: int) -> Panel:
    """Show the last token, message by message, with its fields."""
    legs = state.legs
    if not legs:
        return Panel(_heading("token"), [line(Segment("nothing was sent yet", "muted"))])
    leg, glyphs = legs[-1], look.glyphs
    receiver = "server" if leg.sender == "client" else "client"
    title = f"token of leg {leg.number} {glyphs.dot} {leg.sender} {glyphs.to} {receiver} {glyphs.dot} {len(leg.data)} B"
    return Panel(_heading(title), token_rows(leg.messages, glyphs, width=width, rows=rows))


def _log(state: State, look: Look, rows: int) -> Panel:
    words = Words(state, look.glyphs, is_short=look.width < _FULL_NAMES)
    title = [*_heading("log")]
    findings = state.findings
    if findings:
        codes = " ".join(dict.fromkeys(finding.rule.code for finding in findings))
        count = f"{len(findings)} finding{'s' if len(findings) > 1 else ''}"
        title.append(Segment(f" {look.glyphs.dot} {count}: {codes}", "bad"))
    return Panel(tuple(title), words.lines(state.log, rows))
