"""Every verb of the debugger, declared once: help, completion, the grammar and the manual page are made from these.

The calls that can be typed are the steps of a scenario, and their verbs are made from the steps' own declaration.
"""

from __future__ import annotations

from sspicli.debugger.hand import BY_HAND, usage
from sspicli.debugger.verb import Argument, Verb
from sspicli.scenario import steps as st

GROUPS = ("move", "back", "branch", "stop", "look", "by hand", "wire", "session")


def _arg(name: str, kind: str, sentence: str, *, optional: bool = False) -> Argument:
    return Argument(name, kind, optional, sentence)


_N = _arg("N", "number", "how many times", optional=True)
_EXPRESSION = _arg("EXPRESSION", "expression", "such as leg == 3 and client.status == SEC_E_OK")
_WHAT = _arg(
    "WHAT [if EXPRESSION]",
    "breakpoint",
    "a function (client.init#2), a side, leg 3, a message, a status, alert, finding, pending, callback, fail",
)
_NUMBERS = _arg("NUMBER...", "breakpoint", "breakpoints by their numbers; all when left out", optional=True)
_LEG = _arg("LEG", "leg", "a leg that is still to be sent, such as leg2")
_CALL = _arg("CALL", "call", "a call that is still to be made, such as server.accept#2")

_OWN: tuple[Verb, ...] = (
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
        (_arg("NUMBER", "number", "one of the enabled transitions"),),
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
        (_arg("RECORD", "record", "a record's number, start, end, or a checkpoint"),),
        "Look at the state after a record.",
        example="goto 12",
    ),
    # -- branch
    Verb(
        "checkpoint",
        (),
        "branch",
        (_arg("NAME", "checkpoint", "what to call it", optional=True),),
        "Name this state, to begin again from it.",
        example="checkpoint before-tamper",
    ),
    Verb(
        "restart",
        (),
        "branch",
        (_arg("NAME", "checkpoint", "a checkpoint"),),
        "Make the session again up to a checkpoint, as a branch of its own.",
        "By re-execution: the same choices and commands. Keys and nonces are drawn anew, and the branch says so.",
        example="restart before-tamper",
    ),
    Verb("branches", (), "branch", (), "List the branches and checkpoints.", example="branches"),
    Verb(
        "switch",
        (),
        "branch",
        (_arg("BRANCH", "branch", "its name"),),
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
            _arg("NUMBER", "breakpoint", "a breakpoint"),
            _arg("EXPRESSION", "expression", "none takes the condition away", optional=True),
        ),
        "Let a breakpoint stop only where an expression holds.",
        example="condition 1 leg > 1",
    ),
    Verb(
        "commands",
        (),
        "stop",
        (
            _arg("NUMBER", "breakpoint", "a breakpoint"),
            _arg("COMMANDS", "text", "with ; between them; none takes them away", optional=True),
        ),
        "Do commands whenever a breakpoint stops.",
        example="commands 1 info calls; p client.status",
    ),
    Verb(
        "ignore",
        (),
        "stop",
        (_arg("NUMBER", "breakpoint", "a breakpoint"), _arg("COUNT", "number", "how often")),
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
    # -- look
    Verb(
        "where",
        ("w", "context"),
        "look",
        (),
        "Show where the session is: the state, what may happen next, which calls are legal.",
        is_repeatable=False,
        example="where",
    ),
    Verb("enabled", (), "look", (), "List what may happen next, numbered for choose.", example="enabled"),
    Verb(
        "legal",
        (),
        "look",
        (_arg("SIDE", "side", "one end only", optional=True),),
        "Say which API calls are legal now, and why the others are not.",
        example="legal server",
    ),
    Verb(
        "info",
        ("i",),
        "look",
        (
            _arg(
                "TOPIC",
                "topic",
                "handles, contexts, credentials, buffers, flags, timers, schedule, breakpoints, rules, calls, keylog, "
                "faults, wire, findings, display",
            ),
        ),
        "Show what there is of something.",
        example="info calls",
    ),
    Verb(
        "print",
        ("p",),
        "look",
        (_EXPRESSION,),
        "Show a value, or a field of a leg by its path.",
        example="p leg2.ServerHello.random",
    ),
    Verb(
        "display",
        (),
        "look",
        (_arg("EXPRESSION", "expression", "lists them when left out", optional=True),),
        "Show a value at every stop.",
        example="display server.phase",
    ),
    Verb(
        "undisplay",
        (),
        "look",
        (_arg("NUMBER", "number", "of the display; all when left out", optional=True),),
        "Show it no more.",
        example="undisplay 1",
    ),
    Verb(
        "x",
        (),
        "look",
        (_arg("WHAT", "bytes", "leg2, leg2.ServerHello.random, received of a side; x/32 for so many bytes"),),
        "Show bytes in hex, with their fields.",
        example="x leg2",
    ),
    Verb(
        "decode",
        (),
        "look",
        (_arg("LEG", "leg", "the last one when left out", optional=True),),
        "Show the fields of a token, what is encrypted opened.",
        example="decode leg2",
    ),
    Verb(
        "why",
        ("bt",),
        "look",
        (_arg("RECORD", "record", "the last one when left out", optional=True),),
        "Show what led to a record, back to its beginning.",
        example="why",
    ),
    Verb(
        "list",
        ("l",),
        "look",
        (_arg("RECORD", "record", "around this one; the last when left out", optional=True),),
        "List the records around a place.",
        is_repeatable=False,
        example="list 12",
    ),
    Verb("ladder", (), "look", (), "Show the ladder so far.", example="ladder"),
    Verb(
        "timeline",
        (),
        "look",
        (_arg("N", "number", "the last N records; all when left out", optional=True),),
        "List the records: when, who, what, and which led to it.",
        example="timeline 20",
    ),
    Verb(
        "diff",
        (),
        "look",
        (_arg("A", "leg", "leg2, branch:leg2, or a branch"), _arg("B", "leg", "likewise")),
        "Compare two tokens or two branches; what is random is masked.",
        example="diff leg1 main:leg1",
    ),
    Verb(
        "explain",
        (),
        "look",
        (
            _arg(
                "CODE...",
                "code",
                "a status, an alert, a rule code, or words; the last failure when left out",
                optional=True,
            ),
        ),
        "Say what a code means.",
        example="explain SEC_E_CERT_EXPIRED",
    ),
    Verb(
        "api",
        (),
        "look",
        (_arg("FUNCTION", "function", "all of them when left out", optional=True),),
        "Show the reference card of a function.",
        example="api SspiReinitAsyncContext",
    ),
    Verb(
        "verify",
        (),
        "look",
        (),
        "Hold the misuse rules against the records so far, as if the run ended now.",
        example="verify",
    ),
    # -- by hand, besides the steps
    Verb(
        "delay",
        (),
        "by hand",
        (_arg("CALL or LEG", "call", "what is still to come"), _arg("TICKS", "number", "microseconds of virtual time")),
        "Let a call complete, or a leg arrive, later.",
        example="delay leg2 500",
    ),
    Verb(
        "order",
        (),
        "by hand",
        (_arg("CALL...", "call", "calls that are pending, in the order in which they are to complete"),),
        "Complete pending calls in this order, one after the other.",
        example="order server.accept client.init",
    ),
    # -- wire and faults
    Verb(
        "tamper",
        (),
        "wire",
        (
            _LEG,
            _arg("PLACE", "field", "an offset, or a field's path"),
            _arg("HEX", "text", "exclusive or; =HEX writes over", optional=True),
        ),
        "Change bytes of a leg that is still to be sent; lengths stay as they are.",
        example="tamper leg2 ServerHello.random 01",
    ),
    Verb("drop", (), "wire", (_LEG,), "Lose a leg.", example="drop leg3"),
    Verb("dup", ("duplicate",), "wire", (_LEG,), "Let a leg arrive twice.", example="dup leg1"),
    Verb("swap", (), "wire", (_LEG,), "Let a leg arrive after what its sender sends next.", example="swap leg2"),
    Verb(
        "split",
        (),
        "wire",
        (_LEG, _arg("OFFSET...", "number", "where to cut")),
        "Let a leg arrive in pieces.",
        example="split leg2 5 100",
    ),
    Verb(
        "join",
        ("coalesce",),
        "wire",
        (_LEG,),
        "Let a leg arrive together with what its sender sends next.",
        example="join leg2",
    ),
    Verb(
        "truncate",
        (),
        "wire",
        (_LEG, _arg("SIZE", "number", "what is left of it")),
        "Cut a leg off.",
        example="truncate leg1 100",
    ),
    Verb(
        "extend",
        (),
        "wire",
        (_LEG, _arg("HEX", "text", "what is added")),
        "Add bytes to a leg.",
        example="extend leg2 00ff",
    ),
    Verb(
        "inject",
        (),
        "wire",
        (_arg("SIDE", "side", "who is to have sent it"), _arg("HEX", "text", "the bytes")),
        "Put bytes on the wire as if a side had sent them.",
        example="inject client 1503030002022a",
    ),
    Verb(
        "fail",
        (),
        "wire",
        (_CALL, _arg("STATUS", "status", "an error", optional=True)),
        "Let a call complete with an error.",
        example="fail server.accept#1 SEC_E_INTERNAL_ERROR",
    ),
    Verb(
        "refuse",
        (),
        "wire",
        (_CALL, _arg("STATUS", "status", "an error", optional=True)),
        "Let a queueing function refuse.",
        example="refuse client.init#1 SEC_E_INSUFFICIENT_MEMORY",
    ),
    Verb("hang", (), "wire", (_CALL,), "Let a call never complete.", example="hang server.accept#1"),
    Verb(
        "null",
        (),
        "wire",
        (_arg("SIDE", "side", "whose; SIDE.create#N for another than the next"),),
        "Let SspiCreateAsyncContext return NULL.",
        example="null client",
    ),
    # -- session
    Verb(
        "record",
        (),
        "session",
        (_arg("FILE", "file", "a new file; off ends it"),),
        "Write the journal to a new file, from its start; later branches go to files beside it.",
        example="record run.sspirec",
    ),
    Verb(
        "save",
        (),
        "session",
        (_arg("FILE", "file", "a new file, NAME.sspi.yaml"),),
        "Keep what was done as a scenario that comes to the same verdict.",
        example="save found.sspi.yaml",
    ),
    Verb(
        "export",
        (),
        "session",
        (_arg("FILE", "file", "a new file"),),
        "Write the records so far as JSON Lines, without secrets.",
        example="export run.jsonl",
    ),
    Verb(
        "source",
        (),
        "session",
        (_arg("FILE", "file", "a file with commands"),),
        "Do the commands of a file; the first that fails ends it.",
        example="source setup.sspidbg",
    ),
    Verb(
        "history",
        (),
        "session",
        (_arg("N", "number", "the last N", optional=True),),
        "List the commands so far.",
        example="history",
    ),
    Verb(
        "alias",
        (),
        "session",
        (
            _arg("NAME", "text", "a new word; lists them when left out", optional=True),
            _arg("COMMAND", "text", "what it stands for", optional=True),
        ),
        "Give a command a shorter name.",
        example="alias ss step 2",
    ),
    Verb(
        "set",
        (),
        "session",
        (
            _arg("SETTING", "setting", "panes, verbosity or limit; lists them when left out", optional=True),
            _arg("VALUE", "text", "its value", optional=True),
        ),
        "Change a setting.",
        example="set panes state,enabled,changed",
    ),
    Verb(
        "show",
        (),
        "session",
        (_arg("SETTING", "setting", "all when left out", optional=True),),
        "Show settings.",
        example="show",
    ),
    Verb(
        "help",
        ("h",),
        "session",
        (_arg("VERB", "verb", "what it is about", optional=True),),
        "Say what there is, or what a verb does.",
        example="help break",
    ),
    Verb(
        "apropos",
        (),
        "session",
        (_arg("WORD...", "text", "what to look for"),),
        "List the verbs whose help has a word.",
        example="apropos callback",
    ),
    Verb("quit", ("q", "exit"), "session", (), "Leave.", example="quit"),
)


