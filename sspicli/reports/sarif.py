"""Findings and failed expectations as SARIF 2.1.0, for code scanning: those of a replay, and those of recordings.

The rule guarded here: a result stands at a real place of a real file, and a rule is described by what its own table
says. In a replay that place is the scenario's, and the records that show it are related places in the recording, a
line of which is a record; in `verify` it is the recording's line itself. What was expected to fail is there too,
suppressed with its reason. A fingerprint names file, case, step, rule and subject, and no line: edits above move none.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence

from sspicli import __version__
from sspicli.analysis.cases import CaseResult, Place, Problem, SuiteResult
from sspicli.analysis.complaints import Complaint, complaints, of_finding, of_problem, shortfalls, warnings
from sspicli.analysis.rules import RULES, Finding
from sspicli.reports.escapes import file_uri, printable, whole
from sspicli.sspi.error_codes import ERROR_CODES
from sspicli.sspi.errors import ExitCode

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
VERSION = "2.1.0"
ROOT = "%SRCROOT%"
Member = dict[str, object]
_LEVELS = {"error": "error", "warning": "warning", "info": "note"}


def sarif_text(suite: SuiteResult) -> str:
    """Write the log of a replay."""
    results = [_result(of_problem(problem), "") for problem in suite.problems]
    for case in suite.cases:
        found = (*complaints(case, is_strict=suite.is_strict), *warnings(case))
        results += [_result(one, case.id, recording=case.recording) for one in found]
        results += [_suppressed(_result(one, case.id), case) for one in shortfalls(case)]
    is_whole = suite.exit_code in (ExitCode.OK, ExitCode.FAILED, ExitCode.STUCK)
    return _text(results, exit_code=suite.exit_code, is_whole=is_whole)


def findings_sarif_text(
    recordings: Mapping[str, Sequence[Finding]], *, exit_code: int, problems: Iterable[Problem] = ()
) -> str:
    """Write the log of recordings by their files' names: each finding stands at the line of its first record."""
    unread = tuple(problems)
    results = [_result(of_problem(problem), "") for problem in unread]
    for file, findings in recordings.items():
        for finding in findings:
            place = Place(file, line_of(finding.records[0]) if finding.records else 1, 1, 1, "")
            results.append(_result(of_finding(finding, place), "", recording=file))
    return _text(results, exit_code=exit_code, is_whole=not unread)


def line_of(record: int) -> int:
    """Name the line of a recording that a record stands on: they count from 1, after the header."""
    return record + 1


def _text(results: Sequence[Member], *, exit_code: int, is_whole: bool) -> str:
    used = dict.fromkeys(str(one["ruleId"]) for one in results)
    rules = [_rule(code) for code in used]
    for one in results:
        one["ruleIndex"] = list(used).index(str(one["ruleId"]))
    run: Member = {
        "tool": {"driver": {"name": "sspi-async", "semanticVersion": __version__, "rules": rules}},
        "invocations": [{"executionSuccessful": is_whole, "exitCode": int(exit_code)}],
        "originalUriBaseIds": {ROOT: {"description": {"text": "The directory the command was run in."}}},
        "columnKind": "unicodeCodePoints",
        "results": list(results),
    }
    log = {"$schema": SCHEMA, "version": VERSION, "runs": [run]}
    return json.dumps(whole(log), indent=2, ensure_ascii=True) + "\n"


def _rule(code: str) -> Member:
    """Describe a rule by its own table: a misuse rule, or an error code of this program."""
    if code in RULES:
        rule = RULES[code]
        return {
            "id": code,
            "shortDescription": _message(rule.title),
            "fullDescription": _message(f"{_capital(rule.title)}. {rule.documented}"),
            "help": _message(f"{_capital(rule.fix)}. More: sspi-async explain {code}"),
            "helpUri": rule.reference.url,
            "defaultConfiguration": {"level": _LEVELS[rule.severity]},
        }
    error = ERROR_CODES.get(code)
    title, remedy = (error.title, error.remedy) if error else (code, "")
    return {
        "id": code,
        "shortDescription": _message(title),
        "fullDescription": _message(f"{_capital(title)}."),
        "help": _message(f"{remedy} More: sspi-async explain {code}".strip()),
        "defaultConfiguration": {"level": "error"},
    }


def _result(one: Complaint, identity: str, *, recording: str = "") -> Member:
    code = one.rule or one.code
    steps = "::".join(filter(None, (identity, one.step)))
    facts = [one.sentence, *(f"{label}: {fact}" for label, fact in one.rows)]
    out: Member = {
        "ruleId": code,
        "level": _LEVELS[one.severity],
        "message": _message("\n".join(facts)),
        "locations": [_location(one.place, steps)],
        "partialFingerprints": {"sspiAsyncSubject/v1": _fingerprint(one, steps)},
    }
    if (recording and recording != one.place.file) or (recording and len(one.records) > 1):
        shown = one.records if recording != one.place.file else one.records[1:]
        related = [_record(recording, number, at) for at, number in enumerate(shown, start=1)]
        out |= {"relatedLocations": related} if related else {}
    return out


def _suppressed(result: Member, case: CaseResult) -> Member:
    """Mark what an xfail expects: it is known, and its reason stands in the scenario."""
    why = {"justification": printable(case.reason)} if case.reason else {}
    return {**result, "suppressions": [{"kind": "inSource", **why}]}


def _location(place: Place, steps: str) -> Member:
    region: Member = {"startLine": max(1, place.line)}
    if place.excerpt:
        region |= {
            "startColumn": max(1, place.column),
            "endColumn": max(place.column, place.end_column),
            "snippet": {"text": printable(place.excerpt)},
        }
    out: Member = {"physicalLocation": {"artifactLocation": _artifact(place.file), "region": region}}
    if steps:
        out["logicalLocations"] = [{"fullyQualifiedName": printable(steps), "kind": "member"}]
    return out


def _record(recording: str, number: int, identity: int) -> Member:
    """Point at a record's line in its recording."""
    return {
        "id": identity,
        "message": _message(f"record #{number}"),
        "physicalLocation": {
            "artifactLocation": _artifact(recording),
            "region": {"startLine": line_of(number)},
        },
    }


def _artifact(file: str) -> Member:
    """Name a file: one that is relative, from the directory the command was run in."""
    uri = file_uri(file)
    return {"uri": uri} if uri.startswith("file:") else {"uri": uri, "uriBaseId": ROOT}


def _fingerprint(one: Complaint, steps: str) -> str:
    parts: Iterator[str] = iter((one.rule or one.code, one.place.file, steps, one.subject))
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


def _message(text: str) -> Member:
    return {"text": printable(text)}


def _capital(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"
