"""A replay as Markdown: the counts, what is wrong, and a table of the files; the step summary of GitHub Actions too.

The rule guarded here: data is text, never markup: every punctuation mark of it is escaped, and longer texts stand in
fences that nothing in them can end. What would go past the summary's limit is counted instead.
"""

from __future__ import annotations

from sspicli.analysis.cases import CaseResult, Outcome, SuiteResult
from sspicli.analysis.complaints import Complaint, again, complaints, counts, debug, of_problem
from sspicli.reports.escapes import code_block, markdown
from sspicli.reports.replay import VERDICTS

_MOST_BYTES = 900_000  # GitHub drops a summary of more than 1 MiB
_GLYPHS = {True: "❌", False: "✅"}


def markdown_text(suite: SuiteResult, *, timing: bool) -> str:
    """Write the summary."""
    verdict = VERDICTS[suite.exit_code]
    said = counts(suite)
    time = f", {suite.nanoseconds / 1e6:.0f} ms" if timing else ""
    head = f"## {_GLYPHS[bool(suite.exit_code)]} sspi-async replay: {verdict}\n\n"
    table = _row(*said) + _row(*("---:" for _ in said)) + _row(*(str(number) for number in said.values()))
    parts = [head, table, f"\nexit {int(suite.exit_code)}{time}\n"]
    blocks = [_block(of_problem(one), "", "") for one in suite.problems]
    blocks += [_case(case, found) for case in suite.cases if (found := complaints(case, is_strict=suite.is_strict))]
    blocks.append(_files(suite, timing=timing))
    size = sum(len(part.encode()) for part in parts)
    for number, block in enumerate(blocks):
        size += len(block.encode())
        if size > _MOST_BYTES:
            parts.append(f"\nand {len(blocks) - number} more parts, which do not fit here\n")
            break
        parts.append(block)
    return "".join(parts)


def _case(case: CaseResult, found: tuple[Complaint, ...]) -> str:
    commands = "\n".join(filter(None, (debug(case), again(case))))
    return "".join(_block(one, case.name, commands if one is found[-1] else "") for one in found)


def _block(one: Complaint, name: str, commands: str) -> str:
    whose = " ".join(markdown(part) for part in (name, one.step) if part)
    title = f"\n### {one.code} {markdown(one.title)}" + (f": {whose}" if whose else "") + "\n\n"
    excerpt = f"{one.place.excerpt}\n{one.text}" if one.place.excerpt else one.text
    return title + code_block(excerpt) + (f"\n{code_block(commands)}" if commands else "")


def _files(suite: SuiteResult, *, timing: bool) -> str:
    files = suite.files()
    if not files:
        return ""
    heads = ("file", "cases", "not as they should be", "skipped", *(["time"] if timing else []))
    lines = [_row(*heads), _row("---", *("---:" for _ in heads[1:]))]
    for file, cases in files.items():
        bad = sum(suite.is_bad(case) for case in cases)
        skipped = sum(case.outcome is Outcome.SKIP for case in cases)
        time = [f"{sum(case.nanoseconds for case in cases) / 1e6:.0f} ms"] if timing else []
        lines.append(_row(f"{_GLYPHS[bad > 0]} {markdown(file)}", str(len(cases)), str(bad), str(skipped), *time))
    return "\n<details><summary>files</summary>\n\n" + "".join(lines) + "\n</details>\n"


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |\n"
