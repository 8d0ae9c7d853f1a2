"""What the manual page of the debugger says besides its options: every verb, the keys, the files, and a first session.

The rule guarded here: the verbs are those of the declarations, and the first session is one that was: a test replays it
word for word.
"""

from __future__ import annotations

from collections.abc import Iterator

from sspicli.cli.repl_state import KEYS
from sspicli.cli.repl_tutorial import INTRODUCTION, TRANSCRIPT
from sspicli.cli.roff import Item, Lines, Paragraph, Section
from sspicli.debugger.verbs import GROUPS, VERBS, Verb

_LINES = (
    "A line is a verb and its arguments. Verbs may be shortened as long as they stay clear. A # at the beginning of a "
    "line or behind a blank begins a comment. In client.init#2 it is none: that is the second call of "
    "SspiInitializeSecurityContextAsync that the client makes."
)
_LONGEST = 60  # characters of a heading
_GROUPS = {
    "move": "Go on by one transition, one call, one leg, or until something stops it.",
    "back": "Go back to any state so far.",
    "branch": "Keep a state, and begin again from it.",
    "stop": "Say where a run stops.",
    "look": "Look at anything.",
    "by hand": "Make calls, hold them and complete them. The words are those of a scenario's steps.",
    "wire": "Change what is still to come.",
    "session": "Keep what was done, repeat it, set how it is shown.",
}
_FILES = (
    Item("replrc", "In the user's configuration directory: commands that every session begins with, unless --no-rc."),
    Item("repl-history", "In the user's state directory, readable by its owner only: what was typed at the prompt."),
)


def sections() -> Iterator[Section]:
    """Compose the sections that stand between the options and the exit codes."""
    yield Section("LINES", (Paragraph(_LINES), *(Item(key, f"{said[:1].upper()}{said[1:]}.") for key, said in KEYS)))
    for group in GROUPS:
        head = Paragraph(_GROUPS[group])
        yield Section(f"VERBS: {group.upper()}", (head, *(_item(verb) for verb in VERBS if verb.group == group)))
    yield Section("A FIRST SESSION", (Paragraph(INTRODUCTION), Lines(tuple(TRANSCRIPT.strip("\n").split("\n")))))
    yield Section("FILES", _FILES)


def _item(verb: Verb) -> Item:
    is_long = len(verb.synopsis) > _LONGEST
    arguments = [f"{one.name}: {one.sentence}." for one in verb.arguments if one.name and not is_long]
    aliases = [f"Also typed as {', '.join(verb.aliases)}."] if verb.aliases else []
    said = [_full(part) for part in (verb.sentence, verb.details) if part]
    example = [f"Example: {verb.example}"] if verb.example else []
    said += [f"Typed as {verb.synopsis}."] if is_long else []
    return Item(
        verb.name if is_long else verb.synopsis, " ".join(" ".join([*said, *arguments, *aliases, *example]).split())
    )


def _full(sentence: str) -> str:
    return sentence if sentence.endswith(".") else f"{sentence}."
