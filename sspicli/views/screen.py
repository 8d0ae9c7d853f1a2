"""The screen of a run: verdict, reason, ladder, what was agreed, and more on demand; for a live run and a recording.

The rule guarded here: it is composed in this one place, of a report and of nothing else, so that `handshake` and `show`
cannot tell two stories about the same records.
"""

from __future__ import annotations

from sspicli.analysis.report import Report, Verdict
from sspicli.views.failure import failure_lines, finding_lines
from sspicli.views.ladder import closed_lines, ladder, legend_lines, negotiated_lines, verdict_line
from sspicli.views.look import Look
from sspicli.views.text import Line, Segment, line


def screen(report: Report, look: Look, *, schedule: str) -> list[Line]:
    """Compose what a person reads; `schedule` is the text that repeats the run, shown where it did not go well."""
    lines = head_lines(report, look)
    if look.verbosity < 0:
        return lines
    lines += ladder_lines(report, look)
    if look.verbosity > 0:
        lines += _detail_lines(report, look)
    if report.verdict in (Verdict.FAILED, Verdict.STUCK) and report.is_stepped:
        lines.append(line(Segment(f"  schedule {schedule}", "muted")))
    return lines


def head_lines(report: Report, look: Look) -> list[Line]:
    """Compose the verdict with its reasons: why it is not ok, and the findings."""
    lines = [verdict_line(report, look.glyphs, timing=look.timing)]
    if look.verbosity < 0:
        return lines
    if report.verdict is not Verdict.OK:
        lines += [(), *failure_lines(report, width=look.width, timing=look.timing)]
    return lines + finding_lines(report, width=look.width)


def failure_and_ladder(report: Report, look: Look) -> list[Line]:
    """Compose the reasons and the ladder, without the verdict."""
    reasons = head_lines(report, look)[1:]
    return (reasons[1:] if reasons and not reasons[0] else reasons) + ladder_lines(report, look)[0 if reasons else 1 :]


def ladder_lines(report: Report, look: Look) -> list[Line]:
    """Compose the ladder with what was agreed and the legend below it."""
    lines: list[Line] = [(), *ladder(report, look.glyphs, width=look.width, timing=look.timing), ()]
    lines += negotiated_lines(report, look.glyphs, width=look.width)
    lines += closed_lines(report, width=look.width)
    return lines + legend_lines(report, look.glyphs, width=look.width, timing=look.timing)


def _detail_lines(report: Report, look: Look) -> list[Line]:
    """Compose calls, attributes and buffers; the decoder of fields comes with them, which no ladder needs."""
    from sspicli.views.tables import attribute_lines, buffer_lines, call_lines

    lines: list[Line] = [(), *call_lines(report, look.glyphs, width=look.width, timing=look.timing)]
    lines += [(), *attribute_lines(report, width=look.width)]
    return [*lines, (), *buffer_lines(report, look.glyphs, width=look.width, with_hex=look.verbosity > 1)]
