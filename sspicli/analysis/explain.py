"""Say what a code means: a status, an NTSTATUS, a TLS alert or a rule, found by name, by number or by words.

The rule guarded here: nothing is guessed silently. A number that several families share gives several explanations; a
status that several alerts arrive as lists them all; a name that nobody knows gives none, and `suggestions` offers
near ones. Explanations are plain data, so the terminal, JSON and tests read the same thing.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from sspicli.analysis.rule_table import HOW_SHOWN, RULES
from sspicli.sspi.alerts import ALERTS, DEFAULT_STATUS, Alert, alert_name, alerts_for_status
from sspicli.sspi.error_codes import ERROR_CODES, ErrorCode
from sspicli.sspi.functions import Function
from sspicli.sspi.package import Source
from sspicli.sspi.status import STATUS_ALIASES, NtStatus, SecurityStatus
from sspicli.sspi.status_facts import NT_STATUS_FACTS, STATUS_FACTS, StatusFacts


class Kind(StrEnum):
    """The family a code belongs to."""

    STATUS = "status"
    NT_STATUS = "NTSTATUS"
    ALERT = "alert"
    RULE = "rule"
    ERROR = "error"


class RuleText(NamedTuple):
    """What a misuse rule says about itself."""

    code: str
    title: str
    severity: str
    source: str
    fix: str
    documented: str = ""
    reference: str = ""
    shown: str = ""


def rule_texts() -> dict[str, RuleText]:
    """Give the misuse rules as `explain` wants them."""
    return {
        code: RuleText(
            code,
            rule.title,
            rule.severity,
            rule.source.value,
            rule.fix,
            rule.documented,
            f"{rule.reference.title}, {rule.reference.url}",
            HOW_SHOWN[rule.reach],
        )
        for code, rule in RULES.items()
    }


class AlertLine(NamedTuple):
    """One alert that arrives as a status; without `is_listed` it does so by the table's row for all other alerts."""

    number: int
    name: str
    meaning: str
    is_listed: bool
    source: str


class Return(NamedTuple):
    """Functions that give a status, at which moment, and how that is known."""

    moment: str
    functions: tuple[str, ...]
    source: Source


class Explanation(NamedTuple):
    """All that is known about one code.

    `values` are its numbers as people meet them: hex, signed and unsigned for a status, decimal and hex for an alert,
    the severity for a rule. `status` and `status_hex` say what an alert arrives as. `alerts` are those that arrive as
    this status, or, for an alert, the others that arrive alike. Of a rule `documented` says what Windows documents, and
    `shown` how it is shown here. Whatever is not known is empty.
    """

    kind: Kind
    name: str
    values: tuple[str, ...]
    meaning: str
    causes: tuple[str, ...] = ()
    remedy: str = ""
    source: str = ""
    reference: str = ""
    aliases: tuple[str, ...] = ()
    returned_by: tuple[Return, ...] = ()
    status: str = ""
    status_hex: str = ""
    alerts: tuple[AlertLine, ...] = ()
    traps: tuple[str, ...] = ()
    documented: str = ""
    shown: str = ""

    def as_dict(self) -> dict[str, object]:
        """Give the explanation as JSON can carry it, with every key present."""
        plain: dict[str, object] = {
            key: list(value) if isinstance(value, tuple) else value for key, value in self._asdict().items()
        }
        plain["kind"] = self.kind.value
        plain["returned_by"] = [
            {"moment": row.moment, "functions": list(row.functions), "source": row.source.value}
            for row in self.returned_by
        ]
        plain["alerts"] = [alert._asdict() for alert in self.alerts]
        return plain


NO_RULES: Mapping[str, RuleText] = MappingProxyType({})

SEARCH_LIMIT = 8
"""How many explanations a search by words gives at most."""


def explain(query: str, rules: Mapping[str, RuleText] = NO_RULES) -> list[Explanation]:
    """Find everything a query names; an empty list means that it names nothing known.

    The query may be a name in any case, a number in hex or in signed or unsigned decimal, `alert` with a number or
    name, a sentence out of a log that holds any of these, or words to search meanings and causes for.
    """
    tokens = _TOKEN.findall(_ALERT_LEVEL.sub("", query))
    found = _whole(tokens[0]) if len(tokens) == 1 else []
    found = found or list(_named(tokens, rules))
    if not found and not any(_looks_like_a_code(token) for token in tokens):
        found = _search(tokens, rules)
    return list(dict.fromkeys(found))


