"""Verbs of the session itself: what is kept, set and asked."""

from __future__ import annotations

from sspicli.debugger.verb import Verb, argument

KEEPING: tuple[Verb, ...] = (
    # -- session
    Verb(
        "record",
        (),
        "session",
        (argument("FILE", "file", "a new file; off ends it"),),
        "Write the journal to a new file, from its start; later branches go to files beside it.",
        example="record run.sspirec",
    ),
    Verb(
        "save",
        (),
        "session",
        (argument("FILE", "file", "a new file, NAME.sspi.yaml"),),
        "Keep what was done as a scenario that comes to the same verdict.",
        "What was typed is a program, every choice a schedule; what the scenario itself expected stays where it holds.",
        example="save found.sspi.yaml",
    ),
    Verb(
        "export",
        (),
        "session",
        (argument("FILE", "file", "a new file"),),
        "Write the records so far as JSON Lines, without secrets.",
        example="export run.jsonl",
    ),
    Verb(
        "source",
        (),
        "session",
        (argument("FILE", "file", "a file with commands"),),
        "Do the commands of a file; the first that fails ends it.",
        example="source setup.sspidbg",
    ),
    Verb(
        "history",
        (),
        "session",
        (argument("N", "number", "the last N", optional=True),),
        "List the commands so far, and what was typed in earlier sessions.",
        "Without a number it lists all of this session and the last 20 before it; no line with a password or a secret.",
        example="history",
    ),
    Verb(
        "alias",
        (),
        "session",
        (
            argument("NAME", "text", "a new word; lists them when left out", optional=True),
            argument("COMMAND", "text", "what it stands for", optional=True),
        ),
        "Give a command a shorter name.",
        example="alias ss step 2",
    ),
    Verb(
        "set",
        (),
        "session",
        (
            argument("SETTING", "setting", "panes, verbosity or limit; lists them when left out", optional=True),
            argument("VALUE", "text", "its value", optional=True),
        ),
        "Change a setting.",
        example="set panes state,enabled,changed",
    ),
    Verb(
        "show",
        (),
        "session",
        (argument("SETTING", "setting", "all when left out", optional=True),),
        "Show settings.",
        example="show",
    ),
    Verb(
        "help",
        ("h",),
        "session",
        (argument("VERB", "verb", "what it is about", optional=True),),
        "Say what there is, or what a verb does.",
        example="help break",
    ),
    Verb(
        "apropos",
        (),
        "session",
        (argument("WORD...", "text", "what to look for"),),
        "List the verbs whose help has a word.",
        example="apropos callback",
    ),
    Verb("quit", ("q", "exit"), "session", (), "Leave.", example="quit"),
)
