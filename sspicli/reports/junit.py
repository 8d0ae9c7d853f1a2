"""A replay as JUnit XML, as Jenkins, GitLab, Azure and the rest read it: a suite for each file, a test for each case.

The rule guarded here: the document is valid by the schema of Jenkins' xUnit plugin, so a case has no attribute that it
does not know: the file stands at its suite and the line in its failure's text. With `places` a case has `file` and
`line` as well, which that schema refuses and GitLab makes links of. The text is ASCII, so it is UTF-8 wherever it goes.
An expected failure is a skipped test with its reason, a stuck case a failure, a file that is no scenario an error.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from sspicli.analysis.cases import CaseResult, Outcome, Problem, SuiteResult
from sspicli.analysis.complaints import Complaint, again, complaints, debug, of_problem, warnings
from sspicli.reports.escapes import xml_attribute, xml_text

_SUFFIX = ".sspi.yaml"


class _Test(NamedTuple):
    """What a test of the document is made of: its element's inside, and how it is counted."""

    name: str
    line: int
    nanoseconds: int
    inside: tuple[str, ...]
    counted: str
    properties: tuple[tuple[str, str], ...] = ()


def junit_text(suite: SuiteResult, *, timing: bool, places: bool = False) -> str:
    """Write the document; `places` adds the attributes `file` and `line` to every test."""
    files: dict[str, list[_Test]] = {file: [] for file in suite.files()}
    for problem in suite.problems:
        files.setdefault(problem.place.file, []).append(_problem(problem))
    for case in suite.cases:
        files[case.file].append(_case(case, is_strict=suite.is_strict))
    for identity in suite.left:
        file, _, name = identity.partition("::")
        left = ("<skipped" + _attributes(("message", "not run")) + "/>",)
        files.setdefault(file, []).append(_Test(name or identity, 0, 0, left, "skipped"))
    tests = [one for group in files.values() for one in group]
    counted = Counter(one.counted for one in tests)
    attributes = _attributes(
        ("name", "sspi-async replay"),
        ("tests", str(len(tests))),
        ("failures", str(counted["failure"])),
        ("errors", str(counted["error"])),
        ("time", _seconds(suite.nanoseconds) if timing else None),
    )
    body = [part for file, group in files.items() for part in _suite(file, group, timing=timing, places=places)]
    how = "terminated" if suite.is_terminated else "interrupted"
    note = [f"<!-- {how}: not every case was run -->"] if suite.is_interrupted else []
    head = ['<?xml version="1.0" encoding="UTF-8"?>', f"<testsuites{attributes}>"]
    text = "\n".join([*head, *note, *body, "</testsuites>"]) + "\n"
    return text.encode("ascii", "xmlcharrefreplace").decode("ascii")


def _suite(file: str, tests: Sequence[_Test], *, timing: bool, places: bool) -> Iterator[str]:
    counted = Counter(one.counted for one in tests)
    time = _seconds(sum(one.nanoseconds for one in tests)) if timing else None
    yield (
        "  <testsuite"
        + _attributes(
            ("name", file),
            ("tests", str(len(tests))),
            ("failures", str(counted["failure"])),
            ("errors", str(counted["error"])),
            ("skipped", str(counted["skipped"])),
            ("time", time),
            ("file", file),
        )
        + ">"
    )
    properties = [(f"{one.name}.{key}", value) for one in tests for key, value in one.properties]
    if properties:
        yield "    <properties>"
        for key, value in properties:
            yield "      <property" + _attributes(("name", key), ("value", value)) + "/>"
        yield "    </properties>"
    seen: Counter[str] = Counter()
    for one in tests:
        seen[one.name] += 1
        yield from _test(one, file, seen[one.name], timing=timing, places=places)
    yield "  </testsuite>"


def _test(one: _Test, file: str, again_number: int, *, timing: bool, places: bool) -> Iterator[str]:
    """Write a test; a name that came before in its suite has a number, for readers keep the first of equal names."""
    name = one.name if again_number == 1 else f"{one.name} #{again_number}"
    opened = "    <testcase" + _attributes(
        ("name", name),
        ("classname", file.removesuffix(_SUFFIX).replace("/", ".")),
        ("time", _seconds(one.nanoseconds) if timing else None),
        *([("file", file), ("line", str(one.line) if one.line else None)] if places else []),
    )
    if not one.inside:
        yield opened + "/>"
        return
    yield opened + ">"
    yield from (f"      {part}" for part in one.inside)
    yield "    </testcase>"


def _case(case: CaseResult, *, is_strict: bool) -> _Test:
    found = complaints(case, is_strict=is_strict)
    counted, inside = "passed", []
    if case.outcome in (Outcome.SKIP, Outcome.XFAIL):
        counted = "skipped"
        why = case.reason if case.outcome is Outcome.SKIP else f"expected to fail: {case.reason}"
        inside.append("<skipped" + _attributes(("message", why)) + "/>")
    elif found:
        counted = "error" if case.outcome is Outcome.ERROR else "failure"
        inside.append(_wrong(counted, found, [("debug", debug(case)), ("again", again(case))]))
    output = "\n".join(_output(case))
    if output:
        inside.append(f"<system-out>{xml_text(output)}</system-out>")
    return _Test(case.name, case.place.line, case.nanoseconds, tuple(inside), counted, tuple(_properties(case)))


def _problem(problem: Problem) -> _Test:
    name = f"line {problem.place.line}: {problem.message}"
    return _Test(name, problem.place.line, 0, (_wrong("error", (of_problem(problem),), []),), "error")


def _wrong(element: str, found: Sequence[Complaint], ways_on: Iterable[tuple[str, str]]) -> str:
    """Write a failure or an error: the first complaint in its attributes, all of them in its text."""
    first, others = found[0], len(found) - 1
    message = first.sentence + (f" (and {others} more)" if others else "")
    commands = "\n".join(f"{label}: {command}" for label, command in ways_on if command)
    text = "\n\n".join([*(one.text for one in found), *([commands] if commands else [])])
    return f"<{element}{_attributes(('type', first.code), ('message', message))}>{xml_text(text)}</{element}>"


def _output(case: CaseResult) -> Iterator[str]:
    yield from case.output
    if case.outcome is Outcome.XPASS:
        yield f"passed, though it was expected to fail: {case.reason}"
    for one in warnings(case):
        yield one.text
    if case.recording:
        yield f"recording: {case.recording}"


def _properties(case: CaseResult) -> Iterator[tuple[str, str]]:
    """Give what runs the case again, and the rules it broke; what was not run has none."""
    if case.outcome in (Outcome.SKIP, Outcome.ERROR):
        return
    yield "seed", str(case.seed)
    yield "schedule", case.schedule
    yield "findings", " ".join(one.rule.code for one in (*case.findings, *case.warnings))


def _attributes(*pairs: tuple[str, str | None]) -> str:
    """Write attributes, without those that are not there."""
    return "".join(f" {name}={xml_attribute(value)}" for name, value in pairs if value is not None)


def _seconds(nanoseconds: int) -> str:
    return f"{nanoseconds / 1e9:.3f}"