def suggestions(query: str, rules: Mapping[str, RuleText] = NO_RULES) -> list[str]:
    """Name what resembles a query that named nothing, nearest first."""
    spelt = {}
    for name in (*_STATUS_NAMES, *NtStatus.__members__, *_ALERT_NUMBERS, *rules, *ERROR_CODES):
        spelt[name.lower()] = name
        spelt.setdefault(_short(name).lower(), name)
    wanted = query.strip().lower().replace(" ", "_")
    near = difflib.get_close_matches(wanted, spelt, n=5, cutoff=0.7)
    return list(dict.fromkeys(spelt[key] for key in near))


# -- finding what is named ---------------------------------------------------------------------------------------------

_TOKEN = re.compile(r"-?\b\d\w*|\w+", re.ASCII)
_HEX = re.compile(r"0x([0-9a-f]{1,16})[ul]*|([0-9a-f]{8})", re.IGNORECASE)
_DECIMAL = re.compile(r"-?\d{1,20}", re.ASCII)
_PREFIX = re.compile(r"(?:SEC_[EI]|CRYPT_E|CERT_E|TRUST_E|NTE|STATUS)_", re.IGNORECASE)
_STATUS_NAMES = {**SecurityStatus.__members__, **STATUS_ALIASES}
_STATUS_VALUES = {int(status) for status in SecurityStatus}
_NT_STATUS_VALUES = {int(status) for status in NtStatus}
_ALERT_NUMBERS = {alert.name: number for number, alert in ALERTS.items()}
_ALERT_FILLERS = {"fatal", "warning", "number", "code", "description"}
_ALERT_LEVEL = re.compile(r"\blevel\W*\d\b", re.IGNORECASE)
_MISPRINTED = {0x80100003: SecurityStatus.SEC_E_INVALID_HANDLE}


def _short(name: str) -> str:
    return _PREFIX.sub("", name, count=1)


def _looks_like_a_code(token: str) -> bool:
    """Tell a code that nobody knows from a word worth searching for."""
    return bool(_PREFIX.match(token) or token.startswith(("0x", "0X", "-")) or token.isdigit())


def _whole(token: str) -> list[Explanation]:
    """Explain a query of one token, where a small number and a name without its prefix count too."""
    if _HEX.fullmatch(token) or _DECIMAL.fullmatch(token):
        return [found for value in _readings(token) for found in _by_value(value)]
    if _PREFIX.match(token) or token.lower() in _ALERT_NUMBERS:
        return list(_by_name(token))
    name = token.upper()
    statuses = [_status(status) for status in SecurityStatus if _short(status.name) == name]
    return [*statuses, *(_nt_status(status) for status in NtStatus if _short(status.name) == name)]


def _named(tokens: list[str], rules: Mapping[str, RuleText]) -> Iterator[Explanation]:
    """Explain each code that stands in a sentence, in its order."""
    for index, token in enumerate(tokens):
        if token.lower() == "alert":
            yield from _after_the_word_alert(tokens[index + 1 : index + 8])
        elif token.upper() in rules:
            yield _rule(rules[token.upper()])
        elif token.upper() in ERROR_CODES:
            yield _error(ERROR_CODES[token.upper()])
        elif _is_long_number(token):
            for value in _readings(token):
                yield from _by_value(value)
        elif "_" in token:
            yield from _by_name(token)


def _is_long_number(token: str) -> bool:
    """Say whether a number in a sentence can be meant as a code: short ones count things."""
    return len(token) >= 9 and bool(_HEX.fullmatch(token) or _DECIMAL.fullmatch(token))


def _readings(token: str) -> list[int]:
    """Read a number in every way it can be meant, as unsigned 32-bit values."""
    values = [int(token)] if _DECIMAL.fullmatch(token) else []
    match = _HEX.fullmatch(token)
    if match:
        values.append(int(match[1] or match[2], 16))
    return [value & 0xFFFFFFFF for value in values if _fits(value)]