def _step_verb(name: str) -> Verb:
    """Make the verb of a step of a scenario."""
    words = usage(name).split(maxsplit=1)[1:]
    has_side = bool(words) and words[0].startswith("SIDE")
    arguments = [_arg("SIDE", "side", "whose")] if has_side else []
    rest = words[0].removeprefix("SIDE").strip() if words else ""
    kind = "call" if name in ("hold", "release", "complete") else "key=value"
    arguments.append(_arg(rest, kind, "as in a scenario's programs", optional=True))
    sentence = (st.VERBS[name].__doc__ or "").strip().splitlines()[0]
    sentence = sentence[0].upper() + sentence[1:]
    side = "" if kind == "call" or name in ("init", "accept") else " client"
    example = {"hold": "hold server", "release": "release server", "complete": "complete server.accept"}.get(
        name, _EXAMPLES.get(name, f"{name}{side}")
    )
    return Verb(name, (), "by hand", tuple(arguments), sentence, example=example)


_EXAMPLES = {
    "create": "create client ac",
    "set-callback": 'set-callback client ac do="get-status this; reinit this"',
    "acquire": "acquire client credential=cred",
    "init": "init async-context=ac add-flags=MUTUAL_AUTH",
    "accept": "accept server input=[{type=TOKEN bytes=received} {type=EMPTY}]",
    "send": "send client output",
    "receive": "receive client",
    "keep": "keep client name=mine bytes={hex=00ff}",
    "query": "query client attribute=STREAM_SIZES",
    "encrypt": "encrypt client bytes={text=hello}",
    "touch": "touch client ac input act=write",
    "assign": "assign client variable=ctxt",
    "end-data": "end-data client name=data",
    "lock": "lock client mutex",
    "unlock": "unlock client mutex",
    "read": "read client ctxt",
    "connect": "connect client 2",
    "sleep": "sleep client 100",
    "signal": "signal client ready",
    "await": "await client ready",
}

VERBS: tuple[Verb, ...] = (*_OWN, *(_step_verb(name) for name in BY_HAND))
