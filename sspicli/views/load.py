"""What many sessions came to, as a person reads it: counts, times and memory, then each way in which some failed.

Also the one line that tells how far they are. Percentiles are to within 1.6 %; the rest is exact.
"""

from __future__ import annotations

from sspicli.analysis.load import Histogram, LoadReport, Way
from sspicli.analysis.report import Report, Verdict
from sspicli.sspi.alerts import alert_name
from sspicli.views.failure import failure_lines
from sspicli.views.ladder import ladder, negotiated_lines
from sspicli.views.text import Glyphs, Line, Segment, line, plain, visible, wrapped

_SEVERITIES = {"error": "bad", "warning": "warn"}
_STYLES = {Verdict.OK: "good", Verdict.FAILED: "bad", Verdict.STUCK: "warn", Verdict.UNFINISHED: "warn"}
_PERCENTS = (50, 90, 99)
_KIB, _MIB = 1 << 10, 1 << 20
_SHORTEST_BAR, _LONGEST_BAR = 10, 40


def load_lines(load: LoadReport, glyphs: Glyphs, *, width: int, timing: bool) -> list[Line]:
    """Compose the screen: the verdict, the figures, the failures by their kind, and the commonest one's ladder."""
    lines = [load_verdict_line(load, timing=timing), ()]
    for name, text in _figures(load, glyphs, timing=timing):
        lines += _row(Segment(f"  {name:<10}", "head"), text, width=width)
    lines += _finding_lines(load, width=width)
    lines += _credential_lines(load, width=width, timing=timing)
    ways = load.ways()
    if ways:
        lines.append(())
        lines += [part for way, _ in ways for part in _way_lines(way, load, glyphs, width=width)]
        lines += sample_lines(ways[0][1].report, glyphs, width=width, timing=timing)
    return lines


def load_verdict_line(load: LoadReport, *, timing: bool) -> Line:
    """Say what it came to, in one line."""
    word = load.verdict.value if load.verdict is Verdict.OK else load.verdict.value.upper()
    summary, run = load.summary, load.credentials.run
    protocol = summary.first.protocol if summary.first else None
    parts = [f"{run.package if run else '?'}{f' {protocol}' if protocol else ''}"]
    whole = summary.sessions == load.total
    parts.append(
        f"{_count(load.total)} sessions" if whole else f"{summary.sessions:,} of {_count(load.total)} sessions"
    )
    if load.verdict is not Verdict.OK:
        parts += [f"{summary.verdicts[one]:,} {one.value}" for one in Verdict if summary.verdicts[one]]
    if timing:
        parts += [f"{load.rate:,.0f} a second", f"{load.measures.seconds:.1f} s"]
    return line(Segment(word, _STYLES[load.verdict]), "  ", "  ".join(parts))


def _count(number: int) -> str:
    return f"{number:,}"


def _row(head: Segment, text: str, *, width: int) -> list[Line]:
    """Put text behind a head, and what does not fit below it."""
    first, *more = wrapped(text.split(), width - len(head.text))
    return [line(head, first), *(line(" " * len(head.text), part) for part in more)]


def _figures(load: LoadReport, glyphs: Glyphs, *, timing: bool) -> list[tuple[str, str]]:
    summary = load.summary
    workers = f"on {load.workers} workers" if load.workers else "on one thread, stepped"
    rows = [("in flight", f"{_count(load.in_flight)} {workers}")]
    if load.is_interrupted:
        rows.append(("ended", f"{load.ended_by}, {load.under_way:,} sessions cut off in flight"))
    if timing and summary.sessions:
        rows.append(("latency", f"{_percentiles(summary.latency, glyphs)}, first call queued to last program ended"))
        rows.append(("pending", f"{_percentiles(summary.pending, glyphs)}, each of {summary.pending.count:,} calls"))
    if timing and load.measures.peak:
        each = f", {load.bytes_in_flight / _KIB:.1f} KiB for each in flight" if load.bytes_in_flight else ""
        grown = f"{load.grown / _MIB:.1f} MiB more than before the sessions"
        rows.append(("memory", f"peak {load.measures.peak / _MIB:.1f} MiB, {grown}{each}"))
    if summary.sessions:
        rows.append(("judged", f"{summary.judged:,} of {summary.sessions:,} by the misuse rules"))
    if summary.resumed:
        rows.append(("resumed", f"{summary.resumed:,} of {summary.sessions:,}"))
    if summary.first is not None and summary.first.verdict is Verdict.OK:
        agreed = [plain(one).strip() for one in negotiated_lines(summary.first, glyphs, width=1000)]
        rows += [("agreed", f"{one} (session 1)") for one in agreed]
    return rows