def _fits(value: int) -> bool:
    """Accept 32 bits, signed or not, and 32 bits sign-extended to 64 as debuggers print them."""
    return -0x80000000 <= value <= 0xFFFFFFFF or 0xFFFFFFFF80000000 <= value <= 0xFFFFFFFFFFFFFFFF


def _by_value(value: int) -> Iterator[Explanation]:
    if value in _MISPRINTED:
        yield _status(_MISPRINTED[value])
    if value in _STATUS_VALUES:
        yield _status(SecurityStatus(value))
    if value in _NT_STATUS_VALUES:
        yield _nt_status(NtStatus(value))
    if value in ALERTS:
        yield _alert(value)


def _by_name(token: str) -> Iterator[Explanation]:
    name = token.upper()
    if name in _STATUS_NAMES:
        yield _status(_STATUS_NAMES[name])
    elif name in NtStatus.__members__:
        yield _nt_status(NtStatus[name])
    elif token.lower() in _ALERT_NUMBERS:
        yield _alert(_ALERT_NUMBERS[token.lower()])


def _after_the_word_alert(tokens: list[str]) -> Iterator[Explanation]:
    """Read `alert 45`, `alert: fatal 45`, `alert certificate_expired` and OpenSSL's `alert certificate expired`."""
    words = [token.lower() for token in tokens if token.lower() not in _ALERT_FILLERS]
    if words and re.fullmatch(r"\d{1,3}", words[0]) and int(words[0]) <= 0xFF:
        yield _alert(int(words[0]))
        return
    for length in range(min(len(words), 5), 0, -1):
        name = "_".join(words[:length])
        if name in _ALERT_NUMBERS:
            yield _alert(_ALERT_NUMBERS[name])
            return


# -- searching by words ------------------------------------------------------------------------------------------------

_UNSAID = {"a", "an", "and", "by", "do", "for", "from", "i", "in", "is", "it", "my", "of", "on", "the", "to", "why"}
_SPELT_OUT = {"cert": "certificate", "certs": "certificate", "msg": "message", "pkg": "package", "secpkg": "package"}


def _search(tokens: list[str], rules: Mapping[str, RuleText]) -> list[Explanation]:
    """Rank everything known by how many of the words it holds, then by where it holds them."""
    words = {_SPELT_OUT.get(token.lower(), token.lower()) for token in tokens} - _UNSAID
    scored = [(_score(one, words), one) for one in _everything(rules)]
    most = max((score[0] for score, _ in scored), default=0)
    if not most:
        return []
    best = [(score, one) for score, one in scored if score[0] == most]
    return [one for _, one in sorted(best, key=lambda pair: pair[0], reverse=True)][:SEARCH_LIMIT]


def _everything(rules: Mapping[str, RuleText]) -> Iterator[Explanation]:
    yield from map(_status, SecurityStatus)
    yield from map(_nt_status, NtStatus)
    yield from map(_alert, ALERTS)
    yield from map(_rule, rules.values())
    yield from map(_error, ERROR_CODES.values())


def _score(one: Explanation, words: Iterable[str]) -> tuple[int, int]:
    """Count the words found, and weigh them: 4 in the name, 2 in the meaning, 1 in causes and remedy."""
    places = [(4, one.name), (2, one.meaning), (1, " ".join((*one.causes, one.remedy)))]
    held = [(weight, _parts(text)) for weight, text in places]
    weights = [max((weight for weight, parts in held if _holds(parts, word)), default=0) for word in words]
    return sum(weight > 0 for weight in weights), sum(weights)


def _parts(text: str) -> set[str]:
    return {_SPELT_OUT.get(part, part) for part in re.split(r"[\W_]+", text.lower())}


def _holds(parts: set[str], word: str) -> bool:
    """Compare by beginnings of four letters or more, so that "certificates" finds "certificate"."""
    return word in parts or any(_is_beginning(word, part) or _is_inflected(word, part) for part in parts)


def _is_beginning(word: str, part: str) -> bool:
    return len(word) >= 4 and part.startswith(word)


def _is_inflected(word: str, part: str) -> bool:
    return len(part) >= 4 and len(word) - len(part) <= 3 and word.startswith(part)


# -- composing explanations --------------------------------------------------------------------------------------------

CALL_STATUS = "call status"
ALERT_RECEIVED = "call status, when the alert is received"
QUEUE_STATUS = "queue status"
RETURN_VALUE = "return value"

