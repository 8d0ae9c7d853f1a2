"""What the misuse verifier came to, as text: the verdict, then each file's findings; and the table of the rules.

The rule guarded here: the first line is the verdict and says how much was judged. Each finding names its records, how
to put it right, how that is known and where to read on; what was set aside is listed with its reason.
"""

from __future__ import annotations

from collections.abc import Iterable

from sspicli.analysis.rule_table import HOW_SHOWN, SEVERITIES, Reach, Rule
from sspicli.analysis.verification import Judged, Verification
from sspicli.sspi.errors import ExitCode
from sspicli.views.failure import lines_of_findings
from sspicli.views.ladder import counted
from sspicli.views.text import Line, Segment, folded, line, visible, wrapped

_VERDICTS = {ExitCode.OK: ("ok", "good"), ExitCode.FAILED: ("FAILED", "bad"), ExitCode.INPUT: ("UNREADABLE", "bad")}
_CUT = "it breaks off before its run ended: what was left over is not known"


def verification_lines(result: Verification, *, width: int) -> list[Line]:
    """Lay out a verification."""
    word, style = _VERDICTS[result.exit_code]
    records = sum(one.records for one in result.files)
    said = f"{counted(len(result.files), 'recording')}, {counted(records, 'record')}, {_counts(result)}"
    lines = [line(Segment(word, style), f"  {said}")]
    for one in result.files:
        lines += _file_lines(one, width=width)
    for code, reason in result.unused.items():
        option = f"--ignore {code}={visible(reason, 200)}"
        said = f": nothing broke {code}, so {option} hides only what comes later: leave it out"
        lines += [(), *folded(Segment("note", "warn"), said, width=width, indent=2)]
    return lines


def _counts(result: Verification) -> str:
    by_severity = [counted(result.count(one), one) for one in SEVERITIES if result.count(one)]
    aside = sum(len(one.suppressed) for one in result.files)
    by_severity += [f"{aside} set aside"] if aside else []
    return ", ".join(by_severity) or "0 findings"


def _file_lines(one: Judged, *, width: int) -> list[Line]:
    """Lay out a file that there is something to say of."""
    if not (one.findings or one.suppressed or not one.is_whole):
        return []
    lines: list[Line] = [(), line(Segment(visible(one.name, 1000), "head"))]
    if not one.is_whole:
        lines.append(line(Segment("  note", "warn"), f"  {_CUT}"))
    lines += lines_of_findings(one.findings, width=width)
    for finding, reason in one.suppressed:
        shown = f"set aside: {finding.subject} {finding.rule.title} ({visible(reason, 200)})"
        lines.append(line(Segment(f"{finding.rule.code} ", "muted"), shown))
    return lines


def rule_lines(rules: Iterable[Rule], *, width: int) -> list[Line]:
    """Lay out the table of the rules."""
    rules = tuple(rules)
    reaches = max(len(rule.reach) for rule in rules)
    lines = [line(Segment(f"{'code':<6}{'severity':<10}{'known':<7}{'shown by':<{reaches + 2}}rule", "head"))]
    indent = 6 + 10 + 7 + reaches + 2
    for rule in rules:
        head = f"{rule.severity:<10}{rule.evidence:<7}{rule.reach:<{reaches + 2}}"
        first, *more = wrapped(rule.title.split(" "), max(width - indent, 20))
        lines.append(line(Segment(f"{rule.code:<6}", "call"), head, first))
        lines += [line(" " * indent, text) for text in more]
    lines += [(), line("known: D documented by Microsoft, I inferred, E an invariant of this program")]
    for reach in Reach:
        first, *more = wrapped(HOW_SHOWN[reach].split(" "), max(width - 14, 20))
        lines.append(line(f"{reach:<14}", first))
        lines += [line(" " * 14, text) for text in more]
    return lines
