"""Every verb of the debugger in one list: help, completion, the grammar and the manual page are made from it.

Each is declared once, in the table of its groups beside this file. The calls that can be typed are the steps of a
scenario, and their verbs are made from the steps' own declaration.
"""

from __future__ import annotations

from sspicli.debugger.hand import BY_HAND, usage
from sspicli.debugger.verb import Verb, argument
from sspicli.debugger.verb_table_change import CHANGING
from sspicli.debugger.verb_table_keep import KEEPING
from sspicli.debugger.verb_table_look import LOOKING
from sspicli.debugger.verb_table_move import MOVING
from sspicli.scenario import steps as st

GROUPS = ("move", "back", "branch", "stop", "look", "by hand", "wire", "session")


def _step_verb(name: str) -> Verb:
    """Make the verb of a step of a scenario."""
    words = usage(name).split(maxsplit=1)[1:]
    has_side = bool(words) and words[0].startswith("SIDE")
    arguments = [argument("SIDE", "side", "whose")] if has_side else []
    rest = words[0].removeprefix("SIDE").strip() if words else ""
    kind = "call" if name in ("hold", "release", "complete") else "key=value"
    arguments.append(argument(rest, kind, "as in a scenario's programs", optional=True))
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
    "throw": 'set-callback client do="throw oops"',
}

VERBS: tuple[Verb, ...] = (
    *MOVING,
    *LOOKING,
    *CHANGING,
    *KEEPING,
    *(_step_verb(name) for name in BY_HAND),
)