_LEGS = ("SspiInitializeSecurityContextAsync", "SspiAcceptSecurityContextAsync")
_QUEUEING = tuple(function.documented_name for function in Function if function.queues)
_REINIT = (Function.SspiReinitAsyncContext.documented_name,)
_DECRYPT = Return(RETURN_VALUE, ("DecryptMessage",), Source.DOCUMENTED)
_LEGS_IN_PRACTICE = Return(CALL_STATUS, _LEGS, Source.OBSERVED)

# Two families, two tables: SEC_E_OK and STATUS_SUCCESS are equal as numbers, so that one table could not hold both.
_FURTHER_RETURNS = {
    SecurityStatus.SEC_E_OK: (
        Return(QUEUE_STATUS, _QUEUEING, Source.DOCUMENTED),
        Return(RETURN_VALUE, (Function.SspiSetAsyncNotifyCallback.documented_name,), Source.DOCUMENTED),
    ),
    SecurityStatus.SEC_I_ASYNC_CALL_PENDING: (
        Return(RETURN_VALUE, (Function.SspiGetAsyncCallStatus.documented_name,), Source.DOCUMENTED),
    ),
    SecurityStatus.SEC_I_INCOMPLETE_CREDENTIALS: (
        Return(CALL_STATUS, (Function.SspiAcceptSecurityContextAsync.documented_name,), Source.OBSERVED),
    ),
    SecurityStatus.SEC_I_CONTEXT_EXPIRED: (_DECRYPT,),
    SecurityStatus.SEC_I_RENEGOTIATE: (_DECRYPT,),
    SecurityStatus.SEC_E_INCOMPLETE_MESSAGE: (_DECRYPT,),
    SecurityStatus.SEC_E_INVALID_HANDLE: (Return(QUEUE_STATUS, _QUEUEING, Source.INFERRED),),
    SecurityStatus.SEC_E_ALGORITHM_MISMATCH: (
        Return(CALL_STATUS, (Function.SspiAcquireCredentialsHandleAsync.documented_name,), Source.OBSERVED),
    ),
    SecurityStatus.SEC_E_CERT_WRONG_USAGE: (_LEGS_IN_PRACTICE,),
    SecurityStatus.CRYPT_E_REVOCATION_OFFLINE: (_LEGS_IN_PRACTICE,),
    SecurityStatus.CRYPT_E_NO_REVOCATION_CHECK: (_LEGS_IN_PRACTICE,),
}
_REINIT_RETURNS = {
    NtStatus.STATUS_SUCCESS: Source.DOCUMENTED,
    NtStatus.STATUS_INVALID_HANDLE: Source.INFERRED,
    NtStatus.STATUS_INVALID_PARAMETER: Source.INFERRED,
    NtStatus.STATUS_DEVICE_BUSY: Source.INFERRED,
    NtStatus.STATUS_INVALID_DEVICE_STATE: Source.INFERRED,
}

_TRAPS = {
    SecurityStatus.SEC_E_OK: ("As a queue status it says nothing about the result: ask SspiGetAsyncCallStatus.",),
    SecurityStatus.SEC_I_INCOMPLETE_CREDENTIALS: ("It is positive: a test for less than zero takes it for success.",),
    SecurityStatus.SEC_I_CONTEXT_EXPIRED: ("It is positive: a test for less than zero takes it for success.",),
    SecurityStatus.SEC_E_INCOMPLETE_MESSAGE: ("It is negative: a test for less than zero takes it for a failure.",),
    SecurityStatus.SEC_I_ASYNC_CALL_PENDING: (
        "It is the only status that means pending; every other SEC_I_ status is a completed call's.",
        "It is not STATUS_PENDING (0x00000103), and no queueing function is documented to return it.",
    ),
    SecurityStatus.SEC_E_INVALID_HANDLE: (
        "Some pages print 0x80100003 beside this name: that number is SCARD_E_INVALID_HANDLE, of another component.",
    ),
}

_AFTER_THE_HANDSHAKE = (
    "After a TLS 1.3 handshake it shows first as SEC_I_RENEGOTIATE; its own status is that of the call which follows."
)


