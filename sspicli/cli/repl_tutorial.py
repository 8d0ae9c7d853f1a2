"""The first session with the debugger, as the manual page shows it.

The rule guarded here: nobody made this up. A test starts the debugger with ARGUMENTS, types what stands behind each
prompt, and finds every other line in what comes of it, word for word.
"""

from __future__ import annotations

ARGUMENTS = ("--seed", "3", "--clock", "2026-11-22T12:00:00Z", "--no-timing", "--width", "80", "--ascii", "--no-rc")

INTRODUCTION = (
    "The server's first accept is held while it is pending, and completed late. Then a byte of the ServerHello is "
    "changed, which the client refuses; from the checkpoint before that the session goes on once more, unharmed. It "
    f"was started with sspi-async repl {' '.join(ARGUMENTS)}; what was typed stands behind the prompts."
)

TRANSCRIPT = """
(sspi start, client next)> set panes state,enabled
  panes      state,enabled  what is shown at a stop, of log, state, token,
        enabled, legal, changed, calls, ladder, findings, cause, expected
(sspi start, client next)> hold server.accept#1
hold by hand  record 3, before the first leg
-- state ----------------------------------------------------------------------
 client  no async context yet
 server  no async context yet
-- may happen next ------------------------------------------------------------
 *1  client goes on with its program
  2  server goes on with its program
(sspi start, client next)> continue
nothing can happen any more (stuck): stuck  record 39, leg 1, server.accept#1
        pending
-- state ----------------------------------------------------------------------
 client  idle            client.ac1  client.init#1 SEC_I_CONTINUE_NEEDED  .
        waits for leg 2
 server  PENDING         server.ac1  server.accept#1 PENDING (held)
        notification due
-- may happen next ------------------------------------------------------------
 nothing can happen by itself: stuck
 client waits for bytes from its peer
 server waits for the signal server completion, which its notify callback raises
 server.call2 is held by server.accept#1
(sspi leg 1, 1 pending)> legal server
 server  server.ac1 is pending
   works  create, requires-notify, get-status
   set-callback: undefined, its call is running, and which callback the
        notification reaches is not promised (rule B002)
   reinit: refused, STATUS_INVALID_DEVICE_STATE: SspiReinitAsyncContext: fails
        while in use (rule A001)
   free-async-context: undefined, its call is still running and will write to it
        (rule A004)
   acquire, init, accept, delete, free-credential: refused,
        SEC_E_INVALID_HANDLE: an async context tracks one call at a time
        (documented); the refusal is assumed (rule A003)
(sspi leg 1, 1 pending)> checkpoint held
checkpoint held: main, record 39; the engine is kept as it is
(sspi leg 1, 1 pending)> tamper leg2 ServerHello.random 01
leg2=tamper:ServerHello.random:01: still to come
(sspi leg 1, 1 pending)> complete server.accept#1
complete by hand  record 47, leg 1
-- state ----------------------------------------------------------------------
 client  idle            client.ac1  client.init#1 SEC_I_CONTINUE_NEEDED  .
        waits for leg 2
 server  COMPLETE        server.ac1  server.accept#1 SEC_I_CONTINUE_NEEDED
        notification due
-- may happen next ------------------------------------------------------------
 *1  the notify callback for server.accept#1 is entered
(sspi leg 1, server next)> continue
the run is over: failed  record 108, leg 3
-- state ----------------------------------------------------------------------
 client  freed           client.ac1  client.free#1 SEC_E_OK
 server  freed           server.ac1  server.free#1 SEC_E_OK
-- may happen next ------------------------------------------------------------
 nothing can happen by itself: finished, failed
(sspi leg 3, at the end)> p client.init#2.status
client.init#2.status = SEC_E_MESSAGE_ALTERED
(sspi leg 3, at the end)> restart held
branch2: from checkpoint held, forked from the engine at record 39: what was
        drawn before is the same, what is drawn later differs
branch2, from checkpoint held  record 39, leg 1, server.accept#1 pending
-- state ----------------------------------------------------------------------
 client  idle            client.ac1  client.init#1 SEC_I_CONTINUE_NEEDED  .
        waits for leg 2
 server  PENDING         server.ac1  server.accept#1 PENDING (held)
        notification due
-- may happen next ------------------------------------------------------------
 nothing can happen by itself: stuck
 client waits for bytes from its peer
 server waits for the signal server completion, which its notify callback raises
 server.call2 is held by server.accept#1
(sspi leg 1, 1 pending)> complete server.accept#1
complete by hand  record 47, leg 1
-- state ----------------------------------------------------------------------
 client  idle            client.ac1  client.init#1 SEC_I_CONTINUE_NEEDED  .
        waits for leg 2
 server  COMPLETE        server.ac1  server.accept#1 SEC_I_CONTINUE_NEEDED
        notification due
-- may happen next ------------------------------------------------------------
 *1  the notify callback for server.accept#1 is entered
(sspi leg 1, server next)> continue
the run is over: ok  record 140, leg 4
-- state ----------------------------------------------------------------------
 client  freed           client.ac1  client.free#1 SEC_E_OK
 server  freed           server.ac1  server.free#1 SEC_E_OK
-- may happen next ------------------------------------------------------------
 nothing can happen by itself: finished, ok
(sspi leg 4, at the end)> branches
  main         108 records  failed      the beginning
* branch2      140 records  ok          from checkpoint held, forked from the
        engine at record 39: what was drawn before is the same, what is drawn
        later differs
  checkpoint held: main, record 39, with its engine
(sspi leg 4, at the end)> quit
"""