def _percentiles(histogram: Histogram, glyphs: Glyphs) -> str:
    shown = [f"p{percent} {histogram.percentile(percent) / 1e6:.1f}" for percent in _PERCENTS]
    return f" {glyphs.dot} ".join([*shown, f"max {histogram.most / 1e6:.1f} ms"])


def _finding_lines(load: LoadReport, *, width: int) -> list[Line]:
    """List the rules that sessions broke, each with the first session that did."""
    lines: list[Line] = []
    for code, broken in sorted(load.summary.findings.items()):
        rule = broken.finding.rule
        head = Segment(f"  {code} {rule.severity}: ", _SEVERITIES.get(rule.severity, "muted"))
        text = f"{rule.title}, {broken.count:,} times, first in session {broken.first:,}"
        lines += _row(head, text, width=width)
        detail = f"{broken.finding.subject}: {visible(broken.finding.detail)}; {rule.fix}"
        lines += _row(Segment("    "), detail, width=width)
    return lines


def _credential_lines(load: LoadReport, *, width: int, timing: bool) -> list[Line]:
    """Explain why the credentials could not be acquired or freed, where that is so."""
    own = load.credentials
    if own.failure is None:
        return []
    return [
        (),
        line("  The sessions share one credential a side, and that failed:"),
        *failure_lines(own, width=width, timing=timing),
    ]


def way_words(way: Way) -> str:
    """Name a way not to be ok."""
    alert = "" if way.alert is None else f"alert {way.alert} {alert_name(way.alert)}"
    status = "" if way.status is None else f"{way.status.name} ({way.status.hex})"
    rules = f"rules broken: {' '.join(way.rules)}" if way.rules else ""
    stuck = way.verdict.value if way.verdict is Verdict.STUCK or not (status or rules) else ""
    return ", ".join(filter(None, (stuck, f"{way.side} {status}".strip(), alert, rules)))


def _way_lines(way: Way, load: LoadReport, glyphs: Glyphs, *, width: int) -> list[Line]:
    """Say how many sessions ended in a way, and which was the first of them."""
    group = load.summary.groups[way]
    seed = load.credentials.run.seed + group.first - 1 if load.credentials.run else group.first - 1
    where = load.recordings.get(group.first)
    recorded = f", in {visible(where)}" if where else ""
    head = Segment(f"  {group.count:>7,} {glyphs.times}  ", "bad")
    return _row(head, f"{way_words(way)}, first in session {group.first:,} (seed {seed}){recorded}", width=width)


def sample_lines(report: Report, glyphs: Glyphs, *, width: int, timing: bool) -> list[Line]:
    """Explain one session's failure, and draw its ladder."""
    explained = failure_lines(report, width=width, timing=timing)
    drawn = ladder(report, glyphs, width=width, timing=timing)
    return [(), *explained, (), *drawn] if explained else [(), *drawn]


def progress_text(done: int, total: int, *, in_flight: int, failed: int, seconds: float) -> str:
    """Say how far the sessions are, and how long they will still take at this rate, once there is one."""
    bad = f", {failed:,} not ok" if failed else ""
    rate = done / seconds if seconds > 0 else 0.0
    left = (total - done) / rate if rate else 0.0
    pace = f"{rate:,.0f} a second, {left:,.0f} s left" if done else f"{seconds:,.0f} s so far"
    return f"{done:,} of {total:,} sessions, {min(in_flight, total - done):,} in flight{bad}, {pace}"


def progress_bar(done: int, total: int, text: str, *, width: int) -> str:
    """Put a bar before a progress text, as wide as `width` cells leave room for; the text is cut where it must be."""
    room = min(width - len(text) - 3, _LONGEST_BAR)
    if room < _SHORTEST_BAR:
        return text[:width]
    filled = room * done // max(total, 1)
    return f"[{'#' * filled}{' ' * (room - filled)}] {text}"
