"""`sspi-async show RECORDING`: what a recording holds, in the views that a person asks for.

The rule guarded here: looking is not failing. What was recorded may have failed in any way; that it can be shown is
success. Without options the screen is the one that `handshake` printed when the run was made.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from sspicli.cli.recordings import RECORDING, Opened, open_recording
from sspicli.cli.screen_options import Detail, Screen, run_options
from sspicli.cli.session_options import Choice
from sspicli.sspi.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from sspicli.analysis.lives import Life
    from sspicli.analysis.passage import Passage
    from sspicli.analysis.report import Report
    from sspicli.cli.console import Console
    from sspicli.reports.document import Member
    from sspicli.views.look import Look
    from sspicli.views.text import Line

VIEWS = ("ladder", "calls", "attributes", "buffers", "timeline", "handles", "stats")
ALL = "all"


class Wanted(NamedTuple):
    """What the options say of what to show; `as_` is a language, "" for none."""

    views: tuple[str, ...]
    leg: int | None
    side: str
    handshake: int | None
    as_: str
    format: str
    verbosity: int
    timing: bool
    include_secrets: bool


@click.command("show", short_help="Show what a recording holds.")
@click.argument("recording", type=RECORDING, metavar="RECORDING")
@click.option(
    "--view",
    "views",
    multiple=True,
    type=Choice([*VIEWS, ALL]),
    help="What to show instead of the whole screen; repeatable.",
)
@click.option("--leg", type=click.IntRange(1), help="One leg: its messages, and the calls that made and took it.")
@click.option("--side", type=Choice(["client", "server"]), help="One end only, in every view but the ladder.")
@click.option("--handshake", type=click.IntRange(1), help="Which handshake, where the run has several.")
@click.option("--as", "as_", type=Choice(["c"]), help="Write the calls as a driver in C makes them.")
@click.option(
    "--keylog",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Open what is encrypted with the secrets of this key log.",
)
@click.option("--include-secrets", is_flag=True, help="Keep secrets and plaintext in -f jsonl.")
@run_options
def command(
    recording: Path,
    views: tuple[str, ...],
    leg: int | None,
    side: str | None,
    handshake: int | None,
    as_: str | None,
    keylog: Path | None,
    include_secrets: bool,
    **given: object,
) -> int:
    """Show what a recording holds: the verdict and the ladder, or the views asked for.

    RECORDING is a file that --record wrote, or - for standard input. It is shown whatever came of the run: a recording
    of a failed handshake ends this command with 0.

    \b
    ladder      verdict, reason, calls and legs, what was agreed
    calls       every queued call, its statuses, how long it was pending
    attributes  what QueryContextAttributes answered
    buffers     descriptors and flags of each leg's call, before and after; with -vv their bytes
    timeline    every record: when, who, what, and which record led to it
    handles     every handle: who made, used and ended it, and what was left over
    stats       calls by function and status, pending times, bytes, messages, polls

    \b
    Examples:
      sspi-async show run.sspirec
      sspi-async show run.sspirec --view timeline --view handles
      sspi-async show run.sspirec --leg 3 -vv
      sspi-async show run.sspirec --as c --side server
      sspi-async show run.sspirec -f json --view stats
    """  # noqa: D301 (click marks a block that is not to be filled with a real \b)
    chosen = tuple(dict.fromkeys(VIEWS if ALL in views else views))
    screen, detail = Screen.taken_from(given), Detail.taken_from(given)
    told = (screen.format, detail.verbosity, detail.timing)
    wanted = Wanted(chosen, leg, side or "", handshake, as_ or "", *told, include_secrets)
    _refuse_contradictions(wanted)
    screen.check_file()
    opened = open_recording(recording, keylog)
    console = screen.destination(screen.console())
    Shown(opened, wanted, console).write(console)
    if screen.file is not None:
        console.stream.close()
    return ExitCode.OK


def _refuse_contradictions(wanted: Wanted) -> None:
    """Refuse options that cannot both be meant, so that none is silently left out of account."""
    narrowing = {"--view": wanted.views, "--leg": wanted.leg, "--side": wanted.side, "--as": wanted.as_}
    given = [name for name, value in narrowing.items() if value]
    if wanted.format == "jsonl" and (given or wanted.handshake):
        name = given[0] if given else "--handshake"
        raise UsageError("jsonl is the whole recording, record by record", where=name, help="leave it out")
    if wanted.include_secrets and wanted.format != "jsonl":
        raise UsageError("no other format shows secrets", where="--include-secrets", help="write -f jsonl")
    if wanted.verbosity < 0 and (given or wanted.format != "text"):
        raise UsageError("the verdict alone leaves nothing else to choose", where="-q", help="leave it out")
    if wanted.as_ and (wanted.views or wanted.format != "text"):
        name = "--view" if wanted.views else "--format"
        raise UsageError(f"--as {wanted.as_} is a text of its own", where=name, help="leave one of them out")
    if wanted.leg and wanted.views:
        raise UsageError("--leg shows one leg, whole", where="--view", help="leave one of them out")
    if wanted.side and wanted.leg and not wanted.as_:
        raise UsageError("a leg has two ends", where="--side", help="leave it out, or --leg")
    if wanted.side and not wanted.as_ and wanted.views in ((), ("ladder",)):
        help = "add --view calls, buffers, timeline, handles or stats"
        raise UsageError("the ladder has two sides", where="--side", help=help)


class Shown:
    """A recording with what is wanted of it, folded when it is needed."""

    def __init__(self, opened: Opened, wanted: Wanted, console: Console) -> None:
        from sspicli.views.look import Look

        self._opened = opened
        self._wanted = wanted
        numbers = opened.handshakes
        if wanted.handshake is not None and wanted.handshake not in numbers:
            held = ", ".join(map(str, numbers)) or "none"
            message = f"the recording has no handshake {wanted.handshake}"
            raise UsageError(message, where="--handshake", help=f"it has: {held}")
        self._report = opened.report(wanted.handshake)
        self._look: Look = Look(console.glyphs, console.width, wanted.timing, wanted.verbosity)
        self._passage = self._find_leg()
        self._records = [one for one in opened.records if not wanted.side or one.actor.partition(".")[0] == wanted.side]

    def write(self, console: Console) -> None:
        """Write what is wanted, in the format that is wanted."""
        wanted = self._wanted
        if wanted.format == "jsonl":
            from sspicli.reports.document import lines_text

            secrets = wanted.include_secrets and self._opened.has_secrets
            if wanted.include_secrets and not secrets:
                click.echo("note: the recording holds no secrets", err=True)
            for text in lines_text(self._opened.records, include_secrets=secrets, timing=wanted.timing):
                console.stream.write(text)
        elif wanted.format == "json":
            from sspicli.reports.show import as_text

            console.stream.write(as_text(self._document()))
        else:
            console.show(self._lines())
        console.stream.flush()

    # -- for a person --------------------------------------------------------------------------------------------------
    def _lines(self) -> list[Line]:
        from sspicli.views.passage import passage_lines
        from sspicli.views.screen import screen

        if self._wanted.as_:
            return self._source()
        if self._passage is not None:
            return [*self._verdict(), (), *passage_lines(self._report, self._passage, self._look)]
        if not self._wanted.views:
            return screen(self._report, self._look, schedule=self._schedule())
        lines = self._verdict()
        for view in self._wanted.views:
            lines += [(), *self._view(view)]
        return lines

    def _verdict(self) -> list[Line]:
        from sspicli.views.ladder import verdict_line

        return [verdict_line(self._report, self._look.glyphs, timing=self._look.timing)]

    def _schedule(self) -> str:
        from sspicli.runtime.chooser import schedule_text

        return schedule_text(self._report.schedule)

    def _source(self) -> list[Line]:
        from sspicli.analysis.calls import Call
        from sspicli.views.calls_c import call_source

        only = None
        if self._passage is not None:
            calls = (self._passage.maker, *self._passage.takers)
            only = frozenset(one.handle for one in calls if isinstance(one, Call))
        return call_source(self._report, self._opened.records, self._look, only=only, side=self._wanted.side)

    def _view(self, view: str) -> list[Line]:
        from sspicli.views.screen import failure_and_ladder
        from sspicli.views.tables import attribute_lines, buffer_lines, call_lines

        look, narrowed = self._look, self._narrowed()
        match view:
            case "ladder":
                return failure_and_ladder(self._report, look)
            case "calls":
                return call_lines(narrowed, look.glyphs, width=look.width, timing=look.timing)
            case "attributes":
                return attribute_lines(narrowed, width=look.width)
            case "buffers":
                return buffer_lines(narrowed, look.glyphs, width=look.width, with_hex=look.verbosity > 1)
            case _:
                return self._record_view(view)

    def _record_view(self, view: str) -> list[Line]:
        """Draw a view of the records themselves."""
        from sspicli.analysis.stats import stats
        from sspicli.analysis.timeline import timeline
        from sspicli.views.lives import handle_lines
        from sspicli.views.stats import stats_lines
        from sspicli.views.timeline import timeline_lines

        findings = self._report.findings
        match view:
            case "timeline":
                moments = timeline(self._records, findings)
                return timeline_lines(moments, self._look, is_stepped=self._report.is_stepped)
            case "handles":
                return handle_lines(self._lives(), self._look)
            case _:
                return stats_lines(stats(self._records), self._look)

    def _narrowed(self) -> Report:
        """Keep one end's calls and attributes."""
        side, report = self._wanted.side, self._report
        if not side:
            return report
        calls = tuple(call for call in report.calls if call.endpoint == side)
        return replace(report, calls=calls, endpoints={n: end for n, end in report.endpoints.items() if n == side})

    def _lives(self) -> tuple[Life, ...]:
        """Tell the handles of the ends that are wanted, by all records: one end's records alone do not hold all."""
        from sspicli.analysis.lives import lives

        told = lives(self._opened.records, self._report.findings)
        return tuple(life for life in told if not self._wanted.side or life.handle.actor == self._wanted.side)

    def _find_leg(self) -> Passage | None:
        from sspicli.analysis.passage import passage

        number = self._wanted.leg
        if number is None:
            return None
        found = passage(self._report, self._opened.records, number)
        if found is None:
            held = ", ".join(str(leg.number) for leg in self._report.legs) or "none"
            raise UsageError(f"the handshake has no leg {number}", where="--leg", help=f"it has: {held}")
        return found

    # -- for a program -------------------------------------------------------------------------------------------------
    def _document(self) -> Member:
        from sspicli.reports import show

        wanted = self._wanted
        recording: Member = {
            "records": len(self._opened.records),
            "has_secrets": self._opened.has_secrets,
            "note": self._opened.note or None,
        }
        told = show.show_document(self._report, timing=wanted.timing, schedule=self._schedule(), recording=recording)
        for view in (*(("attributes",) if wanted.verbosity > 0 else ()), *wanted.views):
            self._add(told, view)
        if self._passage is not None:
            told["leg"] = show.leg(self._passage, with_hex=wanted.verbosity > 1)
        return told

    def _add(self, told: Member, view: str) -> None:
        """Add a view's member; ladder and calls stand in the document anyway."""
        from sspicli.analysis.stats import stats
        from sspicli.analysis.timeline import timeline
        from sspicli.reports import show

        wanted, narrowed, findings = self._wanted, self._narrowed(), self._report.findings
        match view:
            case "attributes":
                told["context_attributes"] = show.attributes(narrowed)
            case "buffers":
                told["buffers"] = show.buffers(narrowed.calls, with_hex=wanted.verbosity > 1)
            case "timeline":
                told["timeline"] = show.timeline(timeline(self._records, findings), timing=wanted.timing)
            case "handles":
                told["handles"] = show.handles(self._lives())
            case "stats":
                told["stats"] = show.stats(stats(self._records), timing=wanted.timing)
            case _:
                pass
