"""Verbs that let the session go on, go back, branch, and stop."""

from __future__ import annotations

from sspicli.debugger.verb import Verb, argument

_N = argument("N", "number", "how many times", optional=True)
_EXPRESSION = argument("EXPRESSION", "expression", "such as leg == 3 and client.status == SEC_E_OK")
_WHAT = argument(
    "WHAT [if EXPRESSION]",
    "breakpoint",
    "a function (client.init#2), a side, leg 3, a message, a status, alert, finding, pending, callback, fail",
)
_NUMBERS = argument("NUMBER...", "breakpoint", "breakpoints by their numbers; all when left out", optional=True)

MOVING: tuple[Verb, ...] = (
    # -- move
    Verb(
        "step",
        ("s",),
        "move",
        (_N,),
        "Let the next transition happen.",
        "A call is queued, returns, completes, its callback is entered or returns, a token arrives: one of these.",
        is_repeatable=True,
        example="step 3",
    ),
    Verb(
        "next",
        ("n",),
        "move",
        (_N,),
        "Go on until a call has completed and its callback has returned.",
        is_repeatable=True,
        example="next",
    ),
    Verb(
        "finish",
        ("fin",),
        "move",
        (),
        "Go on until a token has arrived: the end of the leg.",
        is_repeatable=True,
        example="finish",
    ),
    Verb(
        "until",
        ("u",),
        "move",
        (_EXPRESSION,),
        "Go on until an expression holds.",
        is_repeatable=True,
        example="until server.status == SEC_E_OK",
    ),
    Verb(
        "continue",
        ("c",),
        "move",
        (_N,),
        "Go on until something stops it; N passes the breakpoint that stopped it N - 1 times.",
        is_repeatable=True,
        example="continue",
    ),
    Verb(
        "run",
        (),
        "move",
        (),
        "Begin again from the start, and go on until something stops it.",
        "What went before stays as a branch.",
        example="run",
    ),
    Verb(
        "choose",
        (),
        "move",
        (argument("NUMBER", "number", "one of the enabled transitions"),),
        "Let this enabled transition happen, not the default one.",
        example="choose 2",
    ),
    # -- back
    Verb(
        "rs",
        ("reverse-step",),
        "back",
        (_N,),
        "Look at the state one transition earlier.",
        is_repeatable=True,
        example="rs",
    ),
    Verb(
        "rn", ("reverse-next",), "back", (_N,), "Look at the state one call earlier.", is_repeatable=True, example="rn"
    ),
    Verb(
        "rc",
        ("reverse-continue",),
        "back",
        (),
        "Look back to where a breakpoint would have stopped, else to the start.",
        is_repeatable=True,
        example="rc",
    ),
    Verb(
        "undo",
        (),
        "back",
        (),
        "Take the last command back that moved or changed something.",
        "Stepping on from there makes the session again; what was stays as a branch.",
        example="undo",
    ),
    Verb(
        "goto",
        (),
        "back",
        (argument("RECORD", "record", "a record's number, start, end, or a checkpoint"),),
        "Look at the state after a record.",
        example="goto 12",
    ),
    # -- branch
    Verb(
        "checkpoint",
        (),
        "branch",
        (argument("NAME", "checkpoint", "what to call it", optional=True),),
        "Name this state, to begin again from it.",
        "Where the system can fork, a process keeps the engine as it stands; else, and in the past, it is a place.",
        example="checkpoint before-tamper",
    ),
    Verb(
        "restart",
        (),
        "branch",
        (argument("NAME", "checkpoint", "a checkpoint"),),
        "Begin again at a checkpoint, as a branch of its own.",
        "Where the engine was kept, all that was drawn so far is the same, and what is drawn later differs. Elsewhere "
        "the session is made again by the same choices and commands: keys and nonces are drawn anew. Each says which.",
        example="restart before-tamper",
    ),
    Verb("branches", (), "branch", (), "List the branches and checkpoints.", example="branches"),
    Verb(
        "switch",
        (),
        "branch",
        (argument("BRANCH", "branch", "its name"),),
        "Go to the end of another branch.",
        example="switch main",
    ),
    # -- stop
    Verb(
        "break",
        ("b",),
        "stop",
        (_WHAT,),
        "Stop at a function, side, leg, message, status, alert, finding, pending call or callback.",
        "A function stops where its record is made: a call that is queued has not returned then. break before FUNCTION "
        "stops when a program or callback is about to make the call; nothing of it has happened then. Calls typed by "
        "hand are not stopped before.",
        example="break client.init if leg == 2",
    ),
    Verb("tbreak", ("tb",), "stop", (_WHAT,), "As break, but once.", example="tbreak callback"),
    Verb(
        "catch",
        (),
        "stop",
        (_WHAT,),
        "Stop at a status, alert, pending call, finding, failure or leg.",
        example="catch fail",
    ),
    Verb("watch", (), "stop", (_EXPRESSION,), "Stop when a value changes.", example="watch server.status"),
    Verb(
        "condition",
        (),
        "stop",
        (
            argument("NUMBER", "breakpoint", "a breakpoint"),
            argument("EXPRESSION", "expression", "none takes the condition away", optional=True),
        ),
        "Let a breakpoint stop only where an expression holds.",
        example="condition 1 leg > 1",
    ),
    Verb(
        "commands",
        (),
        "stop",
        (
            argument("NUMBER", "breakpoint", "a breakpoint"),
            argument("COMMANDS", "text", "with ; between them; none takes them away", optional=True),
        ),
        "Do commands whenever a breakpoint stops.",
        example="commands 1 info calls; p client.status",
    ),
    Verb(
        "ignore",
        (),
        "stop",
        (argument("NUMBER", "breakpoint", "a breakpoint"), argument("COUNT", "number", "how often")),
        "Pass a breakpoint so many times.",
        example="ignore 1 2",
    ),
    Verb("enable", (), "stop", (_NUMBERS,), "Let breakpoints stop again.", example="enable 1"),
    Verb("disable", (), "stop", (_NUMBERS,), "Let breakpoints not stop.", example="disable 1"),
    Verb(
        "delete-breakpoint",
        ("clear",),
        "stop",
        (_NUMBERS,),
        "Take breakpoints away.",
        "delete is the call SspiDeleteSecurityContextAsync where a side follows, and this where a number does.",
        example="delete 1",
    ),
)
