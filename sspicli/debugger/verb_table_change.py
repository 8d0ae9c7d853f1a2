"""Verbs that change what is to come: by hand, and on the wire. The steps of a scenario come besides these."""

from __future__ import annotations

from sspicli.debugger.verb import Verb, argument

_LEG = argument("LEG", "leg", "a leg that is still to be sent, such as leg2")
_CALL = argument("CALL", "call", "a call that is still to be made, such as server.accept#2")
_TIMED = argument(
    "CALL", "call", "one call (client.init#2), a function's (client.init), a side's; all when left out", optional=True
)

CHANGING: tuple[Verb, ...] = (
    # -- by hand, besides the steps
    Verb(
        "delay",
        (),
        "by hand",
        (
            argument("CALL or LEG", "call", "what is still to come"),
            argument("TICKS", "number", "microseconds of virtual time"),
        ),
        "Let a call complete, or a leg arrive, later.",
        example="delay leg2 500",
    ),
    Verb(
        "order",
        (),
        "by hand",
        (argument("CALL...", "call", "calls that are pending, in the order in which they are to complete"),),
        "Complete pending calls in this order, one after the other.",
        example="order server.acquire client.acquire",
    ),
    Verb(
        "inline",
        (),
        "by hand",
        (_TIMED,),
        "Let calls complete, and their callbacks run, before their queueing function returns.",
        "Where nobody chooses otherwise; what was said last of a call holds. A held call stays held.",
        example="inline client.init#2",
    ),
    Verb(
        "pending",
        (),
        "by hand",
        (_TIMED,),
        "Let calls complete after their queueing function has returned, which is the default.",
        "Where nobody chooses otherwise; what was said last of a call holds.",
        example="pending server.accept",
    ),
    Verb(
        "notify",
        (),
        "by hand",
        (argument("CALL", "call", "whose callback is due: client.init#2, or client", optional=True),),
        "Enter the notify callback that is due, before anything else happens.",
        "A callback is due once its call has completed.",
        example="notify client.acquire",
    ),
    # -- wire and faults
    Verb(
        "tamper",
        (),
        "wire",
        (
            _LEG,
            argument("PLACE", "field", "an offset, or a field's path"),
            argument("HEX", "text", "exclusive or; =HEX writes over", optional=True),
        ),
        "Change bytes of a leg that is still to be sent; lengths stay as they are.",
        example="tamper leg2 ServerHello.random 01",
    ),
    Verb(
        "deliver",
        (),
        "wire",
        (argument("SIDE", "side", "to whom; whoever there is something for when left out", optional=True),),
        "Let what is under way arrive now, before anything else happens.",
        example="deliver server",
    ),
    Verb("drop", (), "wire", (_LEG,), "Lose a leg.", example="drop leg3"),
    Verb("dup", ("duplicate",), "wire", (_LEG,), "Let a leg arrive twice.", example="dup leg1"),
    Verb("swap", (), "wire", (_LEG,), "Let a leg arrive after what its sender sends next.", example="swap leg2"),
    Verb(
        "split",
        (),
        "wire",
        (_LEG, argument("OFFSET...", "number", "where to cut")),
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
        (_LEG, argument("SIZE", "number", "what is left of it")),
        "Cut a leg off.",
        example="truncate leg1 100",
    ),
    Verb(
        "extend",
        (),
        "wire",
        (_LEG, argument("HEX", "text", "what is added")),
        "Add bytes to a leg.",
        example="extend leg2 00ff",
    ),
    Verb(
        "inject",
        (),
        "wire",
        (argument("SIDE", "side", "who is to have sent it"), argument("HEX", "text", "the bytes")),
        "Put bytes on the wire as if a side had sent them.",
        example="inject client 1503030002022a",
    ),
    Verb(
        "fail",
        (),
        "wire",
        (_CALL, argument("STATUS", "status", "an error", optional=True)),
        "Let a call complete with an error.",
        example="fail server.accept#1 SEC_E_INTERNAL_ERROR",
    ),
    Verb(
        "refuse",
        (),
        "wire",
        (_CALL, argument("STATUS", "status", "an error", optional=True)),
        "Let a queueing function refuse.",
        example="refuse client.init#1 SEC_E_INSUFFICIENT_MEMORY",
    ),
    Verb("hang", (), "wire", (_CALL,), "Let a call never complete.", example="hang server.accept#1"),
    Verb(
        "null",
        (),
        "wire",
        (argument("SIDE", "side", "whose; SIDE.create#N for another than the next"),),
        "Let SspiCreateAsyncContext return NULL.",
        example="null client",
    ),
)
