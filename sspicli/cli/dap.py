"""`sspi-async dap`: the debugger for an editor, by the Debug Adapter Protocol over standard input and output."""

from __future__ import annotations

import os
import sys

import click

from sspicli.sspi.errors import ExitCode, InputError, UsageError


@click.command("dap", short_help="Let an editor debug a scenario or a recording or a session.")
def command() -> int:
    """Be a debug adapter on standard input and output, for an editor that speaks the Debug Adapter Protocol.

    An editor starts it; there is nothing to type. A breakpoint stands on a line of a scenario: at a step of a program,
    a leg, a call or a fault; or on a line of a recording, which is a record. Stepping over goes to the next line of a
    thread, stepping in to the endpoint's next, also of a callback, and by instructions goes one transition at a time.
    What may happen next is in the list of targets to step into; going back looks at the past. In the console everything
    may be typed that repl knows.

    A launch names a file as program, with case, or at and again; or it has package, tls, client, server, mode,
    completion, order, seed, messages, fault, clock and byHand, as repl has them as options. Both may have stopOnEntry,
    stopOnEnd, noDebug and record. The session ends with exit code 0, 1 where it failed, 6 where it is stuck; of a
    scenario it is replay that decides.

    \b
    Examples:
      sspi-async dap
    """  # noqa: D301 (click reads the \b)
    from sspicli.adapter.serve import serve
    from sspicli.cli.repl_terminal import ended_by_signals

    if sys.stdin.isatty():
        raise UsageError("an editor starts this, and there is nothing to type", help="sspi-async man dap")
    sink = sys.stdout.buffer
    sys.stdout = sys.stderr  # what is written there by anybody else would not be a message
    with ended_by_signals():
        reason = serve(lambda size: os.read(0, size), sink)
    if reason:
        raise InputError(reason, where="standard input", help="a debug client sends messages with a Content-Length")
    return ExitCode.OK