def _status(status: SecurityStatus) -> Explanation:
    facts = STATUS_FACTS[status]
    alerts = alerts_for_status(status)
    return Explanation(
        Kind.STATUS,
        status.name,
        (status.hex, str(status.signed), str(int(status))),
        facts.meaning,
        _causes(facts),
        facts.remedy,
        facts.source.value,
        facts.reference,
        tuple(alias for alias, named in STATUS_ALIASES.items() if named is status),
        tuple(_returns(status, alerts)),
        alerts=tuple(map(_line, alerts)),
        traps=(*_TRAPS.get(status, ()), *_neighbours(status)),
    )


def _nt_status(status: NtStatus) -> Explanation:
    facts = NT_STATUS_FACTS[status]
    source = _REINIT_RETURNS.get(status)
    return Explanation(
        Kind.NT_STATUS,
        status.name,
        (status.hex, str(status.signed), str(int(status))),
        facts.meaning,
        _causes(facts),
        facts.remedy,
        facts.source.value,
        facts.reference,
        returned_by=(Return(RETURN_VALUE, _REINIT, source),) if source else (),
        traps=("Test for failure and not for this code: no page names it.",) if source is Source.INFERRED else (),
    )


def _causes(facts: StatusFacts) -> tuple[str, ...]:
    return tuple(facts.cause.split("; ")) if facts.cause else ()


def _returns(status: SecurityStatus, alerts: tuple[Alert, ...]) -> Iterator[Return]:
    """List who gives a status; a leg gives it if its page says so or if an alert arrives as it."""
    listing = tuple(function.documented_name for function in Function if status in function.final_statuses)
    if listing:
        yield Return(CALL_STATUS, listing, Source.DOCUMENTED)
    legs = tuple(leg for leg in _LEGS if leg not in listing)
    if alerts and legs:
        is_documented = any(alert.source is Source.DOCUMENTED for alert in alerts)
        yield Return(ALERT_RECEIVED, legs, Source.DOCUMENTED if is_documented else Source.INFERRED)
    yield from _FURTHER_RETURNS.get(status, ())


def _neighbours(status: SecurityStatus) -> Iterator[str]:
    """Warn of statuses that differ in their upper bits only."""
    for other in SecurityStatus:
        if other is not status and other & 0xFFFF == status & 0xFFFF:
            yield f"{other} has the same low 16 bits and is another status: compare whole values."


def _line(alert: Alert) -> AlertLine:
    return AlertLine(alert.number, alert.name, alert.meaning, alert.is_listed, alert.source.value)


def _alert(number: int) -> Explanation:
    """Explain an alert; one that nobody registered arrives as the table's default too."""
    known = ALERTS.get(number)
    row = known or Alert(number, alert_name(number), DEFAULT_STATUS, "no alert is registered under this number")
    facts = STATUS_FACTS[row.status]
    after = "After the handshake DecryptMessage gives SEC_I_CONTEXT_EXPIRED." if number == 0 else _AFTER_THE_HANDSHAKE
    return Explanation(
        Kind.ALERT,
        row.name,
        (str(number), f"0x{number:02X}"),
        f"{row.meaning[0].upper()}{row.meaning[1:]}.",
        (),
        "The log of the peer says more; delete the security context." if row.status is DEFAULT_STATUS else facts.remedy,
        row.source.value,
        "Schannel's alert table; IANA TLS alert registry",
        returned_by=(Return(ALERT_RECEIVED, _LEGS, row.source),),
        status=row.status.name,
        status_hex=row.status.hex,
        alerts=tuple(_line(other) for other in alerts_for_status(row.status) if other.number != number),
        traps=(*([f"{row.note[0].upper()}{row.note[1:]}."] if row.note else []), after),
    )


def _rule(rule: RuleText) -> Explanation:
    return Explanation(
        Kind.RULE,
        rule.code,
        (rule.severity,),
        _sentence(rule.title),
        remedy=_sentence(rule.fix),
        source=rule.source,
        reference=rule.reference,
        documented=rule.documented,
        shown=_sentence(rule.shown),
    )


def _error(one: ErrorCode) -> Explanation:
    title = _sentence(one.title)
    return Explanation(Kind.ERROR, one.code, ("error",), title, remedy=one.remedy, source="this program's own")


def _sentence(text: str) -> str:
    """Make a sentence of a clause; a sentence stays as it is."""
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith('.') else '.'}" if text else ""
