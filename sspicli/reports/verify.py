"""The JSON documents of the misuse verifier: what it found (`sspi-async/verify/1`), its rules (`sspi-async/rules/1`).

Non-ASCII is written as escapes. Absent values are null. Members may be added in later versions and are never taken
away.
"""

from __future__ import annotations

from collections.abc import Iterable

from sspicli.analysis.cases import Problem
from sspicli.analysis.rule_table import HOW_SHOWN, SEVERITIES, Rule
from sspicli.analysis.verification import Judged, Verification
from sspicli.reports.document import Member, finding_of
from sspicli.reports.escapes import whole
from sspicli.sspi.errors import ExitCode

SCHEMA = "sspi-async/verify/1"
RULES_SCHEMA = "sspi-async/rules/1"

_VERDICTS = {ExitCode.OK: "ok", ExitCode.FAILED: "failed", ExitCode.INPUT: "unreadable"}


def verification_document(result: Verification) -> object:
    """Build the document of a verification as plain data."""
    return whole(
        {
            "schema": SCHEMA,
            "verdict": _VERDICTS[result.exit_code],
            "exit_code": int(result.exit_code),
            "strict": result.is_strict,
            "counts": {severity: result.count(severity) for severity in SEVERITIES},
            "files": [_file(one) for one in result.files],
            "problems": [_problem(one) for one in result.problems],
            "unused_ignores": [{"code": code, "reason": reason} for code, reason in result.unused.items()],
        }
    )


def _file(one: Judged) -> Member:
    return {
        "file": one.name,
        "records": one.records,
        "whole": one.is_whole,
        "note": one.note or None,
        "findings": [finding_of(finding) for finding in one.findings],
        "ignored": [{**finding_of(finding), "reason": reason} for finding, reason in one.suppressed],
    }


def _problem(one: Problem) -> Member:
    return {
        "code": one.code,
        "file": one.place.file,
        "line": one.place.line,
        "message": one.message,
        "help": one.help or None,
    }


def rules_document(rules: Iterable[Rule]) -> Member:
    """Build the document of the rules as plain data."""
    return {"schema": RULES_SCHEMA, "rules": [_rule(rule) for rule in rules]}


def _rule(rule: Rule) -> Member:
    return {
        "code": rule.code,
        "severity": rule.severity,
        "title": rule.title,
        "evidence": rule.evidence,
        "source": rule.source.value,
        "documented": rule.documented,
        "fix": rule.fix,
        "reference": {"title": rule.reference.title, "url": rule.reference.url},
        "reach": rule.reach.value,
        "shown": HOW_SHOWN[rule.reach],
        "has_monitor": rule.has_monitor,
    }
