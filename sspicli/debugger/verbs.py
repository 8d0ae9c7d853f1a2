"""Verbs by their names, their aliases, and any prefix that only one of them has."""

from __future__ import annotations

from functools import cache

from sspicli.debugger.verb import Argument, Verb
from sspicli.debugger.verb_table import GROUPS, VERBS
from sspicli.scenario.words import near
from sspicli.sspi.errors import UsageError

__all__ = ["GROUPS", "VERBS", "Argument", "Verb", "find"]


@cache
def _spellings() -> dict[str, Verb]:
    return {word: verb for verb in reversed(VERBS) for word in (*verb.aliases, verb.name)}


def find(word: str) -> Verb:
    """Find a verb by its name, an alias or a prefix that no other has; UsageError for what is none."""
    spellings = _spellings()
    if word in spellings:
        return spellings[word]
    by_prefix = {verb.name: verb for name, verb in spellings.items() if name.startswith(word) and name == verb.name}
    if len(by_prefix) == 1:
        return next(iter(by_prefix.values()))
    if by_prefix:
        raise UsageError(f"{word[:40]!r} is ambiguous", help=f"{', '.join(sorted(by_prefix))}")
    raise UsageError(f"there is no verb {word[:40]!r}", help=near(word, spellings) or "help lists them")
